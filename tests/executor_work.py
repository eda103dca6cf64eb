"""Work that other processes can import, for the tests of executors."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def squared(value: int) -> int:
    return value * value


def scaled(factor: int, value: int) -> int:
    return factor * value


def failing(value: int) -> int:
    if value == 3:
        raise ValueError("three is not welcome")
    return value


def threads(_: int) -> set[int]:
    """Threads of each linear algebra library of the process that does this."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpool_info()}


def dying_once(task: tuple[str, int]) -> int:
    """Squares a number; the first time that anyone does so for a task with a file's path, the process is killed."""
    path, value = task
    if path and not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value * value


def dying(value: int) -> int:
    """Squares numbers; 5 kills the process, always."""
    if value == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return value * value


def slow_identity(task: tuple[str, int]) -> tuple[int, int]:
    """The number and the process that had it, after its file says that it began and while another file does not end it."""
    folder, value = task
    Path(folder, f"began-{value}-{os.getpid()}").touch()
    deadline = time.monotonic() + 120
    while not Path(folder, "go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return value, os.getpid()
