"""The shipped prior files against the schema and against the intervals their sources publish."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from forecast.overlays import scenario_names
from forecast.places import priors_folder
from forecast.prior_files import JUDGEMENT, read_prior_file
from forecast.priors import Priors, check_priors, load_priors
from forecast.schema import PARAMETERS

AS_OF = 2026.83
FILES = sorted(priors_folder().rglob("*.toml"))


@pytest.fixture(scope="module")
def priors() -> Priors:
    return load_priors()


def test_no_shipped_file_has_a_fault() -> None:
    assert check_priors() == []


@pytest.mark.parametrize("block", PARAMETERS)
def test_every_parameter_stands_in_its_block_with_its_unit(priors: Priors, block: str) -> None:
    found = {name: prior.units for name, prior in priors.block(block).items()}
    assert found == {name: variable.units for name, variable in PARAMETERS[block].items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_source_is_cited(path: object) -> None:
    faults: list[str] = []
    file = read_prior_file(path, faults, overlay=path.parent.name != "baseline")  # type: ignore[arg-type,attr-defined]
    assert file is not None and faults == []
    used = {key for prior in file.priors.values() for key in prior.source} - {JUDGEMENT}
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    references = re.search(r"references = \[(.*)\]", text)
    used |= set(re.findall(r'"(\w+)"', references.group(1))) if references else set()
    assert used == set(file.sources)


def test_every_prior_says_why(priors: Priors) -> None:
    assert [name for name, prior in priors.items() if not prior.rationale.endswith(".")] == []


def test_scenarios_and_views_have_names_of_their_own() -> None:
    views = {path.stem for path in priors_folder().glob("*.toml")}
    assert views & set(scenario_names()) == set()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("overtraining_factor", 3, 300),
        ("overtraining_half_life", 0.4, 2.5),
        ("tokens_per_researcher_year", 1.15e7, 1.15e9),
        ("inference_discount", 0.5, 3),
        ("inference_growth_excess", 0.05, 1),
        ("horizon_doubling_factor", 0.82, 1.02),
        ("compute_share", 0.59, 0.75),
        ("returns", 0.4, 2.5),
        ("parallelization_exponent", 0.3, 0.8),
        ("leader_researchers", 1500, 8000),
        ("world_researchers", 1e4, 2e5),
        ("research_fleet_share", 0.06, 0.5),
        ("task_complementarity", 0.3, 3),
        ("adaptation_rate", 0.2, 2),
        ("mismatch_penalty", 0.05, 0.4),
        ("research_gap", 0.2, 3),
        ("automation_gap", 1.5, 7),
        ("taste_slope", 0.07, 1.2),
        ("researchers_2012", 30, 200),
        ("researcher_growth_after", 0, 0.15),
        ("largest_run_share", 0.1, 0.7),
        ("largest_fleet_share", 0.1, 0.5),
        ("idea_time_share", 0.1, 0.6),
        ("instructions_per_paper", 20, 500),
        ("projects_in_parallel", 1, 8),
        ("compute_saving", 1, 20),
        ("experiment_cost_exponent", 1, 2),
        ("slow_quality", 0.25, 0.8),
        ("leap_build_months", 9, 18),
        ("leap_pool", 0.1, 0.7),
    ],
)
def test_a_published_90_per_cent_interval_is_reproduced(priors: Priors, name: str, low: float, high: float) -> None:
    np.testing.assert_allclose(priors[name].quantile([0.05, 0.95]), [low, high], rtol=1e-9, atol=1e-12)


def test_the_required_horizon_is_an_80_per_cent_interval(priors: Priors) -> None:
    prior = priors["required_horizon_minutes"]
    assert prior.statement["mass"] == 0.80
    np.testing.assert_allclose(prior.quantile([0.1, 0.9]), [12456, 3.11e9], rtol=1e-9)
    assert prior.quantile(0.1) / (60 * 2000) == pytest.approx(0.1, rel=0.05)  # work-years of about 2000 hours


@pytest.mark.parametrize(
    ("name", "mean", "sd"),
    [
        ("training_compute_growth", 0.6, 0.2),
        ("price_performance_growth", 0.14, 0.03),
        ("budget_growth", 0.05, 0.05),
        ("stream_depth_exponent", 1.0, 0.3),
        ("stream_bandwidth_exponent", 0.5, 0.25),
        ("log_stream_speed_2024", 4.0, 1.0),
        ("stream_speed_growth", 0.3, 0.2),
    ],
)
def test_a_normal_prior_has_the_stated_mean_and_deviation(priors: Priors, name: str, mean: float, sd: float) -> None:
    np.testing.assert_allclose(priors[name].quantile([0.15865525393145707, 0.5]), [mean - sd, mean], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "support"),
    [
        ("depth_exponent", (0.0, 0.6)),
        ("stream_utilization_exponent", (0.5, 2.0)),
        ("slowdown_year", (AS_OF, 2032.0)),
        ("infinite_labour_multiple", (1.1, math.inf)),
        ("latency_ceiling", (1.0, math.inf)),
        ("horizon_doublings_per_oom", (0.1, math.inf)),
        ("text_stock_tokens", (1e14, 1e15)),
        ("log10_software_ceiling", (8.0, 24.0)),
        ("davidson_houlden_initial_speedup", (2.0, 32.0)),
        ("davidson_houlden_returns", (0.4, 3.6)),
        ("davidson_houlden_parallel_exponent", (0.15, 0.6)),
        ("davidson_houlden_limit_years", (6.0, 16.0)),
    ],
)
def test_bounds_are_the_stated_ones(priors: Priors, name: str, support: tuple[float, float]) -> None:
    assert priors[name].scipy(AS_OF).support() == pytest.approx(support)


@pytest.mark.parametrize(
    ("name", "median"),
    [("reference_layers", 80), ("software_doubling_months", 9), ("leap_present_system_usd", 1e10)],
)
def test_a_lognormal_prior_has_the_stated_median(priors: Priors, name: str, median: float) -> None:
    assert priors[name].quantile(0.5) == pytest.approx(median)


def test_standard_variates_are_standard_normal(priors: Priors) -> None:
    variates = [prior for name, prior in priors.items() if name.endswith("_variate")]
    assert len(variates) >= 5
    assert all(prior.params == {"mu": 0.0, "sigma": 1.0} and prior.distribution == "Normal" for prior in variates)


def test_the_default_of_automatedcorp_is_200_thousand_chips_per_subjective_year(priors: Priors) -> None:
    value = {name: prior.params["value"] for name, prior in priors.items() if prior.distribution == "fixed"}
    assert value["automated_h100"] / value["automated_serial_speed"] == 200_000
    assert value["slow_h100"] / value["slow_researchers"] == 625_000
