"""The order of the report, as a reader asks: the answer, what drives it, rivals, further questions, trust, sources, limits.

HTML, Markdown and PDF all follow it, and so does the table of contents; only ``headline``, ``gates``, ``parameters``
and ``method`` need more than a `Section` says and are laid out by each on its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from forecast.reporting.content import ReportContent, Section, Table
from forecast.reporting.reading import limits, reading
from forecast.words import odds, percent

ORDER = (
    ("The answer", ("headline", "gates", "count", "takeoff")),
    ("What drives it", ("drivers", "evidence", "watch")),
    ("Seen otherwise", ("forms", "views")),
    ("Further questions", ("organisations", "implementers", "leap")),
    ("Data and trust", ("trust", "observations")),
    ("What went in", ("parameters", "implied")),
    ("Reading it", ("reading", "limits", "method")),
)
OTHERS = "Further questions"  # where a section stands that nobody has placed
COUNT = (
    "A stream is one copy at work on one thing at a time. Human-equivalents are the same tokens counted as researchers: "
    "tokens per calendar year over the tokens of a researcher's working year. Both are for the leading developer's whole "
    "fleet."
)
IMPLIED = (
    "These are not inputs. They follow from the parameters, and are printed because the same figure read another way "
    "changes the answer: returns to labour alone with compute held fixed, and how well labour and compute substitute for "
    "each other (sigma)."
)
METHOD = (
    "One joint Bayesian model is fitted to the tables above. Each draw of its posterior is carried whole through the "
    "compute equations to the number of AIs, and through the take-off equations to the years. The numbers of this report "
    "are also in `summary.csv`, those of each figure in the CSV beside it, the draws in `run.nc`."
)
PARAMETERS = (
    "Median and 90% interval of each parameter before (prior) and after (posterior) the figures were used, with what "
    "was stated, its source and the reason."
)


class Group(NamedTuple):
    """Sections under one heading of the table of contents."""

    title: str
    sections: tuple[Section, ...]


def outline(content: ReportContent) -> tuple[Group, ...]:
    """All sections in the order of the report; a group without any is left out."""
    known = {one.name: one for one in (*standard_sections(content), *content.sections)}
    placed = [name for _, names in ORDER for name in names]
    rest = tuple(name for name in known if name not in placed)
    groups = []
    for title, names in ORDER:
        chosen = (*names, *rest) if title == OTHERS else names
        sections = tuple(known[name] for name in chosen if name in known)
        groups += [Group(title, sections)] if sections else []
    return tuple(groups)


def standard_sections(content: ReportContent) -> tuple[Section, ...]:
    """The sections that every report has."""
    return (
        Section("headline", "Headline", sentences=content.headline.sentences),
        Section("gates", "Does the result stand?"),
        own_section(content, "count", "How many AIs, by year", COUNT),
        own_section(content, "takeoff", "How fast a take-off", takeoff_intro(content)),
        Section("observations", "Observations", observations_intro(content), tables=folded(content.observations)),
        Section("parameters", "Parameters", PARAMETERS),
        Section(
            "implied",
            "Implied values beside published ones",
            IMPLIED,
            tables=(Table("implied-values", "Implied by the joint draws, and published", content.implied),),
        ),
        Section("reading", "How to read a forecast", points=reading(content.headline)),
        Section("limits", "What the numbers do not say", points=limits(content.notes)),
        Section("method", "Method and versions", METHOD),
    )


def own_section(content: ReportContent, name: str, title: str, intro: str) -> Section:
    """A section of the figures and tables that name it."""
    figures = tuple(figure for figure in content.figures if figure.section == name)
    tables = tuple(table for table in content.tables if table.section == name)
    return Section(name, title, intro, figures=figures, tables=tables)


def takeoff_intro(content: ReportContent) -> str:
    """What is counted as the take-off, and how often it has begun."""
    past = content.headline.already_20
    return (
        "The take-off runs from the year in which AIs can do 20% of the tasks of AI R&D to the year in which they can do "
        f"all of them. In {percent(past)} of draws ({odds(past)}) the 20% mark is already past; it is then dated from "
        "today's growth, without feedback."
    )


def observations_intro(content: ReportContent) -> str:
    """What the tables are, or that there are none."""
    if not content.observations:
        return "None: no observation table was used."
    return f"Each row is one published figure with its source. Figures after {content.as_of} are not used."


def folded(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """Tables that hide their rows until asked for, their number said."""
    return tuple(replace(one, caption=f"{one.caption} ({len(one.frame)} rows)", folded=True) for one in tables)
