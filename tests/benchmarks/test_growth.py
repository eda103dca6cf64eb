"""How time and memory grow: slopes of their logarithms against draws, years, inputs and scenarios; 1 is linear."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
import xarray as xr

import forecast as fc
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors

pytestmark = pytest.mark.slow
SCENARIOS = ("baseline", "software_only", "no_slowdown", "hardware_leap")
MANY, FEW = 20_000, range(2027, 2047)


def first(count: int) -> range:
    """So many years."""
    return range(2027, 2027 + count)


def grown(sizes: Mapping[int, Callable[[], Any]]) -> str:
    """Slopes of time and of peak memory between the sizes, the best of two rounds each."""
    seconds, peaks = [], []
    for work in sizes.values():
        work()
        taken = []
        for _ in range(2):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        tracemalloc.start()
        work()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        seconds.append(min(taken))
    slopes = [np.polyfit(np.log(list(sizes)), np.log(values), 1)[0] for values in (seconds, peaks)]
    ends = f"{seconds[0]:.2g} to {seconds[-1]:.2g} s, {peaks[0] / 1e6:.0f} to {peaks[-1] / 1e6:.0f} MB"
    return f"time ^{slopes[0]:.2f}, memory ^{slopes[1]:.2f} ({min(sizes):,} to {max(sizes):,}: {ends})"


@pytest.fixture(scope="module")
def draws_of(priors: Priors, observations: Observations) -> Callable[[int], xr.DataTree]:
    whole = sample_prior(priors, observations, draws=100_000, chains=1)
    return lambda size: whole.isel(draw=slice(size))


def test_print_how_time_and_memory_grow(
    also: Callable[[str], None], draws_of: Callable[[int], xr.DataTree], priors: Priors
) -> None:
    sizes = (10_000, 30_000, 100_000)
    runs = {size: draws_of(size) for size in sizes}
    some = draws_of(MANY)

    def takeoff(run: xr.DataTree, scenario: str | tuple[str, ...], years: range = FEW) -> Callable[[], Any]:
        return partial(fc.takeoff, run, scenario, years, engine="compiled")

    courses: dict[str, Mapping[int, Callable[[], Any]]] = {
        "take-off against draws": {n: takeoff(runs[n], "baseline") for n in sizes},
        "projection against draws": {n: partial(fc.project, runs[n], years=FEW) for n in sizes},
        "quantiles in constant memory against draws": {
            n: partial(fc.quantiles_of, priors, "project", n, years=FEW) for n in (500_000, 1_000_000, 2_000_000)
        },
        "projection against years": {n: partial(fc.project, some, years=first(n)) for n in (5, 10, 20, 40)},
        "take-off against years": {n: takeoff(some, "baseline", first(n)) for n in (5, 10, 20, 40)},
        "take-off against scenarios": {n: takeoff(some, SCENARIOS[:n]) for n in (1, 2, 3, 4)},
        "Sobol against inputs": {n: partial(fc.sobol, some, inputs=n, second=0, points=256) for n in (8, 16, 32)},
    }
    for name, course in courses.items():
        also(f"Growth of {name}: {grown(course)}.")
