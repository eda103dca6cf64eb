"""Newer rows of the package's own tables, predicted by a run that has not seen them.

The one thing to know: a row counts as seen if the run was fitted to a row of the same identity (a run of the same model,
the same quarter), even where its figure has been revised since; it is counted and not scored. Rows are never cut by date:
one that is dated before the run's ``as_of``, but that the run did not know, is scored and marked.
``tests/evaluation/test_scoring.py`` pins both.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.swapped_densities import rebuilt_tables
from forecast.errors import InputError
from forecast.evaluation import predictive
from forecast.evaluation.calibration_curve import ranks_within
from forecast.evaluation.predictive import SCALES, Predictions
from forecast.evaluation.scored_rows import BEFORE, CENSORED, QUANTILES, Part, events, figures, joined, part_of
from forecast.observations import Observations
from forecast.rows import CITATION, TABLES, units_of
from forecast.runs import read_provenance, sample_shape

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
STEPS = 60  # towards a quantile: some 4 by Newton, 60 by bisection alone
CLOSE = 1e-7  # how near its level a quantile comes
STAFF_ROWS = 3  # figures of a lab that give a growth
OTHER_UNITS = {"hardware": "FLOP/s/USD", "research_staff": "ln/yr"}  # what is predicted is no column of these tables
CONDITIONS = "conditions"
HELD = "Rows of conditions hold the model to what is known; none of them is a figure to score."
TREND = (
    "Task horizons are predicted on the trend of compute and people-only software, as the fit reads them; the path with "
    "AI help is scored by answers to log10_task_horizon in a file of resolutions."
)


class Known(NamedTuple):
    """Which rows of a table the run has seen, and which of those have another figure now; both (row,)."""

    seen: Mask
    revised: Mask


def new_figures(run: xr.DataTree, newer: Observations, folder: Path, random_seed: int = 1) -> Part:
    """Scores of the rows that the run has not seen, of the tables in a folder.

    Parameters
    ----------
    run, random_seed
        As for ``score``.
    newer : Observations
        What `load_observations` reads from the folder, no row cut.
    folder : Path
        Tables without a file in it are the shipped ones, which are not scored.
    """
    own = [name for name in TABLES if (folder / f"{name}.csv").is_file()]
    record = read_provenance(run)
    old = tables_seen(record)
    blind = record["kind"] == "prior"
    known = {name: already_known(newer[name], old[name], name, blind) for name in own}
    fresh = {name: newer[name].isel(row=np.flatnonzero(~known[name].seen)) for name in own}
    rest = {name: table.isel(row=slice(0, 0)) for name, table in old.tables.items()}
    new = replace(newer, tables=rest | fresh | {CONDITIONS: old[CONDITIONS]})
    found = predicted_all(run, new)
    parts = [table_part(name, known[name], new, found.get(name), old.as_of_year, random_seed) for name in own]
    return joined(parts, int(np.prod(sample_shape(run))))


def tables_seen(record: Mapping[str, Any]) -> Observations:
    """The tables that a run was made with: those in its file, or the shipped ones where they are the same.

    Raises
    ------
    InputError
        If neither can say which rows the run has seen.
    """
    found, _ = rebuilt_tables(dict(record), None, "")
    if found is None:
        raise InputError(
            "the run file does not hold the tables it was made with, and the shipped ones are others, so nobody can tell "
            "which rows it has seen: remake it with forecast run, which writes them into the file"
        )
    return found


def already_known(new: xr.Dataset, old: xr.Dataset, name: str, blind: bool = False) -> Known:
    """Rows of a table whose identity a run has seen; draws of the prior (`blind`) have seen nothing."""
    model = TABLES[name]
    columns = [column for column in model.model_fields if column not in CITATION and column in new and column in old]
    keys = [column for column in columns if column in (model.unique or columns)]
    numbers = [column for column in columns if units_of(model, column) is not None]
    before = dict(zip(cells(old, keys), cells(old, numbers), strict=True))
    now = list(zip(cells(new, keys), cells(new, numbers), strict=True))
    seen = np.array([not blind and key in before for key, _ in now], dtype=bool)
    other = np.array([before.get(key, figure) != figure for key, figure in now], dtype=bool)
    return Known(seen, seen & other)


def cells(table: xr.Dataset, columns: list[str]) -> list[tuple[str, ...]]:
    """Some cells of every row as text, by which rows are compared."""
    return [tuple(map(str, row)) for row in zip(*(table[column].values.tolist() for column in columns), strict=True)]


def predicted_all(run: xr.DataTree, new: Observations) -> dict[str, Predictions]:
    """Predictive distributions by table; of a censored task horizon, that of the horizon itself."""
    table = new["time_horizons"]
    uncensored = new.tables | {"time_horizons": table.assign(censored=table["censored"] * 0.0)}
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # `table_part` names what has no forecast
        return predictive.predictions(run, replace(new, tables=uncensored))


def table_part(
    name: str, known: Known, new: Observations, found: Predictions | None, as_of_year: float, random_seed: int
) -> Part:
    """Scored figures of one table, censored ones as events, and the rows without a forecast."""
    count = {"table": name, "given": known.seen.size, "seen": known.seen.sum(), "revised": known.revised.sum()}
    unscored = [(name, *row) for row in without_growth(new)] if name == "research_staff" else []
    if found is None:
        return part_of(count, unscored=unscored, notes=(HELD,) if name == CONDITIONS else ())
    place = places(new, found, as_of_year)
    bad = ~(np.isfinite(found.mean) & np.isfinite(found.spread))
    defined = ~bad.any(axis=0)
    for i in np.flatnonzero(~defined):
        reason = f"it has no forecast in {int(bad[:, i].sum())} of {bad.shape[0]} draws"
        unscored.append((name, place["row"][i], place["date"][i], reason))
    censored = new[name]["censored"].values > 0 if name == "time_horizons" else np.zeros(defined.shape, dtype=bool)
    rows, ranks = scored_figures(found, place, np.flatnonzero(defined & ~censored), random_seed)
    above = censored_horizons(found, place, np.flatnonzero(defined & censored))
    return part_of(count, rows, ranks, above, unscored, (TREND,) if name == "time_horizons" else ())


def places(new: Observations, found: Predictions, as_of_year: float) -> pd.DataFrame:
    """Table, name, date, decimal year and horizon of every row, and whether it is dated before the run's day."""
    years = predictive.row_years(new, found)
    names = predictive.row_labels(new, found)
    table = new[found.table]
    if found.table == "research_staff":
        dates = [max(table["date"].values[table["lab"].values == name].tolist()) for name in names]
    else:
        dates = table[TABLES[found.table].dated].values[found.rows].tolist()
    marks = np.where(years < as_of_year, BEFORE, "")
    head = {"table": found.table, "row": names, "date": dates, "year": years, "horizon": years - as_of_year}
    return pd.DataFrame(head | {"note": marks})


def scored_figures(
    found: Predictions, place: pd.DataFrame, keep: npt.NDArray[np.intp], random_seed: int
) -> tuple[pd.DataFrame, Array]:
    """Quantiles and scores of some rows, and the ranks that they would have if a draw were the truth."""
    part, scale = predictive.some(found, keep), SCALES[found.table]
    samples = predictive.simulated(part, random_seed + zlib.crc32(found.table.encode()))  # apart from other tables
    quantiles = mixture_quantiles(part, QUANTILES)
    units = OTHER_UNITS.get(found.table) or units_of(TABLES[found.table], scale.column)
    own = {"units": units, "observed": scale.back(part.observed), "scale": scale.units, "scale_observed": part.observed}
    score = {
        "pit": predictive.pit(part),
        "crps": predictive.crps(samples, part.observed) if keep.size else np.zeros(0),
        "log_score": predictive.log_score(part),
    }
    rows = figures(place.iloc[keep], own, {"": scale.back(quantiles), "scale_": quantiles}, score)
    return rows, ranks_within(samples)


def censored_horizons(found: Predictions, place: pd.DataFrame, keep: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Task horizons known only to be at least so long, each with the probability that the run gave to that."""
    part = predictive.some(found, keep)
    at_least = 1.0 - predictive.pit(part)
    minutes = SCALES[found.table].back(part.observed)
    said = {"question": [f"horizon >= {limit:g} min" for limit in minutes], "kind": CENSORED}
    return events(place.iloc[keep], said, at_least, np.ones(keep.size), found.mean.shape[0])


def without_growth(new: Observations) -> list[tuple[str, str, str]]:
    """Labs whose new staff figures are too few for a growth: name, last date, why."""
    table = new["research_staff"]
    lab, date = table["lab"].values, table["date"].values
    return [
        (
            str(name),
            max(date[lab == name].tolist()),
            f"{int((lab == name).sum())} new figure(s): the growth of a lab's staff needs {STAFF_ROWS} that the run has not seen",
        )
        for name in np.unique(lab)
        if (lab == name).sum() < STAFF_ROWS
    ]


def mixture_quantiles(found: Predictions, levels: tuple[float, ...] = QUANTILES) -> Array:
    """Exact quantiles of the predictive mixture, (level, row), on the scale of the likelihood.

    Newton's method on its distribution function, from quantiles of a sample, within the range of the draws' own quantiles,
    which encloses the root; a step that does not halve the last one is a bisection.

    >>> one = Predictions("x", np.array([0]), np.array([[3.0], [3.0]]), np.full((2, 1), 2.0), np.array([0.0]), None)
    >>> mixture_quantiles(one, (0.05, 0.5)).round(4).ravel().tolist()
    [-0.2897, 3.0]
    """
    standard, wanted = predictive.standard(found), np.asarray(levels)[:, None]
    ends = [found.mean + found.spread * z for z in standard.ppf(levels)]
    low, high = np.stack([end.min(axis=0) for end in ends]), np.stack([end.max(axis=0) for end in ends])
    at = np.clip(np.quantile(predictive.simulated(found, 1), levels, axis=0), low, high)
    last = high - low
    for _ in range(STEPS):
        z = (at[:, None, :] - found.mean) / found.spread
        miss = standard.cdf(z).mean(axis=1) - wanted
        done = np.abs(miss) < CLOSE
        if done.all():
            break
        low, high = np.where(miss <= 0.0, at, low), np.where(miss >= 0.0, at, high)
        step = miss / (standard.pdf(z) / found.spread).mean(axis=1)
        safe = (at - step >= low) & (at - step <= high) & (np.abs(step) <= 0.5 * last)
        new = np.where(done, at, np.where(safe, at - step, 0.5 * (low + high)))
        last, at = np.abs(new - at), new
    return at
