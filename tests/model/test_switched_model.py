"""The model with switches is the joint model with all on, the prior with all off, and each block's own in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytest
from model.conjugate import conjugate
from pytensor.compile.mode import Mode

from forecast.model import RESTRICTIONS, SWITCHES, build_model, build_switched_model
from forecast.observations import Observations
from forecast.priors import Priors, load_priors
from forecast.schema import BLOCKS

QUICK = Mode(linker="py", optimizer="fast_compile")
POINTS = (1, 2, 3)
Density = Callable[[dict[str, Any], Sequence[str]], Any]


def point(model: pm.Model, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: value + rng.uniform(0.05, 0.4, np.shape(value)) for name, value in model.initial_point().items()}


def switchable(model: pm.Model, compiled: Callable[[dict[str, Any]], Any]) -> Density:
    """A function of the point and of the blocks that are on."""

    def at(here: dict[str, Any], on: Sequence[str]) -> Any:
        with model:
            pm.set_data({SWITCHES: [float(block in on) for block in model.coords["block"]]})
        return compiled(here)

    return at


def total(values: Iterable[Any]) -> float:
    return float(sum(np.sum(value) for value in values))


@pytest.fixture(scope="module")
def whole(priors: Priors, observations: Observations) -> pm.Model:
    return build_model(priors, observations)


@pytest.fixture(scope="module")
def switched(priors: Priors, observations: Observations) -> pm.Model:
    return build_switched_model(priors, observations)


@pytest.fixture(scope="module")
def log_density(switched: pm.Model) -> Density:
    return switchable(switched, switched.compile_logp(mode=QUICK))


def test_it_has_the_parameters_of_the_joint_model_in_the_same_places(whole: pm.Model, switched: pm.Model) -> None:
    here, there = whole.initial_point(), switched.initial_point()
    assert list(here) == list(there)
    assert all(np.array_equal(here[name], there[name]) for name in here)
    labels = {dim: whole.coords[dim] for dim in whole.coords if dim.endswith("_parameter")}
    assert labels == {dim: switched.coords[dim] for dim in labels}


def test_all_on_is_the_joint_model(whole: pm.Model, log_density: Density) -> None:
    value = whole.compile_logp(mode=QUICK)
    for seed in POINTS:
        here = point(whole, seed)
        assert log_density(here, BLOCKS) == pytest.approx(float(value(here)), rel=1e-12)


def test_all_off_is_the_prior(whole: pm.Model, log_density: Density) -> None:
    prior = whole.compile_fn(whole.logp(vars=whole.free_RVs), inputs=whole.value_vars, mode=QUICK)
    for seed in POINTS:
        here = point(whole, seed)
        assert log_density(here, []) == pytest.approx(float(prior(here)), rel=1e-12)


def test_what_the_blocks_add_one_by_one_is_what_they_add_together(switched: pm.Model, log_density: Density) -> None:
    here = point(switched, 4)
    nothing = log_density(here, [])
    alone = {block: log_density(here, [block]) - nothing for block in BLOCKS}
    assert sum(alone.values()) == pytest.approx(log_density(here, BLOCKS) - nothing, rel=1e-9)
    assert all(value != 0.0 for value in alone.values())


@pytest.mark.parametrize("block", BLOCKS)
def test_one_block_on_adds_the_likelihood_of_that_block_alone(
    block: str, priors: Priors, observations: Observations, switched: pm.Model, log_density: Density
) -> None:
    """`build_model` of one block, at the same values: its rows and its restrictions."""
    alone = build_model(priors, observations, [block])
    expected = alone.compile_fn(
        [*alone.logp(vars=alone.observed_RVs, sum=False), *alone.replace_rvs_by_values(alone.potentials)],
        inputs=alone.value_vars,
        mode=QUICK,
        on_unused_input="ignore",
    )
    here = point(switched, 5)
    found = log_density(here, [block]) - log_density(here, [])
    assert found == pytest.approx(total(expected(same_values(here, switched, alone))), rel=1e-9, abs=1e-9)
    assert len(alone.potentials) == len(RESTRICTIONS.get(block, ())) or block == "task_horizon"


def same_values(here: dict[str, Any], model: pm.Model, other: pm.Model) -> dict[str, Any]:
    """The point of one model as a point of another with some of its parameters, matched by their names."""
    known: dict[str, Any] = {}
    for variable in model.free_RVs:
        value, dims = here[model.rvs_to_values[variable].name], model.named_vars_to_dims.get(variable.name, ())
        vector = bool(dims) and dims[0].endswith("_parameter")
        known |= dict(zip(model.coords[dims[0]], value, strict=True)) if vector else {variable.name: value}
    found = {}
    for variable in other.free_RVs:
        dims = other.named_vars_to_dims.get(variable.name, ())
        vector = bool(dims) and dims[0].endswith("_parameter")
        value = np.array([known[name] for name in other.coords[dims[0]]]) if vector else known[variable.name]
        found[other.rvs_to_values[variable].name] = value
    return found


def test_what_a_block_cannot_say_of_absurd_parameters_does_not_matter_while_it_is_off(
    priors: Priors, observations: Observations
) -> None:
    """A world that shrinks adds no compute: the logarithm of what it adds is not a number."""
    model = build_switched_model(priors, observations, ["depth_scaling", "compute"])
    log_density = switchable(model, model.compile_logp(mode=QUICK))
    slope = switchable(model, model.compile_dlogp(mode=QUICK))
    here = point(model, 6)
    shrinks = np.array([name == "world_compute_growth" for name in model.coords["Normal_parameter"]])
    here["Normal_parameters"] = np.where(shrinks, -0.3, here["Normal_parameters"])
    assert not np.isfinite(log_density(here, ["compute"]))
    for on in ([], ["depth_scaling"]):
        assert np.isfinite(log_density(here, on))
        assert np.isfinite(slope(here, on)).all()


def test_a_view_that_states_production_otherwise_has_switches_too(observations: Observations) -> None:
    priors = load_priors(overlays=["compute_bottlenecked"])
    blocks = ["algorithmic_progress", "research"]
    whole, switched = build_model(priors, observations, blocks), build_switched_model(priors, observations, blocks)
    log_density = switchable(switched, switched.compile_logp(mode=QUICK))
    here = point(whole, 7)
    assert log_density(here, blocks) == pytest.approx(float(whole.compile_logp(mode=QUICK)(here)), rel=1e-12)


def test_a_block_that_is_on_gives_the_conjugate_posterior_beside_one_that_is_off(
    priors: Priors, observations: Observations
) -> None:
    """With the scale between studies fixed, ln of the doubling time is normal with known errors: densities differ as it says."""
    fixed = priors.replace(software_study_scale=0.2)
    model = build_switched_model(fixed, observations, ["algorithmic_progress", "utilization"])
    log_density = switchable(model, model.compile_logp(mode=QUICK))
    posterior, prior = conjugate(fixed, observations, 0.2)
    here = point(model, 8)
    (name,) = (name for name in here if name.startswith("LogNormal_parameters"))
    place = list(model.coords["LogNormal_parameter"]).index("software_doubling_months")
    moved = {x: here | {name: np.where(np.arange(here[name].size) == place, x, here[name])} for x in (1.8, 2.3)}
    for on, expected in ((["algorithmic_progress"], posterior), ([], prior), (["utilization"], prior)):
        change = log_density(moved[2.3], on) - log_density(moved[1.8], on)
        assert change == pytest.approx(expected.logpdf(2.3) - expected.logpdf(1.8), rel=1e-9)
