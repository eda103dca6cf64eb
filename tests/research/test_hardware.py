"""A hardware leap by hand on round numbers, its bounds and inverses, and what a run says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from round_numbers import round_parameters

from forecast import results
from forecast.dynamics import takeoff
from forecast.equations import hardware_leap, trends
from forecast.errors import InputError
from forecast.research import hardware
from forecast.research.hardware import BINDING, LEAP, LEAP_EVENTS, MONTHS, leap
from forecast.side_draws import parameters_with

LOG10_2 = float(np.log10(2.0))
START = 2026.0  # fleet 10^23.5, a tenth of the world's 10^24.5; the run 10^28.5
SIDE = {
    "leap_factor": 100.0,
    "leap_finance_usd": 1e12,
    "leap_present_system_usd": 1e10,
    "leap_build_months": 12.0,
    "leap_pool": 0.5,
    "leap_system_cost_ratio": 15.0,
}
# At once 1 + (10 - 1)/2; a year later construction ends, the world being 10^1.5 fleets, and 10^2 in 2028, 10^2.4 in 2030
AT_ONCE, IN_2028, IN_2030 = 5.5, 5.5 + 100.0 - 10**1.5, 5.5 + 10**2.4 - 10**1.5
FACTORS = ("leap_factor", "leap_finance_usd", "leap_present_system_usd", "leap_build_months", "leap_pool")


def parameters(**changes: Any) -> dict[str, Any]:
    """Round numbers and a leap of 100 that a trillion dollars just pays for; text without end."""
    side = {name: value for name, value in changes.items() if name in SIDE}
    inside = {"text_stock_tokens": 1e20} | {name: value for name, value in changes.items() if name not in SIDE}
    return round_parameters(**inside) | SIDE | side


def multiple(year: float, start: float = START, **changes: Any) -> float:
    """Of the fleet over what it was when the leap began."""
    p = parameters(**changes)
    return float(10.0 ** (hardware_leap.log10_fleet(year, start, p) - trends.log10_fleet(start, p)))


# --- the equations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "expected"), [(2026.0, AT_ONCE), (2026.5, AT_ONCE), (2027.0, AT_ONCE), (2028.0, IN_2028), (2030.0, 100.0)]
)
def test_the_fleet_gets_the_pool_at_once_and_new_chips_once_a_system_is_built(year: float, expected: float) -> None:
    assert multiple(year) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"leap_factor": 20.0}, 20.0),
        ({"leap_factor": 7.0}, 10.0),  # the trend is more
        ({"leap_finance_usd": 2e11}, 20.0),
        ({"leap_present_system_usd": 2e10}, 50.0),
        ({}, IN_2028),
        ({"leap_pool": 1.0}, IN_2028 + 4.5),
        ({"leap_pool": 0.0}, IN_2028 - 4.5),
        ({"leap_build_months": 24.0}, 10.0),  # nothing new yet: the trend is more than the pool
        ({"leap_build_months": 18.0}, 5.5 + 100.0 - 10**1.75),
    ],
)
def test_the_smallest_of_factor_finance_and_chips_bounds_it(changes: dict[str, float], expected: float) -> None:
    assert multiple(2028.0, **changes) == pytest.approx(expected)


def test_chips_alone_bound_a_leap_without_a_factor_or_a_price() -> None:
    free = {"leap_factor": 1e9, "leap_finance_usd": 1e25}
    assert multiple(2030.0, **free) == pytest.approx(IN_2030)


def test_before_the_leap_nothing_changes_and_after_it_nothing_falls_below_the_trend() -> None:
    p = parameters()
    for year in (2025.0, 2025.999):
        assert hardware_leap.log10_fleet(year, START, p) == trends.log10_fleet(year, p)
        assert hardware_leap.log10_training_flop(year, START, p) == trends.log10_training_flop(year, p)
        assert hardware_leap.log10_fleet(year, np.inf, p) == trends.log10_fleet(year, p)
    assert multiple(2038.0) == pytest.approx(1000.0)  # the trend, a tenth of 10^27.5


def test_the_run_grows_with_the_fleet_up_to_its_share_of_it() -> None:
    """A run of 10^28.5 on a fleet that could train 10^29.5; if it may hold a hundredth of that, no more than 10^27.5."""
    p, tight = parameters(), parameters(largest_run_share=0.002)
    assert hardware_leap.log10_training_flop(START, START, p) == pytest.approx(28.5 + np.log10(AT_ONCE))
    assert hardware_leap.log10_training_flop(START, START, tight) == pytest.approx(27.5 + np.log10(AT_ONCE))


@pytest.mark.parametrize(
    ("wanted", "year"),
    [
        (1.0, START),
        (AT_ONCE, START),
        (50.0, 2025.0 + (np.log10(50.0 - 5.5 + 10**1.5) - 0.5) / 0.5),  # while the world still grows fast
        (99.0, 2028.0 + (np.log10(99.0 - 5.5 + 10**1.5) - 2.0) / 0.2),
        (100.1, np.inf),
    ],
)
def test_years_until_a_multiple_by_hand(wanted: float, year: float) -> None:
    assert hardware_leap.years_until(wanted, START, parameters()) == pytest.approx(year - START, abs=1e-9)


LEAPS = st.fixed_dictionaries(
    {
        "leap_factor": st.floats(1.0, 1e4),
        "leap_finance_usd": st.floats(1e10, 1e13),
        "leap_present_system_usd": st.floats(1e9, 3e10),
        "leap_build_months": st.floats(1.0, 40.0),
        "leap_pool": st.floats(0.0, 1.0),
        "largest_fleet_share": st.floats(0.02, 0.6),
        "world_compute_growth": st.floats(0.05, 1.0),
        "budget_growth": st.floats(-0.05, 0.2),
        "fleet_growth": st.floats(0.0, 1.5),
    }
)


@given(LEAPS, st.floats(2025.0, 2035.0), st.floats(0.0, 15.0))
def test_no_leap_exceeds_what_is_wanted_paid_for_or_made(point: dict[str, float], start: float, later: float) -> None:
    p = parameters(**point)
    year = start + later
    fleet, world, usual = (f(year, p) for f in (trends.log10_fleet, trends.log10_world, trends.log10_fleet))
    found = hardware_leap.log10_fleet(year, start, p)
    bound = min(p["leap_factor"], p["leap_finance_usd"] / p["leap_present_system_usd"])
    most = max(trends.log10_fleet(start, p) + np.log10(max(bound, 1.0)), usual)
    assert fleet - 1e-9 <= found <= min(most, world) + 1e-9
    assert found <= hardware_leap.log10_fleet(year + 0.5, start, p) + 1e-9


@given(LEAPS, st.floats(2025.0, 2035.0), st.floats(1.0, 1e4))
def test_years_until_a_multiple_is_when_the_leap_reaches_it(
    point: dict[str, float], start: float, wanted: float
) -> None:
    """The inverse of `log10_leap_multiple`: enough then, and not enough a hundredth of a year before."""
    p = parameters(**point)
    years = float(hardware_leap.years_until(wanted, start, p))
    allowed = wanted <= min(p["leap_factor"], p["leap_finance_usd"] / p["leap_present_system_usd"])
    assert np.isinf(years) == (not allowed)
    if allowed:
        assert hardware_leap.log10_leap_multiple(start + years, start, p) >= np.log10(wanted) - 1e-9
        before = hardware_leap.log10_leap_multiple(start + max(years - 0.01, 0.0), start, p)
        assert years == 0.0 or before < np.log10(wanted) + 1e-9


@given(st.floats(2020.0, 2070.0), st.floats(0.05, 1.5), st.floats(-0.05, 0.5), st.floats(2026.0, 2032.0))
def test_the_year_of_a_level_of_the_worlds_compute_is_the_inverse_of_its_trend(
    year: float, growth: float, budgets: float, bend: float
) -> None:
    p = round_parameters(world_compute_growth=growth, budget_growth=budgets, slowdown_year=bend)
    assert hardware_leap.year_of_world(trends.log10_world(year, p), p) == pytest.approx(year, abs=1e-7)


@pytest.mark.parametrize("budgets", [-0.1, -0.3])
def test_a_world_that_stops_growing_never_reaches_more_than_it_had(budgets: float) -> None:
    p = round_parameters(budget_growth=np.float64(budgets))  # price-performance 0.1
    assert hardware_leap.year_of_world(25.4, p) == pytest.approx(2027.8)
    assert hardware_leap.year_of_world(25.6, p) == np.inf
    assert hardware_leap.years_until(99.0, START, p | SIDE) == np.inf  # the supply ends at 73.9


def test_a_shrinking_world_adds_nothing_to_the_pool() -> None:
    p = parameters(world_compute_growth=-0.2, budget_growth=-0.3)
    assert hardware_leap.supply(START, START, p) == pytest.approx(
        hardware_leap.supply(START, START, p | {"leap_build_months": 0.0})
    )


@given(LEAPS, st.floats(2025.0, 2035.0))
def test_whoever_takes_all_of_the_pool_has_the_world(point: dict[str, float], start: float) -> None:
    p = parameters(**(point | {"leap_pool": 1.0, "leap_factor": 1e9, "leap_finance_usd": 1e30}))
    assert hardware_leap.log10_fleet(start, start, p) == pytest.approx(trends.log10_world(start, p), abs=1e-9)


# --- the read-outs ----------------------------------------------------------------------------------------------


def by_hand(start: float | None = START, months: tuple[int, ...] = (6, 24, 48), **changes: Any) -> dict[str, Any]:
    """Read-outs of two equal draws whose AIs never do any research."""
    p = parameters(**({"required_horizon_minutes": 2.0**90} | changes))
    draws = {name: np.broadcast_to(value, (2, *np.shape(value))).copy() for name, value in p.items()}
    found = hardware.gains(draws | {"as_of_year": p["as_of_year"]}, start, months, 2046.0, "exponential")
    return {name: value[0] for name, value in found.items()}


def test_the_leap_of_round_numbers() -> None:
    """Tokens per parameter stay optimal, so effective compute goes as the run; the horizon doubles twice an OOM."""
    found = by_hand()
    log10 = np.log10([AT_ONCE, IN_2028, 100.0])
    np.testing.assert_allclose(found["log10_fleet_multiple"], log10)
    np.testing.assert_allclose(found["log10_trend_multiple"], [0.25, 1.0, 1.4])
    np.testing.assert_allclose(found["hardware_gain"], log10, atol=1e-9)
    np.testing.assert_allclose(found["log10_horizon_multiple"], 2.0 * LOG10_2 * log10, atol=1e-9)
    years = (np.log10(100.0 - 5.5 + 10**1.5) - 2.0) / 0.2 + 2.0
    assert found["months_until_factor"] == pytest.approx(12.0 * years)
    assert found["log10_system_cost_usd"] == pytest.approx(12.0)
    assert found["log10_run_cost_usd"] == pytest.approx(12.0 - np.log10(15.0))
    assert not found["factor_within_a_year"] and found["world_below_factor"]
    assert [found[f"bound_by_{name}"] for name in BINDING] == [False, False, True]


def test_software_of_the_same_months_is_that_of_people_where_no_ai_does_research() -> None:
    """With inputs that stand still S^beta = 1 + beta g t at beta = 1/2, g = ln 2: from 2026.0 to 2028.0."""
    still = {"labour_growth": 0.0, "fleet_growth": 0.0, "world_compute_growth": 0.0, "training_compute_growth": 0.0,
             "budget_growth": -0.05, "price_performance_growth": 0.05}  # fmt: skip
    exact = [2.0 * np.log10(1.0 + 0.5 * np.log(2.0) * years) for years in (1.0, 3.0)]
    assert by_hand(months=(24,), **still)["software_gain"] == pytest.approx(exact[1] - exact[0], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "binding", "months", "within"),
    [
        ({"leap_factor": 5.0}, "factor", 0.0, True),
        ({"leap_finance_usd": 3e10}, "finance", np.inf, False),
        ({"leap_factor": 5.5}, "chips", 0.0, True),  # all bind at once; chips are named
        ({"leap_pool": 0.1}, "chips", None, False),
    ],
)
def test_what_binds_a_year_into_the_leap(
    changes: dict[str, float], binding: str, months: float | None, within: bool
) -> None:
    found = by_hand(**changes)
    assert [name for name in BINDING if found[f"bound_by_{name}"]] == [binding]
    assert found["factor_within_a_year"] == within
    if months is not None:
        assert found["months_until_factor"] == months


def test_finance_ends_the_system_and_never_reaching_the_factor_is_infinite() -> None:
    found = by_hand(leap_finance_usd=2e11)
    assert found["log10_system_cost_usd"] == pytest.approx(np.log10(2e11))
    assert found["months_until_factor"] == np.inf
    np.testing.assert_allclose(10.0 ** found["log10_fleet_multiple"], [AT_ONCE, 20.0, 10**1.4])


def test_a_leap_from_a_year_that_full_automation_never_sees_is_nothing() -> None:
    found = by_hand(start=None)
    assert all(np.isnan(found[name]).all() for name in LEAP)
    assert not any(found[name].any() for name in LEAP_EVENTS)


# --- a run ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(prior_run: xr.DataTree) -> xr.Dataset:
    return leap(prior_run)


@pytest.fixture(scope="module")
def alone(prior_run: xr.DataTree) -> xr.Dataset:
    """The software-only take-off."""
    return takeoff(prior_run, "software_only").isel(scenario=0, drop=True)


def test_results_explain_themselves(found: xr.Dataset) -> None:
    assert set(found.data_vars) == LEAP.keys() | LEAP_EVENTS.keys()
    assert found["month"].values.tolist() == list(MONTHS)
    for name, variable in (LEAP | LEAP_EVENTS).items():
        assert found[name].dims == ("chain", "draw", *variable.dims), name
        assert found[name].attrs == {"units": variable.units, "definition": variable.definition}, name
        assert (found[name].dtype == bool) == (name in LEAP_EVENTS), name
    assert found.attrs == {"factor": 100.0, "start": "full automation"}


def test_nothing_is_known_where_full_automation_is_not_reached_and_everything_elsewhere(
    found: xr.Dataset, alone: xr.Dataset
) -> None:
    never = alone["not_automated"]
    assert 0.2 < float(never.mean()) < 0.8
    for name in LEAP:
        assert (np.isnan(found[name]) == never).all(), name
        assert name == "months_until_factor" or np.isfinite(found[name].where(~never, 0.0)).all(), name
    for name in LEAP_EVENTS:
        assert not (found[name] & never).any(), name
    assert float(np.isposinf(found["months_until_factor"]).where(~never, False).mean()) > 0.05


def test_a_stated_start_is_known_in_every_draw(prior_run: xr.DataTree, found: xr.Dataset) -> None:
    fixed = leap(prior_run, factor=10.0, start=2028.5, months=[1, 12])
    assert not any(np.isnan(fixed[name].astype(float)).any() for name in fixed)
    assert fixed.attrs == {"factor": 10.0, "start": 2028.5}
    assert (fixed["months_until_factor"] <= leap(prior_run, start=2028.5)["months_until_factor"]).all()


def test_events_are_thresholds_of_what_is_read(found: xr.Dataset) -> None:
    known = ~np.isnan(found["months_until_factor"])
    assert (found["factor_within_a_year"] == (found["months_until_factor"] <= 12.0)).all()
    year = found.sel(month=12)
    beats = year["hardware_gain"] > year["software_gain"]
    assert (found["hardware_beats_software"] == beats).all()
    assert (sum(found[f"bound_by_{name}"].astype(int) for name in BINDING) == known).all()
    reached = year["log10_fleet_multiple"] >= 2.0 - 1e-9
    assert (found["factor_within_a_year"] <= reached).all()
    cost = found["log10_system_cost_usd"] - found["log10_run_cost_usd"]
    np.testing.assert_allclose(cost.where(known, np.log10(15.0)), np.log10(15.0))


def test_a_leap_gains_no_less_than_the_trend_and_more_with_time(found: xr.Dataset) -> None:
    known = ~np.isnan(found["months_until_factor"])
    ahead = found["log10_fleet_multiple"] - found["log10_trend_multiple"]
    assert (ahead.where(known, 0.0) >= -1e-9).all()
    for name in ("log10_fleet_multiple", "software_gain"):
        assert (found[name].diff("month").where(known, 0.0) >= -1e-9).all(), name


def test_software_is_that_of_the_software_only_take_off(found: xr.Dataset, alone: xr.Dataset) -> None:
    np.testing.assert_allclose(found["software_gain"].sel(month=12), alone["first_year_gain"], rtol=1e-9, atol=1e-12)


def test_even_all_of_the_worlds_compute_is_less_than_a_hundred_fleets(
    prior_run: xr.DataTree, found: xr.Dataset
) -> None:
    """S3: whoever takes the whole pool still falls short of 100: in most draws of the prior, in all of the posterior."""
    known = ~np.isnan(found["months_until_factor"].values)
    assert found["world_below_factor"].values[known].mean() > 0.75
    p = parameters_with(prior_run, "hardware_leap") | {"leap_pool": np.ones(300), "leap_factor": np.full(300, 1e9)}
    p |= {"leap_finance_usd": np.full(300, 1e30)}
    now = float(p["as_of_year"])
    whole = hardware_leap.log10_fleet(now, now, p) - trends.log10_fleet(now, p)
    truth = trends.log10_world(now, p) - trends.log10_fleet(now, p)
    np.testing.assert_allclose(whole, truth, atol=1e-9)
    assert (whole < 2.0).mean() > 0.75


def test_the_same_run_gives_the_same_numbers_whatever_the_blocks(
    prior_run: xr.DataTree, found: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "BLOCK", 101)
    xr.testing.assert_identical(leap(prior_run, months=[3, 6, 12]), found.sel(month=[3, 6, 12]))


def test_months_that_reach_beyond_the_window_do_not_depend_on_the_blocks_either(
    prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = leap(prior_run, months=[60])
    monkeypatch.setattr(results, "BLOCK", 101)
    xr.testing.assert_identical(leap(prior_run, months=[60]), whole)


def test_a_superexponential_horizon_leaves_no_gap_in_what_is_known(prior_run: xr.DataTree) -> None:
    found = leap(prior_run, start=2040.0, horizon_form="superexponential")
    assert not np.isnan(found["log10_horizon_multiple"]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 0.9}, "leap factor 0.9 is not a multiple of 1 or more: give such as 100"),
        ({"factor": float("nan")}, "leap factor nan"),
        ({"factor": float("inf")}, "leap factor inf"),
        ({"start": 2026.0}, r"leap start 2026 is not between as_of \(2026.83\) and 2046: give a year such as 2028.5"),
        ({"start": 2047.0}, "leap start 2047 is not between"),
        ({"start": float("nan")}, "leap start nan is not between"),
        ({"months": []}, r"months \[\]: give positive months in rising order, such as 3 6 12 24"),
        ({"months": [12, 6]}, r"months \[12, 6\]: give positive months in rising order"),
        ({"months": [6, 6]}, r"months \[6, 6\]"),
        ({"months": [0, 6]}, r"months \[0, 6\]"),
        ({"horizon_form": "hyperbolic"}, "no task-horizon form named 'hyperbolic'"),
    ],
)
def test_a_leap_that_makes_no_sense_is_refused(prior_run: xr.DataTree, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        leap(prior_run, **arguments)
