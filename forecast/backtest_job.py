"""What ``forecast backtest`` does besides computing: priors per cut, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date as Date
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from forecast import backtest_plots as plots
from forecast.comparison_plots import save_figure
from forecast.evaluation.backtest import Backtest
from forecast.evaluation.backtest_words import with_bands
from forecast.evaluation.skill import skill
from forecast.overlays import AnyOverlay, spoken_label
from forecast.priors import Priors, load_priors, read_overlay
from forecast.summaries import full_csv, write_text
from forecast.vintages import vintage_path

GROUPS = ("table", "cut", "horizon_band")


def priors_at_cuts(priors: str | None, views: Sequence[AnyOverlay], vintage: bool) -> Priors | Callable[[Date], Priors]:
    """One set for all cuts, or what gives the vintage of each."""
    if not vintage:
        return load_priors(priors or "baseline", overlays=views)
    return lambda cut: load_priors("baseline", overlays=[vintage_path(cut)])


def stated_marks(priors: str | None, views: Sequence[AnyOverlay]) -> list[str]:
    """What must be said with the scores of priors that are not the shipped ones.

    >>> stated_marks(None, ["davidson2023"])
    ['view davidson2023']
    """
    own = [] if priors is None else [f"priors {priors}"]
    return own + [spoken_label(read_overlay(view).label) for view in views]


def tables(found: Backtest) -> dict[str, pd.DataFrame]:
    """Every table of a back-test, by the name of its file."""
    rows = with_bands(found.rows)
    groups = {f"skill_by_{by}": skill(rows, [by]) for by in GROUPS}
    return (
        {"rows": rows, "fits": found.fits, "unscored": found.unscored}
        | groups
        | {"skill_by_table_and_cut": skill(rows, ["table", "cut"])}
    )


def figures(rows: pd.DataFrame) -> dict[str, Callable[[], Axes]]:
    """A function per figure, by the name of its file."""
    series = {str(name).replace(" ", "_").replace("-", "_"): str(name) for name in rows["series"].unique()}
    drawn: dict[str, Callable[[], Axes]] = {
        "coverage": partial(plots.plot_coverage, rows),
        "coverage_by_table": partial(plots.plot_table_coverage, rows),
    }
    drawn |= {f"skill_by_{by}": partial(plots.plot_skill, with_bands(rows), by) for by in GROUPS}
    return drawn | {f"later_{file}": partial(plots.plot_predictions, rows, name) for file, name in series.items()}


def write_backtest(folder: Path, found: Backtest) -> list[Path]:
    """Write every table as CSV and every figure as SVG."""
    paths = [
        write_text(folder / f"{name}.csv", full_csv(table)) for name, table in tables(found).items() if not table.empty
    ]
    return paths + [save_figure(draw(), folder / f"{name}.svg") for name, draw in figures(found.rows).items()]
