"""The report's section on what next year may show: the draws reweighted by it, and what each observation is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from forecast import comparison_plots as plots
from forecast.reporting.answers import Answers
from forecast.reporting.content import Section, Table
from forecast.reporting.figures import drawn
from forecast.reporting.rivals_section import interval_of
from forecast.research import compare, indicator_tables, indicators
from forecast.summaries import COLUMNS
from forecast.words import number, percent, span

EVENT_YEAR = 2030


def watch_answer(run: xr.DataTree, years: list[int] | None) -> Answers:
    """What next year may show, and what it would be worth."""
    by = EVENT_YEAR if years is None else min(EVENT_YEAR, years[-1])
    found = indicators.watch(run, event_year=by, years=years)
    table = indicator_tables.what_if_table(found)
    section = Section(
        "watch",
        "What next year may show",
        "The draws reweighted by what three figures may show a year from now, measured as such figures are: the best task "
        "horizon, the record training run, the leading developer's fleet. A bit is what it takes to settle an even chance.",
        indicator_tables.watch_sentences(found),
        (
            drawn(
                "watch-year",
                lambda: plots.plot_what_if(table),
                "Year of full automation, by what is seen",
                table.reset_index(),
            ),
        ),
        (
            Table("what-if-table", "If it is seen", what_if_words(table)),
            Table("indicators-table", "Expected, and what seeing it is worth", indicators_words(found)),
        ),
    )
    rows = [
        {
            "scenario": "baseline",
            "form": "watch",
            "variable": f"full automation by {found.attrs['event_year']} if {name}",
            "units": "1",
            "probability": row["event_probability"],
            "definition": "share of the draws, reweighted by what is seen",
        }
        for name, row in table.iterrows()
    ]
    return Answers((section,), pd.DataFrame(rows, columns=list(COLUMNS)))


def what_if_words(table: pd.DataFrame) -> pd.DataFrame:
    """`indicator_tables.what_if_table` as a reader says it."""
    rows = []
    for name, row in table.iterrows():
        year, length = interval_of(row, "year_100"), interval_of(row, "takeoff_years")
        rows.append(
            {
                "If": str(name),
                "P(full automation by then)": percent(row["event_probability"]),
                "Full automation": compare.spoken(year, lambda x: str(int(x)), "not in the window"),
                "20% to 100%, years": compare.spoken(length, number, "not in the window"),
                "Draws that count": number(row["effective_draws"]),
                "": row["mark"],
            }
        )
    return pd.DataFrame(rows)


def indicators_words(found: xr.Dataset) -> pd.DataFrame:
    """`indicator_tables.indicators_table` as a reader says it."""
    rows = []
    for name, row in indicator_tables.indicators_table(found).iterrows():
        expected = (
            "–" if np.isnan(row["q50"]) else f"{number(row['q50'])} ({span(number(row['q05']), number(row['q95']))})"
        )
        rows.append(
            {
                "Figure": str(name).replace("_", " "),
                "Expected": f"{expected} {row['units']}".strip(),
                "Worth, bits": f"{number(row['information'])} ± {number(row['information_error'], 1)}",
                "Variance of the year's rank it explains": percent(row["variance_reduction"]),
            }
        )
    return pd.DataFrame(rows)
