"""A command in a process of its own that Ctrl-C reaches: a job in the background of a shell would ignore it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
FORECAST = "import sys; from forecast.cli import main; main(sys.argv[1:])"


@contextmanager
def interruptible(*arguments: str, program: str = FORECAST, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """A Python program, by default the command `forecast`, with arguments; its end whatever becomes of the test."""
    with subprocess.Popen([sys.executable, "-c", HEARS + program, *arguments], text=True, **streams) as process:
        try:
            yield process
        finally:
            process.kill()
