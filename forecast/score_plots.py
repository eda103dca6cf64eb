"""Figures of how a forecast came out: calibration curve and PIT histogram with counts; in the style of ``forecast.plots``."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from forecast.errors import InputError
from forecast.evaluation.scoring import Scores
from forecast.plots import BLUE, FONT_SIZE, GREY, INK, ORANGE, legend, new_axes

EXPECTED = "range, 9 in 10, if right"


def plot_calibration(scored: Scores, ax: Axes | None = None) -> Axes:
    """Share of figures inside the central interval against its nominal mass, with counts, on the range expected.

    Above the diagonal the forecast is less sure than it could be, below it too sure. The band is the range in which the
    share would lie 9 times in 10 were the forecast right, its figures' dependence included.

    Parameters
    ----------
    scored
        What ``forecast.evaluation.scoring.score`` returns.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If no figure was scored.

    Examples
    --------
    >>> import forecast as fc
    >>> scored = fc.score(fc.load_run("forecast-out/run.nc"), "newer")  # doctest: +SKIP
    >>> fc.plot_calibration(scored)  # doctest: +SKIP
    """
    curve = scored.calibration
    if curve.empty:
        raise InputError("no figure was scored: a calibration curve needs some")
    ax = new_axes(ax)
    level = curve["level"].to_numpy(dtype=float)
    low, high = (np.concatenate([[0.0], curve[f"expected_{end}"], [1.0]]) for end in ("low", "high"))
    edge = np.concatenate([[0.0], level, [1.0]])
    ax.fill_between(edge, low, high, color=GREY, alpha=0.22, linewidth=0, label=EXPECTED)
    ax.plot([0.0, 1.0], [0.0, 1.0], color=INK, linewidth=1.2, linestyle=":")
    share = curve["share"].to_numpy(dtype=float)
    ax.plot(level, share, color=BLUE, linewidth=2, marker="o", label=f"share of {int(curve['n'].iloc[0])} figures")
    for x, y, inside in zip(level, share, curve["inside"], strict=True):
        ax.annotate(
            str(int(inside)),
            (x, y),
            xytext=(0, 6) if y < 0.93 else (0, -14),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=FONT_SIZE - 1,
        )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("central interval", color=INK, fontsize=FONT_SIZE)
    return legend(ax)


def plot_pit(scored: Scores, ax: Axes | None = None) -> Axes:
    """Histogram of where in their forecasts the figures lie, with counts, on the range expected of a right forecast.

    A slope to the right says that figures come out higher than forecast, heaps at both ends that the forecast is too sure.

    Parameters
    ----------
    scored : Scores
        What `score` returns.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If no figure was scored.

    Examples
    --------
    >>> import forecast as fc
    >>> scored = fc.score(fc.load_run("forecast-out/run.nc"), "newer")  # doctest: +SKIP
    >>> fc.plot_pit(scored)  # doctest: +SKIP
    """
    bins = scored.pit_bins
    if bins.empty:
        raise InputError("no figure was scored: a histogram needs some")
    ax, total = new_axes(ax), int(bins["count"].sum())
    edges = np.append(bins["low"].to_numpy(), bins["high"].iloc[-1])
    ax.stairs(
        bins["expected_high"], edges, baseline=bins["expected_low"], fill=True, color=GREY, alpha=0.22, label=EXPECTED
    )
    bars = ax.bar(
        edges[:-1], bins["count"], width=0.92 * np.diff(edges), align="edge", color=BLUE, alpha=0.6, label="figures"
    )
    ax.bar_label(
        bars, [str(count) if count else "" for count in bins["count"]], padding=2, color=INK, fontsize=FONT_SIZE - 1
    )
    ax.axhline(total / len(bins), color=ORANGE, linewidth=1.2, linestyle=":")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("percentile of the forecast", color=INK, fontsize=FONT_SIZE)
    return legend(ax)
