"""Weights and worth against closed forms: a linear-Gaussian toy, a two-point latent by quadrature, and the limits."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from forecast.quantiles import quantile
from forecast.research.reweighting import (
    Measurement,
    Worth,
    at_least,
    effective_draws,
    entropy,
    likelihood,
    log_likelihood,
    predictive_quantiles,
    resampled,
    share,
    weighted_quantile,
    weights,
    worths,
)

DRAWS = 4000
NOISE = 0.7  # of the toy: theta ~ N(0, 1), y ~ N(theta, NOISE^2), the event is theta > CUT
CUT = 0.5
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def toy(seed: int = 1, draws: int = DRAWS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Theta, the event, and theta's ranks."""
    theta = np.random.default_rng(seed).normal(size=draws)
    return theta, (theta > CUT).astype(float), stats.rankdata(theta) / draws


def gaussian(theta: np.ndarray, noise: float = NOISE) -> Measurement:
    return Measurement(theta, np.full(theta.shape, noise))


def one_worth(measured: Measurement, event: np.ndarray, ranks: np.ndarray, seed: int = 1, **settings: int) -> Worth:
    return worths({"y": measured}, {"y": ["y"]}, event, ranks, seed, **settings)["y"]


def over_outcomes(noise: float, value) -> float:  # type: ignore[no-untyped-def]
    """Expectation over y of a function of P(theta > CUT | y), by Gauss-Hermite quadrature."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(200)
    y = nodes * np.sqrt(1.0 + noise**2)
    posterior = stats.norm.sf((CUT - y / (1.0 + noise**2)) / (noise / np.sqrt(1.0 + noise**2)))
    return float(value(posterior) @ weight / weight.sum())


def toy_bits(noise: float) -> float:
    """Mutual information of the event and y."""
    return entropy(stats.norm.sf(CUT)) - over_outcomes(noise, np.vectorize(entropy))


def toy_reduction(noise: float) -> float:
    """Var(E[Phi(theta) | y]) / (1/12): the rank is Phi(theta), E[Phi(X)^2] - 1/4 = arcsin(v / (1 + v)) / (2 pi)."""
    kept = 1.0 / (1.0 + noise**2)  # variance of the posterior mean; the posterior variance is the rest
    v = kept / (2.0 - kept)
    return float(6.0 / np.pi * np.arcsin(v / (1.0 + v)))


# Reweighting


@pytest.mark.parametrize("seen", [-1.0, 0.0, 0.8])
def test_weighted_draws_have_the_mean_and_variance_of_the_gaussian_posterior(seen: float) -> None:
    theta, _, _ = toy()
    weight = weights(log_likelihood(seen, gaussian(theta)))
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ theta == pytest.approx(seen / (1.0 + NOISE**2), abs=0.04)
    assert weight @ (theta - weight @ theta) ** 2 == pytest.approx(NOISE**2 / (1.0 + NOISE**2), rel=0.06)


def test_a_bound_weights_by_its_probability() -> None:
    theta, event, _ = toy()
    weight = weights(np.log(at_least(1.0, gaussian(theta))))
    scale = np.sqrt(1.0 + NOISE**2)
    both = stats.multivariate_normal([0.0, 0.0], [[1.0, 1.0 / scale], [1.0 / scale, 1.0]]).cdf([-CUT, -1.0 / scale])
    assert weight @ event == pytest.approx(both / stats.norm.sf(1.0 / scale), abs=0.02)


def test_the_stated_error_of_a_probability_is_its_scatter_over_runs() -> None:
    found, errors = [], []
    for seed in range(60):
        theta, event, _ = toy(seed, 1000)
        estimate = share(weights(log_likelihood(1.0, gaussian(theta))), event, resampled(1000, seed))
        found.append(estimate.value)
        errors.append(estimate.error)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.3)


def test_a_flat_likelihood_changes_nothing() -> None:
    theta, event, ranks = toy()
    flat = gaussian(theta, 1e9)
    weight = weights(log_likelihood(0.3, flat))
    np.testing.assert_allclose(weight, 1.0 / DRAWS, rtol=1e-6)
    assert effective_draws(weight) == pytest.approx(DRAWS)
    found = one_worth(flat, event, ranks)
    assert (found.bits.value, found.shift.value, found.reduction.value) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
    assert found.effective_draws == pytest.approx(DRAWS)


@given(
    st.lists(st.one_of(st.floats(-5, 5), st.just(np.inf)), min_size=2, max_size=30),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4),
)
def test_with_equal_weights_quantiles_are_the_ones_everything_else_prints(values: list[float], levels: list[float]):
    draws = np.array(values)
    expected = quantile(xr.DataArray(draws, dims="draw"), levels).values
    found = weighted_quantile(draws, np.full(draws.size, 1.0 / draws.size), levels)
    inside = np.isfinite(expected) & np.isfinite(found)  # at an order statistic rounding may tip into the next draw
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-6)
    assert (np.isinf(found) == np.isinf(expected)).all() or np.isinf(draws).any()


def test_a_draw_without_weight_is_as_good_as_absent() -> None:
    values, weight = np.array([1.0, 2.0, 9.0, 4.0]), np.array([0.2, 0.2, 0.0, 0.2])
    np.testing.assert_allclose(
        weighted_quantile(values, weight, LEVELS), weighted_quantile(values[[0, 1, 3]], weight[[0, 1, 3]], LEVELS)
    )
    assert weighted_quantile(values, np.array([0.0, 0.0, 1.0, 0.0]), [0.5]).tolist() == [9.0]


def test_what_no_draw_allows_leaves_the_draws_as_they_are() -> None:
    assert weights(np.full(5, -np.inf)).tolist() == [0.2] * 5


def test_the_predictive_is_the_convolution_with_the_noise() -> None:
    nodes = stats.norm.ppf((np.arange(DRAWS) + 0.5) / DRAWS)
    expected = stats.norm.ppf(LEVELS) * np.sqrt(1.0 + NOISE**2)
    np.testing.assert_allclose(predictive_quantiles(gaussian(nodes), LEVELS), expected, atol=0.01)


def test_likelihoods_are_those_of_student_t() -> None:
    measured = Measurement(np.array([0.0, 1.0]), np.array([0.5, 2.0]), nu=5.0)
    expected = stats.t(5.0, loc=measured.mean, scale=measured.spread)
    one = likelihood(np.array([1.3]), measured)[0]
    assert one[0] / one[1] == pytest.approx(np.divide(*expected.pdf(1.3)))
    np.testing.assert_allclose(np.exp(log_likelihood(1.3, measured)), one)
    np.testing.assert_allclose(at_least(1.3, measured), expected.sf(1.3))


def test_a_draw_without_limit_is_at_least_anything_and_equals_nothing_finite() -> None:
    measured = Measurement(np.array([0.0, np.inf]), np.array([1.0, 1.0]), nu=5.0)
    assert at_least(1e6, measured)[1] == 1.0
    assert weights(log_likelihood(0.0, measured)).tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(likelihood(np.array([np.inf]), measured), [[0.0, 1.0]])
    assert predictive_quantiles(measured, [0.9]).tolist() == [np.inf]


# Worth


@pytest.mark.parametrize("noise", [0.4, NOISE, 2.0])
def test_worth_in_the_gaussian_toy_is_the_closed_form(noise: float) -> None:
    theta, event, ranks = toy()
    found = one_worth(gaussian(theta, noise), event, ranks)
    share_of = stats.norm.sf(CUT)
    assert found.bits.value == pytest.approx(toy_bits(noise), abs=3.0 * found.bits.error)
    assert found.reduction.value == pytest.approx(toy_reduction(noise), abs=3.0 * found.reduction.error)
    shift = over_outcomes(noise, lambda posterior: np.abs(posterior - share_of))
    assert found.shift.value == pytest.approx(shift, abs=3.0 * found.shift.error)
    assert found.bits.error < 0.02 and found.reduction.error < 0.02


def test_measured_together_precisions_add() -> None:
    theta, event, ranks = toy(2)
    noises = {"a": 1.0, "b": 1.5, "c": 0.9}
    measured = {name: gaussian(theta, noise) for name, noise in noises.items()}
    found = worths(measured, {"a": ["a"], "all": list(noises)}, event, ranks, seed=3)
    together = 1.0 / np.sqrt(sum(noise**-2 for noise in noises.values()))
    assert found["all"].bits.value == pytest.approx(toy_bits(together), abs=3.0 * found["all"].bits.error)
    assert found["all"].reduction.value == pytest.approx(
        toy_reduction(together), abs=3.0 * found["all"].reduction.error
    )
    assert found["all"].bits.value > found["a"].bits.value


def test_three_measurements_of_three_things_are_not_overrated() -> None:
    """Of three independent x the event is 0.15 sum(x) + N(0, 1) > 0; the plain mixture finds a seventh too much."""
    kept, noise = 0.15**2 * 3.0 / (1.0 + NOISE**2), 1.0 + 0.15**2 * 3.0 * NOISE**2 / (1.0 + NOISE**2)
    nodes, weight = np.polynomial.hermite_e.hermegauss(100)
    truth = 1.0 - np.vectorize(entropy)(stats.norm.cdf(nodes * np.sqrt(kept / noise))) @ weight / weight.sum()
    found = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        x = generator.normal(size=(3, DRAWS))
        score = 0.15 * x.sum(axis=0) + generator.normal(size=DRAWS)
        measured = {name: gaussian(one) for name, one in zip("abc", x, strict=True)}
        event, ranks = (score > 0.0).astype(float), stats.rankdata(score) / DRAWS
        found.append(worths(measured, {"abc": list("abc")}, event, ranks, seed)["abc"].bits)
    values, errors = np.array(found).T
    assert np.mean(values) == pytest.approx(truth, rel=0.12)
    assert np.std(values) < np.mean(errors) < 3.0 * np.std(values)


def test_the_stated_error_is_the_scatter_over_runs() -> None:
    truth = toy_bits(2.0)
    found = []
    for seed in range(40):
        theta, event, ranks = toy(100 + seed, 400)
        found.append(one_worth(gaussian(theta, 2.0), event, ranks, seed, values=400).bits)
    values, errors = np.array(found).T
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.4)
    assert np.mean(values) == pytest.approx(truth, abs=3.0 * np.std(values) / np.sqrt(len(values)))


def test_an_indicator_without_bearing_is_worth_nothing() -> None:
    _, event, ranks = toy()
    for seed in range(5):
        idle = gaussian(np.random.default_rng(seed + 50).normal(size=DRAWS))
        found = one_worth(idle, event, ranks, seed)
        assert found.bits.value <= 3.0 * found.bits.error < 0.005
        assert found.reduction.value <= 3.0 * found.reduction.error < 0.01


def test_without_noise_an_indicator_that_is_the_outcome_gives_all_of_it() -> None:
    _, event, ranks = toy()
    found = one_worth(Measurement(event, np.full(DRAWS, 1e-6), nu=5.0), event, ranks)
    happens = event.mean()
    assert found.bits.value == pytest.approx(entropy(happens), abs=1e-3)
    assert found.shift.value == pytest.approx(2.0 * happens * (1.0 - happens), abs=1e-3)
    theta_itself = one_worth(gaussian(ranks, 1e-5), event, ranks)
    assert theta_itself.reduction.value == pytest.approx(1.0, abs=0.03)
    assert theta_itself.effective_draws < 2.0


@pytest.mark.parametrize("reach", [np.inf, 1.0, -1.0])
def test_worth_of_a_censored_student_t_is_the_integral(reach: float) -> None:
    event = np.arange(DRAWS) % 2.0
    measured = Measurement(1.5 * event, np.full(DRAWS, 0.5), nu=5.0, reach=reach)
    found = one_worth(measured, event, event)
    low, high = stats.t(5.0, 0.0, 0.5), stats.t(5.0, 1.5, 0.5)

    def gained(a: float, b: float) -> float:
        middle = 0.5 * (a + b)
        return float(0.5 * (special.rel_entr(a, middle) + special.rel_entr(b, middle)) / np.log(2.0))

    end = min(reach, 30.0)
    bits = integrate.quad(lambda y: gained(low.pdf(y), high.pdf(y)), -30.0, end, limit=200)[0]
    bits += gained(low.sf(end), high.sf(end))
    assert found.bits.value == pytest.approx(bits, abs=4.0 * found.bits.error + 1e-3)


def test_an_event_that_is_certain_leaves_nothing_to_learn() -> None:
    theta, _, _ = toy()
    for event in (np.zeros(DRAWS), np.ones(DRAWS)):
        found = one_worth(gaussian(theta), event, np.full(DRAWS, 0.5))
        assert found.bits == (0.0, 0.0)
        assert found.shift.value == 0.0
        assert found.reduction.value == 0.0


def test_the_same_seed_gives_the_same_numbers_whatever_else_is_measured() -> None:
    theta, event, ranks = toy()
    alone = one_worth(gaussian(theta), event, ranks, seed=5)
    beside = worths({"x": gaussian(theta, 2.0), "y": gaussian(theta)}, {"x": ["x"], "y": ["y"]}, event, ranks, 5)["y"]
    assert alone == beside
    assert alone != one_worth(gaussian(theta), event, ranks, seed=6)
