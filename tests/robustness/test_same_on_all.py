"""The same numbers, whatever the number of threads: of our own loops, of Numba and of the linear algebra.

``tests/test_same_numbers.py`` does the same for executors, ``test_second_python.py`` for two versions of Python.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from threadpoolctl import threadpool_limits

import forecast as fc
from forecast import projection, results
from forecast.drivers import sobol as sobol_module
from forecast.dynamics import flow
from forecast.priors import Priors

CLOSE = 1e-12
YEARS = range(2027, 2037)
BLOCK = 100  # draws at once, so that 300 draws are work for more than one thread


class Pools(ThreadPoolExecutor):
    """Pools of threads that say how many they were asked for."""

    sizes: list[int | None] = []  # noqa: RUF012  # the test reads it of the class

    def __init__(self, workers: int | None = None, *others: Any, **named: Any) -> None:
        self.sizes.append(workers)
        super().__init__(workers, *others, **named)


@contextmanager
def threads(count: int) -> Iterator[list[int | None]]:
    """A machine that lends us so many processors; what pools were made is told."""
    Pools.sizes = []
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(count):
        patch.setattr(os, "sched_getaffinity", lambda _pid: set(range(count)), raising=False)
        patch.setattr(os, "cpu_count", lambda: count)
        patch.setattr(results, "ThreadPoolExecutor", Pools)
        patch.setattr(flow, "COMPILED_BLOCK", BLOCK)
        patch.setattr(projection, "LARGE_BLOCK", BLOCK)
        patch.setattr(results, "BLOCK", BLOCK)
        patch.setattr(sobol_module, "BLOCK", 2 * BLOCK)
        yield Pools.sizes


def same(one: xr.Dataset, other: xr.Dataset) -> None:
    """Both hold the same, to 1e-12; censored (+inf) and undefined (NaN) draws are the same draws."""
    assert set(one.data_vars) == set(other.data_vars) and one.data_vars
    for name, values in one.data_vars.items():
        np.testing.assert_allclose(values, other[name], rtol=CLOSE, atol=CLOSE, equal_nan=True, err_msg=str(name))


def on_one_and_two(work: Callable[[], Any]) -> tuple[Any, Any]:
    """What the work gives on one thread and on two; none was made where one was lent."""
    with threads(1) as made:
        one = work()
    assert set(made) <= {1}
    with threads(2):
        return one, work()


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_the_projection(prior_run: xr.DataTree, engine: Any) -> None:
    same(*on_one_and_two(lambda: fc.project(prior_run, years=YEARS, engine=engine)))


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_the_takeoff(prior_run: xr.DataTree, engine: Any) -> None:
    def work() -> xr.Dataset:
        return fc.takeoff(prior_run, scenario="baseline", years=YEARS, engine=engine)

    same(*on_one_and_two(work))
    with threads(2) as made:
        work()
    assert made == ([2] if engine == "compiled" else [])  # two threads were at it


@pytest.mark.parametrize("output", ["project", "takeoff"])
def test_quantiles_of_many_draws(priors: Priors, output: Any) -> None:
    def work(executor: str | None) -> xr.Dataset:
        engine = {"project": "numpy", "takeoff": "compiled"}[output]
        settings: dict[str, Any] = {"draws": 600, "chunk": 200, "years": YEARS, "random_seed": 3, "engine": engine}
        return fc.quantiles_of(priors, output, **settings, executor=executor)

    with threads(1):
        one = work(None)
    with threads(2):
        same(one, work(None))
        same(one, work("threads:2"))


@pytest.mark.slow
def test_sobol_indices(prior_run: xr.DataTree) -> None:
    def work(executor: str | None) -> dict[str, pd.DataFrame]:
        outputs = ["log10_parallel_streams@2031"]
        return fc.sobol(prior_run, outputs, years=range(2027, 2032), points=64, second=0, executor=executor)._asdict()

    with threads(1):
        one = work(None)
    with threads(2):
        two, shared = work(None), work("threads:2")
    for name, table in one.items():
        for other in (two, shared):
            pd.testing.assert_frame_equal(table, other[name], rtol=CLOSE, atol=CLOSE, obj=name)


@pytest.mark.slow
def test_what_drives_the_answer(prior_run: xr.DataTree) -> None:
    """Shapley effects are linear algebra, whose sums would differ in the last bits on two threads."""

    def work() -> dict[str, pd.DataFrame]:
        return fc.sensitivity(prior_run, outputs=["log10_parallel_streams@2031"], top=2, orders=4).tables()

    one, two = on_one_and_two(work)
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, two[name], rtol=CLOSE, atol=CLOSE, obj=name)
