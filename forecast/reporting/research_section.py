"""The report's sections on the documents' further questions: three organisations, 30 times faster, a leap in hardware."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from forecast import comparison_plots as plots
from forecast.reporting import numbers
from forecast.reporting.answers import Answers
from forecast.reporting.content import Section, Table
from forecast.reporting.figures import drawn
from forecast.research import compare, hardware, hardware_tables, implementers, organisation_tables
from forecast.research.organisations import organisations
from forecast.research.rows import result_rows
from forecast.side_draws import side_draws
from forecast.summaries import COLUMNS
from forecast.words import number, percent, span

MULTIPLES = (2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 300.0)
SCENARIOS = ("baseline", "software_only", "hardware_leap", "no_slowdown")


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
        (
            drawn(
                "organisations-progress",
                lambda: plots.plot_organisations(found),
                "Progress relative to NormalCorp",
                numbers.interval_rows(found["log10_progress"]),
            ),
        ),
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
                "speedup-curve",
                lambda: plots.plot_speedup(curve),
                "Probability that research goes so many times as fast",
                numbers.curve_points(curve),
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
        (
            drawn(
                "leap-gain",
                lambda: plots.plot_leap(found),
                "Hardware alone against software alone, in orders of magnitude (OOM): medians and 90% intervals",
                pd.concat([numbers.interval_rows(found[name]) for name in ("hardware_gain", "software_gain")]),
            ),
        ),
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
