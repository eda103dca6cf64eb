"""Power-scaling: what leans on a prior is said to, what does not is not; no fit needed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.drivers.outputs import parsed_outputs
from forecast.drivers.scaling import ALL, power_scaling
from forecast.errors import InputError

DIMS = ("chain", "draw")


def conjugate(prior_sd: float, rows: int, seed: int = 1) -> xr.DataTree:
    """Exact draws of a normal mean: prior N(0, prior_sd), `rows` observations of 1 with scatter 1; and an idle prior."""
    precision = 1.0 / prior_sd**2 + rows
    rng = np.random.default_rng(seed)
    mean = rng.normal(rows / precision, precision**-0.5, size=(4, 1000))
    idle = rng.normal(size=(4, 1000))
    likelihood = np.repeat(stats.norm.logpdf(1.0, mean, 1.0)[..., None], rows, axis=-1)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"mean": (DIMS, mean)}),
            "log_prior": xr.Dataset(
                {
                    "mean": (DIMS, stats.norm.logpdf(mean, 0.0, prior_sd)),
                    "idle": (DIMS, stats.norm.logpdf(idle)),
                    "flat": (DIMS, np.zeros((4, 1000))),
                }
            ),
            "log_likelihood": xr.Dataset({"table": ((*DIMS, "row"), likelihood)}),
        }
    )
    tree.attrs["forecast"] = json.dumps({"kind": "posterior"})
    return tree


def scaled(tree: xr.DataTree) -> dict[tuple[str, str], dict]:
    outputs = parsed_outputs(["takeoff_years"])
    frame = power_scaling(tree, outputs, {"takeoff_years": tree["posterior"]["mean"].values.ravel()})
    return {(row["kind"], row["scaled"]): row for row in frame.to_dict("records")}


def test_a_prior_that_pulls_against_few_data_is_leaned_on() -> None:
    found = scaled(conjugate(prior_sd=0.5, rows=3))
    assert found["prior", "mean"]["sensitivity"] > 0.05
    assert found["prior", "mean"]["verdict"] == "leans on this prior"
    assert found["likelihood", "table"]["verdict"] == "leans on this likelihood"
    assert found["prior", ALL]["verdict"] == "priors and data both move it: look whether they disagree"


def test_a_wide_prior_beside_many_data_is_not() -> None:
    found = scaled(conjugate(prior_sd=50.0, rows=30))
    assert found["prior", "mean"]["verdict"] == "hardly moves"
    assert found["prior", ALL]["verdict"] == "priors as a whole hardly move it"
    assert found["likelihood", "table"]["sensitivity"] > 0.05


def test_a_prior_of_something_else_hardly_moves_it_and_a_uniform_one_not_at_all() -> None:
    found = scaled(conjugate(prior_sd=0.5, rows=3))
    assert found["prior", "idle"]["sensitivity"] < 0.05
    assert found["prior", "flat"]["sensitivity"] == 0.0


def test_the_strongest_come_first_within_their_kind() -> None:
    outputs = parsed_outputs(["takeoff_years"])
    tree = conjugate(prior_sd=0.5, rows=3)
    frame = power_scaling(tree, outputs, {"takeoff_years": tree["posterior"]["mean"].values.ravel()})
    priors = frame[(frame["kind"] == "prior") & (frame["scaled"] != ALL)]
    assert priors["scaled"].iloc[0] == "mean"
    assert priors["sensitivity"].is_monotonic_decreasing


def test_draws_of_the_prior_have_no_likelihood_to_scale(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="needs the group log_prior of a fitted run"):
        power_scaling(prior_run, parsed_outputs(["takeoff_years"]), {"takeoff_years": np.zeros(300)})
