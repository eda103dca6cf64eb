"""The feedback: what AIs of a given effective compute do for research, and how fast software then improves.

The state of the take-off is (year, ln S, practice); everything else follows from it through the functions below, which
the model evaluates at `as_of` and in 2012 inside its graph and the integrator at every step.
Source: MODEL sections 4 and 5. ``p`` maps the names of ``forecast.schema`` to values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from forecast.equations import hardware_leap
from forecast.equations.deployment import log_fitted
from forecast.equations.depth_scaling import log_layers
from forecast.equations.research import rho_from_infinite_labour
from forecast.equations.task_horizon import EFFECTIVE_FLOP_AT_HORIZON
from forecast.equations.trends import (
    LN2,
    LN10,
    Parameters,
    effective_compute_penalty,
    log10_fleet,
    log10_training_flop,
    log_leader_researchers,
    log_params,
    log_tokens_per_param_of_draw,
    software_growth,
    utilization_of_draw,
)
from forecast.schema import JULIAN_YEAR_SECONDS

TINY = 1e-12  # floor of a gap that is divided by
NO_SHARE = 1e-300  # floor of a share inside a logarithm: at full automation people hold nothing back
LARGEST_TILT = 700.0  # expm1 stays finite; reached only where labour is e^-700^(1/rho) of what compute is worth


class Surroundings(NamedTuple):
    """What does not depend on software, at one moment."""

    year: Any
    log10_training_flop: Any
    log10_fleet: Any
    log_tokens_per_param: Any
    penalty: Any
    log_deployment_utilization: Any
    log_researchers: Any


class Deployed(NamedTuple):
    """The smallest model that does the work, and how it runs on the leader's whole fleet."""

    log_params: Any
    log_layers: Any
    log_tokens_per_second: Any
    log_stream_speed: Any


class Research(NamedTuple):
    """Research with AI help, relative to `as_of` without it."""

    automated_share: Any
    log_labour: Any
    log_serial_speed: Any
    log_people_only: Any
    log_speedup: Any


class Milestones(NamedTuple):
    """Effective compute (log10 FLOP) at which AIs can do 20% and 100% of AI R&D, and at `as_of`."""

    now: Any
    full: Any
    twenty: Any


def surroundings(
    year: Any, p: Parameters, frozen_year: Any = None, leap_year: Any = None, *, xp: Any = np
) -> Surroundings:
    """Compute, practice and people at `year`.

    With `frozen_year`, compute and tokens per parameter stay as they were then; with `leap_year`, fleet and training
    compute leap from then on, as far as ``p["leap_factor"]``, finance and the world's chips allow.
    """
    compute_year = year if frozen_year is None else xp.minimum(year, frozen_year)
    leap = leap_year is not None
    flop = (
        log10_training_flop(compute_year, p, xp=xp)
        if not leap
        else hardware_leap.log10_training_flop(year, leap_year, p)
    )
    ratio = log_tokens_per_param_of_draw(compute_year, flop, p, xp=xp)
    return Surroundings(
        year=year,
        log10_training_flop=flop,
        log10_fleet=log10_fleet(compute_year, p, xp=xp) if not leap else hardware_leap.log10_fleet(year, leap_year, p),
        log_tokens_per_param=ratio,
        penalty=effective_compute_penalty(flop, ratio, p, xp=xp),
        log_deployment_utilization=xp.log(utilization_of_draw("deployment", year, p, xp=xp)),
        log_researchers=log_leader_researchers(year, p, xp=xp),
    )


def effective_flop(log_software: Any, around: Surroundings) -> Any:
    """E = log10 C + log10 S - penalty."""
    return around.log10_training_flop + log_software / LN10 - around.penalty


def milestones(effective_flop_now: Any, p: Parameters, form: str = "exponential", *, xp: Any = np) -> Milestones:
    """E_100, where the task horizon reaches what all of AI R&D needs, and E_20 = E_100 - automation gap."""
    needed = xp.log(p["required_horizon_minutes"]) / LN2
    coding = EFFECTIVE_FLOP_AT_HORIZON[form](
        needed,
        p["log2_horizon_at_centre"],
        p["horizon_doublings_per_oom"],
        p["effective_flop_centre"],
        factor=p["horizon_doubling_factor"] if form == "superexponential" else 1.0,
        effective_flop_now=effective_flop_now,
        xp=xp,
    )
    full = coding + p["research_gap"]
    return Milestones(now=effective_flop_now, full=full, twenty=full - p["automation_gap"])


def unclipped_share(flop: Any, at: Milestones, p: Parameters) -> Any:
    """0.2 at E_20, 1 at E_100, linear in E; its clip to 0..1 is the automated share."""
    return 0.2 + 0.8 * (flop - at.twenty) / p["automation_gap"]


def progress(flop: Any, at: Milestones, *, xp: Any = np) -> Any:
    """How far from today's effective compute to full automation, 0..1; tokens per data point rise with it."""
    return xp.minimum(xp.maximum((flop - at.now) / xp.maximum(at.full - at.now, TINY), 0.0), 1.0)


def deployed(flop: Any, around: Surroundings, at: Milestones, p: Parameters, *, xp: Any = np) -> Deployed:
    """The smallest model that does the work at effective compute `flop`, on the leader's whole fleet.

    Beyond E_100 it is trained with C/10^(E - E_100); tokens per FLOP grow by a further 10^((eta - 1/2)(E - E_100)).
    """
    beyond = xp.maximum(flop - at.full, 0.0)
    log10_h = p["log10_tokens_per_datapoint"] * progress(flop, at, xp=xp)
    growth = LN10 * p["inference_growth_excess"] * beyond
    return running(around.log10_training_flop - beyond, around, p, log10_h, growth, xp=xp)


def running(
    log10_flop: Any, around: Surroundings, p: Parameters, log10_h: Any = 0.0, log_growth: Any = 0.0, *, xp: Any = np
) -> Deployed:
    """A model trained with `log10_flop` in the practice of the moment, on the leader's whole fleet.

    `log10_h` is log10 tokens per data point, `log_growth` ln of what tokens per FLOP gained beyond smaller models.
    Before full automation it is the largest run's own model, and both are 0 at `as_of`.
    """
    size = log_params(log10_flop, around.log_tokens_per_param, p, log10_h, xp=xp)
    layers = log_layers_of_draw(size, p, xp=xp)
    per_flop = log_growth + xp.log(p["inference_discount"]) - LN2 - size
    return Deployed(
        log_params=size,
        log_layers=layers,
        log_tokens_per_second=LN10 * around.log10_fleet + around.log_deployment_utilization + per_flop,
        log_stream_speed=log_stream_speed_of_draw(layers, around, p, xp=xp),
    )


def log_layers_of_draw(size: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln layers at ln params `size`, with the draw's own offset (a new family's model)."""
    offset = xp.sqrt(p["depth_family_scale"] ** 2 + p["depth_scatter"] ** 2) * p["layers_variate"]
    return log_layers(xp.exp(size), p["reference_layers"], p["depth_exponent"], offset, xp=xp)


def log_stream_speed_of_draw(layers: Any, around: Surroundings, p: Parameters, *, xp: Any = np) -> Any:
    """ln tokens per second of one production stream at the deployment utilization of the moment, `layers` being ln."""
    speed = log_fitted(
        xp.exp(layers),
        p["stream_reference_read_seconds"],
        around.year,
        p["log_stream_speed_2024"],
        p["stream_depth_exponent"],
        p["stream_bandwidth_exponent"],
        p["stream_speed_growth"],
        p["stream_growth_years"],
        p["production_offset"] + p["stream_scatter"] * p["stream_variate"],
        xp=xp,
    )
    operating_point = around.log_deployment_utilization - np.log(p["stream_reference_utilization"])
    return speed - p["stream_utilization_exponent"] * operating_point


def log_ai_labour(on: Deployed, p: Parameters, *, xp: Any = np) -> tuple[Any, Any]:
    """ln labour n^lambda v of the fleet's share that does research, and ln v, the serial speed relative to people."""
    log_serial = log_serial_speed(on, p, xp=xp)
    log_streams = xp.log(p["research_fleet_share"]) + on.log_tokens_per_second - on.log_stream_speed
    return p["parallelization_exponent"] * log_streams + log_serial, log_serial


def log_serial_speed(on: Deployed, p: Parameters, *, xp: Any = np) -> Any:
    """ln of one stream's tokens per calendar year over a researcher's tokens per year."""
    return on.log_stream_speed + float(np.log(JULIAN_YEAR_SECONDS)) - xp.log(p["tokens_per_researcher_year"])


def log_task_labour(share: Any, log_people: Any, log_ai: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln labour when AIs do `share` of the tasks: CES over tasks with exponent rho_t, never below people alone."""
    rho = -p["task_complementarity"]
    people = (1.0 - rho) * xp.log(xp.maximum(1.0 - share, NO_SHARE)) + rho * log_people
    machines = (1.0 - rho) * xp.log(xp.maximum(share, NO_SHARE)) + rho * log_ai
    larger = xp.maximum(people, machines)
    both = larger + xp.log1p(xp.exp(-abs(people - machines)))  # logaddexp, whose gradient PyTensor compiles apart
    return xp.maximum(both / rho, log_people)


def log_output(log_labour_ratio: Any, log_compute_ratio: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln M: research output relative to `as_of` people, CES in labour and experiment compute.

    `equations.research.log_ces` without its branches: an infinite-labour multiple above 1 makes rho negative, away from
    the limit at 0. ``tests/equations/test_takeoff.py`` holds the two equal.
    """
    share = p["compute_share"]
    rho = rho_from_infinite_labour(p["infinite_labour_multiple"], share, xp=xp)
    base = compute_exponent(p) * log_compute_ratio
    tilt = xp.minimum(rho * (log_labour_ratio - base), LARGEST_TILT)
    return base + xp.log1p((1.0 - share) * xp.expm1(tilt)) / rho


def compute_exponent(p: Parameters) -> Any:
    """Zeta, the returns to scale of compute: those of labour, lambda, unless a prior states another."""
    return p["compute_exponent"] if "compute_exponent" in p else p["parallelization_exponent"]


def research(
    flop: Any, around: Surroundings, on: Deployed, at: Milestones, log10_fleet_now: Any, p: Parameters, *, xp: Any = np
) -> Research:
    """Labour, people-only output and speed-up over people alone, at effective compute `flop`."""
    share = xp.minimum(xp.maximum(unclipped_share(flop, at, p), 0.0), 1.0)
    log_people, log_labour, log_serial = helped_labour(share, around, on, p, xp=xp)
    people_now = p["parallelization_exponent"] * log_leader_researchers(p["as_of_year"], p, xp=xp)
    log_compute = LN10 * (around.log10_fleet - log10_fleet_now)
    people_only = log_output(log_people - people_now, log_compute, p, xp=xp)
    with_ai = log_output(log_labour - people_now, log_compute, p, xp=xp)
    taste = xp.minimum(LN10 * p["taste_slope"] * xp.maximum(flop - at.full, 0.0), xp.log(p["taste_ceiling"]))
    speedup = log_bounded_speedup(taste + with_ai - people_only, share, p, xp=xp)
    return Research(share, log_labour, log_serial, people_only, speedup)


def helped_labour(
    share: Any, around: Surroundings, on: Deployed, p: Parameters, *, xp: Any = np
) -> tuple[Any, Any, Any]:
    """ln labour of people alone, ln labour of people and AIs together, ln serial speed of the AIs."""
    log_people = p["parallelization_exponent"] * around.log_researchers
    log_ai, log_serial = log_ai_labour(on, p, xp=xp)
    return log_people, log_task_labour(share, log_people, log_ai, p, xp=xp), log_serial


def log_bounded_speedup(log_gain: Any, share: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln speed-up: 1/(1/x + (1 - 1/x)(1-a)/m_max), latency binding as long as people have the ideas."""
    slowness = xp.exp(-log_gain)
    return -xp.log(slowness + (1.0 - slowness) * (1.0 - share) / p["latency_ceiling"])


def log_speedup_now(flop: Any, around: Surroundings, at: Milestones, p: Parameters, *, xp: Any = np) -> Any:
    """ln speed-up at `as_of`, where compute is today's and nothing lies beyond E_100: `research` with its zeros left out.

    ``tests/equations/test_takeoff.py`` holds it equal to `research`; it keeps the model's graph a third smaller.
    """
    share = xp.minimum(xp.maximum(unclipped_share(flop, at, p), 0.0), 1.0)
    on = running(around.log10_training_flop, around, p, xp=xp)
    log_people, log_labour, _ = helped_labour(share, around, on, p, xp=xp)
    return log_bounded_speedup(log_output(log_labour - log_people, 0.0, p, xp=xp), share, p, xp=xp)


def difficulty_exponent(p: Parameters) -> Any:
    """Beta = lambda / r."""
    return p["parallelization_exponent"] / p["returns"]


def log_people_rate(year_offset: Any, log_people: Any, log_compute: Any, p: Parameters, *, xp: Any = np) -> Any:
    """ln of people-only d ln S/dt relative to `as_of`, `year_offset` years away with S on its trend.

    `log_people` and `log_compute` are ln labour and ln compute relative to `as_of`.
    """
    log_software = software_growth(p) * year_offset
    return log_output(log_people, log_compute, p, xp=xp) - difficulty_exponent(p) * log_software


def practice_target(labour: Any, labour_now: Any, log_compute: Any, p: Parameters) -> Any:
    """x: the labour:compute ratio (ln, relative to `as_of`) to which practice adapts."""
    return (labour - labour_now) / p["parallelization_exponent"] - log_compute


def adaptation_speed(share: Any, log_serial: Any, p: Parameters, *, xp: Any = np) -> Any:
    """Rate per year at which practice follows x: AIs adapt at their own serial speed."""
    return p["adaptation_rate"] * ((1.0 - share) + share * xp.exp(log_serial))
