"""The coherence gate finds each contradiction that is put in, and only that one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.coherence import EVENTS, coherence
from forecast.dynamics import takeoff_with_years
from forecast.fitting import sample_prior
from forecast.observations import load_observations
from forecast.priors import load_priors
from forecast.runs import parameters_of
from forecast.schema import DAY_SECONDS

YEARS = [2027, 2030, 2040]


@pytest.fixture(scope="module")
def drawn() -> tuple[xr.Dataset, xr.Dataset, dict[str, Any]]:
    """Draws whose caps hold today: full automation is far, and the fleet has room for the run."""
    priors = load_priors().replace(
        record_offset=0.05,
        log10_training_flop_2024=24.0,
        log10_fleet_flop_per_second_2025=21.0,
        log10_world_flop_per_second_2025=22.5,
        training_days=5.0,
        training_days_trend=0.0,
        training_days_variate=0.0,
        required_horizon_minutes=1e9,
    )
    run = sample_prior(priors, load_observations(), draws=25)
    readouts, yearly = takeoff_with_years(run, years=YEARS)
    return yearly, readouts, parameters_of(run)


def test_draws_within_their_caps_contradict_nothing(drawn: tuple[xr.Dataset, xr.Dataset, dict[str, Any]]) -> None:
    yearly, readouts, p = drawn
    assert coherence(yearly, readouts, p) == dict.fromkeys(EVENTS, 0.0)


def changed(yearly: xr.Dataset, name: str, values: Any) -> xr.Dataset:
    """The series with one draw of the second scenario, in the last year, set to a value."""
    array = yearly[name].copy()
    array[{"scenario": 1, "chain": 2, "draw": 7, "year": 2}] = values
    return yearly.assign({name: array})


def test_one_bad_draw_in_one_year_is_one_percent(drawn: tuple[xr.Dataset, xr.Dataset, dict[str, Any]]) -> None:
    yearly, readouts, p = drawn
    for name, value, event in (
        ("log10_training_flop", 60.0, "cluster_above_fleet"),
        ("log10_world_flop_per_second", 1.0, "fleet_above_world"),
        ("log10_params", -9.0, "text_above_stock"),
        ("layers", np.nan, "non_finite"),
    ):
        found = coherence(changed(yearly, name, value), readouts, p)
        assert found[event] == pytest.approx(0.01), name


def test_the_cluster_is_the_runs_flop_over_seconds_and_utilization(
    drawn: tuple[xr.Dataset, xr.Dataset, dict[str, Any]],
) -> None:
    yearly, readouts, p = drawn
    seconds = 5.0 * DAY_SECONDS
    peak = yearly["training_utilization"] * seconds * 10.0 ** yearly["log10_fleet_flop_per_second"]
    inside, outside = (yearly.assign(log10_training_flop=np.log10(peak) + gap) for gap in (-1e-6, 1e-6))
    assert coherence(inside, readouts, p)["cluster_above_fleet"] == 0.0
    assert coherence(outside, readouts, p)["cluster_above_fleet"] == 1.0


def test_automation_at_the_date_of_the_data_counts(drawn: tuple[xr.Dataset, xr.Dataset, dict[str, Any]]) -> None:
    yearly, readouts, p = drawn
    array = readouts["year_100"].copy()
    array[{"scenario": 0, "chain": 0, "draw": slice(0, 5)}] = p["as_of_year"]
    assert coherence(yearly, readouts.assign(year_100=array), p)["automated_today"] == pytest.approx(0.05)


def test_never_is_no_fault_but_a_missing_date_is(drawn: tuple[xr.Dataset, xr.Dataset, dict[str, Any]]) -> None:
    yearly, readouts, p = drawn
    never = readouts["year_100"].where(readouts["year_100"] < 0, np.inf)
    gains = readouts["first_year_gain"] * np.nan
    assert coherence(yearly, readouts.assign(year_100=never, first_year_gain=gains), p)["non_finite"] == 0.0
    assert coherence(yearly, readouts.assign(year_20=never * np.nan), p)["non_finite"] == 1.0
