"""Closed-form equations, one module per block of the model; every function works on floats, NumPy, xarray, PyTensor.

`xp`, the last and keyword-only argument where present, is the array namespace: NumPy by default, `pytensor.tensor`
inside a PyMC model. Rival forms of one quantity are siblings in their module, chosen by name:
``depth_scaling.LAYERS``, ``task_horizon.TASK_HORIZON``, and ``deployment``'s three stream speeds.
"""

from forecast.equations import (
    algorithmic_progress,
    compute,
    deployment,
    depth_scaling,
    research,
    sample_efficiency,
    task_horizon,
    utilization,
)
from forecast.equations.algorithmic_progress import doubling_months, growth_per_year
from forecast.equations.compute import (
    cluster_training_flop,
    longest_training_run,
    params_from_training_flop,
    tokens_per_researcher_second_at_parity,
    tokens_per_second,
    tokens_per_second_after_training,
    training_flop,
    world_tokens_per_second,
)
from forecast.equations.deployment import (
    communication_seconds_per_layer,
    human_equivalents,
    inference_growth_factor,
    parallel_streams,
    serial_speed,
)
from forecast.equations.depth_scaling import log_layers
from forecast.equations.research import (
    ElicitedCes,
    ces,
    elicitation_from_asymptotes,
    implied_returns_on_labour,
    input_growth,
    labour,
    labour_share,
    log_asymptotes,
    log_ces,
    log_software_constant_inputs,
    returns_on_all_inputs,
    rho_from_infinite_labour,
    rho_from_sigma,
    sigma_from_rho,
)
from forecast.equations.sample_efficiency import (
    centred_surface,
    log_tokens_per_param,
    loss_surface,
    model_params,
    optimal_params,
    optimal_tokens_per_param,
    penalty_oom,
    reducible_loss,
    surface_constants,
)
from forecast.equations.utilization import logit, realised_utilization

__all__ = [
    "ElicitedCes",
    "algorithmic_progress",
    "centred_surface",
    "ces",
    "cluster_training_flop",
    "communication_seconds_per_layer",
    "compute",
    "deployment",
    "depth_scaling",
    "doubling_months",
    "elicitation_from_asymptotes",
    "growth_per_year",
    "human_equivalents",
    "implied_returns_on_labour",
    "inference_growth_factor",
    "input_growth",
    "labour",
    "labour_share",
    "log_asymptotes",
    "log_ces",
    "log_layers",
    "log_software_constant_inputs",
    "log_tokens_per_param",
    "logit",
    "longest_training_run",
    "loss_surface",
    "model_params",
    "optimal_params",
    "optimal_tokens_per_param",
    "parallel_streams",
    "params_from_training_flop",
    "penalty_oom",
    "realised_utilization",
    "reducible_loss",
    "research",
    "returns_on_all_inputs",
    "rho_from_infinite_labour",
    "rho_from_sigma",
    "sample_efficiency",
    "serial_speed",
    "sigma_from_rho",
    "surface_constants",
    "task_horizon",
    "tokens_per_researcher_second_at_parity",
    "tokens_per_second",
    "tokens_per_second_after_training",
    "training_flop",
    "utilization",
    "world_tokens_per_second",
]
