"""What `watch` found, as tables of numbers and as sentences."""

from __future__ import annotations

from datetime import date as Date

import numpy as np
import pandas as pd
import xarray as xr

from forecast.research.indicator_results import NOTHING, TODAYS_SUITE, TOGETHER
from forecast.research.indicator_values import INDICATORS, date_words, spoken
from forecast.rows import LONGEST_RELIABLE_HORIZON
from forecast.words import number, percent

LEVELS = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
WORTH = ("information", "expected_shift", "variance_reduction")
FEW, UNLIKELY = "too few draws", "unexpected"


def indicators_table(found: xr.Dataset) -> pd.DataFrame:
    """A row per observation: what the forecast expects of it and what seeing it is worth.

    Returns
    -------
    pandas.DataFrame
        Index ``observation``. Columns ``units``; ``q05`` to ``q95``, the predictive quantiles in those units, and
        ``noise_factor``, one scale of the noise as a factor (NaN where an observation is of several indicators or has no
        forecast of its own); ``information`` (bits), ``expected_shift``, ``variance_reduction``, each with its Monte Carlo
        ``_error``; ``typical_effective_draws``.
    """
    rows = {}
    for label in found.coords["observation"].values:
        name, one = str(label), found.sel(observation=label)
        row: dict[str, str | float] = {"units": "", **dict.fromkeys(LEVELS, np.nan), "noise_factor": np.nan}
        if name in INDICATORS:
            quantiles = {q: float(found[name].sel(quantile=level)) for q, level in LEVELS.items()}
            noise = 10.0 ** float(found["noise"].sel(indicator=name))
            row = {"units": INDICATORS[name].units, **quantiles, "noise_factor": noise}
        row |= {column: float(one[column]) for name in WORTH for column in (name, f"{name}_error")}
        rows[name] = row | {"typical_effective_draws": float(one["typical_effective_draws"])}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("observation")


def what_if_table(found: xr.Dataset) -> pd.DataFrame:
    """A row per what-if: how likely it is, and the forecast of full automation once it is seen.

    Returns
    -------
    pandas.DataFrame
        Index ``what_if``. Columns ``tail_probability``; ``event_probability`` and its Monte Carlo ``_error``; ``year_100``
        and ``takeoff_years`` at ``_q05``, ``_q50``, ``_q95`` (inf = not within the window); ``effective_draws``; ``mark``:
        "too few draws", "unexpected", both or nothing.
    """
    rows = {}
    for index, label in enumerate(found.coords["what_if"].values):
        one = found.isel(what_if=index)
        row: dict[str, str | float] = {
            name: float(one[name]) for name in ("tail_probability", "event_probability", "event_probability_error")
        }
        for name in ("year_100", "takeoff_years"):
            row |= {f"{name}_{q}": float(one[name].sel(quantile=LEVELS[q])) for q in ("q05", "q50", "q95")}
        row |= {"effective_draws": float(one["effective_draws"]), "mark": ", ".join(marks(one))}
        rows[str(label)] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("what_if")


def marks(one: xr.Dataset) -> list[str]:
    """Why a what-if is not to be trusted, if so."""
    return [word for word, name in ((FEW, "few_draws"), (UNLIKELY, "unexpected")) if bool(one[name])]


def watch_sentences(found: xr.Dataset) -> tuple[str, ...]:
    """The forecast as it is, what each indicator and all together would make of it and are worth, and what limits that."""
    base = found.sel(what_if=NOTHING)
    event = f"P(full automation of AI R&D by the end of {found.attrs['event_year']})"
    spread = (
        f"{percent(float(base['event_probability']))} (Monte Carlo error {_points(base['event_probability_error'])})"
    )
    subjects = [*INDICATORS, TOGETHER]
    return (
        f"{event} is {spread}; there are {number(float(found['event_entropy']))} bits to know about it.",
        *(sentence for subject in subjects for sentence in _of(subject, found)),
        _suite(found),
    )


def _of(subject: str, found: xr.Dataset) -> list[str]:
    cases = found.isel(what_if=np.flatnonzero(found.coords["subject"].values == subject))
    joint = "" if subject == TOGETHER else "it is "
    said = [_case(cases.isel(what_if=i), joint) for i in range(cases.sizes["what_if"])]
    becomes = [f"P becomes {', '.join(said)}."] if said else []
    worth = f"is worth {_worth(subject, found)}"
    if subject == TOGETHER:
        return [f"Seeing all three together {worth}.", *becomes]
    middle, low, high = (spoken(subject, float(found[subject].sel(quantile=level))) for level in (0.5, 0.05, 0.95))
    one, day = INDICATORS[subject], date_words(Date.fromisoformat(found.attrs["when"]))
    expected = f"{one.words[0].upper()}{one.words[1:]} {one.moment} {day} is expected at {middle}"
    return [f"{expected} (90% interval {low} to {high}); seeing it {worth}.", *becomes]


def _case(one: xr.Dataset, subject: str) -> str:
    likely, reading = float(one["tail_probability"]), str(one.coords["reading"].item())
    remarks = [f"{percent(likely)} likely"] if subject and reading.endswith(("or more", "or less")) else []
    if bool(one["unexpected"]):
        remarks.append("so unexpected that rather the model is wrong")
    if bool(one["few_draws"]):
        remarks.append(f"{number(float(one['effective_draws']))} effective draws, too few to trust it")
    note = f" ({'; '.join(remarks)})" if remarks else ""
    return f"{percent(float(one['event_probability']))} if {subject}{reading}{note}"


def _worth(observation: str, found: xr.Dataset) -> str:
    one = found.sel(observation=observation)
    bits, error = number(float(one["information"])), number(float(one["information_error"]), 1)
    shift, less = _points(one["expected_shift"]), percent(float(one["variance_reduction"]))
    return (
        f"{bits} bits (Monte Carlo error {error}), a change of P by {shift} on average and {less} of the variance of the "
        "year's rank"
    )


def _suite(found: xr.Dataset) -> str:
    limit = spoken("task_horizon", LONGEST_RELIABLE_HORIZON)
    return (
        f"All this takes tasks long enough to measure the horizon: on today's suite, which ends at {limit}, it is worth "
        f"{_worth(TODAYS_SUITE, found)}."
    )


def _points(share: xr.DataArray) -> str:
    return f"{number(100.0 * float(share))} points"
