"""The blocks that tie capability to research: task horizon, research inputs and returns, the present and the past.

The present and 2012 are evaluated from the equations of the take-off inside the graph, so that what the integrator
will start from is what the data have seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from forecast.constants import staff_growth
from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.task_horizon import walk_covariance
from forecast.equations.trends import LN2, LN10
from forecast.model.blocks import Rows, meta_analysis, soft_positive
from forecast.model.parameters import condition
from forecast.observations import Observations

SLOWEST_INPUTS = 1e-3  # ln per year: keeps the log finite where a draw's research inputs shrink


def task_horizon(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """log2 minutes ~ N(h0 + b (E(date) - E_centre), scatter^2 + scale^2 K); above the suite's reach a row is censored.

    K is the covariance of a random walk of the state of the art about its line, back from `as_of`: what is later read
    off the line is today's level. Independent scatter alone left five of six horizons of 2025 above the 95% quantile of
    a fit of 2024. Along the eigenvectors of K the rows are independent, so that the walk needs no variates.
    """
    observed = np.log(data["time_horizons"]["horizon_minutes"].values) / LN2
    seen = np.flatnonzero(~is_censored(data))
    if not seen.size:
        return []
    variance, axes = np.linalg.eigh(walk_covariance(data["time_horizons"]["year"].values[seen], p["as_of_year"]))
    mean = xp.dot(expected_horizon(p, xp=xp)[..., seen], axes)
    spread = horizon_spread(np.maximum(variance, 0.0), p, xp=xp)
    return [Rows("time_horizons", mean, spread, observed[seen] @ axes, nu=None)]


def horizons_alone(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Every uncensored task horizon by itself, as a new one is predicted: about the line, the farther from `as_of` the more."""
    observed = np.log(data["time_horizons"]["horizon_minutes"].values) / LN2
    seen = np.flatnonzero(~is_censored(data))
    years = np.abs(data["time_horizons"]["year"].values[seen] - p["as_of_year"])
    mean = expected_horizon(p, xp=xp)[..., seen]
    return [Rows("time_horizons", mean, horizon_spread(years, p, xp=xp), observed[seen], nu=None)]


def horizon_spread(walked: np.ndarray, p: dict[str, Any], *, xp: Any) -> Any:
    """Spread of log2 minutes about the line, `walked` being the variance of a standard walk (years)."""
    return xp.sqrt(p["horizon_scatter"] ** 2 + p["horizon_walk_scale"] ** 2 * walked)


def is_censored(data: Observations) -> np.ndarray:
    """Which task horizons lie above what the task suite can measure."""
    result: np.ndarray = data["time_horizons"]["censored"].values > 0
    return result


def expected_horizon(p: dict[str, Any], *, xp: Any) -> Any:
    """log2 minutes at the dates of the task horizons, on the line in effective compute."""
    flop = trend_of_effective_flop(p, xp=xp)[2][..., :-1]
    return p["log2_horizon_at_centre"] + p["horizon_doublings_per_oom"] * (flop - p["effective_flop_centre"])


def account_for_censoring(p: dict[str, Any], data: Observations) -> None:
    """A horizon reported at the suite's limit says only that it is at least that; its walk counts as its own."""
    above = is_censored(data)
    if above.any():
        limit = np.log(data["time_horizons"]["horizon_minutes"].values[above]) / LN2
        years = np.abs(data["time_horizons"]["year"].values[above] - p["as_of_year"])
        mirrored = pm.Normal.dist(-expected_horizon(p, xp=pt)[above], horizon_spread(years, p, xp=pt))
        pm.Potential("time_horizons_censored", pm.logcdf(mirrored, -limit).sum())


def trend_of_effective_flop(p: dict[str, Any], *, xp: Any) -> tuple[Any, Any, Any]:
    """Record run, tokens per parameter and E at the dates of the task horizons and, last, at `as_of`.

    Software is on its people-only trend. One vector serves the regression, its centre and the present, so that the
    graph holds the equations once.
    """
    if "trend" not in p:
        years = np.append(p["horizon_years"], p["as_of_year"])
        run = trends.log10_training_flop(years, p, xp=xp)
        ratio = trends.log_tokens_per_param_of_draw(years, run, p, xp=xp)
        penalty = trends.effective_compute_penalty(run, ratio, p, xp=xp)
        flop = run + trends.software_growth(p) * (years - p["as_of_year"]) / LN10 - penalty
        p["trend"] = run, ratio, flop
        if "effective_flop_centre" not in p:  # else that of the fit: these rows are others
            p["effective_flop_centre"] = flop[..., :-1].mean(axis=-1, keepdims=True)
    trend: tuple[Any, Any, Any] = p["trend"]
    return trend


def research(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Staff growth and returns of other fields as random effects, and balanced growth of software with its inputs."""
    growth, error = staff_growth(data)
    spread = xp.sqrt(error**2 + p["labour_growth_scale"] ** 2)
    staff = Rows("research_staff", p["labour_growth"], spread, growth, nu=None)
    returns = meta_analysis("research_returns", "returns", data, p["returns"], p["returns_scale"], xp=xp)
    return [staff, returns, *balanced_growth(p, data, xp=xp)]


def balanced_growth(p: dict[str, Any], data: Observations, *, xp: Any) -> list[Rows]:
    """ln g_S ~ N(ln(r g_R), 0.3), g_R = (1-s) g_L + s g_K: software has grown in step with its inputs."""
    share = p["compute_share"]
    inputs = (1.0 - share) * p["labour_growth"] + share * LN10 * p["fleet_growth"]
    gap = xp.log(trends.software_growth(p)) - xp.log(p["returns"]) - xp.log(xp.maximum(inputs, SLOWEST_INPUTS))
    return hold("balanced_growth", gap, data)


def takeoff(p: dict[str, Any], data: Observations, *, xp: Any = np) -> list[Rows]:
    """Hold the take-off to the present (automated share, speed-up) and to 2012 (no bottleneck over 7 OOM)."""
    flop, around, at = present(p, xp=xp)
    return [
        *hold("present_automated_share", dynamics.unclipped_share(flop, at, p), data),
        *hold("present_log_speedup", dynamics.log_speedup_now(flop, around, at, p, xp=xp), data),
        *hold("past_log10_rate", log10_past_rate(p, data, xp=xp), data),
    ]


def present(p: dict[str, Any], *, xp: Any) -> tuple[Any, dynamics.Surroundings, dynamics.Milestones]:
    """Effective compute, surroundings and milestones at `as_of`."""
    if "present" not in p:
        run, ratio, flop = (part[..., -1:] for part in trend_of_effective_flop(p, xp=xp))
        now = p["as_of_year"]
        around = dynamics.Surroundings(
            year=now,
            log10_training_flop=run,
            log10_fleet=trends.log10_fleet(now, p, xp=xp),
            log_tokens_per_param=ratio,
            penalty=0.0,
            log_deployment_utilization=xp.log(trends.utilization_of_draw("deployment", now, p, xp=xp)),
            log_researchers=trends.log_leader_researchers(now, p, xp=xp),
        )
        p["present"] = flop, around, dynamics.milestones(flop, p, xp=xp)
    result: tuple[Any, dynamics.Surroundings, dynamics.Milestones] = p["present"]
    return result


def not_automated_yet(p: dict[str, Any], data: Observations) -> None:
    """Today's AIs do not do all of AI R&D."""
    flop, _, at = present(p, xp=pt)
    pm.Potential("not_automated_yet", soft_positive(at.full - flop).sum())


def log10_past_rate(p: dict[str, Any], data: Observations, *, xp: Any) -> Any:
    """log10 of the people-only rate of progress in 2012 over that at `as_of`."""
    year, growth = condition(data, "past_year"), condition(data, "past_compute_growth")
    if year is None or growth is None:
        return 0.0
    span = year.centre - p["as_of_year"]
    now = trends.log_leader_researchers(p["as_of_year"], p, xp=xp)
    people = p["parallelization_exponent"] * (xp.log(p["researchers_2012"]) - now)
    return dynamics.log_people_rate(span, people, LN10 * growth.centre * span, p, xp=xp) / LN10


def hold(name: str, value: Any, data: Observations) -> list[Rows]:
    """A derived quantity held to a row of the table `conditions`; nothing where `as_of` lies before it."""
    held = condition(data, name)
    return [] if held is None else [Rows(name, value, held.sd, np.array([held.centre]), nu=None)]
