"""What must hold of every draw of a take-off: no draw lost, caps kept, nothing that depends on steps or blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import results
from forecast.coherence import coherence
from forecast.dynamics import takeoff, takeoff_with_years
from forecast.equations import trends
from forecast.errors import ForecastError, InputError
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.quantiles import quantile
from forecast.runs import parameters_of
from forecast.schema import EVENTS, READOUTS, YEARLY

ONLY_WHERE_AUTOMATED = (
    "first_year_gain",
    "first_year_gain_human_years",
    "log10_streams_at_automation",
    "log10_human_equivalents_at_automation",
    "log10_tokens_per_researcher_second",
)
MAY_NEVER_COME = ("year_20", "year_100", "takeoff_years", "years_to_1_oom", "years_to_3_oom", "years_to_6_oom")
ALWAYS_FINITE = ("best_year_gain", "best_year_gain_human_years", "largest_speedup")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
BASELINE, SOFTWARE_ONLY = {"scenario": "baseline"}, {"scenario": "software_only"}


@pytest.fixture(scope="module")
def both(prior_run: xr.DataTree) -> tuple[xr.Dataset, xr.Dataset]:
    """Read-outs, and series with feedback."""
    return takeoff_with_years(prior_run)


def fixed(priors: Priors, observations: Observations, **changes: Any) -> tuple[xr.Dataset, xr.Dataset]:
    return takeoff_with_years(sample_prior(priors.replace(**changes), observations, draws=20, chains=2))


@pytest.mark.parametrize("fitted", ["prior_run", "run"])
def test_halving_the_step_moves_no_quantile_of_a_year(fitted: str, request: pytest.FixtureRequest) -> None:
    """By more than 0.5% of the years since `as_of`; a length by more than 0.5% of itself."""
    tree = request.getfixturevalue(fitted)
    now = float(parameters_of(tree)["as_of_year"])
    shipped, halved = (takeoff(tree, scenario="baseline", step=step) for step in (0.25, 0.125))
    for name, origin in (("year_20", now), ("year_100", now), ("takeoff_years", 0.0)):
        before, after = (quantile(data[name], LEVELS).values.ravel() for data in (shipped, halved))
        np.testing.assert_array_equal(np.isinf(before), np.isinf(after), err_msg=name)
        kept = np.isfinite(before)
        moved = np.abs(before[kept] - after[kept]) / np.abs(after[kept] - origin)
        assert kept.any()
        assert moved.max() < 0.005, (name, moved)


def test_scenarios_share_the_path_to_full_automation_to_the_last_bit(both: tuple[xr.Dataset, xr.Dataset]) -> None:
    readouts, yearly = both
    for name in ("year_20", "year_100", "takeoff_years", "log10_streams_at_automation", "not_automated", "already_20"):
        assert readouts[name].sel(BASELINE, drop=True).equals(readouts[name].sel(SOFTWARE_ONLY, drop=True)), name
    before = moments(yearly) <= readouts["year_100"].sel(BASELINE, drop=True)
    for name in YEARLY:
        one, other = (yearly[name].sel(scenario, drop=True).where(before) for scenario in (BASELINE, SOFTWARE_ONLY))
        assert one.equals(other), name
    assert 0.3 < float(before.mean()) < 1.0


def moments(yearly: xr.Dataset) -> xr.DataArray:
    """Decimal year at which each year is read, 1 July."""
    leap = yearly["year"] % 4 == 0
    return yearly["year"] + xr.where(leap, 182 / 366, 181 / 365)


def test_after_full_automation_compute_stands_still_and_people_do_not(
    both: tuple[xr.Dataset, xr.Dataset], prior_run: xr.DataTree
) -> None:
    readouts, yearly = both
    frozen = yearly.sel(SOFTWARE_ONLY, drop=True)
    year_100 = readouts["year_100"].sel(BASELINE, drop=True)
    after = (moments(yearly) > year_100).transpose(..., "year").values.reshape(-1, yearly.sizes["year"])
    p = parameters_of(prior_run)
    then = np.where(np.isfinite(year_100), year_100, p["as_of_year"]).ravel()
    flop = trends.log10_training_flop(then, p)
    at_automation = {
        "log10_training_flop": flop,
        "log10_fleet_flop_per_second": trends.log10_fleet(then, p),
        "log10_world_flop_per_second": trends.log10_world(then, p),
        "tokens_per_param": np.exp(trends.log_tokens_per_param_of_draw(then, flop, p)),
        "training_utilization": trends.utilization_of_draw("training", then, p),
    }
    assert after.sum() > 300
    for name, value in at_automation.items():
        series = frozen[name].values.reshape(after.shape)
        np.testing.assert_allclose(series[after], np.broadcast_to(value[:, None], after.shape)[after], rtol=1e-12)
    staff = (frozen["log10_human_equivalents"] - frozen["log10_leader_ratio"]).values
    baseline = yearly.sel(BASELINE, drop=True)
    np.testing.assert_allclose(
        staff, (baseline["log10_human_equivalents"] - baseline["log10_leader_ratio"]).values, rtol=0, atol=1e-9
    )


def test_frozen_compute_slows_software_down(both: tuple[xr.Dataset, xr.Dataset]) -> None:
    """In nearly every draw: where compute would have shrunk, freezing it helps."""
    readouts, _ = both
    for name in ("first_year_gain", "best_year_gain"):
        faster = readouts[name].sel(SOFTWARE_ONLY) > readouts[name].sel(BASELINE) + 1e-3
        assert float(faster.mean()) < 0.01, name
    reached = ~readouts["not_automated"].sel(BASELINE)
    slower = readouts["first_year_gain"].sel(SOFTWARE_ONLY) < readouts["first_year_gain"].sel(BASELINE)
    assert float(slower.where(reached).mean()) > 0.9


def test_numbers_do_not_depend_on_the_size_of_a_block(
    both: tuple[xr.Dataset, xr.Dataset], prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "BLOCK", 37)
    for whole, chunked in zip(both, takeoff_with_years(prior_run), strict=True):
        xr.testing.assert_identical(chunked, whole)


def test_no_draw_is_dropped_and_never_is_infinite(both: tuple[xr.Dataset, xr.Dataset]) -> None:
    readouts, yearly = both
    assert set(readouts.data_vars) == READOUTS.keys() | EVENTS.keys()
    assert set(yearly.data_vars) == YEARLY.keys()
    assert dict(readouts.sizes) == {"scenario": 2, "chain": 2, "draw": 150}
    never = readouts["not_automated"]
    assert 0.2 < float(never.mean()) < 0.8
    assert (np.isposinf(readouts["year_100"]) == never).all()
    assert (np.isposinf(readouts["takeoff_years"]) == never).all()
    assert {*ONLY_WHERE_AUTOMATED, *MAY_NEVER_COME, *ALWAYS_FINITE} == READOUTS.keys()
    for name in ONLY_WHERE_AUTOMATED:
        assert (np.isnan(readouts[name]) == never).all(), name
        assert np.isfinite(readouts[name].where(~never, 0.0)).all(), name
    for name in MAY_NEVER_COME:
        assert (np.isfinite(readouts[name]) | np.isposinf(readouts[name])).all(), name
    for name in ALWAYS_FINITE:
        assert np.isfinite(readouts[name]).all(), name
    for name, series in yearly.data_vars.items():
        assert np.isfinite(series).all(), name


def test_events_count_over_all_draws_not_reached_meaning_no(both: tuple[xr.Dataset, xr.Dataset]) -> None:
    readouts, _ = both
    never = readouts["not_automated"]
    for name in ("takeoff_within_1_year", "takeoff_within_3_years", "first_year_1_oom", "first_year_3_oom"):
        assert not (readouts[name] & never).any(), name
    assert not (readouts["acceleration"] & never).any()
    assert (readouts["first_year_1_oom"] == (readouts["first_year_gain"] >= 1.0)).all()
    assert (readouts["takeoff_within_3_years"] == (readouts["takeoff_years"] <= 3.0)).all()


def test_milestones_come_in_order(both: tuple[xr.Dataset, xr.Dataset], prior_run: xr.DataTree) -> None:
    readouts, yearly = both
    now, end = float(parameters_of(prior_run)["as_of_year"]), 2046.0
    assert (readouts["year_20"] <= readouts["year_100"]).all()
    year_100 = readouts["year_100"].values
    assert ((year_100 >= now) & ((year_100 <= end) | np.isinf(year_100))).all()
    assert (readouts["years_to_1_oom"] <= readouts["years_to_3_oom"]).all()
    assert (readouts["years_to_3_oom"] <= readouts["years_to_6_oom"]).all()
    one_oom = np.isfinite(readouts["years_to_1_oom"])
    assert (readouts["year_100"] + readouts["years_to_1_oom"]).where(one_oom, 0.0).max() <= end
    assert (readouts["best_year_gain"] >= 0.99 * readouts["first_year_gain"].fillna(0.0)).all()
    assert (readouts["largest_speedup"] >= 1.0).all()
    assert (yearly["log10_software"].diff("year") >= -1e-9).all()
    ceiling = prior_run["posterior"]["log10_software_ceiling"]
    assert (yearly["log10_software"] <= ceiling + 1e-9).all()


def test_caps_hold_at_every_draw_and_year(both: tuple[xr.Dataset, xr.Dataset], prior_run: xr.DataTree) -> None:
    """Run within its share of the fleet, fleet within its share of the world, data points within the text."""
    readouts, yearly = both
    p = prior_run["posterior"].to_dataset()
    drawn = parameters_of(prior_run)
    at = xr.DataArray(results.moments(yearly["year"].values.tolist(), float(drawn["as_of_year"])), dims="year")
    frozen = readouts["year_100"].where(readouts["scenario"] == "software_only", np.inf)
    when = np.minimum(at, frozen).transpose("scenario", "year", "chain", "draw")
    flat = when.values.reshape(*when.shape[:2], -1)
    seconds = when.copy(data=(trends.log_training_seconds(flat, drawn) / np.log(10.0)).reshape(when.shape))
    cluster = yearly["log10_training_flop"] - np.log10(yearly["training_utilization"]) - seconds
    fleet, world = yearly["log10_fleet_flop_per_second"], yearly["log10_world_flop_per_second"]
    assert (cluster <= fleet + np.log10(p["largest_run_share"]) + 1e-9).all()
    assert (fleet <= world + np.log10(p["largest_fleet_share"]) + 1e-9).all()
    before = yearly["automated_share"] < 1.0  # one token per data point at least, so C/(6 p) bounds the data points
    points = yearly["log10_training_flop"] - np.log10(6.0) - yearly["log10_params"]
    stock = np.log10(p["text_stock_tokens"] * 4.0)
    tokens_per_point = p["log10_tokens_per_datapoint"]
    assert (points.where(before) - tokens_per_point <= stock + 1e-9).where(before, True).all()
    found = coherence(yearly, readouts, parameters_of(prior_run))
    assert {name: value for name, value in found.items() if value > 0.0}.keys() <= {"automated_today"}


def test_what_cannot_be_reached_is_censored_in_every_draw(priors: Priors, observations: Observations) -> None:
    readouts, yearly = fixed(priors, observations, required_horizon_minutes=1e60)
    assert np.isinf(readouts["year_100"]).all()
    assert np.isnan(readouts["log10_streams_at_automation"]).all()
    assert readouts["not_automated"].all()
    assert np.isfinite(readouts["best_year_gain"]).all()
    assert np.isfinite(yearly["log10_parallel_streams"]).all()


def test_what_is_already_done_is_done_at_as_of_in_every_draw(priors: Priors, observations: Observations) -> None:
    readouts, yearly = fixed(priors, observations, required_horizon_minutes=1e-60)
    assert (readouts["year_100"] == observations.as_of_year).all()
    assert np.isfinite(readouts["first_year_gain"]).all()
    assert (yearly["automated_share"] == 1.0).all()


def test_a_draw_that_is_not_finite_is_refused_by_name(prior_run: xr.DataTree) -> None:
    broken = prior_run.copy(deep=True)
    broken["posterior"]["fleet_growth"][1, 7] = np.nan
    with pytest.raises(ForecastError, match=r"fleet_growth is not finite in draw 157"):
        takeoff(broken)


def test_years_that_cannot_be_used_are_refused(prior_run: xr.DataTree) -> None:
    for years in ([], [2040, 2030], [2030, 2030], [2020, 2030], [2030, 2500]):
        with pytest.raises(InputError, match="years"):
            takeoff(prior_run, years=years)
    with pytest.raises(InputError, match="no scenario named 'sofware_only'"):
        takeoff(prior_run, scenario="sofware_only")
