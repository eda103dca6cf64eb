"""Positions of truths among draws, against distributions whose answer is known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from arviz_stats.base import array_stats
from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.chains import effective_sizes, halves_rhat, normal_scores, split
from forecast.evaluation.ranks import (
    BINS,
    EDGES,
    FINE,
    Array,
    band,
    binomial_interval,
    chi_square,
    counted,
    covered,
    ecdf_difference,
    ecdf_p_value,
    holm,
    positions,
    rank_table,
    shape,
)

SETS = 4000
Posterior = Callable[[float], tuple[float, float]]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)


def verdict_of(places: Array) -> str:
    """The verdict on one parameter's positions (replicate,)."""
    return str(rank_table(["it"], counted(places[:, None]))["verdict"][0])


@pytest.mark.parametrize("number", [20, 60, 200])
def test_uniform_positions_alarm_at_the_nominal_rate(number: int, rng: np.random.Generator) -> None:
    """Each test cries wolf in 5% of 4,000 sets, give or take four standard errors (a discrete test less often)."""
    counts = counted(rng.random((number, SETS)))
    for p_values in (chi_square(counts), ecdf_p_value(counts)):
        rate = (p_values < 0.05).mean()
        assert 0.03 < rate < 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / SETS)


def test_the_band_holds_whole_curves_at_its_probability(rng: np.random.Generator) -> None:
    curves = ecdf_difference(counted(rng.random((200, SETS))))
    for prob in (0.8, 0.95):
        low, high = band(200, prob)
        inside = ((curves >= low - 1e-12) & (curves <= high + 1e-12)).all(axis=1).mean()
        assert prob - 0.015 < inside < prob + 0.03


def test_the_band_is_that_of_arviz() -> None:
    """Their simulation at the same points, which agrees to a count or two of 200."""
    coverage = simulate_confidence_bands(200, 1, EDGES, 0.95, 2000, np.random.default_rng(1))
    theirs = get_pointwise_confidence_band(coverage, 200, EDGES)
    for ours, edge in zip(band(200), theirs, strict=True):
        np.testing.assert_allclose(ours, edge - EDGES, atol=1.01 / 200)


def test_a_curve_leaves_the_band_just_where_its_p_value_is_small(rng: np.random.Generator) -> None:
    counts = counted(rng.beta(1.0, 1.15, (200, SETS)))
    low, high = band(200)
    curves = ecdf_difference(counts)
    outside = ((curves < low - 1e-12) | (curves > high + 1e-12)).any(axis=1)
    small = ecdf_p_value(counts) < 0.05
    assert 0.1 < outside.mean() < 0.9
    assert (outside == small).mean() > 0.97  # counts are whole numbers: the band rounds outwards


def test_the_chi_square_is_the_textbook_one(rng: np.random.Generator) -> None:
    places = rng.beta(1.3, 1.0, 200)
    observed = np.histogram(places, 20, (0.0, 1.0))[0]
    statistic = ((observed - 10.0) ** 2 / 10.0).sum()
    assert chi_square(counted(places[:, None]))[0] == pytest.approx(stats.chi2(19).sf(statistic))


def test_mean_and_spread_of_uniform_positions_are_standard(rng: np.random.Generator) -> None:
    found = shape(counted(rng.random((200, SETS))))
    for values in found:
        assert abs(values.mean()) < 0.07 and 0.95 < values.std() < 1.05


# truth ~ N(0, 1), one observation ~ N(truth, 1): the posterior is N(y/2, 1/sqrt 2)
RIGHT: Posterior = lambda y: (y / 2.0, 0.5**0.5)  # noqa: E731
POSTERIORS: dict[str, tuple[Posterior, str]] = {
    "right": (RIGHT, FINE),
    "half as wide": (lambda y: (y / 2.0, 0.5 * 0.5**0.5), "too narrow"),
    "twice as wide": (lambda y: (y / 2.0, 2.0 * 0.5**0.5), "too wide"),
    "half a standard deviation up": (lambda y: (y / 2.0 + 0.5 * 0.5**0.5, 0.5**0.5), "too high"),
    "half a standard deviation down": (lambda y: (y / 2.0 - 0.5 * 0.5**0.5, 0.5**0.5), "too low"),
    "without its prior": (lambda y: (y, 1.0), FINE),  # wide enough for its error: no rank of the truth alone sees it
    "without its data": (lambda _: (0.0, 1.0), FINE),
}


def conjugate(posterior: Posterior, rng: np.random.Generator, replicates: int = 300) -> tuple[Array, Array]:
    """Positions of truth and of log likelihood where a normal model is fitted by `posterior`."""
    truth = rng.standard_normal(replicates)
    y = truth + rng.standard_normal(replicates)
    found = []
    for i in range(replicates):
        mean, sd = posterior(y[i])
        draws = mean + sd * rng.standard_normal(100)
        both = np.stack([draws, -0.5 * (y[i] - draws) ** 2], axis=1)
        at = np.array([truth[i], -0.5 * (y[i] - truth[i]) ** 2])
        found.append(positions(at, both, np.full(2, 100.0), rng)[0])
    places = np.array(found)
    return places[:, 0], places[:, 1]


@pytest.mark.parametrize("kind", POSTERIORS)
def test_a_conjugate_posterior_is_judged_as_what_it_is(kind: str, rng: np.random.Generator) -> None:
    posterior, expected = POSTERIORS[kind]
    assert verdict_of(conjugate(posterior, rng)[0]) == expected


def test_the_log_likelihood_sees_a_posterior_that_ignores_the_data(rng: np.random.Generator) -> None:
    """Ranks of the parameter alone are uniform there (Modrák et al. 2023)."""
    assert verdict_of(conjugate(POSTERIORS["without its data"][0], rng)[1]) == "too low"
    assert verdict_of(conjugate(RIGHT, rng)[1]) == FINE


def test_correlated_draws_are_thinned_to_independent_ones(rng: np.random.Generator) -> None:
    """Chains x' = 0.95 x + noise have 1/39 of their draws in effect; ranked whole they look too narrow."""
    replicates, draws = 4000, 800
    chains = np.empty((draws, replicates))
    chains[0] = rng.standard_normal(replicates)
    for i in range(1, draws):
        chains[i] = 0.95 * chains[i - 1] + np.sqrt(1.0 - 0.95**2) * rng.standard_normal(replicates)
    truth = rng.standard_normal(replicates)
    sizes = effective_sizes(chains)
    assert np.median(sizes) == pytest.approx(draws / 39.0, rel=0.25)
    thinned = positions(truth, chains, sizes, rng)[0]
    whole = positions(truth, chains, np.full(replicates, float(draws)), rng)[0]
    narrow = [float(shape(counted(places[:, None])).excess[0]) for places in (thinned, whole)]
    assert abs(narrow[0]) < 4.0
    assert narrow[1] > narrow[0] + 1.0 and narrow[1] > 2.0


def test_positions_are_uniform_whatever_the_number_of_draws_and_ties(rng: np.random.Generator) -> None:
    places = [
        positions(
            rng.integers(0, 4, 1).astype(float), rng.integers(0, 4, (size, 1)).astype(float), np.array([size]), rng
        )[0]
        for size in rng.integers(1, 30, 3000)
    ]
    assert stats.kstest(np.ravel(places), "uniform").pvalue > 0.01


def test_shares_of_intervals_are_counted_between_bins() -> None:
    counts = np.zeros((1, BINS), dtype=np.int64)
    counts[0, [1, 2, 9, 10, 20, 29, 30, 37, 38]] = 1
    assert covered(counts, 0.9)[0] == pytest.approx(7 / 9)
    assert covered(counts, 0.5)[0] == pytest.approx(3 / 9)


def test_the_binomial_interval_is_scipys() -> None:
    for hits in (0, 90, 100):
        theirs = stats.binomtest(hits, 100).proportion_ci(0.9, method="exact")
        assert binomial_interval(hits / 100, 100) == pytest.approx((theirs.low, theirs.high))


def test_holms_correction_keeps_false_alarms_of_a_family_at_5_percent(rng: np.random.Generator) -> None:
    alarms = np.mean([(holm(rng.random(30)) < 0.05).any() for _ in range(3000)])
    assert 0.035 < alarms < 0.065


def test_a_position_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"outside 0\.\.1"):
        counted(np.array([[0.5], [1.2]]))


@pytest.mark.parametrize("slope", [-0.4, 0.0, 0.6, 0.9])
def test_effective_sizes_are_arvizs(slope: float, rng: np.random.Generator) -> None:
    draws = rng.standard_normal((400, 8))
    for i in range(1, 400):
        draws[i] += slope * draws[i - 1]
    draws[:, 0] = np.exp(3.0 * draws[:, 0])  # of ranks: a transformation changes nothing
    theirs = array_stats.ess(draws[None], chain_axis=0, draw_axis=1, method="bulk")
    np.testing.assert_allclose(effective_sizes(draws), theirs, rtol=0.25 if slope < 0.0 else 0.1)


def test_rhat_is_arvizs_on_the_two_halves(rng: np.random.Generator) -> None:
    draws = rng.standard_normal((300, 6))
    draws[150:, 1] += 1.5
    draws[150:, 2] *= 4.0
    folded = np.abs(draws - np.median(draws, axis=0))
    location, spread = (
        array_stats.rhat(split(normal_scores(values)), chain_axis=0, draw_axis=1, method="identity")
        for values in (draws, folded)
    )
    np.testing.assert_allclose(halves_rhat(draws), np.maximum(location, spread), rtol=1e-10)
    assert halves_rhat(draws)[1] > 1.2 and halves_rhat(draws)[2] > 1.1


def test_a_chain_that_stood_still_is_worth_one_draw() -> None:
    still = np.ones((300, 1))
    assert effective_sizes(still)[0] == 1.0
    assert halves_rhat(still)[0] == np.inf
