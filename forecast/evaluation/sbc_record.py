"""The kept results of simulation-based calibration: ``sbc.json``, with date, versions and digests, for the report.

Refitting every block and the joint model takes minutes, so their results are kept; ``forecast sbc --joint --keep`` makes
them anew. Everything shown is rebuilt from the counts of positions; `changes_since` says what has changed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date as Date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.evaluation.calibration_summary import Summary
from forecast.evaluation.refits import JOINT
from forecast.runs import LIBRARIES, model_digest, version_of
from forecast.schema import BLOCKS
from forecast.summaries import write_text

RECORD = Path(__file__).with_name("sbc.json")
FORMAT = 1
DIGITS = 4
WHAT = {"priors": "the priors", "tables": "the tables", "model": "the model's equations"}


class Kept(NamedTuple):
    """One model's results and what they were made from: date, versions, as_of, settings, digests."""

    summary: Summary
    made: dict[str, Any]


def stamp(settings: Mapping[str, int], as_of: str, digests: Mapping[str, str], date: Date) -> dict[str, Any]:
    """What results were made from; `digests` as `digests_of` gives them."""
    return {
        "date": date.isoformat(),
        "versions": {name: version_of(name) for name in LIBRARIES},
        "as_of": as_of,
        "settings": dict(settings),
        "digests": dict(digests),
    }


def digests_of(priors: str, as_of: str, tables: Mapping[str, str]) -> dict[str, str]:
    """Digests of priors, tables and model as they are compared.

    Parameters
    ----------
    priors, tables : digests, as `Priors.digest` and `Observations.digests` or a run's record have them
    as_of : YYYY-MM-DD
    """
    content = json.dumps([as_of, dict(tables)], sort_keys=True)
    return {"priors": priors, "tables": hashlib.sha256(content.encode()).hexdigest(), "model": model_digest()}


def changes_since(kept: Kept, now: Mapping[str, str]) -> list[str]:
    """What of priors, tables and model is no longer what these results were made from, in words.

    `now` is what `digests_of` gives; an empty list means that the results hold.
    """
    return [said for name, said in WHAT.items() if kept.made["digests"][name] != now[name]]


def kept_results(path: Path = RECORD) -> list[Kept]:
    """The kept results, blocks first; none where there is no file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, not {FORMAT}")
        return [restored(entry) for entry in content["models"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no results of forecast sbc ({error}): make them anew with --keep") from error


def restored(entry: Mapping[str, Any]) -> Kept:
    """One entry of the file."""
    parameters = [{name: value for name, value in row.items() if name != "counts"} for row in entry["parameters"]]
    counts = np.array([row["counts"] for row in entry["parameters"]], dtype=np.int64)
    return Kept(Summary(dict(entry["model"]), pd.DataFrame(parameters), counts), dict(entry["made"]))


def keep(found: Iterable[Kept], path: Path = RECORD) -> Path:
    """Put results into the file in place of those of the same models; the others stay."""
    known = {key_of(one): one for one in [*kept_results(path), *found]}
    ordered = sorted(known.values(), key=place)
    text = json.dumps({"format": FORMAT, "models": [written(one) for one in ordered]}, allow_nan=False)
    for opening in ('{"made"', '"parameters": [', '{"parameter"'):
        text = text.replace(opening, f"\n{opening}")  # a line per parameter: a change reads as one in a diff
    return write_text(path, f"{text}\n")


def key_of(one: Kept) -> tuple[str, str]:
    """Model and origin of its truths: what a result replaces."""
    return str(one.summary.model["model"]), str(one.summary.model["truths"])


def place(one: Kept) -> tuple[str, int, str]:
    """Order in the file: truths of the prior before those of a posterior, blocks in the schema's order, then the rest."""
    name, truths = key_of(one)
    order = [*BLOCKS, JOINT]
    return "0" if truths == "prior" else "1", order.index(name) if name in order else len(order), name


def written(one: Kept) -> dict[str, Any]:
    """An entry of the file."""
    rows = one.summary.parameters.to_dict("records")
    counts: Sequence[Any] = one.summary.counts.tolist()
    parameters = [{k: short(v) for k, v in row.items()} | {"counts": c} for row, c in zip(rows, counts, strict=True)]
    model = {name: short(value) for name, value in one.summary.model.items()}
    return {"made": one.made, "model": model, "parameters": parameters}


def short(value: Any) -> Any:
    """A number to four digits.

    >>> short(0.123456), short("a"), short(200)
    (0.1235, 'a', 200)
    """
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def kept_sentence(kept: Sequence[Kept], now: Mapping[str, str]) -> str:
    """When the kept results were made, and whether they are of these priors, tables and equations."""
    if not kept:
        return "Simulation-based calibration has not been run: make it with forecast sbc --joint --keep."
    dates = sorted({str(one.made["date"]) for one in kept})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    changed = list(dict.fromkeys(what for one in kept for what in changes_since(one, now)))
    versions = kept[-1].made["versions"]
    said = f"Simulation-based calibration of {when}, with PyMC {versions['pymc']} and nutpie {versions['nutpie']}"
    if not changed:
        return f"{said}, of these priors, tables and equations."
    listed = ", ".join(changed[:-1]) + " and " + changed[-1] if changed[1:] else changed[0]
    return f"{said}; since then {listed} changed: make it anew with forecast sbc --joint --keep."
