"""One function per block: it adds named, observed variables with dims to the open model.

Each takes the lazily registered parameters and the observations; the likelihoods are MODEL section 3's table.
Equations come from ``forecast.equations``; nothing is computed twice in Python and in the graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy.special import ndtri

from forecast.equations import trends
from forecast.equations.sample_efficiency import loss_surface
from forecast.equations.trends import LN10
from forecast.model.parameters import ModelParameters, condition
from forecast.observations import Observations


def standard_error(table: Any, fallback: float = 0.0) -> np.ndarray:
    """Standard error of the log of an estimate from its interval (`low`, `high`, `mass`); `fallback` without one."""
    width = 2.0 * ndtri(0.5 + table["mass"].values / 2.0)
    error = np.log(table["high"].values / table["low"].values) / width
    return np.where(np.isfinite(error), error, fallback)


def depth_scaling(p: ModelParameters, data: Observations) -> None:
    """ln layers ~ t5(ln L_ref + alpha ln(params/7e10) + family, scatter)."""
    table = data["architectures"]
    index = np.unique(table["family"].values, return_inverse=True)[1]
    size = np.log(table["params"].values / 7e10)
    family = p["depth_family_scale"] * p["depth_family_variate"]
    mean = pt.log(p["reference_layers"]) + p["depth_exponent"] * size + family[index]
    observe("layers_observed", mean, p["depth_scatter"], np.log(table["layers"].values), "architecture")


def utilization(p: ModelParameters, data: Observations) -> None:
    """logit utilization ~ t5(level + trend (year - 2023) + gap of vendor benchmarks, scatter), per kind."""
    for kind in ("training", "deployment"):
        table = data[f"{kind}_utilization"]
        share = table[f"{kind}_utilization"].values
        start = p[f"{kind}_utilization_2023"]
        trend = p[f"{kind}_utilization_trend"] * (table["year"].values - 2023.0)
        mean = pt.log(start) - pt.log1p(-start) + trend
        if kind == "deployment":
            mean = mean + p["vendor_benchmark_gap"] * (table["setting"].values == "vendor_benchmark")
        observed = np.log(share) - np.log1p(-share)
        observe(f"{kind}_utilization_observed", mean, p[f"{kind}_utilization_scatter"], observed, f"{kind}_record")


def sample_efficiency(p: ModelParameters, data: Observations) -> None:
    """Losses about the surface (t4), and tokens per parameter of record-sized runs about the damped practice (t5)."""
    table = data["chinchilla_losses"]
    shares = p["loss_shares"]
    surface = loss_surface(
        table["params"].values,
        table["tokens"].values,
        loss_at_centre=p["loss_at_centre"],
        share_irreducible=shares[0],
        **trends.loss_surface_arguments(p),
        xp=pt,
    )
    observe("loss_observed", pt.log(surface), p["loss_scatter"], np.log(table["loss"].values), "loss_run", nu=4)
    runs = data["tokens_per_param"]
    flop = np.log10(runs["training_flop"].values)
    mean = trends.log_practice(runs["year"].values, flop, p, xp=pt)
    observed = np.log(runs["tokens_per_param"].values)
    observe("tokens_per_param_observed", mean, p["tokens_per_param_scatter"], observed, "record_run")


def algorithmic_progress(p: ModelParameters, data: Observations) -> None:
    """Random-effects meta-analysis of the doubling time: one row per study."""
    meta_analysis("software_doubling_observed", "study", data, "algorithmic_progress", "doubling_months",
                  p["software_doubling_months"], p["software_study_scale"])


def meta_analysis(
    name: str, dim: str, data: Observations, table_name: str, column: str, centre: Any, scale: Any
) -> None:
    """ln estimate ~ N(ln centre, sqrt(error^2 + scale^2)); error x 1.5 where the figure is a secondary quotation."""
    table = data[table_name]
    error = standard_error(table, condition(data, "study_error").centre)
    error = error * np.where(table["secondary"].values > 0, condition(data, "secondary_error").centre, 1.0)
    factor = table["conversion"].values if "conversion" in table else 1.0
    observed = np.log(table[column].values * factor)
    add_dim(dim, observed.size)
    pm.Normal(name, pt.log(centre), pt.sqrt(error**2 + scale**2), observed=observed, dims=dim)


def compute(p: ModelParameters, data: Observations) -> None:
    """Top-3 runs, world additions, yearly largest fleets, run durations and chip prices, each about its trend."""
    runs = data["training_runs"]
    year = runs["year"].values
    trend = p["log10_training_flop_2024"] + p["training_compute_growth"] * (year - 2024.0)
    mean = trend + p["record_offset"] * (runs["rank"].values == 1)
    observe("training_flop_observed", mean, p["training_compute_scatter"], log10(runs, "training_flop"), "top_run")
    world_additions(p, data)
    fleets = data["fleet_compute"]
    mean = trends.log10_fleet_trend(fleets["year"].values, p, xp=pt)
    spread = pt.sqrt((standard_error(fleets) / LN10) ** 2 + p["fleet_scatter"] ** 2)
    observe("fleet_observed", mean, spread, log10(fleets, "fleet_flop_per_second"), "fleet_record")
    durations = np.log(data["run_durations"]["training_days"].values)
    observe("training_days_observed", pt.log(p["training_days"]), p["training_days_scatter"], durations, "timed_run")
    chips = data["hardware"]
    price = np.log10(chips["flop_per_second"].values / chips["price_usd"].values)
    mean = p["log10_price_performance_2022"] + p["price_performance_growth"] * (chips["year"].values - 2022.0)
    observe("price_performance_observed", mean, p["price_performance_scatter"], price, "chip")
    keep_caps_slack(p)


def world_additions(p: ModelParameters, data: Observations) -> None:
    """log10 of the compute added in a quarter ~ t5(log10(W(end) - W(start)), ...): increments, no retirement."""
    table = data["world_compute"]
    start, end = (trends.log10_world(table[f"{side}_year"].values, p, xp=pt) for side in ("start", "end"))
    mean = start + pt.log(pt.expm1(LN10 * (end - start))) / LN10
    spread = pt.sqrt((standard_error(table) / LN10) ** 2 + p["world_compute_scatter"] ** 2)
    observe("world_observed", mean, spread, log10(table, "added_flop_per_second"), "quarter")


def keep_caps_slack(p: ModelParameters) -> None:
    """Today's run fits in today's fleet and today's fleet in the world: neither cap binds at `as_of`."""
    now = p["as_of_year"]
    run = trends.log10_training_cap(now, p, xp=pt) - trends.log10_training_trend(now, p, xp=pt)
    fleet = trends.log10_fleet_cap(now, p, xp=pt) - trends.log10_fleet_trend(now, p, xp=pt)
    pm.Potential("caps_slack", soft_positive(run) + soft_positive(fleet))


def deployment(p: ModelParameters, data: Observations) -> None:
    """ln tokens/s of one stream ~ t5(s0 - delta ln(layers/100) - b ln(weight-reading seconds) + growth + setting)."""
    table = data["inference_speed"]
    read = table["active_params"] * table["bytes_per_param"] / (table["chips"] * table["memory_bandwidth"])
    mean = (
        p["log_stream_speed_2024"]
        - p["stream_depth_exponent"] * np.log(table["layers"].values / 100.0)
        - p["stream_bandwidth_exponent"] * np.log(read.values)
        + p["stream_speed_growth"] * (table["year"].values - 2024.0)
        + p["production_offset"] * (table["setting"].values == "production")
    )
    observed = np.log(table["tokens_per_second"].values)
    observe("stream_speed_observed", mean, p["stream_scatter"], observed, "stream_record")


def observe(name: str, mean: Any, spread: Any, observed: np.ndarray, dim: str, nu: float = 5.0) -> None:
    """Add a Student-t likelihood over the rows of one table."""
    add_dim(dim, observed.size)
    pm.StudentT(name, nu=nu, mu=mean, sigma=spread, observed=observed, dims=dim)


def add_dim(dim: str, size: int) -> None:
    """Give the open model a numbered coordinate for the rows of a table."""
    pm.modelcontext(None).add_coord(dim, np.arange(size))


def log10(table: Any, column: str) -> np.ndarray:
    """log10 of a column."""
    values: np.ndarray = np.log10(table[column].values)
    return values


def soft_positive(gap: Any, sharpness: float = 50.0) -> Any:
    """ln of a smooth step: 0 where `gap` is clearly positive, falling steeply below zero."""
    return -pt.softplus(-sharpness * gap)
