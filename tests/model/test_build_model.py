"""The joint model is made of the priors in the files, the rows of the tables, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats

from forecast.constants import constants
from forecast.errors import InputError
from forecast.families import FAMILIES
from forecast.fitting import VARIABLES, fit, parameters_in, sample_prior, taken_apart
from forecast.model import build_model
from forecast.model.on_draws import log_likelihood
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.runs import parameters_of
from forecast.schema import BLOCKS, PARAMETERS
from forecast.statements import stated

QUICK = Mode(linker="py", optimizer="fast_compile")  # seconds to compile, slow to run
STEP = 1e-5
BY_TABLE = (
    "architectures",
    "chinchilla_losses",
    "tokens_per_param",
    "training_utilization",
    "deployment_utilization",
    "algorithmic_progress",
    "training_runs",
    "world_compute",
    "fleet_compute",
    "run_durations",
    "hardware",
    "inference_speed",
    "time_horizons",
    "research_returns",
)


def compiled(model: pm.Model, outputs: list[Any]) -> Callable[[dict[str, Any]], list[Any]]:
    """A function of the unconstrained point on which the sampler moves."""
    run = model.compile_fn(outputs, inputs=model.value_vars, mode=QUICK, on_unused_input="ignore")
    return lambda point: [np.asarray(value) for value in run(point)]


def random_point(model: pm.Model, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    start = model.initial_point()
    return {name: value + rng.uniform(0.05, 0.4, np.shape(value)) for name, value in start.items()}


def as_posterior(model: pm.Model, values: Iterable[Any]) -> xr.Dataset:
    """One draw of the model's variables as the sampler returns it, read by parameter."""
    data = {}
    for variable, value in zip(model.free_RVs, values, strict=True):
        dims = model.named_vars_to_dims.get(variable.name) or [f"{variable.name}_{i}" for i in range(value.ndim)]
        data[variable.name] = (("chain", "draw", *dims), value[None, None])
    used = {dim for dims, _ in data.values() for dim in dims}
    sampled = xr.Dataset(data, coords={dim: list(labels) for dim, labels in model.coords.items() if dim in used})
    return taken_apart(sampled)


@pytest.fixture(scope="module")
def model(priors: Priors, observations: Observations) -> pm.Model:
    return build_model(priors, observations)


def test_the_whole_schema_is_either_sampled_fixed_or_drawn_from_the_prior(model: pm.Model, priors: Priors) -> None:
    sampled = parameters_in(model)
    assert sampled <= VARIABLES.keys()
    fixed = {name for name in VARIABLES if priors[name].distribution == "fixed"}
    assert fixed == {"text_epochs", "stream_growth_years", "taste_ceiling"}
    assert not sampled & fixed


def test_names_of_coordinates_are_locked(model: pm.Model) -> None:
    assert list(model.coords["loss_term"]) == ["irreducible", "params", "tokens"]
    families = list(model.coords["family"])
    assert families == sorted(set(families))
    assert len(families) > 20
    assert {variable.name for variable in model.observed_RVs} == {"scattered", "held"}
    assert {potential.name for potential in model.potentials} == {"caps_slack", "not_automated_yet"}
    labels = [*model.coords["scattered_row"], *model.coords["held_row"]]
    assert len(labels) == len(set(labels))
    assert labels[0] == "architectures:0"


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_stands_alone(block: str, priors: Priors, observations: Observations) -> None:
    alone = build_model(priors, observations, [block])
    log_density = alone.compile_logp(mode=QUICK)
    assert np.isfinite(log_density(random_point(alone, 3)))
    assert parameters_in(alone) & PARAMETERS[block].keys()


def test_a_block_brings_only_what_it_uses(priors: Priors, observations: Observations) -> None:
    assert parameters_in(build_model(priors, observations, ["algorithmic_progress"])) == {
        "software_doubling_months",
        "software_study_scale",
    }
    depth = parameters_in(build_model(priors, observations, ["depth_scaling"]))
    assert depth == PARAMETERS["depth_scaling"].keys() - {"layers_variate"}
    horizon = parameters_in(build_model(priors, observations, ["task_horizon"]))
    assert horizon & PARAMETERS["task_horizon"].keys() == PARAMETERS["task_horizon"].keys() - {
        "horizon_doubling_factor"
    }
    assert not horizon & PARAMETERS["takeoff"].keys()
    assert not horizon & PARAMETERS["deployment"].keys()


def test_a_single_block_is_a_plain_name_too(priors: Priors, observations: Observations) -> None:
    with pytest.raises(InputError, match="unknown block 'depth'"):
        build_model(priors, observations, ["depth"])


def by_parameter(model: pm.Model, densities: Iterable[Any]) -> dict[str, Any]:
    """Entries of each variable's density by the name of the parameter."""
    result: dict[str, Any] = {}
    for variable, density in zip(model.free_RVs, densities, strict=True):
        dims = model.named_vars_to_dims.get(variable.name, ())
        if dims and dims[0].endswith("_parameter"):
            result |= dict(zip(model.coords[dims[0]], density, strict=True))
        else:
            result[variable.name] = density
    return result


def log_priors(model: pm.Model, priors: Priors, as_of: float) -> Callable[[int], tuple[dict[str, Any], dict[str, Any]]]:
    """At a random point, by parameter: the density in its file plus ln of how fast it moves, and the sampler's density.

    Both are densities on the unconstrained scale on which the sampler moves.
    """
    size = len(model.free_RVs)
    densities = model.logp(vars=model.free_RVs, sum=False)
    both = compiled(model, [*model.replace_rvs_by_values(model.free_RVs), *densities])

    def parameters(point: dict[str, Any]) -> xr.Dataset:
        return as_posterior(model, both(point)[:size])

    def at(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        point = random_point(model, seed)
        up, down = (parameters({k: v + sign * STEP for k, v in point.items()}) for sign in (1, -1))
        by_hand = {}
        for name, array in parameters(point).data_vars.items():
            if priors[str(name)].distribution != "Dirichlet":
                slope = np.abs(up[name] - down[name]).values[0, 0] / (2.0 * STEP)
                by_hand[str(name)] = priors[str(name)].scipy(as_of).logpdf(array.values[0, 0]) + np.log(slope)
        return by_hand, by_parameter(model, both(point)[size:])

    return at


def assert_same_priors(model: pm.Model, priors: Priors, as_of: float) -> None:
    """Equal up to a constant, which no posterior notices: compare the change between two points."""
    at = log_priors(model, priors, as_of)
    (by_hand, graph), (by_hand_there, graph_there) = at(1), at(2)
    assert by_hand.keys() <= graph.keys()
    for name, here in by_hand.items():
        expected, found = by_hand_there[name] - here, graph_there[name] - graph[name]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_every_prior_in_the_graph_is_the_one_in_the_file(
    model: pm.Model, priors: Priors, observations: Observations
) -> None:
    assert_same_priors(model, priors, observations.as_of_year)


def test_the_shares_of_the_loss_are_the_dirichlet_in_the_file(model: pm.Model, priors: Priors) -> None:
    """Whatever the model samples in their place: density of the shares times the Jacobian's determinant."""
    values = compiled(model, model.replace_rvs_by_values(model.free_RVs))
    own = [variable for variable in model.free_RVs if variable.name.startswith("loss_shares")]
    key = model.rvs_to_values[own[0]].name
    density = compiled(model, [model.logp(vars=own)])
    weights = priors["loss_shares"].params["a"]

    def shares(point: dict[str, Any]) -> Any:
        return as_posterior(model, values(point))["loss_shares"].values[0, 0]

    gaps = []
    for seed in (1, 2):
        point = random_point(model, seed)
        steps = STEP * np.eye(2)
        columns = [shares(point | {key: point[key] + s}) - shares(point | {key: point[key] - s}) for s in steps]
        determinant = np.linalg.det(np.stack(columns)[:, :2] / (2.0 * STEP))
        here = shares(point)
        assert here.sum() == pytest.approx(1.0)
        by_hand = stats.dirichlet(weights).logpdf(here / here.sum()) + np.log(abs(determinant))
        gaps.append(float(density(point)[0]) - by_hand)
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-5)


FAMILY_PARAMS: dict[str, dict[str, Any]] = {
    "Normal": {"mu": 1.0, "sigma": 0.3},
    "LogNormal": {"mu": 0.1, "sigma": 0.3},
    "LogitNormal": {"mu": 0.2, "sigma": 0.5},
    "StudentT": {"nu": 4.0, "mu": 1.0, "sigma": 0.3},
    "Uniform": {"lower": 0.5, "upper": 2.5},
    "LogUniform": {"lower": 0.5, "upper": 2.5},
    "Triangular": {"lower": 0.5, "c": 1.0, "upper": 2.5},
    "TruncatedNormal": {"mu": 1.0, "sigma": 0.3, "lower": 0.2, "upper": 3.0},
    "Beta": {"alpha": 2.0, "beta": 3.0},
    "Gamma": {"alpha": 3.0, "beta": 2.0},
    "HalfNormal": {"sigma": 1.5},
    "HalfStudentT": {"nu": 4.0, "sigma": 1.5},
    "Exponential": {"lam": 0.7},
}


def test_every_family_is_known_here() -> None:
    assert FAMILY_PARAMS.keys() == FAMILIES.keys() - {"Dirichlet"}


@pytest.mark.parametrize("first", [0, 7])
def test_a_prior_of_any_family_can_replace_another(first: int, priors: Priors, observations: Observations) -> None:
    """Seven at a time, in the place of the seven parameters that the block `research` reads."""
    names = sorted(parameters_in(build_model(priors, observations, ["research"])))
    families = list(FAMILY_PARAMS)[first : first + len(names)]
    changes = {name: stated(family, {"params": FAMILY_PARAMS[family]}) for name, family in zip(names, families)}  # noqa: B905
    replaced = priors.replace(**changes)
    model = build_model(replaced, observations, ["research"])
    assert parameters_in(model) == set(names)
    assert_same_priors(model, replaced, observations.as_of_year)


def test_a_parameter_held_at_a_value_leaves_the_graph(priors: Priors, observations: Observations) -> None:
    held = build_model(priors.replace(returns=1.0), observations, ["research"])
    assert "returns" not in parameters_in(held)


def test_the_slowdown_is_never_before_as_of(model: pm.Model, observations: Observations) -> None:
    values = compiled(model, model.replace_rvs_by_values(model.free_RVs))
    start = model.initial_point()
    (name,) = (name for name in start if name.startswith("slowdown_year"))
    years = [as_posterior(model, values(start | {name: np.array(x)}))["slowdown_year"].item() for x in (-12.0, 12.0)]
    assert years == pytest.approx([observations.as_of_year, 2032.0], abs=0.001)
    assert observations.as_of_year < years[0] < years[1] < 2032.0


def test_the_likelihood_on_arrays_is_the_one_in_the_graph(
    model: pm.Model, priors: Priors, observations: Observations
) -> None:
    outputs = compiled(
        model, [*model.replace_rvs_by_values(model.free_RVs), *model.logp(vars=model.observed_RVs, sum=False)]
    )
    *values, scattered, held = outputs(random_point(model, 5))
    p: dict[str, Any] = {str(k): v.values[0] for k, v in as_posterior(model, values).data_vars.items()}
    p |= {name: prior.params["value"] for name, prior in priors.items() if prior.distribution == "fixed"}
    found = log_likelihood(p, observations)
    graph = dict(zip(model.coords["scattered_row"], scattered, strict=True))
    graph |= dict(zip(model.coords["held_row"], held, strict=True))
    arrays = {f"{table}:{i}": float(x) for table, rows in found.items() for i, x in enumerate(rows[0])}
    assert arrays.keys() == graph.keys()
    np.testing.assert_allclose([arrays[label] for label in graph], list(graph.values()), rtol=1e-9, atol=1e-9)


def growing(p: dict[str, Any]) -> dict[str, Any]:
    """Draws in which the world's compute grows: additions below zero have no logarithm."""
    kept = np.flatnonzero(p["world_compute_growth"] > 0.0)[:200]
    return {name: value[kept] if np.ndim(value) else value for name, value in p.items()}


def test_one_row_of_the_likelihood_for_each_row_of_a_table(prior_run: xr.DataTree, observations: Observations) -> None:
    p = growing(parameters_of(prior_run))
    found = log_likelihood(p, observations)
    for table in BY_TABLE:
        assert found[table].shape == (p["returns"].size, observations[table].sizes["row"]), table
    labs = np.unique(observations["research_staff"]["lab"].values, return_counts=True)
    assert found["research_staff"].shape[1] == (labs[1] > 2).sum()
    rest = found.keys() - {*BY_TABLE, "research_staff"}
    assert rest == {"balanced_growth", "present_automated_share", "present_log_speedup", "past_log10_rate"}
    assert all(found[name].shape[1] == 1 for name in rest)
    assert observations.tables.keys() == {*BY_TABLE, "research_staff", "conditions"}


def test_parameters_outside_the_graph_are_those_that_no_likelihood_feels(
    model: pm.Model, prior_run: xr.DataTree, observations: Observations
) -> None:
    """Move each parameter in draws of the prior and see whether any row's log-likelihood moves."""
    p = growing(parameters_of(prior_run))
    before = log_likelihood(p, observations)
    felt = set()
    for name in VARIABLES:
        if np.ndim(p[name]) == 0:
            continue
        with np.errstate(all="ignore"):
            after = log_likelihood(p | {name: np.minimum(p[name] * 0.97, p[name] + 1.0)}, observations)
        if any(not np.array_equal(before[table], after[table], equal_nan=True) for table in before):
            felt.add(name)
    assert felt <= parameters_in(model)
    after_the_slowdown = {"budget_growth", "researcher_growth_after"}  # no row is that late
    assert parameters_in(model) - felt == after_the_slowdown


def test_before_the_conditions_were_known_the_model_does_without(priors: Priors) -> None:
    early = load_observations(as_of="2024-06-30")
    model = build_model(priors, early)
    point = random_point(model, 4)
    assert np.isfinite(model.compile_logp(mode=QUICK)(point))
    assert np.isfinite(model.compile_dlogp(mode=QUICK)(point)).all()
    tables = {label.split(":")[0] for label in [*model.coords["scattered_row"], *model.coords["held_row"]]}
    assert not tables & {"present_automated_share", "present_log_speedup", "past_log10_rate"}
    assert "balanced_growth" in tables  # a convention has no date
    assert constants(early)["as_of_year"] == pytest.approx(2024 + 181 / 366)
    assert max(constants(early)["horizon_years"]) < 2024.5


def test_a_forecast_from_a_table_left_empty_by_as_of_is_refused(priors: Priors) -> None:
    early = load_observations(as_of="2021-01-01")
    for make in (fit, sample_prior):
        with pytest.raises(InputError, match="has no row up to 2021-01-01"):
            make(priors, early)


def test_a_back_test_can_stand_before_the_first_row_of_a_table(priors: Priors) -> None:
    early = load_observations(as_of="2021-01-01")
    model = build_model(priors, early)
    point = random_point(model, 4)
    assert np.isfinite(model.compile_logp(mode=QUICK)(point))
    assert np.isfinite(model.compile_dlogp(mode=QUICK)(point)).all()
    seen = {label.split(":")[0] for label in model.coords["scattered_row"]}
    assert not seen & {"time_horizons", "inference_speed", "chinchilla_losses", "world_compute"}
    assert {"training_runs", "architectures"} <= seen
