"""kill -9 at any moment of fit, run, sweep and back-test: what is there afterwards is old or new, and a rerun does the rest.

A kill during a write lands there with certainty: the process stops itself there and is killed while it is stopped
(`robustness.warm`). ``uv run pytest -m slow tests/robustness/test_kills.py`` prints the kills by phase.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from robustness.hosts import Ended, Host, contents, hosted, litter, succeeds

from forecast.places import tables_folder
from forecast.whole_files import ABANDONED

SEED = int(os.environ.get("ROBUSTNESS_SEED", "1"))  # of the moments; another one explores
KILLED = -signal.SIGKILL
SETTINGS = tables_folder() / "settings.toml"
TRIES = 5  # to hit a phase that is over sooner than it was in the rehearsal

SWEEP = """
run = "prior/run.nc"
[settings]
years = "2026:{last}"
levels = [0.1, 0.5, 0.9]
[grid]
scenarios = ["baseline", "software_only"]
sets = ["", "depth_exponent=0.15"]
forms = ["trend", "ai2027"]
"""


@dataclass(frozen=True)
class Command:
    """A command that replaces what another one left: both, and how many kills by phase."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    kills: dict[str, int]
    stub: bool = False  # fits are draws of the prior
    remembered: bool = True  # what takes long is computed once, and only kills while it is computed compute it anew

    def __str__(self) -> str:
        return self.name


SMALL = ("--prior-only", "--draws", "20", "-o", "out", "--quiet")
BRIEF = ("--scenario", "baseline", "--years", "2030:2031")
CUT = ("backtest", "--cut", "2024-01-01", "--draws", "20", "-o", "out", "--quiet")
FIT = Command(
    "fit",
    ("fit", *SMALL, "--seed", "1"),
    ("fit", *SMALL, "--seed", "2"),
    {"starting": 1, "reading": 1, "drawing": 2, "writing run.nc": 8, "placing run.nc": 2},
    remembered=False,
)
RUN = Command(
    "run",
    ("run", *SMALL, *BRIEF, "--seed", "1"),
    ("run", *SMALL, *BRIEF, "--seed", "2"),
    {"reading": 1, "drawing": 1, "computing": 5, "writing run.nc": 7, "placing run.nc": 2}
    | {f"{how} {name}": 2 for how in ("writing", "placing") for name in ("summary.csv", "report.html")},
)
SWEPT = Command(
    "sweep",
    ("sweep", "before.toml", "-o", "out", "--quiet"),
    ("sweep", "after.toml", "-o", "out", "--quiet"),
    {"reading": 1, "computing": 3, "writing a part": 4, "placing a part": 2, "writing sweep.nc": 4}
    | {"writing sweep.csv": 2, "placing sweep.*": 2},
    remembered=False,
)
REAL = Command(  # sampled by nutpie, compiled once for all but the kills of the compiling
    "fit sampled",
    ("fit", *SMALL, "--seed", "1"),
    ("fit", "--refit", "--draws", "20", "--tables", "settings", "-o", "out", "--quiet"),
    {"compiling": 2, "sampling": 4},
)
BACKTEST = Command(
    "backtest",
    (*CUT, "--seed", "1"),
    (*CUT, "--seed", "2"),
    {"reading": 1, "drawing": 1, "computing": 2, "writing *.csv": 4, "writing *.svg": 4, "placing *": 2},
    stub=True,
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosted(tmp_path_factory.mktemp("host")) as host:
        yield host


class Scene:
    """A folder with what a command is to replace, what it would leave undisturbed, and when it does what."""

    def __init__(self, host: Host, command: Command, folder: Path):
        self.host, self.command, self.folder = host, command, folder
        for name, last in (("before", 2027), ("after", 2028)):
            (folder / f"{name}.toml").write_text(SWEEP.format(last=last))
        (folder / "settings").mkdir()
        brief = SETTINGS.read_text().replace("tune = 1000", "tune = 50").replace("chains = 4", "chains = 2")
        (folder / "settings" / "settings.toml").write_text(brief)
        shutil.copy(SETTINGS.with_name("hardware.csv"), folder / "settings")  # a folder of tables holds one
        if command.name == "sweep":
            succeeds(host.run(("fit", *SMALL[:-2], "prior", "--quiet"), folder))
        self.how: dict[str, Any] = {"stub": command.stub, "remembered": command.remembered}
        for argv in (command.before, command.after) if command.remembered else ():
            host.remember(argv, folder, stub=command.stub)
            shutil.rmtree(folder / "out")
        succeeds(self.run(command.before))
        self.before = contents(folder / "out")
        shutil.move(folder / "out", folder / "kept")
        self.rehearsal = self.started_over(command.after)
        succeeds(self.rehearsal)
        self.after = contents(folder / "out")
        assert any(self.before[name] != self.after[name] for name in self.before), "the two cannot be told apart"

    def run(self, argv: tuple[str, ...], **how: Any) -> Ended:
        return self.host.run(argv, self.folder, **self.how | how)

    def started_over(self, argv: tuple[str, ...], **how: Any) -> Ended:
        """The command upon what the earlier one left."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        shutil.copytree(self.folder / "kept", self.folder / "out")
        return self.run(argv, **how)

    def killed(self, phase: str, moments: random.Random) -> Ended:
        """The command killed at a random moment of a phase; a phase with ticks is stopped at one of them first."""
        for attempt in range(TRIES):
            ended = self.started_over(self.command.after, **self.moment(phase, moments, attempt))
            if ended.status == KILLED:
                return ended
            succeeds(ended)
        raise AssertionError(f"{self.command.name} could not be killed in its phase {phase!r}")

    def moment(self, phase: str, moments: random.Random, attempt: int) -> dict[str, Any]:
        """When to kill: `stop` at one of the steps of a write, or so many seconds after a phase has begun."""
        writes = [(name, number, ticks) for name, number, ticks in self.rehearsal.passes(phase) if ticks]
        if writes:
            name, number, ticks = moments.choice(writes)
            return {"stop": [name, number, moments.randint(1, ticks)]}
        # what is remembered takes no time: it is computed anew to be killed
        anew = {"computing": 3.0, "compiling": 20.0, "drawing": 0.1} if self.command.remembered else {}
        seconds = moments.random() * anew.get(phase, self.rehearsal.seconds(phase)) / 2**attempt
        return {"kill": [phase, seconds], "remembered": self.command.remembered and phase not in anew}

    def holds_old_or_new(self, killed: Ended) -> None:
        """Every file is the earlier one or the later one, whole, and none is gone."""
        found = contents(self.folder / "out")
        assert found.keys() >= self.before.keys(), (killed.phase, "a file is gone")
        for name, value in found.items():
            assert value in (self.before.get(name), self.after.get(name)), (killed.phase, name, "is neither")
        assert len(litter(self.folder / "out")) <= 1, "a process leaves at most the file that it was writing"

    def is_done_by_a_rerun(self, old_litter: bool) -> None:
        """The same command again ends well, with the files of an undisturbed one."""
        left = litter(self.folder / "out")
        for path in left if old_litter else ():
            long_ago = path.stat().st_mtime - 2 * ABANDONED
            os.utime(path, (long_ago, long_ago))
        succeeds(self.run(self.command.after))
        assert contents(self.folder / "out") == self.before | self.after
        assert litter(self.folder / "out") == ([] if old_litter else left)


def survives(scene: Scene, phase: str, moments: random.Random, counts: Any) -> None:
    """One kill, what it leaves, and the rerun."""
    killed = scene.killed(phase, moments)
    scene.holds_old_or_new(killed)
    scene.is_done_by_a_rerun(old_litter=moments.random() < 0.5)
    counts.add(f"kills: {scene.command.name}, {grouped(killed.phase)}")
    counts.add("kills in all")
    counts.add("kills during a write", killed.phase.startswith("writing"))


def grouped(phase: str) -> str:
    """The many files of a back-test as two."""
    what, _, name = phase.partition(" ")
    single = ("run.nc", "summary.csv", "report.html", "a part", "sweep.csv", "sweep.nc")
    return phase if name in single or not name else f"{what} *{Path(name).suffix}"


@pytest.mark.parametrize(("command", "phase"), [(FIT, "writing run.nc"), (SWEPT, "writing sweep.nc")], ids=str)
def test_a_kill_during_a_write(command: Command, phase: str, host: Host, tmp_path: Path, counts: Any) -> None:
    survives(Scene(host, command, tmp_path), phase, random.Random(SEED), counts)


@pytest.mark.slow
@pytest.mark.parametrize("command", [FIT, RUN, SWEPT, BACKTEST, REAL], ids=str)
def test_kills_in_every_phase(command: Command, host: Host, tmp_path: Path, counts: Any) -> None:
    scene, moments = Scene(host, command, tmp_path), random.Random(SEED)
    for phase, number in command.kills.items():
        for _ in range(number):
            survives(scene, phase, moments, counts)


@pytest.mark.slow
def test_workers_end_with_the_process_that_was_killed(tmp_path: Path, host: Host, counts: Any) -> None:
    """They waited for tasks for ever; what they had done is kept, and the rerun does the rest."""
    (tmp_path / "after.toml").write_text(SWEEP.format(last=2027))
    succeeds(host.run(("fit", *SMALL[:-2], "prior", "--quiet"), tmp_path))
    command = [sys.executable, "-m", "forecast", "sweep", "after.toml", "-o", "out", "--executor", "processes:2"]
    killed = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: bool(list(tmp_path.glob("out/parts/*.nc"))) or killed.poll() is not None)
    workers = children(killed.pid)
    killed.kill()
    killed.wait()
    assert workers, "it was over before it was killed"
    until(lambda: not any(alive(pid) for pid in workers))
    succeeds(host.run(SWEPT.after, tmp_path))
    counts.add("kills: sweep on two processes")
    counts.add("kills in all")


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 300.0
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(parent: int) -> list[int]:
    task = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in task.read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
