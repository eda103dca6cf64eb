"""Organisations against brute-force integration, closed forms, limits and the arithmetic of S0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from round_numbers import round_parameters
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq, minimize_scalar
from scipy.special import exp1

from forecast.equations import organisations as equations
from forecast.equations import research, trends
from forecast.equations.organisations import DAYS_PER_YEAR, PRACTICES, Organisation
from forecast.equations.sample_efficiency import reducible_loss

WEEK = 7.0 / DAYS_PER_YEAR
NORMAL = Organisation("NormalCorp", 4000.0, 1e7, 1.0)
SLOW = Organisation("SlowCorp", 800.0, 5e8, WEEK, quality=0.5)
AUTOMATED = Organisation("AutomatedCorp", 2e5, 1e7, 1.0, serial_speed=50.0, automated=True)
SHIPPED = [NORMAL, SLOW, AUTOMATED]


def parameters(**changes: Any) -> dict[str, Any]:
    """Round numbers: the leader has 4000 people and 10 million H100, so NormalCorp is the reference point."""
    side = {"experiment_days": 2.0, "experiment_days_scatter": 1.5, "h100_flop_per_second": 10.0**15.5}
    inside = {name: value for name, value in changes.items() if name not in side}
    return round_parameters(**inside) | side | {name: changes[name] for name in side if name in changes}


def without_durations(**changes: Any) -> dict[str, Any]:
    """Every run takes minutes at most."""
    return parameters(experiment_days=1e-9, training_days=1e-9, **changes)


def relative(organisation: Organisation, practice: str, p: dict[str, Any]) -> equations.Relative:
    own, base = (equations.frictions(one, NORMAL, practice, p) for one in (organisation, NORMAL))
    return equations.relative(organisation, own, NORMAL, base, p)


def integrated_software(organisation: Organisation, p: dict[str, Any]) -> float:
    """Ln S of an organisation dropped in, by integrating software and practice together; a twin that shares no code."""
    rho = np.log(p["compute_share"]) / np.log(p["infinite_labour_multiple"])
    exponent, s = p["parallelization_exponent"], p["compute_share"]
    labour = organisation.quality * (organisation.researchers / 4000.0) ** exponent * organisation.serial_speed
    compute = organisation.h100 / 1e7
    target = np.log(labour) / exponent - np.log(compute)
    output = ((1 - s) * labour**rho + s * compute ** (exponent * rho)) ** (1 / rho)
    rate = p["adaptation_rate"] * (organisation.serial_speed if organisation.automated else 1.0)
    growth, beta = 12.0 * np.log(2.0) / p["software_doubling_months"], exponent / p["returns"]

    def flow(_: float, state: np.ndarray) -> list[float]:
        factor = np.exp(-0.5 * p["mismatch_penalty"] * (target - state[1]) ** 2)
        return [growth * output * factor * np.exp(-beta * state[0]), rate * (target - state[1])]

    end = organisation.years
    found = solve_ivp(flow, (0.0, end), [0.0, 0.0], rtol=1e-11, atol=1e-16, method="LSODA", max_step=end / 50)
    return float(found.y[0, -1])


@pytest.mark.parametrize("organisation", [*SHIPPED, replace(SLOW, years=3.0), replace(AUTOMATED, automated=False)])
def test_progress_when_dropped_in_solves_the_equations_of_software_and_practice(organisation: Organisation) -> None:
    p = without_durations()
    held_back = equations.frictions(organisation, NORMAL, "dropped_in", p)
    found = equations.log_progress(equations.log_research(organisation, held_back, NORMAL, p), p)
    assert np.exp(found) == pytest.approx(integrated_software(organisation, p), rel=1e-7)


@pytest.mark.parametrize("mismatch", [0.0, 0.3, -2.0, 7.0, -11.0, 25.0])
@pytest.mark.parametrize("penalty", [0.05, 0.4])
@pytest.mark.parametrize("adaptation", [1e-9, 1e-3, 0.0134, 0.7, 5.0, 35.0, 400.0])
def test_mean_practice_factor_is_the_integral(mismatch: float, penalty: float, adaptation: float) -> None:
    c, span = 0.5 * penalty * mismatch**2, 2.0 * adaptation
    lowest = c * np.exp(-span)  # taken out of the integrand, for it underflows
    turn = float(np.clip(np.log(c), 0.0, span)) if c > 0.0 else 0.0
    edges = np.unique([0.0, *np.clip(turn + np.arange(-6.0, 42.0, 2.0), 0.0, span), span])
    integral = sum(
        quad(lambda u: np.exp(lowest - c * np.exp(-u)), a, b, epsabs=0.0, epsrel=1e-12)[0] for a, b in pairwise(edges)
    )
    found = equations.log_mean_practice_factor(mismatch, penalty, adaptation)
    assert found == pytest.approx(np.log(integral / span) - lowest, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(("c", "span"), [(0.5, 1.0), (3.0, 0.5), (20.0, 70.0), (200.0, 3.0)])
def test_mean_practice_factor_is_a_difference_of_exponential_integrals(c: float, span: float) -> None:
    exact = np.log((exp1(c * np.exp(-span)) - exp1(c)) / span)
    assert equations.log_mean_practice_factor(np.sqrt(2.0 * c), 1.0, 0.5 * span) == pytest.approx(exact, rel=1e-10)


@given(st.floats(-100.0, 100.0), st.floats(0.0, 5.0), st.floats(0.0, 1e4))
def test_practice_costs_most_at_the_start_and_never_gains(mismatch: float, penalty: float, adaptation: float) -> None:
    found = equations.log_mean_practice_factor(mismatch, penalty, adaptation)
    first = -0.5 * penalty * mismatch**2
    assert first * (1.0 + 1e-12) - 1e-12 <= found <= 1e-12
    assert equations.log_mean_practice_factor(mismatch, penalty, 2.0 * adaptation) >= found - 1e-9 * (1.0 - found)


def test_the_fitting_share_is_the_compute_of_the_experiments_that_end_in_time() -> None:
    """A million lognormal experiments, each weighted by its duration, and a training run of 116 days."""
    rng = np.random.default_rng(1)
    durations = rng.lognormal(np.log(2.0), 1.0, 1_000_000)
    p = parameters(experiment_days_scatter=1.0, largest_run_share=0.4)
    for days in (1.0, 7.0, 60.0, 365.0):
        share = durations[durations <= days].sum() / durations.sum()
        expected = 0.6 * share + 0.4 * (days >= 1e7 / 86_400)
        assert np.exp(equations.log_fitting_share(days, 1e7 / 86_400, p)) == pytest.approx(expected, abs=0.003)
    assert np.isfinite(equations.log_fitting_share(1e-30, 1.0, p))


def test_a_frontier_run_of_the_evolved_world_takes_about_a_day() -> None:
    """S0: "Frontier pretraining runs would be massively more parallel, and would complete in a day" (55 days today)."""
    p = parameters()
    assert 0.9 < 55.0 * SLOW.years / NORMAL.years < 1.2
    evolved = equations.frictions(SLOW, NORMAL, "evolved", p)
    shrunk = p | {"experiment_days": 2.0 * WEEK, "training_days": p["training_days"] * WEEK}
    run_days = np.exp(trends.log_training_seconds(shrunk["as_of_year"], shrunk)) / 86_400
    assert evolved.log_fitting == pytest.approx(equations.log_fitting_share(7.0, run_days, shrunk), rel=1e-9)


def test_the_arithmetic_of_the_seed() -> None:
    """625K H100 per researcher; 200 thousand for each of AutomatedCorp's 50 years; "a similar amount of total compute"."""
    assert SLOW.h100 / SLOW.researchers == 625_000.0
    assert AUTOMATED.h100 * AUTOMATED.years / (AUTOMATED.serial_speed * AUTOMATED.years) == 200_000.0
    assert SLOW.h100 * SLOW.years == pytest.approx(NORMAL.h100 * NORMAL.years, rel=0.05)


@pytest.mark.parametrize("practice", PRACTICES)
def test_an_organisation_like_normalcorp_makes_its_progress(practice: str) -> None:
    p = parameters()
    twin = replace(NORMAL, name="twin")
    assert relative(twin, practice, p) == (0.0, 0.0)
    own = equations.frictions(twin, NORMAL, practice, p)
    assert equations.attribution(twin, own, NORMAL, own, p) == pytest.approx((0.0, 0.0, 0.0), abs=1e-15)


@pytest.mark.parametrize("organisation", SHIPPED)
def test_without_a_penalty_or_with_instant_adaptation_dropped_in_is_evolved(organisation: Organisation) -> None:
    for change in ({"mismatch_penalty": 0.0}, {"adaptation_rate": 1e14}):
        p = without_durations(**change)
        dropped, idle, evolved = (relative(organisation, practice, p) for practice in PRACTICES)
        np.testing.assert_allclose(dropped, evolved, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(idle, evolved, rtol=1e-9, atol=1e-9)


def test_research_at_the_reference_point_is_the_production_function() -> None:
    """One unit of everything for a year is 1; SlowCorp by hand, with rho = -1/2 and exponents 1/2."""
    p = without_durations()
    none = equations.Frictions(0.0, 0.0)
    assert equations.log_research(NORMAL, none, NORMAL, p) == pytest.approx(0.0, abs=1e-13)
    labour, compute = 0.5 * np.sqrt(0.2), np.sqrt(50.0)
    by_hand = (0.5 / np.sqrt(labour) + 0.5 / np.sqrt(compute)) ** -2 * WEEK
    assert np.exp(equations.log_research(SLOW, none, NORMAL, p)) == pytest.approx(by_hand, rel=1e-12)


@given(st.floats(0.1, 100.0), st.floats(1.0, 1e6), st.floats(1e3, 1e10), st.floats(0.01, 10.0))
def test_if_parallel_work_is_as_good_as_speed_a_fast_year_is_many_slow_ones(
    speed: float, researchers: float, h100: float, years: float
) -> None:
    """S0's view of AutomatedCorp as 50 years with 200 thousand H100: at lambda = 1 only the unit of time differs."""
    p = without_durations(parallelization_exponent=1.0)
    fast = Organisation("fast", researchers, h100, years, serial_speed=speed)
    slow = Organisation("slow", researchers, h100 / speed, years * speed)
    np.testing.assert_allclose(relative(fast, "evolved", p), relative(slow, "evolved", p), atol=1e-9)


def test_progress_is_the_software_of_constant_inputs_also_when_it_is_tiny() -> None:
    p = parameters()
    for log_done in (-300.0, -31.0, -29.0, -5.0, 0.0, 8.0):
        whole = research.log_software_constant_inputs(np.exp(log_done), np.log(2.0), 1.0, 0.5)
        assert equations.log_progress(log_done, p) == pytest.approx(np.log(whole), rel=1e-12, abs=1e-12)
    assert equations.log_progress(-1e5, p) == pytest.approx(np.log(np.log(2.0)) - 1e5, rel=1e-12)


MORE: dict[str, Callable[[Organisation, float], Organisation]] = {
    "researchers": lambda o, k: replace(o, researchers=k * o.researchers),
    "quality": lambda o, k: replace(o, quality=k * o.quality),
    "h100": lambda o, k: replace(o, h100=k * o.h100),
    "years": lambda o, k: replace(o, years=k * o.years),
    "serial speed": lambda o, k: replace(o, serial_speed=k * o.serial_speed),
}


@pytest.mark.parametrize("practice", ["surplus_idle", "evolved"])
@pytest.mark.parametrize("what", MORE)
@settings(max_examples=25, deadline=None)
@given(
    st.floats(10.0, 1e6), st.floats(1e3, 1e10), st.floats(0.003, 5.0), st.floats(0.2, 100.0), st.booleans(),
    st.floats(1.0, 30.0), st.floats(0.01, 0.5),
)  # fmt: skip
def test_more_of_an_input_never_lowers_progress_if_surplus_may_lie_idle(
    practice: str, what: str, people: float, h100: float, years: float, speed: float, ai: bool, more: float, psi: float
) -> None:
    p = parameters(mismatch_penalty=psi)
    less = Organisation("less", people, h100, years, serial_speed=speed, automated=ai)
    found = [relative(one, practice, p).log_progress for one in (less, MORE[what](less, more))]
    assert found[1] >= found[0] - 1e-3  # the idle share is found on a grid


def test_dropped_in_with_too_much_compute_more_of_it_hurts() -> None:
    """S0: "What do you even do with that much compute if you drop it into this world?"."""
    p = parameters()
    here, there = (relative(one, "dropped_in", p).log_progress for one in (SLOW, replace(SLOW, h100=5e9)))
    assert there < here - 1.0
    assert relative(replace(SLOW, h100=5e9), "evolved", p) > relative(SLOW, "evolved", p)


def test_idle_inputs_serve_best_where_a_fine_search_says() -> None:
    p = parameters()
    x = np.log(0.5) / 0.5 + np.log(0.2) - np.log(50.0)
    efolds = 0.7 * WEEK

    def lost(idle: float) -> float:
        factor = equations.log_mean_practice_factor(x + idle, p["mismatch_penalty"], efolds)
        fitting = equations.frictions(SLOW, NORMAL, "dropped_in", p).log_fitting
        labour = np.log(0.5) + 0.5 * np.log(0.2)
        return -float(equations.log_output(labour, np.log(50.0) - idle + fitting, p) + factor)

    best = minimize_scalar(lost, bounds=(0.0, -x), method="bounded", options={"xatol": 1e-9})
    found = equations.frictions(SLOW, NORMAL, "surplus_idle", p)
    assert found.idle_compute == pytest.approx(best.x, abs=0.01)
    assert found.idle_labour == 0.0
    assert -lost(float(found.idle_compute)) == pytest.approx(-best.fun, abs=1e-5)


@pytest.mark.parametrize("practice", PRACTICES)
@pytest.mark.parametrize("organisation", [*SHIPPED, replace(AUTOMATED, human_ideas=True), replace(SLOW, years=2.0)])
def test_the_three_parts_add_up_to_the_whole(organisation: Organisation, practice: str) -> None:
    p = parameters()
    own, base = (equations.frictions(one, NORMAL, practice, p) for one in (organisation, NORMAL))
    parts = equations.attribution(organisation, own, NORMAL, base, p)
    whole = equations.relative(organisation, own, NORMAL, base, p).log_progress
    assert sum(parts) == pytest.approx(whole, rel=1e-12, abs=1e-12)
    if practice == "evolved":
        assert parts[0] == 0.0


def test_each_part_vanishes_with_its_cause() -> None:
    p = parameters()
    own, base = (equations.frictions(one, NORMAL, "dropped_in", p) for one in (SLOW, NORMAL))
    assert all(part < -0.1 for part in equations.attribution(SLOW, own, NORMAL, base, p))
    no_runs = own._replace(log_fitting=base.log_fitting)
    assert equations.attribution(SLOW, no_runs, NORMAL, base, p)[1] == 0.0
    assert equations.attribution(NORMAL, own, NORMAL, base, p)[2] == 0.0


def test_shapley_values_of_a_glove_game() -> None:
    """One left glove and two right ones: 2/3, 1/6, 1/6 (Shapley's own example)."""
    values = equations.shapley(lambda left, right, other: float(left and (right or other)), 3)
    assert values == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_the_latency_ceiling_binds_only_while_people_have_the_ideas() -> None:
    """NormalCorp's people with AutomatedCorp's implementers: 1/(1/x + (1 - 1/x)/m), x over people alone."""
    p = without_durations(latency_ceiling=5.0)
    x = np.exp(relative(AUTOMATED, "evolved", p).log_research)
    bounded = np.exp(relative(replace(AUTOMATED, human_ideas=True), "evolved", p).log_research)
    assert bounded == pytest.approx(1.0 / (1.0 / x + (1.0 - 1.0 / x) / 5.0), rel=1e-12)
    assert relative(AUTOMATED, "evolved", p | {"latency_ceiling": 1.1}).log_research == pytest.approx(np.log(x))


def needed(organisation: Organisation, name: str, grid: Any, multiple: float, p: dict[str, Any]) -> float:
    def value(x: Any) -> Any:
        return relative(organisation, "evolved", p | {name: x}).log_research

    scan = np.array([[value(x)] for x in grid])
    return float(equations.reached_from(value, grid, scan, np.array([np.log(multiple)]))[0])


def test_the_required_values_are_the_closed_forms() -> None:
    """At the reference point research is [(1-s) l^rho + s]^(1/rho) with l = 50^lambda 50: each solved by hand."""
    p = without_durations(compute_share=0.2, infinite_labour_multiple=1e3)
    rho = np.log(0.2) / np.log(1e3)
    labour = ((20.0**rho - 0.2) / 0.8) ** (1 / rho)
    exponent = np.log(labour / 50.0) / np.log(50.0)
    assert needed(AUTOMATED, "parallelization_exponent", np.linspace(0.01, 1.0, 30), 20.0, p) == pytest.approx(exponent)

    x = np.exp(relative(AUTOMATED, "evolved", p).log_research)
    assert x > 20.0
    ceiling = (1.0 - 1.0 / x) / (1.0 / 20.0 - 1.0 / x)
    people = replace(AUTOMATED, human_ideas=True)
    assert needed(people, "latency_ceiling", np.geomspace(1.1, 1e6, 60), 20.0, p) == pytest.approx(ceiling, rel=1e-6)

    worth = 50.0 * 50.0**0.5
    root = brentq(lambda r: np.log(0.8 * worth**r + 0.2) / r - np.log(20.0), -5.0, -1e-6)
    multiple = np.exp(np.log(0.2) / root)
    found = needed(AUTOMATED, "infinite_labour_multiple", np.geomspace(1.1, 1e6, 60), 20.0, p)
    assert found == pytest.approx(multiple, rel=1e-6)


def test_no_value_suffices_where_cobb_douglas_falls_short() -> None:
    """Labour of 50^1.5 at a share of 1/2 is worth 19 at the very most."""
    p = without_durations()
    grid = np.geomspace(1.1, 1e300, 60)
    assert 50.0**0.75 < 20.0
    assert needed(AUTOMATED, "infinite_labour_multiple", grid, 20.0, p) == np.inf
    assert needed(AUTOMATED, "infinite_labour_multiple", grid, 10.0, p) < np.inf


def test_the_last_of_several_crossings_is_found() -> None:
    grid = np.linspace(0.0, 20.0, 101)
    found = equations.reached_from(np.sin, grid, np.sin(grid)[:, None], np.array([0.5, 0.95]))
    assert found[0] == pytest.approx(6 * np.pi + np.pi / 6)
    assert found[1] == np.inf  # sin(20) is 0.91, though the sine was above 0.95 before


def test_pretraining_a_hundred_times_larger_is_worth_two_orders_of_magnitude_where_practice_is_optimal() -> None:
    assert equations.pretraining_gain(100.0, parameters(log10_training_flop_2024=23.0)) == pytest.approx(2.0, abs=1e-9)
    assert equations.pretraining_gain(1.0, parameters(tokens_per_param_2024=500.0)) == 0.0


def test_the_pretraining_gain_is_what_compute_optimal_training_would_have_to_pay_for_the_same_loss() -> None:
    """Uneven exponents and 500 tokens per parameter; loss and optimum by brute force on the surface."""
    p = parameters(
        tokens_per_param_2024=500.0,
        overtraining_half_life=1e9,
        loss_params_exponent=0.35,
        log10_training_flop_2024=24.0,
    )
    surface = trends.loss_surface_arguments(p)

    def loss(flop: float, params: float) -> float:
        return float(reducible_loss(params, flop / 6.0 / params, 1.0, **surface))

    def lowest(flop: float) -> float:
        found = minimize_scalar(lambda u: np.log(loss(flop, np.exp(u))), bounds=(5.0, 45.0), method="bounded")
        return float(found.fun)

    def worth(flop: float) -> float:
        own = np.log(loss(flop, np.sqrt(flop / 6.0 / 500.0)))
        return float(brentq(lambda e: lowest(10.0**e) - own, 15.0, np.log10(flop) + 0.1, xtol=1e-10))

    flop = 10.0 ** float(trends.log10_training_flop(p["as_of_year"], p))
    assert equations.pretraining_gain(100.0, p) == pytest.approx(worth(100.0 * flop) - worth(flop), abs=1e-4)
