"""The form that scored figures and questions have, whichever file they came from, and how many files become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.evaluation.calibration_curve import is_inside

Array = npt.NDArray[np.float64]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
QUANTILE_NAMES = ("q05", "q25", "q50", "q75", "q95")
PLACE = ("table", "row", "date", "year", "horizon")
OWN = ("units", "observed", *QUANTILE_NAMES)
SCALE = ("scale", "scale_observed", *(f"scale_{name}" for name in QUANTILE_NAMES))
ROW_COLUMNS = (*PLACE, *OWN, *SCALE, "pit", "crps", "log_score", "inside_50", "inside_90", "note")
EVENT_COLUMNS = (*PLACE, "question", "kind", "probability", "happened", "brier", "log_score", "note")
UNSCORED_COLUMNS = ("table", "row", "date", "reason")
COUNT_COLUMNS = ("table", "given", "seen", "revised", "scored", "events", "unscored")
QUESTION, CENSORED = "question", "censored"
BEFORE = "dated before as_of"


class Part(NamedTuple):
    """What one table, or all of them, gave.

    Attributes
    ----------
    rows : pandas.DataFrame
        Figures, with the columns `ROW_COLUMNS`.
    ranks : (draw, row)
        PITs that the figures would have if a draw were the truth, from ``calibration_curve.ranks_within``.
    events : pandas.DataFrame
        Questions and censored figures, with the columns `EVENT_COLUMNS`.
    unscored : pandas.DataFrame
        Rows without a forecast and why, with the columns `UNSCORED_COLUMNS`.
    counts : pandas.DataFrame
        Rows given, already seen, seen with another figure, scored, events and unscored, by table.
    notes : tuple of str
        What must be known of these numbers.
    """

    rows: pd.DataFrame
    ranks: Array
    events: pd.DataFrame
    unscored: pd.DataFrame
    counts: pd.DataFrame
    notes: tuple[str, ...]


def figures(
    place: pd.DataFrame, own: Mapping[str, Any], quantiles: Mapping[str, Array], scores: Mapping[str, Array]
) -> pd.DataFrame:
    """Rows of scored figures.

    Parameters
    ----------
    place : pandas.DataFrame
        table, row, date, year, horizon and note.
    own : mapping
        units, observed, scale and scale_observed, scalar or (row,).
    quantiles : mapping
        Arrays (level, row): "" in the figure's own unit, "scale_" on the scale.
    scores : mapping
        pit, crps and log_score, (row,).
    """
    levels = {f"{on}{name}": row for on, q in quantiles.items() for name, row in zip(QUANTILE_NAMES, q, strict=True)}
    inside = {f"inside_{mass}": is_inside(scores["pit"], mass / 100.0) for mass in (50, 90)}
    return place.assign(**own, **levels, **scores, **inside)[list(ROW_COLUMNS)].reset_index(drop=True)


def events(
    place: pd.DataFrame, said: Mapping[str, Any], probability: Array, happened: Array, draws: int
) -> pd.DataFrame:
    """Rows of questions, `said` being question and kind: Brier and log score of a probability from so many draws.

    The log score takes a probability as no closer to 0 or 1 than half a draw, for that many draws know no better.
    """
    given = np.where(happened > 0.0, probability, 1.0 - probability)
    found = {
        "probability": probability,
        "happened": happened.astype(int),
        "brier": (probability - happened) ** 2,
        "log_score": np.log(np.clip(given, 0.5 / draws, 1.0 - 0.5 / draws)),
    }
    return place.assign(**said, **found)[list(EVENT_COLUMNS)].reset_index(drop=True)


def part_of(
    count: Mapping[str, Any],
    rows: pd.DataFrame | None = None,
    ranks: Array | None = None,
    asked: pd.DataFrame | None = None,
    unscored: Sequence[tuple[str, ...]] = (),
    notes: tuple[str, ...] = (),
) -> Part:
    """One table's part; `count` holds its name and the rows given, seen and revised."""
    rows = pd.DataFrame(columns=list(ROW_COLUMNS)) if rows is None else rows
    asked = pd.DataFrame(columns=list(EVENT_COLUMNS)) if asked is None else asked
    numbers = dict(count) | {"scored": len(rows), "events": len(asked), "unscored": len(unscored)}
    return Part(
        rows,
        np.zeros((0, 0)) if ranks is None else ranks,
        asked,
        pd.DataFrame(list(unscored), columns=list(UNSCORED_COLUMNS)),
        pd.DataFrame([numbers], columns=list(COUNT_COLUMNS)),
        notes,
    )


def joined(parts: Sequence[Part], draws: int) -> Part:
    """Several parts as one."""
    return Part(
        rows=stacked([part.rows for part in parts], ROW_COLUMNS),
        ranks=np.concatenate([np.zeros((draws, 0)), *(part.ranks for part in parts if len(part.rows))], axis=1),
        events=stacked([part.events for part in parts], EVENT_COLUMNS),
        unscored=stacked([part.unscored for part in parts], UNSCORED_COLUMNS),
        counts=stacked([part.counts for part in parts], COUNT_COLUMNS),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def stacked(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Several frames as one; those without rows would only spoil the types of the others."""
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(columns))
