"""Figures of a back-test: fans with what came later, coverage, skill; in the style of ``forecast.plots``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, MaxNLocator, PercentFormatter

from forecast.driver_plots import row_axes
from forecast.errors import InputError
from forecast.evaluation.backtest_words import TARGET
from forecast.evaluation.skill import ALL, inside, skill
from forecast.families import suggestion
from forecast.plots import BLUE, FONT_SIZE, GREEN, GREY, INK, ORANGE, PURPLE, legend, new_axes

LEVELS = np.linspace(0.05, 0.95, 19)
CUT_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)


def plot_predictions(rows: pd.DataFrame, series: str, ax: Axes | None = None) -> Axes:
    """Later figures of one series against their predictions at each cut: median, 50% and 90% intervals.

    Parameters
    ----------
    rows
        ``Backtest.rows``.
    series
        A table, or ``record run`` and ``other top-3 run``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If there is no such series.

    Examples
    --------
    >>> import forecast as fc
    >>> ax = fc.plot_predictions(fc.kept_backtests()["vintage"].rows, "record run")
    """
    own = rows[rows["series"] == series]
    if own.empty:
        raise InputError(f"no series {series!r} in this back-test{suggestion(series, rows['series'].unique())}")
    ax = new_axes(ax)
    cuts = sorted(own["cut"].unique())
    for i, cut in enumerate(cuts):
        part = own[own["cut"] == cut].sort_values("date")
        at = part["date"] + 0.02 * (i - (len(cuts) - 1) / 2)
        colour = CUT_COLOURS[i % len(CUT_COLOURS)]
        ax.vlines(at, part["q05"], part["q95"], color=colour, linewidth=1.2, alpha=0.6, label=f"as of {cut}")
        ax.vlines(at, part["q25"], part["q75"], color=colour, linewidth=3.2, alpha=0.6)
    ax.plot(own["date"], own["observed"], "o", color=INK, markersize=4, label="came later")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.xaxis.set_major_formatter(FormatStrFormatter("%.1f"))
    ax.set_ylabel(f"{series.replace('_', ' ')} ({own['units'].iloc[0]})", color=INK, fontsize=FONT_SIZE)
    legend(ax)
    return ax


def plot_coverage(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Share of later figures inside the central interval of each mass, against that mass; a calibrated one is the diagonal.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``Backtest.rows``, or any part of it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> ax = fc.plot_coverage(fc.kept_backtests()["vintage"].rows)
    """
    ax = new_axes(ax)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, label="calibrated")
    for cut, colour in zip(sorted(rows["cut"].unique()), CUT_COLOURS, strict=False):
        part = rows[rows["cut"] == cut]
        ax.plot(
            LEVELS, [inside(part["pit"], level) for level in LEVELS], color=colour, label=f"as of {cut} ({len(part)})"
        )
    whole = [inside(rows["pit"], level) for level in LEVELS]
    ax.plot(LEVELS, whole, color=INK, linewidth=2.5, label=f"all ({len(rows)})")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("mass of the predictive interval", color=INK, fontsize=FONT_SIZE)
    ax.set_ylabel("share of later figures inside", color=INK, fontsize=FONT_SIZE)
    legend(ax)
    return ax


def plot_skill(rows: pd.DataFrame, by: str = "table", ax: Axes | None = None) -> Axes:
    """Skill against the straight line of each table, cut or horizon band, with 90% intervals over figures.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``Backtest.rows``, or any part of it.
    by : {"table", "cut", "horizon_band"}
        What makes a group.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> ax = fc.plot_skill(fc.kept_backtests()["vintage"].rows)
    """
    found = skill(rows, [by])
    found = found[found["skill_line"].notna()]
    names = ["all" if name == ALL else str(name).replace("_", " ") for name in found[by]]
    ax = row_axes(names, ax)
    colours = [ORANGE if value < 0.0 else BLUE for value in found["skill_line"]]
    ax.hlines(
        range(len(names)),
        found["skill_line_low"].clip(lower=-1.0),
        found["skill_line_high"],
        color=colours,
        linewidth=2,
    )
    ax.scatter(found["skill_line"].clip(lower=-1.0), range(len(names)), color=colours, s=28, zorder=3)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_xlabel("skill (1 perfect, 0 no better)", color=INK, fontsize=FONT_SIZE)
    return ax


def plot_table_coverage(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Share of later figures of each table inside their 90% interval, the range to reach shaded."""
    found = skill(rows, ["table"])
    names = ["all" if name == ALL else str(name).replace("_", " ") for name in found["table"]]
    ax = row_axes([f"{name} ({n})" for name, n in zip(names, found["n"], strict=True)], ax)
    ax.axvspan(*TARGET, color=GREY, alpha=0.2, linewidth=0)
    ax.scatter(found["coverage_90"], range(len(names)), color=BLUE, s=28, zorder=3)
    ax.set_xlim(0.0, 1.02)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("later figures inside their 90% interval", color=INK, fontsize=FONT_SIZE)
    return ax
