"""Worth of knowing an input: closed forms for Gaussian inputs and threshold events."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import ndtr

from forecast.drivers.regression import alone, prepared
from forecast.drivers.shapley import shares_of
from forecast.drivers.splines import splines
from forecast.drivers.worth import information_bits, rank_correlations

DRAWS = 20_000
SEGMENTS = np.arange(DRAWS) // 25


def entropy_bits(p: float) -> float:
    return float(stats.entropy([p, 1.0 - p], base=2.0))


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_knowing_x_of_a_gaussian_pair_is_worth_rho_squared_of_the_variance(rho: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(DRAWS, 1))
    y = rho * x[:, 0] + np.sqrt(1.0 - rho**2) * rng.normal(size=DRAWS)
    columns = splines(x)[0]
    found = shares_of(alone(prepared(columns, y, SEGMENTS), [np.arange(columns.shape[1])]), y, SEGMENTS)
    assert float(found.share[0]) == pytest.approx(rho**2, abs=0.02)
    assert found.low[0] < rho**2 < found.high[0]


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_an_even_chance_has_the_brier_score_and_the_bits_of_the_orthant(rho: float) -> None:
    """P(y > 0 | x) = Phi(rho x / sqrt(1 - rho^2)), whose variance is arcsin(rho^2) / (2 pi) (Sheppard 1899)."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(DRAWS, 1))
    event = (rho * x[:, 0] + np.sqrt(1.0 - rho**2) * rng.normal(size=DRAWS) > 0.0).astype(float)
    columns = splines(x)[0]
    share = shares_of(alone(prepared(columns, event, SEGMENTS), [np.arange(columns.shape[1])]), event, SEGMENTS).share
    assert float(share[0]) * 0.25 == pytest.approx(np.arcsin(rho**2) / (2.0 * np.pi), abs=0.005)
    left = integrate.quad(lambda z: stats.norm.pdf(z) * entropy_bits(ndtr(rho * z / np.sqrt(1.0 - rho**2))), -6.0, 6.0)[
        0
    ]
    bits = information_bits([columns], event, SEGMENTS)
    assert float(bits.share[0]) == pytest.approx(1.0 - left, abs=0.01)
    assert bits.low[0] < 1.0 - left < bits.high[0]


def test_an_input_that_says_nothing_is_worth_nothing() -> None:
    rng = np.random.default_rng(3)
    x, event = rng.normal(size=(DRAWS, 1)), (rng.random(DRAWS) < 0.05).astype(float)
    bits = information_bits(splines(x), event, SEGMENTS)
    assert abs(float(bits.share[0])) < 0.001


def test_an_input_that_says_all_is_worth_the_entropy() -> None:
    x = np.random.default_rng(4).normal(size=(DRAWS, 1))
    event = (x[:, 0] > stats.norm.isf(0.2)).astype(float)
    assert float(information_bits(splines(x), event, SEGMENTS).share[0]) == pytest.approx(entropy_bits(0.2), abs=0.03)


def test_an_event_that_hardly_ever_happens_is_answered() -> None:
    rng = np.random.default_rng(5)
    event = np.zeros(DRAWS)
    event[:2] = 1.0
    assert np.isfinite(information_bits(splines(rng.normal(size=(DRAWS, 2))), event, SEGMENTS).share).all()


def test_rank_correlation_is_spearman_s_and_counts_censored_draws() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(300, 2))
    y = np.exp(x[:, 0]) + rng.normal(size=300)
    y[y > 2.0] = np.inf
    expected = [stats.spearmanr(x[:, j], np.minimum(y, 1e9)).statistic for j in range(2)]
    np.testing.assert_allclose(rank_correlations(x, y), expected, rtol=1e-12)
