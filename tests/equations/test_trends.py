"""What is known of a moment before any feedback, by hand on round numbers (``tests/round_numbers.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from round_numbers import RUN_SECONDS, YEAR_SECONDS, round_parameters

from forecast.equations import trends
from forecast.equations.compute import training_flop
from forecast.equations.sample_efficiency import penalty_oom

P = round_parameters()
LN2, LN10 = np.log(2.0), np.log(10.0)


@pytest.mark.parametrize(
    ("year", "log10_flop"),
    [(2024.0, 27.5), (2025.0, 28.0), (2028.0, 29.5), (2030.0, 29.9), (2038.0, 31.5)],
)
def test_the_record_run_grows_fast_to_the_slowdown_and_slowly_after(year: float, log10_flop: float) -> None:
    assert trends.log10_training_trend(year, P) == pytest.approx(log10_flop, abs=1e-12)


def test_the_bend_is_a_kink_and_no_jump() -> None:
    before, bend, after = trends.log10_training_trend(2028.0 + np.array([-1e-6, 0.0, 1e-6]), P)
    assert (bend - before) / 1e-6 == pytest.approx(0.5, rel=1e-3)
    assert (after - bend) / 1e-6 == pytest.approx(0.2, rel=1e-3)


def test_every_compute_trend_grows_alike_after_the_slowdown() -> None:
    for trend in (trends.log10_training_trend, trends.log10_fleet_trend, trends.log10_world):
        assert trend(2033.0, P) - trend(2028.0, P) == pytest.approx(5 * 0.2)


def test_the_fleet_is_its_trend_until_a_tenth_of_the_world_bounds_it() -> None:
    years = np.array([2025.0, 2025.5, 2026.0, 2026.5, 2028.0, 2030.0])
    np.testing.assert_allclose(trends.log10_fleet(years, P), [22.5, 23.0, 23.5, 23.75, 24.5, 24.9], atol=1e-12)


def test_the_run_is_bounded_by_its_share_of_the_fleet_for_its_duration() -> None:
    """0.5 of the peak on 0.002 of the fleet for 1e7 s is 1e4 s of the fleet, 1e26.5 FLOP in 2025."""
    bound = round_parameters(largest_run_share=0.002)
    assert trends.log10_training_cap(2025.0, P) == pytest.approx(28.5)
    assert trends.log10_training_flop(2025.0, P) == pytest.approx(28.0)
    assert trends.log10_training_flop(2025.0, bound) == pytest.approx(26.5)


def test_a_run_lasts_no_longer_than_progress_makes_waiting_pay() -> None:
    """Price-performance 0.1 OOM and software ln 2 a year: a run of 1000 days would be overtaken."""
    growth = 0.1 * LN10 + LN2
    long = round_parameters(training_days=1000.0)
    assert np.exp(trends.log_training_seconds(2025.0, long)) == pytest.approx(YEAR_SECONDS / growth)
    assert np.exp(trends.log_training_seconds(2025.0, P)) == pytest.approx(RUN_SECONDS)
    later = round_parameters(training_days_variate=2.0)  # two standard deviations of 0.5 in ln
    assert np.exp(trends.log_training_seconds(2025.0, later)) == pytest.approx(RUN_SECONDS * np.e)


def test_runs_get_longer_every_year_until_the_slowdown() -> None:
    p = round_parameters(training_days_trend=0.1, slowdown_year=2028.0, training_days=1.0)
    days = np.exp([trends.log_training_days(year, p) for year in (2023.0, 2026.0, 2028.0, 2040.0)])
    np.testing.assert_allclose(days, np.exp([0.0, 0.3, 0.5, 0.5]))


def test_utilization_carries_its_trend_and_the_offset_of_the_draw() -> None:
    changed = round_parameters(
        deployment_utilization_trend=0.1, deployment_utilization_variate=2.0, deployment_utilization_scatter=0.3
    )
    odds = 0.25 * np.exp(0.1 * 5 + 0.3 * 2)
    assert trends.utilization_of_draw("deployment", 2028.0, changed) == pytest.approx(odds / (1 + odds))
    assert trends.utilization_of_draw("training", 2028.0, changed) == pytest.approx(0.5)


def test_practice_goes_half_of_the_way_to_its_asymptote_in_each_half_life() -> None:
    """From 20 in 2024 to 4 x the optimum of 20: the geometric mean after one half-life, 1 - tanh(ln 3) left after two."""
    p = round_parameters(overtraining_factor=4.0)
    ratios = np.exp(trends.log_practice(np.array([2024.0, 2025.0, 2026.0, 2100.0]), 28.0, p))
    np.testing.assert_allclose(ratios, [20.0, 40.0, 20.0 * 4.0**0.8, 80.0], rtol=1e-9)
    offset = round_parameters(overtraining_factor=4.0, tokens_per_param_variate=2.0)
    assert np.exp(trends.log_tokens_per_param_of_draw(2025.0, 28.0, offset)) == pytest.approx(40.0 * np.e)


def test_params_follow_practice_until_text_runs_out() -> None:
    """1e28 FLOP at 20: sqrt(1e28/120). 1e30 FLOP: only 4e14 tokens, so C/(6 x 4e14)."""
    params = np.exp(trends.log_params(np.array([28.0, 30.0]), np.log(20.0), P))
    np.testing.assert_allclose(params, [np.sqrt(1e28 / 120.0), 1e30 / 2.4e15], rtol=1e-12)
    tokens = np.array([1e28, 1e30]) / (6.0 * params)
    np.testing.assert_allclose(tokens, [20.0 * params[0], 4e14], rtol=1e-12)


def test_params_solve_the_compute_equation_at_ten_tokens_per_data_point() -> None:
    params = float(np.exp(trends.log_params(28.0, np.log(20.0), P, log10_tokens=1.0)))
    assert training_flop(params, 20.0, 10.0) == pytest.approx(1e28)
    limited = float(np.exp(trends.log_params(32.0, np.log(20.0), P, log10_tokens=1.0)))
    assert 1e32 / (6.0 * limited * 10.0) == pytest.approx(4e14)  # data points, each worth ten tokens


def test_the_optimum_pays_no_penalty() -> None:
    assert trends.effective_compute_penalty(28.0, np.log(20.0), P) == pytest.approx(0.0, abs=1e-9)


def test_twice_the_optimal_tokens_per_param_cost_what_the_surface_says() -> None:
    """Both terms equal and both exponents 1/2: the loss rises by cosh(ln 2 / 4), and falls as C^(-1/4)."""
    truth = 4.0 * np.log10(np.cosh(LN2 / 4.0))
    assert trends.effective_compute_penalty(28.0, np.log(40.0), P) == pytest.approx(truth, rel=1e-9)
    assert trends.effective_compute_penalty(28.0, np.log(10.0), P) == pytest.approx(truth, rel=1e-9)


def test_the_penalty_counts_the_model_that_text_allows() -> None:
    params, tokens = 1e30 / 2.4e15, 4e14
    truth = penalty_oom(1e30, params, tokens, 0.2, 0.2, 0.5, 0.5, 1e9, 2e10)
    assert trends.effective_compute_penalty(30.0, np.log(20.0), P) == pytest.approx(float(truth))
    assert truth > 0.1


def test_effective_compute_is_compute_and_software_less_the_penalty() -> None:
    assert trends.log10_effective_flop(2025.0, 0.0, P) == pytest.approx(28.0, abs=1e-9)
    assert trends.log10_effective_flop(2025.0, 3.0 * LN10, P) == pytest.approx(31.0, abs=1e-9)
    overtrained = round_parameters(overtraining_factor=4.0)  # 40 tokens per parameter in 2025
    lost = 4.0 * np.log10(np.cosh(LN2 / 4.0))
    assert trends.log10_effective_flop(2025.0, 0.0, overtrained) == pytest.approx(28.0 - lost)


def test_effective_compute_does_not_depend_on_tokens_per_data_point() -> None:
    many = round_parameters(log10_tokens_per_datapoint=3.0)
    assert trends.log10_effective_flop(2027.0, 1.0, many) == trends.log10_effective_flop(2027.0, 1.0, P)


def test_without_feedback_software_doubles_yearly_up_to_its_ceiling() -> None:
    assert trends.effective_flop_on_trend(2026.0, P) == pytest.approx(28.5 + np.log10(2.0), abs=1e-9)
    assert trends.effective_flop_on_trend(2024.0, P) == pytest.approx(27.5 - np.log10(2.0), abs=1e-9)
    low = round_parameters(log10_software_ceiling=0.1)
    assert trends.effective_flop_on_trend(2026.0, low) == pytest.approx(28.6, abs=1e-9)


def test_the_surface_of_many_draws_is_that_of_each() -> None:
    shares = np.array([[0.6, 0.2, 0.2], [0.5, 0.3, 0.2], [0.4, 0.1, 0.5]])
    exponents = np.array([0.3, 0.4, 0.5])
    together = round_parameters(loss_shares=shares, loss_params_exponent=exponents)
    found = trends.log10_effective_flop(2027.0, 0.0, together)
    for i in range(3):
        one = round_parameters(loss_shares=shares[i], loss_params_exponent=exponents[i])
        assert found[i] == pytest.approx(float(trends.log10_effective_flop(2027.0, 0.0, one)), abs=1e-12)


def test_staff_doubles_yearly_to_the_slowdown_and_then_stays() -> None:
    years = np.array([2025.0, 2026.0, 2028.0, 2040.0])
    np.testing.assert_allclose(np.exp(trends.log_leader_researchers(years, P)), [4e3, 8e3, 32e3, 32e3])
    np.testing.assert_allclose(np.exp(trends.log_world_researchers(years, P)), [5e4, 1e5, 4e5, 4e5])


@given(st.floats(100.0, 1e6), st.floats(100.0, 1e6), st.floats(2020.0, 2060.0))
def test_the_leader_never_has_more_than_half_the_worlds_researchers(leader: float, world: float, year: float) -> None:
    p = round_parameters(leader_researchers=leader, world_researchers=world)
    gap = trends.log_world_researchers(year, p) - trends.log_leader_researchers(year, p)
    assert gap >= LN2 - 1e-12
    assert gap == pytest.approx(np.log(world / min(leader, world / 2)), abs=1e-9)


@given(st.floats(2020.0, 2060.0), st.floats(0.01, 0.9), st.floats(0.01, 0.9), st.floats(-1.0, 1.0))
def test_no_run_exceeds_its_fleet_and_no_fleet_the_world(year: float, run: float, fleet: float, growth: float) -> None:
    p: dict[str, Any] = round_parameters(
        largest_run_share=run, largest_fleet_share=fleet, training_compute_growth=growth
    )
    cluster = trends.log10_training_flop(year, p) - np.log10(0.5) - np.log10(RUN_SECONDS)
    assert cluster <= trends.log10_fleet(year, p) + np.log10(run) + 1e-9
    assert trends.log10_fleet(year, p) <= trends.log10_world(year, p) + np.log10(fleet) + 1e-9
