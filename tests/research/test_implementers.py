"""Speed-up with implementers on draws of the prior: labels, what must hold in every draw, the seed's tests, words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import results
from forecast.dynamics import takeoff
from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.errors import InputError
from forecast.observations import load_settings
from forecast.research import implementers
from forecast.research.implementers import (
    AS_DRAWN,
    AUTOMATED,
    LATENCIES,
    SPEEDUP,
    bounds_table,
    checked_moment,
    implementers_sentences,
    latency_settings,
    latency_table,
    speedup,
    speedup_curve,
)
from forecast.runs import parameters_of
from forecast.side_draws import parameters_with
from forecast.summaries import summary

BOUNDS = ("ideas", "latency", "compute", "tokens")
SHAPE = (2, 150)


@pytest.fixture(scope="module")
def settings(prior_run: xr.DataTree) -> dict[str, xr.Dataset]:
    return latency_settings(prior_run)


@pytest.fixture(scope="module")
def found(settings: dict[str, xr.Dataset]) -> xr.Dataset:
    return settings[AS_DRAWN]


def bound(found: xr.Dataset, name: str) -> xr.DataArray:
    return 10.0 ** found[f"log10_{name}_bound"]


def test_results_explain_themselves(found: xr.Dataset) -> None:
    assert set(found.data_vars) == SPEEDUP.keys()
    for name, variable in SPEEDUP.items():
        assert found[name].dims == ("chain", "draw")
        assert found[name].shape == SHAPE
        assert found[name].attrs == {"units": variable.units, "definition": variable.definition}
        assert np.isfinite(found[name]).all(), name
        assert found[name].dtype == (bool if variable.units == "1" else float), name


def test_they_go_into_the_summary_as_they_are(found: xr.Dataset) -> None:
    rows = summary(found).set_index("variable")
    assert list(rows.index) == list(SPEEDUP)
    assert rows.loc["at_least_30", "probability"] == float(found["at_least_30"].mean())
    assert rows.loc["log10_speedup", "q50"] == pytest.approx(float(found["log10_speedup"].median()))


def test_the_same_run_gives_the_same_numbers_whatever_the_blocks(
    prior_run: xr.DataTree, found: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "BLOCK", 37)
    xr.testing.assert_identical(speedup(prior_run), found)


# In every draw


@pytest.mark.parametrize("setting", [AS_DRAWN, *LATENCIES])
def test_fully_automated_research_is_never_slower_than_research_with_peoples_ideas(
    settings: dict[str, xr.Dataset], setting: str
) -> None:
    one = settings[setting]
    assert (one[f"log10_speedup{AUTOMATED}"] >= one["log10_speedup"]).all()
    assert (one[f"at_least_30{AUTOMATED}"] >= one["at_least_30"]).all()
    assert (one[f"no_gain{AUTOMATED}"] <= one["no_gain"]).all()


@pytest.mark.parametrize(("suffix", "names"), [("", BOUNDS), (AUTOMATED, ("compute", "tokens"))])
def test_the_speed_up_is_the_smallest_bound_less_at_most_what_equal_ones_cost(
    found: xr.Dataset, suffix: str, names: tuple[str, ...]
) -> None:
    smallest = xr.concat([bound(found, name) for name in names], "bound").min("bound")
    result = 10.0 ** found[f"log10_speedup{suffix}"]
    assert (result <= np.maximum(smallest, 1.0) * (1 + 1e-12)).all()
    assert (result >= np.maximum(smallest * len(names) ** (-1.0 / 8.0), 1.0) * (1 - 1e-12)).all()


@pytest.mark.parametrize(("suffix", "names"), [("", BOUNDS), (AUTOMATED, ("compute", "tokens"))])
def test_exactly_one_bound_binds_and_it_is_the_smallest(found: xr.Dataset, suffix: str, names: tuple[str, ...]) -> None:
    binding = np.stack([found[f"{name}_binds{suffix}"].values for name in names])
    sizes = np.stack([bound(found, name).values for name in names])
    assert (binding.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(sizes[:, binding.any(axis=0)].min(axis=0), (sizes * binding).sum(axis=0).ravel())


def test_where_the_bounds_leave_less_than_one_people_do_without_and_it_is_said(found: xr.Dataset) -> None:
    direct = sum(bound(found, name) ** -8.0 for name in BOUNDS) ** (-1.0 / 8.0)
    np.testing.assert_array_equal(found["no_gain"], direct < 1.0)
    np.testing.assert_allclose(10.0 ** found["log10_speedup"], np.maximum(direct, 1.0), rtol=1e-10)
    assert 0.0 < float(found["no_gain"].mean()) < 0.3
    assert (found["log10_speedup"].values[found["no_gain"].values] == 0.0).all()


def test_events_are_thresholds_of_the_speed_up(found: xr.Dataset) -> None:
    for suffix in ("", AUTOMATED):
        speed = 10.0 ** found[f"log10_speedup{suffix}"]
        np.testing.assert_array_equal(found[f"at_least_30{suffix}"], speed >= 30.0)


def test_a_longer_latency_is_never_faster_and_changes_latency_alone(settings: dict[str, xr.Dataset]) -> None:
    fast, slow, slowest = (settings[name] for name in LATENCIES)
    for one, other in ((fast, slow), (slow, slowest)):
        assert (one["log10_speedup"] >= other["log10_speedup"]).all()
        for name in ("ideas", "compute", "tokens"):
            assert one[f"log10_{name}_bound"].equals(other[f"log10_{name}_bound"])
        assert one[f"log10_speedup{AUTOMATED}"].equals(other[f"log10_speedup{AUTOMATED}"])
    ratio = bound(fast, "latency") / bound(slow, "latency")
    np.testing.assert_allclose(ratio, 12.0)
    np.testing.assert_allclose(bound(slow, "latency") / bound(slowest, "latency"), 8.0)  # a day is 8 working hours


def test_without_latency_nobody_waits(prior_run: xr.DataTree) -> None:
    at_once = speedup(prior_run, 2030.0, latency_hours=1e-6)
    assert not at_once["latency_binds"].any()


# The seed's device


def test_the_device_is_judged_by_ideas_and_an_hours_wait_alone(prior_run: xr.DataTree, found: xr.Dataset) -> None:
    """Its throughput is infinite, so neither compute nor tokens nor the year count, and its 60 minutes are its own."""
    p = parameters_with(prior_run, "speedup")
    projects = p["projects_in_parallel"]
    waiting = 1000.0 * np.where(projects > 1.0, projects**0.7, projects) / p["instructions_per_paper"]
    ideas = p["idea_help"] / p["idea_time_share"]
    worth = (waiting**-8.0 + ideas**-8.0) ** (-1.0 / 8.0)
    np.testing.assert_array_equal(found["at_least_20_at_60_minutes"].values.ravel(), worth >= 20.0)
    for other in (speedup(prior_run, 2040.0), speedup(prior_run, latency_hours=24.0)):
        assert other["at_least_20_at_60_minutes"].equals(found["at_least_20_at_60_minutes"])


def test_whoever_can_do_it_with_the_device_could_not_without_twenty_times_by_ideas(found: xr.Dataset) -> None:
    able = found["at_least_20_at_60_minutes"].values
    assert (bound(found, "ideas").values[able] >= 20.0).all()


# The moment


def test_today_compute_allows_what_implementers_save(prior_run: xr.DataTree) -> None:
    p = parameters_with(prior_run, "speedup")
    today = speedup(prior_run, float(p["as_of_year"]))
    np.testing.assert_allclose(bound(today, "compute").values.ravel(), p["compute_saving"], rtol=1e-12)
    assert (today["log10_experiments_per_researcher"] == 0.0).all()
    assert (today["speedup_year"] == p["as_of_year"]).all()


def test_by_default_the_moment_is_full_automation_on_the_people_only_trend(
    prior_run: xr.DataTree, found: xr.Dataset
) -> None:
    p = parameters_of(prior_run)
    year, end = found["speedup_year"].values.ravel(), load_settings().last_year + 1.0
    full = dynamics.milestones(trends.effective_flop_on_trend(p["as_of_year"], p), p).full
    at_year = trends.effective_flop_on_trend(year, p)
    inside = (year > p["as_of_year"] + 1e-6) & (year < end)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(at_year[inside], full[inside], atol=1e-6)
    assert (at_year[year == end] <= full[year == end]).all()


def test_the_take_offs_own_years_are_taken_and_never_is_the_end_of_the_window(prior_run: xr.DataTree) -> None:
    year_100 = takeoff(prior_run, scenario="baseline")["year_100"].sel(scenario="baseline")
    one, same = speedup(prior_run, year_100), speedup(prior_run, year_100.transpose("draw", "chain"))
    xr.testing.assert_identical(one, same)
    never = np.isinf(year_100.values)
    assert never.any()
    assert (one["speedup_year"].values[never] == load_settings().last_year + 1.0).all()
    now = float(parameters_of(prior_run)["as_of_year"])
    np.testing.assert_allclose(one["speedup_year"].values[~never], np.maximum(year_100.values[~never], now))


@pytest.mark.parametrize(
    ("year", "message"),
    [
        (2020.0, "give a year from 2026.83"),
        (2201.0, "to 2200"),
        (float("nan"), "give a year from"),
        (np.full((3, 7), 2030.0), r"shape \(3, 7\) is not the run's \(2, 150\)"),
        (np.full(SHAPE, np.nan), "an entry is NaN"),
        (xr.DataArray(np.full((1, *SHAPE), 2030.0), dims=("scenario", "chain", "draw")), "select one"),
    ],
)
def test_a_moment_that_cannot_be_used_is_refused(prior_run: xr.DataTree, year: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked_moment(year, parameters_of(prior_run), SHAPE)


@pytest.mark.parametrize("hours", [0.0, -1.0, float("inf"), float("nan")])
def test_a_latency_that_cannot_be_used_is_refused(prior_run: xr.DataTree, hours: float) -> None:
    with pytest.raises(InputError, match="give hours"):
        speedup(prior_run, latency_hours=hours)


# The curve, the tables, the words


def test_the_curve_counts_draws_and_falls(found: xr.Dataset) -> None:
    curve = speedup_curve(found)
    assert curve.dims == ("staffing", "speedup")
    assert curve["speedup"].values[[0, -1]].tolist() == [1.0, 1000.0]
    assert (curve.sel(speedup=1.0) == 1.0).all()
    assert (np.diff(curve.values, axis=1) <= 0.0).all()
    assert (curve.sel(staffing="fully_automated") >= curve.sel(staffing="people_have_ideas")).all()
    assert curve.attrs["units"] == "1" and curve.attrs["definition"]
    at = speedup_curve(found, [2.0, 30.0]).sel(staffing="people_have_ideas")
    counted = [float((10.0 ** found["log10_speedup"] >= x).mean()) for x in (2.0, 30.0)]
    assert at.values.tolist() == counted
    assert counted[1] == float(found["at_least_30"].mean())


def test_the_table_has_a_row_per_latency_and_one_without_people(settings: dict[str, xr.Dataset]) -> None:
    table = latency_table(settings)
    assert list(table.index) == [AS_DRAWN, "5 minutes", "1 hour", "1 day", "fully automated"]
    assert list(table.columns) == ["median", "low", "high", "at_least_30", *BOUNDS]
    np.testing.assert_allclose(table[list(BOUNDS)].sum(axis=1), 1.0)
    assert (table["low"] <= table["median"]).all() and (table["median"] <= table["high"]).all()
    slow = settings["1 day"]
    expected = np.quantile(10.0 ** slow["log10_speedup"].values, [0.5, 0.05, 0.95])
    np.testing.assert_allclose(table.loc["1 day", ["median", "low", "high"]].astype(float), expected, rtol=0.02)
    assert table["median"]["5 minutes"] >= table["median"]["1 hour"] >= table["median"]["1 day"]
    assert table.loc["fully automated", ["ideas", "latency"]].sum() == 0.0


def test_the_bounds_are_told_one_by_one(found: xr.Dataset) -> None:
    table = bounds_table(found)
    assert list(table.index) == list(BOUNDS)
    np.testing.assert_allclose(table[["people_have_ideas", "fully_automated"]].sum(), 1.0)
    for name in BOUNDS:
        assert table.loc[name, "at_least_30"] == float((bound(found, name) >= 30.0).mean())
        assert table.loc[name, "median"] == pytest.approx(float(bound(found, name).median()), rel=0.02)


def test_the_sentences_print_the_numbers_of_the_draws() -> None:
    """Ten draws by hand: 40 times in two of them, twice in the rest."""
    sample = xr.DataArray(np.repeat([40.0, 2.0], [2, 8])[None], dims=("chain", "draw"))
    values: dict[str, Any] = {name: xr.zeros_like(sample, dtype=bool) for name in SPEEDUP}
    values |= {name: np.log10(sample) for name in SPEEDUP if name.startswith("log10_")}
    values |= {"compute_binds": sample < 3.0, "ideas_binds": sample > 3.0, f"compute_binds{AUTOMATED}": sample > 0.0}
    values |= dict.fromkeys(("at_least_30", f"at_least_30{AUTOMATED}"), sample >= 30.0)
    values |= {"log10_experiments_per_researcher": 3.0 - sample}
    made = xr.Dataset(values, attrs={"paper_months": 6.0})
    people, one_by_one, fewer, device, alone = implementers_sentences(made)
    assert "research goes 2 (90% interval 2 to 40) times as fast" in people
    assert "a paper every 6 days instead of 6 months) = 20% (about 2 in 10)" in people
    assert "ideas in 20%, latency in 20%, compute in 20%, tokens in 20%" in one_by_one
    assert (
        "The tightest bound is compute in 80%, ideas in 20%, latency in <0.1%, tokens in <0.1% of draws." in one_by_one
    )
    assert fewer.startswith("In 20% of draws a researcher can run fewer experiments")
    assert "<0.1% (less than 1 in 100)" in device
    assert "P(30 times or more) = 20%" in alone and "compute in >99.9%" in alone


def test_a_researcher_by_hand_is_what_the_draws_say(prior_run: xr.DataTree) -> None:
    """S1's believer, four projects at 15 minutes: 1000 h x 4^0.7 / (100 x 0.25 h) = 105.6, ideas 8, compute 40."""
    p = parameters_with(prior_run, "speedup")
    said = {"idea_time_share": 0.25, "idea_help": 2.0, "instructions_per_paper": 100.0, "projects_in_parallel": 4.0}
    said |= {"compute_saving": 40.0, "tokens_per_paper": 1e3, "best_of_n": 1.0}
    values = implementers.speedup_values(np.full(300, float(p["as_of_year"])), p | said, 0.25)
    np.testing.assert_allclose(10.0 ** values["log10_latency_bound"], 1000.0 * 4.0**0.7 / 25.0, rtol=1e-12)
    np.testing.assert_allclose(10.0 ** values["log10_speedup"], 8.0, rtol=1e-3)
    assert values["ideas_binds"].all() and values[f"compute_binds{AUTOMATED}"].all()
    np.testing.assert_allclose(10.0 ** values[f"log10_speedup{AUTOMATED}"], 40.0, rtol=1e-3)
