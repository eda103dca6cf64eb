"""Compute equations against the numbers printed in the posts they come from, and an exact push-forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from forecast.equations import compute
from forecast.schema import JULIAN_YEAR_SECONDS

YEAR = 3e7  # the posts' year
QUARTER = YEAR / 4
HOUR_OF_TOKENS = 3600.0
CASES = [
    (compute.training_flop, [[1e9, 7e10, 1e14], [20.0, 100.0, 5.0], [1.0, 3.0, 3600.0], [2.0, 4.0, 5.0]]),
    (compute.params_from_training_flop, [[1e24, 1e40, 1e30], [20.0, 100.0, 5.0], [1.0, 3.0, 360.0], [2.0, 4.0, 5.0]]),
    (compute.cluster_training_flop, [[1e20, 1e21], [0.4, 0.5], [1e7, 3e6]]),
    (compute.tokens_per_second, [[1e20, 1e21], [0.4, 0.5], [1e12, 3e11]]),
    (compute.tokens_per_second_after_training, [[1e14, 1e15], [3e7, 1e6], [20.0, 40.0], [1.0, 3600.0], [1.0, 0.5]]),
    (compute.world_tokens_per_second, [[4e21, 1e22], [3e7, 1e6], [20.0, 40.0], [1.0, 9.0], [4.0, 5.0], [0.25, 1.0]]),
    (compute.longest_training_run, [[0.28, 0.3], [0.54, 0.9]]),
    (compute.tokens_per_researcher_second_at_parity, [[2e7, 1e9], [5e4, 1e5]]),
]


@pytest.mark.parametrize(("function", "columns"), CASES)
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any], columns: list[list[float]]
) -> None:
    assert_same_on_kind(function, columns)


@pytest.mark.parametrize(
    ("params", "seconds", "tokens_per_datapoint", "printed"),
    [(1e14, YEAR, 1.0, 2e8), (1e15, YEAR, 1.0, 2e9), (1e14, QUARTER, HOUR_OF_TOKENS, 2.88e12)],
)
def test_the_posts_examples_of_reallocating_the_training_cluster(
    params: float, seconds: float, tokens_per_datapoint: float, printed: float
) -> None:
    found = compute.tokens_per_second_after_training(params, seconds, 20.0, tokens_per_datapoint)
    assert found == pytest.approx(printed, rel=1e-12)


def test_the_posts_lower_bound_for_the_world() -> None:
    params = compute.params_from_training_flop(1e21 * YEAR, 20.0, 1.0, 4.0)
    tokens = compute.world_tokens_per_second(1e21, YEAR, 20.0, 1.0, 4.0)
    assert params == pytest.approx(1.118e13, rel=1e-4)
    assert tokens == pytest.approx(2.24e7, rel=2e-3)
    assert tokens / 50.0 == pytest.approx(450_000, rel=0.01)
    assert 1e21 / (4 * 1.6e13) == pytest.approx(15.6e6, rel=2e-3), "what the post's slip of 1.6e13 would have given"


def test_a_quarter_of_the_world_is_the_same_as_a_world_a_quarter_the_size() -> None:
    whole = compute.world_tokens_per_second(4e21, YEAR, 20.0, 1.0, 4.0, share=0.25)
    assert whole == pytest.approx(compute.world_tokens_per_second(1e21, YEAR, 20.0, 1.0, 4.0), rel=1e-12)


INTERVALS = {  # 90% intervals of lognormals
    "flop_per_second": (1e19, 1e21),
    "training_seconds": (0.1 * JULIAN_YEAR_SECONDS, 2 * JULIAN_YEAR_SECONDS),
    "tokens_per_param": (5.0, 100.0),
    "tokens_per_datapoint": (1.0, 1000.0),
    "flop_per_param_token": (1.0, 3.0),
}
LOG_MEAN = {name: np.log(low * high) / 2 for name, (low, high) in INTERVALS.items()}
LOG_SD = {name: np.log(high / low) / (2 * norm.ppf(0.95)) for name, (low, high) in INTERVALS.items()}
PUSHED_FORWARD = np.array([8.91738e6, 9.31565e7, 9.73172e8])


def test_lognormal_inputs_push_forward_to_the_published_lognormal() -> None:
    """The log of n is linear in the logs, so one e-fold change of each input reads off its coefficient exactly."""
    centre = {name: np.exp(mean) for name, mean in LOG_MEAN.items()}
    median = compute.world_tokens_per_second(**centre)
    slopes = [np.log(compute.world_tokens_per_second(**centre | {n: centre[n] * np.e}) / median) for n in centre]
    sd = np.sqrt(sum((slope * LOG_SD[name]) ** 2 for slope, name in zip(slopes, centre, strict=True)))
    np.testing.assert_allclose(slopes, [0.5, -0.5, 0.5, 0.5, -0.5], atol=1e-12)
    np.testing.assert_allclose(median * np.exp(sd * norm.ppf([0.05, 0.5, 0.95])), PUSHED_FORWARD, rtol=1e-5)


def test_draws_push_forward_to_the_same_quantiles() -> None:
    rng = np.random.default_rng(7)
    size = 200_000
    draws = {name: np.exp(rng.normal(LOG_MEAN[name], LOG_SD[name], size)) for name in INTERVALS}
    found = np.quantile(compute.world_tokens_per_second(**draws), [0.05, 0.5, 0.95])
    sd_of_quantile = np.sqrt(np.array([0.05, 0.5, 0.95]) * np.array([0.95, 0.5, 0.05]) / size)
    sd_of_quantile /= norm.pdf(norm.ppf([0.05, 0.5, 0.95])) / (np.log(PUSHED_FORWARD[2] / PUSHED_FORWARD[0]) / 3.29)
    assert np.all(np.abs(np.log(found / PUSHED_FORWARD)) < 4 * sd_of_quantile)


def test_the_two_routes_to_tokens_per_second_agree() -> None:
    """F/(k p) with k = 2/u is u F/(2 p); and the cluster that trains p in N seconds serves 3 m p H/N tokens."""
    params, seconds, peak, utilization = 3e12, 8e6, 2e21, 0.37
    assert compute.tokens_per_second(peak, utilization, params) == pytest.approx(peak / (2 / utilization * params))
    flop = compute.training_flop(params, 20.0, 5.0)
    cluster = flop / (utilization * seconds)
    assert compute.cluster_training_flop(cluster, utilization, seconds) == pytest.approx(flop)
    served = compute.tokens_per_second(cluster, utilization, params)
    assert served == pytest.approx(compute.tokens_per_second_after_training(params, seconds, 20.0, 5.0))


def test_lower_utilization_in_deployment_serves_fewer_tokens() -> None:
    full = compute.tokens_per_second_after_training(1e14, YEAR)
    half = compute.tokens_per_second_after_training(1e14, YEAR, deployment_over_training_utilization=0.5)
    assert half == pytest.approx(full / 2)


def test_longest_run_reproduces_the_published_table() -> None:
    """Three published scenarios determine the three growth rates; the fourth, 6.49 months, is then a prediction."""
    hardware = 1 / 3.55
    software = 1 / 1.22 - hardware
    spending = 12 / 9.12 - hardware
    months = JULIAN_YEAR_SECONDS / 12
    assert 14 < compute.longest_training_run(hardware, software) / months < 15
    assert compute.longest_training_run(hardware, software, spending) / months == pytest.approx(14.64, abs=0.01)
    all_three = compute.longest_training_run(hardware, software, spending, budgets=True)
    assert all_three / months == pytest.approx(6.49, abs=0.03)


def test_longest_run_maximises_what_a_deadline_leaves() -> None:
    """Hardware bought n years before the deadline and run for n years gives n exp(-g n): largest at n = 1/g."""
    lengths = np.linspace(0.1, 5.0, 49_001)
    best = lengths[np.argmax(lengths * np.exp(-0.82 * lengths))]
    assert compute.longest_training_run(0.28, 0.54) / JULIAN_YEAR_SECONDS == pytest.approx(best, abs=1e-3)


def test_a_token_at_parity_is_worth_far_less_than_a_researchers_second() -> None:
    tokens = compute.world_tokens_per_second(1e21, YEAR, 20.0, 1.0, 4.0)
    assert compute.tokens_per_researcher_second_at_parity(tokens, 5e4) == pytest.approx(447, rel=1e-3)


@given(st.floats(1e6, 1e18), st.floats(0.1, 1e4), st.floats(1.0, 1e6), st.floats(1.0, 20.0))
def test_params_and_training_flop_are_inverse(params: float, ratio: float, horizon: float, flop: float) -> None:
    spent = compute.training_flop(params, ratio, horizon, flop)
    assert compute.params_from_training_flop(spent, ratio, horizon, flop) == pytest.approx(params, rel=1e-12)
