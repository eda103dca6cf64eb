"""Whole-process times of the main job; run with: uv run pytest -m slow tests/benchmarks -s

"Cold" means: environment synced with bytecode, compile caches (PyTensor's and numba's) and the output folder empty.
"Reused" means: the posterior in the output folder is taken as it is, and everything after it is computed again.
Times are printed, never asserted: machines differ and are noisy.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest


def seconds(*arguments: str, caches: Path) -> float:
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={caches}", "NUMBA_CACHE_DIR": str(caches / "numba")}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "forecast", *arguments], env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


@pytest.mark.slow
def test_print_the_times_of_the_main_job(tmp_path, capsys):
    cold, out = [], tmp_path / "out0"
    for i in range(2):
        out = tmp_path / f"out{i}"
        cold.append(seconds("run", "-o", str(out), "--quiet", caches=tmp_path / f"caches{i}"))
    caches = tmp_path / "caches1"
    compiled = seconds("run", "-o", str(tmp_path / "again"), "--quiet", caches=caches)
    reused = [seconds("run", "-o", str(out), "--quiet", caches=caches) for _ in range(5)]
    help_ = [seconds("--help", caches=caches) for _ in range(5)]
    with capsys.disabled():
        print(
            f"\nforecast run, cold (compile caches and folder empty): median {statistics.median(cold):.1f} s of {cold}"
        )
        print(f"forecast run, compile caches warm, folder empty:      {compiled:.1f} s")
        print(
            f"forecast run, posterior reused:                       median {statistics.median(reused):.1f} s of {reused}"
        )
        print(f"forecast --help:                                      median {statistics.median(help_):.2f} s")
    assert (out / "report.html").is_file()
