"""Where the files that come with the package are, and what they digest to; the cores that there are.

Nothing heavy is imported, for shell completion and `forecast doctor`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from functools import cache
from pathlib import Path

from forecast.errors import DataMissingError

KINDS = ("py", "toml", "csv", "json", "j2", "css", "js", "svg")  # of files that what is shown comes from


def priors_folder() -> Path:
    """Where the prior files are: ``forecast/_priors`` in a wheel, ``priors`` beside the package in a checkout.

    >>> (priors_folder() / "baseline" / "compute.toml").is_file()
    True
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_priors", package.parent / "priors"):
        if (folder / "baseline").is_dir():
            return folder
    raise DataMissingError("the prior files are missing from this installation of forecast: install it again")


def tables_folder() -> Path:
    """Where the tables are, one CSV file each, with ``settings.toml``.

    >>> (tables_folder() / "training_runs.csv").is_file()
    True
    """
    return Path(__file__).resolve().parent / "tables"


@cache
def sources_digest(*among: str) -> str:
    """SHA-256 of what comes with the package: sources, tables, templates and priors, or the files that patterns match.

    >>> sources_digest() == sources_digest("equations/*.py")
    False
    """
    package, priors = Path(__file__).resolve().parent, priors_folder()
    patterns = among or [f"**/*.{kind}" for kind in KINDS]
    files = {str(file.relative_to(package)): file for pattern in patterns for file in package.glob(pattern)}
    own = {name: file for name, file in files.items() if priors not in file.parents}
    if not among:  # beside the package in a checkout, within it in a wheel
        own |= {f"priors/{file.relative_to(priors)}": file for file in priors.rglob("*.toml")}
    content = [f"{name}\n".encode() + own[name].read_bytes() for name in sorted(own)]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def cores() -> int:
    """Cores that this process may use.

    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cache_folder() -> Path:
    """Where machine code is kept: the user's own numba cache if one is set, else the user's cache."""
    chosen = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    return (Path(chosen) if chosen else Path.home() / ".cache") / "forecast"


def private(folder: Path) -> Path:
    """A folder that nobody else can write to, made if it is missing: what is in it is run.

    Raises
    ------
    OSError
        If it is another user's, a link, or cannot be made so.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        found = folder.lstat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
            raise PermissionError(f"{folder} belongs to another user")
        if found.st_mode & 0o077:
            folder.chmod(0o700)
    return folder
