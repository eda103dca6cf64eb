"""What a report holds. A run, a prior-only run or a test fills these; the template prints them and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from forecast.errors import InputError
from forecast.headlines import Headline

PARAMETER_COLUMNS = (
    "name",
    "block",
    "units",
    "prior_q05",
    "prior_q50",
    "prior_q95",
    "posterior_q05",
    "posterior_q50",
    "posterior_q95",
    "distribution",
    "source",
    "rationale",
)


@dataclass(frozen=True)
class Gate:
    """One test of the sampler: what was measured, the rule as text (``"<= 1.01"``) and the verdict."""

    name: str
    value: float | str
    threshold: str
    passed: bool


@dataclass(frozen=True)
class Coherence:
    """A probability that must stay under ``limit`` for the numbers to make sense together."""

    name: str
    probability: float
    limit: float
    passed: bool


@dataclass(frozen=True)
class Table:
    """A captioned table. ``section`` is "count" or "takeoff"; ``folded`` hides it until asked for."""

    name: str
    caption: str
    frame: pd.DataFrame
    section: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """An inline SVG with its text alternative and caption, and the numbers behind it.

    ``svg`` is trusted markup from `forecast.reporting.figures`; ``alt`` and ``caption`` are plain text; ``csv`` has the
    numbers in full, as `forecast.summaries.csv_text` writes them, ``table`` in words.
    """

    name: str
    svg: str
    alt: str
    caption: str
    section: str = ""
    table: Table | None = None
    csv: str = ""


@dataclass(frozen=True)
class Section:
    """A question of its own: what is asked, the answer in sentences, figures and tables.

    ``points`` are a list of (term, text), the term may be empty; a part of the text between backticks is code.
    """

    name: str
    title: str
    intro: str = ""
    sentences: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    points: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ReportContent:
    """Everything the report prints.

    Parameters
    ----------
    title, as_of
        What the page is called, and the date after which no observation was used.
    headline
        Numbers and sentences of the main scenario.
    gate, coherence
        Verdicts; one that failed is marked on every figure and table.
    figures, tables
        From `make_figures` and `make_tables`, put into their sections in this order.
    parameters
        Columns `PARAMETER_COLUMNS`, optionally ``definition``; NaN or missing posterior is left out.
    implied
        Returns and sigma implied by the joint posterior beside published ones, columns as they should be printed.
    observations
        One table per source table, with its source column.
    provenance
        Versions, seed, sampler, digests, by label.
    command
        What reproduces the file.
    prior_only
        No observation was used; marked on every figure and table.
    sections
        Further questions; `forecast.reporting.outline` says where each stands.
    notes
        Further sentences on the limits, in the same section as the standard ones.
    citation
        What to say of any figure or number taken from here: package, date, run.
    """

    title: str
    as_of: str
    headline: Headline
    gate: tuple[Gate, ...]
    coherence: tuple[Coherence, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    parameters: pd.DataFrame
    implied: pd.DataFrame
    observations: tuple[Table, ...]
    provenance: Mapping[str, str]
    command: str
    prior_only: bool = False
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = field(default=())
    citation: str = ""

    def __post_init__(self) -> None:
        missing = [column for column in PARAMETER_COLUMNS if column not in self.parameters]
        if missing:
            raise InputError(f"parameters: no column {', '.join(missing)}; expected {', '.join(PARAMETER_COLUMNS)}")

    @property
    def all_figures(self) -> tuple[Figure, ...]:
        """Figures of the standard sections, then those of the further ones."""
        return (*self.figures, *(figure for section in self.sections for figure in section.figures))

    @property
    def marks(self) -> tuple[str, ...]:
        """Warnings that go with every figure and table, empty for a result that stands."""
        marks = []
        if self.prior_only:
            marks.append("prior only")
        if not all(row.passed for row in self.gate):
            marks.append("convergence gate failed")
        if not all(row.passed for row in self.coherence):
            marks.append("coherence gate failed")
        return tuple(marks)
