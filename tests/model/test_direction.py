"""Every block feeds an output: moving its main prior moves the headline in the stated direction.

Priors are replaced by a value below and above their median, everything else being the same draws of the prior.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from forecast.dynamics import takeoff_with_years
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors

Result = tuple[xr.Dataset, xr.Dataset]


def median_in(name: str, year: int) -> Callable[[Result], float]:
    return lambda result: float(result[1][name].sel(year=year).median())


def share_reached(result: Result) -> float:
    return float(1.0 - result[0].not_automated.mean())


def share_fast(result: Result) -> float:
    return float(result[0].first_year_1_oom.mean())


def median_length(result: Result) -> float:
    length = result[0].takeoff_years.values
    return float(np.median(length[np.isfinite(length)]))


CASES = [  # block, parameter, low, high, output, the sign of its answer to raising the parameter
    ("depth_scaling", "depth_exponent", 0.1, 0.35, median_in("log10_parallel_streams", 2028), +1),  # deeper, so slower
    ("utilization", "deployment_utilization_2023", 0.05, 0.4, median_in("log10_human_equivalents", 2028), +1),
    # a run of given FLOP needs a smaller cluster where utilization is high, and that cluster then runs fewer AIs
    (
        "utilization",
        "training_utilization_2023",
        0.1,
        0.6,
        median_in("log10_training_cluster_tokens_per_second", 2026),
        -1,
    ),
    ("sample_efficiency", "tokens_per_param_2024", 5.0, 300.0, median_in("log10_human_equivalents", 2026), +1),
    ("algorithmic_progress", "software_doubling_months", 5.0, 20.0, share_reached, -1),
    ("compute", "fleet_growth", 0.2, 0.8, median_in("log10_parallel_streams", 2028), +1),
    ("compute", "training_compute_growth", 0.3, 0.9, share_reached, +1),
    ("deployment", "tokens_per_researcher_year", 2e7, 1e9, median_in("log10_human_equivalents", 2030), -1),
    ("task_horizon", "horizon_doublings_per_oom", 0.8, 3.0, share_reached, +1),
    ("research", "returns", 0.4, 2.5, share_fast, +1),
    ("research", "infinite_labour_multiple", 2.0, 100.0, share_fast, +1),
    ("takeoff", "required_horizon_minutes", 1e4, 1e9, share_reached, -1),
    ("takeoff", "automation_gap", 1.5, 7.0, median_length, +1),
]


@pytest.fixture(scope="module")
def forecast_with(priors: Priors, observations: Observations) -> Callable[..., Result]:
    def run(**changes: float) -> Result:
        drawn = sample_prior(priors.replace(**changes), observations, draws=150, chains=2, random_seed=3)
        return takeoff_with_years(drawn, "baseline", years=range(2026, 2041))

    return run


@pytest.mark.parametrize(
    ("block", "parameter", "low", "high", "output", "sign"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_the_headline_moves_as_it_should(forecast_with, priors, block, parameter, low, high, output, sign) -> None:
    assert priors[parameter].block == block
    before, after = (output(forecast_with(**{parameter: value})) for value in (low, high))
    assert sign * (after - before) > 0.02, f"{parameter} {low} -> {high}: {before:.3f} -> {after:.3f}"


def test_every_block_is_moved() -> None:
    from forecast.schema import BLOCKS

    assert {case[0] for case in CASES} == set(BLOCKS)
