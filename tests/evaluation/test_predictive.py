"""Predictive distributions of rows against the model's own likelihood and against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.evaluation.predictive import (
    SCALES,
    Predictions,
    crps,
    log_score,
    pit,
    predictions,
    row_labels,
    row_years,
    simulated,
    some,
)
from forecast.model.on_draws import log_likelihood
from forecast.observations import Observations, load_observations
from forecast.runs import parameters_of


@pytest.fixture(scope="module")
def whole(prior_run: xr.DataTree) -> xr.DataTree:
    """The draws of the prior in which the world's compute grows: a shrinking one adds none."""
    grows = prior_run["posterior"]["world_compute_growth"].min("chain") > 0.05
    tree = prior_run.copy()
    tree["posterior"] = xr.DataTree(prior_run["posterior"].to_dataset().isel(draw=np.flatnonzero(grows.values)))
    return tree


def test_the_log_score_is_the_mean_likelihood_of_the_model(whole: xr.DataTree, observations: Observations) -> None:
    likelihood = log_likelihood(parameters_of(whole), observations)
    found = predictions(whole, observations, as_fitted=True)
    assert set(found) == set(SCALES)
    for table, one in found.items():
        mean = np.log(np.exp(likelihood[table]).mean(axis=0))
        np.testing.assert_allclose(log_score(one), mean, rtol=1e-9, err_msg=table)
        assert len(row_labels(observations, one)) == one.observed.size == row_years(observations, one).size


def test_of_the_horizons_the_nearest_to_today_are_predicted_best(
    whole: xr.DataTree, observations: Observations
) -> None:
    """A random walk from `as_of`: scatter^2 + scale^2 x years away."""
    found = predictions(whole, observations)["time_horizons"]
    p = parameters_of(whole)
    years = float(p["as_of_year"]) - observations["time_horizons"]["year"].values
    np.testing.assert_allclose(
        found.spread**2, p["horizon_scatter"][:, None] ** 2 + p["horizon_walk_scale"][:, None] ** 2 * years
    )
    assert row_labels(observations, found)[0] == "gpt_4"


def test_rows_along_the_axes_hold_as_much_as_the_correlated_ones(
    whole: xr.DataTree, observations: Observations
) -> None:
    """Rotated rows are independent: their density is that of the multivariate normal with the walk's covariance."""
    found = predictions(whole, observations, as_fitted=True)["time_horizons"]
    alone = predictions(whole, observations)["time_horizons"]
    p = parameters_of(whole)
    away = float(p["as_of_year"]) - observations["time_horizons"]["year"].values
    for draw in (0, 7):
        covariance = p["horizon_scatter"][draw] ** 2 * np.eye(away.size)
        covariance += p["horizon_walk_scale"][draw] ** 2 * np.minimum.outer(away, away)
        wanted = stats.multivariate_normal(alone.mean[draw], covariance).logpdf(alone.observed)
        got = stats.norm(found.mean[draw], found.spread[draw]).logpdf(found.observed).sum()
        assert got == pytest.approx(wanted, rel=1e-9)


def test_a_row_is_predicted_the_same_alone_or_among_others(whole: xr.DataTree, observations: Observations) -> None:
    """Its own covariates and nothing else: fits a table that has only the row."""
    one = observations["inference_speed"].isel(row=[-1])
    single = predictions(whole, replace(observations, tables=observations.tables | {"inference_speed": one}))
    among = predictions(whole, observations)["inference_speed"]
    np.testing.assert_allclose(single["inference_speed"].mean, some(among, np.array([-1])).mean, rtol=1e-12)


def test_an_unseen_family_strays_as_families_do(whole: xr.DataTree, observations: Observations) -> None:
    table = observations["architectures"].isel(row=[0]).copy()
    table["family"] = ("row", np.array(["a family of its own"]))
    found = predictions(whole, replace(observations, tables=observations.tables | {"architectures": table}))
    known = predictions(whole, observations)["architectures"]
    p = parameters_of(whole)
    offsets = found["architectures"].mean[:, 0] - known.mean[:, 0]
    own = p["depth_family_scale"][:, None] * p["depth_family_variate"]
    assert offsets.std() == pytest.approx(np.sqrt(2.0) * own.std(), rel=0.2), "two independent variates apart"


@pytest.mark.parametrize("nu", [None, 5.0])
def test_transforms_of_ones_own_simulations_are_uniform(nu: float | None) -> None:
    rng = np.random.default_rng(2)
    mean, spread = rng.normal(size=(400, 30)), rng.uniform(0.5, 2.0, size=(400, 30))
    found = Predictions("hardware", np.arange(30), mean, spread, np.zeros(30), nu)
    values = np.concatenate([pit(found._replace(observed=row)) for row in simulated(found, 3)])
    assert stats.kstest(values, "uniform").pvalue > 0.001
    np.testing.assert_array_equal(simulated(found, 3), simulated(found, 3))


def test_the_crps_of_draws_is_that_of_their_distribution() -> None:
    """A standard normal at y: y (2 Phi(y) - 1) + 2 phi(y) - 1/sqrt(pi), Gneiting & Raftery 2007."""
    observed = np.array([-1.0, 0.0, 2.5])
    samples = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None] * np.ones(3)
    exact = observed * (2 * stats.norm.cdf(observed) - 1) + 2 * stats.norm.pdf(observed) - 1 / np.sqrt(np.pi)
    np.testing.assert_allclose(crps(samples, observed), exact, atol=2e-3)


def test_rows_that_came_after_a_run_are_predicted_too(whole: xr.DataTree) -> None:
    early = load_observations(as_of="2024-01-01")
    assert predictions(whole, early)["training_runs"].observed.size == early["training_runs"].sizes["row"]
