"""Resolved questions about the outputs of the forecast: a CSV file of answers, and what a run had said of them.

A file has the columns ``variable, date, value`` and, if wanted, ``threshold, source, note``; one row is one answer:

- a figure: ``log10_training_flop, 2027-12-31, 26.9`` — what the variable was on that day, in its unit of
  ``forecast.schema``. Scored as a value (PIT, CRPS, log score).
- a question with a threshold: ``log10_task_horizon, 2027-12-31, 1, 3.4`` — whether it was at least 3.4 on that day;
  ``value`` is 1 or 0 (yes or no), or the figure itself, which is compared. Scored by its probability (Brier).
- a question as ``--output`` takes it: ``year_100<2031, 2031-01-01, no``; ``threshold`` stays blank.
- whether a time has come: ``year_100, 2028-12-31, no`` — full automation by that day. Once it has come,
  ``year_100, 2029-06-01, 2029.2`` gives the (decimal) year, or a day, and is scored as a value.
- an event: ``acceleration, 2032-01-01, yes``.

By-year variables are read on the very day, with the feedback of AIs on software. Nothing here has an error of measurement:
the forecast is of the quantity itself, so an estimate with an error of its own looks worse than it is.
A time that some draws never reach is scored with the CRPS that counts every time beyond the window as its end (the
threshold-weighted CRPS of Gneiting & Ranjan 2011, proper; the plain one is infinite). A number that exists only once
automation is reached has no CRPS where some draws lack it: what would it cost? Its PIT takes those draws as less than any.
``tests/evaluation/test_resolutions.py`` pins all of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from forecast.drivers.outputs import PATTERN, SIDES
from forecast.errors import InputError
from forecast.rows import TABLES, Day, Row, fault, parse_date, quantity, text
from forecast.schema import EVENTS, READOUTS, STATED, YEARLY, decimal_year
from forecast.table_files import did_you_mean, read_table

WORDS = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
DIGITS = "write digits, such as 26.9"
TIMES = ("year_20", "year_100")
LARGEST_LOG10 = 100.0  # beyond it somebody has written the number instead of its log10
KNOWN = {**YEARLY, **READOUTS, **EVENTS}
A_DAY = 1.0 / 365.0


@dataclass(frozen=True)
class Answer:
    """What came out: the `value` of a variable at a decimal `year`, or whether what was asked of it `happened`.

    `side` and `level` are the question; `by_date` asks whether a time has come by the day.
    """

    variable: str
    date: Date
    value: float
    happened: bool | None = None
    side: str | None = None
    level: float = np.nan
    by_date: bool = False

    @property
    def year(self) -> float:
        """The day as a decimal year."""
        return decimal_year(self.date)

    @property
    def question(self) -> str:
        """The question in words.

        >>> Answer("year_100", Date(2028, 12, 31), np.nan, False, by_date=True).question
        'year_100 by 2028-12-31'
        """
        if self.by_date:
            return f"{self.variable} by {self.date}"
        asked = self.variable if self.side is None else f"{self.variable} {self.side} {self.level:g}"
        return f"{asked} on {self.date}" if self.variable in YEARLY else asked


class Resolution(Row):
    """Answers to questions about the forecast's outputs, a question per row."""

    unique: ClassVar[tuple[str, ...]] = ("variable", "date", "threshold")

    variable: str = text("output by its name (log10_training_flop, year_100, acceleration) or question (year_100<2031)")
    date: Day = Field(description="the day for which the answer holds")
    value: str = text("the figure in the variable's unit; of a question 1 or 0 (yes or no), or the figure")
    threshold: float | None = quantity(
        "the variable's", "asks whether the variable is at least this; blank: the figure itself", gt=None, default=None
    )
    source: str = Field(default="", description="where the answer was published")
    licence: str = Field(default="", description="licence of the source")
    provenance: Literal["read", "recalled", "derived"] = Field(default="read", description="as in the tables")

    @model_validator(mode="after")
    def _answers(self) -> Self:
        self.answer()
        return self

    def answer(self) -> Answer:
        """The row as an answer; what it cannot mean is a fault of one of its columns."""
        variable, side, level = asked_of(self.variable.strip(), self.threshold)
        happened = WORDS.get(self.value.strip().lower())
        is_question = side is not None or variable in EVENTS or (variable in TIMES and happened is not None)
        if happened is not None and is_question:
            refuse_early(variable, side, level, happened, self.date)
            return Answer(variable, self.date, np.nan, happened, side, level, variable in TIMES and side is None)
        if variable in EVENTS:
            raise fault(f"{self.value!r} does not answer an event (write 1 or 0, yes or no)", "value")
        remedy = "write yes or no, or the figure" if side is not None or variable in TIMES else DIGITS
        value = figure(self.value.strip(), variable, self.date, remedy)
        if side is None:
            return Answer(variable, self.date, value)
        return Answer(variable, self.date, value, bool(SIDES[side](value, level)), side, level)


def asked_of(variable: str, threshold: float | None) -> tuple[str, str | None, float]:
    """Variable, side and level of a row: of a question in the column variable, or of its threshold."""
    match = PATTERN.fullmatch(variable)
    if match is None:
        raise fault(f"{variable!r} is no output (write a name, year_100, or a question, year_100<2031)", "variable")
    name = match["variable"]
    if name in STATED:
        raise fault(
            f"{name!r} is a parameter, which nobody observes (score an output that follows from it)", "variable"
        )
    if name not in KNOWN:
        raise fault(f"{name!r} is no output ({did_you_mean(name, list(KNOWN))})", "variable")
    if match["year"]:
        raise fault(f"{variable!r}: the column date says when (drop @{match['year']})", "variable")
    if name in EVENTS and (match["side"] or threshold is not None):
        raise fault(f"{name} is an event already (drop its threshold)", "variable" if match["side"] else "threshold")
    if match["side"] and threshold is not None:
        raise fault(f"stands beside a question that has its own, {variable!r} (drop one)", "threshold")
    if threshold is not None:
        return name, ">=", checked(threshold, name, "threshold")
    return (
        name,
        match["side"],
        checked(number(match["level"], "variable"), name, "variable") if match["side"] else np.nan,
    )


def number(written: str, column: str, remedy: str = DIGITS) -> float:
    """A finite number, or the fault of a column."""
    try:
        value = float(written)
    except ValueError:
        raise fault(f"{written!r} is not a number ({remedy})", column) from None
    if not np.isfinite(value):
        raise fault(f"{written!r} is not finite (answer a time that has not come yet with 0)", column)
    return value


def figure(written: str, variable: str, date: Date, remedy: str = DIGITS) -> float:
    """The value of a variable, of a time also written as a day; a time lies before the day on which it is known."""
    if written.lower() in WORDS and not written.isdigit():
        raise fault(
            f"{written!r} answers a question, and {variable} asks none (give a threshold or the figure)", "value"
        )
    if variable not in TIMES:
        return checked(number(written, "value", remedy), variable, "value")
    try:
        day = parse_date(written)
    except PydanticCustomError:
        day = None
    value = decimal_year(day) if isinstance(day, Date) else checked(number(written, "value", remedy), variable, "value")
    if value > decimal_year(date) + A_DAY:
        raise fault(f"{written} lies after {date}, the day on which it is known (correct one of them)", "value")
    return value


def checked(value: float, variable: str, column: str) -> float:
    """The value, if the variable can take it at all."""
    if variable.startswith("log10_") and abs(value) > LARGEST_LOG10:
        raise fault(f"{value:g} is no log10 (write {np.log10(abs(value)):.4g})", column)
    kind = scale_of(variable)
    if kind == "logit" and not 0.0 < value < 1.0:
        raise fault(f"{value:g} is no share between 0 and 1 (check it)", column)
    if kind == "ln" and value <= 0.0:
        raise fault(f"{value:g} is too small: above 0 needed (check it)", column)
    if variable in TIMES and not 1950.0 <= value <= 2200.0:
        raise fault(f"{value:g} is no year (write 2029.4 or 2029-05-27)", column)
    return value


def refuse_early(variable: str, side: str | None, level: float, happened: bool, date: Date) -> None:
    """Before 2031 nobody can know that something does *not* come before 2031."""
    if variable not in TIMES or side is None:
        return
    not_yet = happened if side in (">", ">=") else not happened
    if not_yet and decimal_year(date) < level - A_DAY:
        problem = f"{date} is too early to know that {variable} is not below {level:g}"
        raise fault(f"{problem} (ask whether it has come: {variable}, {date}, no)", "date")


def scale_of(variable: str) -> str:
    """Scale on which a variable is scored: ln of positive quantities, logit of utilizations, else as it is.

    >>> scale_of("stream_tokens_per_second"), scale_of("training_utilization"), scale_of("log10_params")
    ('ln', 'logit', '')
    """
    if variable.endswith("_utilization"):
        return "logit"
    known = KNOWN[variable]
    plain = variable.startswith("log10_") or variable in TIMES or variable in EVENTS or known.units in ("OOM",)
    return "" if plain or variable == "automated_share" else "ln"


def read_resolutions(path: Path) -> list[Answer]:
    """The answers of a file.

    Raises
    ------
    InputError
        It has faults; every one is listed with file, line, column and remedy.
    """
    if path.stem in TABLES:
        raise InputError(f"{path}: is a table of figures (give the folder that holds it)")
    rows, faults = read_table(path, Resolution)
    if faults:
        raise InputError("\n".join(faults))
    return [row.answer() for row in rows if isinstance(row, Resolution)]
