"""The report's sections on other structures and other people: rival forms of the take-off, and views, side by side."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import comparison_plots as plots
from forecast.dynamics.mixture import form_weights, mixture
from forecast.headlines import Estimate
from forecast.priors import read_overlay
from forecast.reporting import numbers
from forecast.reporting.answers import Answers
from forecast.reporting.content import Section, Table
from forecast.reporting.figures import drawn
from forecast.research import compare
from forecast.research import forms as rival_forms
from forecast.research.rows import result_rows
from forecast.summaries import COLUMNS
from forecast.words import number, percent


def forms_answer(run: xr.DataTree, readouts: xr.Dataset | None, years: list[int] | None) -> Answers:
    """Rival forms side by side, and their mixture; `readouts` with the scenario ``baseline`` if at hand."""
    compared = rival_forms.all_forms(run, readouts, years)
    mixed = mixture(compared, form_weights(run))
    table = rival_forms.forms_table(compared, mixed)
    sentence = rival_forms.mixture_sentence(mixed)
    caption = "Software in the best 12 months, by form of the take-off"
    figure = drawn("forms-gain", lambda: plots.plot_forms(compared), caption, table)
    section = Section(
        "forms",
        "Rival forms of the take-off",
        "The structure of such a model is uncertain too. Every form answers in OOM of software gained in its best 12 months, "
        "and in years of people-only progress; with this posterior's parameters where they mean the same, and as published.",
        (sentence,),
        (figure,),
        (Table("forms-table", "Forms side by side: median (90% interval)", forms_words(table)),),
    )
    return Answers((section,), rows_of_forms(table))


def forms_words(table: pd.DataFrame) -> pd.DataFrame:
    """`forms_table` as a reader says it."""
    rows = []
    for row in table.to_dict("records"):
        rows.append(
            {
                "Form": rival_forms.form_words(str(row["form"])),
                "Best 12 months, OOM": triple(row, "best_year_gain"),
                "People-only years": triple(row, "best_year_gain_human_years"),
                "3 years in 12 months": percent(row["best_year_3_human_years"]),
                "10 in 12 months": percent(row["best_year_10_human_years"]),
                "20% to 100%, years": triple(row, "takeoff_years"),
                "In its own terms": row["own_definition"],
            }
        )
    return pd.DataFrame(rows)


def triple(row: dict[str, Any], name: str) -> str:
    """Median and interval of three columns in words, a dash where there are none."""
    found = interval_of(row, name)
    return "–" if np.isnan(found.median) else compare.spoken(found, number, "not in the window")


def interval_of(row: Any, name: str) -> Estimate:
    """Median and 90% interval of three columns."""
    low, median, high = (float(row[f"{name}_{q}"]) for q in ("q05", "q50", "q95"))
    return Estimate(low, median, high, 0.9)


def rows_of_forms(table: pd.DataFrame) -> pd.DataFrame:
    """`forms_table` as rows of ``summary.csv``, the form in its column."""
    gains = {"best_year_gain": "OOM", "best_year_gain_human_years": "yr", "takeoff_years": "yr"}
    rows = []
    for one in table.to_dict("records"):
        labels = {"scenario": "baseline", "form": one["form"]}
        for name, units in gains.items():
            if not np.isnan(one[f"{name}_q50"]):
                values = {q: one[f"{name}_{q}"] for q in ("q05", "q50", "q95")}
                rows.append(labels | {"variable": f"forms: {name}", "units": units} | values)
        for name in ("best_year_3_human_years", "best_year_10_human_years"):
            rows.append(labels | {"variable": f"forms: {name}", "units": "1", "probability": one[name]})
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.assign(definition="forms of the take-off side by side, in OOM of software in the best 12 months")


def views_answer(run: xr.DataTree, years: list[int] | None) -> Answers:
    """Shipped views side by side."""
    found = compare.compare(run, draws=compare.SWAP_DRAWS, years=years)
    captions = {
        "year_100": "Year of full automation of AI R&D, by view",
        "best_year_gain": "Software in the best 12 months, by view",
    }
    figures = tuple(
        drawn(f"views-{name}", partial(plots.plot_views, found, name), caption, numbers.interval_rows(found[name]))
        for name, caption in captions.items()
    )
    section = Section(
        "views",
        "Other people's views",
        "Each view takes its author's numbers for some parameters; what it leaves open follows this posterior, given those. "
        "Nothing is fitted anew. Views far outside the posterior are extrapolations: forecast compare says which parameters "
        "make the difference and how far out they lie, and forecast run --view NAME fits one. All rows are over the same "
        f"{sample_size(found):,} draws, so that their noise is shared; a median may differ from the headline's in its "
        "second digit.",
        (),
        figures,
        (
            Table("views-about", "What each view is, in its own file's words", views_about(), folded=True),
            Table(
                "views-table",
                "Views side by side: median (90% interval)",
                compare.comparison_words(found).drop(columns="Scenario"),
            ),
        ),
    )
    rows = [
        result_rows(found.sel(view=view, drop=True)[list(compare.OUTPUTS)], f"view {view}")
        for view in found["view"].values[1:]
    ]
    return Answers((section,), pd.concat(rows, ignore_index=True))


def views_about() -> pd.DataFrame:
    """What every shipped view says of itself."""
    overlays = [read_overlay(name) for name in compare.view_names()]
    return pd.DataFrame(
        {"View": [one.name for one in overlays], "What it takes over": [one.description for one in overlays]}
    )


def sample_size(data: xr.Dataset) -> int:
    """How many draws a result is over."""
    return data.sizes["chain"] * data.sizes["draw"]
