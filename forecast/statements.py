"""What a prior states, and the one distribution that follows from it.

A statement is ``params``, ``interval`` (with ``mass``), ``quantiles`` or ``value``; families with one parameter take
``upper``. Everything here is checked the same way whether it comes from a file or from Python.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from forecast.distributions import Distribution, Truncated
from forecast.errors import InputError
from forecast.families import (
    FAMILIES,
    Family,
    StatementFault,
    family_named,
    solve,
    suggestion,
)

AS_OF = "as_of"
WAYS = ("params", "interval", "quantiles", "value")
STATEMENT_KEYS = (*WAYS, "mass", "lower", "upper", "nu")
DEFAULT_MASS = 0.90
LEAST_PROBABILITY = 1e-9  # a cut that leaves less than this is a mistake, and cannot be sampled
LEAST_NU = 0.05  # degrees of freedom; with fewer, one draw in a million has more than 120 digits
REACH = (1e-6, 0.5, 1.0 - 1e-6)  # probabilities within which draws lie

Bound = float | str | None


@dataclass(frozen=True)
class Prior:
    """One parameter's prior: the resolved distribution and what its author wrote about it.

    Attributes
    ----------
    distribution : str
        PyMC class name, "LogUniform", or "fixed".
    params : dict
        PyMC parameters; a bound may be the string "as_of" (the decimal year of the data's date).
    bounds : tuple or None
        Truncation after solving, (lower, upper), None where there is none.
    statement : dict
        What was written, with the mass of an interval filled in.
    """

    name: str
    block: str
    distribution: str
    params: dict[str, Any]
    bounds: tuple[Bound, Bound] | None = None
    units: str = ""
    source: tuple[str, ...] = ()
    rationale: str = ""
    statement: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    line: int = 0

    def scipy(self, as_of: float | None = None) -> Distribution:
        """The frozen distribution, truncation included.

        Parameters
        ----------
        as_of : float, optional
            Decimal year of the data's date; needed where a bound is "as_of".

        Raises
        ------
        InputError
            For a fixed value, or where ``as_of`` is needed and missing.
        """
        if self.distribution == "fixed":
            raise InputError(f"{self.name} is fixed at {self.params['value']}: it has no distribution")
        params = {key: self._at(value, as_of) for key, value in self.params.items()}
        ends = self.bounds or (params.get("lower"), params.get("upper"))
        low, high = (e if x is None else self._at(x, as_of) for x, e in zip(ends, (-np.inf, np.inf), strict=True))
        if not low < high:
            raise InputError(f"{self.name}: nothing lies between lower = {low:g} and upper = {high:g}: move a bound")
        base: Distribution = FAMILIES[self.distribution].build(params)
        return base if self.bounds is None else Truncated(base, low, high)

    def quantile(self, q: Any, as_of: float | None = None) -> Any:
        """Quantile at probability ``q``; for a Dirichlet those of its marginals, on the last axis.

        >>> round(float(interval("LogNormal", 1.0, 100.0).quantile(0.5)), 6)
        10.0
        """
        if self.distribution == "fixed":
            return np.full(np.shape(q), self.params["value"])[()]
        if self.distribution == "Dirichlet":
            a = np.asarray(self.params["a"])
            return stats.beta(a, a.sum() - a).ppf(np.asarray(q)[..., None])
        return self.scipy(as_of).ppf(q)

    def sample(self, rng: np.random.Generator, size: int, as_of: float | None = None) -> Any:
        """``size`` independent draws; shape (size,), or (size, k) for a Dirichlet."""
        if self.distribution == "fixed":
            return np.full(size, self.params["value"])
        return self.scipy(as_of).rvs(size=size, random_state=rng)

    def _at(self, value: Any, as_of: float | None) -> Any:
        if value != AS_OF:
            return value
        if as_of is None:
            raise InputError(f"{self.name} is bounded by the data's date: pass as_of, a decimal year such as 2026.83")
        return as_of


def interval(distribution: str, low: float, high: float, mass: float = DEFAULT_MASS, **rest: Any) -> Prior:
    """A prior without a name, for ``Priors.replace``: the equal-tailed interval that holds ``mass``.

    Parameters
    ----------
    distribution : str
        PyMC class name or "LogUniform".
    low, high : float
        Quantiles at (1 - mass)/2 and (1 + mass)/2.
    **rest
        ``nu``, or ``lower`` and ``upper``.

    Returns
    -------
    Prior
        Solved exactly, without name and units.

    Raises
    ------
    InputError
        Where no member of the family has that interval.

    Examples
    --------
    >>> round(interval("Normal", -1.6448536269514722, 1.6448536269514722).params["sigma"], 12)
    1.0
    """
    return stated(distribution, {"interval": [low, high], "mass": mass, **rest})


def fixed(value: float) -> Prior:
    """A prior without a name that holds one value."""
    return stated(None, {"value": value})


def stated(distribution: object, statement: Mapping[str, Any]) -> Prior:
    """The nameless prior that a statement describes.

    Raises
    ------
    StatementFault
        With the key to blame and the remedy.
    """
    ways = [key for key in WAYS if key in statement]
    if ways == ["value"]:
        _only(statement, ("value",), "a fixed value stands alone")
        if distribution is not None:
            raise StatementFault("distribution", "a fixed value has no distribution: drop one of the two")
        value = _number(statement["value"], "value")
        return Prior("", "", "fixed", {"value": value}, statement={"value": value})
    if distribution is None:
        raise StatementFault("distribution", "is missing: add a PyMC class name, or give value = x for a fixed number")
    family = family_named(distribution)
    if not ways and family.free == 1 and "upper" in statement:
        ways = ["upper"]
    if len(ways) != 1:
        given = " and ".join(ways) or "none"
        remedy = "upper, the mass-quantile" if family.free == 1 else "one of params, interval, quantiles, value"
        raise StatementFault(ways[-1] if ways else "params", f"states {given}: give exactly {remedy}")
    with np.errstate(all="ignore"):  # an overflow is found where it ends: in a quantile that is no number
        prior = _from_params(family, statement) if ways == ["params"] else _from_quantiles(family, ways[0], statement)
        _check_reach(prior, ways[0])
    return prior


def _from_params(family: Family, statement: Mapping[str, Any]) -> Prior:
    bounds_keys = () if family.bounded or family.free != 2 else ("lower", "upper")
    _only(statement, ("params", *bounds_keys), f"params say all there is to say of {family.name}")
    given = statement["params"]
    if not isinstance(given, dict):
        raise StatementFault("params", f"{given!r} is not a table: write {{ {family.required[0]} = ... }}")
    allowed = family.required + family.optional
    for key in given:
        if key not in allowed:
            raise StatementFault("params", f"{family.name} has no parameter {key!r}{suggestion(key, allowed)}")
    missing = [key for key in family.required if key not in given]
    if missing:
        raise StatementFault("params", f"{family.name} needs {', '.join(missing)}: add {missing[0]} = ...")
    if family.name == "Dirichlet":
        params: dict[str, Any] = {"a": _concentrations(given["a"])}
    else:
        params = {key: (_bound if key in ("lower", "upper") else _number)(given[key], "params") for key in given}
    _check_params(family, params)
    bounds = _bounds(family, statement) if bounds_keys else None
    prior = Prior("", "", family.name, params, bounds, statement={"params": params} | _stated_bounds(bounds))
    _check_cut(prior)
    return prior


def _from_quantiles(family: Family, way: str, statement: Mapping[str, Any]) -> Prior:
    bounds_keys = () if family.bounded or family.free != 2 else ("lower", "upper")
    mass_keys = () if way == "quantiles" else ("mass",)
    _only(statement, (way, *family.stated, *bounds_keys, *mass_keys), f"not used with {way} of {family.name}")
    quantiles, written = _quantiles(family, way, statement)
    rest = {key: _number(statement[key], key) for key in family.stated if key in statement}
    if family.name == "TruncatedNormal" and not rest:
        raise StatementFault(way, "TruncatedNormal states its bounds: add lower, upper or both")
    for key in family.stated:
        if key == "nu" and key not in rest:
            raise StatementFault(way, f"{family.name} states nu: add nu = ...")
    _check_params(family, rest)
    low, high = (rest.get("lower", family.natural[0]), rest.get("upper", family.natural[1]))
    for value in quantiles.values():
        if not low < value < high:
            message = f"{value:g} lies outside the support ({low:g}, {high:g}) of {family.name}: move it inside"
            raise StatementFault(way, message)
    try:
        params = solve(family, quantiles, rest)
    except StatementFault as fault:
        raise StatementFault(way, str(fault)) from None
    _check_params(family, params, way)
    bounds = _bounds(family, statement) if bounds_keys else None
    prior = Prior("", "", family.name, params, bounds, statement=written | rest | _stated_bounds(bounds))
    _check_cut(prior)
    return prior


def _quantiles(family: Family, way: str, statement: Mapping[str, Any]) -> tuple[dict[float, float], dict[str, Any]]:
    """Value by probability, and the statement as it is recorded."""
    given = statement[way]
    if way == "quantiles":
        quantiles = _quantile_table(family, given)
        return quantiles, {"quantiles": {f"{q:g}": x for q, x in quantiles.items()}}
    mass = _number(statement.get("mass", DEFAULT_MASS), "mass")
    if not 0 < mass < 1:
        raise StatementFault("mass", f"{mass:g} is not between 0 and 1: write 0.90 for 90%")
    if way == "upper":
        upper = _number(given, "upper")
        return {mass: upper}, {"upper": upper, "mass": mass}
    if family.free != 2:
        remedy = "upper = x with mass" if family.free == 1 else "params"
        raise StatementFault("interval", f"{family.name} cannot be solved from two ends: give {remedy}")
    if not isinstance(given, list) or len(given) != 2:
        raise StatementFault("interval", f"{given!r} is not [low, high]: give two numbers")
    low, high = (_number(x, "interval") for x in given)
    if not low < high:
        raise StatementFault("interval", f"[{low:g}, {high:g}] is not [low, high]: write the smaller number first")
    return {(1 - mass) / 2: low, (1 + mass) / 2: high}, {"interval": [low, high], "mass": mass}


def _quantile_table(family: Family, given: object) -> dict[float, float]:
    if not isinstance(given, dict):
        raise StatementFault("quantiles", f'{given!r} is not a table: write {{ "0.05" = x, "0.95" = y }}')
    quantiles: dict[float, float] = {}
    for key, value in given.items():
        try:
            q = float(key)
        except ValueError:
            q = math.nan
        if not 0 < q < 1:
            raise StatementFault("quantiles", f'{key!r} is no probability between 0 and 1: write "0.05" = x')
        if q in quantiles:
            raise StatementFault("quantiles", f"{key!r} states a probability a second time: keep one")
        quantiles[q] = _number(value, "quantiles")
    if len(quantiles) < max(family.free, 1):
        raise StatementFault("quantiles", f"{family.name} needs at least {max(family.free, 1)} of them: add one")
    ordered = [quantiles[q] for q in sorted(quantiles)]
    if any(a >= b for a, b in itertools.pairwise(ordered)):
        raise StatementFault("quantiles", f"{ordered} do not rise with the probability: reorder them")
    return quantiles


def _check_params(family: Family, params: Mapping[str, Any], key: str = "params") -> None:
    for name in family.positive:
        for value in np.atleast_1d(params.get(name, 1.0)):
            if not float(value) > 0:
                raise StatementFault(key, f"{name} = {value:g} must be above 0: give a positive number")
    if params.get("nu", 1.0) < LEAST_NU:
        raise StatementFault(key, f"nu = {params['nu']:g} has draws beyond all numbers: give {LEAST_NU:g} or more")
    ends = [params[name] for name in ("lower", "c", "upper") if isinstance(params.get(name), float)]
    if any(a >= b for a, b in itertools.pairwise(ends)):
        raise StatementFault(key, f"{ends} is not lower < upper (c between them): put them in order")
    if family.name == "TruncatedNormal" and "sigma" in params and not {"lower", "upper"} & set(params):
        raise StatementFault(key, "TruncatedNormal states its bounds: add lower, upper or both")


def _check_cut(prior: Prior) -> None:
    """A truncation must leave something to draw; bounds that wait for as_of are checked where it is known."""
    if AS_OF in prior.params.values() or AS_OF in (prior.bounds or ()):
        return
    if prior.distribution == "TruncatedNormal":
        low, high = prior.params.get("lower", -np.inf), prior.params.get("upper", np.inf)
        base: Distribution = stats.norm(prior.params["mu"], prior.params["sigma"])
    elif prior.bounds is not None:
        low, high = (x if x is not None else e for x, e in zip(prior.bounds, (-np.inf, np.inf), strict=True))
        base = FAMILIES[prior.distribution].build(prior.params)
    else:
        return
    left = float(base.cdf(high) - base.cdf(low))
    if not left > LEAST_PROBABILITY:
        raise StatementFault("lower", f"the bounds leave {left:.2g} of the probability: widen them")


def _check_reach(prior: Prior, key: str) -> None:
    """Whatever is drawn must be a number; bounds that wait for as_of only cut."""
    if AS_OF in prior.params.values():
        return
    waits = AS_OF in (prior.bounds or ())
    reached = np.asarray((replace(prior, bounds=None) if waits else prior).quantile(REACH), dtype=float)
    if not np.all(np.isfinite(reached)):
        message = f"{prior.distribution} reaches beyond what can be computed with: give a narrower one"
        raise StatementFault(key, message)


def _bounds(family: Family, statement: Mapping[str, Any]) -> tuple[Bound, Bound] | None:
    bounds = tuple(_bound(statement[key], key) if key in statement else None for key in ("lower", "upper"))
    low, high = bounds
    if isinstance(low, float) and isinstance(high, float) and low >= high:
        raise StatementFault("lower", f"{low:g} is not below upper = {high:g}: swap them")
    return None if bounds == (None, None) else (low, high)


def _stated_bounds(bounds: tuple[Bound, Bound] | None) -> dict[str, Any]:
    return {k: v for k, v in zip(("lower", "upper"), bounds or (None, None), strict=True) if v is not None}


def _bound(value: object, key: str) -> float | str:
    return AS_OF if value == AS_OF else _number(value, key)


def _concentrations(value: object) -> list[float]:
    if not isinstance(value, list) or len(value) < 2:
        raise StatementFault("params", f"a = {value!r} is not a list of two or more numbers: write [1.0, 1.0]")
    return [_number(x, "params") for x in value]


def _number(value: object, key: str) -> float:
    """A finite float; a boolean is not a number here."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise StatementFault(key, f"{value!r} is not a number: write it as 1.5 or 2e3")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise StatementFault(key, f"{number} is not finite: give a finite number")
    return number


def _only(statement: Mapping[str, Any], allowed: tuple[str, ...], why: str) -> None:
    for key in statement:
        if key not in allowed:
            raise StatementFault(key, f"cannot stand beside the rest of this statement: {why}; drop it")
