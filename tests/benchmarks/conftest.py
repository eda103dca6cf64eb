"""The benchmark table: what `rows.toml` asks for beside what was measured, printed once all benchmarks are through.

    uv run pytest -m slow tests/benchmarks

Times are printed, never asserted: machines differ and are noisy. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import platform
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forecast.places import cores

ROWS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("rows.toml").read_text(encoding="utf-8"))
FOUND: dict[str, tuple[float, str]] = {}
LINES: list[str] = []
Measured = Callable[[str, float, str], None]


@pytest.fixture
def measured() -> Measured:
    """Puts a figure into the table: row, value in the row's unit, and how it was taken."""

    def put(row: str, value: float, note: str = "") -> None:
        assert row in ROWS, f"no row {row!r} in rows.toml"
        FOUND[row] = (value, note)

    return put


@pytest.fixture
def also() -> Callable[[str], None]:
    """Adds a line below the table."""
    return LINES.append


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not FOUND and not LINES:
        return
    terminalreporter.section("benchmark table")
    terminalreporter.write_line(machine() + "\n")
    terminalreporter.write_line("\n".join(table(FOUND)))
    terminalreporter.write_line("\n".join(["", *LINES]))
    if target := os.environ.get("BENCHMARK_JSON"):
        found = {row: {"value": value, "note": note} for row, (value, note) in FOUND.items()}
        Path(target).write_text(json.dumps({"machine": machine(), "rows": found, "lines": LINES}, indent=1))


def table(found: dict[str, tuple[float, str]]) -> list[str]:
    """The table as Markdown."""
    lines = ["| what | measured | at least | aim | |", "| --- | --- | --- | --- | --- |"]
    for name, row in ROWS.items():
        if name in found:
            value, note = found[name]
            wanted = [spoken(row[key], row["unit"]) if key in row else "" for key in ("at_least", "aim")]
            cells = [
                row["what"],
                spoken(value, row["unit"]),
                *wanted,
                "; ".join(filter(None, [verdict(row, value), note])),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def spoken(value: float, unit: str) -> str:
    """A figure with its unit, to two digits."""
    if unit == "1/s":
        return f"{value:.1e}".replace("e+0", "e")
    return f"{value:.2g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def verdict(row: dict[str, Any], value: float) -> str:
    """Which of the two marks is reached, and by how much it falls short."""
    more = row.get("better") == "more"
    for name, word in (("aim", "aim"), ("at_least", "at least")):
        if name in row and (value >= row[name] if more else value <= row[name]):
            return f"{word} reached"
    if "at_least" not in row:
        return ""
    short = row["at_least"] / value if more else value / row["at_least"]
    return f"short by {short:.1f}x"


def machine() -> str:
    """The machine in one line."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (OSError, StopIteration, ValueError):
        return f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}"
    return f"{name}, {cores()} virtual cores, {memory:.0f} GiB, Python {platform.python_version()}"
