"""Leave-one-out against a conjugate normal model, where every posterior without a row is known, and against ArviZ."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.loo import (
    CONDITIONS,
    good_k,
    influential_rows,
    judged_rows,
    labels_of,
    leave_one_out,
    loo_frame,
    recorded_log_likelihood,
    relative_efficiency,
    unreliable,
)
from forecast.evaluation.predictive import pit
from forecast.observations import Observations

DRAWS = 4000
NOISE, WIDE = 0.8, 3.0  # y_i ~ N(theta, NOISE^2), theta ~ N(0, WIDE^2)
ROWS = np.array([0.3, -0.5, 1.4, 0.9, -0.2, 0.6, 0.1, 1.1, -0.9, 0.5])


def posterior(y: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of theta."""
    precision = 1.0 / WIDE**2 + y.size / NOISE**2
    return float(y.sum() / NOISE**2 / precision), float(precision**-0.5)


def drawn(y: np.ndarray, seed: int = 1, draws: int = DRAWS) -> np.ndarray:
    mean, sd = posterior(y)
    return mean + sd * np.random.default_rng(seed).standard_normal(draws)


def log_likelihood(theta: np.ndarray, y: np.ndarray) -> np.ndarray:
    return stats.norm(theta[:, None], NOISE).logpdf(y)


def predicted_by_others(y: np.ndarray, i: int) -> stats.rv_continuous:
    mean, sd = posterior(np.delete(y, i))
    return stats.norm(mean, np.hypot(sd, NOISE))


def test_elpd_is_the_density_that_the_posterior_without_the_row_predicts() -> None:
    found = leave_one_out(log_likelihood(drawn(ROWS), ROWS))
    expected = [predicted_by_others(ROWS, i).logpdf(y) for i, y in enumerate(ROWS)]
    np.testing.assert_allclose(found.elpd, expected, atol=0.01)
    assert not unreliable(found).any()


def test_effective_parameters_of_one_parameter_are_one() -> None:
    found = leave_one_out(log_likelihood(drawn(ROWS), ROWS))
    mean, sd = posterior(ROWS)
    whole = stats.norm(mean, np.hypot(sd, NOISE)).logpdf(ROWS).sum()
    expected = whole - sum(predicted_by_others(ROWS, i).logpdf(y) for i, y in enumerate(ROWS))
    assert found.p_loo.sum() == pytest.approx(expected, abs=0.05)
    assert 0.5 < found.p_loo.sum() < 1.5


def test_weights_make_the_posterior_without_the_row() -> None:
    theta = drawn(ROWS)
    found = leave_one_out(log_likelihood(theta, ROWS))
    weights = np.exp(found.log_weights)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0)
    without = [posterior(np.delete(ROWS, i))[0] for i in range(ROWS.size)]
    np.testing.assert_allclose(theta @ weights, without, atol=0.02)


def test_a_row_far_from_all_others_is_said_to_be_unreliable() -> None:
    y = np.append(ROWS, 9.0)
    found = leave_one_out(log_likelihood(drawn(y), y))
    assert np.flatnonzero(unreliable(found)).tolist() == [ROWS.size]


def test_the_numbers_are_those_of_arviz() -> None:
    theta = drawn(ROWS).reshape(4, -1)
    values = log_likelihood(theta.ravel(), ROWS).reshape(4, -1, ROWS.size)
    tree = az.from_dict({"posterior": {"theta": theta}, "log_likelihood": {"y": values}})
    theirs = az.loo(tree, pointwise=True)
    ours = leave_one_out(values.reshape(-1, ROWS.size), relative_efficiency(tree))
    np.testing.assert_allclose(ours.elpd, theirs.elpd_i.values)
    np.testing.assert_allclose(ours.pareto_k, theirs.pareto_k.values)
    row = loo_frame({"y": ours}, {"y": [str(i) for i in range(ROWS.size)]}).iloc[0]
    assert (row["elpd"], row["se"], row["p_loo"]) == pytest.approx((theirs.elpd, theirs.se, theirs.p))
    assert good_k(DRAWS) == theirs.good_k


def test_all_tables_together_are_their_sum() -> None:
    theta = drawn(ROWS)
    parts = {"a": leave_one_out(log_likelihood(theta, ROWS[:4])), "b": leave_one_out(log_likelihood(theta, ROWS[4:]))}
    frame = loo_frame(parts, {"a": list("abcd"), "b": list("efghij")}).set_index("table")
    assert frame.loc["all tables", "elpd"] == pytest.approx(frame.loc[["a", "b"], "elpd"].sum())
    assert frame.loc["all tables", "rows"] == 10


def test_the_parameter_that_a_row_decides_is_named_with_its_shift() -> None:
    rng = np.random.default_rng(1)  # b has one row, at 6, and a prior N(0, 1): without the row it is back at 0
    a, b = rng.standard_normal(DRAWS), 6.0 / (1.0 + 0.25) + np.sqrt(0.2) * rng.standard_normal(DRAWS)
    found = leave_one_out(stats.norm(b[:, None], 0.5).logpdf([6.0]))
    dims = ("chain", "draw")
    run = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"a": (dims, a.reshape(4, -1)), "b": (dims, b.reshape(4, -1))}),
            "constant_data": xr.Dataset({"as_of_year": 2026.0}),
        }
    )
    row = influential_rows({"y": found}, {"y": ["the only one"]}, run).iloc[0]
    assert (row["table"], row["row"], row["parameter"]) == ("y", "the only one", "b")
    assert -4.8 / np.sqrt(0.2) < row["shift"] < -1.0  # the weights reach part of the way


# A run of this package


def test_every_row_of_every_table_and_condition_is_judged_once(seen: xr.DataTree, observations: Observations) -> None:
    judged = judged_rows(seen, observations)
    found = recorded_log_likelihood(seen, judged)
    assert {name: values.shape[1] for name, values in found.items() if name != CONDITIONS} == {
        name: len(labels_of(seen, observations, one)) for name, one in judged.items() if name != CONDITIONS
    }
    held = labels_of(seen, observations, judged[CONDITIONS])
    assert "present_automated_share" in held and len(held) == judged[CONDITIONS].observed.size
    assert 0.0 < pit(judged["chinchilla_losses"]).min()


def test_rows_of_one_name_are_told_apart(seen: xr.DataTree, observations: Observations) -> None:
    for one in judged_rows(seen, observations).values():
        labels = labels_of(seen, observations, one)
        assert len(set(labels)) == len(labels)


def test_log_likelihoods_of_other_draws_are_refused(seen: xr.DataTree, observations: Observations) -> None:
    other = seen.copy()
    other["log_likelihood"] = xr.DataTree(seen["log_likelihood"].to_dataset() + 0.1)
    with pytest.raises(InputError, match="are not those of its draws"):
        recorded_log_likelihood(other, judged_rows(seen, observations))


def test_a_run_without_log_likelihood_is_refused_with_the_remedy(seen: xr.DataTree, observations: Observations) -> None:
    cut = xr.DataTree.from_dict({name: seen[name].to_dataset() for name in ("prior", "posterior", "constant_data")})
    cut.attrs = dict(seen.attrs)
    with pytest.raises(InputError, match="forecast fit --refit"):
        recorded_log_likelihood(cut, judged_rows(seen, observations))
