"""Leading indicators: what next year may show, what each outcome would say of full automation, and what it is worth.

Each draw of the run says, with the take-off's feedback in it, where an indicator will stand at a date; one would read it
with the noise that the fit has found in such figures. So draws are reweighted by what is observed, and the worth of an
observation is known before it is made (``reweighting``). Source: MODEL section 7. Three things to know: an indicator is
read as its table is, on the day when something sets a new mark, and a mark that has stood for months lags the trend;
noises are independent given the draw; and one record run above trend says nothing of the draw's capability but through
the trend.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date as Date
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri
from scipy.stats import rankdata

from forecast.dynamics import by_year, simulate
from forecast.errors import InputError
from forecast.observations import load_observations
from forecast.records import tables_of
from forecast.research.indicator_results import (
    FEWEST_DRAWS,
    LEVELS,
    TODAYS_SUITE,
    TOGETHER,
    UNEXPECTED,
    label_of,
    labelled,
)
from forecast.research.indicator_values import (
    INDICATORS,
    Observation,
    checked_when,
    date_of,
    observations_of,
    readings,
)
from forecast.research.reweighting import (
    Array,
    Measurement,
    Worth,
    at_least,
    effective_draws,
    entropy,
    log_likelihood,
    predictive_quantiles,
    resampled,
    share,
    weighted_quantile,
    weights,
    worths,
)
from forecast.results import checked_form, checked_years, in_blocks, require_finite
from forecast.rows import LONGEST_RELIABLE_HORIZON
from forecast.runs import parameters_of, read_provenance, sample_shape

NU = 5.0  # of the Student-t that the model fits to runs and fleets; tests/research/test_indicators.py pins it
OUTCOMES = (0.1, 0.5, 0.9)  # quantiles of the forecast that are tried where nothing is observed


def watch(
    run: xr.DataTree,
    when: float | str | Date | None = None,
    observed: Mapping[str, Any] | Iterable[str] | None = None,
    event_year: int = 2030,
    years: Iterable[int] | None = None,
    horizon_form: str = "exponential",
) -> xr.Dataset:
    """What the leading indicators may show at a date, and how that would move the forecast of full automation.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    when : float, str or date, optional
        The day on which the marks are set (a model released, a run finished): decimal year or ISO date, `as_of` or later;
        one year after `as_of` if None.
    observed : mapping or iterable of str, optional
        What is seen then, such as ``{"task_horizon": "40h", "record_run": ">=3e27"}`` or ``["task_horizon>=40h"]``. A plain
        value is also read as a bound from below and above; different indicators, each given once, are combined too.
        If None, the 10%, 50% and 90% quantile of each indicator.
    event_year : int
        The event is full automation by the end of this year.
    years : iterable of int, optional
        The window: full automation after the end of its last year counts as never; shipped range if None.
    horizon_form : {"exponential", "superexponential"}
        Form of the task horizon in effective compute.

    Returns
    -------
    xarray.Dataset
        ``indicator_results.VARIABLES`` with units; dims among indicator, observation, what_if, quantile, chain, draw. The
        first ``what_if`` is "nothing"; +inf years are censored mass. Reweighting knows the indicator and nothing else, not
        even whether full automation has come by then.

    Raises
    ------
    InputError
        For an unknown indicator or form, a value, date or year that cannot be used.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.watch(run, observed={"task_horizon": "40h"}).what_if.values.tolist()[0]
    'nothing'
    """
    record, p = read_provenance(run), parameters_of(run)
    require_finite(p)
    start = float(p["as_of_year"])
    chosen = checked_years(years, start)
    end = chosen[-1] + 1.0
    moment = checked_when(when, Date.fromisoformat(record["as_of"]), end)
    by = checked_event_year(event_year, int(start), chosen[-1])
    seen = None if observed is None else observations_of(observed)
    form, shape = checked_form(horizon_form), sample_shape(run)
    draws = in_blocks(p, shape[0] * shape[1], lambda part: forecast_of(part, moment, end, form))
    measured = measurements(draws, p, fleet_error(run), moment - start)
    event = (draws["year_100"] <= by + 1.0).astype(float)
    seed = int(record["settings"]["random_seed"])
    cases = what_ifs(outcomes(measured) if seen is None else seen, together=seen is not None)
    values = (
        predicted(measured)
        | {f"expected_{one.quantity}": draws[one.quantity].reshape(shape) for one in INDICATORS.values()}
        | worth_values(judged(measured, event, draws["year_100"], seed))
        | {"event_entropy": entropy(event.mean())}
        | case_values(cases, measured, draws, event, resampled(event.size, seed), shape)
    )
    attrs = {
        "when": date_of(moment).isoformat(),
        "when_year": moment,
        "event_year": by,
        "as_of": record["as_of"],
        "window_end": end,
        "horizon_form": form,
        "random_seed": seed,
    }
    return labelled(values, cases, shape).assign_attrs(attrs)


def checked_event_year(year: Any, first: int, last: int) -> int:
    """A calendar year within the window.

    >>> checked_event_year(2050, 2026, 2045)
    Traceback (most recent call last):
    forecast.errors.InputError: event_year = 2050 is not a year of the forecast: give one from 2026 to 2045
    """
    if year not in range(first, last + 1):
        raise InputError(f"event_year = {year} is not a year of the forecast: give one from {first} to {last}")
    return int(year)


def forecast_of(p: dict[str, Any], moment: float, end: float, form: str) -> dict[str, Any]:
    """Full automation, and the indicators' expected values (log10) at one moment, of each draw of a block."""
    legs = simulate(p, end, "trend", form)
    then = by_year(legs, p, [moment], "trend", form)
    with np.errstate(invalid="ignore"):
        length = np.where(legs.reached, legs.year_100 - legs.year_20, np.inf)
    return {
        "year_100": legs.year_100,
        "takeoff_years": length,
        **{one.quantity: then[one.quantity][:, 0] for one in INDICATORS.values()},
    }


def fleet_error(run: xr.DataTree) -> float:
    """Standard error (log10) of an outside estimate of the largest fleet: the median of the run's table, 0 without rows.

    The fit adds each row's own to ``fleet_scatter``. The other two tables' noise holds the error of measurement already.
    """
    record = read_provenance(run)
    table = (
        tables_of(run)["fleet_compute"]
        if "observations" in record
        else load_observations(as_of=record["as_of"]).to_frame("fleet_compute")
    )
    stated = table[["low", "high", "mass"]].dropna().to_numpy(dtype=float)
    if not stated.size:
        return 0.0
    low, high, mass = stated.T
    return float(np.median(np.log10(high / low) / (2.0 * ndtri(0.5 + mass / 2.0))))


def measurements(
    draws: Mapping[str, Array], p: Mapping[str, Any], error_of_fleet: float, years_ahead: float
) -> dict[str, Measurement]:
    """How each indicator would be read in each draw, in log10 of its units; the horizon also on today's suite of tasks.

    Task horizons walk about their line, so that theirs is noise of scatter^2 + scale^2 x years ahead, and normal.
    """
    errors = {"fleet": error_of_fleet}
    found = {}
    for name, one in INDICATORS.items():
        mean = draws[one.quantity]
        spread = np.hypot(np.broadcast_to(p[one.scatter], mean.shape) * one.oom, errors.get(name, 0.0))
        found[name] = Measurement(mean, spread, NU)
    walked = np.broadcast_to(p["horizon_walk_scale"], found["task_horizon"].mean.shape) * np.sqrt(years_ahead)
    spread = np.hypot(found["task_horizon"].spread, walked * INDICATORS["task_horizon"].oom)
    found["task_horizon"] = Measurement(found["task_horizon"].mean, spread)
    reach = float(np.log10(LONGEST_RELIABLE_HORIZON))
    return found | {TODAYS_SUITE: replace(found["task_horizon"], reach=reach)}


def predicted(measured: Mapping[str, Measurement]) -> dict[str, Any]:
    """Predictive quantiles in the indicators' units, and the noise in them."""
    quantiles: dict[str, Any] = {name: quantiles_of(measured[name], LEVELS) for name in INDICATORS}
    return quantiles | {"noise": np.array([np.median(measured[name].spread) for name in INDICATORS])}


def quantiles_of(measured: Measurement, levels: Sequence[float]) -> Array:
    """Predictive quantiles in an indicator's units; +inf beyond any float, as a superexponential horizon may be."""
    with np.errstate(over="ignore"):
        result: Array = 10.0 ** predictive_quantiles(measured, levels)
    return result


def judged(measured: Mapping[str, Measurement], event: Array, year_100: Array, seed: int) -> dict[str, Worth]:
    """Worth of each indicator, of all three together, and of the horizon where today's suite of tasks is all there is."""
    groups = {name: [name] for name in INDICATORS} | {TOGETHER: list(INDICATORS), TODAYS_SUITE: [TODAYS_SUITE]}
    return worths(measured, groups, event, rankdata(year_100) / year_100.size, seed)


def worth_values(found: Mapping[str, Worth]) -> dict[str, Any]:
    """`Worth` by variable, in the order of the observations."""
    fields = {"information": "bits", "expected_shift": "shift", "variance_reduction": "reduction"}
    values: dict[str, Any] = {}
    for name, field in fields.items():
        estimates = [getattr(one, field) for one in found.values()]
        values |= {
            name: np.array([e.value for e in estimates]),
            f"{name}_error": np.array([e.error for e in estimates]),
        }
    return values | {"typical_effective_draws": np.array([one.effective_draws for one in found.values()])}


def outcomes(measured: Mapping[str, Measurement]) -> list[Observation]:
    """The 10%, 50% and 90% quantile of each indicator as values that might be seen."""
    return [
        Observation(name, "=", float(value), f"{level:.0%} quantile")
        for name in INDICATORS
        for level, value in zip(OUTCOMES, quantiles_of(measured[name], OUTCOMES), strict=True)
        if np.isfinite(value)
    ]


def what_ifs(seen: Sequence[Observation], together: bool) -> list[tuple[Observation, ...]]:
    """What the draws are weighted by in each row: nothing, every reading of every observation, and all of them at once."""
    cases: list[tuple[Observation, ...]] = [
        (),
        *((one,) for given in seen for one in (readings(given) if together else [given])),
    ]
    if together and len({one.indicator for one in seen}) == len(seen) > 1:
        cases.append(tuple(seen))
    return list({label_of(case): case for case in cases}.values())


def case_values(
    cases: Sequence[Sequence[Observation]],
    measured: Mapping[str, Measurement],
    draws: Mapping[str, Array],
    event: Array,
    counts: Array,
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Everything that has a row per what-if."""
    rows: list[dict[str, Any]] = []
    for case in cases:
        weight = weights(np.sum([log_weight(one, measured) for one in case], axis=0) + np.zeros(event.size))
        probability, effective = share(weight, event, counts), effective_draws(weight)
        likely = min([tail_probability(one, measured) for one in case], default=1.0)
        rows.append(
            {
                "event_probability": probability.value,
                "event_probability_error": probability.error,
                "year_100": weighted_quantile(draws["year_100"], weight, LEVELS),
                "takeoff_years": weighted_quantile(draws["takeoff_years"], weight, LEVELS),
                "tail_probability": likely,
                "effective_draws": effective,
                "few_draws": effective < FEWEST_DRAWS,
                "unexpected": likely < UNEXPECTED,
                "weight": weight.reshape(shape),
            }
        )
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def log_weight(one: Observation, measured: Mapping[str, Measurement]) -> Array:
    """Log of what a draw gives to an observation: a density, or the probability of a bound."""
    value, by = float(np.log10(one.value)), measured[one.indicator]
    if one.relation == "=":
        return log_likelihood(value, by)
    above = at_least(value, by)
    with np.errstate(divide="ignore"):
        return np.log(above if one.relation == ">=" else 1.0 - above)


def tail_probability(one: Observation, measured: Mapping[str, Measurement]) -> float:
    """Probability of a bound under the forecast, or twice that of a value at least as far out on its side."""
    above = float(at_least(float(np.log10(one.value)), measured[one.indicator]).mean())
    return {">=": above, "<=": 1.0 - above, "=": 2.0 * min(above, 1.0 - above)}[one.relation]
