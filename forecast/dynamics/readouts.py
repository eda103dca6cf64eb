"""What is read off the paths: when, how many, how fast, and which events happen.

Times after full automation are +inf where it is not reached or the level is not reached within the window;
quantities that exist only at full automation are NaN where it is not reached, and summaries say over which draws they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecast.dynamics.events import hermite, last_before, take, time_of_level, z_at_time
from forecast.dynamics.flow import Draws, select
from forecast.dynamics.integrator import FROZEN, Array, Path, Walked, log_software, z_of
from forecast.dynamics.paths import Legs
from forecast.equations import trends
from forecast.equations.trends import LN2, LN10
from forecast.equations.yearly import quantities

MILESTONE_OOM = (1, 3, 6)
WALKED = (
    "time",
    "z",
    "time_slope",
    "z_slope",
    "log_speedup",
)  # columns of a path that its whole length is searched for


def after_automation(legs: Legs, p: Draws, window_end: float) -> dict[str, Array]:
    """Software gained after full automation: times to +1, +3, +6 OOM, first-year gain, acceleration."""
    draws = np.flatnonzero(legs.reached)
    size = legs.reached.size
    result = {f"years_to_{k}_oom": np.full(size, np.inf) for k in MILESTONE_OOM}
    result |= {"first_year_gain": np.full(size, np.nan), "acceleration": np.zeros(size, dtype=bool)}
    if legs.after is None:
        return result
    ceiling = LN10 * select(p, draws, size)["log10_software_ceiling"]
    assert legs.arrival is not None
    path, start = legs.after, legs.arrival.time
    at_start = log_software(legs.arrival.z, ceiling)

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


def best_years(legs: Legs, p: Draws, window_end: float) -> tuple[Array, Array]:
    """Largest gain of software (OOM) in any 12 months that begin by the end of the window, and the largest speed-up.

    The gain over [t, t + 1] is largest where speed is equal at both ends; it is evaluated with t and with t + 1 at every
    node of the path, nodes being dense where speed changes.
    """
    ceiling = LN10 * np.broadcast_to(p["log10_software_ceiling"], legs.reached.shape)
    draws = np.flatnonzero(legs.reached)
    if isinstance(legs.before, Walked):
        gain, peak = legs.before.best_years(legs.after, draws, legs.present.milestones.full, ceiling, window_end)
        return gain / LN10, np.exp(peak)
    before, gain = until_automation(legs), np.empty(legs.reached.size)
    alone = np.flatnonzero(~legs.reached) if legs.after is not None else np.arange(gain.size)
    gain[alone] = largest_gain(part_of(before, alone), ceiling[alone], window_end)
    peak = largest_log_speedup(before, window_end)
    if legs.after is not None:
        gain[draws] = joined_gain(legs, ceiling[draws], draws, window_end)
        peak[draws] = np.maximum(peak[draws], largest_log_speedup(legs.after, window_end))
    return gain / LN10, np.exp(peak)


def until_automation(legs: Legs) -> Path:
    """The first leg with nodes at or past full automation replaced by the last one before.

    A draw may go on there beyond its crossing, without what the scenario freezes, for as long as its block happens to.
    """
    path = legs.before
    last = np.maximum((path.signal < legs.present.milestones.full).sum(axis=0) - 1, 0)
    index = np.minimum(np.arange(path.time.shape[0])[:, None], last)
    kept: Path = replace(path, **{name: np.take_along_axis(getattr(path, name), index, axis=0) for name in WALKED})
    return kept


def part_of(path: Path, draws: Array) -> Path:
    """What `largest_gain` needs of some draws' path."""
    return replace(path, **{name: getattr(path, name)[:, draws] for name in WALKED})


def largest_gain(path: Path, ceiling: Array, window_end: float) -> Array:
    """Largest 12-month gain of ln S within one path."""
    return _largest(path.time, log_software(path.z, ceiling), software_slope(path), window_end)


def joined_gain(legs: Legs, ceiling: Array, draws: Array, window_end: float) -> Array:
    """Largest 12-month gain over both legs of the draws that reach full automation."""
    assert legs.after is not None
    after, inside = legs.after, legs.before.time[:, draws] < legs.after.time[0]

    def joined(before: Array, then: Array) -> Array:
        return np.concatenate([np.where(inside, before[:, draws], then[0]), then])

    slope = joined(software_slope(legs.before), software_slope(after))
    log_s = log_software(joined(legs.before.z, after.z), ceiling)
    return _largest(joined(legs.before.time, after.time), log_s, slope, window_end)


def software_slope(path: Path) -> Array:
    """d ln S/dt at the nodes: z' damped by the ceiling, 1 - S/S_max = 1/(1 + e^z)."""
    damping: Array = 1.0 / (1.0 + np.exp(np.minimum(path.z, FROZEN)))
    return path.z_slope / path.time_slope * damping


def _largest(time: Array, log_s: Array, slope: Array, window_end: float) -> Array:
    """Largest ln S(t + 1) - ln S(t) with either end at a node."""
    forward = interpolate(time + 1.0, time, log_s, slope) - log_s
    backward = log_s - interpolate(time - 1.0, time, log_s, slope)
    starts_inside = (time <= window_end) & (time + 1.0 <= time[-1])
    ends_inside = (time - 1.0 >= time[0]) & (time - 1.0 <= window_end)
    gains = np.maximum(np.where(starts_inside, forward, 0.0), np.where(ends_inside, backward, 0.0))
    result: Array = gains.max(axis=0)
    return result


def interpolate(query: Array, time: Array, values: Array, slope: Array | None = None) -> Array:
    """Rising values of every draw (column) at its own queries: cubic Hermite in time held between the nodes' values.

    Linear without the slopes at the nodes.
    """
    at = np.clip(query, time[0], time[-1])
    left = np.minimum(last_before(at, time), time.shape[0] - 2)
    t0, t1, v0, v1 = (take(column, left, k) for column in (time, values) for k in (0, 1))
    fraction = np.clip((at - t0) / np.maximum(t1 - t0, 1e-300), 0.0, 1.0)
    if slope is None:
        return v0 + (v1 - v0) * fraction
    return np.clip(hermite(v0, v1, take(slope, left), take(slope, left, 1), t1 - t0, fraction), v0, v1)


def largest_log_speedup(path: Path, window_end: float) -> Array:
    """Largest ln speed-up of research over people alone by the end of the window, linear between nodes."""
    inside = np.where(path.time <= window_end, path.log_speedup, 0.0).max(axis=0)
    last = np.clip((path.time <= window_end).sum(axis=0) - 1, 0, path.time.shape[0] - 2)
    start, width = take(path.time, last), take(path.time, last, 1) - take(path.time, last)
    fraction = np.clip((window_end - start) / np.maximum(width, 1e-300), 0.0, 1.0)
    left, right = take(path.log_speedup, last), take(path.log_speedup, last, 1)
    result: Array = np.maximum(inside, left + (right - left) * fraction)
    return result


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
