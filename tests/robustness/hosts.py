"""The host of forked commands as tests use it, and what a folder holds, by content."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import xarray as xr

from forecast.executors import THREADS
from forecast.runs import load_run
from forecast.sweeps.parts import read_part, values_digest
from forecast.whole_files import PREFIX

WARM = Path(__file__).with_name("warm.py")


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, or minus the signal; None while it is held."""

    pid: int
    status: int | None
    phase: str
    timeline: list[tuple[str, float, int, bool]]  # phase, seconds, ticks, entered or back in it
    stdout: str
    stderr: str

    def seconds(self, phase: str) -> float:
        """How long a phase lasted when it came first."""
        return next((seconds for name, seconds, _, _ in self.timeline if name == phase), 0.0)

    def passes(self, phases: str) -> list[tuple[str, int, int]]:
        """Every pass through phases of a pattern: phase, its number, its ticks."""
        numbers, found = Counter[str](), []
        for name, _, ticks, entered in self.timeline:
            if entered and fnmatch(name, phases):
                numbers[name] += 1
                found.append((name, numbers[name], ticks))
        return found


class Host:
    """Forks copies of one warm process."""

    def __init__(self, scratch: Path):
        self.scratch = scratch
        command, alone = [sys.executable, str(WARM)], dict.fromkeys(THREADS, "1")  # a fork copies no other thread
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=os.environ | alone, **pipes)

    def asked(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the host of forked commands is gone, {self.process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, argv: Sequence[str], cwd: Path, **how: Any) -> Ended:
        """A command in a copy; `stop` = [phase, its number, tick] or `kill` = [phase, seconds after its beginning] kills it."""
        own = how.pop("name", "0")  # of two that are under way at once
        streams = {name: str(self.scratch / f"{name}-{own}") for name in ("stdout", "stderr")}
        return ended(self.asked({"argv": list(argv), "cwd": str(cwd)} | streams | how))

    def resume(self, held: Ended) -> Ended:
        """Let a command that was held in mid-write go on to its end."""
        return ended(self.asked({"resume": held.pid}))

    def remember(self, argv: Sequence[str], cwd: Path, **how: Any) -> None:
        """Compute once what this command computes; copies with remembered=True take it from there."""
        assert self.asked({"remember": True, "argv": list(argv), "cwd": str(cwd)} | how)["status"] in (0, 3)

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def ended(answer: dict[str, Any]) -> Ended:
    return Ended(**answer | {"timeline": [tuple(one) for one in answer["timeline"]]})


@contextmanager
def hosted(scratch: Path) -> Iterator[Host]:
    """A host for as long as the block lasts; it takes seconds to begin."""
    host = Host(scratch)
    try:
        yield host
    finally:
        host.end()


def succeeds(ended: Ended) -> None:
    """Exit code 0; or 3, results that are written and marked, as those of a fit of 20 draws are."""
    assert ended.status in (0, 3), ended.stderr


def refused(ended: Ended, code: int, *said: str) -> None:
    """One line that begins with ``error:``, with the exit code, and what it must name."""
    assert ended.status == code, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    for words in said:
        assert words in line


@cache
def values_of(path: Path, raw: str) -> str:
    """SHA-256 of what a netCDF file says, every value of it read; `raw`, that of its bytes, saves reading one twice."""
    tree = load_run(path) if path.name == "run.nc" else xr.load_datatree(path, engine="h5netcdf")
    notes = sorted((name, str(value)) for name, value in tree.attrs.items() if name != "_NCProperties")
    groups = [(node.path, values_digest(node.to_dataset(inherit=False))) for node in tree.subtree]
    return hashlib.sha256(repr([notes, groups]).encode()).hexdigest()


def content(path: Path) -> str:
    """SHA-256 of what a file says; when a netCDF file was written does not count. A damaged one raises."""
    raw = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.suffix != ".nc":
        return raw
    if path.parent.name == "parts":
        assert read_part(path) is not None, f"{path} is damaged"
        return raw
    return values_of(path, raw)


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with its content; what a kill may leave hidden is left out."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(PREFIX))
    return {str(path.relative_to(folder)): content(path) for path in paths}


def litter(folder: Path) -> list[Path]:
    """What a kill left."""
    return sorted(folder.rglob(f"{PREFIX}*"))
