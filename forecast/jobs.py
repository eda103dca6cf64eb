"""What a main job is made of, and whether it was done before: the posterior, or everything it would write.

One thing to know: nothing is taken that a rerun would not make again, to the byte. ``tests/test_cli.py`` pins it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from forecast.errors import ForecastError
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.reporting.answers import answers_key
from forecast.run_files import check_file
from forecast.runs import PRINTED, fit_digest, load_draws, own_attributes, read_provenance, version_of

FILES = ("run.nc", "summary.csv", "report.html")
GATE_MARK = "convergence gate failed"
WRITERS = ("numpy", "scipy", "pandas", "xarray", "matplotlib", "jinja2")  # whose next version may write other bytes


@dataclass(frozen=True)
class Job:
    """Everything a run is made of, read and checked."""

    priors: Priors
    observations: Observations
    settings: dict[str, int]
    scenarios: tuple[str, ...]
    years: list[int]
    folder: Path
    prior_only: bool
    command: str


def kept(file: Path, digest: str) -> xr.DataTree | None:
    """The draws of a fitted run file with that digest, without the rest, which takes seconds to read; else None."""
    try:
        found = load_draws(file)
    except ForecastError:  # no file, cut short, or not ours
        return None
    return found if is_fit_of(found, digest) else None


def is_fit_of(run: xr.DataTree, digest: str) -> bool:
    """Whether a run is a fit with that digest of priors, tables, settings and schema."""
    record = read_provenance(run)
    return record.get("kind") == "posterior" and record.get("digests", {}).get("fit") == digest


def holds(file: Path, job: Job) -> bool:
    """Whether a run file that was reused has the forecasts of this job already."""
    import h5py

    with h5py.File(file) as content:
        record = json.loads(content.attrs["forecast"])
        forecasts = set(content.get("forecast", ()))  # none in a file that `forecast fit` wrote
    asked = (record.get("scenarios"), record.get("years")) == (list(job.scenarios), job.years)
    return asked and forecasts == set(job.scenarios)


def printed_record(run: xr.DataTree, job: Job, marks: Sequence[str], texts: Mapping[str, str], said: str) -> str:
    """What `as_before` needs to know of a job that is done."""
    return json.dumps(
        {
            "key": printed_key(run, job),
            "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
            "said": said,
            "gate_failed": GATE_MARK in marks,
        },
        sort_keys=True,
    )


def printed_key(run: xr.DataTree, job: Job) -> str:
    """SHA-256 of what a job's files depend on: the run, the request, the package, and the libraries that write them."""
    asked = [job.command, list(job.priors.overlays), job.observations.origin]
    drawn_by = [version_of(name) for name in WRITERS]
    content = [answers_key(run, job.scenarios, job.years), asked, drawn_by]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def known_words(run: xr.DataTree, job: Job) -> str | None:
    """What is printed of a run, where that was found before from the very same things; else None."""
    try:
        noted = json.loads(run.attrs[PRINTED])
        return printable(noted["said"]) if noted["key"] == printed_key(run, job) else None
    except (KeyError, ValueError, TypeError, RecursionError):
        return None


def printable(text: str) -> str:
    """A text from a file without what a terminal would obey."""
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n")


class Before(NamedTuple):
    """A job that is done already: what was said of it, and whether the convergence gate failed."""

    said: str
    gate_failed: bool
    paths: dict[str, Path]


def as_before(job: Job) -> Before | None:
    """What an earlier job said, where this one would write the very files that are there; else None."""
    paths = {name: job.folder / name for name in FILES}
    try:
        check_file(paths["run.nc"])
        run = noted(paths["run.nc"])
        said = known_words(run, job)
        if said is None or not is_fit_of(run, fit_digest(job.priors, job.observations, job.settings)):
            return None
        record = json.loads(run.attrs[PRINTED])
        files = {name: hashlib.sha256(paths[name].read_bytes()).hexdigest() for name in FILES[1:]}
        same = files == record["files"] and holds(paths["run.nc"], job)
        return Before(said, bool(record["gate_failed"]), paths) if same else None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        ForecastError,
    ):  # no run, of another version, or damaged
        return None


def noted(file: Path) -> xr.DataTree:
    """What a run file says of itself, without its draws."""
    import h5py

    with h5py.File(file) as content:
        return xr.DataTree(xr.Dataset(attrs=own_attributes(content)))
