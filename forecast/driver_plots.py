"""Figures of what drives the answer: effects with intervals, tornado; in the style of ``forecast.plots``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from forecast.comparison_plots import ROW_HEIGHT
from forecast.drivers.evidence_tables import ADDED, LEFT_OUT, Evidence
from forecast.drivers.outputs import Array, parsed_output
from forecast.drivers.sensitivity import OTHERS, UNEXPLAINED, Sensitivity
from forecast.drivers.tables import spoken
from forecast.errors import InputError
from forecast.plots import BLUE, FONT_SIZE, GREY, INK, ORANGE, PURPLE, legend, new_axes

BARS = 0.62  # height of a bar, of a row
INTERVALS = ("low", "high", "inner_low", "inner_high")


def plot_effects(found: Sensitivity, output: str, kind: str = "input", ax: Axes | None = None) -> Axes:
    """Shapley effects of one output as bars with their 90% intervals, the largest on top.

    Parameters
    ----------
    found
        What `sensitivity` returns.
    output
        Name of one of its outputs.
    kind : {"input", "block"}
        Single inputs, or blocks.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> fc.plot_effects(fc.sensitivity(run), "takeoff_years")  # doctest: +SKIP
    """
    table = found.inputs if kind == "input" else found.blocks
    own = rows_of(table, output)
    names = [str(name) for name in own[kind]]
    colours = [GREY if name in (OTHERS, UNEXPLAINED) else BLUE for name in names]
    ax = row_axes([name.replace("_", " ") for name in names], ax)
    share = own["share"].to_numpy()
    ax.barh(range(len(names)), np.maximum(share, 0.0), height=BARS, color=colours, alpha=0.75)
    ax.hlines(range(len(names)), own["low"], own["high"], color=INK, linewidth=2)
    ax.set_xlim(left=min(0.0, float(own["low"].min())))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4))
    ax.set_xlabel("share of the spread (Shapley effect)", color=INK, fontsize=FONT_SIZE)
    return ax


def plot_tornado(found: Sensitivity, output: str, rows: int = 12, ax: Axes | None = None) -> Axes:
    """The output with each leading input at its 10th (orange) and at its 90th percentile (blue), the widest on top.

    A log10 output is drawn as a count on a log axis; an end that is not within the window is an arrow.

    Parameters
    ----------
    found : Sensitivity
        What `sensitivity` returns.
    output : str
        Name of one of its outputs.
    rows : int
        How many inputs.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> fc.plot_tornado(fc.sensitivity(run), "takeoff_years")  # doctest: +SKIP
    """
    own = rows_of(found.tornado, output)
    leading = rows_of(found.inputs, output)["input"]
    own = own[own["input"].isin(set(leading))]
    low, high, base = (own[name].to_numpy() for name in ("low", "high", "base"))
    place, below, beyond = on_axis(np.concatenate([low, high, base]))
    low, high, base = place(low), place(high), place(base)
    order = np.argsort(-np.abs(high - low), kind="stable")[:rows]
    ax = row_axes([str(own["input"].iloc[i]).replace("_", " ") for i in order], ax)
    for row, i in enumerate(order):
        for end, colour, side in ((low[i], ORANGE, "10th"), (high[i], BLUE, "90th")):
            label = None if row else f"{side} pct."
            ax.barh(row, end - base[i], left=base[i], height=BARS, color=colour, alpha=0.75, label=label)
            if end in (below, beyond):
                marker = ">" if end == beyond else "<"
                ax.plot([end], [row], marker=marker, color=colour, markersize=7, clip_on=False)
    ax.axvline(base[0], color=INK, linewidth=1.2)
    what = "probability" if parsed_output(output).is_event else f"median, {units_of(output)}"
    value_axis(ax, output, what)
    return legend(ax)


def plot_waterfall(found: Evidence, output: str, ax: Axes | None = None) -> Axes:
    """One output from the prior, on top, to the posterior, as the blocks of observations are added one after the other.

    A line over the 90% interval, thicker over the 50% one, with a dot at the median and a dotted step to the next; of an
    event, dots at its probability. A ring is the posterior without that block. An arrow is not within the window.

    Parameters
    ----------
    found
        What `evidence` returns.
    output
        Name of one of its outputs.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> fc.plot_waterfall(fc.evidence(run), "takeoff_years")  # doctest: +SKIP
    """
    own, parsed = rows_of(found.steps, output), parsed_output(output)
    added, left = (own[own["kind"] == kind] for kind in (ADDED, LEFT_OUT))
    names = [f"+ {block}".replace("_", " ") for block in added["block"]]
    ax = row_axes(["prior", *names[1:]], ax)
    middle = "probability" if parsed.is_event else "median"
    place, _, beyond = on_axis(own[[middle, *INTERVALS]].to_numpy(dtype=float))
    dots, rows = place(added[middle]), range(len(added))
    colours = [ORANGE, *[BLUE] * (len(added) - 1)]
    for low, high, width in zip(INTERVALS[::2], INTERVALS[1::2], (3.0, 7.0), strict=True):
        ax.hlines(rows, place(added[low]), place(added[high]), colors=colours, linewidth=width, alpha=0.4)
    ax.step(dots, rows, where="pre", color=INK, linewidth=1.2, linestyle=":")
    for marks, marker in ((dots, "o"), (place(added["high"]), ">")):
        shown = np.flatnonzero((marks == beyond) == (marker == ">"))
        ax.scatter(marks[shown], shown, s=42, marker=marker, color=[colours[row] for row in shown], clip_on=False)
    ax.plot([], [], color=BLUE, linestyle="", marker="o", label="blocks so far")
    others = ax.scatter(place(left[middle]), rows[1:], s=100, facecolors="none", edgecolors=PURPLE, label="without it")
    others.set(linewidths=1.6, clip_on=False)
    value_axis(ax, output, middle if parsed.is_event else units_of(output))
    return legend(ax)


def units_of(output: str) -> str:
    """Units of an output as they stand on an axis, of a log10 one those of the count."""
    return parsed_output(output).units.removeprefix("log10 ")


def value_axis(ax: Axes, output: str, label: str) -> None:
    """Ticks of an output as people say them: percent of an event, counts of a log10 number."""
    parsed = parsed_output(output)
    counts = parsed.variable.startswith("log10_") and not parsed.is_event
    said = PercentFormatter(1.0, decimals=0) if parsed.is_event else FuncFormatter(lambda x, _: spoken(output, x))
    ax.xaxis.set_major_formatter(said)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=3 if counts else 4, integer=counts, steps=[1, 2, 5, 10]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(label, color=INK, fontsize=FONT_SIZE)


def on_axis(values: Array) -> tuple[Callable[[Array], Array], float, float]:
    """Where numbers stand on an axis, and the places below and beyond all finite ones for -inf and +inf."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise InputError("nothing here lies within the window: choose another output or more years")
    margin = 0.08 * (float(np.ptp(finite)) or 1.0)
    below, beyond = float(finite.min()) - margin, float(finite.max()) + margin
    return lambda x: np.nan_to_num(np.asarray(x, dtype=float), nan=np.nan, neginf=below, posinf=beyond), below, beyond


def can_be_drawn(table: pd.DataFrame, output: str) -> bool:
    """Whether any end of an output's tornado lies within the window."""
    own = table[table["output"] == output] if len(table) else table
    return bool(len(own)) and bool(np.isfinite(own[["low", "high", "base"]].to_numpy(dtype=float)).any())


def rows_of(table: pd.DataFrame, output: str) -> pd.DataFrame:
    """Rows of one output; an error names those there are."""
    known = list(dict.fromkeys(table["output"])) if len(table) else []
    if output not in known:
        raise InputError(f"no output {output!r} in this analysis: it has {', '.join(map(str, known)) or 'none'}")
    return table[table["output"] == output]


def row_axes(labels: list[str], ax: Axes | None) -> Axes:
    """Axes with a labelled row per item, the first on top."""
    ax = new_axes(ax)
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.set_size_inches(figure.get_size_inches()[0], 1.0 + ROW_HEIGHT * 0.9 * len(labels))
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(True, axis="x", color=INK, alpha=0.22, linewidth=0.8)
    ax.grid(False, axis="y")
    return ax
