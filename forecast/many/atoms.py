"""Where very many draws come from: the prior, atom by atom from seeds of their own, or a run, cut into parts.

An atom is the smallest share of draws that is made at once. Its number and a parameter's name are the key of the seed, so
that neither the number of workers nor what each of them does moves a single draw, and replacing one prior leaves the
draws of all others as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from forecast.constants import constants, refuse_empty
from forecast.dynamics.flow import Engine
from forecast.equations import trends
from forecast.equations.research import production
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.results import require_finite
from forecast.schema import ALTERNATIVES, PRODUCTION, SIDE_PARAMETERS, STATED
from forecast.statements import Prior

Array = Any  # NumPy array over draws
Sampler = Callable[[np.random.Generator, int], Array]
ATOM = 16384  # draws with one seed: making a generator then takes a thousandth of using it
STREAM = zlib.crc32(b"many")
LEAST = 2.0**-54  # a uniform draw of 0 would be an infinite quantile


@dataclass(frozen=True)
class PriorAtoms:
    """What the draws of a prior are made from; plain data, for other processes.

    ``unread`` are the parameters that no wanted quantity is computed from: equations name them, and get NaN.
    """

    priors: Mapping[str, Prior]
    fixed: Mapping[str, float]
    horizon_years: tuple[float, ...]
    as_of_year: float
    random_seed: int
    centred: bool
    unread: tuple[str, ...] = ()


def prior_atoms(
    priors: Priors,
    observations: Observations,
    random_seed: int,
    read: Collection[str] | None = None,
    leaps: bool = False,
) -> PriorAtoms:
    """The parameters that a forecast reads, by their priors; all if `read` is None.

    `read` names what the forecast's equations take; what that follows from is added. With `leaps` the parameters of the
    hardware leap are drawn too.
    """
    refuse_empty(observations)
    numbers = constants(observations)
    years = tuple(float(year) for year in numbers.pop("horizon_years"))
    wanted = None if read is None else {*read, *PRODUCTION, *ALTERNATIVES.values()}
    stated = [name for name in STATED if name in priors]
    names = [name for name in stated if wanted is None or name in wanted]
    unread = tuple(name for name in stated if name not in names)
    names += list(SIDE_PARAMETERS["hardware_leap"]) if leaps else []
    drawn = {name: priors[name] for name in names if priors[name].distribution != "fixed" and drawable(priors[name])}
    held = {name: prior.params["value"] for name, prior in priors.items() if prior.distribution == "fixed"}
    fixed = {name: float(value) for name, value in (numbers | held).items()}
    centred = read is None or "effective_flop_centre" in read
    return PriorAtoms(drawn, fixed, years, observations.as_of_year, random_seed, centred, unread)


def drawable(prior: Prior) -> bool:
    """Whether a forecast may read a parameter: offsets of observed model families are for the fit alone."""
    return prior.distribution == "Dirichlet" or not (prior.name in STATED and STATED[prior.name].dims)


def samplers(source: PriorAtoms) -> dict[str, Sampler]:
    """What draws each parameter; made once, as scipy takes as long to set up a distribution as to draw thousands."""
    return {name: sampler(prior, source.as_of_year) for name, prior in source.priors.items()}


def sampler(prior: Prior, as_of_year: float) -> Sampler:
    """What draws one parameter.

    >>> from forecast.priors import interval
    >>> draw = sampler(interval("LogNormal", 1.0, 100.0), 2026.8)
    >>> 9.5 < float(np.median(draw(np.random.default_rng(1), 100_001))) < 10.5
    True
    """
    if prior.distribution == "TruncatedNormal":
        return truncated_normal(prior, as_of_year)
    frozen: Any = prior.scipy(as_of_year)
    return lambda rng, size: frozen.rvs(size=size, random_state=rng)


def truncated_normal(prior: Prior, as_of_year: float) -> Sampler:
    """By the quantile function, on the side where it is exact: scipy's own takes ten times as long."""
    low, high = prior.scipy(as_of_year).support()
    mu, sigma = prior.params["mu"], prior.params["sigma"]
    side = -1.0 if low > mu else 1.0  # a tail's probabilities are small numbers on the left only
    ends = special.ndtr(np.sort(side * (np.array([low, high]) - mu) / sigma))

    def draw(rng: np.random.Generator, size: int) -> Array:
        level = ends[0] + (ends[1] - ends[0]) * np.maximum(rng.random(size), LEAST)
        return np.clip(mu + side * sigma * special.ndtri(level), low, high)

    return draw


def drawn_atom(source: PriorAtoms, draws_of: Mapping[str, Sampler], number: int, engine: Engine) -> dict[str, Any]:
    """Parameters and constants of one atom, with what follows from them, each (draw, ...) or a scalar."""
    p: dict[str, Any] = dict(source.fixed)
    with np.errstate(over="ignore"):  # what is infinite is refused below
        for name, draw in draws_of.items():
            key = (STREAM, zlib.crc32(name.encode()), number)
            p[name] = draw(np.random.default_rng(np.random.SeedSequence(source.random_seed, spawn_key=key)), ATOM)
    p |= production(p) if any(name in p for name in PRODUCTION) else {}
    if not all(np.isfinite(value).all() for value in p.values()):
        require_finite(p)  # takes longer, and says which
    p |= {name: np.nan for name in source.unread if name not in p}
    middle = centre(p, source.horizon_years, engine) if source.centred else np.nan
    return p | {"effective_flop_centre": np.broadcast_to(middle, ATOM)}


def centre(p: Mapping[str, Any], years: tuple[float, ...], engine: Engine) -> Array:
    """Where the regression of the task horizon is centred: `trends.effective_flop_centre` of all years at once."""
    if engine == "compiled":
        from forecast.compiled_series import series

        (found,) = series(effective_flop, p, years).values()
        return found.sum(axis=1) / len(years)
    column = np.asarray(years)[:, None]
    return np.sum(np.broadcast_to(trends.effective_flop_on_trend(column, p), (len(years), ATOM)), axis=0) / len(years)


def effective_flop(year: Any, p: Mapping[str, Any]) -> dict[str, Any]:
    """Effective compute without feedback, under a name."""
    return {"log10_effective_flop": trends.effective_flop_on_trend(year, p)}
