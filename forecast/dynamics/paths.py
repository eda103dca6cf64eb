"""From the draws to their paths: up to full automation, and from there on, per scenario.

Each draw is integrated to the moment its effective compute reaches E_100 and restarted exactly there, so that the kink
(automated share reaching 1, compute frozen in `software_only`) costs no order and both scenarios share the first leg.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.dynamics.events import Place, take, value_at
from forecast.dynamics.flow import Draws, Present, present_of, research_flow, select
from forecast.dynamics.integrator import DEFAULT_STEP, Array, Flow, Memory, Path, integrate, log_software, z_of
from forecast.equations import takeoff as dynamics
from forecast.equations.trends import LN10

BISECTIONS = 60


@dataclass(frozen=True)
class Legs:
    """The path to full automation, the state there, and the path after it (of the draws that reach it)."""

    before: Path
    after: Path | None
    reached: Array
    year_20: Array
    year_100: Array
    present: Present


@dataclass(frozen=True)
class Arrival:
    """State of some draws at the crossing of E_100."""

    time: Array
    z: Array
    memory: Memory


def first_leg(p: Draws, end: float, form: str, step: float = DEFAULT_STEP) -> tuple[Path, Present, Flow]:
    """Integrate all draws from `as_of` until full automation or `end`."""
    present = present_of(p, form)
    size = present.log10_fleet.size
    start = np.full(size, float(p["as_of_year"]))
    z = z_of(np.zeros(size), LN10 * np.broadcast_to(p["log10_software_ceiling"], (size,)))
    flow = research_flow(p, present)
    stop = present.milestones.full
    return integrate(flow, start, z, None, np.full(size, end), stop, step), present, flow


def crossing(path: Path, p: Draws, level: Array) -> tuple[Place, Array]:
    """Where effective compute reaches `level` on the first leg, and the year (+inf where it does not).

    Bisection between the bracketing nodes on the true E(t(s), z(s)); a level already past is at the first node.
    """
    below = (path.signal < level).sum(axis=0)
    reached = below < path.signal.shape[0]
    interval = np.clip(below - 1, 0, path.signal.shape[0] - 2)
    low, high = np.zeros(level.shape), np.where(below == 0, 0.0, 1.0)
    ceiling = LN10 * p["log10_software_ceiling"]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        place = Place(interval, middle, reached)
        time, z = value_at(path, "time", place), value_at(path, "z", place)
        short = dynamics.effective_flop(log_software(z, ceiling), dynamics.surroundings(time, p)) < level
        low, high = np.where(short, middle, low), np.where(short, high, middle)
        if np.max(high - low, initial=0.0) < 1e-10:
            break
    place = Place(interval, 0.5 * (low + high), reached)
    return place, np.where(reached, value_at(path, "time", place), np.inf)


def arrival(path: Path, place: Place, flow: Flow, draws: Array) -> Arrival:
    """Time, z and practice of the draws that reach full automation, at the crossing itself."""
    time, z = value_at(path, "time", place)[draws], value_at(path, "z", place)[draws]
    fields = [np.stack([getattr(m, name) for m in path.memory]) for name in Memory._fields]
    start = Memory(*(take(field, place.interval)[draws] for field in fields))
    return Arrival(time, z, flow(time, z, start, draws).memory)


def second_leg(
    p: Draws, present: Present, at: Arrival, draws: Array, end: float, freeze: bool, step: float = DEFAULT_STEP
) -> Path:
    """Integrate the draws from full automation to `end`; with `freeze`, compute stays as it is there."""
    size = present.log10_fleet.size
    frozen = None
    if freeze:
        frozen = np.full(size, np.inf)
        frozen[draws] = at.time
    subset = select(p, draws, size)
    part = present.part(draws)
    flow = research_flow(subset, part, None if frozen is None else frozen[draws])
    return integrate(flow, at.time, at.z, at.memory, np.full(draws.size, end), np.full(draws.size, np.inf), step)
