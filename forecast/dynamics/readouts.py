"""What is read off the paths: when, how many, how fast, and which events happen.

Times after full automation are +inf where it is not reached or the level is not reached within the window;
quantities that exist only at full automation are NaN where it is not reached, and summaries say over which draws they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecast.dynamics.events import time_of_level, z_at_time
from forecast.dynamics.flow import Draws, select
from forecast.dynamics.integrator import Array, Path, log_software, z_of
from forecast.dynamics.paths import Legs
from forecast.equations import trends
from forecast.equations.trends import LN2, LN10
from forecast.equations.yearly import quantities

MILESTONE_OOM = (1, 3, 6)


def after_automation(legs: Legs, p: Draws, window_end: float) -> dict[str, Array]:
    """Software gained after full automation: times to +1, +3, +6 OOM, first-year gain, acceleration."""
    draws = np.flatnonzero(legs.reached)
    size = legs.reached.size
    result = {f"years_to_{k}_oom": np.full(size, np.inf) for k in MILESTONE_OOM}
    result |= {"first_year_gain": np.full(size, np.nan), "acceleration": np.zeros(size, dtype=bool)}
    if legs.after is None:
        return result
    ceiling = LN10 * select(p, draws, size)["log10_software_ceiling"]
    path, start = legs.after, legs.after.time[0]
    at_start = log_software(path.z[0], ceiling)

    def years_to(gain: float) -> Array:
        when = time_of_level(path, z_of(at_start + gain, ceiling))
        return np.where(when <= window_end, when - start, np.inf)

    for k in MILESTONE_OOM:
        result[f"years_to_{k}_oom"][draws] = years_to(k * LN10)
    gained = log_software(z_at_time(path, start + 1.0), ceiling) - at_start
    result["first_year_gain"][draws] = gained / LN10
    first, second = years_to(LN2), years_to(2.0 * LN2)
    result["acceleration"][draws] = second < 2.0 * first
    return result


def best_year_gain(legs: Legs, p: Draws, window_end: float) -> Array:
    """Largest gain of software (OOM) in any 12 months that begin by the end of the window, per draw.

    The gain over [t, t + 1] is largest where speed is equal at both ends; it is evaluated with t and with t + 1 at every
    node of the path, nodes being dense where speed changes.
    """
    ceiling = LN10 * np.broadcast_to(p["log10_software_ceiling"], legs.reached.shape)
    best = largest_gain(until_automation(legs), ceiling, window_end)
    if legs.after is None:
        return best / LN10
    draws = np.flatnonzero(legs.reached)
    best[draws] = np.maximum(best[draws], joined_gain(legs, ceiling[draws], draws, window_end))
    return best / LN10


def until_automation(legs: Legs) -> Path:
    """The first leg with nodes at or past full automation replaced by the last one before.

    A draw may go on there beyond its crossing, without what the scenario freezes, for as long as its block happens to.
    """
    path = legs.before
    last = np.maximum((path.signal < legs.present.milestones.full).sum(axis=0) - 1, 0)
    index = np.minimum(np.arange(path.time.shape[0])[:, None], last)
    time, z, log_speedup = (np.take_along_axis(row, index, axis=0) for row in (path.time, path.z, path.log_speedup))
    return replace(path, time=time, z=z, log_speedup=log_speedup)


def largest_gain(path: Path, ceiling: Array, window_end: float) -> Array:
    """Largest 12-month gain of ln S within one path."""
    return _largest(path.time, log_software(path.z, ceiling), window_end)


def joined_gain(legs: Legs, ceiling: Array, draws: Array, window_end: float) -> Array:
    """Largest 12-month gain over both legs of the draws that reach full automation."""
    assert legs.after is not None
    join = legs.after.time[0]
    inside = legs.before.time[:, draws] < join
    time = np.concatenate([np.where(inside, legs.before.time[:, draws], join), legs.after.time])
    z = np.concatenate([np.where(inside, legs.before.z[:, draws], legs.after.z[0]), legs.after.z])
    return _largest(time, log_software(z, ceiling), window_end)


def _largest(time: Array, log_s: Array, window_end: float) -> Array:
    """Largest ln S(t + 1) - ln S(t) with either end at a node, ln S linear in time between nodes."""
    forward = interpolate(time + 1.0, time, log_s) - log_s
    backward = log_s - interpolate(time - 1.0, time, log_s)
    starts_inside = (time <= window_end) & (time + 1.0 <= time[-1])
    ends_inside = (time - 1.0 >= time[0]) & (time - 1.0 <= window_end)
    gains = np.maximum(np.where(starts_inside, forward, 0.0), np.where(ends_inside, backward, 0.0))
    result: Array = gains.max(axis=0)
    return result


def interpolate(query: Array, time: Array, values: Array) -> Array:
    """Linear interpolation of every draw (column) at its own queries, all draws in one sorted search."""
    nodes, draws = time.shape
    span = float(time.max() - time.min()) + 4.0
    shift = np.arange(draws) * span - time.min()
    flat = (time + shift).T.ravel()
    at = np.clip(query, time[0], time[-1])
    index = np.searchsorted(flat, (at + shift).T.ravel(), side="left") - np.repeat(
        np.arange(draws) * nodes, query.shape[0]
    )
    right = np.clip(index.reshape(draws, -1).T, 1, nodes - 1)
    t0, t1 = (np.take_along_axis(time, right - k, axis=0) for k in (1, 0))
    v0, v1 = (np.take_along_axis(values, right - k, axis=0) for k in (1, 0))
    width = np.maximum(t1 - t0, 1e-300)
    result: Array = v0 + (v1 - v0) * np.clip((at - t0) / width, 0.0, 1.0)
    return result


def largest_speedup(legs: Legs, window_end: float) -> Array:
    """Largest speed-up of research over people alone by the end of the window."""

    def peak(path: Path) -> Array:
        result: Array = np.where(path.time <= window_end, path.log_speedup, 0.0).max(axis=0)
        return result

    best = peak(until_automation(legs))
    if legs.after is not None:
        draws = np.flatnonzero(legs.reached)
        best[draws] = np.maximum(best[draws], peak(legs.after))
    return np.exp(best)


def at_automation(legs: Legs, p: Draws) -> dict[str, Array]:
    """Headline 1: how many AIs run in each draw's year of full automation, NaN where it is not reached."""
    size = legs.reached.size
    draws = np.flatnonzero(legs.reached)
    names = {
        "log10_streams_at_automation": "log10_parallel_streams",
        "log10_human_equivalents_at_automation": "log10_human_equivalents",
    }
    result = {name: np.full(size, np.nan) for name in (*names, "log10_tokens_per_researcher_second")}
    if legs.arrival is None:
        return result
    q, then = select(p, draws, size), legs.present.part(draws)
    year = legs.arrival.time
    log_s = log_software(legs.arrival.z, LN10 * q["log10_software_ceiling"])
    found = quantities(year, log_s, then.milestones, q)
    for name, source in names.items():
        result[name][draws] = found[source]
    researchers = trends.log_world_researchers(year, q) / LN10
    result["log10_tokens_per_researcher_second"][draws] = found["log10_fleet_tokens_per_second"] - researchers
    return result
