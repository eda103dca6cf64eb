"""Answers to the report's further questions, and how a run file keeps them.

They take as long as the two headlines together, so a run file holds them until the run, the years or the package changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import pandas as pd
import xarray as xr

from forecast.errors import DAMAGED
from forecast.places import sources_digest
from forecast.reporting.content import Figure, Section, Table
from forecast.reporting.harmless import harmless
from forecast.runs import CHECKS, EVIDENCE, read_provenance
from forecast.summaries import COLUMNS


class Answers(NamedTuple):
    """The sections of the report, and their numbers as rows of ``summary.csv``."""

    sections: tuple[Section, ...]
    rows: pd.DataFrame


def stored(found: Answers, key: str) -> str:
    """The answers as one JSON text, with the key of what they were made from."""
    sections = [asdict(section) | {"tables": [plain_table(t) for t in section.tables]} for section in found.sections]
    rows = found.rows.astype(object).where(found.rows.notna(), None)
    return json.dumps({"key": key, "sections": sections, "rows": rows.to_numpy().tolist()}, default=str)


def restored(text: str | None, key: str) -> Answers | None:
    """The answers of `stored` if they were made from the same things."""
    try:
        record = json.loads(text or "{}")
        if record.get("key") != key:
            return None
        if not harmless(record["sections"]):
            return None
        sections = tuple(
            Section(
                **one
                | {
                    "sentences": tuple(one["sentences"]),
                    "figures": tuple(Figure(**figure) for figure in one["figures"]),
                    "tables": tuple(Table(**t | {"frame": pd.DataFrame(**t["frame"])}) for t in one["tables"]),
                    "points": tuple((term, text) for term, text in one["points"]),
                }
            )
            for one in record["sections"]
        )
        return Answers(sections, pd.DataFrame(record["rows"], columns=list(COLUMNS)).astype({"year": "Int64"}))
    except DAMAGED:  # or of another version: computed anew
        return None


def plain_table(table: Table) -> dict[str, Any]:
    """A table in JSON's own types."""
    frame = table.frame
    return {
        "name": table.name,
        "caption": table.caption,
        "section": table.section,
        "folded": table.folded,
        "frame": {"columns": [str(c) for c in frame.columns], "data": frame.astype(object).to_numpy().tolist()},
    }


def answers_key(run: xr.DataTree, scenarios: Sequence[str], years: Sequence[int]) -> str:
    """SHA-256 of what the answers depend on: the run, its scenarios and years, the package, and what it keeps."""
    kept = hashlib.sha256(str([run.attrs.get(name, "") for name in (EVIDENCE, CHECKS)]).encode()).hexdigest()
    content = [read_provenance(run)["digests"]["fit"], list(scenarios), list(years), sources_digest(), kept]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
