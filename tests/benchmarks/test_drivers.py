"""Time of the whole sensitivity analysis on the shipped posterior; run with: uv run pytest -m slow tests/benchmarks -s

One fit (a minute or two), then every piece for both headline answers, medians of three, printed and never asserted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
import xarray as xr

import forecast as fc


def median_seconds(work: Callable[[], Any], times: int = 3) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


@pytest.mark.slow
def test_print_the_times_of_the_sensitivity_analysis(run: xr.DataTree, capsys: pytest.CaptureFixture[str]) -> None:
    pieces: dict[str, Callable[[], Any]] = {
        "Shapley effects, worth, tornado, power-scaling": lambda: fc.sensitivity(run),
        "Sobol indices of the prior, second order of the top 8": lambda: fc.sobol(run),
        "disagreement of two views, by swaps": lambda: fc.disagreement(run, "davidson2023", "software_explosion"),
    }
    seconds = {name: median_seconds(work) for name, work in pieces.items()}
    start = time.perf_counter()
    found = fc.evidence(run)
    refits = time.perf_counter() - start
    with capsys.disabled():
        print("\nSensitivity analysis of both headline answers on the shipped posterior (at most 30 s):")
        for name, value in seconds.items():
            print(f"  {name:<55} {value:6.1f} s")
        print(f"  {'together':<55} {sum(seconds.values()):6.1f} s")
        print(f"  {'which data matter, ' + str(len(found.fits)) + ' refits of one compiled model':<55} {refits:6.1f} s")
    assert set(found.steps["output"]) == set(found.outputs)
