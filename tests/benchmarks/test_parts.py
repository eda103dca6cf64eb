"""The parts, in one process: medians of several, ratios within one run, and the share of what the machine could do."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import forecast as fc
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.schema import BLOCKS

pytestmark = pytest.mark.slow
Measured = Callable[..., None]
DRAWS = 50_000
YEARS = tuple(range(2027, 2047))
HEADLINE = ("log10_parallel_streams", "log10_human_equivalents")
MEMORY = """
import resource, sys
import forecast as fc
fc.quantiles_of(fc.load_priors(), "takeoff", float(sys.argv[1]), years=range(2027, 2047))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


@pytest.fixture(scope="module")
def many(priors: Priors, observations: Observations) -> xr.DataTree:
    return sample_prior(priors, observations, draws=DRAWS // 2, chains=2)


def median(benchmark: Any, work: Callable[[], Any], rounds: int = 3) -> float:
    """Seconds, after one round that compiles."""
    benchmark.pedantic(work, rounds=rounds, warmup_rounds=1)
    return float(benchmark.stats.stats.median)


def test_projection(benchmark: Any, measured: Measured, also: Callable[[str], None], many: xr.DataTree) -> None:
    work = partial(fc.project, many, years=YEARS, var_names=HEADLINE, engine="compiled")
    seconds = median(benchmark, work)
    start = time.perf_counter()
    fc.project(many, years=YEARS, engine="numpy")
    whole = DRAWS * len(YEARS) / (time.perf_counter() - start)
    measured(
        "projection", DRAWS * len(YEARS) / seconds, f"the two headline series, compiled; all 22 in NumPy {whole:.1e}"
    )


def test_takeoff(benchmark: Any, measured: Measured, also: Callable[[str], None], many: xr.DataTree) -> None:
    seconds = median(benchmark, lambda: fc.takeoff(many, "baseline", years=YEARS, engine="compiled"))
    few = many.isel(draw=slice(2000))
    start = time.perf_counter()
    fc.takeoff(few, "baseline", years=YEARS, engine="numpy")
    twin = (time.perf_counter() - start) / 4000
    measured("takeoff", DRAWS / seconds, f"{DRAWS:,} draws, {twin * DRAWS / seconds:.1f} times NumPy's; median of 3")


def test_memory_of_the_takeoff(measured: Measured) -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY, "1e6"], check=True, capture_output=True, text=True)
    measured("takeoff_memory", float(done.stdout), "peak of the whole process, Python and libraries included")


def test_what_drives_the_answer(benchmark: Any, measured: Measured, run: xr.DataTree) -> None:
    seconds = median(benchmark, lambda: fc.sensitivity(run))
    measured("shapley", seconds, "with tornado and power-scaling; median of 3")
    start = time.perf_counter()
    fc.sobol(run)
    indexed = time.perf_counter() - start
    start = time.perf_counter()
    fc.disagreement(run, "davidson2023", "software_explosion")
    measured(
        "sensitivity", seconds + indexed + time.perf_counter() - start, "Shapley, Sobol, disagreement of two views"
    )


def test_sobol(benchmark: Any, measured: Measured, run: xr.DataTree) -> None:
    seconds = median(benchmark, lambda: fc.sobol(run, inputs=30, second=0, points=2**13), rounds=1)
    measured("sobol", seconds, "first and total order of both headlines")


def test_calibration(measured: Measured) -> None:
    start = time.perf_counter()
    found = fc.sbc(blocks="depth_scaling", replicates=200)
    measured("sbc", time.perf_counter() - start, f"{BLOCKS[0]}, compiling included")
    assert found.ranked.sizes["replicate"] + len(found.failed) == 200


def test_a_large_run_file(benchmark: Any, measured: Measured, prior_run: xr.DataTree, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data: Mapping[str, Any] = {f"x{i}": (("chain", "draw"), rng.normal(size=(4, 250_000))) for i in range(30)}
    tree = xr.DataTree.from_dict({"prior": xr.Dataset(), "posterior": xr.Dataset(data), "constant_data": xr.Dataset()})
    tree.attrs = prior_run.attrs
    seconds = median(benchmark, lambda: fc.save_run(tree, tmp_path / "run.nc"))
    size = (tmp_path / "run.nc").stat().st_size
    measured("run_file", seconds, f"{size / 1e6:.0f} MB, {size / seconds / 1e9:.1f} GB/s; median of 3")


def test_an_answer_of_the_page(benchmark: Any, measured: Measured, run: xr.DataTree) -> None:
    from forecast.explorer.answers import answer
    from forecast.explorer.conditioned import explorer, warm
    from forecast.explorer.states import State

    page = explorer(run, engine="compiled")
    warm(page, "trend")
    values = iter(np.linspace(0.1, 0.2, 100))

    def work() -> None:
        answer(page, State(fixed=(("depth_exponent", float(next(values))),)))

    measured("page", median(benchmark, work, rounds=9), "median of 9")


def test_what_the_machine_could_do(also: Callable[[str], None]) -> None:
    from benchmarks.limits import exp_throughput, memory_bandwidth

    also(f"Machine: memory {memory_bandwidth() / 1e9:.1f} GB/s, exp {exp_throughput() / 1e6:.0f} million a second.")


def test_peak_memory_of_this_process(also: Callable[[str], None]) -> None:
    also(f"Peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB.")
