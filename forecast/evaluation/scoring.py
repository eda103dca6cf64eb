"""What came later against a run that did not know it: newer figures in the package's own tables, or answered questions.

The one thing to know: only what the run has not seen is scored. A row of a table is predicted with its own covariates
and the scatter of its block; an output of a resolutions file (``resolutions.py``) without any error of measurement.
``tests/evaluation/test_scoring.py`` holds the scores to closed forms and to figures drawn from the run itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd
import xarray as xr

from forecast.errors import DataMissingError, InputError
from forecast.evaluation.answered import answered
from forecast.evaluation.calibration_curve import (
    brier_summary,
    calibration_curve,
    group_summary,
    pit_bins,
    reliability,
)
from forecast.evaluation.new_figures import new_figures
from forecast.evaluation.resolutions import Answer, read_resolutions
from forecast.evaluation.scored_rows import EVENT_COLUMNS, QUESTION, ROW_COLUMNS, Part, stacked
from forecast.observations import Observations, load_observations
from forecast.rows import LAST_DATE
from forecast.runs import read_provenance


@dataclass(frozen=True)
class Scores:
    """What a run said of figures and questions that it had not seen, and how they came out.

    Attributes
    ----------
    as_of : str
        Day up to which the run knew the world.
    path : str
        Folder of tables, or file of resolved questions.
    rows : pandas.DataFrame
        A figure per row: table (or variable), row (its name), date, year (decimal), horizon (years after as_of), units,
        observed, q05 q25 q50 q75 q95, all in the figure's own unit; scale (what the block has its scatter on),
        scale_observed, scale_q05 ... scale_q95; pit, crps (unit of the scale, lower is better), log_score (ln of the
        predictive density on the scale, higher is better), inside_50, inside_90, note.
    blocks : pandas.DataFrame
        Per table or variable what `calibration_curve.group_summary` returns.
    overall : pandas.DataFrame
        The same over all figures, without scores, whose units differ; one row, none without figures.
    calibration, pit_bins : pandas.DataFrame
        Central intervals against the share of figures inside, and the histogram of the PITs, with counts.
    events : pandas.DataFrame
        A question per row: probability, happened (1 or 0), brier, log_score (ln of the probability given to what
        happened). Of kind "censored" is a task horizon known only to be at least so long.
    brier : pandas.DataFrame
        What `calibration_curve.brier_summary` returns, over the events of kind "question": a censored horizon is here
        only because it was long, so that a Brier score over such rows would reward whoever says "long".
    reliability : pandas.DataFrame
        Of the questions given about such a probability, how many came true.
    unscored, counts : pandas.DataFrame
        Rows without a forecast and why; rows given, already seen, seen with another figure, scored, by table.
    notes : tuple of str
        What must be known of these numbers.
    """

    as_of: str
    path: str
    rows: pd.DataFrame
    blocks: pd.DataFrame
    overall: pd.DataFrame
    calibration: pd.DataFrame
    pit_bins: pd.DataFrame
    events: pd.DataFrame
    brier: pd.DataFrame
    reliability: pd.DataFrame
    unscored: pd.DataFrame
    counts: pd.DataFrame
    notes: tuple[str, ...]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every frame by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, pd.DataFrame)}

    def lines(self) -> pd.DataFrame:
        """Figures and questions in one frame, whose column kind says which is which: figure, question, censored."""
        columns = list(dict.fromkeys([*ROW_COLUMNS[:-1], *EVENT_COLUMNS]))
        return stacked([self.rows.assign(kind="figure"), self.events], columns).reindex(columns=columns)


def score(
    run: xr.DataTree,
    path: str | PathLike[str],
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    random_seed: int = 1,
) -> Scores:
    """Score a run on what came later.

    Parameters
    ----------
    run : xarray.DataTree
        From `forecast.fit`, `forecast.load_run` or `forecast.sample_prior`.
    path : str or path
        A folder of newer figures, ``<table>.csv`` as `forecast.load_observations` reads them; only the tables in it are
        scored, and of them only rows that the run has not seen. Or a CSV file of resolved questions, as
        ``forecast.evaluation.resolutions`` describes it.
    scenario : str
        Scenario of the resolved questions; tables need none.
    years : iterable of int, optional
        Window of the take-off for the resolved questions; shipped range if None.
    random_seed : int
        Seed of the simulated figures behind CRPS and expected ranges.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        A table or the file has faults; every one is listed with file, line, column and remedy.
    DataMissingError
        There is no such folder or file.

    Examples
    --------
    >>> from forecast import load_run
    >>> scored = score(load_run("forecast-out/run.nc"), "figures-of-2027")  # doctest: +SKIP
    >>> scored.blocks[["table", "n", "coverage_90", "crps"]]  # doctest: +SKIP
    """
    target, day = Path(path), read_provenance(run)["as_of"]
    newer = read_newer(target)
    if isinstance(newer, Observations):
        return summarised(new_figures(run, newer, target, random_seed), day, str(target))
    return summarised(answered(run, newer, scenario, years), day, str(target))


HDF5 = b"\x89HDF\r\n\x1a\n"  # how a run file begins


def read_newer(path: Path) -> Observations | list[Answer]:
    """The newer figures of a folder, or the answers of a file; all their faults at once."""
    if not path.exists():
        raise DataMissingError(
            f"{path}: no such folder of tables or file of resolved questions (start one with: forecast data template)"
        )
    if path.is_dir():
        return load_observations(path, as_of=LAST_DATE)
    with path.open("rb") as file:
        if file.read(len(HDF5)) == HDF5:
            raise InputError(
                f"{path}: is a run file, and a run is scored against figures: give a folder of tables or a CSV file of "
                "resolved questions; what changed between two runs says: forecast diff"
            )
    return read_resolutions(path)


def summarised(part: Part, as_of: str, path: str) -> Scores:
    """Coverage, calibration and Brier score of scored rows."""
    rows, ranks, asked = part.rows, part.ranks, part.events[part.events["kind"] == QUESTION]
    records = []
    for table in dict.fromkeys(rows["table"]):
        own = (rows["table"] == table).to_numpy()
        head = {"table": table, "scale": rows["scale"][own].iloc[0]}
        records.append(head | group_summary(rows[own], ranks[:, own]))
    whole = group_summary(rows, ranks) if len(rows) else {}
    pit = rows["pit"].to_numpy(dtype=float)
    said, happened = (asked[name].to_numpy(dtype=float) for name in ("probability", "happened"))
    return Scores(
        as_of=as_of,
        path=path,
        rows=rows,
        blocks=pd.DataFrame(records),
        overall=pd.DataFrame([whole]).drop(columns=["median_error", "crps", "log_score"], errors="ignore"),
        calibration=calibration_curve(pit, ranks),
        pit_bins=pit_bins(pit, ranks),
        events=part.events,
        brier=pd.DataFrame([brier_summary(said, happened)] if said.size else []),
        reliability=reliability(said, happened),
        unscored=part.unscored,
        counts=part.counts,
        notes=part.notes,
    )
