"""The report's further questions: rival forms, views, organisations, implementers, hardware leap, leading indicators.

Each answer is a `Section` and rows of ``summary.csv``; ``reporting.answers`` keeps them in the run file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import comparison_plots as plots
from forecast.dynamics.mixture import form_weights, mixture
from forecast.headlines import Estimate
from forecast.priors import read_overlay
from forecast.reporting.answers import Answers
from forecast.reporting.content import Section, Table
from forecast.reporting.drivers_section import drivers_answer, evidence_answer
from forecast.reporting.figures import drawn
from forecast.reporting.trust_section import trust_answer
from forecast.research import (
    compare,
    hardware,
    hardware_tables,
    implementers,
    indicator_tables,
    indicators,
    organisation_tables,
)
from forecast.research import forms as rival_forms
from forecast.research.organisations import organisations
from forecast.research.rows import result_rows
from forecast.side_draws import side_draws
from forecast.summaries import COLUMNS
from forecast.words import number, percent, span

MULTIPLES = (2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 300.0)
EVENT_YEAR = 2030
SCENARIOS = ("baseline", "software_only", "hardware_leap", "no_slowdown")


def answers(run: xr.DataTree, readouts: xr.Dataset, years: Iterable[int] | None = None) -> Answers:
    """All further questions of one run.

    Parameters
    ----------
    run
        A fitted run or one of the prior.
    readouts
        What `takeoff` returns for it, the main scenario first.
    years
        The window of `readouts`.
    """
    window = None if years is None else list(years)
    main = str(readouts["scenario"].values[0])
    own = readouts if "baseline" in readouts["scenario"].values else None
    parts = [
        drivers_answer(run, main, window),
        *evidence_answer(run, main, window),
        forms_answer(run, own, window),
        views_answer(run, window),
        organisations_answer(run),
        speedup_answer(run, readouts["year_100"].sel(scenario=main)),
        leap_answer(run, window),
        watch_answer(run, window),
        trust_answer(run),
    ]
    frames = [part.rows.dropna(axis="columns", how="all") for part in parts]
    rows = pd.concat(frames, ignore_index=True).reindex(columns=list(COLUMNS))
    return Answers(tuple(section for part in parts for section in part.sections), rows)


def forms_answer(run: xr.DataTree, readouts: xr.Dataset | None, years: list[int] | None) -> Answers:
    """Rival forms side by side, and their mixture; `readouts` with the scenario ``baseline`` if at hand."""
    compared = rival_forms.all_forms(run, readouts, years)
    mixed = mixture(compared, form_weights(run))
    table = rival_forms.forms_table(compared, mixed)
    sentence = rival_forms.mixture_sentence(mixed)
    figure = drawn(
        "forms", lambda: plots.plot_forms(compared), "Software in the best 12 months, by form of the take-off"
    )
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
    figures = (
        drawn("views-year", lambda: plots.plot_views(found), "Year of full automation of AI R&D, by view"),
        drawn(
            "views-gain", lambda: plots.plot_views(found, "best_year_gain"), "Software in the best 12 months, by view"
        ),
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


def organisations_are(run: xr.DataTree) -> str:
    """What the three organisations have, by the run's own figures (medians)."""
    p = {name: number(float(np.median(values))) for name, values in side_draws(run, "organisations").items()}
    return (
        f"NormalCorp has {p['normal_researchers']} researchers, {p['normal_h100']} H100 and {p['normal_years']} yr; "
        f"SlowCorp {p['slow_researchers']} at {p['slow_quality']} of their quality, {p['slow_h100']} and {p['slow_weeks']} "
        f"week(s); AutomatedCorp {p['automated_researchers']} at {p['automated_serial_speed']} times human speed, "
        f"{p['automated_h100']} and {p['automated_years']} yr."
    )


def organisations_answer(run: xr.DataTree) -> Answers:
    """NormalCorp, SlowCorp, AutomatedCorp."""
    found = organisations(run)
    section = Section(
        "organisations",
        "Labour against compute: three organisations",
        f"{organisations_are(run)} Taste, the better choice of experiments that the take-off has, is not in it.",
        organisation_tables.organisations_sentences(found),
        (drawn("organisations-figure", lambda: plots.plot_organisations(found), "Progress relative to NormalCorp"),),
        (
            Table("organisations-table", "Organisations: medians", organisation_tables.organisations_table(found)),
            Table(
                "requirements-table",
                "What AutomatedCorp would need for 10, 20, 30 times NormalCorp, one parameter changed at a time",
                organisation_tables.requirements_table(found),
                folded=True,
            ),
        ),
    )
    return Answers((section,), result_rows(found, "organisations"))


def speedup_answer(run: xr.DataTree, year_100: xr.DataArray) -> Answers:
    """Can AI implementers speed research up 30 times?"""
    settings = implementers.latency_settings(run, year_100)
    found = settings[implementers.AS_DRAWN]
    curve = implementers.speedup_curve(found)
    section = Section(
        "implementers",
        "Thirty times faster with AI implementers?",
        "While people have the ideas and AIs implement them, four bounds hold: ideas, the latency of answers, compute for "
        "experiments, tokens. All at each draw's full automation.",
        implementers.implementers_sentences(found),
        (
            drawn(
                "speedup-figure",
                lambda: plots.plot_speedup(curve),
                "Probability that research goes so many times as fast",
            ),
        ),
        (
            Table(
                "latency-table", "Speed-up by latency of answers", shares_words(implementers.latency_table(settings))
            ),
            Table(
                "bounds-table",
                "Each bound alone, and how often it binds",
                shares_words(implementers.bounds_table(found)),
            ),
        ),
    )
    rows = [result_rows(found, "speedup"), curve_rows(implementers.speedup_curve(found, MULTIPLES))]
    return Answers((section,), pd.concat([part.dropna(axis="columns", how="all") for part in rows], ignore_index=True))


def curve_rows(curve: xr.DataArray) -> pd.DataFrame:
    """P(speed-up >= x) as rows of ``summary.csv``."""
    labels = {"scenario": "baseline", "form": "speedup", "units": "1", "definition": curve.attrs["definition"]}
    rows = [
        labels
        | {
            "variable": f"speed-up >= {x:g}, {str(who).replace('_', ' ')}",
            "probability": float(curve.sel(staffing=who, speedup=x)),
        }
        for who in curve["staffing"].values
        for x in curve["speedup"].values
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def shares_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table of speed-ups and shares as a reader says it."""
    frame = table.reset_index()
    said = pd.DataFrame({str(frame.columns[0]).capitalize(): frame.iloc[:, 0]})
    intervals = zip(frame["low"], frame["high"], strict=True)
    said["Speed-up"] = [number(x) for x in frame["median"]]
    said["90% interval"] = [span(number(low), number(high)) for low, high in intervals]
    said["P(30 or more)"] = [percent(x) for x in frame["at_least_30"]]
    for name in table.columns[4:]:
        said[f"Binds: {str(name).replace('_', ' ')}"] = ["–" if x == 0.0 else percent(x) for x in frame[name]]
    return said


def leap_answer(run: xr.DataTree, years: list[int] | None) -> Answers:
    """A leap in hardware beside software alone, and through the take-off."""
    found = hardware.leap(run)
    through = compare.compare(run, [], SCENARIOS, years, draws=compare.SWAP_DRAWS)
    section = Section(
        "leap",
        "A sudden leap in hardware",
        "One developer scales its hardware up at full automation, with no new ideas, beside what software alone gains in the "
        "same months; below that, the leap sent through the take-off together with software, and what follows if spending "
        "never slows down.",
        hardware_tables.leap_sentences(found),
        (drawn("leap-figure", lambda: plots.plot_leap(found), "Hardware alone against software alone"),),
        (
            Table("leap-table", "By months after the start: median (90% interval)", hardware_tables.leap_table(found)),
            Table(
                "scenarios-table",
                "Scenarios through the take-off",
                compare.comparison_words(through).drop(columns="View"),
            ),
        ),
    )
    rows = result_rows(through.isel(view=0, drop=True)[list(compare.OUTPUTS)], "section5, scenarios side by side")
    frames = [result_rows(found, "leap"), rows[~rows["scenario"].isin(SCENARIOS[:2])]]
    return Answers((section,), pd.concat(frames, ignore_index=True))


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
        (drawn("watch-figure", lambda: plots.plot_what_if(table), "Year of full automation, by what is seen"),),
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


def interval_of(row: Any, name: str) -> Estimate:
    """Median and 90% interval of three columns."""
    low, median, high = (float(row[f"{name}_{q}"]) for q in ("q05", "q50", "q95"))
    return Estimate(low, median, high, 0.9)


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
