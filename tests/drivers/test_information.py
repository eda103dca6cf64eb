"""Divergence from draws against closed forms, a histogram, and its own scatter over seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.drivers.information import kl_bits, kth_distance
from forecast.errors import InputError

DRAWS = 4000
LN2 = np.log(2.0)


def gaussian_bits(mean: float, sd: float) -> float:
    """KL(N(mean, sd^2) || N(0, 1))."""
    return float((-np.log(sd) + (sd**2 + mean**2 - 1.0) / 2.0) / LN2)


def pair(seed: int, mean: float, sd: float, draws: int = DRAWS) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(mean, sd, draws), rng.normal(size=draws)


def chain(seed: int, correlation: float) -> np.ndarray:
    """Standard normal draws of a chain with that autocorrelation."""
    noise = np.random.default_rng(seed).normal(size=DRAWS)
    values = np.zeros(DRAWS)
    for i in range(1, DRAWS):
        values[i] = correlation * values[i - 1] + np.sqrt(1.0 - correlation**2) * noise[i]
    return values


@pytest.mark.parametrize(
    ("mean", "sd"), [(0.0, 1.0), (0.3, 1.0), (1.0, 1.0), (2.0, 0.5), (0.0, 0.5), (0.0, 0.1), (1.0, 0.03)]
)
def test_two_normals_have_the_divergence_of_the_closed_form(mean: float, sd: float) -> None:
    for seed in range(3):
        found = kl_bits(*pair(seed, mean, sd))
        assert found.raw == pytest.approx(gaussian_bits(mean, sd), abs=max(4.0 * found.error, 0.05))


@pytest.mark.parametrize("draws", [1600, DRAWS])
def test_draws_of_the_same_distribution_tell_nothing(draws: int) -> None:
    found = [kl_bits(*pair(seed, 0.0, 1.0, draws)) for seed in range(10)]
    assert all(abs(one.raw) < 0.05 for one in found)
    assert abs(np.mean([one.raw for one in found])) < 0.015


def test_the_same_draws_tell_nothing_exactly() -> None:
    x, _ = pair(1, 0.0, 1.0)
    assert kl_bits(x, x) == (0.0, 0.0, 0.0)


def test_what_is_reported_is_never_negative_and_the_estimate_is_kept() -> None:
    found = [kl_bits(*pair(seed, 0.0, 1.0, 1000)) for seed in range(10)]
    assert min(one.raw for one in found) < 0.0
    assert all(one.bits == max(one.raw, 0.0) for one in found)


def test_a_tenth_of_the_spread_is_worth_its_logarithm() -> None:
    """Uniform on a tenth of the other's interval: log2 of 10, whatever the place."""
    rng = np.random.default_rng(3)
    found = kl_bits(rng.uniform(0.4, 0.5, DRAWS), rng.uniform(0.0, 1.0, DRAWS))
    assert found.raw == pytest.approx(np.log2(10.0), abs=0.15)


def test_two_gammas_agree_with_a_fine_histogram_of_a_million_draws() -> None:
    rng = np.random.default_rng(4)
    x, y = np.log(rng.gamma(6.0, size=10**6)), np.log(rng.gamma(3.0, size=10**6))
    edges = np.linspace(min(x.min(), y.min()), max(x.max(), y.max()), 200)
    p, q = (np.histogram(draws, edges)[0] / draws.size for draws in (x, y))
    both = (p > 0.0) & (q > 0.0)
    brute = float((p[both] * np.log2(p[both] / q[both])).sum())
    assert kl_bits(x[:DRAWS], y[:DRAWS]).raw == pytest.approx(brute, abs=0.1)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.1), (0.0, 0.01)])
def test_the_stated_error_is_the_scatter_over_seeds(mean: float, sd: float) -> None:
    found = [kl_bits(*pair(seed, mean, sd)) for seed in range(40)]
    stated, scatter = np.mean([one.error for one in found]), np.std([one.raw for one in found])
    assert 0.7 < stated / scatter < 1.8


def test_a_monotone_scale_changes_nothing_but_noise() -> None:
    x, y = pair(5, 0.7, 0.8)
    assert kl_bits(np.exp(x), np.exp(y)).raw == pytest.approx(kl_bits(x, y).raw, abs=0.05)


def test_chains_that_depend_on_their_last_draw_a_little_tell_nothing_either() -> None:
    assert abs(kl_bits(chain(1, 0.6), chain(2, 0.6)).raw) < 0.05


def test_beyond_all_draws_of_the_other_it_says_less_than_there_is_but_still_much() -> None:
    found = kl_bits(*pair(6, 8.0, 0.3))
    assert 5.0 < found.bits < gaussian_bits(8.0, 0.3)


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_the_kth_nearest_is_the_one_a_search_through_all_finds(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    points, draws = rng.normal(size=30), np.sort(rng.normal(size=25).round(1))
    brute = np.sort(np.abs(points[:, None] - draws), axis=1)[:, k - 1]
    np.testing.assert_allclose(kth_distance(points, draws, k), brute, rtol=0, atol=1e-15)


def test_too_few_draws_and_draws_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="50 draws: give at least"):
        kl_bits(np.zeros(50), np.zeros(4000))
    with pytest.raises(InputError, match="not finite"):
        kl_bits(np.append(np.zeros(999), np.inf), np.zeros(1000))
