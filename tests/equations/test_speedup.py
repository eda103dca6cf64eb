"""The bounds of seed S1: its own arithmetic, a working week lived hour by hour, limits, directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.equations import speedup

FACTORS = st.floats(0.01, 1e4)
BOUNDS = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=5)
MONTHS, WORK = 6.0, 1000.0
CASES = [
    (speedup.paper_days, [[30.0, 2.0], [6.0, 3.0]]),
    (speedup.parallel_papers_speedup, [[5.0, 1.0], [30.0, 8.0], [6.0, 3.0]]),
    (speedup.copies_speedup, [[4.0, 2.0], [5.0, 1.0]]),
    (speedup.ideas_bound, [[0.3, 0.9], [2.0, 1.0]]),
    (speedup.waiting_hours, [[0.25, 9.0, 500.0], [8.0, 8.0, 7.0], [1000.0, 900.0, 1000.0], [6.0, 6.0, 5.0]]),
    (speedup.effective_projects, [[1.0, 8.0, 0.5], [0.3, 0.0, 0.3]]),
    (speedup.latency_bound, [[1000.0, 900.0], [100.0, 20.0], [0.5, 8.0], [1.0, 4.0]]),
    (speedup.experiment_cost_growth, [[3.0, 0.5, 10.0], [9.0, 2.0, 50.0], [1.0, 1.5, 2.0]]),
    (speedup.experiments_per_researcher, [[10.0, 2.0], [3.0, 4.0], [2.0, 1.0]]),
    (speedup.compute_bound, [[3.0, 1.0], [0.2, 7.0]]),
    (speedup.tokens_bound, [[1e15, 1e12], [5e7, 1e8], [4.0, 1.0], [3500.0, 10.0], [6.0, 3.0]]),
]


@pytest.mark.parametrize(("function", "columns"), CASES)
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any], columns: list[list[float]]
) -> None:
    assert_same_on_kind(function, columns)


def test_the_tightest_bound_takes_every_kind_of_array(assert_same_on_kind: Callable[..., None]) -> None:
    def of_three(a: Any, b: Any, c: Any, sharpness: Any, *, xp: Any = np) -> Any:
        return speedup.smooth_minimum([a, b, c], sharpness, xp=xp)

    assert_same_on_kind(of_three, [[3.0, 9.0], [5.0, 2.0], [1e3, 2.0], [8.0, 2.0]])


# The seed's arithmetic


def test_thirty_times_of_six_months_is_six_days() -> None:
    assert speedup.paper_days(30.0, MONTHS) == pytest.approx(6.0, rel=0.02)
    assert speedup.paper_days(1.0, MONTHS) == pytest.approx(182.625)


def test_five_papers_at_once_of_thirty_days_each_are_about_thirty_times() -> None:
    assert speedup.parallel_papers_speedup(5.0, 30.0, MONTHS) == pytest.approx(30.0, rel=0.02)


def test_four_projects_each_eight_times_faster_are_about_thirty_times() -> None:
    each = speedup.paper_days(8.0, MONTHS)
    assert speedup.parallel_papers_speedup(4.0, each, MONTHS) == pytest.approx(32.0)


@pytest.mark.parametrize(("projects", "days"), [(5.0, 30.0), (4.0, 182.625 / 8.0), (1.0, 6.0875)])
def test_the_latency_bound_is_the_seeds_arithmetic_where_switching_is_free(projects: float, days: float) -> None:
    """A paper of so many days waits its share of the 1000 working hours; w of them wait side by side."""
    waited = WORK * days / 182.625
    at_once = speedup.effective_projects(projects, 0.0)
    found = speedup.latency_bound(WORK, 50.0, waited / 50.0, at_once)
    assert found == pytest.approx(speedup.parallel_papers_speedup(projects, days, MONTHS))


def test_one_day_for_four_copies_in_a_week_is_twenty_times() -> None:
    assert speedup.copies_speedup(4.0, 5.0) == 20.0


def test_twenty_times_at_sixty_minutes_takes_fifty_rounds_a_paper_or_projects_side_by_side() -> None:
    wait = speedup.waiting_hours(1.0, 8.0, WORK, MONTHS)
    assert speedup.latency_bound(WORK, 50.0, wait, 1.0) == pytest.approx(20.0)
    assert speedup.latency_bound(WORK, 100.0, wait, 1.0) == pytest.approx(10.0)
    assert speedup.latency_bound(WORK, 100.0, wait, speedup.effective_projects(4.0, 0.5)) == pytest.approx(20.0)


def test_eight_projects_at_once_cost_nearly_half_of_the_attention() -> None:
    assert 1.0 - speedup.effective_projects(8.0, 0.3) / 8.0 == pytest.approx(0.46, abs=0.01)
    assert speedup.effective_projects(1.0, 0.3) == 1.0


@given(st.floats(0.1, 20.0), st.floats(1.0, 3.0), st.floats(0.0, 0.9))
def test_switching_costs_less_than_a_further_project_brings(projects: float, factor: float, exponent: float) -> None:
    here, there = (speedup.effective_projects(w, exponent) for w in (projects, projects * factor))
    assert here * (1 - 1e-12) <= there <= here * factor * (1 + 1e-12)
    assert here <= projects


def test_people_who_share_a_paper_do_not_switch() -> None:
    assert speedup.effective_projects(0.5, 0.3) == 0.5


def test_a_third_of_the_time_for_ideas_allows_three_times() -> None:
    assert speedup.ideas_bound(1.0 / 3.0, 1.0) == pytest.approx(3.0)


# Two clocks


def lived(latency: float, rounds: int = 240) -> float:
    """Working hours per round of a person who works from 0 to 8 o'clock every day and asks again on each answer."""
    clock = 0.0
    for _ in range(rounds):
        day, hour = divmod(clock + latency, 24.0)
        clock = 24.0 * (day + 1.0) if hour >= 8.0 - 1e-9 else 24.0 * day + hour
    day, hour = divmod(clock, 24.0)
    return (8.0 * day + hour) / rounds


@pytest.mark.parametrize("latency", [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 9.0, 16.0, 24.0, 48.0, 240.0])
def test_waiting_costs_what_it_costs_a_person_who_works_eight_hours_a_day(latency: float) -> None:
    hours_a_month = 365.25 / 12.0 * 8.0
    assert speedup.waiting_hours(latency, 8.0, 6.0 * hours_a_month, 6.0) == pytest.approx(lived(latency))


def test_a_long_wait_is_the_same_ratio_on_either_clock() -> None:
    """1000 working hours over J N working hours, or six months over J N calendar time."""
    calendar_hours = 500.0
    wait = speedup.waiting_hours(calendar_hours, 8.0, WORK, MONTHS)
    on_calendar = 182.625 * 24.0 / (20.0 * calendar_hours)
    assert speedup.latency_bound(WORK, 20.0, wait, 1.0) == pytest.approx(on_calendar)


@given(st.floats(0.01, 500.0), st.floats(1.0, 2.0))
def test_a_longer_latency_never_costs_less_and_never_more_than_its_length(latency: float, factor: float) -> None:
    here = speedup.waiting_hours(latency, 8.0, WORK, MONTHS)
    assert here <= latency
    assert speedup.waiting_hours(latency * factor, 8.0, WORK, MONTHS) >= here


# Compute and tokens


@given(st.floats(1.0, 1e3), st.floats(0.5, 2.5))
def test_at_constant_tokens_per_parameter_an_experiment_costs_p_to_the_gamma(growth: float, gamma: float) -> None:
    assert speedup.experiment_cost_growth(growth, growth**2, gamma) == pytest.approx(growth**gamma)


def test_at_quadratic_cost_a_fleet_that_grows_with_its_runs_allows_what_is_saved_and_no_more() -> None:
    """The seed: thirty times then needs a thirtyfold saving beyond what people do by default."""
    cost = speedup.experiment_cost_growth(31.6, 1000.0, 2.0)
    per_head = speedup.experiments_per_researcher(1000.0, cost, 1.0)
    assert per_head == pytest.approx(1.0)
    assert speedup.compute_bound(30.0, per_head) == pytest.approx(30.0)
    assert speedup.compute_bound(3.0, per_head) == pytest.approx(3.0)


def test_if_fine_tuning_suffices_the_fleet_outgrows_the_experiments() -> None:
    """Parameters as the square root of compute: a thousandfold fleet runs 31.6 times as many fine-tunings."""
    cost = speedup.experiment_cost_growth(1000.0**0.5, 1000.0, 1.0)
    per_head = speedup.experiments_per_researcher(1000.0, cost, 1.0)
    assert speedup.compute_bound(1.0, per_head) == pytest.approx(31.6, rel=1e-3)


def test_scarcity_that_people_alone_share_does_not_lower_a_speed_up_over_them() -> None:
    """A tenth of the experiments per head: people alone shrink theirs tenfold, so only the saving tells the two apart."""
    assert speedup.compute_bound(3.0, 0.1) == speedup.compute_bound(3.0, 1.0) == 3.0
    assert speedup.compute_bound(3.0, 2.0) == 6.0


def test_tokens_allow_as_many_papers_as_they_pay_for() -> None:
    """1000 people make 2000 papers a year; 1e13 tokens at 5e8 and five tries each pay for 4000."""
    assert speedup.tokens_bound(1e13, 5e8, 5.0, 1000.0, 6.0) == pytest.approx(2.0)


# The tightest bound


def test_the_smooth_minimum_is_its_formula() -> None:
    bounds = [3.0, 4.0, 5.0, 7.0]
    assert speedup.smooth_minimum(bounds, 8.0) == pytest.approx(sum(b**-8.0 for b in bounds) ** (-1.0 / 8.0))
    assert speedup.smooth_minimum([6.0, 6.0], 1.0) == pytest.approx(3.0)  # times add up


@given(BOUNDS, st.floats(1.0, 50.0))
def test_it_lies_between_the_smallest_bound_and_what_that_many_equal_ones_leave(
    bounds: list[float], sharpness: float
) -> None:
    found = speedup.smooth_minimum(bounds, sharpness)
    assert min(bounds) * len(bounds) ** (-1.0 / sharpness) * (1 - 1e-12) <= found <= min(bounds) * (1 + 1e-12)


@given(BOUNDS)
def test_it_becomes_the_minimum_as_sharpness_grows(bounds: list[float]) -> None:
    assert speedup.smooth_minimum(bounds, 1e6) == pytest.approx(min(bounds), rel=1e-5)
    assert speedup.smooth_minimum(bounds, np.inf) == pytest.approx(min(bounds))


@given(st.floats(0.5, 1e3), st.integers(0, 3))
def test_a_bound_much_smaller_than_the_others_is_the_result(smallest: float, place: int) -> None:
    bounds = [100.0 * smallest] * 4
    bounds[place] = smallest
    assert speedup.smooth_minimum(bounds, 8.0) == pytest.approx(smallest, rel=1e-12)
    assert speedup.smooth_minimum([smallest, np.inf], 8.0) == pytest.approx(smallest)


@given(BOUNDS, st.integers(0, 4), st.floats(1.0, 100.0), st.floats(1.0, 20.0))
def test_no_bound_that_is_loosened_slows_research_down(
    bounds: list[float], place: int, factor: float, sharpness: float
) -> None:
    here = speedup.smooth_minimum(bounds, sharpness)
    looser = list(bounds)
    looser[place % len(bounds)] *= factor
    assert speedup.smooth_minimum(looser, sharpness) >= here * (1 - 1e-12)
    assert speedup.smooth_minimum(bounds, sharpness * factor) >= here * (1 - 1e-12)
    assert speedup.smooth_minimum([*bounds, factor], sharpness) <= here * (1 + 1e-12)


def test_two_equal_bounds_cost_a_tenth() -> None:
    assert speedup.smooth_minimum([10.0, 10.0], 8.0) == pytest.approx(9.17, abs=0.01)


def test_nothing_is_cut_off_below_one() -> None:
    assert speedup.smooth_minimum([0.2, 5.0], 8.0) == pytest.approx(0.2)
