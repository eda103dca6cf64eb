"""Leading indicators: what each one is, which noise of the fit it is measured with, and values as people write them.

A horizon of some days is working time, as METR counts it (Kwa et al. 2025: a month of work is 167 hours).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from typing import Any, NamedTuple

import numpy as np

from forecast.equations.trends import LN2, LN10
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.schema import decimal_year
from forecast.words import number, power

RELATIONS = ("=", ">=", "<=")
MINUTES = {
    "minute": 1.0,
    "hour": 60.0,
    "day": 8 * 60.0,
    "week": 40 * 60.0,
    "month": 167 * 60.0,
    "year": 12 * 167 * 60.0,
}
UNIT_WORDS = {"min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "d": "day"}
EXAMPLES = {"task_horizon": "40h, '3 days' or 2400 (minutes)", "record_run": "3e27", "fleet": "1e22"}
SMALLEST_FLOP = 1e3  # below it somebody has written a log10


class Indicator(NamedTuple):
    """What next year may show.

    `quantity` is of ``schema.YEARLY`` (a log10); `scatter` is the parameter that scales its noise, `oom` what one unit of
    that is in OOM; `units` and `definition` are of the observed value itself.
    """

    quantity: str
    scatter: str
    oom: float
    units: str
    definition: str
    words: str  # for a sentence
    moment: str  # between the words and a day


INDICATORS: dict[str, Indicator] = {
    "task_horizon": Indicator(
        "log10_task_horizon",
        "horizon_scatter",
        LN2 / LN10,
        "min",
        "task horizon (50% success) of a state-of-the-art model released at the date, as METR's suite would measure it",
        "the best task horizon",
        "of a model released on",
    ),
    "record_run": Indicator(
        "log10_training_flop",
        "training_compute_scatter",
        1.0,
        "FLOP",
        "compute of a training run that is the largest so far at the date, as estimated from outside",
        "the record training run",
        "finished on",
    ),
    "fleet": Indicator(
        "log10_fleet_flop_per_second",
        "fleet_scatter",
        1.0,
        "FLOP/s",
        "the leading developer's fleet at the date (peak dense 16-bit), as estimated from outside",
        "the leading developer's fleet",
        "on",
    ),
}


@dataclass(frozen=True)
class Observation:
    """A value of an indicator (in its units), or a bound: `relation` is "=", ">=" or "<="."""

    indicator: str
    relation: str
    value: float
    note: str = ""

    @property
    def label(self) -> str:
        """The observation in words: ``task_horizon >= 40 hours``."""
        return f"{self.indicator} {self.relation} {self.value_words}"

    @property
    def reading(self) -> str:
        """The same without its subject, for a sentence: ``40 hours or more``."""
        return self.value_words + {"=": "", ">=": " or more", "<=": " or less"}[self.relation]

    @property
    def value_words(self) -> str:
        """The value with its unit, and the note; a value that somebody gave keeps its digits."""
        said = spoken(self.indicator, self.value, digits=3 if self.note else 6)
        return f"{said} ({self.note})" if self.note else said

    @property
    def words(self) -> str:
        """The indicator's name for a sentence."""
        return INDICATORS[self.indicator].words


def spoken(indicator: str, value: float, digits: int = 3) -> str:
    """A value of an indicator with its unit; horizons in minutes or hours.

    >>> spoken("task_horizon", 2400.0), spoken("task_horizon", 45.0), spoken("record_run", 3e27)
    ('40 hours', '45 minutes', '3e27 FLOP')
    """
    if indicator != "task_horizon":
        return f"{power(value, digits)} {INDICATORS[indicator].units}"
    if np.isinf(value):
        return "without limit"
    return f"{number(value, digits)} minutes" if value < 120.0 else f"{number(value / 60.0, digits)} hours"


def observations_of(observed: Mapping[str, Any] | Iterable[str]) -> list[Observation]:
    """What somebody has observed, or imagines: ``{"task_horizon": ">=40h"}`` or ``["record_run=3e27", "fleet>=1e22"]``.

    Raises
    ------
    InputError
        For an unknown indicator, a value that is no positive number, or a unit that is not the indicator's.

    Examples
    --------
    >>> [one.label for one in observations_of(["task_horizon>=40h", "record_run = 3e27"])]
    ['task_horizon >= 40 hours', 'record_run = 3e27 FLOP']
    """
    if isinstance(observed, Mapping):
        parts = [(str(name), *_relation_and_value(value)) for name, value in observed.items()]
    else:
        parts = [_name_and_rest(text) for text in ([observed] if isinstance(observed, str) else observed)]
    return list(
        dict.fromkeys(
            Observation(checked_indicator(name), relation, checked_value(name, value))
            for name, relation, value in parts
        )
    )


def readings(one: Observation) -> list[Observation]:
    """The three ways to read a value: that value, at least that, at most that; a bound is read as it stands."""
    return [replace(one, relation=relation) for relation in RELATIONS] if one.relation == "=" else [one]


def checked_indicator(name: str) -> str:
    """The name of an indicator.

    >>> checked_indicator("task_horizn")
    Traceback (most recent call last):
    forecast.errors.InputError: no indicator named 'task_horizn'; did you mean 'task_horizon'?
    """
    if name not in INDICATORS:
        raise InputError(f"no indicator named {name!r}{suggestion(name, INDICATORS)}")
    return name


def checked_value(indicator: str, value: Any) -> float:
    """A positive value in the indicator's units: a number, or text such as ``"40h"``, ``"3 days"``, ``"3e27 FLOP"``.

    >>> checked_value("task_horizon", "3 days"), checked_value("record_run", "3e27 FLOP"), checked_value("fleet", 1e22)
    (1440.0, 3e+27, 1e+22)
    """
    units, example = INDICATORS[indicator].units, EXAMPLES[indicator]
    match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z/]*)\s*", str(value), re.IGNORECASE)
    if match is None:
        raise InputError(f"{indicator} = {value}: not a number of {units}: write such as {example}")
    amount = float(match[1]) * _factor(indicator, match[2].lower(), example)
    if not 0.0 < amount < np.inf:
        raise InputError(f"{indicator} = {value}: not a positive number: write such as {example}")
    if indicator != "task_horizon" and amount < SMALLEST_FLOP:
        raise InputError(f"{indicator} = {value}: {units} are meant, not their log10: write such as {example}")
    return amount


def checked_when(when: float | str | Date | None, as_of: Date, end: float) -> float:
    """The date of the observations as a decimal year; one year after `as_of` if None.

    >>> round(checked_when("2027-11-01", Date(2026, 11, 1), 2046.0), 4)
    2027.8329
    >>> checked_when(2025.0, Date(2026, 11, 1), 2046.0)
    Traceback (most recent call last):
    forecast.errors.InputError: when = 2025.0 lies before as_of (2026-11-01): give a later date, such as 2027-11-01
    """
    later = Date(as_of.year + 1, as_of.month, min(as_of.day, 28) if as_of.month == 2 else as_of.day)
    year = _decimal(later if when is None else when, later)
    if year < decimal_year(as_of):
        raise InputError(f"when = {when} lies before as_of ({as_of}): give a later date, such as {later}")
    if not year <= end:
        raise InputError(
            f"when = {when} lies after the forecast's end ({end:g}): give an earlier date, such as {later}"
        )
    return year


def date_of(year: float) -> Date:
    """The calendar date of a decimal year, the inverse of ``schema.decimal_year``.

    >>> date_of(decimal_year(Date(2028, 2, 29)))
    datetime.date(2028, 2, 29)
    """
    start = Date(int(year), 1, 1).toordinal()
    length = Date(int(year) + 1, 1, 1).toordinal() - start
    return Date.fromordinal(start + min(round((year - int(year)) * length), length - 1))


def date_words(day: Date) -> str:
    """A date in words.

    >>> date_words(Date(2027, 11, 1))
    '1 November 2027'
    """
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def _decimal(when: float | str | Date, example: Date) -> float:
    if isinstance(when, Date):
        return decimal_year(when)
    try:
        iso = isinstance(when, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", when.strip())
        return decimal_year(Date.fromisoformat(str(when).strip())) if iso else float(when)
    except (TypeError, ValueError):
        raise InputError(f"when = {when} is not a date: write such as {example} or 2027.5") from None


def _name_and_rest(text: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"\s*([^<>=\s]+)\s*(>=|<=|=)\s*(.+)", text)
    if match is None:
        raise InputError(f"observation {text!r} is not NAME=VALUE: write such as task_horizon=40h or 'fleet>=1e22'")
    return match[1], match[2], match[3]


def _relation_and_value(value: Any) -> tuple[str, Any]:
    if isinstance(value, str) and value.lstrip()[:2] in (">=", "<="):
        return value.lstrip()[:2], value.lstrip()[2:]
    return "=", value


def _factor(indicator: str, unit: str, example: str) -> float:
    """What one of `unit` is in the indicator's units."""
    own = INDICATORS[indicator].units.lower()
    if unit in ("", own, own.replace("/", "")):
        return 1.0
    word = UNIT_WORDS.get(unit, unit.removesuffix("s"))
    if indicator == "task_horizon" and word in MINUTES:
        return MINUTES[word]
    raise InputError(f"{indicator}: unit {unit!r} is not one of its units: write such as {example}")
