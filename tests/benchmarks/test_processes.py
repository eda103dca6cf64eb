"""Whole processes: the main job cold, warm, reused and with the shipped posterior; help and import.

"Cold": environment synced with bytecode, compile caches (PyTensor's, numba's, our own) and the output folder empty.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TO_THE_FIRST_DRAW = """
import sys, os
import forecast as fc
from forecast.compiling import compiled_model, digests_of
from forecast.fitting import drawn
from forecast.model import build_model
from forecast.schema import BLOCKS
priors, observations = fc.load_priors(), fc.load_observations()
compiled = compiled_model(build_model(priors, observations), digests_of(priors, observations, BLOCKS))
drawn(compiled, {"draws": 1, "tune": 1, "chains": 1, "random_seed": 1})
"""


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile caches of this module's own; full after the first fit."""
    return tmp_path_factory.mktemp("caches")


def seconds(caches: Path, *arguments: str) -> float:
    """Wall clock of ``python ARGUMENTS``."""
    return timed(caches, *arguments)[1]


def timed(caches: Path, *arguments: str) -> tuple[float, float]:
    """Wall clock until the first line is printed, and until the end."""
    own = {"PYTENSOR_FLAGS": f"base_compiledir={caches}", "NUMBA_CACHE_DIR": str(caches / "numba")}
    environment = os.environ | own | {"XDG_CACHE_HOME": str(caches / "own")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # bytecode of our own sources too, as on most machines
    start = time.perf_counter()
    command, quiet = [sys.executable, *arguments], subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=quiet) as process:
        assert process.stdout is not None
        process.stdout.readline()
        shown = time.perf_counter() - start
        process.stdout.read()
    assert process.returncode == 0, command
    return shown, time.perf_counter() - start


def main_job(folder: Path, *more: str) -> tuple[str, ...]:
    return ("-m", "forecast", "run", "-o", str(folder), "--quiet", *more)


def test_the_main_job(measured: Callable[..., None], caches: Path, tmp_path: Path) -> None:
    empty = [tmp_path / f"empty{i}" for i in range(2)]
    cold = [seconds(folder, *main_job(tmp_path / f"cold{i}")) for i, folder in enumerate(empty)]
    measured("main_job_cold", statistics.median(cold), "median of 2; takes the shipped posterior")
    measured(
        "main_job_refit_cold",
        seconds(caches, *main_job(tmp_path / "refit", "--refit")),
        "once; DESIGN's 90 s are asked of `forecast run`, the row above",
    )
    measured("main_job_refit_warm", seconds(caches, *main_job(tmp_path / "refit", "--refit")), "once")
    shipped = [timed(caches, *main_job(tmp_path / f"out{i}")) for i in range(3)]
    shown, whole = (statistics.median(taken) for taken in zip(*shipped, strict=True))
    measured("main_job_shipped", shown, f"median of 3; its files are written after {whole:.1f} s")
    reused = [seconds(caches, *main_job(tmp_path / "out0")) for _ in range(3)]
    measured("main_job_reused", statistics.median(reused), "median of 3")
    assert (tmp_path / "out0" / "report.html").is_file()


def test_a_second_process_starts_to_sample(measured: Callable[..., None], caches: Path) -> None:
    seconds(caches, "-c", TO_THE_FIRST_DRAW)  # fills the caches
    measured(
        "sampling_starts", statistics.median(seconds(caches, "-c", TO_THE_FIRST_DRAW) for _ in range(3)), "median of 3"
    )


def test_how_fast_python_itself_is_here(caches: Path, also: Callable[..., None]) -> None:
    loop = "s = 0\nfor i in range(10_000_000):\n    s += i"
    taken = statistics.median(seconds(caches, "-c", loop) for _ in range(3))
    also(f"Python: ten million additions in {taken:.2f} s (0.4 s on a fast core: times above scale with it).")


def test_help_and_import(measured: Callable[..., None], caches: Path) -> None:
    empty = statistics.median(seconds(caches, "-c", "pass") for _ in range(9))
    measured("help", statistics.median(seconds(caches, "-m", "forecast", "--help") for _ in range(9)), "median of 9")
    imported = statistics.median(seconds(caches, "-c", "import forecast") for _ in range(9))
    measured("import", imported - empty, f"median of 9, less {empty:.2f} s of Python itself")
