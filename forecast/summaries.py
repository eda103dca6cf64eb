"""Tables and sentences from draws: what ``summary.csv``, the terminal and the report all print.

One thing to know: "never within the window" is ``+inf`` and stays in every quantile and probability, so an
upper quantile may itself be ``inf``. ``NaN`` is allowed in `CONDITIONAL` read-outs only and marks a draw that never
reaches full automation; their quantiles are over the other draws. Anything else non-finite is an error
(``tests/test_summaries.py::test_a_number_that_went_wrong_is_never_summarised``).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pandas.api.types import is_object_dtype, is_string_dtype

from forecast import schema
from forecast.errors import ForecastError, InputError
from forecast.headlines import REACHED_ONLY, Headline, headline
from forecast.quantiles import interval_levels, quantile, sample_dims
from forecast.results import impossible
from forecast.schema import CENSORED, CONDITIONAL
from forecast.whole_files import replace_file
from forecast.words import number, odds, percent

__all__ = [
    "Headline",
    "csv_text",
    "exceedance",
    "exceedance_table",
    "headline",
    "length_rows",
    "length_shares",
    "number",
    "odds",
    "percent",
    "probability_rows",
    "quantile",
    "summary",
    "write_summary",
    "write_text",
]

COLUMNS = (
    "scenario",
    "form",
    "variable",
    "year",
    "units",
    "q05",
    "q25",
    "q50",
    "q75",
    "q95",
    "probability",
    "definition",
)
LENGTH_EDGES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
THRESHOLDS = (6.0, 7.0, 8.0, 9.0, 10.0)


def summary(*datasets: xr.Dataset, prob: float = 0.9, form: str = "section5") -> pd.DataFrame:
    """Quantiles and probabilities of every variable: the rows of ``summary.csv``.

    Parameters
    ----------
    *datasets
        What `project` and `takeoff` return: dims among scenario, chain, draw, year.
    prob
        Mass of the outer equal-tailed interval; the inner one holds 50%. The columns are named by their quantile
        (0.9 gives q05 and q95).
    form
        Name of the form of the take-off equations that made the draws.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`. A variable with a year has a row per scenario and year; a read-out one row with an empty
        year; an event (boolean) one row with ``probability`` over all draws and empty quantiles.

    Raises
    ------
    ForecastError
        A value is NaN or infinite where it must not be.

    Examples
    --------
    >>> draws = xr.DataArray(np.arange(5.0)[None], dims=("chain", "draw"), attrs={"units": "yr", "definition": "x"})
    >>> float(summary(xr.Dataset({"takeoff_years": draws})).q50.item())
    2.0
    """
    levels = interval_levels(prob)
    rows = [row for data in datasets for one in _scenarios(data) for row in _rows(one, form, levels)]
    return _frame(rows, [quantile_column(level) for level in levels])


def probability_rows(
    *datasets: xr.Dataset, thresholds: Sequence[float] = THRESHOLDS, form: str = "section5"
) -> pd.DataFrame:
    """Further rows for ``summary.csv``: exceedance by year and the share of draws that a censored read-out keeps.

    The variables are named by the statement, ``"log10_parallel_streams > 8"`` and ``"takeoff_years reached"``, so that
    a row is still found by scenario, form, variable and year alone. Columns and probabilities as in `summary`.
    """
    rows: list[dict[str, Any]] = []
    for data in datasets:
        for one in _scenarios(data):
            rows += _exceedance_rows(one, form, thresholds) + _reached_rows(one, form)
    return _frame(rows, [quantile_column(level) for level in interval_levels(0.9)])


def length_rows(readouts: xr.Dataset, end: int, form: str = "section5") -> pd.DataFrame:
    """The shares of `length_shares` as further rows for ``summary.csv``, of every scenario."""
    rows: list[dict[str, Any]] = []
    for one in _scenarios(readouts):
        labels = _labels(one, "takeoff_years", one["takeoff_years"], form) | {"units": "1"}
        for label, share in zip(*length_shares(one["takeoff_years"], end), strict=True):
            said = {"variable": f"takeoff_years: {label}", "probability": share}
            rows.append(labels | said | {"definition": f"share of draws in this bin: {labels['definition']}"})
    return _frame(rows, [quantile_column(level) for level in interval_levels(0.9)])


def write_summary(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write `summary`'s rows as CSV: the same frame gives the same bytes, and a reader never sees half a file."""
    return write_text(path, csv_text(frame))


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV without its index.

    Numbers have 10 significant digits, "never within the window" is ``inf``, empty is unknown or does not apply. Text
    that a spreadsheet would run as a formula gets a leading apostrophe.

    >>> csv_text(pd.DataFrame({"what": ["=1+1", None], "x": [-0.5, float("inf")]})).splitlines()
    ['what,x', "'=1+1,-0.5", ',inf']
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_guard(str(column)) for column in frame.columns])
    for values in frame.astype(object).itertuples(index=False, name=None):
        writer.writerow([_guard(value) if isinstance(value, str) else _digits(value) for value in values])
    return text.getvalue()


SIGNED = re.compile(r"[+-]\d+(\.\d+)?([eE][+-]?\d+)?")


def full_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV without its index, numbers with all their digits; text is guarded as in `csv_text`.

    >>> full_csv(pd.DataFrame({"what": ["=1+1", "-"], "x": [-0.1, float("inf")]})).splitlines()
    ['what,x', "'=1+1,-0.1", "'-,inf"]
    """
    guarded = frame.rename(columns=lambda name: _guard(str(name)))
    for i, kind in enumerate(guarded.dtypes):
        if is_object_dtype(kind) or is_string_dtype(kind):
            cells = guarded.iloc[:, i].astype(object)
            guarded.isetitem(i, cells.map(lambda cell: _guard(cell) if isinstance(cell, str) else cell))
    text: str = guarded.to_csv(index=False, lineterminator="\n")
    return text


def write_text(path: str | Path, text: str | bytes) -> Path:
    """Replace a file by ``text`` in one step; an interrupt leaves the old file, a fault names the path."""
    path = Path(path)
    try:
        replace_file(path, text.encode(errors="backslashreplace") if isinstance(text, str) else text)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path


def exceedance(data: xr.DataArray, threshold: float) -> xr.DataArray:
    """P(X > threshold) over all draws, by the remaining dims; a NaN draw (never reached) counts as no.

    Parameters
    ----------
    data : xarray.DataArray
        Draws, with any further dims.
    threshold : float
        In the units of the data.

    Returns
    -------
    xarray.DataArray
        The probability, without the dims of the draws.

    Examples
    --------
    >>> float(exceedance(xr.DataArray([7.0, 8.0, 9.0, np.nan], dims="draw"), 7.5))
    0.5
    """
    share = (data > threshold).mean(sample_dims(data))
    return share.assign_attrs(units="1", definition=f"P({data.name or 'x'} > {threshold:g})")


def tail(data: xr.DataArray, points: Sequence[float]) -> list[float]:
    """P(X >= x) over all draws at each point; a NaN draw counts as no.

    >>> tail(xr.DataArray([7.0, 8.0, np.inf, np.nan], dims="draw"), [7.0, 7.5, 9.0])
    [0.75, 0.5, 0.25]
    """
    ordered = np.sort(data.values, axis=None)  # NaN comes last
    defined = ordered.size - int(np.isnan(ordered).sum())
    below = np.searchsorted(ordered[:defined], np.asarray(points, dtype=float), side="left")
    return [(defined - int(number)) / ordered.size for number in below]


def exceedance_table(data: xr.DataArray, thresholds: Sequence[float] = THRESHOLDS) -> pd.DataFrame:
    """P(X > x): a row per remaining dim (scenario, year), a column per threshold in the units of ``data``."""
    joined = xr.concat(
        [exceedance(data, threshold) for threshold in thresholds],
        pd.Index([float(threshold) for threshold in thresholds], name="threshold"),
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="drop",
    )
    kept = [str(dim) for dim in joined.dims if dim != "threshold"]
    if not kept:
        return pd.DataFrame([joined.values], columns=joined.indexes["threshold"])
    return joined.rename("probability").transpose(*kept, "threshold").to_series().unstack("threshold")


def length_shares(lengths: xr.DataArray, end: int | None = None) -> tuple[list[str], list[float]]:
    """Labels and shares of draws by length of the take-off; the shares add up to 1, the last is "not by ``end``"."""
    one = lengths.isel(scenario=0) if "scenario" in lengths.dims else lengths
    beyond = [1.0, *(float(exceedance(one, edge)) for edge in (*LENGTH_EDGES, np.finfo(float).max)), 0.0]
    edges = [f"{edge:g}" for edge in LENGTH_EDGES]
    labels = [f"up to {edges[0]}", *(f"{a} to {b}" for a, b in pairwise(edges)), f"more than {edges[-1]}"]
    return [*labels, "not in the window" if end is None else f"not by {end}"], [
        max(a - b, 0.0) for a, b in pairwise(beyond)
    ]


def quantile_column(level: float) -> str:
    """The name of a quantile's column.

    >>> [quantile_column(level) for level in (0.05, 0.5, 0.025, 0.975, 0.0001)]
    ['q05', 'q50', 'q02.5', 'q97.5', 'q00.01']
    """
    whole, point, rest = f"{100.0 * level:.10g}".partition(".")
    return f"q{whole.zfill(2)}{point}{rest}"


def _scenarios(data: xr.Dataset) -> Iterator[xr.Dataset]:
    if "scenario" not in data.dims:
        label = str(data.coords["scenario"].item()) if "scenario" in data.coords else "baseline"
        yield data.assign_coords(scenario=label)
        return
    for index in range(data.sizes["scenario"]):
        yield data.isel(scenario=index)


def _rows(data: xr.Dataset, form: str, levels: tuple[float, ...]) -> Iterator[dict[str, Any]]:
    for key, values in data.data_vars.items():
        name = str(key)
        row = _labels(data, name, values, form)
        if values.dtype == bool:
            yield row | {"probability": float(values.mean())}
            continue
        check_finite(name, values, data)
        table = quantile(values, levels)
        names = [quantile_column(level) for level in levels]
        if "year" not in values.dims:
            yield row | dict(zip(names, table.values.tolist(), strict=True))
            continue
        for year, column in zip(values.coords["year"].values, table.transpose("year", "quantile").values, strict=True):
            yield row | {"year": int(year)} | dict(zip(names, column.tolist(), strict=True))


def _exceedance_rows(data: xr.Dataset, form: str, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    name = "log10_parallel_streams"
    if name not in data:
        return []
    labels = _labels(data, name, data[name], form) | {"units": "1"}
    return [
        labels
        | {
            "variable": f"{name} > {threshold:g}",
            "year": int(year),
            "probability": float(share),
            "definition": f"probability of more than 10^{threshold:g}: {labels['definition']}",
        }
        for threshold in thresholds
        for year, share in zip(data.coords["year"].values, exceedance(data[name], threshold).values, strict=True)
    ]


def _reached_rows(data: xr.Dataset, form: str) -> list[dict[str, Any]]:
    rows = []
    for name in (str(key) for key in data.data_vars if key in CENSORED):
        labels = _labels(data, name, data[name], form)
        rows.append(
            labels
            | {
                "variable": f"{name} reached",
                "units": "1",
                "probability": float(np.isfinite(data[name]).mean()),
                "definition": f"probability that it comes within the window: {labels['definition']}",
            }
        )
    return rows


def _labels(data: xr.Dataset, name: str, values: xr.DataArray, form: str) -> dict[str, Any]:
    known = (schema.YEARLY | schema.READOUTS | schema.EVENTS).get(name)
    units = values.attrs.get("units", known.units if known else None)
    definition = values.attrs.get("definition", known.definition if known else None)
    if units is None or definition is None:
        raise InputError(f"{name}: has no units and definition in its attrs; set both")
    if name in CONDITIONAL:
        definition = f"{definition}; {REACHED_ONLY}"
    scenario = str(data.coords["scenario"].item())
    return {"scenario": scenario, "form": form, "variable": name, "units": units, "definition": definition}


def check_finite(name: str, values: xr.DataArray, data: xr.Dataset) -> None:
    """Refuse a variable of `schema.YEARLY` or `schema.READOUTS` with NaN or +inf where it must not have any."""
    known = name in schema.CONDITIONAL and "year_100" in data
    automated = data["year_100"].transpose(*values.dims).values if known else None
    bad = impossible(name, values.values, automated)
    if bad.any():
        raise ForecastError(f"{name}: {int(bad.sum())} of {bad.size} values are not finite; nothing was summarised")


def _frame(rows: list[dict[str, Any]], quantiles: list[str]) -> pd.DataFrame:
    columns = [*COLUMNS[:5], *quantiles, *COLUMNS[10:]]
    frame = pd.DataFrame(rows, columns=columns)
    frame["year"] = frame["year"].astype("Int64")
    return frame.astype(dict.fromkeys((*quantiles, "probability"), "float64"))


def _digits(value: Any) -> str:
    if pd.isna(value):
        return ""
    return str(int(value)) if isinstance(value, (int, np.integer)) else f"{value:.10g}"


def _guard(text: str) -> str:
    """Text that a spreadsheet would run as a formula, with an apostrophe before it; a number is none."""
    if not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or SIGNED.fullmatch(text):
        return text
    return f"'{text}"
