"""Posterior draws -> how much faster research goes with AI implementers, while people have the ideas and without them.

The question is seed S1's: can AIs that turn ideas into finished experiments make research 30 times as fast? The bounds
are ``equations.speedup``'s. A speed-up is over the same people without AIs at the same moment and never below 1: where
the bounds leave less, AIs would slow research down, people do without them, and the event `no_gain` says so.
Fully automated researchers wait for nobody's ideas or attention and work in parallel: compute and tokens bind alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.equations import takeoff, trends
from forecast.equations.implementers import Bounds, bounds_at, experiments_growth, latency_bound_of_draw
from forecast.equations.speedup import copies_speedup, paper_days, smooth_minimum
from forecast.errors import InputError
from forecast.headlines import count, estimate
from forecast.observations import load_settings
from forecast.quantiles import interval_levels, quantile
from forecast.results import MAX_YEAR, Array, in_blocks, require_finite
from forecast.runs import sample_shape
from forecast.schema import SAMPLE_DIMS, Variable
from forecast.side_draws import parameters_with
from forecast.words import number, odds, percent

TARGET = 30.0  # the speed-up that S1 is about
DEVICE_HOURS = 1.0  # S1's device answers after N = 60 minutes ...
DEVICE_TARGET = copies_speedup(4.0, 5.0)  # ... and a day with it is to be worth four copies of oneself for a week
LATENCIES = {"5 minutes": 5.0 / 60.0, "1 hour": 1.0, "1 day": 24.0}  # the values of N that S1 discusses
AS_DRAWN = "as the priors say"
BISECTIONS = 40  # of 20 years: to the millisecond

AUTOMATED = "_fully_automated"
STAFFING = {"people_have_ideas": "", "fully_automated": AUTOMATED}  # suffix of the variables
BINDING = {"": Bounds._fields, AUTOMATED: ("compute", "tokens")}
WHO = {"": "people have the ideas and AIs implement them", AUTOMATED: "AIs do all of the research"}

SPEEDUP: dict[str, Variable] = {
    "speedup_year": Variable("yr", "the moment at which compute, model size and staff are taken"),
    "log10_experiments_per_researcher": Variable(
        "log10", "growth since as_of of the experiments that a researcher's share of the fleet pays for"
    ),
    "log10_ideas_bound": Variable("log10", "speed-up if only people's time for ideas limited it"),
    "log10_latency_bound": Variable("log10", "speed-up if only waiting for answers limited it"),
    "log10_compute_bound": Variable("log10", "speed-up if only compute for experiments limited it"),
    "log10_tokens_bound": Variable("log10", "speed-up if only tokens to run the AIs limited it"),
    **{
        name + suffix: Variable(units, f"{definition}; {WHO[suffix]}")
        for suffix in BINDING
        for name, units, definition in (
            ("log10_speedup", "log10", "speed of research over that of the same people without AIs, at least 1"),
            ("at_least_30", "1", "a speed-up of at least 30"),
            ("no_gain", "1", "the bounds leave less than 1: people do without the AIs"),
            *((f"{bound}_binds", "1", f"the bound from {bound} is the smallest") for bound in BINDING[suffix]),
        )
    },
    "at_least_20_at_60_minutes": Variable(
        "1", "with a device that answers in 60 minutes one working day is worth four copies of oneself for a week"
    ),
}


def speedup(run: xr.DataTree, year: Any = None, latency_hours: float | None = None) -> xr.Dataset:
    """How much faster research goes with AIs that implement what people think of, and with AIs that do it all.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    year : float or (chain, draw), optional
        Decimal year at which compute, model size and staff are taken. Where an array is +inf (full automation is never
        reached) the end of the shipped years is taken, where it lies before `as_of`, `as_of`. If None, each draw's year
        of full automation with software on its people-only trend.
    latency_hours : float, optional
        Calendar hours that replace the latency of every instruction.

    Returns
    -------
    xarray.Dataset
        dims (chain, draw); variables of `SPEEDUP` with units. Those that end in ``_fully_automated`` are of AIs that do
        all of the research, their fellows without it of people who have the ideas.

    Raises
    ------
    InputError
        For a year or latency that cannot be used, or a run made before a prior of the side block existed.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> sorted(fc.speedup(run).dims)
    ['chain', 'draw']
    """
    p = parameters_with(run, "speedup")
    require_finite(p)
    shape = sample_shape(run)
    hours = None if latency_hours is None else checked_latency(latency_hours)
    moment = checked_moment(year, p, shape)
    values = in_blocks(p | {"moment": moment}, moment.size, lambda part: speedup_values(part["moment"], part, hours))
    return xr.Dataset(
        {
            name: (SAMPLE_DIMS, values[name].reshape(shape), {"units": v.units, "definition": v.definition})
            for name, v in SPEEDUP.items()
        },
        coords={dim: np.arange(size) for dim, size in zip(SAMPLE_DIMS, shape, strict=True)},
        attrs={"paper_months": float(np.median(p["paper_months"]))},
    )


def speedup_values(year: Array, p: Mapping[str, Any], latency_hours: float | None = None) -> dict[str, Array]:
    """All of `SPEEDUP`, each (draw,), of parameters that are (draw,) or scalars."""
    size, sharpness = np.shape(year), p["bound_sharpness"]
    bounds = bounds_at(year, p, latency_hours)
    device = smooth_minimum([bounds.ideas, latency_bound_of_draw(p, DEVICE_HOURS)], sharpness)
    values = {
        "speedup_year": year,
        "log10_experiments_per_researcher": np.log10(experiments_growth(year, p)),
        "at_least_20_at_60_minutes": device >= DEVICE_TARGET,
    }
    values |= {f"log10_{name}_bound": np.log10(bound) for name, bound in bounds._asdict().items()}
    for suffix, names in BINDING.items():
        applying = [getattr(bounds, name) for name in names]
        left = smooth_minimum(applying, sharpness)
        values |= {
            f"log10_speedup{suffix}": np.log10(np.maximum(left, 1.0)),
            f"at_least_30{suffix}": left >= TARGET,
            f"no_gain{suffix}": left < 1.0,
        }
        tightest = np.argmin(np.broadcast_arrays(*applying), axis=0)
        values |= {f"{name}_binds{suffix}": tightest == index for index, name in enumerate(names)}
    return {name: np.broadcast_to(value, size) for name, value in values.items()}


def automation_year_on_trend(p: Mapping[str, Any], end: float) -> Array:
    """Decimal year from `as_of` on in which software on its people-only trend reaches full automation; `end` if later."""
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    full = takeoff.milestones(now, p).full
    low, high = np.full(np.shape(full), float(p["as_of_year"])), np.full(np.shape(full), end)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        reached = trends.effective_flop_on_trend(middle, p) >= full
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def checked_moment(year: Any, p: Mapping[str, Any], shape: tuple[int, int]) -> Array:
    """The year of every draw, (draw,), as `speedup` takes it.

    Raises
    ------
    InputError
        If a single year leaves the range from `as_of` to 2200, or an array has another shape than the run or holds NaN.
    """
    start, end = float(p["as_of_year"]), load_settings().last_year + 1.0
    if year is None:
        return automation_year_on_trend(p, end)
    if np.ndim(year) == 0:
        if not start <= float(year) <= MAX_YEAR:
            raise InputError(f"year {float(year):g}: give a year from {start:.2f} (as_of) to {MAX_YEAR}")
        return np.full(shape[0] * shape[1], float(year))
    if isinstance(year, xr.DataArray):
        if set(year.dims) != set(SAMPLE_DIMS):
            raise InputError(f"year: dims {year.dims} are not chain and draw; select one of each other dim first")
        year = year.transpose(*SAMPLE_DIMS).values
    years = np.asarray(year, dtype=float)
    if years.shape != shape:
        raise InputError(f"year: shape {years.shape} is not the run's {shape} (chain, draw): give one year per draw")
    if np.isnan(years).any():
        raise InputError("year: an entry is NaN: give a decimal year, or inf where the moment never comes")
    result: Array = np.maximum(np.where(years == np.inf, end, years), start).ravel()
    return result


def checked_latency(hours: float) -> float:
    """Calendar hours above 0.

    >>> checked_latency(0.0)
    Traceback (most recent call last):
    forecast.errors.InputError: latency_hours = 0.0 is not a positive number: give hours, such as 0.25 for 15 minutes
    """
    if not 0.0 < hours < np.inf:
        raise InputError(f"latency_hours = {hours} is not a positive number: give hours, such as 0.25 for 15 minutes")
    return float(hours)


def speedup_curve(found: xr.Dataset, multiples: Sequence[float] | None = None) -> xr.DataArray:
    """P(speed-up >= x) over all draws.

    Parameters
    ----------
    found : xarray.Dataset
        What `speedup` returns.
    multiples : sequence of float, optional
        Values of x, above 0; 1 to 1000 in twentieths of an order of magnitude if None.

    Returns
    -------
    xarray.DataArray
        dims (staffing, speedup).
    """
    x = np.logspace(0.0, 3.0, 61) if multiples is None else np.asarray(multiples, dtype=float)
    levels = xr.DataArray(np.log10(x), dims="speedup", coords={"speedup": x})
    rows = [(found[f"log10_speedup{suffix}"] >= levels).mean(SAMPLE_DIMS) for suffix in STAFFING.values()]
    curve = xr.concat(rows, pd.Index(list(STAFFING), name="staffing")).rename("probability")
    return curve.assign_attrs(units="1", definition="probability that research goes at least so many times as fast")


def latency_settings(
    run: xr.DataTree, year: Any = None, latencies: Mapping[str, float] = LATENCIES
) -> dict[str, xr.Dataset]:
    """`speedup` as the priors say, and with every answer coming after a stated number of hours; by name of the setting."""
    drawn = speedup(run, year)
    moment = drawn["speedup_year"]
    return {AS_DRAWN: drawn} | {name: speedup(run, moment, hours) for name, hours in latencies.items()}


def latency_table(settings: Mapping[str, xr.Dataset], prob: float = 0.9) -> pd.DataFrame:
    """A row per latency of answers, and one for fully automated researchers, who need none.

    Parameters
    ----------
    settings : mapping of str to xarray.Dataset
        What `latency_settings` returns.
    prob : float
        Mass of the equal-tailed interval.

    Returns
    -------
    pandas.DataFrame
        Columns ``median``, ``low``, ``high`` (speed-up), ``at_least_30`` (probability), and the share of draws in which
        each bound binds; 0 where it does not apply.
    """
    rows = {name: staffing_row(found, "", prob) for name, found in settings.items()}
    rows["fully automated"] = staffing_row(next(iter(settings.values())), AUTOMATED, prob)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("answers")


def staffing_row(found: xr.Dataset, suffix: str, prob: float) -> dict[str, float]:
    """One row of `latency_table`."""
    shares = binding_shares(found, suffix)
    return spread(found[f"log10_speedup{suffix}"], prob) | {name: shares.get(name, 0.0) for name in Bounds._fields}


def bounds_table(found: xr.Dataset, prob: float = 0.9) -> pd.DataFrame:
    """A row per bound: the speed-up if nothing else limited it, and how often it is the tightest.

    Returns
    -------
    pandas.DataFrame
        Columns ``median``, ``low``, ``high``, ``at_least_30`` as in `latency_table`, and the share of draws in which the
        bound binds by staffing, ``people_have_ideas`` and ``fully_automated``; 0 where it does not apply.
    """
    shares = {name: binding_shares(found, suffix) for name, suffix in STAFFING.items()}
    rows = {
        bound: spread(found[f"log10_{bound}_bound"], prob) | {name: shares[name].get(bound, 0.0) for name in STAFFING}
        for bound in Bounds._fields
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("bound")


def spread(log10: xr.DataArray, prob: float) -> dict[str, float]:
    """Median, interval of mass `prob` and P(>= 30) of a speed-up or bound given as its log10."""
    levels = interval_levels(prob)
    low, median, high = (10.0 ** quantile(log10, [levels[0], 0.5, levels[-1]]).values).tolist()
    return {"median": median, "low": low, "high": high, "at_least_30": share_at_least(log10, TARGET)}


def share_at_least(log10: xr.DataArray, multiple: float) -> float:
    """Share of draws in which a quantity given as its log10 is at least `multiple`."""
    return float((log10 >= np.log10(multiple)).mean())


def binding_shares(found: xr.Dataset, suffix: str = "") -> dict[str, float]:
    """Share of draws in which each bound is the smallest; they add up to 1."""
    return {name: float(found[f"{name}_binds{suffix}"].mean()) for name in BINDING[suffix]}


def implementers_sentences(found: xr.Dataset, prob: float = 0.9) -> tuple[str, ...]:
    """What `speedup` found, in words: with people's ideas, bound by bound, the 20x test, without people."""
    months = found.attrs["paper_months"]
    people, machines = (
        count(estimate(found[f"log10_speedup{suffix}"], prob, power=10.0)) for suffix in ("", AUTOMATED)
    )
    thirty, alone, device = (
        float(found[name].mean()) for name in ("at_least_30", f"at_least_30{AUTOMATED}", "at_least_20_at_60_minutes")
    )
    alone_at_least = {b: share_at_least(found[f"log10_{b}_bound"], TARGET) for b in Bounds._fields}
    fewer = float((found["log10_experiments_per_researcher"] < 0.0).mean())
    return (
        f"While people have the ideas and AIs implement them, research goes {people} times as fast as the same people "
        f"without AIs. P(30 times or more: a paper every {number(paper_days(TARGET, months), 1)} days instead of "
        f"{number(months)} months) = {percent(thirty)} ({odds(thirty)}).",
        f"Taken one at a time the bounds allow 30 times: {ranked(alone_at_least)}. The tightest bound is "
        f"{ranked(binding_shares(found))} of draws.",
        f"In {percent(fewer)} of draws a researcher can run fewer experiments by then, models and staff having grown along "
        "with the fleet: there compute allows no more than what implementers save.",
        "With a device that answers in 60 minutes, one working day is worth four copies of oneself for a week with "
        f"probability {percent(device)} ({odds(device)}).",
        f"Fully automated researchers, who wait for nobody's ideas and work in parallel: {machines} times. "
        f"P(30 times or more) = {percent(alone)} ({odds(alone)}). Their tightest bound is "
        f"{ranked(binding_shares(found, AUTOMATED))} of draws.",
    )


def ranked(shares: Mapping[str, float]) -> str:
    """Shares in words, the largest first.

    >>> ranked({"ideas": 0.2, "compute": 0.8})
    'compute in 80%, ideas in 20%'
    """
    return ", ".join(f"{name} in {percent(share)}" for name, share in sorted(shares.items(), key=lambda kv: -kv[1]))
