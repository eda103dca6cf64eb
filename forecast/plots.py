"""Figures from Datasets: each function draws on the Axes it is given, or on a new one, and returns it.

Nothing is computed here but the quantiles and probabilities of ``forecast.summaries``; no global matplotlib state is
read or changed. The ink and the palette keep a contrast of 3:1 and more on white and on near-black, so one figure
serves both; ``tests/test_plots.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)
from matplotlib.transforms import blended_transform_factory

from forecast.errors import InputError
from forecast.quantiles import Floats, quantile
from forecast.summaries import THRESHOLDS, exceedance, length_shares, tail
from forecast.words import number, percent

INK = "#767676"
BLUE, ORANGE, GREEN, PURPLE, GREY = PALETTE = ("#2f7fc1", "#d55e00", "#0b8f6a", "#b65c97", "#7d7d7d")
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (2, 1.5)),
    (0, (6, 1.5, 1, 1.5)),
    ":",
)
SIZE = (4.6, 3.2)
FONT_SIZE = 10.0


def plot_fan(data: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Median, 50% and 90% intervals by year.

    Parameters
    ----------
    data
        Draws with a ``year`` dim. A ``log10`` quantity (by its units) is shown as a count on a log axis. Of several
        scenarios the first has the intervals, the others their medians.
    ax
        Where to draw; a new figure if missing.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> draws = xr.DataArray(np.ones((9, 2)), dims=("draw", "year"), coords={"year": [2027, 2028]})
    >>> plot_fan(draws.assign_attrs(units="log10 streams")).get_yscale()
    'log'
    """
    ax = new_axes(ax)
    log10 = str(data.attrs.get("units", "")).startswith("log10")
    years = data.coords["year"].values
    for index, (label, one) in enumerate(by_scenario(data)):
        bands = quantile(one, [0.05, 0.25, 0.5, 0.75, 0.95]).transpose("quantile", "year").values
        low, inner_low, median, inner_high, high = 10.0**bands if log10 else bands
        if index == 0:
            ax.fill_between(years, low, high, color=BLUE, alpha=0.22, linewidth=0, label="90% interval")
            ax.fill_between(years, inner_low, inner_high, color=BLUE, alpha=0.38, linewidth=0, label="50% interval")
        name = "median" if index == 0 else f"median, {label}"
        ax.plot(years, median, color=PALETTE[index % 5], linestyle=DASHES[index % 5], linewidth=2, label=name)
    if log10:
        _log_axis(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))
    ax.margins(x=0)
    return legend(ax)


def plot_exceedance(data: xr.DataArray, thresholds: Sequence[float] = THRESHOLDS, ax: Axes | None = None) -> Axes:
    """P(X > x) by year, a line per threshold (in the units of ``data``; of a ``log10`` quantity labelled as counts).

    Parameters
    ----------
    data : xarray.DataArray
        Draws with a ``year`` dim; of several scenarios the first.
    thresholds : sequence of float
        In the units of the data.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> draws = xr.DataArray(np.ones((9, 2)), dims=("draw", "year"), coords={"year": [2027, 2028]})
    >>> len(plot_exceedance(draws, [0.5, 2.0]).lines)
    2
    """
    ax = new_axes(ax)
    log10 = str(data.attrs.get("units", "")).startswith("log10")
    one = first_scenario(data)
    for index, threshold in enumerate(thresholds):
        ax.plot(
            one.coords["year"].values,
            exceedance(one, threshold).values,
            color=PALETTE[index % 5],
            linestyle=DASHES[index % 5],
            linewidth=2,
            label=f"> {number(10.0**threshold if log10 else threshold)}",
        )
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))
    ax.margins(x=0)
    return legend(ax)


def plot_takeoff_lengths(readouts: xr.Dataset, end: int | None = None, ax: Axes | None = None) -> Axes:
    """Shares of draws by years from 20% to 100% automation, with a bar of its own for those that never get there.

    Parameters
    ----------
    readouts : xarray.Dataset
        What `takeoff` returns; of several scenarios the first.
    end : int, optional
        Last year of the window, for the label of those that never get there.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> lengths = xr.DataArray([0.7, 4.0, np.inf], dims="draw")
    >>> ax = plot_takeoff_lengths(xr.Dataset({"takeoff_years": lengths}), end=2045)
    """
    ax = new_axes(ax)
    labels, shares = length_shares(readouts["takeoff_years"], end)
    bars = ax.barh(labels, shares, height=0.72, color=[BLUE] * (len(shares) - 1) + [ORANGE])
    ax.bar_label(bars, [percent(share) for share in shares], padding=4, color=INK, fontsize=FONT_SIZE)
    ax.invert_yaxis()
    ax.set_xlim(0.0, max(shares) * 1.18)
    ax.xaxis.set_major_locator(NullLocator())
    ax.tick_params(axis="y", length=0)
    ax.spines["bottom"].set_visible(False)
    ax.grid(False)
    ax.set_ylabel("years from 20% to 100%", color=INK, fontsize=FONT_SIZE)
    return ax


def plot_tail(data: xr.DataArray, points: Sequence[float], xlabel: str = "", ax: Axes | None = None) -> Axes:
    """P(X >= x) at ``points`` over all draws, a line per scenario; a draw without a value counts as no."""
    ax = new_axes(ax)
    for index, (label, one) in enumerate(by_scenario(data)):
        ax.plot(
            points, tail(one, points), color=PALETTE[index % 5], linestyle=DASHES[index % 5], linewidth=2, label=label
        )
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.margins(x=0)
    ax.set_xlabel(xlabel, color=INK, fontsize=FONT_SIZE)
    return legend(ax)


def plot_prior_posterior(
    prior_samples: xr.DataArray, posterior_samples: xr.DataArray | None, name: str, ax: Axes | None = None
) -> Axes:
    """Histograms of one parameter before (outline) and after (filled) the data, to 99% of the draws, equal areas.

    A positive parameter that spans more than two decades has a log axis. Without a posterior the prior stands alone.

    Parameters
    ----------
    prior_samples : xarray.DataArray
        Draws before the data.
    posterior_samples : xarray.DataArray or None
        Draws after them.
    name : str
        Label of the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> before, after = (xr.DataArray(np.linspace(0.0, top, 100), dims="draw") for top in (2.0, 1.0))
    >>> plot_prior_posterior(before, after, "returns").get_xlabel()
    'returns'
    """
    ax = new_axes(ax)
    prior = _draws(prior_samples)
    both = [prior] if posterior_samples is None else [prior, _draws(posterior_samples)]
    tails = np.array([quantile(xr.DataArray(draws, dims="draw"), [0.005, 0.995]).values for draws in both])
    low, high = tails[:, 0].min(), tails[:, 1].max()
    log = low > 0.0 and high > 100.0 * low
    pad = 0.0 if high > low else 0.5
    edges = np.geomspace(low, high, 41) if log else np.linspace(low - pad, high + pad, 41)
    # equal areas as drawn: on a log axis a density per decade, not per unit
    width = np.diff(np.log10(edges)) if log else np.diff(edges)
    heights = [np.histogram(draws, edges)[0] / (draws.size * width) for draws in both]
    for posterior in heights[1:]:
        ax.stairs(posterior, edges, fill=True, color=BLUE, alpha=0.6, label="posterior")
    ax.stairs(heights[0], edges, color=GREY, linewidth=1.5, label="prior")
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 3)))
    ax.yaxis.set_major_locator(FixedLocator([]))
    ax.set_xlabel(name, color=INK, fontsize=FONT_SIZE)
    return legend(ax)


def new_axes(ax: Axes | None) -> Axes:
    """The Axes given, or a new one, without frame and with a quiet grid."""
    if ax is None:
        figure = Figure(figsize=SIZE, layout="constrained")
        figure.patch.set_alpha(0.0)
        ax = figure.subplots()
    ax.patch.set_alpha(0.0)
    ax.tick_params(colors=INK, labelsize=FONT_SIZE, which="both")
    ax.grid(True, axis="y", color=INK, alpha=0.22, linewidth=0.8)
    ax.set_axisbelow(True)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
    ax.tick_params(axis="y", length=0)
    return ax


def _log_axis(ax: Axes) -> None:
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def legend(ax: Axes) -> Axes:
    """A legend above the Axes where it has more than one label; alone in its figure, it begins at the figure's edge."""
    handles, _ = ax.get_legend_handles_labels()
    if len(handles) > 1:
        figure = ax.get_figure(root=True)
        edge = figure.transFigure if figure is not None and len(figure.axes) == 1 else ax.transAxes
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            bbox_transform=blended_transform_factory(edge, ax.transAxes),
            ncols=2,
            frameon=False,
            fontsize=FONT_SIZE,
            labelcolor=INK,
            borderaxespad=0.2,
            handlelength=1.8,
            columnspacing=1.2,
        )
    return ax


def by_scenario(data: xr.DataArray) -> list[tuple[str, xr.DataArray]]:
    """Label and draws of each scenario, in order."""
    if "scenario" not in data.dims:
        return [(str(data.coords["scenario"].item()) if "scenario" in data.coords else "", data)]
    labels = [str(value) for value in data.coords["scenario"].values]
    return [(label.replace("_", " "), data.isel(scenario=index)) for index, label in enumerate(labels)]


def first_scenario(data: xr.DataArray) -> xr.DataArray:
    """The main scenario's draws."""
    return by_scenario(data)[0][1]


def _draws(samples: xr.DataArray) -> Floats:
    draws = np.asarray(samples, dtype=np.float64).ravel()
    if draws.size == 0 or not np.isfinite(draws).all():
        raise InputError("samples are empty or not finite; a density needs finite draws")
    return draws
