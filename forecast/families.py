"""Families of priors under PyMC's names, and the exact solver from quantiles to parameters.

An interval is equal-tailed: ``interval = [low, high]`` with ``mass = 0.90`` means the 5% and the 95% quantile.
``tests/test_families.py`` pins each family against PyMC and each solution against its own quantiles.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from forecast.distributions import LogitNormal, Truncated
from forecast.errors import InputError

Params = Mapping[str, Any]
EXACT = 1e-8  # two numbers are met to rounding; the slack is for ppf's own error
REACHED = 1e-6  # relative, for three numbers and more


class StatementFault(InputError):
    """What a prior states cannot be used; ``key`` is the part of the statement to blame."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


Solver = Callable[["Family", np.ndarray, np.ndarray, Params], dict[str, float]]


@dataclass(frozen=True)
class Family:
    """One family: its PyMC parameters, its frozen distribution and how it is solved from quantiles."""

    name: str
    build: Callable[[Params], Any]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()  # stand beside an interval, are not solved for
    natural: tuple[float, float] = (-np.inf, np.inf)
    free: int = 2
    solver: Solver | None = None

    @property
    def bounded(self) -> bool:
        """Whether lower and upper are the family's own parameters."""
        return "lower" in self.required + self.optional


def _linear(forward: Callable[..., Any], base: Callable[[Params], Any], finish: Callable[..., Any]) -> Solver:
    """Closed form where ``forward(x)`` is location + scale * z: exact for two numbers, least squares for more."""

    def solve(_: Family, probabilities: np.ndarray, values: np.ndarray, stated: Params) -> dict[str, float]:
        z = base(stated).ppf(probabilities)
        y = forward(values)
        off = z - z.mean()
        scale = off @ (y - y.mean()) / (off @ off)
        return finish(float(y.mean() - scale * z.mean()), float(scale))  # type: ignore[no-any-return]

    return solve


def _scale(base: Callable[[Params], Any], finish: Callable[[float], dict[str, float]]) -> Solver:
    """Closed form of a family with a scale alone."""

    def solve(_: Family, probabilities: np.ndarray, values: np.ndarray, stated: Params) -> dict[str, float]:
        z = base(stated).ppf(probabilities)
        return finish(float(z @ values / (z @ z)))

    return solve


def _numeric(names: tuple[str, str], start: Callable[..., Sequence[float]], logs: tuple[bool, bool]) -> Solver:
    """Least squares on the logit of the CDF, whose slope stays away from zero in both tails."""

    def unpack(point: np.ndarray) -> dict[str, float]:
        return {n: float(np.exp(x) if log else x) for n, x, log in zip(names, point, logs, strict=True)}

    def solve(family: Family, probabilities: np.ndarray, values: np.ndarray, stated: Params) -> dict[str, float]:
        def misses(point: np.ndarray) -> Any:
            cdf = family.build({**unpack(point), **stated}).cdf(values)
            return special.logit(np.clip(cdf, 1e-15, 1 - 1e-15)) - special.logit(probabilities)

        guess = [np.log(x) if log else x for x, log in zip(start(probabilities, values), logs, strict=True)]
        with np.errstate(all="ignore"):
            best = optimize.least_squares(
                misses, guess, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac", max_nfev=2000
            )
        return unpack(best.x)

    return solve


def _normal_start(probabilities: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    z = stats.norm.ppf(probabilities[[0, -1]])
    sigma = (values[-1] - values[0]) / (z[1] - z[0])
    return float(values[0] - sigma * z[0]), float(sigma)


def _positive_start(probabilities: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    mean, sd = _normal_start(probabilities, values)
    return float(np.clip(mean, values[0], values[-1])), sd  # one-sided numbers may put the mean outside


def _gamma_start(probabilities: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    mean, sd = _positive_start(probabilities, values)
    return (mean / sd) ** 2, mean / sd**2


def _beta_start(probabilities: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    mean, sd = _positive_start(probabilities, values)
    size = max(mean * (1 - mean) / sd**2 - 1, 0.5)
    return mean * size, (1 - mean) * size


def _truncnorm(p: Params) -> Any:
    mu, sigma = p["mu"], p["sigma"]
    low, high = p.get("lower", -np.inf), p.get("upper", np.inf)
    return stats.truncnorm((low - mu) / sigma, (high - mu) / sigma, loc=mu, scale=sigma)


def _triangular(p: Params) -> Any:
    width = p["upper"] - p["lower"]
    return stats.triang((p["c"] - p["lower"]) / width, loc=p["lower"], scale=width)


def _mu_sigma(location: float, scale: float) -> dict[str, float]:
    return {"mu": location, "sigma": scale}


def _identity(x: Any) -> Any:
    return x


_NORMAL = (("mu", "sigma"), ("sigma",))
_POSITIVE = (0.0, np.inf)
_ENDS = ("lower", "upper")
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "Normal",
            lambda p: stats.norm(p["mu"], p["sigma"]),
            _NORMAL[0],
            positive=_NORMAL[1],
            solver=_linear(_identity, lambda _: stats.norm(), _mu_sigma),
        ),
        Family(
            "LogNormal",
            lambda p: stats.lognorm(p["sigma"], scale=np.exp(p["mu"])),
            _NORMAL[0],
            positive=_NORMAL[1],
            natural=_POSITIVE,
            solver=_linear(np.log, lambda _: stats.norm(), _mu_sigma),
        ),
        Family(
            "LogitNormal",
            lambda p: LogitNormal(p["mu"], p["sigma"]),
            _NORMAL[0],
            positive=_NORMAL[1],
            natural=(0.0, 1.0),
            solver=_linear(special.logit, lambda _: stats.norm(), _mu_sigma),
        ),
        Family(
            "StudentT",
            lambda p: stats.t(p["nu"], p["mu"], p["sigma"]),
            ("nu", "mu", "sigma"),
            positive=("nu", "sigma"),
            stated=("nu",),
            solver=_linear(_identity, lambda p: stats.t(p["nu"]), _mu_sigma),
        ),
        Family(
            "Uniform",
            lambda p: stats.uniform(p["lower"], p["upper"] - p["lower"]),
            _ENDS,
            solver=_linear(_identity, lambda _: stats.uniform(), lambda a, b: {"lower": a, "upper": a + b}),
        ),
        Family(
            "LogUniform",
            lambda p: stats.loguniform(p["lower"], p["upper"]),
            _ENDS,
            positive=_ENDS,
            natural=_POSITIVE,
            solver=_linear(
                np.log,
                lambda _: stats.uniform(),
                lambda a, b: {"lower": float(np.exp(a)), "upper": float(np.exp(a + b))},
            ),
        ),
        Family("Triangular", _triangular, ("lower", "c", "upper"), free=0),
        Family(
            "TruncatedNormal",
            _truncnorm,
            _NORMAL[0],
            optional=_ENDS,
            positive=_NORMAL[1],
            stated=_ENDS,
            solver=_numeric(("mu", "sigma"), _normal_start, (False, True)),
        ),
        Family(
            "Beta",
            lambda p: stats.beta(p["alpha"], p["beta"]),
            ("alpha", "beta"),
            positive=("alpha", "beta"),
            natural=(0.0, 1.0),
            solver=_numeric(("alpha", "beta"), _beta_start, (True, True)),
        ),
        Family(
            "Gamma",
            lambda p: stats.gamma(p["alpha"], scale=1 / p["beta"]),
            ("alpha", "beta"),
            positive=("alpha", "beta"),
            natural=_POSITIVE,
            solver=_numeric(("alpha", "beta"), _gamma_start, (True, True)),
        ),
        Family(
            "HalfNormal",
            lambda p: stats.halfnorm(scale=p["sigma"]),
            ("sigma",),
            positive=("sigma",),
            natural=_POSITIVE,
            free=1,
            solver=_scale(lambda _: stats.halfnorm(), lambda s: {"sigma": s}),
        ),
        Family(
            "HalfStudentT",
            lambda p: Truncated(stats.t(p["nu"], scale=p["sigma"]), 0.0, np.inf),
            ("nu", "sigma"),
            positive=("nu", "sigma"),
            stated=("nu",),
            natural=_POSITIVE,
            free=1,
            solver=_scale(lambda p: Truncated(stats.t(p["nu"]), 0.0, np.inf), lambda s: {"sigma": s}),
        ),
        Family(
            "Exponential",
            lambda p: stats.expon(scale=1 / p["lam"]),
            ("lam",),
            positive=("lam",),
            natural=_POSITIVE,
            free=1,
            solver=_scale(lambda _: stats.expon(), lambda s: {"lam": 1 / s}),
        ),
        Family("Dirichlet", lambda p: stats.dirichlet(p["a"]), ("a",), positive=("a",), natural=(0.0, 1.0), free=0),
    )
}


def suggestion(word: str, known: Iterable[str]) -> str:
    """The nearest known word as ``; did you mean 'x'?``, or the list of known words.

    >>> suggestion("Norml", ["Normal", "Beta"])
    "; did you mean 'Normal'?"
    """
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(words)}"


def family_named(name: object) -> Family:
    """The family of that PyMC name.

    Raises
    ------
    StatementFault
        For an unknown name, with the nearest known one.
    """
    if not isinstance(name, str) or name not in FAMILIES:
        raise StatementFault("distribution", f"{name!r} is no known distribution{suggestion(str(name), FAMILIES)}")
    return FAMILIES[name]


def solve(family: Family, quantiles: Mapping[float, float], stated: Params | None = None) -> dict[str, float]:
    """Parameters of the member of a family that has these quantiles.

    Parameters
    ----------
    family : Family
    quantiles : Mapping[float, float]
        Value by probability; as many as the family has free parameters are met exactly.
    stated : Mapping, optional
        Parameters that are not solved for (``nu``, ``lower``, ``upper``).

    Raises
    ------
    StatementFault
        Where no member has these quantiles, with what the nearest one reaches.

    Examples
    --------
    >>> {name: round(x, 4) for name, x in solve(FAMILIES["Normal"], {0.05: -1.6448536, 0.95: 1.6448536}).items()}
    {'mu': 0.0, 'sigma': 1.0}
    """
    stated = dict(stated or {})
    probabilities, values = (np.array(x, dtype=float) for x in zip(*sorted(quantiles.items()), strict=True))
    if family.solver is None:
        raise StatementFault("distribution", f"{family.name} cannot be solved from quantiles: give params")
    params = family.solver(family, probabilities, values, stated) | stated
    reached = np.asarray(family.build(params).ppf(probabilities), dtype=float)
    scale = np.maximum(np.abs(values), np.ptp(values))
    tolerance = EXACT if len(values) <= family.free else REACHED
    if not np.all(np.abs(reached - values) <= tolerance * scale):
        asked = ", ".join(f"{q:g}: {x:g}" for q, x in zip(probabilities, values, strict=True))
        got = ", ".join(f"{q:g}: {x:.6g}" for q, x in zip(probabilities, reached, strict=True))
        raise StatementFault(
            "quantiles",
            f"no {family.name} has the quantiles {asked}; the nearest reaches {got}: "
            "state fewer numbers, widen the bounds or take another family",
        )
    return params
