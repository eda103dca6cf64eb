"""Everything that is reported of one moment: from (year, ln S) to streams, human-equivalents and their ratios."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.takeoff import Milestones, Surroundings
from forecast.equations.task_horizon import TASK_HORIZON
from forecast.equations.trends import LN2, LN6, LN10, Parameters
from forecast.schema import JULIAN_YEAR_SECONDS

LN3 = float(np.log(3.0))
LOG10_YEAR = float(np.log10(JULIAN_YEAR_SECONDS))


def quantities(
    year: Any,
    log_software: Any,
    at: Milestones,
    p: Parameters,
    frozen_year: Any = None,
    form: str = "exponential",
    leap_year: Any = None,
) -> dict[str, Any]:
    """All of ``schema.YEARLY`` at one decimal year.

    Parameters
    ----------
    year : float or (draw,)
    log_software : (draw,), ln of algorithmic efficiency relative to `as_of`
    at : milestones of each draw
    p : parameters by the names of ``forecast.schema``
    frozen_year : (draw,) or None, when compute and tokens per parameter stopped changing
    form : name of the task-horizon form
    leap_year : (draw,) or None, when a hardware leap begins

    Returns
    -------
    dict
        Name of ``schema.YEARLY`` -> (draw,).
    """
    around = dynamics.surroundings(year, p, frozen_year, leap_year)
    flop = dynamics.effective_flop(log_software, around)
    on = dynamics.deployed(flop, around, at, p)
    share = np.clip(dynamics.unclipped_share(flop, at, p), 0.0, 1.0)
    compute_year = year if frozen_year is None else np.minimum(year, frozen_year)
    fleet_tokens = on.log_tokens_per_second / LN10
    people = fleet_tokens + LOG10_YEAR - np.log10(p["tokens_per_researcher_year"])
    world = trends.log10_world(compute_year, p)
    return {
        "log10_training_flop": around.log10_training_flop,
        "log10_fleet_flop_per_second": around.log10_fleet,
        "log10_world_flop_per_second": world,
        "log10_software": log_software / LN10,
        "log10_effective_flop": flop,
        "log10_task_horizon": log10_task_horizon(flop, at, p, form),
        "automated_share": share,
        "log10_params": on.log_params / LN10,
        "layers": np.exp(on.log_layers),
        "tokens_per_param": np.exp(around.log_tokens_per_param),
        "training_utilization": trends.utilization_of_draw("training", compute_year, p),
        "deployment_utilization": np.exp(around.log_deployment_utilization),
        "log10_fleet_tokens_per_second": fleet_tokens,
        "log10_training_cluster_tokens_per_second": log10_cluster_tokens(flop, around, compute_year, at, p),
        "log10_world_tokens_per_second": fleet_tokens + world - around.log10_fleet,
        "log10_world_bound_tokens_per_second": log10_world_bound(compute_year, around, p),
        "stream_tokens_per_second": np.exp(on.log_stream_speed),
        "serial_speed": np.exp(dynamics.log_serial_speed(on, p)),
        "log10_parallel_streams": (on.log_tokens_per_second - on.log_stream_speed) / LN10,
        "log10_human_equivalents": people,
        "log10_leader_ratio": people - around.log_researchers / LN10,
        "log10_world_ratio": people - trends.log_world_researchers(year, p) / LN10,
    }


def log10_task_horizon(flop: Any, at: Milestones, p: Parameters, form: str) -> Any:
    """log10 minutes of the task horizon at effective compute `flop`."""
    log2_minutes = TASK_HORIZON[form](
        flop,
        p["log2_horizon_at_centre"],
        p["horizon_doublings_per_oom"],
        p["effective_flop_centre"],
        p["horizon_doubling_factor"],
        at.now,
    )
    return log2_minutes * LN2 / LN10


def log10_cluster_tokens(flop: Any, around: Surroundings, year: Any, at: Milestones, p: Parameters) -> Any:
    """Equation 4: the training cluster of the largest run, reallocated to run that very model.

    3 m H p / N x deployment over training utilization, which is C / (2 p N) x that ratio.
    """
    log10_h = p["log10_tokens_per_datapoint"] * dynamics.progress(flop, at)
    size = trends.log_params(around.log10_training_flop, around.log_tokens_per_param, p, log10_h)
    ratio = around.log_deployment_utilization - np.log(trends.utilization_of_draw("training", year, p))
    if "params" in p:
        data = LN3 + around.log_tokens_per_param + LN10 * log10_h  # of a size that was given, not trained by the trend
        return (data + size - trends.log_training_seconds(year, p) + ratio) / LN10
    flop_per_second = LN10 * around.log10_training_flop - trends.log_training_seconds(year, p)
    return (flop_per_second + ratio - LN2 - size) / LN10


def log10_world_bound(year: Any, around: Surroundings, p: Parameters) -> Any:
    """Equation 5: the largest share of the world trains for one run's duration, then runs what it trained."""
    peak = LN10 * trends.log10_fleet_cap(year, p)
    trained = peak + np.log(trends.utilization_of_draw("training", year, p)) + trends.log_training_seconds(year, p)
    size = 0.5 * (trained - LN6 - around.log_tokens_per_param)
    return (peak + around.log_deployment_utilization - LN2 - size) / LN10
