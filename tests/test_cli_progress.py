"""Progress: one line on a terminal's stderr with the time left, and nothing anywhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from forecast.cli.progress import Clock, duration, line, seconds_left, teller
from forecast.compiling import compiled_model
from forecast.fitting import drawn, sampler_settings, told_of_draws

PROGRAM = """
import sys
from forecast.cli.progress import teller
tell = teller({quiet})
tell("compiling the model", 0, 0)
for done in (0, 2_000, 6_000, 8_000):
    tell("sampling", done, 8_000)
print("data")
"""


def on_a_terminal(program: str) -> tuple[str, str]:
    """What a program writes to a pipe as stdout, and to a pseudo-terminal as stderr."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=theirs, text=True) as running:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so that the other end is closed
                break
            if not part:
                break
            said += part
        data = running.stdout.read() if running.stdout else ""
    os.close(ours)
    assert running.returncode == 0, said
    return data, said.decode()


def test_a_terminal_sees_one_line_that_is_rewritten() -> None:
    data, said = on_a_terminal(PROGRAM.format(quiet=False))
    assert data == "data\n"
    steps = said.split("\r\x1b[K")
    assert steps[1:3] == ["compiling the model", "sampling"]
    assert steps[3] == "sampling: 25%"
    assert re.fullmatch(r"sampling: 75%, \d+ s left", steps[4])
    assert re.fullmatch(r"sampling: 100%, took \d+ s\r?\n", steps[5])
    assert said.count("\n") == 1


def test_quiet_silences_a_terminal() -> None:
    assert on_a_terminal(PROGRAM.format(quiet=True)) == ("data\n", "")


def test_nothing_is_printed_where_stderr_is_no_terminal() -> None:
    command = [sys.executable, "-c", PROGRAM.format(quiet=False)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("data\n", "")


def test_time_left_is_that_of_a_steady_pace() -> None:
    """40 of 100 steps since the first call at 10 steps, in 30 s: the other 50 take 37.5 s, whatever came before."""
    clock = Clock(100, began=0.0, first=(100.0, 10))
    assert seconds_left(50, 100, clock, 130.0) == pytest.approx(37.5)
    assert seconds_left(10, 100, clock, 100.0) is None


def test_of_a_few_long_steps_the_first_counts_too() -> None:
    """Three cuts of four in 90 s: half a minute more."""
    clock = Clock(4, began=0.0, first=(30.0, 1))
    assert seconds_left(3, 4, clock, 90.0) == pytest.approx(30.0)
    assert line("back-test", 3, 4, clock, 90.0) == "back-test: 3 of 4, 30 s left"
    assert line("back-test", 4, 4, clock, 121.0) == "back-test: 4 of 4, took 2 min 1 s"


def test_what_nobody_can_count_is_only_named() -> None:
    assert line("compiling the model", 0, 0, Clock(), 9.0) == "compiling the model"
    assert line("fitting", 0, 12, Clock(12), 9.0) == "fitting"


def test_times_are_said_in_two_units_at_most() -> None:
    assert [duration(s) for s in (0.2, 59.4, 59.6, 3599.0, 3600.0, 90_061.0)] == [
        "0 s",
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "25 h 1 min",
    ]


def test_the_next_piece_of_work_starts_a_clock_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    tell = teller(False)
    for seconds, what, done in (
        (0.0, "one", 0),
        (50.0, "one", 4),
        (50.0, "two", 0),
        (60.0, "two", 2),
        (70.0, "two", 4),
    ):
        now[0] = seconds
        tell(what, done, 4)
    said = capsys.readouterr().err
    assert "one: 4 of 4, took 50 s\n" in said
    assert "two: 2 of 4, 10 s left" in said
    assert said.endswith("two: 4 of 4, took 20 s\n")


class Chain:
    """What nutpie says of a chain."""

    def __init__(self, done: int, wanted: int) -> None:
        self.finished_draws, self.total_draws = done, wanted


def test_draws_of_all_chains_are_counted_together() -> None:
    told: list[tuple[str, int, int]] = []
    watch = told_of_draws(lambda *event: told.append(event))
    watch([Chain(100, 2000), Chain(300, 2000)])
    watch([Chain(2000, 2000), Chain(2000, 2000)])  # the end is told by who waited for the draws
    assert told == [("sampling", 400, 4000)]


@pytest.fixture(scope="module")
def compiled() -> Any:
    import pymc as pm

    with pm.Model() as model:
        pm.Normal("x", shape=20)
    return compiled_model(model)


def test_the_sampler_tells_of_its_draws_and_prints_nothing(compiled: Any, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, wanted: int) -> None:
        told.append((what, done, wanted))

    found = drawn(compiled, sampler_settings(draws=6000, tune=500, chains=2, random_seed=1), progress)
    assert found["posterior"].sizes["draw"] == 6000
    assert told[-1] == ("sampling", 13_000, 13_000)
    assert {wanted for _, _, wanted in told} == {13_000}
    counts = [done for _, done, _ in told]
    assert counts == sorted(counts)
    assert capfd.readouterr() == ("", "")


def test_draws_are_the_same_whoever_watches(compiled: Any) -> None:
    settings = sampler_settings(draws=50, tune=100, chains=2, random_seed=3)
    watched, alone = (drawn(compiled, settings, progress)["posterior"]["x"] for progress in (lambda *_: None, False))
    np.testing.assert_array_equal(watched.values, alone.values)
