"""What the machine could do at best: bytes moved and exponentials taken in a second, by one thread.

The compiled take-off takes some 24 exponentials and logarithms for a rate, so that `exp_throughput` over those of a draw
bounds its draws per second from above; what it moves through memory is far from `memory_bandwidth`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from forecast.dynamics import elementary

MEGABYTES = 256  # beyond any cache
FEW = 4096  # values that stay in the nearest cache
TIMES = 200
REPEATS = 15


def fastest(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Seconds of the fastest of several runs, after one that compiles: what others do on the machine only slows."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def memory_bandwidth() -> float:
    """Bytes a second that a copy between arrays beyond any cache reads and writes."""
    source = np.ones(MEGABYTES * 2**20 // 8)
    target = np.empty_like(source)
    return 2.0 * source.nbytes / fastest(lambda: np.copyto(target, source))


def exp_throughput() -> float:
    """Exponentials a second of `forecast.dynamics.elementary`, in a compiled loop over values in the nearest cache."""
    return throughput(elementary.exp)


def log_throughput() -> float:
    """Logarithms a second, likewise."""
    return throughput(elementary.log)


def numpy_exp_throughput() -> float:
    """Exponentials a second of NumPy, likewise."""
    x = values()
    out = np.empty_like(x)

    def work() -> None:
        for _ in range(TIMES):
            np.exp(x, out=out)

    return TIMES * FEW / fastest(work)


def values() -> Any:
    """Numbers that are fit for both functions."""
    return np.linspace(0.1, 20.0, FEW)


def throughput(function: Callable[[float], float]) -> float:
    """Values a second of a function of `elementary`."""

    @njit(nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
    def loop(x: Any, out: Any, times: int) -> None:
        for _ in range(times):
            for i in range(x.size):
                out[i] = function(x[i])

    x = values()
    out = np.empty_like(x)
    return TIMES * FEW / fastest(lambda: loop(x, out, TIMES))
