"""What this installation is made of, and what is wrong with it.

One thing to know: nothing is imported to be looked at. Versions come from the metadata of the installed packages and
bytecode from the file system, so that it takes a second where an import of PyMC takes three; `imported` does import.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from forecast.errors import DataMissingError
from forecast.places import cores, priors_folder, tables_folder

MAIN = ("pymc", "nutpie", "numba", "arviz", "pytensor", "numpy", "scipy", "xarray", "pandas", "matplotlib", "click")
IMPORTED = ("numpy", "scipy.stats", "xarray", "arviz", "pymc", "nutpie")
HEAVY = ("pymc", "pytensor", "arviz", "xarray")  # thousands of files: without bytecode seconds turn into tens of them
EXTRAS = {
    "pdf": ("weasyprint", "the report as PDF"),
    "elicit": ("preliz", "drawing a prior by hand in a notebook"),
    "sensitivity": ("salib", "pairs of inputs in the Sobol indices"),
    "cluster": ("distributed", "work on many machines"),
    "gpu": ("jax", "take-off and projection on a GPU"),
}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ENOUGH_BYTECODE = 0.9
SEVERITIES = ("broken", "look")


class Finding(NamedTuple):
    """Something wrong: "broken" stops the work, "look" makes it slow or odd."""

    severity: str
    finding: str
    remedy: str


def installation() -> dict[str, Any]:
    """What this installation is made of: plain values, nothing judged."""
    return {
        "forecast": version("forecast"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "requirements": requirements("forecast"),
        "versions": {name: version(name) for name in MAIN},
        "threads": threads(),
        "bytecode": bytecode(),
        "caches": caches(),
        "files": shipped_files(),
        "extras": {name: version(package) for name, (package, _) in EXTRAS.items()},
        "chromium": next((name for name in CHROMIUM if shutil.which(name)), None),
        "folders": {"here": writable(Path.cwd()), "temporary": writable(Path(tempfile.gettempdir()))},
    }


def version(package: str) -> str | None:
    """The version of an installed package, None without it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def requirements(package: str) -> dict[str, dict[str, Any]]:
    """What a package needs, extras aside: the range, what is installed, and whether that lies in it."""
    from packaging.requirements import Requirement

    try:
        stated = [Requirement(text) for text in metadata.requires(package) or ()]
    except metadata.PackageNotFoundError:
        return {}
    needed = [one for one in stated if one.marker is None or one.marker.evaluate({"extra": ""})]
    found = {}
    for one in needed:
        installed = version(one.name)
        fits = installed is not None and one.specifier.contains(installed, prereleases=True)
        found[one.name] = {"needed": str(one.specifier), "installed": installed, "fits": fits}
    return found


def threads() -> dict[str, Any]:
    """Cores that this process may use, threads of the linear algebra, and what the environment says of either."""
    import numpy as np  # its BLAS is the one that counts
    import threadpoolctl

    assert np.__name__ == "numpy"
    pools = threadpoolctl.threadpool_info()
    return {
        "cores": cores(),
        "blas": [{"library": pool["internal_api"], "threads": pool["num_threads"]} for pool in pools],
        "environment": {name: os.environ[name] for name in THREADS if name in os.environ},
    }


def bytecode() -> dict[str, Any]:
    """Whether Python may write bytecode, and which share of the files of the heavy packages has it."""
    return {"may_be_written": not sys.dont_write_bytecode, "compiled": {name: compiled_share(name) for name in HEAVY}}


def compiled_share(package: str) -> float | None:
    """Share of a package's own modules with up-to-date names in ``__pycache__``; None where it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    files = list(Path(spec.origin).parent.rglob("*.py"))
    done = sum(Path(importlib.util.cache_from_source(str(file))).exists() for file in files)
    return done / max(len(files), 1)


def caches() -> dict[str, Any]:
    """Whether compiled kernels can be kept from one run to the next, and whether there are any."""
    flags = dict(part.split("=", 1) for part in os.environ.get("PYTENSOR_FLAGS", "").split(",") if "=" in part)
    own = Path(
        flags.get("base_compiledir") or os.path.join(os.path.expanduser("~"), ".pytensor")
    )  # `~` where nobody has one
    return {"writable": writable(own), "kept": own.is_dir() and any(own.iterdir())}


def shipped_files() -> dict[str, Any]:
    """Where priors and tables come from, how many there are, and a digest of each set."""
    try:
        priors = sorted(priors_folder().rglob("*.toml"))
        kind = "wheel" if priors_folder().name == "_priors" else "checkout"
    except DataMissingError:
        priors, kind = [], "missing"
    tables = sorted(path for path in tables_folder().glob("*.*") if path.suffix in (".csv", ".toml"))
    sets = {"priors": (priors, kind), "tables": (tables, "package" if tables else "missing")}
    return {
        name: {"from": where, "files": len(paths), "digest": digest(paths)} for name, (paths, where) in sets.items()
    }


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files, whatever the ends of their lines."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return whole.hexdigest()


def writable(folder: Path) -> bool:
    """Whether a file can be made in a folder, or in the nearest one above it that exists; leaves no trace."""
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError:
        return False
    return True


def imported() -> dict[str, dict[str, Any]]:
    """Seconds that each main library takes to import in a process of its own, or why it does not."""
    found = {}
    for name in IMPORTED:
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True, check=False)
        said = done.stderr.strip().splitlines()
        found[name] = {
            "seconds": round(time.perf_counter() - start, 1),
            "fault": (said[-1] if said else f"exit code {done.returncode}") if done.returncode else None,
        }
    return found


def findings(facts: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with an installation, the worst first."""
    judged: Sequence[Callable[[Mapping[str, Any]], list[Finding]]] = (
        wrong_packages,
        wrong_files,
        wrong_imports,
        wrong_speed,
    )
    found = [one for judge in judged for one in judge(facts)]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def wrong_packages(facts: Mapping[str, Any]) -> list[Finding]:
    """Packages that are missing or of a version that this one does not know."""
    if facts["forecast"] is None:
        return [Finding("broken", "forecast is not installed, only found", "install it: uv sync, or pip install .")]
    found = []
    for name, one in facts["requirements"].items():
        wanted = f"{name}{one['needed']}"
        if one["installed"] is None:
            found.append(Finding("broken", f"{name} is missing", f"install it: uv sync, or pip install '{wanted}'"))
        elif not one["fits"]:
            said = f"{name} {one['installed']} is outside {one['needed']}"
            found.append(Finding("broken", said, f"install a version that fits: uv sync, or pip install '{wanted}'"))
    return found


def wrong_files(facts: Mapping[str, Any]) -> list[Finding]:
    """Files that are missing, and folders that nothing can be written to."""
    found = []
    for name, one in facts["files"].items():
        if one["from"] == "missing":
            found.append(Finding("broken", f"the shipped {name} are missing", "install forecast again"))
    if not facts["folders"]["temporary"]:
        said = "nothing can be written to the folder for temporary files"
        found.append(Finding("broken", said, "free space there, or set TMPDIR to a folder that can be written"))
    if not facts["folders"]["here"]:
        said = "nothing can be written to this folder, where forecast run puts forecast-out"
        found.append(Finding("look", said, "change to another, or give -o DIR"))
    if not facts["caches"]["writable"]:
        said = "compiled kernels cannot be kept: every fit compiles anew, about a minute"
        remedy = "set PYTENSOR_FLAGS=base_compiledir=DIR to a folder that can be written"
        found.append(Finding("look", said, remedy))
    return found


def wrong_imports(facts: Mapping[str, Any]) -> list[Finding]:
    """Libraries that are installed and do not import."""
    failed = {name: one["fault"] for name, one in facts.get("imports", {}).items() if one["fault"]}
    return [
        Finding("broken", f"import {name}: {why}", "install it again: uv sync --reinstall")
        for name, why in failed.items()
    ]


def wrong_speed(facts: Mapping[str, Any]) -> list[Finding]:
    """What makes everything slower than it need be."""
    found = []
    shares = facts["bytecode"]["compiled"]
    slow = [name for name, share in shares.items() if share is not None and share < ENOUGH_BYTECODE]
    if slow and not facts["bytecode"]["may_be_written"]:
        said = f"{', '.join(slow)} have no bytecode and Python may not write any: each start takes tens of seconds"
        remedy = (
            "uv sync --compile-bytecode, or python -m compileall on the environment, or unset PYTHONDONTWRITEBYTECODE"
        )
        found.append(Finding("look", said, remedy))
    for name, text in facts["threads"]["environment"].items():
        if text.isdigit() and int(text) > facts["threads"]["cores"]:
            said = f"{name}={text} on {facts['threads']['cores']} cores: threads wait for each other"
            found.append(Finding("look", said, f"unset {name}, or set it to {facts['threads']['cores']} or less"))
    return found
