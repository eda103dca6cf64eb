"""Everything a user can hand in: how it is damaged, who reads it, and what must hold of what was accepted."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from robustness import strategies as bad

from forecast.assignments import assigned
from forecast.cli.elicit import stated_quantiles
from forecast.documents import shown
from forecast.elicitation.elicited import elicited
from forecast.errors import DataMissingError, InputError
from forecast.evaluation.resolutions import read_resolutions
from forecast.explorer.states import Allowed, state_of
from forecast.observations import load_observations, load_settings
from forecast.priors import load_priors, read_overlay
from forecast.research.organisation_files import read_organisations
from forecast.rows import TABLES
from forecast.statements import Prior
from forecast.sweeps.plans import read_plan
from forecast.table_files import read_table

LONGEST = 1200  # characters of one fault: it is read on a terminal
MOST = 120  # faults of one file
REMEDY = re.compile(  # an order, or the words that may be meant, after the last sign that parts them from the fault
    r"(?:[:;,(] ?|\bor |\band )(?:did you mean|known:|forecast priors show|"
    r"(?:a view|a share|one of|at least|a leap is|labour and|an asymptote|"
    r"loss falls|task horizons|less compute)|"
    r"(?:add|answer|ask|check|choose|close|convert|copy|correct|cut|divide|draw|drop|fit|give|install|keep|leave|make|move|name|"
    r"open|put|quote|remake|remove|rename|reorder|restore|save|score|see|start|state|swap|take|use|widen|write)\b)"
)
RANGES = {"returns": (0.5, 1.5), "depth_exponent": (0.1, 0.4)}
LINK = Allowed(
    {"scenario": ["baseline", "software_only"], "form": ["section5", "trend"], "view": ["none"]}, RANGES, "6f1a"
)


@dataclass(frozen=True)
class Kind:
    """One thing that is handed in: its damage, the name of its file (none: it is a text), its reader.

    `read` gives what is computed from it, to be finite; `place` is what a fault of it begins with.
    """

    cases: st.SearchStrategy[Any]
    file: str | None
    read: Callable[[Any], Iterable[Any]]
    place: Callable[[Any], tuple[str, ...]] = lambda given: ()


def fault_of(kind: Kind, given: Any) -> str | None:
    """The message with which a file or text is refused; None where it is accepted, and then with finite numbers only.

    Whatever else it raises, or warns of, passes through.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            numbers = [np.asarray(one, dtype=float) for one in kind.read(given)]
    except (InputError, DataMissingError) as error:
        return str(error)
    assert all(np.isfinite(one).all() for one in numbers), "accepted, with numbers that are not finite"
    return None


def check_message(message: str, begin: tuple[str, ...]) -> None:
    """A message names place, fault and remedy on every line, and holds nothing that a terminal obeys."""
    lines = message.splitlines()
    assert lines, "an empty message"
    assert len(lines) <= MOST, f"{len(lines)} faults"
    for line in lines:
        assert line.isprintable(), f"not printable: {line!r}"
        assert len(line) <= LONGEST, f"{len(line)} characters: {line[:200]!r}"
        assert line.startswith(begin), f"names no place: {line!r}"
        assert REMEDY.search(line), f"names no remedy: {line!r}"


def quantiles(priors: Iterable[Prior]) -> list[Any]:
    """What is drawn from some priors at 1%, 50% and 99%, and at random."""
    found: list[Any] = []
    for prior in priors:
        found += [prior.quantile([0.01, 0.5, 0.99], 2026.8), prior.sample(np.random.default_rng(1), 5, 2026.8)]
    return found


def of_overlay(path: Path) -> list[Any]:
    overlay = read_overlay(path)
    return [*quantiles(overlay.entries.values()), *overlay.settings.values()]


def of_set(path: Path) -> list[Any]:
    return quantiles(load_priors(path.parent).values())


def of_table(name: str) -> Callable[[Path], list[Any]]:
    def read(path: Path) -> list[Any]:
        rows, faults = read_table(path, TABLES[name])
        if faults:
            raise InputError("\n".join(faults))
        return [value for row in rows for value in dict(row).values() if isinstance(value, int | float)]

    return read


def of_tables(path: Path) -> list[Any]:
    seen = load_observations(path.parent)
    return [seen.as_of_year, *(one["year"] for one in seen.tables.values() if "conditions" not in one.attrs["table"])]


def of_settings(path: Path) -> list[Any]:
    return [value for name, value in load_settings(path.parent) if name != "as_of"]


def of_resolutions(path: Path) -> list[Any]:
    answers = read_resolutions(path)
    return [one.value if one.happened is None else one.year for one in answers]


def of_organisations(path: Path) -> list[Any]:
    found = read_organisations(path, 1, 20)
    return [
        getattr(one, name)
        for one in found.values()
        for name in ("researchers", "h100", "years", "quality", "serial_speed")
    ]


def of_plan(path: Path) -> list[Any]:
    plan = read_plan(path)
    return [
        plan.levels,
        *quantiles(prior for case in plan.cases for one in case.overlays for prior in one.entries.values()),
    ]


def of_assignment(text: str) -> list[Any]:
    return quantiles(assigned(text).entries.values())


def of_elicitation(text: str) -> list[Any]:
    return quantiles([elicited("returns", stated_quantiles("returns", [text]))])


def of_link(text: str) -> list[Any]:
    return [value for _, value in state_of(text, LINK).fixed]


def its_path(path: Path) -> tuple[str, ...]:
    return (f"{path}:", f"{shown(path)}:", f"{path.parent}", f"{shown(path.parent)}")


def quoted(text: str) -> tuple[str, ...]:
    return ("--set '", '--set "', "--set depth", "--set returns", "--set compute")


TABLE_KINDS = {
    f"table {name}": Kind(bad.bad_csv(bad.shipped_table(name)), f"{name}.csv", of_table(name), its_path)
    for name in TABLES
}
KINDS: dict[str, Kind] = {
    "overlay": Kind(bad.bad_toml(bad.OVERLAY), "mine.toml", of_overlay, its_path),
    "scenario": Kind(bad.bad_toml(bad.SCENARIO), "leap.toml", of_overlay, its_path),
    "prior set": Kind(
        bad.damaged_bytes(bad.shipped_block("depth_scaling").encode()), "depth_scaling.toml", of_set, its_path
    ),
    **TABLE_KINDS,
    "folder of tables": Kind(bad.bad_csv(bad.shipped_table("run_durations")), "run_durations.csv", of_tables, its_path),
    "settings": Kind(bad.bad_toml(bad.SETTINGS), "settings.toml", of_settings, its_path),
    "resolutions": Kind(bad.bad_csv(bad.RESOLUTIONS), "answers.csv", of_resolutions, its_path),
    "organisations": Kind(bad.bad_toml(bad.ORGANISATIONS), "orgs.toml", of_organisations, its_path),
    "sweep grid": Kind(bad.bad_toml(bad.GRID), "sweep.toml", of_plan, its_path),
    "sweep cases": Kind(bad.bad_toml(bad.CASES), "sweep.toml", of_plan, its_path),
    "--set": Kind(bad.bad_text(bad.ASSIGNMENTS), None, of_assignment, quoted),
    "elicitation": Kind(bad.bad_text(bad.ELICITED), None, of_elicitation, lambda text: ("",)),
    "share link": Kind(bad.bad_text(bad.LINKS), None, of_link, lambda text: ("",)),
}
