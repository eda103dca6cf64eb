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
from forecast.runs import OWN_ATTRIBUTES, PRINTED, check_file, fit_digest, load_draws, read_provenance, version_of

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
    record = read_provenance(found)
    same = record.get("kind") == "posterior" and record.get("digests", {}).get("fit") == digest
    return found if same else None


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
    import h5py

    paths = {name: job.folder / name for name in FILES}
    try:
        check_file(paths["run.nc"])
        with h5py.File(paths["run.nc"]) as content:
            run = xr.DataTree()
            run.attrs = {name: content.attrs[name] for name in content.attrs if name in OWN_ATTRIBUTES}
        record, noted = read_provenance(run), json.loads(run.attrs[PRINTED])
        same = record["digests"]["fit"] == fit_digest(job.priors, job.observations, job.settings)
        same &= record["kind"] == "posterior" and noted["key"] == printed_key(run, job) and holds(paths["run.nc"], job)
        files = {name: hashlib.sha256(paths[name].read_bytes()).hexdigest() for name in FILES[1:]}
        if not same or files != noted["files"]:
            return None
        return Before(printable(noted["said"]), bool(noted["gate_failed"]), paths)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        ForecastError,
    ):  # no run, of another version, or damaged
        return None
