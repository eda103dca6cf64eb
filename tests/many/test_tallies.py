"""Counts in bins give the quantiles of the values, to the error they state, in whatever order they were added."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import ForecastError
from forecast.many.grids import LOGS, PARTS, POSITIVE, YEARS, Grid
from forecast.many.tallies import Tally, add, merge, missing, quantiles, refuse_wrong
from forecast.quantiles import quantile

LEVELS = (0.0, 0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0)


def tallied(grid: Grid, *parts: np.ndarray, keep: bool = False) -> Tally:
    tally = Tally(grid, 1 if parts[0].ndim == 1 else parts[0].shape[1], values=[] if keep else None)
    for part in parts:
        add(tally, part)
    return tally


def exact(values: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    return quantile(xr.DataArray(values, dims="draw"), levels).values


def same(one: Tally, other: Tally) -> None:
    assert (one.draws, one.first) == (other.draws, other.first)
    for name in ("counts", "lowest", "highest", "undefined", "never", "below", "above"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 100_001])
def test_quantiles_agree_with_those_of_the_draws_within_half_a_bin(size: int) -> None:
    values = np.random.default_rng(size).normal(7.0, 3.0, size)
    found = quantiles(tallied(LOGS, values), LEVELS)[0]
    np.testing.assert_allclose(found, np.quantile(values, LEVELS), rtol=0.0, atol=LOGS.error * (1.0 + 1e-9))
    positive = np.exp(values)
    found = quantiles(tallied(POSITIVE, positive), LEVELS)[0]
    np.testing.assert_allclose(found, np.quantile(positive, LEVELS), rtol=POSITIVE.error)


def test_a_known_distribution_comes_out_in_closed_form() -> None:
    """4 million draws of a lognormal, in a fixed order: three standard errors of each quantile and half a bin."""
    size, law = 4_000_000, stats.lognorm(1.7, scale=9.3e7)
    levels = np.array([0.01, 0.05, 0.5, 0.95, 0.99])
    tally = tallied(LOGS, *(np.log10(law.rvs(size // 8, random_state=seed)) for seed in range(8)))
    truth = np.log10(law.ppf(levels))
    density = stats.norm(np.log10(9.3e7), 1.7 / np.log(10.0)).pdf(truth)
    error = 3.0 * np.sqrt(levels * (1.0 - levels) / size) / density + LOGS.error
    assert (np.abs(quantiles(tally, levels)[0] - truth) < error).all()


def test_never_is_the_upper_end_of_the_distribution() -> None:
    values = np.concatenate([np.linspace(2026.0, 2045.0, 600), np.full(400, np.inf)])
    found = quantiles(tallied(YEARS, values), (0.25, 0.5, 0.599, 0.6, 0.95))[0]
    expected = exact(values, (0.25, 0.5, 0.599, 0.6, 0.95))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))
    np.testing.assert_allclose(found[:2], expected[:2], rtol=0.0, atol=YEARS.error)
    assert [int(part[0]) for part in missing(tallied(YEARS, values))] == [0, 400]
    assert np.isinf(quantiles(tallied(YEARS, np.full(5, np.inf)), LEVELS)).all()


def test_what_does_not_exist_is_left_out_and_counted() -> None:
    values = np.concatenate([np.linspace(0.1, 9.0, 500), np.full(250, np.nan)])
    tally = tallied(POSITIVE, values)
    np.testing.assert_allclose(quantiles(tally, LEVELS)[0], exact(values), rtol=POSITIVE.error)
    assert [int(part[0]) for part in missing(tally)] == [250, 0]
    assert np.isnan(quantiles(tallied(POSITIVE, np.full(3, np.nan)), LEVELS)).all()


@given(st.permutations(range(6)), st.integers(1, 5))
def test_merging_knows_no_order(order: Sequence[int], cut: int) -> None:
    rng = np.random.default_rng(3)
    parts = [rng.normal(k - 3.0, 0.2 * 2.0**k, (50, 2)) for k in range(6)]
    parts[2][:7] = np.nan
    parts[4][3:9, 0] = np.inf
    parts[5][0] = 40.0
    together = tallied(LOGS, *parts)
    left, right = (tallied(LOGS, *(parts[k] for k in some)) for some in (order[:cut], order[cut:]))
    merge(left, right)
    same(left, together)
    nothing = Tally(LOGS, 2)
    merge(nothing, left)
    merge(nothing, Tally(LOGS, 2))
    same(nothing, together)


def test_point_masses_keep_their_value() -> None:
    values = np.concatenate([np.zeros(300), np.linspace(0.0, 1.0, 400), np.ones(300)])
    found = quantiles(tallied(PARTS, values), (0.1, 0.5, 0.9))[0]
    assert found[[0, 2]] == pytest.approx([0.0, 1.0], abs=PARTS.error)
    assert quantiles(tallied(PARTS, np.ones(9)), (0.1, 0.5))[0].tolist() == [1.0, 1.0]
    assert quantiles(tallied(POSITIVE, np.full(9, 3.3)), (0.1, 0.5))[0].tolist() == [3.3, 3.3]


def test_draws_beyond_the_grid_are_counted_and_never_given_a_place_in_it() -> None:
    values = np.concatenate([np.full(20, -1e4), np.linspace(-1.0, 1.0, 60), np.full(20, 1e5)])
    tally = tallied(LOGS, values)
    assert (tally.below.tolist(), tally.above.tolist()) == ([20], [20])
    found = quantiles(tally, (0.1, 0.5, 0.9))[0]
    assert found[[0, 2]].tolist() == [-np.inf, np.inf]
    assert found[1] == pytest.approx(0.0, abs=LOGS.error)
    below = tallied(POSITIVE, np.concatenate([np.full(20, -5.0), np.ones(80)]))
    assert quantiles(below, (0.1, 0.5))[0].tolist() == [-np.inf, 1.0]


def test_kept_values_give_exact_quantiles() -> None:
    values = np.random.default_rng(5).normal(size=(301, 2))
    tally = tallied(LOGS, values[:100], values[100:], keep=True)
    np.testing.assert_allclose(quantiles(tally, LEVELS), np.quantile(values, LEVELS, axis=0).T, rtol=1e-12)
    other = tallied(LOGS, values, keep=True)
    merge(other, tally)
    assert other.draws == 602
    assert [part.tolist() for part in missing(other)] == [[0, 0], [0, 0]]


def test_memory_grows_with_the_spread_and_not_with_the_draws() -> None:
    values = np.random.default_rng(1).uniform(0.0, 10.0, 100_000)
    tally = tallied(LOGS, *[values] * 10)
    assert tally.counts.nbytes <= 8 * 10_001
    assert int(tally.counts.sum()) == 1_000_000


@pytest.mark.parametrize(("value", "undefined", "never"), [(np.nan, False, True), (np.inf, True, False)])
def test_a_value_that_went_wrong_is_refused_by_name(value: float, undefined: bool, never: bool) -> None:
    for keep in (False, True):
        tally = tallied(LOGS, np.array([1.0, value, value]), keep=keep)
        with pytest.raises(ForecastError, match="layers: 2 of 3 draws are not finite"):
            refuse_wrong("layers", tally, undefined, never)
        refuse_wrong("layers", tally, True, True)
