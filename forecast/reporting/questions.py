"""The report's further questions, each an answer of its own: a `Section` and rows of ``summary.csv``.

``reporting.answers`` keeps them in the run file; ``reporting.outline`` says where each stands in the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
import xarray as xr

from forecast.reporting.answers import Answers
from forecast.reporting.drivers_section import drivers_answer, evidence_answer
from forecast.reporting.plain import readable
from forecast.reporting.research_section import leap_answer, organisations_answer, speedup_answer
from forecast.reporting.rivals_section import forms_answer, views_answer
from forecast.reporting.trust_section import trust_answer
from forecast.reporting.watch_section import indicators_words, watch_answer, what_if_words
from forecast.summaries import COLUMNS

__all__ = ["answers", "indicators_words", "what_if_words"]


def answers(run: xr.DataTree, readouts: xr.Dataset, years: Iterable[int] | None = None) -> Answers:
    """All further questions of one run.

    Parameters
    ----------
    run
        A fitted run or one of the prior.
    readouts
        What `takeoff` returns for it, the main scenario first.
    years
        The window of `readouts`.
    """
    window = None if years is None else list(years)
    main = str(readouts["scenario"].values[0])
    own = readouts if "baseline" in readouts["scenario"].values else None
    parts = [
        drivers_answer(run, main, window),
        *evidence_answer(run, main, window),
        forms_answer(run, own, window),
        views_answer(run, window),
        organisations_answer(run),
        speedup_answer(run, readouts["year_100"].sel(scenario=main)),
        leap_answer(run, window),
        watch_answer(run, window),
        trust_answer(run),
    ]
    frames = [part.rows.dropna(axis="columns", how="all") for part in parts]
    rows = pd.concat(frames, ignore_index=True).reindex(columns=list(COLUMNS))
    sections = (section for part in parts for section in part.sections)
    return Answers(tuple(replace(one, sentences=tuple(map(readable, one.sentences))) for one in sections), rows)
