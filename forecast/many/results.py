"""Counts of very many draws as a labelled Dataset, and that Dataset as the rows of ``summary.csv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.many.grids import Grid, Ratio
from forecast.many.tallies import Share, Tally, missing, quantiles, refuse_wrong
from forecast.schema import CENSORED, CONDITIONAL, EVENTS, UNBOUNDED, YEARLY, Variable
from forecast.summaries import quantile_column
from forecast.words import number, percent

MAY_BE_INFINITE = CENSORED | UNBOUNDED
COLUMNS = ("scenario", "variable", "year", "units")


def labelled(
    total: Mapping[tuple[str, str], Tally | Share],
    names: Sequence[str],
    known: Mapping[str, Variable],
    scenarios: Sequence[str],
    years: Sequence[int],
    levels: Sequence[float],
    about: Mapping[str, Any],
) -> xr.Dataset:
    """Quantiles, probabilities, and the shares that are in neither, with what must be known of them."""
    data: dict[str, Any] = {}
    for name in names:
        found = [total[scenario, name] for scenario in scenarios]
        said = {"units": known[name].units, "definition": known[name].definition}
        if name in EVENTS:
            data[name] = (
                ("scenario",),
                [share.true / share.draws for share in found if isinstance(share, Share)],
                said,
            )
            continue
        tallies = [tally for tally in found if isinstance(tally, Tally)]
        for tally in tallies:
            refuse_wrong(name, tally, name in CONDITIONAL, name in MAY_BE_INFINITE)
        tables = np.stack([quantiles(tally, levels) for tally in tallies])
        by_year = name in YEARLY
        dims = ("scenario", "year", "quantile") if by_year else ("scenario", "quantile")
        data[name] = (dims, tables if by_year else tables[:, 0], said | accuracy(tallies))
    read_outs = [name for name in names if name not in EVENTS]
    coords: dict[str, Any] = {"scenario": list(scenarios), "quantile": list(levels)}
    if any(name in YEARLY for name in names):
        coords["year"] = list(years)
    tallied = {key: tally for key, tally in total.items() if isinstance(tally, Tally)}
    if read_outs:
        data |= apart(tallied, read_outs, scenarios, any(name in YEARLY for name in names))
        coords["variable"] = read_outs
    worst = max((float(data[name][2]["bin_error"]) for name in read_outs), default=0.0)
    return xr.Dataset(data, coords, {**about, "window_end": years[-1], "exact": int(worst == 0.0)})


def accuracy(tallies: Sequence[Tally]) -> dict[str, Any]:
    """How far the quantiles of one variable may be off, and how many draws lie beyond its bins."""
    grid: Grid = tallies[0].grid
    if tallies[0].values is not None:
        return {"bin_error": 0.0, "bin_error_units": grid.units, "outside_bins": 0}
    outside = sum(int(tally.below.sum() + tally.above.sum()) for tally in tallies)
    return {"bin_error": grid.error, "bin_error_units": grid.units, "outside_bins": outside}


def apart(
    total: Mapping[tuple[str, str], Tally], names: Sequence[str], scenarios: Sequence[str], by_year: bool
) -> dict[str, Any]:
    """Shares of the draws that never get there, and of those in which a variable does not exist."""
    tables = np.array([[missing(total[scenario, name]) for name in names] for scenario in scenarios], dtype=float)
    draws = np.array([[total[scenario, name].draws for name in names] for scenario in scenarios])
    undefined, never = np.moveaxis(tables / draws[:, :, None, None], 2, 0)
    dims = ("scenario", "variable", "year") if by_year else ("scenario", "variable")
    said = {
        "undefined": (
            undefined,
            "share of draws in which it does not exist, as automation is not reached in the window",
        ),
        "never": (never, "share of draws in which it does not come within the window, or is infinite"),
    }
    return {
        name: (dims, part if by_year else part[:, :, 0], {"units": "1", "definition": definition})
        for name, (part, definition) in said.items()
    }


def quantile_rows(found: xr.Dataset) -> pd.DataFrame:
    """Quantiles and probabilities as rows, those of ``summary.csv`` with the error of the bins beside them.

    Columns scenario, variable, year (empty without one), units, a column per level (q05), probability (of an event, or that
    a read-out comes within the window), bin_error, bin_error_units, definition.
    """
    labels = (
        [quantile_column(level) for level in found["quantile"].values.tolist()] if "quantile" in found.coords else []
    )
    rows: list[dict[str, Any]] = []
    for scenario in found["scenario"].values.tolist():
        one = found.sel(scenario=scenario)
        for key in one.data_vars:
            if key not in ("never", "undefined"):
                rows += variable_rows(one, str(key), labels)
    columns = [*COLUMNS, *labels, "probability", "bin_error", "bin_error_units", "definition"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["year"] = frame["year"].astype("Int64")
    return frame.astype(dict.fromkeys((*labels, "probability", "bin_error"), "float64"))


def variable_rows(one: xr.Dataset, name: str, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of one variable in one scenario."""
    values = one[name]
    attrs = values.attrs
    said = {"scenario": one["scenario"].item(), "variable": name, "units": attrs["units"]}
    said |= {"definition": attrs["definition"]}
    if name in EVENTS:
        return [said | {"probability": float(values)}]
    said |= {"bin_error": attrs["bin_error"], "bin_error_units": attrs["bin_error_units"]}
    if "year" in values.dims:
        years = values["year"].values.tolist()
        return [
            said | {"year": year} | dict(zip(labels, row, strict=True))
            for year, row in zip(years, values.values.tolist(), strict=True)
        ]
    row = said | dict(zip(labels, values.values.tolist(), strict=True))
    if name in CENSORED:
        row["probability"] = 1.0 - float(one["never"].sel(variable=name))
    return [row]


def quantile_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows for people: counts instead of their logs, probabilities in percent."""
    labels = [name for name in frame.columns if name.startswith("q") and name[1:2].isdigit()]
    shown = frame[[*COLUMNS, *labels, "probability"]].copy()
    logs = frame["variable"].str.startswith("log10_") & frame["units"].str.startswith("log10")
    for label in labels:
        shown[label] = [
            spoken(value, log, name) for value, log, name in zip(frame[label], logs, frame["variable"], strict=True)
        ]
    shown["probability"] = [None if pd.isna(value) else percent(value) for value in frame["probability"]]
    shown["variable"] = [
        name.removeprefix("log10_") if log else name for name, log in zip(frame["variable"], logs, strict=True)
    ]
    shown["units"] = [
        units.removeprefix("log10").strip() or "1" if log else units
        for units, log in zip(frame["units"], logs, strict=True)
    ]
    return shown.dropna(axis="columns", how="all")


def spoken(value: float, is_log: bool, name: str) -> str | None:
    """One quantile in words; a year as it stands."""
    if pd.isna(value):
        return None
    if name.startswith("year_"):
        return "never" if np.isinf(value) else f"{value:.1f}"
    if is_log and value > 300.0:
        return "never" if np.isinf(value) else f"1e{value:.0f}"
    return number(10.0**value if is_log else value)


def accuracy_sentence(found: xr.Dataset) -> str:
    """What the numbers were made from and how exact they are, in a sentence."""
    draws, kind = found.attrs["draws"], found.attrs["source"]
    made = f"{number(float(draws), 4)} draws of the {kind}"
    made += f", seed {found.attrs['random_seed']}" if "random_seed" in found.attrs else ""
    if found.attrs["exact"]:
        return f"{made}; quantiles are those of the draws themselves."
    parts = {grid_words(values.attrs) for values in found.data_vars.values() if values.attrs.get("bin_error")}
    outside = sum(int(values.attrs.get("outside_bins", 0)) for values in found.data_vars.values())
    beyond = f" {outside} values lie beyond the bins." if outside else ""
    return f"{made}, counted in fixed bins: quantiles are off by {', '.join(sorted(parts))} at most.{beyond}"


def shares_sentence(found: xr.Dataset) -> str:
    """What the quantiles of a take-off are taken over, in a sentence; empty where nothing is left out of any."""
    if "variable" not in found.dims or not float(found["undefined"].max()):
        return ""
    shares = found["undefined"].max(tuple(dim for dim in found["undefined"].dims if dim != "scenario"))
    said = ", ".join(
        f"{percent(share)} in {name}"
        for name, share in zip(shares["scenario"].values.tolist(), shares.values.tolist(), strict=True)
    )
    return (
        f"Draws that do not reach full automation by the end of {found.attrs['window_end']} ({said}) count as never among "
        "times; what exists at full automation only is over the others, and probabilities are over all draws."
    )


def grid_words(attrs: Mapping[str, Any]) -> str:
    """The error of the bins of one variable in words."""
    error, units = float(attrs["bin_error"]), str(attrs["bin_error_units"])
    if units in ("log10", Ratio().units):
        return f"{100.0 * (10.0**error - 1.0 if units == 'log10' else error):.2g}%"
    return f"{error:.1g} {units}" if units == "yr" else f"{100.0 * error:.2g} percentage points"
