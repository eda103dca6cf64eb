"""The work of one task: make a share of the draws, compute what is wanted of them, count it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from forecast.dynamics import all_scenarios
from forecast.dynamics.flow import Engine, blocks_for
from forecast.many.atoms import ATOM, PriorAtoms, drawn_atom, samplers
from forecast.many.grids import grid_of
from forecast.many.tallies import Share, Tally, add, merge
from forecast.projection import at_once, trend_of
from forecast.results import BLOCK, in_blocks, moments, part_of
from forecast.scenarios import Scenario
from forecast.schema import EVENTS

Output = Literal["project", "takeoff"]
Key = tuple[str, str]  # scenario, variable
Counts = dict[Key, Tally | Share]


@dataclass(frozen=True)
class Request:
    """What is wanted of every draw; plain data, for other processes."""

    output: Output
    names: tuple[str, ...]
    scenarios: tuple[Scenario, ...]
    years: tuple[int, ...]
    horizon_form: str
    engine: Engine
    exact: bool
    source: PriorAtoms | None


@dataclass(frozen=True)
class Part:
    """Some of the draws, whole atoms but for the last; those of a run come with their parameters."""

    start: int
    stop: int
    p: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """What it is called where something goes wrong with it."""
        return f"draws {self.start} to {self.stop}"


def joined(total: Tally | Share, part: Tally | Share) -> None:
    """Add the counts of a share."""
    if isinstance(total, Tally) and isinstance(part, Tally):
        merge(total, part)
    elif isinstance(total, Share) and isinstance(part, Share):
        total.draws += part.draws
        total.true += part.true


def empty(request: Request) -> Counts:
    """Counts of no draws yet."""
    columns = len(request.years) if request.output == "project" else 1

    def nothing(name: str) -> Tally | Share:
        return Share() if name in EVENTS else Tally(grid_of(name), columns, values=[] if request.exact else None)

    return {(item.name, name): nothing(name) for item in request.scenarios for name in request.names}


def counts_of(request: Request, part: Part) -> Counts:
    """Counts of one share of the draws."""
    total = empty(request)
    if request.source is None:
        assert part.p is not None
        tally_up(total, request, dict(part.p), part.stop - part.start)
        return total
    own = samplers(request.source)
    for start in range(part.start, part.stop, ATOM):
        p = drawn_atom(request.source, own, start // ATOM, request.engine)
        tally_up(total, request, p, min(ATOM, part.stop - start))
    return total


def tally_up(total: Counts, request: Request, p: dict[str, Any], draws: int) -> None:
    """Compute what is wanted of some draws and count the first of them; whole blocks, as those of a larger share."""
    p = part_of(p, draws_in(p), 0, -(-draws // BLOCK) * BLOCK)
    found = on_trend_by_scenario(request, p) if request.output == "project" else takeoff_by_scenario(request, p)
    for key, counts in total.items():
        values = np.asarray(found[key])[:draws]
        if isinstance(counts, Tally):
            add(counts, values)
        else:
            counts.draws += draws
            counts.true += int(np.count_nonzero(values))


def on_trend_by_scenario(request: Request, p: dict[str, Any]) -> dict[Key, Any]:
    """The projection by scenario; those that slow down alike are the same without feedback."""
    when, done = moments(request.years, float(p["as_of_year"])), dict[bool, dict[str, Any]]()
    trend, size = trend_of(request.engine), draws_in(p)
    block = at_once(len(when), len(request.names), request.engine)
    found: dict[Key, Any] = {}
    for item in request.scenarios:
        if item.slowdown not in done:
            done[item.slowdown] = in_blocks(
                item.parameters(p), size, lambda q: trend(q, when, request.horizon_form, request.names), block
            )
        found |= {(item.name, name): done[item.slowdown][name] for name in request.names}
    return found


def takeoff_by_scenario(request: Request, p: dict[str, Any]) -> dict[Key, Any]:
    """The take-off's read-outs and events by scenario."""
    years, scenarios = list(request.years), list(request.scenarios)

    def work(part: dict[str, Any]) -> dict[Key, Any]:
        return all_scenarios(part, scenarios, years, request.horizon_form, series=False, engine=request.engine)

    blocks = blocks_for(request.engine) | {"workers": 1}  # the parts themselves share the cores
    return in_blocks(p, draws_in(p), work, **blocks)


def draws_in(p: Mapping[str, Any]) -> int:
    """Number of draws of some parameters."""
    return max(int(np.shape(value)[0]) for value in p.values() if np.ndim(value))
