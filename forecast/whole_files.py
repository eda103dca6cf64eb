"""Files that are replaced in one step: whoever looks sees the old one or the new one, whatever ends the writing.

Everything that the package writes goes through `replacing`. ``tests/robustness/test_kills.py`` kills it in mid-write.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PREFIX = ".forecast-"  # of what is being written, and of what a killed process leaves
ABANDONED = 600.0  # seconds without a write, after which nobody is writing it any more


@contextmanager
def replacing(target: Path, suffix: str = ".part") -> Iterator[Path]:
    """The path of a new file beside the target, which takes the target's place when the block ends well.

    Its name is new every time: two processes, of two machines perhaps, that write the same target never share it.

    Raises
    ------
    OSError
        If the folder cannot be made or written to, or the target not be replaced. Nothing of it stays.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "answer.txt"
    ...     with replacing(target) as partial:
    ...         written, seen = partial.write_text("42"), target.exists()
    ...     seen, target.read_text(), len(os.listdir(folder))
    (False, '42', 1)
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{PREFIX}{secrets.token_hex(8)}{suffix}")
    partial.touch(exist_ok=False)
    try:
        tidy(target.parent.resolve(), partial.stat().st_mtime)
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def replace_file(target: Path, data: bytes | memoryview) -> Path:
    """Put a file of these bytes in the place of the target.

    Raises
    ------
    OSError
        As `replacing`; also where the disk is full. The target is as it was.
    """
    with replacing(target) as partial:
        write_all(partial, data)
    return target


def write_all(path: Path, data: bytes | memoryview) -> None:
    """Write bytes to a file; after a fault nothing holds on to them, as the traceback of `Path.write_bytes` would."""
    with path.open("wb") as file, memoryview(data) as view:
        file.write(view)


def tidy(folder: Path, now: float) -> None:
    """Remove what killed processes left in a folder; `now` is by the clock of its file system, which may differ."""
    if folder not in tidied():
        tidied().add(folder)
        for left in folder.glob(f"{PREFIX}*"):
            if abs(now - left.stat().st_mtime) > ABANDONED:
                left.unlink(missing_ok=True)


@cache
def tidied() -> set[Path]:
    """Folders that this process has looked through: once is enough, and a folder may hold thousands of files."""
    return set()
