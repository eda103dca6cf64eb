"""SWEEP.toml: which cases a sweep has, every fault with its place.

Nothing is computed here; a plan that is returned can be run (``tests/sweeps/test_plans.py`` pins what is refused).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from os import PathLike
from pathlib import Path
from typing import Any

from forecast.assignments import assigned
from forecast.documents import Document, line_of, line_told, read_document, shown
from forecast.dynamics.forms import FORMS
from forecast.errors import ForecastError, InputError, clear
from forecast.exploring import PRESETS
from forecast.families import suggestion
from forecast.overlays import Overlay, overlay_files
from forecast.priors import read_overlay
from forecast.results import checked_form
from forecast.scenarios import load_scenario
from forecast.schema import STATED
from forecast.views import refuse_scenario

TEMPLATE = Path(__file__).with_name("template.toml")
TREND, MAIN = "trend", FORMS[0]  # without and with feedback of AIs on software
ALL_FORMS = (TREND, *FORMS)
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
TABLES = ("run", "prior", "settings", "grid", "case")
PRIOR = {"draws": 1000, "chains": 4, "seed": 1}
SETTINGS = ("years", "levels", "horizon_form")
GRID = {"scenarios": "scenario", "views": "view", "sets": "set", "presets": "preset", "forms": "form"}
DEFAULTS = {"scenario": "baseline", "view": (), "set": (), "preset": "", "form": MAIN}
LARGEST = 10**9


@dataclass(frozen=True)
class Case:
    """One way to see the run. A rival form knows no scenario: its ``scenario`` is empty.

    ``overlays`` are what ``views`` and ``assignments`` state, in this order.
    """

    scenario: str
    views: tuple[str, ...] = ()
    assignments: tuple[str, ...] = ()
    preset: str = ""
    form: str = MAIN
    overlays: tuple[Overlay, ...] = field(default=(), compare=False, repr=False)

    @property
    def label(self) -> str:
        """What it is called where something is said of it.

        >>> Case("baseline", ("davidson2023",), ("depth_exponent=0.15",)).label
        'baseline, section5, view davidson2023, depth_exponent=0.15'
        """
        said = [self.scenario, self.form, *(f"view {view}" for view in self.views), *self.assignments]
        return ", ".join(part for part in [*said, f"preset {self.preset}" if self.preset else ""] if part)


@dataclass(frozen=True)
class Plan:
    """What a sweep computes: `cases` of the run in the file `run`, or of draws of the prior."""

    file: Path
    cases: tuple[Case, ...]
    run: Path | None
    prior: Mapping[str, int]
    years: tuple[int, ...] | None
    levels: tuple[float, ...]
    horizon_form: str


def read_plan(path: str | PathLike[str]) -> Plan:
    """The plan of a sweep.

    Parameters
    ----------
    path : path
        A TOML file: ``run`` (a run file, relative to this one) or ``[prior]``; ``[settings]``; ``[grid]`` or ``[[case]]``.
        ``forecast sweep --template`` prints one with all keys.

    Raises
    ------
    InputError
        With all faults, one a line: place, what is wrong, remedy.

    Examples
    --------
    >>> len(read_plan(TEMPLATE).cases)
    8
    """
    faults: list[str] = []
    document = read_document(Path(path), faults)
    if document is None:
        raise InputError("\n".join(faults))
    known_keys(document, "", document.data, TABLES)
    run, prior = origin(document)
    years, levels, horizon_form = settings(document)
    found = cases(document)
    if faults:
        raise InputError("\n".join(sorted(dict.fromkeys(faults), key=line_told)))
    return Plan(Path(path), found, run, prior, years, levels, horizon_form)


def origin(document: Document) -> tuple[Path | None, dict[str, int]]:
    """The run file, or how many draws of the prior."""
    run, prior = document.data.get("run"), subtable(document, "prior")
    if run is not None and (not isinstance(run, str) or not run or not run.isprintable()):
        document.fault("", "run", f'{run!r} is no path: write run = "forecast-out/run.nc"')
    if run is not None and "prior" in document.data:
        document.fault("", "prior", "stands beside run: a sweep is of one of them, drop the other")
    if run is None and "prior" not in document.data:
        document.fault("", "run", 'is missing: write run = "forecast-out/run.nc", or [prior] for draws of the prior')
    known_keys(document, "prior", prior, PRIOR)
    for key, value in prior.items():
        least = 0 if key == "seed" else 1
        if key in PRIOR and not (type(value) is int and least <= value <= LARGEST):
            document.fault("prior", key, f"{value!r} cannot be used: write a whole number from {least} on")
    return (document.path.parent / run if isinstance(run, str) else None), PRIOR | prior


def settings(document: Document) -> tuple[tuple[int, ...] | None, tuple[float, ...], str]:
    """Years, quantile levels and form of the task horizon."""
    table = subtable(document, "settings")
    known_keys(document, "settings", table, SETTINGS)
    years, levels, form = (
        table.get("years"),
        table.get("levels", list(LEVELS)),
        table.get("horizon_form", "exponential"),
    )
    match = re.fullmatch(r"(\d{4})(?::(\d{4}))?", years) if isinstance(years, str) else None
    if years is not None and not (match and int(match[2] or match[1]) >= int(match[1])):
        document.fault("settings", "years", f'{years!r} is no range of years: write "2026:2045"')
        match = None
    numbers = isinstance(levels, list) and levels and all(type(level) is float for level in levels)
    rising = numbers and levels == sorted(set(levels)) and 0.0 < levels[0] <= levels[-1] < 1.0
    if not rising or any(round(level, 3) != level for level in levels):  # their columns are q05, q97.5
        remedy = "write them between 0 and 1, rising, with three digits at most"
        document.fault("settings", "levels", f"{levels!r} are no quantile levels: {remedy}")
        levels = LEVELS
    attempt(document, "settings", "horizon_form", lambda: checked_form(str(form)))
    window = tuple(range(int(match[1]), int(match[2] or match[1]) + 1)) if match else None
    return window, tuple(levels), str(form)


def cases(document: Document) -> tuple[Case, ...]:
    """The cases of the grid or of the list."""
    listed, grid = document.data.get("case"), subtable(document, "grid")
    if (listed is None) == ("grid" not in document.data):
        document.fault("", "grid", "a sweep has either [grid] or some [[case]]: write one of them")
        return ()
    if listed is None:
        return grid_cases(document, grid)
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        document.fault("", "case", "is no list of tables: write [[case]]")
        return ()
    found: dict[Case, int] = {}
    for number, table in enumerate(listed):
        case = listed_case(document, number, table)
        if case is not None and case in found:
            case_fault(document, number, "", f"is the same as case {found[case] + 1}: drop one of them")
        elif case is not None:
            found[case] = number
    return tuple(found)


def grid_cases(document: Document, grid: Mapping[str, Any]) -> tuple[Case, ...]:
    """Every combination; a rival form once for all scenarios."""
    known_keys(document, "grid", grid, GRID)
    before, axes = len(document.faults), dict[str, list[Any]]()
    for key, name in GRID.items():
        values = grid.get(key, [DEFAULTS[name]])
        if not isinstance(values, list) or not values:
            document.fault("grid", key, f"{values!r} is no list: write {key} = [...]")
            continue
        axes[name] = [checked(partial(document.fault, "grid", key), document, name, value) for value in values]
    if len(document.faults) > before:
        return ()
    made = (case_of(dict(zip(axes, one, strict=True))) for one in product(*axes.values()))
    return tuple(dict.fromkeys(made))


def listed_case(document: Document, number: int, table: Mapping[str, Any]) -> Case | None:
    """One ``[[case]]``."""
    before = len(document.faults)
    for key in table:
        if key not in DEFAULTS:
            case_fault(document, number, key, f"unknown key{suggestion(key, DEFAULTS)}")
    chosen = {
        name: checked(partial(case_fault, document, number, name), document, name, table.get(name, default))
        for name, default in DEFAULTS.items()
    }
    if "scenario" in table and chosen["form"] in FORMS[1:]:
        said = f"the form {chosen['form']} knows no scenarios: drop this key, or take the form {MAIN}"
        case_fault(document, number, "scenario", said)
    return case_of(chosen) if len(document.faults) == before else None


def case_of(chosen: Mapping[str, Any]) -> Case:
    """The case of some checked values."""
    form, (views, seen), (texts, own) = chosen["form"], chosen["view"], chosen["set"]
    scenario = "" if form in FORMS[1:] else chosen["scenario"]
    return Case(scenario, views, texts, chosen["preset"], form, (*seen, *own))


def checked(fault: Callable[[str], None], document: Document, name: str, value: Any) -> Any:
    """A value of one axis as a case has it, or a fault."""
    several = name in ("view", "set")
    texts = (
        [value] if isinstance(value, str) else list(value) if several and isinstance(value, (list, tuple)) else [None]
    )
    if not all(isinstance(text, str) for text in texts):
        fault(f"{value!r} is no text{' nor a list of texts' if several else ''}: put it in quotes")
        return ((), ()) if several else ""
    try:
        return CHECKS[name](document, [text for text in texts if text])
    except ForecastError as error:
        for line in str(error).splitlines():
            fault(line.removeprefix("--"))
        return ((), ()) if several else ""


def checked_views(document: Document, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[Overlay, ...]]:
    """Views by name, or by path relative to the sweep file, and what they state."""
    shipped, found = overlay_files(), []
    for name in names:
        if name not in shipped and (".." in Path(name).parts or Path(name).is_absolute()):
            raise InputError(f"{name!r} is not beside this file: put the view there, or below")
        overlay = read_overlay(name if name in shipped else document.path.parent / name if ".toml" in name else name)
        refuse_scenario(overlay)
        several = [entry for entry in overlay.entries if entry in STATED and STATED[entry].dims]
        if several:
            raise InputError(
                f"{name} states {several[0]}, which has several entries: fit it with forecast run --view {name}"
            )
        found.append(overlay)
    return tuple(names), tuple(found)


def checked_sets(_: Document, texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[Overlay, ...]]:
    """Assignments, and what they state together."""
    return tuple(texts), ((assigned(texts),) if texts else ())


def one_of(known: Sequence[str], kind: str) -> Callable[[Document, Sequence[str]], str]:
    """A check that a text is one of some names; nothing stands for none where that is one of them."""

    def check(_: Document, texts: Sequence[str]) -> str:
        name = texts[0] if texts else ""
        if name not in known:
            raise InputError(f"no {kind} named {name!r}{suggestion(name, known)}")
        return name

    return check


CHECKS: dict[str, Callable[[Document, Sequence[str]], Any]] = {
    "scenario": lambda _, texts: load_scenario(texts[0] if texts else "").name,
    "view": checked_views,
    "set": checked_sets,
    "preset": one_of(("", *PRESETS), "preset"),
    "form": one_of(ALL_FORMS, "form"),
}


def subtable(document: Document, name: str) -> dict[str, Any]:
    """A top-level table; empty where it is missing, or no table, which is a fault."""
    table = document.data.get(name, {})
    if not isinstance(table, dict):
        document.fault("", name, f"is not a table: write [{name}]")
        return {}
    return table


def known_keys(document: Document, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """A fault for every key that is not known."""
    for key in table:
        if key not in known and not document.full:
            document.fault(where, key, f"unknown key{suggestion(key, known)}")


def attempt(document: Document, table: str, key: str, work: Callable[[], Any]) -> None:
    """Do something; what it raises is a fault of that key."""
    try:
        work()
    except ForecastError as error:
        document.fault(table, key, " ".join(str(error).split()))


def case_fault(document: Document, number: int, key: str, message: str) -> None:
    """Add a fault of one ``[[case]]``, at its key or its header."""
    line = case_line(document.text, number, key)
    name = ".".join(part for part in (f"case {number + 1}", key) if part)
    document.faults.append(clear(f"{shown(document.path)}:{line}: {name}: {message}"))


def case_line(text: str, number: int, key: str) -> int:
    r"""Line of a key of the nth ``[[case]]``, or of its header.

    >>> case_line('[[case]]\nform = "trend"\n[[case]]\nview = ""\nform = "ai2027"', 1, "form")
    5
    """
    lines = text.splitlines()
    heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[\[\s*case\s*\]\]", line)]
    if number >= len(heads):
        return line_of(text, "case")
    start = heads[number]
    end = next(
        (at for at in range(start + 1, len(lines)) if re.match(r"\s*\[+\s*[A-Za-z]\w*\s*\]", lines[at])), len(lines)
    )
    own = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    return next((at for at in range(start, end) if key and own.match(lines[at])), start) + 1
