"""What is known of a moment before any software feedback: compute, fleet, world, practice, people.

``p`` maps the names of ``forecast.schema`` to values (floats, arrays over draws, or the graph's variables), so that
the model, its regressions and the integrator read one definition. ``year`` is a decimal year.
Source: MODEL section 5, first two bullets; section 3 for each trend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecast.equations.algorithmic_progress import growth_per_year
from forecast.equations.compute import longest_training_run
from forecast.equations.sample_efficiency import (
    log_tokens_per_param,
    optimal_tokens_per_param,
    penalty_oom,
)
from forecast.equations.utilization import realised_utilization
from forecast.schema import DAY_SECONDS

Parameters = Mapping[str, Any]
LN10 = float(np.log(10.0))
LN2 = float(np.log(2.0))
LN6 = float(np.log(6.0))
LN_DAY_SECONDS = float(np.log(DAY_SECONDS))


def slowed(year: Any, growth: Any, reference_year: Any, after: Any, p: Parameters, *, xp: Any = np) -> Any:
    """Growth accumulated since `reference_year`: at `growth` until the slowdown year, at `after` from then on."""
    bend = p["slowdown_year"]
    return growth * (xp.minimum(year, bend) - reference_year) + after * xp.maximum(year - bend, 0.0)


def compute_growth_after(p: Parameters) -> Any:
    """OOM per year of compute once spending no longer outpaces hardware: price-performance plus budgets."""
    return p["price_performance_growth"] + p["budget_growth"]


def software_growth(p: Parameters) -> Any:
    """People-only growth of ln S per year at `as_of`, from the doubling time in months."""
    return growth_per_year(p["software_doubling_months"])


def log10_world(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP/s installed in the world."""
    rise = slowed(year, p["world_compute_growth"], 2025.0, compute_growth_after(p), p, xp=xp)
    return p["log10_world_flop_per_second_2025"] + rise


def log10_fleet_trend(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP/s of the leader's fleet before the world bounds it."""
    rise = slowed(year, p["fleet_growth"], 2025.0, compute_growth_after(p), p, xp=xp)
    return p["log10_fleet_flop_per_second_2025"] + rise


def log10_fleet_cap(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP/s of the largest share of the world that one fleet can hold."""
    return xp.log(p["largest_fleet_share"]) / LN10 + log10_world(year, p, xp=xp)


def log10_fleet(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP/s of the leader's fleet."""
    return xp.minimum(log10_fleet_trend(year, p, xp=xp), log10_fleet_cap(year, p, xp=xp))


def utilization_of_draw(kind: str, year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """Realised share of peak, `kind` being ``training`` or ``deployment``, with the draw's own offset."""
    offset = p[f"{kind}_utilization_scatter"] * p[f"{kind}_utilization_variate"]
    start, trend = p[f"{kind}_utilization_2023"], p[f"{kind}_utilization_trend"]
    return realised_utilization(year, start, trend, offset, xp=xp)


def log_training_days(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln days of a typical frontier run: longer every year until spending slows down."""
    return xp.log(p["training_days"]) + slowed(year, p["training_days_trend"], 2023.0, 0.0, p, xp=xp)


def log_training_seconds(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln seconds of the draw's frontier run, capped by the longest run worth starting."""
    longest = longest_training_run(LN10 * p["price_performance_growth"], software_growth(p))
    typical = log_training_days(year, p, xp=xp) + p["training_days_scatter"] * p["training_days_variate"]
    return xp.minimum(typical + LN_DAY_SECONDS, xp.log(longest))


def log10_top_runs(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP of a run among the three largest of its time that is not the record."""
    rise = slowed(year, p["training_compute_growth"], 2024.0, compute_growth_after(p), p, xp=xp)
    return p["log10_training_flop_2024"] + rise


def log10_training_trend(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP of the record run before the fleet bounds it."""
    return log10_top_runs(year, p, xp=xp) + p["record_offset"]


def log10_training_cap(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP of a run on the largest share of the fleet for the draw's duration."""
    useful = xp.log(utilization_of_draw("training", year, p, xp=xp)) + xp.log(p["largest_run_share"])
    return (useful + log_training_seconds(year, p, xp=xp)) / LN10 + log10_fleet(year, p, xp=xp)


def log10_training_flop(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """log10 FLOP of the largest training run; where ``p["params"]`` gives its size, 6 m p^2 with practice at its trend."""
    trend = xp.minimum(log10_training_trend(year, p, xp=xp), log10_training_cap(year, p, xp=xp))
    if "params" in p:
        return (LN6 + log_tokens_per_param_of_draw(year, trend, p, xp=xp)) / LN10 + 2.0 * np.log10(p["params"])
    return trend


def loss_surface_arguments(p: Parameters) -> dict[str, Any]:
    """The fitted loss surface as keyword arguments of ``equations.sample_efficiency``."""
    shares = p["loss_shares"]
    return {
        "share_params": shares[..., 1],
        "share_tokens": shares[..., 2],
        "params_exponent": p["loss_params_exponent"],
        "tokens_exponent": p["loss_tokens_exponent"],
        "params_centre": p["loss_params_centre"],
        "tokens_centre": p["loss_tokens_centre"],
    }


def log_practice(year: Any, log10_flop: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln tokens per parameter of record-sized runs: a damped approach to a multiple of the surface's optimum."""
    optimum = optimal_tokens_per_param(xp.exp(LN10 * log10_flop), **loss_surface_arguments(p), xp=xp)
    asymptote = xp.log(p["overtraining_factor"]) + xp.log(optimum)
    return log_tokens_per_param(year, xp.log(p["tokens_per_param_2024"]), asymptote, p["overtraining_half_life"], xp=xp)


def log_tokens_per_param_of_draw(year: Any, log10_flop: Any, p: Parameters, *, xp: Any = np) -> Any:
    """Practice with the draw's own offset, constant in time."""
    return log_practice(year, log10_flop, p, xp=xp) + p["tokens_per_param_scatter"] * p["tokens_per_param_variate"]


def log_params(log10_flop: Any, log_ratio: Any, p: Parameters, log10_tokens: Any = 0.0, *, xp: Any = np) -> Any:
    """ln params of a run: sqrt(C/(6 m H)), or C/(6 H D_max) once text limits the data points.

    `log_ratio` is ln tokens per parameter, `log10_tokens` log10 of the token-equivalents per data point (H).
    """
    if "params" in p:
        return xp.log(p["params"]) + 0.0 * log10_flop
    log_c = LN10 * (log10_flop - log10_tokens) - LN6
    log_stock = xp.log(p["text_stock_tokens"] * p["text_epochs"])
    return xp.maximum(0.5 * (log_c - log_ratio), log_c - log_stock)


def effective_compute_penalty(log10_flop: Any, log_ratio: Any, p: Parameters, *, xp: Any = np) -> Any:
    """OOM of compute that a compute-optimal model of the same loss would save (H = 1)."""
    log_size = log_params(log10_flop, log_ratio, p, xp=xp)
    log_tokens = LN10 * log10_flop - LN6 - log_size
    flop = xp.exp(LN10 * log10_flop)
    return penalty_oom(flop, xp.exp(log_size), xp.exp(log_tokens), **loss_surface_arguments(p), xp=xp)


def log10_effective_flop(year: Any, log_software: Any, p: Parameters, *, xp: Any = np) -> Any:
    """E: log10 FLOP of the largest run in `as_of` algorithms, `log_software` being ln S."""
    flop = log10_training_flop(year, p, xp=xp)
    ratio = log_tokens_per_param_of_draw(year, flop, p, xp=xp)
    return flop + log_software / LN10 - effective_compute_penalty(flop, ratio, p, xp=xp)


def effective_flop_on_trend(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """E without feedback: software on its people-only trend, bounded by its ceiling."""
    log_software = xp.minimum(software_growth(p) * (year - p["as_of_year"]), LN10 * p["log10_software_ceiling"])
    return log10_effective_flop(year, log_software, p, xp=xp)


def effective_flop_centre(years: Any, p: Parameters) -> Any:
    """Mean over `years` of E without feedback: where the regression of the task horizon is centred."""
    return sum(effective_flop_on_trend(year, p) for year in years) / len(years)


def log_staff_growth(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln of research staff relative to `as_of`: the labs' growth to the slowdown year, then its own."""
    return slowed(year, p["labour_growth"], p["as_of_year"], p["researcher_growth_after"], p, xp=xp)


def log_leader_researchers(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln researchers of the leading developer; never above half the world's, which grow likewise."""
    now = xp.log(xp.minimum(p["leader_researchers"], 0.5 * p["world_researchers"]))
    return now + log_staff_growth(year, p, xp=xp)


def log_world_researchers(year: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln AI researchers in the world."""
    return xp.log(p["world_researchers"]) + log_staff_growth(year, p, xp=xp)
