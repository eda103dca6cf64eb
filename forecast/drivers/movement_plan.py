"""How each change between two runs is swapped, and what is swapped as one.

A parameter that no likelihood reads has the draws of its prior, to the last bit, and is swapped exactly. Two posteriors of
one model are weighted for each other. What is left - another model, a view, tables that are not at hand - is not followed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecast.drivers.changes import AS_OF, PRIOR, TABLE, made_here
from forecast.drivers.inputs import BLOCK_OF
from forecast.drivers.swapped_densities import Member, Members, Side, rows_cut_by_date, same_families
from forecast.schema import PRODUCTION, STATED
from forecast.side_draws import recorded_prior

EXACT, WEIGHTS = "exact", "weights"
MOST_PLAYERS = 8
SHARED = ("compute_share", "infinite_labour_multiple")  # what the statements of research production replace


class Player(NamedTuple):
    """What is swapped as one."""

    name: str
    kind: str
    members: Members
    how: str


class Plan(NamedTuple):
    """How every change is swapped; `unfollowed` says that the posteriors differ by something that is not."""

    exact: Members
    weighted: Members
    idle: Members
    unfollowed: bool
    notes: tuple[str, ...]


def planned(a: Side, b: Side, changed: Sequence[Member]) -> Plan:
    """How each change is swapped, and what has to stay in the last row."""
    fitted = [side.record["kind"] != "prior" for side in (a, b)]
    reasons = incomparable(a, b)
    comparable, notes = all(fitted) and not reasons, list(reasons)
    exact, weighted, idle, lost = set(), set(), set(), set()
    for member in changed:
        kind, name = member
        if kind == PRIOR:
            if name not in STATED:
                idle.add(member)
            elif not any(fitted) or all(untouched(side, name) for side in (a, b)):
                exact.add(member)
            elif comparable and weighable(a, b, name):
                weighted.add(member)
            else:
                lost.add(member)
        elif kind in (TABLE, AS_OF):
            known = a.tables is not None and b.tables is not None and (name != "architectures" or same_families(a, b))
            target = exact if not any(fitted) else weighted if comparable and known else lost
            target.add(member)
    faults = [side.fault for side in (a, b) if side.fault and any(kind in (TABLE, AS_OF) for kind, _ in lost)]
    if comparable and lost:
        notes.append(f"not followed: {', '.join(sorted(name for _, name in lost))}" + "".join(f"; {x}" for x in faults))
    return Plan(
        frozenset(exact),
        frozenset(weighted),
        frozenset(idle),
        bool(lost) or (any(fitted) and not comparable),
        tuple(notes),
    )


def incomparable(a: Side, b: Side) -> list[str]:
    """Why the draws of two runs cannot be weighted for each other, in words; nothing if they can."""
    sides = (("A", a), ("B", b))
    only = "only changes of priors that no table speaks to are followed"
    kinds = {side.record["kind"] for _, side in sides}
    if kinds == {"prior"}:
        return []
    if len(kinds) > 1:
        return [f"one run was fitted and the other is of the prior alone: {only}"]
    viewed = [label for label, side in sides if side.record.get("views")]
    if viewed:
        return [f"run {' and '.join(viewed)} is seen through a view, no posterior of its own: {only}"]
    other = [label for label, side in sides if not made_here(side.record)]
    if other:
        which = f"run {other[0]} was" if len(other) == 1 else "both runs were"
        return [f"{which} made by another model or version than the one installed, so draws are not comparable: {only}"]
    return []


def untouched(side: Side, name: str) -> bool:
    """Whether a parameter's draws are those of its prior, which they are to the last bit where no likelihood reads it."""
    if side.record["kind"] == "prior":
        return True
    if name not in side.record["priors"] or STATED[name].dims or np.ndim(side.p.get(name, 0.0)) != 1:
        return False
    settings, values = side.record["settings"], side.p[name]
    step, chains = side.record.get("thinned", 1), settings["chains"]
    stream = np.random.SeedSequence(settings["random_seed"], spawn_key=(zlib.crc32(name.encode()),))
    whole = side.record.get("draws_before_thinning", settings["draws"])
    drawn = recorded_prior(dict(side.record), name).sample(
        np.random.default_rng(stream), chains * whole, side.as_of_year
    )
    return bool(np.array_equal(np.reshape(drawn, (chains, whole))[:, ::step].ravel(), values))


def weighable(a: Side, b: Side, name: str) -> bool:
    """Whether both runs have a density of this parameter: neither holds it fixed or says it another way."""
    if any(name not in side.record["priors"] for side in (a, b)):
        return False
    stated = [[other for other in (*PRODUCTION, *SHARED) if other in side.record["priors"]] for side in (a, b)]
    if name in (*PRODUCTION, *SHARED) and stated[0] != stated[1]:
        return False
    return all(np.ndim(side.p.get(name, 0.0)) > 0 for side in (a, b))


def players_of(plan: Plan, a: Side, b: Side) -> list[Player]:
    """What is swapped as one: each change; the tables that the date cuts with it; blocks, where changes are too many."""
    members = sorted(plan.exact | plan.weighted)
    group: dict[Member, Member] = {member: member for member in members}
    if (AS_OF, AS_OF) in group:
        cut = [(kind, name) for kind, name in members if kind == TABLE and rows_cut_by_date(a, b, name)]
        group |= dict.fromkeys(cut, (AS_OF, AS_OF))
    if any(name in side.record["priors"] for name in PRODUCTION for side in (a, b)):
        together = [(kind, name) for kind, name in members if name in (*PRODUCTION, *SHARED)]
        group |= dict.fromkeys(together, (PRIOR, "research production")) if len(together) > 1 else {}
    if len(set(group.values())) > MOST_PLAYERS:
        group = {
            member: (PRIOR, f"priors of {BLOCK_OF[member[1]]}") if member[0] == PRIOR else head
            for member, head in group.items()
        }
    if len(set(group.values())) > MOST_PLAYERS:
        group = {member: (TABLE, "all tables") if head[0] == TABLE else head for member, head in group.items()}
    found = []
    for head in dict.fromkeys(group.values()):
        inside = frozenset(member for member, of in group.items() if of == head)
        how = " and ".join(way for way, which in ((EXACT, plan.exact), (WEIGHTS, plan.weighted)) if inside & which)
        found.append(
            Player(
                head[1] if head[0] != TABLE else f"table {head[1]}".replace("table all", "all"), head[0], inside, how
            )
        )
    return found
