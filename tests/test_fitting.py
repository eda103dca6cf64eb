"""Sampling, the prior on its own, and the gate that says whether to believe the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast import fitting
from forecast.assembling import prior_draws
from forecast.convergence import Gate, check
from forecast.equations import trends
from forecast.errors import ConvergenceError, InputError
from forecast.fitting import VARIABLES, sample_prior, sampler_settings
from forecast.observations import Observations, load_observations
from forecast.priors import Priors, interval
from forecast.runs import parameters_of, read_provenance
from forecast.schema import SAMPLE_DIMS

SETTINGS = {"draws": 50, "tune": 1, "chains": 2, "random_seed": 3}
ELEMENTS = ("depth_family_variate", "loss_shares")


def synthetic_run(sample: Callable[[np.random.Generator], Any], diverging: int = 0) -> xr.DataTree:
    """Four chains of 500 draws of one parameter, and a steady one beside it."""
    rng = np.random.default_rng(0)
    steady = rng.normal(size=(4, 500))
    posterior = xr.Dataset({"odd": (SAMPLE_DIMS, sample(rng)), "steady": (SAMPLE_DIMS, steady)})
    flags = np.zeros((4, 500), dtype=bool)
    flags.ravel()[:diverging] = True
    stats_group = xr.Dataset({"diverging": (SAMPLE_DIMS, flags)})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats_group})


def independent(rng: np.random.Generator) -> Any:
    return rng.normal(size=(4, 500))


def apart(rng: np.random.Generator) -> Any:
    return rng.normal(size=(4, 500)) + np.array([[0.0], [0.0], [0.0], [0.3]])


def sticky(rng: np.random.Generator) -> Any:
    """Autocorrelation 0.9: 2000 draws are worth about 2000 x 0.1/1.9, 105."""
    noise = rng.normal(size=(4, 1500)) * np.sqrt(1 - 0.9**2)
    chain = np.zeros((4, 1500))
    for i in range(1, 1500):
        chain[:, i] = 0.9 * chain[:, i - 1] + noise[:, i]
    return chain[:, -500:]


def test_independent_draws_pass_the_gate() -> None:
    gate = check(synthetic_run(independent))
    assert gate.passed
    assert gate.failures() == []
    assert gate.max_rhat < 1.005
    assert 1500 < gate.min_ess_bulk < 2500
    gate.raise_if_failed()


def test_one_divergence_fails_the_gate() -> None:
    gate = check(synthetic_run(independent, diverging=1))
    assert not gate.passed
    with pytest.raises(ConvergenceError, match="1 divergent transitions"):
        gate.raise_if_failed()


def test_a_chain_apart_fails_by_its_r_hat_and_is_named() -> None:
    """Between-chain variance 0.0225 beside 1: R-hat about sqrt(1.0225)."""
    gate = check(synthetic_run(apart))
    assert gate.max_rhat == pytest.approx(np.sqrt(1.0225), abs=0.01)
    assert gate.worst["rhat"] == "odd"
    assert any("R-hat" in failure and "odd" in failure for failure in gate.failures())


def test_sticky_chains_fail_by_their_effective_sample_size() -> None:
    gate = check(synthetic_run(sticky))
    assert gate.min_ess_bulk == pytest.approx(105, rel=0.5)
    assert gate.worst["bulk"] == "odd"
    assert any(failure.startswith("bulk ESS") for failure in gate.failures())


def test_a_parameter_that_never_moves_does_not_pass() -> None:
    """R-hat and ESS of a constant are not numbers; what is not a number is no proof of convergence."""
    gate = Gate(0, float("nan"), float("nan"), float("nan"), dict.fromkeys(("rhat", "bulk", "tail"), "odd"))
    assert len(gate.failures()) == 3


def test_every_failed_criterion_is_in_the_message() -> None:
    gate = Gate(7, 1.5, 12.0, 20.0, {"rhat": "a", "bulk": "b", "tail": "c"})
    with pytest.raises(ConvergenceError) as raised:
        gate.raise_if_failed()
    for part in ("7 divergent", "1.500 of a", "ESS 12 of b", "ESS 20 of c", "--draws"):
        assert part in str(raised.value)
    assert raised.value.exit_code == 3


def test_the_prior_has_no_gate(prior_run: xr.DataTree) -> None:
    assert read_provenance(prior_run)["gate"] is None
    with pytest.raises(InputError, match="prior"):
        check(prior_run)


def test_draws_of_the_prior_follow_the_priors_in_the_files(priors: Priors, observations: Observations) -> None:
    """Kolmogorov-Smirnov distance of 2000 draws; 1e-4 for each of some 80 parameters."""
    drawn = prior_draws(priors, observations, SETTINGS | {"draws": 1000})
    for name in drawn.data_vars:
        if name in ELEMENTS:
            continue
        truth = priors[str(name)].scipy(observations.as_of_year)
        assert stats.kstest(drawn[name].values.ravel(), truth.cdf).pvalue > 1e-4, name
    shares = drawn["loss_shares"].values
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0)
    weights = np.array(priors["loss_shares"].params["a"])
    for i, weight in enumerate(weights):
        beta = stats.beta(weight, weights.sum() - weight)
        assert stats.kstest(shares[..., i].ravel(), beta.cdf).pvalue > 1e-4


def test_draws_of_different_parameters_are_independent(priors: Priors, observations: Observations) -> None:
    drawn = prior_draws(priors, observations, SETTINGS | {"draws": 1000})
    names = [str(name) for name in drawn.data_vars if name not in ELEMENTS]
    ranks = stats.spearmanr(np.stack([drawn[name].values.ravel() for name in names], axis=1)).statistic
    beside = np.abs(ranks - np.eye(len(names)))
    assert beside.max() < 5.0 / np.sqrt(2000)


def test_replacing_one_prior_leaves_the_draws_of_the_others(priors: Priors, observations: Observations) -> None:
    before = prior_draws(priors, observations, SETTINGS)
    changed = priors.replace(depth_exponent=interval("Normal", 0.1, 0.3))
    after = prior_draws(changed, observations, SETTINGS)
    assert not after["depth_exponent"].equals(before["depth_exponent"])
    xr.testing.assert_identical(after.drop_vars("depth_exponent"), before.drop_vars("depth_exponent"))


def test_the_same_seed_gives_the_same_prior_and_another_seed_another(
    priors: Priors, observations: Observations
) -> None:
    first, again, other = (
        sample_prior(priors, observations, draws=20, chains=2, random_seed=seed)["posterior"] for seed in (5, 5, 6)
    )
    xr.testing.assert_identical(first.to_dataset(), again.to_dataset())
    for name in first.data_vars:
        assert not first[name].equals(other[name]), name


@pytest.mark.parametrize("tree", ["prior_run", "run"])
def test_a_run_holds_every_parameter_finite_and_labelled(tree: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(tree)
    p = parameters_of(run)
    assert p.keys() >= VARIABLES.keys() | {"as_of_year", "effective_flop_centre"}
    posterior = run["posterior"].to_dataset()
    for name, variable in VARIABLES.items():
        assert np.isfinite(p[name]).all(), name
        if name in posterior:
            assert posterior[name].dims == (*SAMPLE_DIMS, *variable.dims), name
            assert posterior[name].attrs == {"units": variable.units, "definition": variable.definition}, name
    assert {"prior", "posterior", "constant_data"} <= set(run.children)


@pytest.mark.parametrize("tree", ["prior_run", "run"])
def test_the_centre_of_the_task_horizons_is_that_of_each_draw(
    tree: str, request: pytest.FixtureRequest, observations: Observations
) -> None:
    p = parameters_of(request.getfixturevalue(tree))
    years = observations["time_horizons"]["year"].values
    mean = np.mean([trends.effective_flop_on_trend(year, p) for year in years], axis=0)
    np.testing.assert_allclose(p["effective_flop_centre"], mean, rtol=1e-12)


def test_the_fit_converges(fitted: xr.DataTree) -> None:
    """1200 draws are too few for the gate's ESS of 400; no divergences and R-hat below 1.05 must hold already."""
    gate = check(fitted)
    assert gate.divergences == 0
    assert gate.max_rhat < 1.05, gate.worst
    assert gate.min_ess_bulk > 50
    recorded = read_provenance(fitted)["gate"]
    assert recorded is not None
    assert recorded["max_rhat"] == gate.max_rhat
    assert recorded["passed"] == gate.passed


def test_the_fit_keeps_what_later_diagnostics_need(fitted: xr.DataTree, observations: Observations) -> None:
    for group in ("prior", "posterior", "sample_stats", "log_likelihood", "log_prior", "observed_data"):
        assert group in fitted.children, group
    likelihood = fitted["log_likelihood"].to_dataset()
    assert likelihood["training_runs"].shape == (4, 300, observations["training_runs"].sizes["row"])
    assert all(np.isfinite(values).all() for values in likelihood.data_vars.values())
    density = fitted["log_prior"].to_dataset()
    assert all(np.isfinite(values).all() for values in density.data_vars.values())
    growth = fitted["posterior"]["training_compute_growth"]
    np.testing.assert_allclose(density["training_compute_growth"], stats.norm(0.6, 0.2).logpdf(growth), rtol=1e-12)


def test_what_no_likelihood_reads_keeps_its_prior(run: xr.DataTree, priors: Priors, observations: Observations) -> None:
    for name in ("taste_slope", "inference_growth_excess", "log10_tokens_per_datapoint", "layers_variate"):
        truth = priors[name].scipy(observations.as_of_year)
        assert stats.kstest(run["posterior"][name].values.ravel(), truth.cdf).pvalue > 1e-3, name


def test_provenance_says_what_the_run_was_made_of(
    run: xr.DataTree, prior_run: xr.DataTree, priors: Priors, observations: Observations
) -> None:
    fitted, drawn = read_provenance(run), read_provenance(prior_run)
    assert (fitted["kind"], drawn["kind"]) == ("posterior", "prior")
    assert fitted["settings"] == {"draws": 1000, "tune": 1000, "chains": 4, "random_seed": 1}
    assert fitted["as_of"] == "2026-11-01"
    assert fitted["digests"]["priors"] == priors.digest
    assert fitted["digests"]["tables"] == observations.digests
    assert {"forecast", "pymc", "nutpie", "numpy"} <= fitted["versions"].keys()


def test_settings_come_from_the_package_unless_given() -> None:
    shipped = {"draws": None, "tune": None, "chains": None, "random_seed": None}
    assert sampler_settings(**shipped) == {"draws": 1000, "tune": 1000, "chains": 4, "random_seed": 1}
    assert sampler_settings(**shipped | {"draws": 7, "random_seed": 0})["draws"] == 7


@pytest.mark.parametrize(
    ("change", "place"),
    [({"draws": 0}, "draws = 0"), ({"tune": -1}, "tune = -1"), ({"chains": 0}, "chains = 0"),
     ({"random_seed": -1}, "random_seed = -1"), ({"random_seed": 2**63}, "random_seed")],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(change: dict[str, int], place: str) -> None:
    with pytest.raises(InputError, match=place):
        sampler_settings(**{"draws": 1, "tune": 1, "chains": 1, "random_seed": 1} | change)


def test_a_parameter_held_at_a_value_is_a_constant_of_the_run(priors: Priors, observations: Observations) -> None:
    held = sample_prior(priors.replace(returns=1.25), observations, draws=5, chains=2)
    assert "returns" not in held["posterior"].data_vars
    assert parameters_of(held)["returns"] == 1.25


def test_an_earlier_as_of_moves_the_draws_of_what_depends_on_it(priors: Priors) -> None:
    early = load_observations(as_of="2025-06-30")
    drawn = prior_draws(priors, early, SETTINGS | {"draws": 500})
    assert early.as_of_year <= float(drawn["slowdown_year"].min()) < 2026.5
    assert fitting.fixed_and_derived(priors, early)["as_of_year"] == early.as_of_year
