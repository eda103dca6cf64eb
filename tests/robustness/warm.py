"""A process that has imported everything and forks a copy of itself for each command: a kill costs a second, not five.

Run as a script by `robustness.hosts.Host`, which sends requests, a line of JSON each, and reads answers likewise. A
copy announces on a pipe which phase it is in and every step of a write (a "tick"). It can be told to stop itself at a
tick, so that the SIGKILL that follows lands in the middle of a write with certainty.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

PIECES = 8  # of a file, each written and then announced
TIMEOUT = 900.0  # seconds that any command may take on a slow machine
FUNCTIONS = {  # phase -> functions that are that phase while they run
    "reading": [
        "forecast.mainjob.prepared",
        "forecast.sweeps.plans.read_plan",
        "forecast.evaluation.backtest.known_at",
    ],
    "drawing": ["forecast.fitting.sample_prior", "forecast.shipped.shipped_run"],
    "computing": [
        "forecast.reporting.forecasts.forecasts",
        "forecast.mainjob.composed",
        "forecast.sweeps.cases.answered",
        "forecast.evaluation.backtest.scored_rows",
    ],
    "compiling": ["forecast.fitting.compiled_model"],
    "sampling": ["forecast.fitting.drawn"],
}
REMEMBERED = (  # what `remember` computes once, for copies to return at once
    "forecast.reporting.forecasts.forecasts",
    "forecast.mainjob.composed",
    "forecast.sweeps.cases.answered",
    "forecast.evaluation.backtest.scored_cut",
    "forecast.fitting.compiled_model",
)
KNOWN: dict[tuple[str, str, str], Any] = {}  # (command, function, label of the task) -> what it returned


def function(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    __import__(module)
    found: Callable[..., Any] = getattr(sys.modules[module], name)
    return found


def replace_everywhere(old: Any, new: Any) -> None:
    """A function by another, in every module of the package that holds it by name."""
    new.instead_of = old
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "forecast":
            for key, value in list(vars(module).items()):
                if value is old:
                    setattr(module, key, new)


def restore_everything() -> None:
    """Undo `replace_everywhere`, in modules that were imported since, too."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "forecast":
            for key, value in list(vars(module).items()):
                while hasattr(value, "instead_of"):
                    value = value.instead_of
                    setattr(module, key, value)


class Announcer:
    """Tells a pipe of phases and ticks, and stops this process at one of them."""

    def __init__(self, pipe: int, stop: list[Any] | None):
        self.pipe, self.stop, self.phases, self.ticks = pipe, stop, ["starting"], 0
        self.times = Counter[str]()  # that a phase was entered

    def say(self, kind: str, what: str) -> None:
        os.write(self.pipe, f"{kind} {what}\n".encode())

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        before, self.ticks = self.ticks, 0
        self.phases.append(name)
        self.times[name] += 1
        self.say("phase", name)
        try:
            yield
        finally:
            self.phases.pop()
            self.ticks = before
            self.say("back", self.phases[-1] if len(self.phases) > 1 else "between")

    def tick(self) -> None:
        self.ticks += 1
        self.say("tick", self.phases[-1])
        if [self.phases[-1], self.times[self.phases[-1]], self.ticks] == self.stop:
            os.kill(os.getpid(), signal.SIGSTOP)


def announced(announcer: Announcer, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with announcer.phase(name):
            return work(*args, **kwargs)

    return wrapped


def called(target: Path) -> str:
    """A file as phases name it: the parts of a sweep have names that differ from case to case."""
    return "a part" if target.parent.name == "parts" else target.name


def instrument(announcer: Announcer) -> None:
    """Wrap what is a phase, and every way in which this package puts bytes on a disk."""
    from forecast import whole_files

    for name, paths in FUNCTIONS.items():
        for path in paths:
            work = function(path)
            replace_everywhere(work, announced(announcer, name, work))
    replacing, rename = whole_files.replacing, os.replace

    @contextmanager
    def told(target: Path, *args: Any, **kwargs: Any) -> Iterator[Path]:
        with announcer.phase(f"writing {called(target)}"), replacing(target, *args, **kwargs) as path:
            yield path
            announcer.tick()  # all is written, nothing is in its place

    def in_pieces(self: Path, data: bytes) -> int:
        with self.open("wb", buffering=0) as file:
            for piece in range(PIECES):
                file.write(data[len(data) * piece // PIECES : len(data) * (piece + 1) // PIECES])
                announcer.tick()
        return len(data)

    def text_in_pieces(self: Path, data: str, encoding: str | None = None, **_: Any) -> int:
        return in_pieces(self, data.encode(encoding or "utf-8"))

    def placed(old: Any, new: Any) -> None:
        with announcer.phase(f"placing {called(Path(new))}"):
            announcer.tick()
            rename(old, new)
            announcer.tick()

    replace_everywhere(replacing, told)
    replace_everywhere(whole_files.write_all, in_pieces)
    Path.write_text = text_in_pieces  # type: ignore[method-assign, assignment]
    os.replace = placed  # type: ignore[assignment]


def stub_fits() -> None:
    """Fits that return draws of the prior, with a gate that passed."""
    import forecast.evaluation.backtest
    import forecast.fitting
    from forecast.runs import provenance, with_provenance

    gate = {"passed": True, "failures": [], "divergences": 0, "max_rhat": 1.0, "min_ess_bulk": 900.0}
    gate |= {"min_ess_tail": 900.0, "worst": {"rhat": "returns", "bulk": "returns", "tail": "returns"}}

    def stub(priors: Any, observations: Any, settings: Mapping[str, int] | None = None, *_: Any, **given: Any) -> Any:
        chosen = dict(settings or {name: given[name] for name in ("draws", "tune", "chains", "random_seed")})
        drawn = {name: chosen[name] for name in ("draws", "chains", "random_seed")}
        run = forecast.fitting.sample_prior(priors, observations, **drawn)
        return with_provenance(run, provenance(priors, observations, chosen, "posterior") | {"gate": gate})

    for work in (forecast.fitting.fit, forecast.fitting.posterior_run):
        replace_everywhere(work, partial(stub))


def remembering(command: str) -> None:
    """Note what the costly functions return, and return it where it is known."""

    def remembered(path: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            key = (command, path, str(getattr(args[-1], "label", "")))
            if key not in KNOWN:
                KNOWN[key] = work(*args, **kwargs)
            return KNOWN[key]

        return wrapped

    for path in REMEMBERED:
        work = function(path)
        replace_everywhere(work, remembered(path, work))


def run_command(argv: list[str]) -> int:
    from forecast.cli import main

    try:
        main.main(argv, prog_name="forecast")
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else 1
    return 0


def remember(request: dict[str, Any]) -> dict[str, Any]:
    """Run a command here, so that copies find the results of what takes long, and the modules that it loaded."""
    before = os.getcwd()
    os.chdir(request["cwd"])
    try:
        if request.get("stub"):
            stub_fits()
        remembering(" ".join(request["argv"]))
        return {"status": run_command(request["argv"])}
    finally:
        os.chdir(before)
        restore_everything()


def limited(request: dict[str, Any]) -> None:
    """What surrounds a copy: its environment, the largest file it may write, the clock it sees."""
    for key, value in request.get("env", {}).items():
        os.environ.pop(key, None) if value is None else os.environ.__setitem__(key, value)
    if "largest_file" in request:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"], resource.RLIM_INFINITY))
    if "clock" in request:
        jumping_clock(request["clock"])


def jumping_clock(jumps: list[float]) -> None:
    """Every look at the clock finds it moved by the next of some jumps, seconds."""
    import itertools

    moved = itertools.cycle(jumps)
    for name in ("time", "monotonic", "perf_counter"):
        true = getattr(time, name)
        setattr(time, name, lambda true=true: true() + next(moved))


def child(request: dict[str, Any], pipe: int) -> None:
    """A copy's whole life; it never returns."""
    code = 70
    try:
        from forecast.whole_files import tidied

        os.chdir(request["cwd"])
        for number, name, flags in ((1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY)):
            file = os.open(request[name], flags | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        sys.stdout = open(1, "w", encoding=request.get("encoding", "utf-8"), closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        tidied().clear()  # what a new process would know
        if request.get("stub"):
            stub_fits()
        if request.get("remembered"):
            remembering(" ".join(request["argv"]))
        instrument(Announcer(pipe, request.get("stop")))
        limited(request)
        code = run_command(request["argv"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Watched:
    """A copy that is under way: what it announced, and how it ended."""

    def __init__(self, request: dict[str, Any]):
        self.request, self.pending, self.phase = request, b"", "starting"
        self.timeline: list[list[Any]] = [["starting", 0.0, 0, True]]  # phase, seconds, ticks, entered or back in it
        self.began, self.killed = time.perf_counter(), False
        self.pipe, end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            child(request, end)
        os.close(end)

    def heard(self) -> bool:
        """Read what has been announced; whether the pipe is open still."""
        text = os.read(self.pipe, 65536)
        *lines, self.pending = (self.pending + text).split(b"\n")
        for line in lines:
            kind, _, name = line.decode().partition(" ")
            if kind in ("phase", "back"):
                self.timeline[-1][1] = time.perf_counter() - self.began - sum(one[1] for one in self.timeline[:-1])
                self.timeline.append([name, 0.0, 0, kind == "phase"])
                self.phase = name
            else:
                self.timeline[-1][2] += 1
        return bool(text)

    def followed(self) -> dict[str, Any]:
        """Wait for its end, or stop, or kill it when the time has come."""
        kill = self.request.get("kill")
        due: float | None = None
        limit = time.perf_counter() + TIMEOUT
        while True:
            if kill and due is None and self.phase == kill[0]:
                due = time.perf_counter() + kill[1]
            wait = 0.05 if due is None else max(0.0, min(0.05, due - time.perf_counter()))
            if select.select([self.pipe], [], [], wait)[0]:
                self.heard()
            now = time.perf_counter()
            if (due is not None and now >= due) or now > limit:
                os.kill(self.pid, signal.SIGKILL)
                due, limit = None, float("inf")
                kill = None
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                continue
            while select.select([self.pipe], [], [], 0)[0] and self.heard():
                pass
            if not os.WIFSTOPPED(status):
                os.close(self.pipe)
                return self.answer(os.waitstatus_to_exitcode(status))
            if self.request.get("hold"):
                self.request |= {"hold": False}
                return self.answer(None)
            os.kill(self.pid, signal.SIGKILL)

    def answer(self, status: int | None) -> dict[str, Any]:
        said = {name: Path(self.request[name]).read_text(errors="replace") for name in ("stdout", "stderr")}
        return {"pid": self.pid, "status": status, "phase": self.phase, "timeline": self.timeline} | said


def resumed(watched: Watched) -> dict[str, Any]:
    os.kill(watched.pid, signal.SIGCONT)
    return watched.followed()


def main() -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    for path in (*REMEMBERED, *(path for paths in FUNCTIONS.values() for path in paths), "forecast.cli.main"):
        function(path)

    held: dict[int, Watched] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("remember"):
            answer = remember(request)
        elif "resume" in request:
            answer = resumed(held.pop(request["resume"]))
        else:
            watched = Watched(request)
            answer = watched.followed()
            if answer["status"] is None:
                held[watched.pid] = watched
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
