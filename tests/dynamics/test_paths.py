"""The take-off of whole draws against a slow twin in calendar time (``tests/slow_twin.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from round_numbers import round_parameters
from slow_twin import COURSES, Twin, solve

from forecast.dynamics import by_year, readouts, simulate
from forecast.dynamics.paths import Legs, beyond_automation, to_automation
from forecast.equations import trends
from forecast.equations.yearly import quantities
from forecast.scenarios import Course
from forecast.side_draws import parameters_with

WINDOW_END = 2046.0
LN2, LN10 = np.log(2.0), np.log(10.0)
FINE_STEP = 1.0 / 32.0
REACHED = 6  # the first draws chosen reach full automation, the others do not
MODES = pytest.mark.parametrize("course", COURSES)


def part(p: dict[str, Any], draws: Any) -> dict[str, Any]:
    """The parameters of some draws, or of one if `draws` is a number."""
    size = p["software_doubling_months"].size
    return {name: value[draws] if np.ndim(value) and len(value) == size else value for name, value in p.items()}


@pytest.fixture(scope="module")
def chosen(prior_run: xr.DataTree) -> dict[str, Any]:
    """Ten draws: six from the slowest to the fastest first year after full automation, four that never get there."""
    p = parameters_with(prior_run, "hardware_leap") | {"leap_factor": 100.0}
    found = readouts(simulate(p, WINDOW_END), p, WINDOW_END)
    year, gain = found["year_100"], found["first_year_gain"]
    reached = np.flatnonzero((year > p["as_of_year"] + 0.1) & (year < WINDOW_END - 3.0))
    ordered = reached[np.argsort(gain[reached])]
    spread = ordered[np.linspace(0, ordered.size - 1, REACHED).astype(int)]
    assert gain[spread[-1]] > 8.0, "no draw explodes"
    return part(p, np.concatenate([spread, np.flatnonzero(np.isinf(year))[:4]]))


@pytest.fixture(scope="module")
def twins(chosen: dict[str, Any]) -> dict[str, list[Twin]]:
    """Their twins, in the baseline and with compute frozen from full automation on."""
    size = chosen["software_doubling_months"].size
    solved = [solve(part(chosen, i), WINDOW_END + 1.0) for i in range(size)]
    return {course: [both[course] for both in solved] for course in COURSES}


@pytest.fixture(scope="module")
def fine(chosen: dict[str, Any]) -> dict[str, Legs]:
    """Paths of the ten draws at an eighth of the shipped step."""
    shared = to_automation(chosen, WINDOW_END, "exponential", FINE_STEP)
    return {course: beyond_automation(shared, chosen, WINDOW_END, course, FINE_STEP) for course in COURSES}


@pytest.fixture(scope="module")
def found(chosen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Read-outs of the ten draws at the shipped step."""
    return {course: readouts(simulate(chosen, WINDOW_END, course), chosen, WINDOW_END) for course in COURSES}


def test_full_automation_comes_when_the_twin_says(
    chosen: dict[str, Any],
    twins: dict[str, list[Twin]],
    found: dict[str, dict[str, Any]],
    fine: dict[str, Legs],
) -> None:
    """The promise is 0.5% of the years since `as_of`; with an eighth of the step the error is below 0.03%."""
    exact = np.array([twin.year_100 for twin in twins["trend"]])
    shipped, finer = found["trend"]["year_100"], fine["trend"].year_100
    for years in (exact, shipped, finer):
        assert np.isfinite(years[:REACHED]).all()
        assert np.isinf(years[REACHED:]).all()
    waited = exact[:REACHED] - chosen["as_of_year"]
    np.testing.assert_array_less(np.abs(shipped[:REACHED] - exact[:REACHED]) / waited, 0.002)
    np.testing.assert_array_less(np.abs(finer[:REACHED] - exact[:REACHED]) / waited, 0.0003)


def test_the_crossing_is_solved_on_effective_compute_itself(chosen: dict[str, Any], fine: dict[str, Legs]) -> None:
    """Bracketed between nodes, then exact: E at the crossing is E_100 to 1e-8 OOM."""
    legs = fine["trend"]
    assert legs.after is not None
    flop = legs.after.signal[0]
    np.testing.assert_allclose(flop, legs.present.milestones.full[:REACHED], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(legs.after.time[0], legs.year_100[:REACHED])


@MODES
def test_software_is_where_the_twin_says(
    chosen: dict[str, Any], twins: dict[str, list[Twin]], fine: dict[str, Legs], course: Course
) -> None:
    """To 1e-4 OOM, or 1e-4 years where software moves by more than 1 OOM a year."""
    years = [2027.5, 2028.5, 2030.5, 2034.5, 2039.5, 2045.5]
    series = by_year(fine[course], chosen, years, course)["log10_software"]
    for draw, twin in enumerate(twins[course]):
        for column, year in enumerate(years):
            exact = twin.log_software(year) / LN10
            speed = (twin.log_software(year + 0.01) - twin.log_software(year - 0.01)) / 0.02 / LN10
            at_ceiling = 0.01 if year > twin.ceiling_year else 0.0
            assert series[draw, column] == pytest.approx(exact, abs=1e-4 * max(1.0, speed) + at_ceiling), (draw, year)


@MODES
def test_software_at_the_shipped_step_is_within_a_hundredth_of_an_oom_before_full_automation(
    chosen: dict[str, Any], twins: dict[str, list[Twin]], course: Course
) -> None:
    years = np.arange(2027.5, WINDOW_END, 1.5)
    series = by_year(simulate(chosen, WINDOW_END, course), chosen, years, course)["log10_software"]
    for draw, twin in enumerate(twins[course]):
        before = years <= twin.year_100
        exact = [twin.log_software(year) / LN10 for year in years[before]]
        np.testing.assert_allclose(series[draw, before], exact, rtol=0, atol=0.01)


@MODES
@pytest.mark.parametrize("oom", [1, 3, 6])
def test_years_from_full_automation_to_each_milestone(
    chosen: dict[str, Any],
    twins: dict[str, list[Twin]],
    found: dict[str, dict[str, Any]],
    fine: dict[str, Legs],
    course: Course,
    oom: int,
) -> None:
    """Practice lags most at the crossing itself: two days at the shipped step, hours at the fine one."""
    name = f"years_to_{oom}_oom"
    exact = np.array([twin.years_to_gain(oom * LN10, WINDOW_END) for twin in twins[course]])
    finer = readouts(fine[course], chosen, WINDOW_END)[name]
    np.testing.assert_allclose(found[course][name], exact, rtol=0.003, atol=2.0 / 365.0)
    np.testing.assert_allclose(finer, exact, rtol=0.0003, atol=4.0 / 24.0 / 365.0)


@MODES
def test_the_gain_of_the_first_year(
    twins: dict[str, list[Twin]], found: dict[str, dict[str, Any]], course: Course
) -> None:
    exact = [(t.log_software(t.year_100 + 1.0) - t.log_software(t.year_100)) / LN10 for t in twins[course][:REACHED]]
    gain = found[course]["first_year_gain"]
    np.testing.assert_allclose(gain[:REACHED], exact, rtol=0.006)
    assert np.isnan(gain[REACHED:]).all()


@MODES
def test_the_best_twelve_months_are_the_best_of_every_beginning(
    twins: dict[str, list[Twin]], found: dict[str, dict[str, Any]], course: Course
) -> None:
    """The package reads ln S linearly between nodes, which costs up to 1% of the gain."""
    exact = [twin.best_year_gain(WINDOW_END) for twin in twins[course]]
    np.testing.assert_allclose(found[course]["best_year_gain"], exact, rtol=0.012)


@MODES
def test_gains_in_human_years_are_in_years_of_todays_people_only_growth(
    chosen: dict[str, Any], found: dict[str, dict[str, Any]], course: Course
) -> None:
    oom_per_year = 12.0 / chosen["software_doubling_months"] * np.log10(2.0)
    for name in ("first_year_gain", "best_year_gain"):
        in_years = found[course][name] / oom_per_year
        np.testing.assert_allclose(found[course][f"{name}_human_years"], in_years, rtol=1e-12)
    best = found[course]["best_year_gain"] / oom_per_year
    np.testing.assert_array_equal(found[course]["best_year_3_human_years"], best >= 3.0)
    np.testing.assert_array_equal(found[course]["best_year_10_human_years"], best >= 10.0)


@MODES
def test_acceleration_is_a_second_doubling_shorter_than_the_first(
    twins: dict[str, list[Twin]], found: dict[str, dict[str, Any]], course: Course
) -> None:
    first, second = (np.array([t.years_to_gain(k * LN2, WINDOW_END) for t in twins[course]]) for k in (1, 2))
    with np.errstate(invalid="ignore"):
        expected = second - first < first
    np.testing.assert_array_equal(found[course]["acceleration"], expected)
    assert 0 < expected.sum() < REACHED


@MODES
def test_the_largest_speedup(twins: dict[str, list[Twin]], found: dict[str, dict[str, Any]], course: Course) -> None:
    """Read at the nodes, which may miss the peak by a little and never overstate it by more than rounding."""
    exact = np.array([twin.largest_speedup(WINDOW_END) for twin in twins[course]])
    shipped = found[course]["largest_speedup"]
    np.testing.assert_allclose(shipped, exact, rtol=0.06 if course == "leap" else 0.04)  # a leap's peak is sharper
    np.testing.assert_array_less(shipped, exact * 1.002)


def test_how_many_ais_run_at_full_automation(
    chosen: dict[str, Any], twins: dict[str, list[Twin]], found: dict[str, dict[str, Any]]
) -> None:
    for draw, twin in enumerate(twins["trend"][:REACHED]):
        p = part(chosen, draw)
        there = quantities(twin.year_100, twin.log_software(twin.year_100), twin.at, p)
        researchers = float(trends.log_world_researchers(twin.year_100, p)) / LN10
        expected = {
            "log10_streams_at_automation": there["log10_parallel_streams"],
            "log10_human_equivalents_at_automation": there["log10_human_equivalents"],
            "log10_tokens_per_researcher_second": there["log10_fleet_tokens_per_second"] - researchers,
        }
        for name, value in expected.items():
            assert found["trend"][name][draw] == pytest.approx(float(value), abs=0.005), name


def test_20_percent_ahead_is_where_the_twin_crosses_it(
    chosen: dict[str, Any], twins: dict[str, list[Twin]], found: dict[str, dict[str, Any]]
) -> None:
    year_20, now = found["trend"]["year_20"], chosen["as_of_year"]
    ahead = [i for i, twin in enumerate(twins["trend"]) if twin.at.now < twin.at.twenty and np.isfinite(year_20[i])]
    assert len(ahead) >= 3
    for i in ahead:
        twin = twins["trend"][i]
        miss = twin.effective_flop(float(year_20[i])) - float(twin.at.twenty)
        slope = (twin.effective_flop(year_20[i] + 0.01) - twin.effective_flop(year_20[i] - 0.01)) / 0.02
        assert abs(miss / slope) < 0.002 * (year_20[i] - now)


def arrays(p: dict[str, Any]) -> dict[str, Any]:
    """Round numbers as two equal draws."""
    return {name: np.broadcast_to(value, (2, *np.shape(value))).copy() for name, value in p.items()} | {
        "as_of_year": p["as_of_year"]
    }


def test_20_percent_in_the_past_is_found_along_the_trend_without_feedback() -> None:
    """E grows by 0.5 + log10 2 a year; today it is 1 OOM past E_20."""
    p = arrays(round_parameters())
    found = readouts(simulate(p, 2045.0), p, 2045.0)
    np.testing.assert_allclose(found["year_20"], 2025.0 - 1.0 / (0.5 + np.log10(2.0)), rtol=1e-12)
    assert found["already_20"].all()


def test_a_draw_automated_today_is_automated_at_as_of() -> None:
    p = arrays(round_parameters(required_horizon_minutes=32.0))  # 2^5: coding at E = 25, 100% at 26
    found = readouts(simulate(p, 2045.0), p, 2045.0)
    np.testing.assert_array_equal(found["year_100"], 2025.0)
    assert (found["takeoff_years"] > 0).all()


def test_with_constant_people_compute_and_no_ai_software_follows_the_closed_form() -> None:
    """S^beta = 1 + beta g t at beta = lambda / r = 1/2, from equations that know nothing of the closed form."""
    still = round_parameters(
        labour_growth=0.0, fleet_growth=0.0, world_compute_growth=0.0, training_compute_growth=0.0,
        price_performance_growth=0.05, budget_growth=-0.05, required_horizon_minutes=2.0**90,
        log10_software_ceiling=40.0, slowdown_year=2026.0,
    )  # fmt: skip
    p = arrays(still)
    years = [2026.0, 2030.0, 2044.0]
    series = by_year(simulate(p, 2045.0), p, years, "trend")["log10_software"][0]
    exact = [2.0 * np.log10(1.0 + 0.5 * LN2 * (year - 2025.0)) for year in years]
    np.testing.assert_allclose(series, exact, rtol=0, atol=1e-6)
