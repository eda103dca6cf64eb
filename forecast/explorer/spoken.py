"""Estimates as cards: a large number, its interval, a note."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import xarray as xr

from forecast.headlines import Estimate, estimate
from forecast.words import number, span

PROB = 0.9


def card(
    title: str, value: Estimate, say: Callable[[float], str], never: str, unit: str = "", note: str = ""
) -> dict[str, Any]:
    """A number as the page shows it large; `never` stands for +inf, and for a number that no draw has.

    >>> card("Length", Estimate(1.0, 2.5, math.inf, 0.9), number, "not by 2045", "years")["range"]
    '90%: 1 to not by 2045'
    """
    if math.isnan(value.median):
        return {"title": title, "big": never, "unit": "", "range": "", "note": note}
    low, median, high = (never if math.isinf(x) else say(x) for x in (value.low, value.median, value.high))
    shown = "" if math.isinf(value.median) else unit
    interval = f"{value.prob:.0%}: {span(low, high)}" if low != high else "the same in every draw"
    return {"title": title, "big": median, "unit": shown, "range": interval, "note": note}


def estimated(values: xr.DataArray, power: float | None = None) -> Estimate:
    """Median and 90% interval over the draws."""
    return estimate(values, PROB, power)


def never_by(year: int) -> str:
    """What is said instead of a date or length that lies beyond the window."""
    return f"not by {year}"


def in_words(value: Estimate, say: Callable[[float], str] = number, never: str = "never") -> str:
    """Median and interval in one phrase: ``2.5 (90%: 1 to 8)``."""
    shown = card("", value, say, never)
    return f"{shown['big']} ({shown['range']})" if shown["range"] else str(shown["big"])
