"""What the README promises of robustness, and what the last slow run tried: ``robustness/counts.json``, kept from it.

ROBUSTNESS_JSON=tests/robustness/counts.json uv run pytest -m slow tests/robustness
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

SECONDS = "seconds in all"
COUNTS = Path(__file__).parent / "robustness" / "counts.json"


class Promise(NamedTuple):
    """A sentence, the test that holds it, and the names (or beginnings of names) of its counts with the words for them."""

    said: str
    test: str
    counts: dict[str, str]


PROMISES = (
    Promise(
        "Bad input of any kind ends in one message that names place, fault and remedy; no file is touched",
        "test_bad_inputs.py",
        {
            "bad inputs,": "files and texts damaged by Hypothesis",
            "inputs tried by atheris": "tried by atheris on the readers of TOML and CSV",
        },
    ),
    Promise(
        "A run file that was damaged, or is more than plain numbers, is refused",
        "test_run_files.py",
        {"run files damaged": "damaged run files"},
    ),
    Promise(
        "Whatever ends the writing, a file is the old one or the new one, and a rerun succeeds",
        "test_kills.py",
        {
            "kills in all": "times kill -9 of fit, run, sweep and backtest",
            "kills during a write": "of them in mid-write",
        },
    ),
    Promise(
        "A full disk, a read-only folder, two writers, a clock that jumps, decimal commas, no HOME, odd paths: "
        "one message or the right files",
        "test_faults.py",
        {"faults:": "faults of the surroundings"},
    ),
    Promise(
        "Files are data: nothing in them is run, followed out of their folder, or put into a page, PDF or sheet as markup",
        "test_file_security.py",
        {},
    ),
    Promise(
        "Extreme but legal priors give finite answers or censored mass; what doubles cannot hold is refused with the "
        "draw and the parameter",
        "test_extremes.py",
        {
            "extreme priors": "extreme priors",
            "extreme priors, two to five together": "sets of two to five",
        },
    ),
    Promise(
        "The same numbers on one thread and on two, to 1e-12; under Python 3.12 and 3.13 to 1e-12, fits within 4 Monte "
        "Carlo errors",
        "test_same_on_all.py, test_second_python.py",
        {"means and medians of a fit under Python": "means and medians of a fit under 3.12"},
    ),
    Promise(
        "Run files of every released version are read, newer ones refused with the remedy",
        "test_versions.py",
        {},
    ),
    Promise(
        "The page answers this machine alone: foreign hosts and origins, oversized and slow requests are refused, and the "
        "answers beside them stay right",
        "test_page.py, test_page_crowd.py",
        {
            "requests of the crowd": "requests of 20 clients, each answered as alone",
            "hostile requests": "hostile requests beside them",
            "share links": "share links",
        },
    ),
    Promise(
        "Wheel and sdist work where nothing else is",
        "tests/test_wheel.py",
        {},
    ),
    Promise(
        "Dependencies have no known vulnerability (`pip-audit --strict`)",
        "test_audit.py",
        {"pip-audit": ""},
    ),
)


def promises() -> list[str]:
    """The README's table, line by line."""
    found = json.loads(COUNTS.read_text(encoding="utf-8"))
    seconds = found[SECONDS]
    lines = [f"| promised | held by | tried in the last slow run ({seconds:,.0f} s) |", "| --- | --- | --- |"]
    return lines + [f"| {one.said} | {tests_of(one)} | {tried(one, found)} |" for one in PROMISES]


def tests_of(promise: Promise) -> str:
    """Files of tests as the README names them."""
    return ", ".join(f"`{name}`" for name in promise.test.split(", "))


def tried(promise: Promise, found: dict[str, float]) -> str:
    """The counts of a promise in words; every name in it is there, or the table is of another run."""
    said = []
    for name, words in promise.counts.items():
        exact = [key for key in found if key == name]
        keys = exact or [key for key in found if key.startswith(name)]
        assert keys, f"no {name!r} among the counts of the slow run"
        said.append(f"{sum(found[key] for key in keys):,.0f} {words}" if words else keys[0].partition(": ")[2])
    return "; ".join(said)
