"""From the draws to their paths: up to full automation, and from there on, per scenario.

Each draw is integrated to the moment its effective compute reaches E_100 and restarted exactly there, so that the kink
(automated share reaching 1, compute frozen in `software_only`) costs no order and both scenarios share the first leg.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecast.dynamics.events import Place, hermite, take, value_at
from forecast.dynamics.flow import Draws, Engine, Present, flow_of, present_of, select, turning
from forecast.dynamics.integrator import (
    DEFAULT_STEP,
    AnyPath,
    Array,
    Flow,
    Memory,
    Path,
    Walked,
    integrate,
    log_software,
    z_of,
)
from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.trends import LN10
from forecast.scenarios import Course

ROOT_STEPS = 40
FEW = 0.3  # share of the draws still searched for from which singling them out pays
ROOT_OOM = 1e-10  # effective compute at a crossing is met to this
MARGIN_YEARS = 1.0  # integrate this long past the window, so that first-year gains at its end exist
SLOWEST_GROWTH = 1e-2  # OOM per year: keeps the date of a past crossing finite where effective compute hardly grew


@dataclass(frozen=True)
class Arrival:
    """State of some draws at the crossing of E_100."""

    time: Array
    z: Array
    memory: Memory


@dataclass(frozen=True)
class Legs:
    """The path to full automation, and the path after it of the draws that reach it within the window.

    `year_20` and `year_100` are +inf where not reached within the window; `arrival` and `after` have one column per
    reached draw, None without any. Scenarios share all but `after`, which is None until one is followed.
    """

    before: AnyPath
    after: AnyPath | None
    reached: Array
    year_20: Array
    year_100: Array
    present: Present
    arrival: Arrival | None


def first_leg(
    p: Draws, end: float, form: str, step: float = DEFAULT_STEP, engine: Engine = "numpy"
) -> tuple[AnyPath, Present, Flow]:
    """Integrate all draws from `as_of` until full automation or `end`."""
    present = present_of(p, form)
    size = present.log10_fleet.size
    start = np.full(size, float(p["as_of_year"]))
    z = z_of(np.zeros(size), LN10 * np.broadcast_to(p["log10_software_ceiling"], (size,)))
    flow = flow_of(engine)(p, present, {})
    stop = present.milestones.full
    return integrate(flow, start, z, None, np.full(size, end), stop, step), present, flow


def crossing(path: Path, p: Draws, level: Array) -> tuple[Place, Array]:
    """Where effective compute reaches `level` on the first leg, and the year (+inf where it does not).

    Solved between the bracketing nodes on the true E(t(s), z(s)); a level already past is at the first node.
    """
    below = (path.signal < level).sum(axis=0)
    reached = below < path.signal.shape[0]
    interval = np.clip(below - 1, 0, path.signal.shape[0] - 2)
    ceiling = LN10 * p["log10_software_ceiling"]

    columns = ((path.time, path.time_slope), (path.z, path.z_slope))
    brackets = [[take(column, interval, k) for column in pair for k in (0, 1)] for pair in columns]
    width = take(path.step, interval)

    def misses(draws: Array) -> Callable[[Array], Array]:
        q, top = select(p, draws, level.size), np.broadcast_to(ceiling, level.shape)[draws]
        (t0, t1, dt0, dt1), (z0, z1, dz0, dz1) = ([column[draws] for column in bracket] for bracket in brackets)
        step = width[draws]

        def miss(fraction: Array) -> Array:
            time, z = hermite(t0, t1, dt0, dt1, step, fraction), hermite(z0, z1, dz0, dz1, step, fraction)
            return dynamics.effective_flop(log_software(z, top), dynamics.surroundings(time, q)) - level[draws]

        return miss

    ends = take(path.signal, interval) - level, take(path.signal, interval, 1) - level
    fraction = np.where(below == 0, 0.0, root(misses, *ends))
    place = Place(interval, fraction, reached)
    return place, np.where(reached, value_at(path, "time", place), np.inf)


def root(misses: Callable[[Array], Callable[[Array], Array]], left: Array, right: Array) -> Array:
    """Where a function of each draw changes sign in 0..1, given its values at the ends: regula falsi, Illinois halving.

    ``misses(draws)`` is that function of some draws. A draw keeps the first guess that is good enough, whatever the
    others of its block still need, and those still needed are singled out once they are few; 0 without a change.
    """
    found: Array = np.zeros(left.shape)
    draws: Array = np.flatnonzero((left < 0) & (right >= 0))
    left, right = left[draws], right[draws]
    low: Array = np.zeros(draws.size)
    high: Array = np.ones(draws.size)
    searching, miss = np.ones(draws.size, dtype=bool), misses(draws)
    for _ in range(ROOT_STEPS):
        with np.errstate(invalid="ignore", divide="ignore"):
            guess = (low * right - high * left) / (right - left)
        guess = np.where((guess >= low) & (guess <= high), guess, 0.5 * (low + high))
        value = miss(guess)
        found[draws[searching]] = guess[searching]
        searching &= np.abs(value) >= ROOT_OOM
        if not searching.any():
            break
        below = value < 0
        left, right = np.where(below, value, 0.5 * left), np.where(below, 0.5 * right, value)
        low, high = np.where(below, guess, low), np.where(below, high, guess)
        if searching.sum() < FEW * searching.size:
            draws, left, right = draws[searching], left[searching], right[searching]
            low, high, searching = low[searching], high[searching], searching[searching]
            miss = misses(draws)
    return found


def arrivals(path: AnyPath, flow: Flow, p: Draws, full: Array, window_end: float) -> tuple[Array, Arrival | None]:
    """Year of full automation (+inf where not within the window), and the state then of the draws that get there."""
    if isinstance(path, Walked):
        reached, time, z, before = path.meeting(full)
        year = np.where(reached & (time <= window_end), time, np.inf)
    else:
        place, year = crossing(path, p, full)
        year = np.where(year <= window_end, year, np.inf)
    draws = np.flatnonzero(np.isfinite(year))
    if not draws.size:
        return year, None
    if not isinstance(path, Walked):
        return year, arrival(path, place, flow, draws)
    start = Memory(*(field[draws] for field in before))
    return year, Arrival(time[draws], z[draws], flow(time[draws], z[draws], start, draws).memory)


def arrival(path: Path, place: Place, flow: Flow, draws: Array) -> Arrival:
    """Time, z and practice of some draws at a place on their paths."""
    time, z = value_at(path, "time", place)[draws], value_at(path, "z", place)[draws]
    start = Memory(*(take(field, place.interval)[draws] for field in path.memory))
    return Arrival(time, z, flow(time, z, start, draws).memory)


def second_leg(
    p: Draws,
    present: Present,
    at: Arrival,
    draws: Array,
    end: float,
    course: Course,
    step: float = DEFAULT_STEP,
    engine: Engine = "numpy",
) -> AnyPath:
    """Integrate the draws from full automation to `end`, compute taking its `course` from there."""
    flow = flow_of(engine)(select(p, draws, present.log10_fleet.size), present.part(draws), turning(course, at.time))
    return integrate(flow, at.time, at.z, at.memory, np.full(draws.size, end), np.full(draws.size, np.inf), step)


def to_automation(p: Draws, window_end: float, form: str, step: float = DEFAULT_STEP, engine: Engine = "numpy") -> Legs:
    """First leg of all draws, the years of 20% and 100%, and the state of those that get there within the window."""
    path, present, flow = first_leg(p, window_end + MARGIN_YEARS, form, step, engine)
    year_100, state = arrivals(path, flow, p, present.milestones.full, window_end)
    year_20 = year_of_20(path, present, p)
    year_20 = np.where(year_20 <= window_end, year_20, np.inf)
    return Legs(path, None, np.isfinite(year_100), year_20, year_100, present, state)


def year_of_20(path: AnyPath, present: Present, p: Draws) -> Array:
    """Year of 20% automation.

    Where it is past at `as_of`, t_20 = -(E_now - E_20)/E', E' being today's growth of E without feedback: compute plus
    people-only software, minus the growth of the penalty (over the past year).
    """
    now, twenty = present.milestones.now, present.milestones.twenty
    if isinstance(path, Walked):
        reached, when, *_ = path.meeting(twenty)
        ahead = np.where(reached, when, np.inf)
    else:
        ahead = crossing(path, p, twenty)[1]
    slope = now - trends.effective_flop_on_trend(p["as_of_year"] - 1.0, p)
    behind = p["as_of_year"] - (now - twenty) / np.maximum(slope, SLOWEST_GROWTH)
    return np.where(now >= twenty, behind, ahead)


def beyond_automation(
    legs: Legs, p: Draws, window_end: float, course: Course, step: float = DEFAULT_STEP, engine: Engine = "numpy"
) -> Legs:
    """Both legs of one scenario."""
    if legs.arrival is None:
        return legs
    draws = np.flatnonzero(legs.reached)
    after = second_leg(p, legs.present, legs.arrival, draws, window_end + MARGIN_YEARS, course, step, engine)
    return replace(legs, after=after)
