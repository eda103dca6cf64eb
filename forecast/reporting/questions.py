"""The report's further questions: rival forms, views, organisations, implementers, hardware leap, leading indicators.

Each answer is a `Section` and rows of ``summary.csv``. They take as long as the two headlines together, so a run file
keeps them (`stored`, `restored`) until the run, the years or the package changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from forecast import comparison_plots as plots
from forecast.dynamics.mixture import form_weights, mixture
from forecast.headlines import Estimate
from forecast.reporting.content import Figure, Section, Table
from forecast.reporting.figures import inline_svg
from forecast.research import compare, hardware, hardware_tables, implementers, organisation_tables
from forecast.research import forms as rival_forms
from forecast.research.organisations import organisations
from forecast.research.rows import result_rows
from forecast.runs import read_provenance
from forecast.summaries import COLUMNS
from forecast.words import number, percent, span

SCENARIOS = ("baseline", "software_only", "hardware_leap", "no_slowdown")


class Answers(NamedTuple):
    """The sections of the report, and their numbers as rows of ``summary.csv``."""

    sections: tuple[Section, ...]
    rows: pd.DataFrame


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
    parts = [
        forms_answer(run, readouts.sel(scenario=[main]).assign_coords(scenario=["baseline"]), window),
        views_answer(run, window),
        organisations_answer(run),
        speedup_answer(run, readouts["year_100"].sel(scenario=main)),
        leap_answer(run, window),
    ]
    frames = [part.rows.dropna(axis="columns", how="all") for part in parts]
    rows = pd.concat(frames, ignore_index=True).reindex(columns=list(COLUMNS))
    return Answers(tuple(section for part in parts for section in part.sections), rows)


def forms_answer(run: xr.DataTree, readouts: xr.Dataset, years: list[int] | None) -> Answers:
    """Rival forms side by side, and their mixture."""
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
    low, median, high = (float(row[f"{name}_q{q}"]) for q in ("05", "50", "95"))
    if np.isnan(median):
        return "–"
    return compare.spoken(Estimate(low, median, high, 0.9), number, "not in the window")


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
        "make the difference and how far out they lie, and forecast run --view NAME fits one.",
        (),
        figures,
        (
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


def organisations_answer(run: xr.DataTree) -> Answers:
    """NormalCorp, SlowCorp, AutomatedCorp."""
    found = organisations(run)
    section = Section(
        "organisations",
        "Labour against compute: three organisations",
        "SlowCorp has little labour and time and much compute, AutomatedCorp the reverse; both are held against NormalCorp. "
        "Taste is not in it: better choice of experiments, up to 20 times in the take-off, would come on top.",
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
    return Answers((section,), result_rows(found, "speedup"))


def shares_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table of speed-ups and shares as a reader says it."""
    frame = table.reset_index()
    said = pd.DataFrame({str(frame.columns[0]).capitalize(): frame.iloc[:, 0]})
    intervals = zip(frame["low"], frame["high"], strict=True)
    said["Speed-up"] = [number(x) for x in frame["median"]]
    said["90% interval"] = [span(number(low), number(high)) for low, high in intervals]
    said["P(30 or more)"] = [percent(x) for x in frame["at_least_30"]]
    for name in table.columns[4:]:
        said[f"{str(name).replace('_', ' ')} binds"] = [percent(x) for x in frame[name]]
    return said


def leap_answer(run: xr.DataTree, years: list[int] | None) -> Answers:
    """A leap in hardware beside software alone, and through the take-off."""
    found = hardware.leap(run)
    through = compare.compare(run, [], SCENARIOS, years, draws=compare.SWAP_DRAWS)
    section = Section(
        "leap",
        "A sudden leap in hardware",
        "From $10bn to $1tn at full automation, with no new ideas, beside what software alone gains in the same months; below "
        "that, the leap sent through the take-off together with software, and what follows if spending never slows down.",
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


def drawn(name: str, draw: Callable[[], Axes], caption: str) -> Figure:
    """A figure whose numbers stand in the section's table."""
    alt = f"{caption}. The numbers stand in the table below."
    return Figure(name, inline_svg(draw, name, alt), alt, f"{caption}.")


def stored(found: Answers, key: str) -> str:
    """The answers as one JSON text, with the key of what they were made from."""
    sections = [asdict(section) | {"tables": [plain_table(t) for t in section.tables]} for section in found.sections]
    rows = found.rows.astype(object).where(found.rows.notna(), None)
    return json.dumps({"key": key, "sections": sections, "rows": rows.to_numpy().tolist()}, default=str)


def restored(text: str | None, key: str) -> Answers | None:
    """The answers of `stored` if they were made from the same things."""
    try:
        record = json.loads(text or "{}")
        if record.get("key") != key:
            return None
        sections = tuple(
            Section(
                **one
                | {
                    "sentences": tuple(one["sentences"]),
                    "figures": tuple(Figure(**figure) for figure in one["figures"]),
                    "tables": tuple(Table(**t | {"frame": pd.DataFrame(**t["frame"])}) for t in one["tables"]),
                }
            )
            for one in record["sections"]
        )
        return Answers(sections, pd.DataFrame(record["rows"], columns=list(COLUMNS)).astype({"year": "Int64"}))
    except (ValueError, TypeError, KeyError):  # damaged, or of another version: computed anew
        return None


def plain_table(table: Table) -> dict[str, Any]:
    """A table in JSON's own types."""
    frame = table.frame
    return {
        "name": table.name,
        "caption": table.caption,
        "section": table.section,
        "folded": table.folded,
        "frame": {"columns": [str(c) for c in frame.columns], "data": frame.astype(object).to_numpy().tolist()},
    }


def answers_key(run: xr.DataTree, scenarios: Sequence[str], years: Sequence[int]) -> str:
    """SHA-256 of what the answers depend on: the run, its scenarios and years, and the package."""
    content = [read_provenance(run)["digests"]["fit"], list(scenarios), list(years), package_digest()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@cache
def package_digest() -> str:
    """SHA-256 of the package's sources and shipped overlays: answers of another version are computed anew."""
    from forecast.overlays import shipped_folder

    package = Path(__file__).resolve().parents[1]
    files = sorted([*package.rglob("*.py"), *shipped_folder().rglob("*.toml")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
