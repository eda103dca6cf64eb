"""What a reader has set on the page: scenario, form, view and fixed parameters; as a query it is the share link.

A state is checked where it enters, so that everything behind works with names that exist and values within range.
``tests/explorer/test_states.py`` pins that a query gives its state back and that a wrong one is refused in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from forecast.errors import InputError, clear
from forecast.families import suggestion

NO_VIEW = "none"
CHOICES = ("scenario", "form", "view")
RUN = "run"  # the first digits of the run's digest: a link belongs to one run
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
LONGEST = 2000  # characters of a query; the longest that the page makes has a few hundred
FIELDS = 60


@dataclass(frozen=True)
class State:
    """Names of scenario, form and view, and (name, value) of every fixed parameter in the order of the sliders."""

    scenario: str = "baseline"
    form: str = "section5"
    view: str = NO_VIEW
    fixed: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Allowed:
    """Names that each choice may take, the range of every slider in order, and the digest of the run."""

    choices: Mapping[str, Collection[str]]
    ranges: Mapping[str, tuple[float, float]]
    run: str


def query(state: State, run: str = "") -> str:
    """The state as the query of a share link; what is as at the start is left out.

    >>> query(State(scenario="software_only", fixed=(("returns", 1.2),)), "6f1a")
    'run=6f1a&scenario=software_only&returns=1.2'
    """
    start = State()
    chosen = [(name, getattr(state, name)) for name in CHOICES if getattr(state, name) != getattr(start, name)]
    fields = [*chosen, *((name, repr(value)) for name, value in state.fixed)]
    return urlencode(([(RUN, run)] if run else []) + fields)


def state_of(text: str, allowed: Allowed) -> State:
    """The state that a query describes.

    Raises
    ------
    InputError
        For an unknown name, a value out of range, a name given twice, or a link to another run.
    """
    if len(text) > LONGEST:
        raise InputError(f"the state has {len(text)} characters: give at most {LONGEST}")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=FIELDS)
    except ValueError as error:
        raise InputError("the state cannot be read: write name=value, joined by &") from error
    return checked(pairs, allowed)


def checked(pairs: Iterable[tuple[str, Any]], allowed: Allowed) -> State:
    """The state that names and values describe, refused as `state_of` does."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{short(name)} is given twice: give it once")
        found[name] = value
    run = found.pop(RUN, allowed.run)
    if run != allowed.run:
        raise InputError(f"the link was made for another run ({short(run)}, this is {allowed.run}): open that run")
    unknown = [name for name in found if name not in allowed.choices and name not in allowed.ranges]
    if unknown:
        known = [*allowed.choices, *allowed.ranges]
        raise InputError(f"no choice or slider named {short(unknown[0])!r}{suggestion(unknown[0], known)}")
    chosen = {name: choice(name, found[name], allowed.choices[name]) for name in CHOICES if name in found}
    fixed = [(name, within(name, found[name], *ends)) for name, ends in allowed.ranges.items() if name in found]
    return State(**chosen, fixed=tuple(fixed))


def choice(name: str, value: Any, known: Collection[str]) -> str:
    """A name that a choice has."""
    if value not in known:
        raise InputError(f"no {name} named {short(value)!r}{suggestion(str(value), known)}")
    return str(value)


def within(name: str, value: Any, low: float, high: float) -> float:
    """A value that a slider reaches.

    >>> within("returns", "1.2", 0.5, 1.5)
    1.2
    """
    if not NUMBER.fullmatch(str(value).strip()):
        raise InputError(f"{name} = {short(value)!r} is no number: give one from {low:g} to {high:g}")
    number = float(value)
    if not low <= number <= high:
        raise InputError(f"{name} = {number:g} is outside the slider's range: give a number from {low:g} to {high:g}")
    return number


def short(value: Any) -> str:
    """The beginning of what a stranger wrote."""
    text = clear(str(value))
    return text if len(text) <= 40 else f"{text[:40]}..."
