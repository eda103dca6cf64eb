"""uv, and other versions of Python, where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


def uv() -> str | None:
    """The uv that runs these tests (it says so in ``UV``), else the one on the path; None where there is none."""
    return os.environ.get("UV") or shutil.which("uv")


def interpreter(version: str) -> str | None:
    """A Python of that version that starts: on the path, or one of pyenv's, whose shims start none but the chosen."""
    return next((str(path) for path in candidates(version) if starts(path)), None)


def candidates(version: str) -> Iterator[Path]:
    """Where a Python of that version may be, the newest of pyenv's first."""
    name = f"python{version}"
    found = shutil.which(name)
    if found:
        yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{version}*/bin/{name}"), reverse=True)


def starts(path: Path) -> bool:
    """Whether it is a Python that works."""
    done = subprocess.run([path, "-c", "import ssl, ctypes"], capture_output=True, check=False)
    return done.returncode == 0
