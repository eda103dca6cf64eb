"""What the slow run counted: printed at its end, and written as JSON where ROBUSTNESS_JSON names a file."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

collect_ignore = ["fuzz_readers.py"]  # a program that needs atheris


class Counts:
    """Cases, kills and requests by what they were for.

    >>> counts = Counts()
    >>> counts.add("bad inputs", 200)
    >>> counts.add("bad inputs")
    >>> counts.found
    {'bad inputs': 201}
    """

    def __init__(self) -> None:
        self._tally: Counter[str] = Counter()

    def add(self, what: str, number: float = 1) -> None:
        """Count so many more of something."""
        self._tally[what] += number  # type: ignore[assignment]

    @property
    def found(self) -> dict[str, float]:
        """What was counted, in the order in which it was first met."""
        return dict(self._tally)


BEGUN = time.monotonic()
COUNTS = Counts()


@pytest.fixture(scope="session")
def counts() -> Counts:
    return COUNTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = COUNTS.found
    if not found:
        return
    found["seconds in all"] = round(time.monotonic() - BEGUN)
    terminalreporter.section("robustness: what was tried")
    for what, number in found.items():
        terminalreporter.write_line(f"{number:>10,.6g}  {what}")
    file = os.environ.get("ROBUSTNESS_JSON")
    if file:
        Path(file).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
