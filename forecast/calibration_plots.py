"""Figures of calibration: where truths lie among their draws, and how often intervals held them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, PercentFormatter

from forecast.comparison_plots import ROW_HEIGHT
from forecast.errors import InputError
from forecast.evaluation.calibration_summary import Summary
from forecast.evaluation.ranks import BAND, EDGES, FINE, band, ecdf_difference
from forecast.plots import BLUE, DASHES, FONT_SIZE, GREY, INK, ORANGE, PALETTE, legend, new_axes
from forecast.words import percent

NAMED = 3  # curves that are told apart; a legend has no room for more


def plot_rank_ecdf(found: Summary, ax: Axes | None = None) -> Axes:
    """Share of the truths below each position among their draws, less the share expected, a curve per quantity.

    The band holds a whole curve with probability 95% where the posterior is right, so of 20 curves about one leaves it
    by chance; those that the tests of all of them together call not calibrated are coloured and named.

    Parameters
    ----------
    found
        What `summary` returns, or the summary of a kept result.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> from forecast.evaluation.calibration_summary import summary
    >>> fc.plot_rank_ecdf(summary(fc.sbc(blocks="depth_scaling", replicates=40)))  # doctest: +SKIP
    """
    ax = new_axes(ax)
    low, high = band(int(found.counts[0].sum()))
    ax.fill_between(
        [0.0, *EDGES, 1.0], [0.0, *low, 0.0], [0.0, *high, 0.0], color=BLUE, alpha=0.2, linewidth=0, label="band"
    )
    wrong = (found.parameters["verdict"] != FINE).to_numpy()
    x = np.array([0.0, *EDGES, 1.0])
    named = 0
    for curve, name, off in zip(ecdf_difference(found.counts), found.parameters["parameter"], wrong, strict=True):
        y = [0.0, *curve, 0.0]
        if not off:
            ax.plot(x, y, color=GREY, linewidth=1.0, alpha=0.6)
            continue
        colour, dash = PALETTE[1 + named % 3], DASHES[named % 4]
        label = str(name).replace("_", " ") if named < NAMED else None
        ax.plot(x, y, color=colour, linestyle=dash, linewidth=2, label=label, zorder=3)
        named += 1
    ax.margins(x=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("position of the truth among its draws", color=INK, fontsize=FONT_SIZE)
    ax.set_ylabel(f"below it, less expected ({percent(BAND)} band)", color=INK, fontsize=FONT_SIZE)
    return legend(ax)


def plot_held(found: Sequence[Summary], ax: Axes | None = None) -> Axes:
    """How often 90% (blue) and 50% (orange) intervals held the truth: a row per model, with the share's own interval."""
    if not found:
        raise InputError("no calibration to draw: run forecast sbc first")
    ax = new_axes(ax)
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.set_size_inches(figure.get_size_inches()[0], 1.1 + ROW_HEIGHT * len(found))
    for name, colour, mass in (("held_90", BLUE, 0.9), ("held_50", ORANGE, 0.5)):
        ax.axvline(mass, color=INK, linewidth=1.0, linestyle=":")
        for row, one in enumerate(found):
            share, low, high = (one.model[f"{name}{end}"] for end in ("", "_low", "_high"))
            ax.plot([low, high], [row, row], color=colour, linewidth=3, alpha=0.45, solid_capstyle="round")
            label = f"{percent(mass)} intervals" if row == 0 else None
            ax.plot([share], [row], marker="o", linestyle="", color=colour, markersize=6, label=label)
    ax.set_yticks(range(len(found)), [str(one.model["model"]).replace("_", " ") for one in found])
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.grid(True, axis="x", color=INK, alpha=0.22, linewidth=0.8)
    ax.grid(False, axis="y")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("share of the intervals that held the truth", color=INK, fontsize=FONT_SIZE)
    return legend(ax)
