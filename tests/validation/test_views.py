"""Other people's views: each loads, says where its numbers are from, and states what was published.

The published figures below are typed from the seeds, from the tables of parameters and from the authors' own files;
none is read from the view. A translation into this model's quantities is written out as arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecast import equations
from forecast.constants import constants
from forecast.equations import trends
from forecast.observations import Observations
from forecast.overlays import overlay_names, scenario_names
from forecast.places import priors_folder
from forecast.prior_files import JUDGEMENT, SCHEMA
from forecast.priors import Prior, Priors, check_priors, load_priors
from forecast.projection import on_trend

VIEWS = (
    "ai_futures2025",
    "compute_bottlenecked",
    "davidson2023",
    "davidson_houlden2025",
    "finnveden2023",
    "hardware_leap2025",
    "software_explosion",
)
AS_OF = 2026.8329  # 1 November 2026


@cache
def seen_by(view: str = "") -> Priors:
    """The priors of a view, or of the baseline without a name."""
    return load_priors(overlays=[view] if view else [])


def changed(view: str) -> dict[str, Prior]:
    """What a view has that the baseline has otherwise."""
    return {name: prior for name, prior in seen_by(view).items() if prior != seen_by()[name]}


# --- every view ------------------------------------------------------------------------------------------------------


def test_these_are_the_views_shipped() -> None:
    assert set(VIEWS) == set(overlay_names()) - set(scenario_names())


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_loads_and_replaces_known_parameters_only(view: str) -> None:
    assert check_priors(priors_folder() / f"{view}.toml") == []
    priors = seen_by(view)
    assert set(priors) == set(seen_by())
    assert set(changed(view)) <= set(SCHEMA)
    assert priors.overlays[0]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_changes_three_parameters_on_published_grounds(view: str) -> None:
    base = seen_by()
    other = [p for name, p in changed(view).items() if (p.params, p.bounds) != (base[name].params, base[name].bounds)]
    assert sum(set(prior.source) != {JUDGEMENT} for prior in other) >= 3
    assert sum(JUDGEMENT not in prior.source for prior in other) >= 2  # and two on nothing else


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_gives_a_reason_for_every_number(view: str) -> None:
    assert [name for name, prior in changed(view).items() if not prior.rationale] == []


@pytest.mark.parametrize("view", VIEWS)
def test_draws_of_a_view_stay_where_the_equations_hold(view: str) -> None:
    priors = seen_by(view)
    ends = {name: priors[name].quantile([1e-6, 1.0 - 1e-6], AS_OF) for name in LIMITS}
    for name, (low, high) in LIMITS.items():
        assert low < ends[name][0] <= ends[name][1] <= high, name


LIMITS = {
    "compute_share": (0.0, 1.0),
    "infinite_labour_multiple": (1.09, np.inf),
    "latency_ceiling": (1.0 - 1e-9, np.inf),
    "parallelization_exponent": (0.0, 1.2),
    "horizon_doubling_factor": (0.0, 2.0),
    "largest_run_share": (0.0, 1.0),
    "largest_fleet_share": (0.0, 1.0),
    "log10_software_ceiling": (0.0, np.inf),
    "research_fleet_share": (0.0, 1.0),
    "slowdown_year": (AS_OF - 1e-9, 2032.0),
}


# --- Finnveden's arithmetic, from the shipped equations --------------------------------------------------------------


def middle(priors: Priors, data: Observations, **changes: float) -> dict[str, Any]:
    """Parameters at their medians, a fixed one at its value, with the constants of the tables."""
    known = constants(data)
    years = known.pop("horizon_years")
    medians = {name: np.asarray(prior.quantile(0.5, known["as_of_year"])) for name, prior in priors.items()}
    p = medians | known | {name: np.asarray(value) for name, value in changes.items()}
    p["effective_flop_centre"] = np.mean([trends.effective_flop_on_trend(year, p) for year in years])
    return p


def finnveden(data: Observations, year: float = 2026.9, **changes: float) -> dict[str, float]:
    """What the projection says of one year under this view, out of the logs."""
    series = on_trend(middle(seen_by("finnveden2023"), data, **changes), [year], "exponential")
    return {
        name.removeprefix("log10_"): float(10.0 ** x[0, 0] if name.startswith("log10_") else x[0, 0])
        for name, x in series.items()
    }


@pytest.mark.parametrize("year", [2026.9, 2035.5, 2045.5])
def test_a_quarter_of_4e21_flop_per_second_gives_the_23_million_tokens_per_second(
    observations: Observations, year: float
) -> None:
    """p = sqrt(1e21 N/(3 k m H)) ~= 1.1e13; 1e21/(kp) ~= 23 million; /50 ~= 500,000 streams; k 4, m 20, H 1, N 3e7."""
    params = (1e21 * 3e7 / (3 * 4 * 20 * 1)) ** 0.5
    tokens = 1e21 / (4 * params)
    assert params == pytest.approx(1.118e13, rel=1e-3)
    assert tokens == pytest.approx(2.24e7, rel=2e-3)
    assert tokens / 50 == pytest.approx(447_000, rel=1e-3)
    seen = finnveden(observations, year)
    assert seen["params"] == pytest.approx(params, rel=1e-10)
    assert seen["tokens_per_param"] == pytest.approx(20.0, rel=1e-10)
    assert seen["training_flop"] == pytest.approx(0.5 * 1e21 * 3e7, rel=1e-10)  # C = u F N: all of the fleet
    assert seen["fleet_tokens_per_second"] == pytest.approx(tokens, rel=1e-10)
    assert seen["training_cluster_tokens_per_second"] == pytest.approx(tokens, rel=1e-10)
    assert seen["world_bound_tokens_per_second"] == pytest.approx(tokens, rel=1e-8)  # the world grows by 1e-9 a year
    assert seen["stream_tokens_per_second"] == pytest.approx(50.0, rel=1e-10)
    assert seen["parallel_streams"] == pytest.approx(tokens / 50, rel=1e-10)


@pytest.mark.parametrize(("params", "tokens"), [(1e14, 2e8), (1e15, 2e9)])
def test_a_cluster_that_trained_1e14_parameters_serves_200_million_tokens_per_second(
    observations: Observations, params: float, tokens: float
) -> None:
    """3 m p/N for N = 3e7 s, on the cluster that trains p parameters in that time: F = 3 k m p^2/N."""
    peak = 3 * 4 * 20 * params**2 / 3e7
    seen = finnveden(
        observations,
        log10_training_flop_2024=np.log10(0.5 * peak * 3e7),
        log10_fleet_flop_per_second_2025=np.log10(peak),
        log10_world_flop_per_second_2025=np.log10(4 * peak),
    )
    assert seen["params"] == pytest.approx(params, rel=1e-10)
    assert seen["training_cluster_tokens_per_second"] == pytest.approx(tokens, rel=1e-10)


def test_one_hour_per_data_point_gives_of_the_order_of_1e12(observations: Observations) -> None:
    """3 m p H/N with p = 1e14, H = 3600 tokens, N = 3 months of 7.5e6 s, once full automation needs that H."""
    peak = 3 * 4 * 20 * 3600 * 1e14**2 / 7.5e6
    seen = finnveden(
        observations,
        training_days=7.5e6 / 86_400,
        log10_tokens_per_datapoint=np.log10(3600.0),
        required_horizon_minutes=1.0,  # long past, so that the whole of H is in use
        log10_training_flop_2024=np.log10(0.5 * peak * 7.5e6),
        log10_fleet_flop_per_second_2025=np.log10(peak),
        log10_world_flop_per_second_2025=np.log10(4 * peak),
    )
    assert seen["training_cluster_tokens_per_second"] == pytest.approx(2.88e12, rel=1e-10)


def test_the_longest_run_does_not_cut_finnvedens_year(observations: Observations) -> None:
    """Footnote 2: "likely to last less than 14-15 months"."""
    p = middle(seen_by("finnveden2023"), observations)
    longest = equations.longest_training_run(
        trends.LN10 * p["price_performance_growth"], equations.growth_per_year(p["software_doubling_months"])
    )
    assert 14.0 < longest / 31_557_600 * 12 < 15.0
    assert np.exp(trends.log_training_seconds(2031.0, p)) == pytest.approx(3e7, rel=1e-10)


def test_finnvedens_world_still_adds_some_compute(observations: Observations) -> None:
    """A world without any growth would make the observed additions impossible, and the fit with them."""
    p = middle(seen_by("finnveden2023"), observations)
    assert trends.log10_world(2025.25, p) > trends.log10_world(2025.0, p)


# --- the published figures -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """Quantiles of a parameter of a view, by probability, and how near the prior must come."""

    view: str
    name: str
    quantiles: dict[float, float]
    tolerance: float = 1e-6


def bent(low: float, best: float, high: float) -> dict[float, float]:
    """5%, 50% and 95% of a uniform distribution whose halves, on each side of the best guess, hold half the mass."""
    return {0.05: best + 0.9 * (low - best), 0.5: best, 0.95: best + 0.9 * (high - best)}


def some(quantiles: dict[float, float], *kept: float) -> dict[float, float]:
    return {q: quantiles[q] for q in kept}


def exp(quantiles: dict[float, float]) -> dict[float, float]:
    return {q: float(np.exp(x)) for q, x in quantiles.items()}


def davidson_horizon(log10_flop: float) -> float:
    """Minutes: less ln 3 for R&D, 2.0 OOM of software since 2022, 0.7 from coding; 2.7 doublings/OOM from 2^10.8."""
    return float(2.0 ** (10.8 + 2.7 * (log10_flop - np.log10(3.0) - 2.0 - 0.7 - 27.5)))


def capital_labour(sigma: float) -> float:
    """What infinite labour is worth at a compute share of 0.67, s^(1/rho) with rho = (sigma - 1)/sigma."""
    return float(0.67 ** (sigma / (sigma - 1.0)))


OOM_PER_DOUBLING = float(np.log10(2.0))
FTM_RETURNS = exp(bent(np.log(0.8), np.log(1.25), np.log(5.0)))
FTM_TASKS = exp(bent(np.log(0.2), np.log(0.5), np.log(2.0)))
FTM_LAMBDA = {q: 1.0 / (1.0 + np.exp(-x)) for q, x in bent(np.log(0.25), np.log(7 / 3), np.log(99.0)).items()}
FTM_TRADE_OFF = exp(bent(np.log(0.8), np.log(1.5), np.log(3.0)))
FTM_REQUIREMENT = bent(33.0, 36.0, 40.0)
AIFM_OOM_PER_YEAR = 0.79 + 0.60  # software and training compute, both its own middle
AIFM_TASTE = np.log10(1.0 + np.sqrt(0.4 * 12.7)) / 3.0902323  # OOM per standard deviation, the best of a thousand

CASES = [
    # Davidson 2023: conservative, best guess, aggressive of the model's own presets
    Published("davidson2023", "automation_gap", some(bent(1.0, 4.0, 8.0), 0.05, 0.95)),
    Published("davidson2023", "automation_gap", {0.5: 4.0}, tolerance=0.15),
    Published("davidson2023", "returns", some(FTM_RETURNS, 0.5, 0.95)),
    Published("davidson2023", "parallelization_exponent", some(FTM_LAMBDA, 0.05, 0.5)),
    Published("davidson2023", "task_complementarity", some(FTM_TASKS, 0.05, 0.95)),
    Published("davidson2023", "compute_share", {0.5: 0.3}),
    Published("davidson2023", "log10_software_ceiling", {1e-9: 8.0 - 2.0, 0.5: 12.0 - 2.0, 1 - 1e-9: 16.0 - 2.0}),
    Published(
        "davidson2023", "inference_growth_excess", {q: 0.5 + x for q, x in some(FTM_TRADE_OFF, 0.05, 0.95).items()}
    ),
    Published("davidson2023", "inference_growth_excess", {0.5: 2.0}, tolerance=0.1),
    Published("davidson2023", "taste_slope", {0.5: 0.0}),
    Published(
        "davidson2023",
        "required_horizon_minutes",
        {q: davidson_horizon(x) for q, x in some(FTM_REQUIREMENT, 0.05, 0.95).items()},
        tolerance=0.01,
    ),
    # Davidson & Houlden 2025: r 0.4..1.2..3.6, p 0.15..0.3..0.6, limit 6..11..16 years of 8 doublings
    Published("davidson_houlden2025", "returns", {1e-9: 0.4 / 0.5, 0.5: 1.2 / 0.5, 1 - 1e-9: 3.6 / 0.5}),
    Published(
        "davidson_houlden2025", "parallelization_exponent", {1e-9: 0.15 / 0.5, 0.5: 0.3 / 0.5, 1 - 1e-9: 0.6 / 0.5}
    ),
    Published("davidson_houlden2025", "parallelization_exponent", {0.5: 0.6}),
    Published("davidson_houlden2025", "compute_share", {0.5: 1.0 - 0.5}),
    Published("davidson_houlden2025", "software_doubling_months", {0.5: 3.0}),
    Published(
        "davidson_houlden2025",
        "log10_software_ceiling",
        {q: 8 * years * OOM_PER_DOUBLING for q, years in {1e-9: 6.0, 0.5: 11.0, 1 - 1e-9: 16.0}.items()},
    ),
    # AI Futures Model 2025: 80% intervals
    Published("ai_futures2025", "parallelization_exponent", {0.1: 0.3, 0.9: 0.8}),
    Published("ai_futures2025", "infinite_labour_multiple", {0.1: 1.0 + 1.0, 0.9: 1.0 + 200.0}),
    Published("ai_futures2025", "task_complementarity", {0.125: 1.0, 0.875: 5.0}),
    Published("ai_futures2025", "task_complementarity", {0.5: 2.0}, tolerance=0.15),
    Published(
        "ai_futures2025",
        "software_doubling_months",
        {0.1: 12 * OOM_PER_DOUBLING / 2.5, 0.5: 12 * OOM_PER_DOUBLING / 0.79, 0.9: 12 * OOM_PER_DOUBLING / 0.25},
        tolerance=1e-3,
    ),
    Published(
        "ai_futures2025",
        "horizon_doublings_per_oom",
        {0.1: 1 / (0.667 * AIFM_OOM_PER_YEAR), 0.9: 1 / (0.25 * AIFM_OOM_PER_YEAR)},
    ),
    Published("ai_futures2025", "horizon_doubling_factor", {0.1: 0.8, 0.9: 1.04}),
    Published("ai_futures2025", "required_horizon_minutes", {0.1: 12456.0, 0.9: 3.11e9}),
    Published(
        "ai_futures2025",
        "taste_slope",
        {0.1: 0.8 * AIFM_TASTE / AIFM_OOM_PER_YEAR, 0.9: 7.8 * AIFM_TASTE / AIFM_OOM_PER_YEAR},
        tolerance=1e-4,
    ),
    Published("ai_futures2025", "training_compute_growth", {0.1: 0.55, 0.9: 0.65}),
    Published("ai_futures2025", "slowdown_year", {1 - 1e-9: 2030.0}),
    Published("ai_futures2025", "budget_growth", {0.1: 0.15 - 0.14, 0.9: 0.35 - 0.14}),
    Published("ai_futures2025", "labour_growth", {0.5: np.log(2678.243428 / 1487.913016)}),
    Published("ai_futures2025", "leader_researchers", {0.5: 2678.243428 * 1.8 ** (AS_OF - 2026.0)}, tolerance=1e-3),
    # complements: elasticities of 0.3 and of manufacturing's upper end; the doubt of 30x; quadratic cost
    Published(
        "compute_bottlenecked", "infinite_labour_multiple", {0.05: capital_labour(0.3), 0.95: capital_labour(0.7)}
    ),
    Published("compute_bottlenecked", "latency_ceiling", {0.95: 30.0}, tolerance=1e-3),
    Published("compute_bottlenecked", "experiment_cost_exponent", {0.5: 2.0}),
    Published("compute_bottlenecked", "projects_in_parallel", {1e-9: 1.0, 1 - 1e-9: 4.0}),
    # mishka 2025, with other people's figures
    Published("software_explosion", "software_doubling_months", {0.5: 12 * OOM_PER_DOUBLING / 1.0}, tolerance=0.01),
    Published("software_explosion", "software_doubling_months", {0.95: 5.2}),
    Published("software_explosion", "returns", {1e-9: 1.0 / 0.5, 1 - 1e-9: 3.6 / 0.5}),
    Published(
        "software_explosion",
        "log10_software_ceiling",
        {1e-9: 8 * 11 * OOM_PER_DOUBLING, 1 - 1e-9: 8 * 16 * OOM_PER_DOUBLING},
    ),
    # Dickens 2025
    Published("hardware_leap2025", "leap_present_system_usd", {0.5: 10e9}),
    Published("hardware_leap2025", "leap_finance_usd", {0.5: 1000e9}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.view}-{case.name}")
def test_a_view_states_what_was_published(case: Published) -> None:
    prior = seen_by(case.view)[case.name]
    for probability, value in case.quantiles.items():
        assert prior.quantile(probability, AS_OF) == pytest.approx(value, rel=case.tolerance, abs=1e-9), probability


def test_davidsons_researchers_and_experiments_substitute_with_an_exponent_of_a_hundredth() -> None:
    view = seen_by("davidson2023")
    multiple, share = (view[name].quantile(0.5) for name in ("infinite_labour_multiple", "compute_share"))
    assert equations.rho_from_infinite_labour(multiple, share) == pytest.approx(-0.01, rel=1e-12)


@pytest.mark.parametrize("view", ["davidson_houlden2025", "software_explosion"])
def test_cobb_douglas_views_have_an_elasticity_of_1(view: str) -> None:
    priors = seen_by(view)
    multiple, share = (priors[name].quantile(0.5) for name in ("infinite_labour_multiple", "compute_share"))
    rho = equations.rho_from_infinite_labour(multiple, share)
    assert equations.sigma_from_rho(rho) == pytest.approx(1.0, abs=2e-3)
    assert equations.ces(1e6, 1.0, share, rho) == pytest.approx(1e3, rel=0.03)  # half of 6 OOM


def test_the_compute_share_of_the_ai_futures_model_follows_from_its_two_asymptotes() -> None:
    """Draws of infinite labour 1 + (1..200) and infinite compute 1 + (25..1e6), both log-normal with 80% there."""
    z = np.random.default_rng(1).standard_normal((2, 20_000)) / 1.2815516
    labour = 1.0 + np.exp(0.5 * (np.log(200.0) + np.log(200.0) * z[0]))
    compute = 1.0 + np.exp(0.5 * (np.log(25.0 * 1e6) + np.log(1e6 / 25.0) * z[1]))
    share = equations.elicitation_from_asymptotes(np.maximum(labour, 1.05), compute, 0.3).compute_share
    prior = seen_by("ai_futures2025")["compute_share"]
    assert np.quantile(share, [0.1, 0.9]) == pytest.approx(prior.quantile([0.1, 0.9]), abs=0.02)


def test_software_outpaces_compute_where_mishka_says_so() -> None:
    """Doubling in 5.2 months is 5x a year, what the training compute of frontier models does."""
    slow_end = seen_by("software_explosion")["software_doubling_months"].quantile(0.95)
    assert 2.0 ** (12.0 / slow_end) == pytest.approx(5.0, rel=0.01)


def test_nobody_does_ai_research_with_ais_in_the_hardware_leap() -> None:
    view = seen_by("hardware_leap2025")
    assert view["research_fleet_share"].quantile(0.5) < 1e-20
    assert view["taste_slope"].quantile(0.5) == 0.0
