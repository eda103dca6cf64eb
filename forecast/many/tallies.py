"""Counts of one variable over draws, for several years at once: exact to add up in any order, quantiles on demand.

"Never within the window" (+inf) and "only exists where automation is reached" (NaN) are counted apart; neither is a bin.
``tests/many/test_tallies.py`` holds the quantiles to those of the values themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from forecast.errors import ForecastError
from forecast.many.grids import Grid
from forecast.quantiles import quantile

Array = Any  # NumPy array
APART = ("undefined", "never", "below", "above")  # draws that are counted apart, or beyond the ends of the grid


@dataclass
class Tally:
    """What is known of the values of one variable, (column,) for each of its years.

    ``counts`` (column, bin) begin at the grid's bin number ``first``. With ``values`` the draws themselves are kept
    instead, in parts (draw, column).
    """

    grid: Grid
    columns: int
    draws: int = 0
    first: int = 0
    counts: Array = None
    lowest: Array = None
    highest: Array = None
    undefined: Array = None
    never: Array = None
    below: Array = None
    above: Array = None
    values: list[Array] | None = None

    def __post_init__(self) -> None:
        if self.counts is None:
            self.counts = np.zeros((self.columns, 0), dtype=np.int64)
            self.lowest, self.highest = np.full(self.columns, np.inf), np.full(self.columns, -np.inf)
            for name in APART:
                setattr(self, name, np.zeros(self.columns, dtype=np.int64))


@dataclass
class Share:
    """How many of so many draws an event comes true in."""

    draws: int = 0
    true: int = 0


def add(tally: Tally, values: Array) -> None:
    """Count some draws, (draw,) or (draw, column)."""
    table = values.reshape(len(values), tally.columns).T
    tally.draws += table.shape[1]
    if tally.values is not None:
        tally.values.append(np.ascontiguousarray(table.T))
        return
    for column, row in enumerate(table):
        finite = np.isfinite(row)
        if not finite.all():
            tally.undefined[column] += np.isnan(row).sum()
            tally.never[column] += np.isposinf(row).sum()
            row = row[finite]
        if row.size:
            count(tally, column, np.ascontiguousarray(row))


def count(tally: Tally, column: int, row: Array) -> None:
    """Count finite values of one column."""
    low, high = row.min(), row.max()
    tally.lowest[column], tally.highest[column] = min(tally.lowest[column], low), max(tally.highest[column], high)
    if low < tally.grid.low:
        tally.below[column] += (row < tally.grid.low).sum()
    if high > tally.grid.high:
        tally.above[column] += (row > tally.grid.high).sum()
    index = tally.grid.index(row)
    start = int(index.min())
    found = np.bincount(index - start)
    cover(tally, start, start + found.size)
    place = start - tally.first
    tally.counts[column, place : place + found.size] += found


def cover(tally: Tally, start: int, stop: int) -> None:
    """Make room for the bins from `start` to before `stop`."""
    size = tally.counts.shape[1]
    first = min(start, tally.first) if size else start
    last = max(stop, tally.first + size) if size else stop
    if size and first == tally.first and last == tally.first + size:
        return
    counts = np.zeros((tally.columns, last - first), dtype=np.int64)
    if size:
        counts[:, tally.first - first : tally.first - first + size] = tally.counts
    tally.first, tally.counts = first, counts


def merge(tally: Tally, other: Tally) -> None:
    """Add the draws of another tally of the same variable."""
    tally.draws += other.draws
    if tally.values is not None and other.values is not None:
        tally.values += other.values
        return
    for name in APART:
        setattr(tally, name, getattr(tally, name) + getattr(other, name))
    tally.lowest, tally.highest = np.minimum(tally.lowest, other.lowest), np.maximum(tally.highest, other.highest)
    size = other.counts.shape[1]
    if size:
        cover(tally, other.first, other.first + size)
        place = other.first - tally.first
        tally.counts[:, place : place + size] += other.counts


def quantiles(tally: Tally, levels: Sequence[float]) -> Array:
    """Quantiles at some levels, (column, level), over the draws in which the variable exists.

    As of `forecast.quantiles.quantile`: linear between order statistics, +inf where one of them is never; here each order
    statistic is the middle of its bin, or the smallest or largest value where the bin reaches beyond. -inf and +inf also
    where it lies beyond the ends of the grid.
    """
    if tally.values is not None:
        draws = xr.DataArray(np.concatenate(tally.values), dims=("draw", "column"))
        return quantile(draws, levels).transpose("column", "quantile").values
    return np.stack([column_quantiles(tally, column, np.asarray(levels)) for column in range(tally.columns)])


def column_quantiles(tally: Tally, column: int, levels: Array) -> Array:
    """Quantiles of one column."""
    known = tally.draws - int(tally.undefined[column])
    if known == 0:
        return np.full(levels.shape, np.nan)
    position = levels * (known - 1)
    rank = np.floor(position).astype(np.int64)
    weight = position - rank
    low, high = (ordered(tally, column, np.minimum(rank + k, known - 1)) for k in (0, 1))
    with np.errstate(invalid="ignore"):  # inf - inf, replaced on the next line
        between = low + weight * (high - low)
    return np.where((weight == 0.0) | (low == high) | np.isinf(low), low, between)


def ordered(tally: Tally, column: int, rank: Array) -> Array:
    """Order statistics by rank, 0 being the smallest; ranks behind all finite values are never."""
    upto = np.cumsum(tally.counts[column])
    if not upto.size or upto[-1] == 0:
        return np.full(rank.shape, np.inf)
    index = np.searchsorted(upto, rank, side="right")
    finite = index < upto.size
    number, (first, last) = tally.first + np.minimum(index, upto.size - 1), tally.grid.ends
    middle = np.clip(tally.grid.middle(number), tally.lowest[column], tally.highest[column])
    middle = np.where((number == first) & (tally.below[column] > 0), -np.inf, middle)
    return np.where(~finite | ((number == last) & (tally.above[column] > 0)), np.inf, middle)


def missing(tally: Tally) -> tuple[Array, Array]:
    """How many draws are undefined and how many never, (column,)."""
    if tally.values is None:
        return tally.undefined, tally.never
    parts = tally.values
    found = (sum(test(part).sum(axis=0) for part in parts) for test in (np.isnan, np.isposinf))
    undefined, never = (np.zeros(tally.columns, dtype=np.int64) + total for total in found)
    return undefined, never


def refuse_wrong(name: str, tally: Tally, may_be_undefined: bool, may_be_never: bool) -> None:
    """Refuse values that went wrong: NaN or +inf where there can be none.

    Raises
    ------
    ForecastError
        Naming the variable and the number of draws.
    """
    undefined, never = (int(np.max(part)) for part in missing(tally))
    wrong = (0 if may_be_undefined else undefined) + (0 if may_be_never else never)
    if wrong:
        raise ForecastError(f"{name}: {wrong} of {tally.draws} draws are not finite: report this as a bug")
