"""Parameters chosen so that the science can be done by hand: powers of ten and two, halves, no scatter.

At 2025.0 the record run takes 1e28 FLOP, text does not bind, practice is compute-optimal (20 tokens per parameter), so
E = 28; E_20 = 27 and E_100 = 31, so AIs do 0.4 of AI R&D. The fleet is on its trend until 2026 and at its cap after.
"""

from __future__ import annotations

from typing import Any

import numpy as np

YEAR_SECONDS = 31_557_600.0
RUN_SECONDS = 1e7


def round_parameters(**changes: Any) -> dict[str, Any]:
    """The parameters, with some replaced."""
    known = depth_and_utilization() | practice() | compute() | inference() | capability() | research()
    unknown = changes.keys() - known.keys()
    assert not unknown, unknown
    return known | changes


def depth_and_utilization() -> dict[str, Any]:
    return {
        "depth_exponent": 0.25,
        "reference_layers": 100.0,
        "depth_family_scale": 0.3,  # with the next a spread of 0.5
        "depth_scatter": 0.4,
        "layers_variate": 0.0,
        "training_utilization_2023": 0.5,
        "training_utilization_trend": 0.0,
        "training_utilization_scatter": 0.5,
        "training_utilization_variate": 0.0,
        "deployment_utilization_2023": 0.2,
        "deployment_utilization_trend": 0.0,
        "deployment_utilization_scatter": 0.5,
        "deployment_utilization_variate": 0.0,
    }


def practice() -> dict[str, Any]:
    """A loss surface whose optimum is 20 tokens per parameter at any compute."""
    return {
        "loss_shares": np.array([0.6, 0.2, 0.2]),
        "loss_params_exponent": 0.5,
        "loss_tokens_exponent": 0.5,
        "loss_params_centre": 1e9,
        "loss_tokens_centre": 2e10,
        "tokens_per_param_2024": 20.0,
        "overtraining_factor": 1.0,
        "overtraining_half_life": 1.0,
        "tokens_per_param_scatter": 0.5,
        "tokens_per_param_variate": 0.0,
        "text_stock_tokens": 1e14,
        "text_epochs": 4.0,
        "log10_tokens_per_datapoint": 1.0,
    }


def compute() -> dict[str, Any]:
    return {
        "as_of_year": 2025.0,
        "slowdown_year": 2028.0,
        "price_performance_growth": 0.1,
        "budget_growth": 0.1,
        "log10_training_flop_2024": 27.0,
        "record_offset": 0.5,
        "training_compute_growth": 0.5,
        "log10_world_flop_per_second_2025": 24.0,
        "world_compute_growth": 0.5,
        "log10_fleet_flop_per_second_2025": 22.5,
        "fleet_growth": 1.0,
        "largest_fleet_share": 0.1,
        "largest_run_share": 0.2,  # with half the peak for 1e7 s, a run is 1e6 s of the fleet
        "training_days": RUN_SECONDS / 86_400.0,
        "training_days_trend": 0.0,
        "training_days_scatter": 0.5,
        "training_days_variate": 0.0,
        "software_doubling_months": 12.0,
    }


def inference() -> dict[str, Any]:
    """One stream of 100 layers makes 100 tokens a second at 2024.0, and doubles every year for 10 years."""
    return {
        "log_stream_speed_2024": float(np.log(10.0)),
        "production_offset": 0.0,
        "stream_depth_exponent": 1.0,
        "stream_bandwidth_exponent": 0.5,
        "stream_reference_read_seconds": 1e-5,
        "stream_reference_utilization": 0.2,
        "stream_speed_growth": float(np.log(2.0)),
        "stream_growth_years": 10.0,
        "stream_scatter": 0.5,
        "stream_variate": 0.0,
        "stream_utilization_exponent": 1.5,
        "tokens_per_researcher_year": YEAR_SECONDS,  # one token per second of the calendar year
        "inference_discount": 1.0,
        "inference_growth_excess": 0.25,
    }


def capability() -> dict[str, Any]:
    """Automated coding at E = 30, 100% at 31, 20% at 27."""
    return {
        "log2_horizon_at_centre": 5.0,
        "horizon_doublings_per_oom": 2.0,
        "effective_flop_centre": 25.0,
        "horizon_doubling_factor": 1.0,
        "required_horizon_minutes": 2.0**15,
        "research_gap": 1.0,
        "automation_gap": 4.0,
        "log10_software_ceiling": 16.0,
        "taste_slope": 0.5,
        "taste_ceiling": 20.0,
    }


def research() -> dict[str, Any]:
    """Infinite labour is worth a factor 4 at a compute share of 1/2, so rho = -1/2."""
    return {
        "labour_growth": float(np.log(2.0)),
        "researcher_growth_after": 0.0,
        "compute_share": 0.5,
        "infinite_labour_multiple": 4.0,
        "returns": 1.0,
        "parallelization_exponent": 0.5,
        "latency_ceiling": 30.0,
        "leader_researchers": 4000.0,
        "world_researchers": 50_000.0,
        "research_fleet_share": 0.25,
        "task_complementarity": 1.0,
        "adaptation_rate": 0.7,
        "mismatch_penalty": 0.15,
        "researchers_2012": 40.0,
    }
