"""A dask scheduler with workers on this machine, as processes of their own that a test may kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PATIENCE = 180.0  # seconds, on a slow machine


class Cluster(NamedTuple):
    """Address of the scheduler, its process, and its workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


def waited_for(file: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    """What the scheduler wrote of itself, once it has."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found: dict[str, str] = json.loads(file.read_text())
            return found
        except (OSError, json.JSONDecodeError):
            time.sleep(0.05)
    raise TimeoutError(f"no scheduler: {file.with_suffix('.log').read_text()}")


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A scheduler and workers of one thread, without nannies: who is killed stays dead."""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def started(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", "--host", "127.0.0.1", "--no-dashboard"]
        with (folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen([*command, *arguments], stdout=log, stderr=log, env=environment, cwd=folder)

    file = folder / "scheduler.json"
    scheduler = started("scheduler", "--port", "0", "--scheduler-file", str(file))
    running = [scheduler]
    try:
        address = waited_for(file, scheduler)["address"]
        mine = [started("worker", address, "--no-nanny", "--nthreads", "1") for _ in range(workers)]
        running += mine
        yield Cluster(address, scheduler, mine)
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()
