"""One function per block: what each row of a table is expected to be, and how far it may scatter.

Each takes the parameters by name and the observations, and returns rows; `build_model` joins the rows of all blocks
into one likelihood, because a Student-t variable per table doubles the time to compile. MODEL section 3's table.
Like an equation, a block runs on the graph (``xp=pytensor.tensor``, scalars) and on draws (NumPy, shape (draw, 1)).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy.special import ndtri

from forecast.constants import weight_read_seconds
from forecast.equations import trends
from forecast.equations.deployment import log_fitted
from forecast.equations.depth_scaling import log_layers
from forecast.equations.sample_efficiency import loss_surface
from forecast.equations.trends import LN10
from forecast.equations.utilization import logit
from forecast.model.parameters import convention
from forecast.observations import Observations


class Rows(NamedTuple):
    """Observed rows of one table with their expectation: Student-t with `nu` degrees of freedom, normal without."""

    name: str
    mean: Any
    spread: Any
    observed: np.ndarray
    nu: float | None = 5.0


def standard_error(table: Any, fallback: float = 0.0) -> np.ndarray:
    """Standard error of the log of an estimate from its interval (`low`, `high`, `mass`); `fallback` without one."""
    width = 2.0 * ndtri(0.5 + table["mass"].values / 2.0)
    error = np.log(table["high"].values / table["low"].values) / width
    return np.where(np.isfinite(error), error, fallback)


def depth_scaling(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """ln layers ~ t5(ln L_ref + alpha ln(params/7e10) + family, scatter)."""
    table = data["architectures"]
    index = np.unique(table["family"].values, return_inverse=True)[1]
    family = (p["depth_family_scale"] * p["depth_family_variate"])[..., index]
    mean = log_layers(table["params"].values, p["reference_layers"], p["depth_exponent"], family, xp=xp)
    return [Rows("architectures", mean, p["depth_scatter"], np.log(table["layers"].values))]


def utilization(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Logit utilization ~ t5(level + trend (year - 2023) + gap of vendor benchmarks, scatter), per kind."""
    return [utilization_rows(kind, p, data, xp=xp) for kind in ("training", "deployment")]


def utilization_rows(kind: str, p: dict[str, Any], data: Observations, *, xp: Any) -> Rows:
    """Rows of one kind; vendor benchmarks lie above deployment by a gap of their own."""
    table = data[f"{kind}_utilization"]
    share, start = table[f"{kind}_utilization"].values, p[f"{kind}_utilization_2023"]
    trend = p[f"{kind}_utilization_trend"] * (table["year"].values - 2023.0)
    mean = logit(start, xp=xp) + trend
    if kind == "deployment":
        mean = mean + p["vendor_benchmark_gap"] * (table["setting"].values == "vendor_benchmark")
    return Rows(f"{kind}_utilization", mean, p[f"{kind}_utilization_scatter"], logit(share))


def sample_efficiency(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Losses about the surface (t4), and tokens per parameter of record-sized runs about the damped practice (t5)."""
    table = data["chinchilla_losses"]
    shares = p["loss_shares"]
    surface = loss_surface(
        table["params"].values,
        table["tokens"].values,
        loss_at_centre=p["loss_at_centre"],
        share_irreducible=shares[..., 0],
        **trends.loss_surface_arguments(p),
        xp=xp,
    )
    runs = data["tokens_per_param"]
    flop = np.log10(runs["training_flop"].values)
    mean = trends.log_practice(runs["year"].values, flop, p, xp=xp)
    return [
        Rows("chinchilla_losses", xp.log(surface), p["loss_scatter"], np.log(table["loss"].values), nu=4.0),
        Rows("tokens_per_param", mean, p["tokens_per_param_scatter"], np.log(runs["tokens_per_param"].values)),
    ]


def algorithmic_progress(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Random-effects meta-analysis of the doubling time: one row per study."""
    centre, scale = p["software_doubling_months"], p["software_study_scale"]
    return [meta_analysis("algorithmic_progress", "doubling_months", data, centre, scale, xp=xp)]


def meta_analysis(name: str, column: str, data: Observations, centre: Any, scale: Any, *, xp: Any) -> Rows:
    """ln estimate ~ N(ln centre, sqrt(error^2 + scale^2)); error x 1.5 where the figure is a secondary quotation."""
    table = data[name]
    default, secondary = convention(data, "study_error"), convention(data, "secondary_error")
    error = standard_error(table, default) * np.where(table["secondary"].values > 0, secondary, 1.0)
    factor = table["conversion"].values if "conversion" in table else 1.0
    return Rows(name, xp.log(centre), xp.sqrt(error**2 + scale**2), np.log(table[column].values * factor), nu=None)


def compute(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Top-3 runs, world additions, yearly largest fleets, run durations and chip prices, each about its trend."""
    parts = (top_runs, world_additions, fleets, run_durations, chip_prices)
    return [part(p, data, xp=xp) for part in parts]


def top_runs(p: dict[str, Any], data: Observations, *, xp: Any = np) -> Rows:
    """log10 FLOP of runs that were among the top 3 at their date; the record lies above the trend."""
    table = data["training_runs"]
    mean = trends.log10_top_runs(table["year"].values, p, xp=xp) + p["record_offset"] * (table["rank"].values == 1)
    return Rows("training_runs", mean, p["training_compute_scatter"], log10(table, "training_flop"))


def world_additions(p: dict[str, Any], data: Observations, *, xp: Any = np) -> Rows:
    """log10 of the compute added in a quarter ~ t5(log10(W(end) - W(start)), ...): increments, no retirement."""
    table = data["world_compute"]
    start, end = (trends.log10_world(table[f"{side}_year"].values, p, xp=xp) for side in ("start", "end"))
    mean = start + xp.log(xp.expm1(LN10 * (end - start))) / LN10
    spread = xp.sqrt((standard_error(table) / LN10) ** 2 + p["world_compute_scatter"] ** 2)
    return Rows("world_compute", mean, spread, log10(table, "added_flop_per_second"))


def fleets(p: dict[str, Any], data: Observations, *, xp: Any = np) -> Rows:
    """log10 FLOP/s of the largest fleet of each year."""
    table = data["fleet_compute"]
    mean = trends.log10_fleet_trend(table["year"].values, p, xp=xp)
    spread = xp.sqrt((standard_error(table) / LN10) ** 2 + p["fleet_scatter"] ** 2)
    return Rows("fleet_compute", mean, spread, log10(table, "fleet_flop_per_second"))


def run_durations(p: dict[str, Any], data: Observations, *, xp: Any = np) -> Rows:
    """ln days of large training runs."""
    table = data["run_durations"]
    mean = trends.log_training_days(table["year"].values, p, xp=xp)
    return Rows("run_durations", mean, p["training_days_scatter"], np.log(table["training_days"].values))


def chip_prices(p: dict[str, Any], data: Observations, *, xp: Any = np) -> Rows:
    """log10 FLOP/s per dollar of data-centre chips at release."""
    table = data["hardware"]
    mean = p["log10_price_performance_2022"] + p["price_performance_growth"] * (table["year"].values - 2022.0)
    price = np.log10(table["flop_per_second"].values / table["price_usd"].values)
    return Rows("hardware", mean, p["price_performance_scatter"], price)


def keep_caps_slack(p: dict[str, Any], data: Observations) -> None:
    """Today's run fits in today's fleet and today's fleet in the world: neither cap binds at `as_of`."""
    now = p["as_of_year"]
    run = trends.log10_training_cap(now, p, xp=pt) - trends.log10_training_trend(now, p, xp=pt)
    fleet = trends.log10_fleet_cap(now, p, xp=pt) - trends.log10_fleet_trend(now, p, xp=pt)
    pm.Potential("caps_slack", soft_positive(run) + soft_positive(fleet))


def deployment(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """ln tokens/s of one stream ~ t5(s0 - delta ln(layers/100) - b ln(weight-reading ms) + growth + setting)."""
    table = data["inference_speed"]
    mean = log_fitted(
        table["layers"].values,
        weight_read_seconds(table),
        table["year"].values,
        p["log_stream_speed_2024"],
        p["stream_depth_exponent"],
        p["stream_bandwidth_exponent"],
        p["stream_speed_growth"],
        p["stream_growth_years"],
        p["production_offset"] * (table["setting"].values == "production"),
        xp=xp,
    )
    return [Rows("inference_speed", mean, p["stream_scatter"], np.log(table["tokens_per_second"].values))]


def log10(table: Any, column: str) -> np.ndarray:
    """log10 of a column."""
    values: np.ndarray = np.log10(table[column].values)
    return values


def soft_positive(gap: Any, sharpness: float = 20.0) -> Any:
    """ln of a smooth step: 0 where `gap` is clearly positive, falling steeply below zero."""
    return -pt.softplus(-sharpness * gap)
