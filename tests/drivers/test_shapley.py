"""Shapley effects and variance shares against closed forms: Ishigami, Sobol's g, linear functions of Gaussians."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from drivers.oracles import (
    g_function,
    g_variances,
    gaussian_explained,
    gaussian_shapley,
    ishigami,
    ishigami_variances,
    shapley_of_terms,
)
from threadpoolctl import threadpool_limits

from forecast.drivers.regression import alone, growing, prepared, reading, without
from forecast.drivers.shapley import Effects, orders_of, shapley_effects, shares_of
from forecast.drivers.splines import screened, spline_columns, splines

Array = npt.NDArray[np.float64]
DRAWS = 4000
TOLERANCE = 0.02  # of the variance, as issue 4 asks


def segments(draws: int = DRAWS) -> npt.NDArray[np.intp]:
    return np.arange(draws) // 25


def effects(x: Array, y: Array, players: dict[str, list[int]] | None = None, orders: int = 100) -> Effects:
    features = screened(splines(x), y)
    data = prepared(features.columns, y, segments(len(y)))
    groups = players or {f"x{i}": [i] for i in range(x.shape[1])}
    with threadpool_limits(1):
        return shapley_effects(data, features, groups, segments(len(y)), 1, orders)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ishigami_has_the_shares_of_its_decomposition(seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-np.pi, np.pi, (DRAWS, 3))
    found = effects(x, ishigami(x))
    np.testing.assert_allclose(found.effects.share, shapley_of_terms(ishigami_variances(), 3), atol=TOLERANCE)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_g_function_has_the_shares_of_its_decomposition(seed: int) -> None:
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])
    found = effects(u := np.random.default_rng(seed).random((DRAWS, 8)), g_function(u, a))
    np.testing.assert_allclose(found.effects.share, shapley_of_terms(g_variances(a), 8), atol=TOLERANCE)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_five_dependent_gaussians_have_the_closed_form(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors, slopes = rng.normal(size=(5, 5)), rng.normal(size=5)
    covariance = factors @ factors.T / 5.0 + 0.3 * np.eye(5)
    x = rng.multivariate_normal(np.zeros(5), covariance, DRAWS)
    found = effects(x, x @ slopes)
    np.testing.assert_allclose(found.effects.share, gaussian_shapley(slopes, covariance), atol=TOLERANCE)


def test_forty_dependent_gaussians_have_the_closed_form() -> None:
    """Twenty independent pairs: the effects of each pair are those of the pair alone."""
    rng = np.random.default_rng(4)
    slopes, correlations = rng.normal(size=40) * np.repeat(np.linspace(2.0, 0.1, 20), 2), rng.uniform(-0.95, 0.95, 20)
    covariance, expected = np.eye(40), np.empty(40)
    for k, rho in enumerate(correlations):
        pair = slice(2 * k, 2 * k + 2)
        covariance[pair, pair] = [[1.0, rho], [rho, 1.0]]
        expected[pair] = gaussian_shapley(slopes[pair], covariance[pair, pair]) * float(
            slopes[pair] @ covariance[pair, pair] @ slopes[pair]
        )
    x = rng.multivariate_normal(np.zeros(40), covariance, DRAWS)
    found = effects(x, x @ slopes)
    np.testing.assert_allclose(found.effects.share, expected / expected.sum(), atol=TOLERANCE)


def test_groups_have_the_sum_of_independent_members() -> None:
    x = np.random.default_rng(5).normal(size=(DRAWS, 20))
    slopes = np.linspace(1.0, 2.0, 20)
    found = effects(x, x @ slopes, {"first": list(range(5)), "second": list(range(5, 20))})
    expected = np.array([np.sum(slopes[:5] ** 2), np.sum(slopes[5:] ** 2)]) / np.sum(slopes**2)
    np.testing.assert_allclose(found.effects.share, expected, atol=TOLERANCE)


def test_effects_add_up_to_what_all_inputs_explain() -> None:
    x = np.random.default_rng(6).normal(size=(1000, 7))
    found = effects(x, x[:, 0] * x[:, 1] + x[:, 2] ** 3 + np.random.default_rng(7).normal(size=1000), orders=20)
    assert found.effects.share.sum() == pytest.approx(float(found.explained.share[0]), abs=1e-12)


def test_noise_explains_nothing_however_many_columns_it_has() -> None:
    """A plain R2 would say 200 / 4000 = 5%."""
    rng = np.random.default_rng(8)
    columns, y = rng.normal(size=(DRAWS, 200)), rng.normal(size=DRAWS)
    data = prepared((columns - columns.mean(axis=0)) / columns.std(axis=0), y, segments(), ridge=1e-4)
    share = shares_of(growing(data, np.zeros(200, dtype=np.intp), 1), y, segments()).share[0]
    assert abs(float(share)) < 0.01


def test_single_sets_growing_sets_and_all_but_one_agree_with_gaussian_algebra() -> None:
    rng = np.random.default_rng(9)
    covariance = 0.5 * np.eye(4) + 0.5
    slopes = np.array([1.0, -2.0, 0.5, 0.0])
    x = rng.multivariate_normal(np.zeros(4), covariance, 20_000)
    y, segment = x @ slopes, segments(20_000)
    features = screened(splines(x), y)
    data = prepared(features.columns, y, segment)
    variance = float(slopes @ covariance @ slopes)
    own = [np.flatnonzero((features.reads == i).all(axis=1)) for i in range(4)]
    first = shares_of(alone(data, own), y, segment).share
    expected = [gaussian_explained((i,), slopes, covariance) / variance for i in range(4)]
    np.testing.assert_allclose(first, expected, atol=0.01)
    kept = shares_of(without(data, [reading(features, [i]) for i in range(4)]), y, segment).share
    others = [tuple(j for j in range(4) if j != i) for i in range(4)]
    np.testing.assert_allclose(kept, [gaussian_explained(o, slopes, covariance) / variance for o in others], atol=0.01)
    steps = features.reads.max(axis=1)
    grown = shares_of(growing(data, steps, 4), y, segment).share
    expected = [gaussian_explained(tuple(range(k + 1)), slopes, covariance) / variance for k in range(4)]
    np.testing.assert_allclose(grown, expected, atol=0.01)


def test_a_conditional_variance_agrees_with_nested_monte_carlo() -> None:
    """Dependent, skewed, with an interaction: 2,000 outer by 2,000 inner draws against 4,000 draws in one table."""
    rng, rho = np.random.default_rng(10), 0.6

    def output(z: Array, w: Array) -> Array:
        return np.exp(0.5 * z) * (1.0 + w) + np.maximum(w, 0.0)

    outer = rng.normal(size=2000)
    inner = rho * outer[:, None] + np.sqrt(1.0 - rho**2) * rng.normal(size=(2000, 2000))
    nested = output(outer[:, None], inner)
    expected = nested.mean(axis=1).var() / nested.var()
    z = rng.normal(size=DRAWS)
    w = rho * z + np.sqrt(1.0 - rho**2) * rng.normal(size=DRAWS)
    x, y = np.column_stack([z, w]), output(z, w)
    features = screened(splines(x), y)
    data = prepared(features.columns, y, segments())
    own = np.flatnonzero((features.reads == 0).all(axis=1))
    share = shares_of(alone(data, [own]), y, segments()).share[0]
    assert float(share) == pytest.approx(float(expected), abs=0.04)  # 2 standard errors of the 4,000


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of 5 inputs x 12 samples: a 90% interval that held half of them would be a bug."""
    covariance, slopes = 0.4 * np.eye(5) + 0.6, np.array([1.0, 0.5, -1.0, 0.2, 0.0])
    truth = gaussian_shapley(slopes, covariance)
    inside = []
    for seed in range(12):
        x = np.random.default_rng(seed).multivariate_normal(np.zeros(5), covariance, 1000)
        found = effects(x, x @ slopes + np.random.default_rng(99 + seed).normal(size=1000), orders=20).effects
        noisy = truth * float(slopes @ covariance @ slopes) / (float(slopes @ covariance @ slopes) + 1.0)
        inside.append((found.low <= noisy) & (noisy <= found.high))
    assert 0.75 <= np.mean(inside) <= 1.0


def test_dependent_neighbours_widen_the_intervals() -> None:
    """Every draw repeated 25 times is worth one: the interval is about five times as wide."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(4000, 2))
    y = x[:, 0] + x[:, 1] + rng.normal(size=4000)
    apart, repeated = effects(x, y).effects, effects(np.repeat(x[:160], 25, axis=0), np.repeat(y[:160], 25)).effects
    assert 3.0 < (repeated.high - repeated.low).mean() / (apart.high - apart.low).mean() < 8.0


def test_the_same_seed_gives_the_same_numbers() -> None:
    x = np.random.default_rng(12).normal(size=(500, 8))
    one, other = effects(x, x[:, 0] + x[:, 1] * x[:, 2]), effects(x, x[:, 0] + x[:, 1] * x[:, 2])
    for a, b in zip(one.effects, other.effects, strict=True):
        np.testing.assert_array_equal(a, b)


def test_orders_are_all_of_few_players_and_pairs_with_their_reverse_of_many() -> None:
    assert len(orders_of(4, 100, 1)) == 24
    many = orders_of(9, 10, 1)
    assert len(many) == 10
    assert all(np.array_equal(many[i], many[i + 1][::-1]) for i in range(0, 10, 2))


def test_spline_columns_are_uncorrelated_and_reproduce_a_straight_line() -> None:
    z = np.random.default_rng(13).normal(size=1000)
    columns = spline_columns(z, 6)
    np.testing.assert_allclose(columns.T @ columns / 1000.0, np.eye(5), atol=1e-10)
    assert np.corrcoef(columns[:, 0], z)[0, 1] == pytest.approx(1.0)
