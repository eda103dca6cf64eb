"""The test of uniformity at its nominal rate from 3 rows to 204, and with power against each departure it names."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.evaluation.loo import LeaveOneOut, leave_one_out, log_density
from forecast.evaluation.loo_pit import VERDICTS, components, pit_frame, smooth_test, surprise, verdict
from forecast.evaluation.predictive import Predictions

TIMES = 200


def p_values(values: np.ndarray) -> np.ndarray:
    """The p-value of each set of values (set, row), against one reference."""
    statistic = (components(values) ** 2).sum(axis=-1)
    others = (components(np.random.default_rng(9).random((20_000, values.shape[-1]))) ** 2).sum(axis=-1)
    return (others[:, None] >= statistic).mean(axis=0)


def known(spread: float = 1.0, mean: float = 0.0, rows: int = 60, seed: int = 1) -> Predictions:
    """Standard normal rows predicted by N(mean, spread^2), the same in all draws."""
    y = np.random.default_rng(seed).standard_normal(rows)
    return Predictions("made up", np.arange(rows), np.full((50, rows), mean), np.full((50, rows), spread), y, None)


def framed(one: Predictions) -> dict[str, object]:
    frame = pit_frame({"t": one}, {"t": leave_one_out(log_density(one))}, {"t": [f"row {i}" for i in one.rows]})
    row: dict[str, object] = frame.iloc[0].to_dict()
    return row


@pytest.mark.parametrize("rows", [3, 10, 32, 204])
def test_uniform_values_are_called_so_at_the_nominal_rate(rows: int) -> None:
    found = p_values(np.random.default_rng(2).random((4000, rows)))
    assert (found <= 0.05).mean() == pytest.approx(0.05, abs=0.012)
    assert (found <= 0.5).mean() == pytest.approx(0.5, abs=0.03)


def test_the_p_value_of_many_rows_is_that_of_chi_square() -> None:
    values = np.random.default_rng(3).random(400) ** 1.1
    p_value, parts = smooth_test(values)
    assert p_value == pytest.approx(stats.chi2(4).sf((parts**2).sum()), abs=0.02)


def test_components_are_independent_standard_normals_of_uniform_values() -> None:
    found = components(np.random.default_rng(4).random((20_000, 25)))
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(found.T), np.eye(4), atol=0.04)


@pytest.mark.parametrize("rows", [3, 5, 10, 30])
def test_leave_one_out_of_a_fitted_mean_and_spread_is_flagged_less_often_than_stated(rows: int) -> None:
    y = np.random.default_rng(5).standard_normal((1000, rows))
    values = np.empty_like(y)
    for i in range(rows):  # with the reference prior the predictive without row i is Student-t, Gelman et al. BDA3 3.2
        rest = np.delete(y, i, axis=1)
        spread = rest.std(axis=1, ddof=1) * np.sqrt(1.0 + 1.0 / (rows - 1))
        values[:, i] = stats.t(rows - 2).cdf((y[:, i] - rest.mean(axis=1)) / spread)
    assert (p_values(values) <= 0.05).mean() <= 0.065


def test_a_right_prediction_is_calibrated() -> None:
    assert np.mean([framed(known(seed=seed))["p_value"] <= 0.05 for seed in range(40)]) <= 0.15


@pytest.mark.parametrize(
    ("spread", "mean", "said"),
    [
        (0.5, 0.0, "predictions are too narrow"),
        (2.5, 0.0, "predictions are too wide"),
        (1.0, -0.8, "predictions lie too low"),
        (1.0, 0.8, "predictions lie too high"),
    ],
)
def test_a_wrong_prediction_is_called_by_its_fault(spread: float, mean: float, said: str) -> None:
    found = framed(known(spread, mean))
    assert found["p_value"] < 0.01
    assert found["verdict"] == said


def test_skew_and_two_heaps_are_told_from_each_other() -> None:
    rng = np.random.default_rng(6)
    skewed = stats.norm.cdf(rng.exponential(size=300) - 1.0)
    heaps = stats.norm.cdf(np.where(rng.random(300) < 0.5, -0.9, 0.9) + 0.3 * rng.standard_normal(300))
    assert verdict(smooth_test(skewed)[1]) == VERDICTS["lopsided"][1]
    assert verdict(smooth_test(heaps)[1]) == VERDICTS["tails"][0]


def test_the_row_furthest_out_is_named_with_its_p_value() -> None:
    one = known(rows=20)
    observed = one.observed.copy()
    observed[7] = -4.5
    found = framed(one._replace(observed=observed))
    assert found["row"] == "row 7"
    assert found["p_extreme"] == pytest.approx(2 * 20 * stats.norm.cdf(-4.5))


def test_the_furthest_of_uniform_rows_surprises_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(7)
    for rows in (3, 30):
        together = rng.random((TIMES * 20, 1)) * np.ones(rows)  # one and the same value: as dependent as can be
        for values in (rng.random((TIMES * 20, rows)), together):
            assert np.mean([surprise(u) <= 0.05 for u in values]) <= 0.06


def test_rows_without_a_reliable_leave_one_out_are_left_out_and_counted() -> None:
    one = known(rows=10)
    found = leave_one_out(log_density(one))
    k = found.pareto_k.copy()
    k[:3] = 2.0
    frame = pit_frame({"t": one}, {"t": found._replace(pareto_k=k)}, {"t": list("abcdefghij")})
    assert frame.loc[0, "rows"] == 7
    none = LeaveOneOut(found.log_weights, np.full(10, 2.0), found.elpd, found.p_loo)
    assert np.isnan(pit_frame({"t": one}, {"t": none}, {"t": list("abcdefghij")}).loc[0, "p_value"])


def test_the_same_seed_gives_the_same_p_value() -> None:
    values = np.random.default_rng(8).random(12)
    assert smooth_test(values, 5)[0] == smooth_test(values, 5)[0]
