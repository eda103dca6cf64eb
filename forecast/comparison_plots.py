"""Figures of rows side by side: views, forms, organisations, and the hardware leap; in the style of ``forecast.plots``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from forecast.errors import InputError
from forecast.headlines import Estimate, estimate
from forecast.plots import BLUE, DASHES, FONT_SIZE, GREY, INK, ORANGE, PALETTE, legend, new_axes
from forecast.research.forms import form_words
from forecast.whole_files import replacing
from forecast.words import number

ROW_HEIGHT = 0.34  # inches
HARDLY = 0.05
LABEL = 34  # characters of a line under an axis that long names have made narrow
WIDE = 28  # characters of a label that leave little room for the axis
UNDATED: dict[str, dict[str, None]] = {"svg": {"Date": None}, "png": {}, "pdf": {"CreationDate": None}}  # metadata
FIGURE_FORMATS = tuple(f".{kind}" for kind in UNDATED)


def plot_intervals(
    labels: Sequence[str], values: Sequence[Estimate], xlabel: str = "", log: bool = False, ax: Axes | None = None
) -> Axes:
    """A dot at each median on a line over its interval, first row on top; an end that never comes is an arrow.

    Examples
    --------
    >>> ax = plot_intervals(["a", "b"], [Estimate(1.0, 2.0, 4.0, 0.9), Estimate(1.0, 3.0, np.inf, 0.9)])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['a', 'b']
    """
    if len(labels) != len(values) or not labels:
        raise InputError(f"{len(labels)} labels for {len(values)} intervals: give one each, at least one")
    ax = new_axes(ax)
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.set_size_inches(figure.get_size_inches()[0], 0.9 + ROW_HEIGHT * len(labels) + 0.2 * xlabel.count("\n"))
    finite = [x for one in values for x in (one.low, one.median, one.high) if np.isfinite(x) and (x > 0.0 or not log)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    end = high * (high / low) ** 0.06 if log else high + 0.06 * (high - low or 1.0)
    for row, one in enumerate(values):
        colour = BLUE if row else ORANGE
        ends = [min(max(x, low), end) if np.isfinite(x) else end for x in (one.low, one.median, one.high)]
        if np.isnan(one.median):
            continue
        ax.plot([ends[0], ends[2]], [row, row], color=colour, linewidth=3, alpha=0.45, solid_capstyle="round")
        if np.isinf(one.high):
            ax.plot([end], [row], marker=">", color=colour, markersize=7, clip_on=False)
        if np.isfinite(one.median):
            ax.plot([ends[1]], [row], marker="o", color=colour, markersize=6)
    ax.set_yticks(range(len(labels)), list(labels))
    ax.set_ylim(len(labels) - 0.5, -0.5)
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=2 if max(map(len, labels)) > WIDE else 5, steps=[1, 2, 5, 10]))
    ax.grid(True, axis="x", color=INK, alpha=0.22, linewidth=0.8)
    ax.grid(False, axis="y")
    ax.set_xlabel(xlabel, color=INK, fontsize=FONT_SIZE)
    return ax


def plot_views(compared: xr.Dataset, name: str = "year_100", ax: Axes | None = None) -> Axes:
    """One read-out of every view and scenario: median and 90% interval, the run itself first.

    Parameters
    ----------
    compared
        What `compare` returns.
    name
        A read-out; a ``log10_`` one is drawn as a count.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> ax = fc.plot_views(fc.compare(run, ["davidson2023"]))
    """
    counts = name.startswith("log10_")
    labels, values = [], []
    scenarios = [str(scenario) for scenario in compared["scenario"].values]
    for view in compared["view"].values:
        for scenario in scenarios:
            words = [str(view)] + ([scenario] if len(scenarios) > 1 else [])
            labels.append(", ".join(words).replace("_", " "))
            values.append(estimate(compared[name].sel(view=view, scenario=scenario), power=10.0 if counts else None))
    units = str(compared[name].attrs.get("units", "")).removeprefix("log10 ")
    said = str(compared[name].attrs.get("definition", name))
    label = (
        fill(f"{said} ({units})", LABEL) + f"\nmedian and {values[0].prob:.0%} interval;\narrow: not within the window"
    )
    return plot_intervals(labels, values, label, counts or units == "OOM", ax)


def plot_forms(comparison: xr.Dataset, name: str = "best_year_gain", ax: Axes | None = None) -> Axes:
    """One quantity of every form of the take-off: median and 90% interval, the main form first.

    Parameters
    ----------
    comparison : xarray.Dataset
        What `all_forms` returns.
    name : str
        A gain, such as ``best_year_gain``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> ax = fc.plot_forms(fc.all_forms(run))
    """
    labels = [str(label) for label in comparison["form"].values]
    values = [estimate(comparison[name].sel(form=label)) for label in labels]
    return plot_intervals([form_words(label) for label in labels], values, "OOM", log=True, ax=ax)


def plot_organisations(found: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Progress of every organisation and practice relative to NormalCorp: median and 90% interval.

    Parameters
    ----------
    found : xarray.Dataset
        What `organisations` returns.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> ax = fc.plot_organisations(fc.organisations(run))
    """
    labels: list[str] = []
    values: list[Estimate] = []
    for organisation in found["organisation"].values:
        for practice in found["practice"].values:
            one = estimate(found["log10_progress"].sel(organisation=organisation, practice=practice), power=10.0)
            same = (
                values
                and abs(one.median / values[-1].median - 1.0) < HARDLY
                and labels[-1].startswith(f"{organisation}, ")
            )
            if one.low == one.high or same:
                continue  # NormalCorp is 1 by definition; a practice that changes nothing needs no line
            labels.append(f"{organisation}, {str(practice).replace('_', ' ')}")
            values.append(one)
    ax = plot_intervals(labels, values, "progress, NormalCorp = 1", True, ax)
    ax.axvline(1.0, color=GREY, linewidth=1.2, linestyle=":")
    return ax


def plot_leap(found: xr.Dataset, ax: Axes | None = None) -> Axes:
    """OOM that the leap alone and software alone gain by months after the start: medians with 90% intervals.

    Parameters
    ----------
    found : xarray.Dataset
        What `leap` returns.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> ax = fc.plot_leap(fc.leap(run, factor=10, start=2030.0))
    """
    ax = new_axes(ax)
    months = found["month"].values
    for index, (name, label) in enumerate((("hardware_gain", "hardware alone"), ("software_gain", "software alone"))):
        bands = [estimate(found[name].sel(month=month)) for month in months]
        low, middle, high = (np.array([getattr(band, side) for band in bands]) for side in ("low", "median", "high"))
        ax.fill_between(months, low, high, color=PALETTE[index], alpha=0.2, linewidth=0)
        ax.plot(months, middle, color=PALETTE[index], linestyle=DASHES[index], linewidth=2, label=label, marker="o")
    ax.set_xlabel("months after the start", color=INK, fontsize=FONT_SIZE)
    ax.set_ylabel("OOM", color=INK, fontsize=FONT_SIZE)
    ax.set_xticks(months)
    return legend(ax)


def plot_what_if(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Year of full automation by what is seen: median and 90% interval; `table` is `what_if_table`'s."""
    names = [f"year_100_{q}" for q in ("q05", "q50", "q95")]
    values = [Estimate(low, median, high, 0.9) for low, median, high in table[names].itertuples(index=False)]
    return plot_intervals([str(name) for name in table.index], values, "yr", ax=ax)


def plot_speedup(curve: xr.DataArray, ax: Axes | None = None) -> Axes:
    """P(speed-up >= x), a line per staffing, on a log axis; 30 times is marked.

    Parameters
    ----------
    curve : xarray.DataArray
        P(speed-up >= x) as ``research.implementers.speedup_curve`` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> from forecast.research.implementers import speedup_curve
    >>> ax = fc.plot_speedup(speedup_curve(fc.speedup(run)))
    """
    ax = new_axes(ax)
    for index, staffing in enumerate(curve["staffing"].values):
        label = str(staffing).replace("_", " ")
        values = curve.sel(staffing=staffing)
        ax.plot(
            curve["speedup"].values, values, color=PALETTE[index], linestyle=DASHES[index], linewidth=2, label=label
        )
    ax.axvline(30.0, color=GREY, linewidth=1.2, linestyle=":")
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("research at least so many times as fast", color=INK, fontsize=FONT_SIZE)
    ax.margins(x=0)
    return legend(ax)


def checked_figure(path: str | Path) -> Path:
    """The path of a figure, which must end as one that can be written."""
    target = Path(path)
    if target.suffix.lower() not in FIGURE_FORMATS:
        raise InputError(f"{target}: cannot be a figure: end its name with {', '.join(FIGURE_FORMATS)}")
    return target


def save_figure(ax: Axes, path: str | Path) -> Path:
    """Write the figure of an Axes as .svg, .png or .pdf; the same figure gives the same bytes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of the figure, as every ``plot_`` function returns it.
    path : str or Path
        Where to; the ending says the format.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    InputError
        For another ending, or a folder that cannot be written.

    Examples
    --------
    >>> import forecast as fc
    >>> fc.save_figure(fc.plot_skill(fc.kept_backtests()["vintage"].rows), "skill.svg")  # doctest: +SKIP
    """
    target = checked_figure(path)
    figure, kind = ax.get_figure(root=True), target.suffix[1:].lower()
    try:
        with replacing(target) as partial, rc_context({"svg.hashsalt": "forecast"}):
            figure.savefig(partial, dpi=150, format=kind, metadata=UNDATED[kind])  # type: ignore[union-attr]
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); choose another folder") from error
    return target
