"""Quantities as people write them, ``90d``, ``1e21FLOP/s``, ``$10bn``, ``10%``, as a number in the unit that is asked for.

One thing to know: a bare number is already in the unit asked for, and whatever could be read in two ways is refused with
what to write instead: ``m`` (minutes, months, million), ``FLOPS`` (an amount or a rate), ``1,5`` (digits are en-US: a
point before decimals, commas only between thousands).

Case: symbols are read as they stand (``s min h d w mo y yr USD M B T``, prefixes ``kFLOP`` to ``QFLOP``); words are not
case-sensitive (``Years``, ``Million``, ``flop``). A year is 365.25 days, a month a twelfth of it. Nothing is evaluated:
a text is a number, a word of size, and units with ``/`` or "per" between them, looked up in the tables below.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from forecast.errors import InputError
from forecast.schema import DAY_SECONDS, JULIAN_YEAR_SECONDS
from forecast.words import number, power

Dimension = tuple[tuple[str, int], ...]


class Unit(NamedTuple):
    """A unit's dimension, and how much of the dimension's own unit (s, FLOP, USD, ...) one of it is."""

    dimension: Dimension
    factor: float


HOUR = 3_600.0
MONTH = JULIAN_YEAR_SECONDS / 12.0
LN10, LN2 = math.log(10.0), math.log(2.0)

# dimension -> unit -> (how much, symbols read as they stand, words in any case)
TABLE: dict[str, tuple[tuple[float, tuple[str, ...], tuple[str, ...]], ...]] = {
    "time": (
        (1e-6, ("us", "µs", "μs"), ("microsecond", "microseconds")),
        (1e-3, ("ms",), ("millisecond", "milliseconds")),
        (1.0, ("s",), ("sec", "secs", "second", "seconds")),
        (60.0, ("min",), ("mins", "minute", "minutes")),
        (HOUR, ("h",), ("hr", "hrs", "hour", "hours")),
        (DAY_SECONDS, ("d",), ("day", "days")),
        (7.0 * DAY_SECONDS, ("w",), ("wk", "wks", "week", "weeks")),
        (MONTH, ("mo",), ("month", "months")),
        (JULIAN_YEAR_SECONDS, ("y",), ("yr", "yrs", "year", "years")),
    ),
    "compute": ((1.0, ("FLOPs",), ("flop",)),),
    "money": ((1.0, ("$", "US$"), ("usd", "dollar", "dollars")),),
    "tokens": ((1.0, (), ("token", "tokens", "token-equivalent", "token-equivalents")),),
    "parameters": ((1.0, (), ("param", "params", "parameter", "parameters")),),
    "data points": ((1.0, (), ("datapoint", "datapoints", "data point", "data points")),),
    "people": ((1.0, (), ("person", "people", "researcher", "researchers")),),
    "layers": ((1.0, (), ("layer", "layers")),),
    "streams": ((1.0, (), ("stream", "streams")),),
    "chips": ((1.0, ("H100", "H100s"), ("chip", "chips")),),
    "information": ((1.0, (), ("nat", "nats")),),
    "log-odds": ((1.0, (), ("logit", "logits")),),
    "a ratio's logarithm": (
        (1.0, ("ln",), ()),
        (LN2, (), ("doubling", "doublings")),
        (LN10, ("OOM", "OOMs"), ()),
    ),
    "": ((1.0, ("1", "x"), ()), (0.01, ("%",), ("percent",))),
}
PREFIXES = {letter: 1000.0 ** (i + 1) for i, letter in enumerate("kMGTPEZYRQ")} | {"K": 1e3}
SIZE_WORDS = {
    **{"thousand": 1e3, "million": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9},
    **{"trillion": 1e12, "tn": 1e12, "quadrillion": 1e15},
}
SIZE_LETTERS = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
WORKING_TIME = {DAY_SECONDS: 8.0, 7.0 * DAY_SECONDS: 40.0, MONTH: 167.0, JULIAN_YEAR_SECONDS: 2_004.0}  # hours, METR's
EXAMPLES = {
    (("time", 1),): "90d, 3 months or 1y",
    (("compute", 1),): "1e25FLOP",
    (("compute", 1), ("time", -1)): "1e21FLOP/s",
    (("money", 1),): "$10bn",
    (("tokens", 1),): "1.4T tokens",
    (("time", -1), ("tokens", 1)): "50 tokens/s",
    (): "0.1, 10% or 5 million",
}
NAMES = {
    (("time", 1),): "a time",
    (("compute", 1),): "an amount of compute",
    (("compute", 1), ("time", -1)): "a rate of compute",
    (("money", 1),): "a sum of money",
    (): "a plain number",
}
AMBIGUOUS = {
    "m": "m may be minutes, months or million: write min, months or million",
    "M": "M is million, and may be read as months: write months, or million and a unit",
    "b": "write B or billion",
    "t": "write T or trillion",
}
SINGULAR = {"people": "person"} | {
    f"{word}s": word for word in ("day", "week", "month", "layer", "stream", "token", "param", "doubling")
}
NUMBER = re.compile(
    r"([+-]?)\s*(US\$|\$)?\s*((?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)((?:[eE][+-]?[0-9]+)?)\s*(.*)"
)
SIZE = re.compile(r"([A-Za-z]+)(?=$|[\s/])\s*(.*)")
LARGEST_LOG10 = 1e3  # beyond it somebody has written the quantity itself


def quantity(text: str | float, unit: str, *, working: bool = False) -> float:
    """What `text` says, as a number of `unit`.

    Parameters
    ----------
    text
        ``"1y"``, ``"3 months"``, ``"1e21FLOP/s"``, ``"10%"``, ``"$10bn"``, ``"50 tokens per second"``; a bare number is in
        `unit` already. Words of size: thousand, million, billion, trillion, quadrillion, mn, bn, tn, and the letters
        k, M, B, T.
    unit
        Any unit of ``forecast.schema``: ``"s"``, ``"days"``, ``"FLOP/s"``, ``"USD"``, ``"1"``, ``"OOM/yr"``. Of
        ``"log10 FLOP"`` a bare number is the log10, and ``"1e25 FLOP"`` is 25. Scales such as ``"log2 min"`` or
        ``"logit"`` take bare numbers only.
    working
        Whether days, weeks, months and years are of working time, as METR counts task horizons: 8, 40, 167, 2004 hours.

    Raises
    ------
    InputError
        If `text` is no number, is of another dimension, or could be read in two ways.

    Examples
    --------
    >>> quantity("90d", "s"), quantity("1 year", "days"), quantity("1e21FLOP/s", "FLOP/s"), quantity("10%", "1")
    (7776000.0, 365.25, 1e+21, 0.1)
    >>> quantity("$10bn", "USD"), quantity("70B", "params"), quantity("1e25 FLOP", "log10 FLOP")
    (10000000000.0, 70000000000.0, 25.0)
    >>> quantity("1e25FLOP", "days")
    Traceback (most recent call last):
    forecast.errors.InputError: '1e25FLOP' is an amount of compute, but a time is wanted: write such as 90d, 3 months or 1y \
(a bare number is in days)
    """
    if unit.startswith("log10 "):
        return _log10(str(text), unit)
    wanted = parsed_unit(unit)
    amount, given = _amount_and_unit(str(text), unit, wanted)
    if given in ("", unit):
        return amount
    found = parsed_unit(given, WORKING_TIME if working else {})
    if found is None:
        raise _unknown(str(text), given, unit, wanted)
    if wanted is None:
        raise InputError(f"{str(text)!r}: {unit} is a scale of its own: write a bare number in {unit}")
    share = given.strip().lower() in ("%", "percent")
    if found.dimension != wanted.dimension or (share and unit != "1"):
        said = "a percentage" if share else _named(found.dimension, given)
        raise _fault(str(text), f"is {said}", unit, wanted)
    return _finite(amount * (found.factor / wanted.factor), str(text), unit, wanted)


def with_unit(value: float, unit: str, digits: int = 3) -> str:
    """A number with its unit, to `digits` significant digits, as `quantity` reads it back.

    >>> with_unit(2.236e7, "tokens/s"), with_unit(1e21, "FLOP/s"), with_unit(7.5e9, "USD"), with_unit(1.0, "months")
    ('22.4 million tokens/s', '1e21 FLOP/s', '$7.5 billion', '1 month')
    """
    said = power(value, digits) if "FLOP" in unit and 1e6 <= abs(value) < math.inf else number(value, digits)
    if not math.isfinite(value) or unit == "1":
        return said
    if unit == "USD":
        return f"-${said[1:]}" if said.startswith("-") else f"${said}"
    if unit.startswith("1/"):
        return f"{said}{unit[1:]}"
    return f"{said}x" if unit == "x" else f"{said} {SINGULAR.get(unit, unit) if said == '1' else unit}"


def parsed_unit(text: str, working: Mapping[float, float] | None = None) -> Unit | None:
    """Dimension and factor of a unit such as ``tokens/s/person``; None where a part of it is unknown.

    `working` maps the seconds of a calendar unit to the hours of work in it, where those are meant.

    >>> parsed_unit("tokens per second"), parsed_unit("furlongs")
    (Unit(dimension=(('time', -1), ('tokens', 1)), factor=1.0), None)
    """
    parts = [part.strip() for part in re.sub(r"(^|\s+)per\s+", "/", text.strip()).split("/")]
    powers: dict[str, int] = {}
    factor = 1.0
    for i, part in enumerate(parts):
        found = _atom(part or ("1" if i == 0 and len(parts) > 1 else ""))
        if found is None:
            return None
        name, size = found
        size = (working or {}).get(size, size / HOUR) * HOUR if name == "time" else size
        sign = 1 if i == 0 else -1
        factor *= size**sign
        powers[name] = powers.get(name, 0) + sign
    return Unit(tuple(sorted((name, power) for name, power in powers.items() if name and power)), factor)


def _atom(text: str) -> tuple[str, float] | None:
    """Dimension and size of one unit without ``/``."""
    if text in SYMBOLS:
        return SYMBOLS[text]
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    prefixed = re.fullmatch(r"([A-Za-z])((?i:flop)|FLOPs)", text)
    return ("compute", PREFIXES[prefixed[1]]) if prefixed and prefixed[1] in PREFIXES else None


def _amount_and_unit(text: str, unit: str, wanted: Unit | None) -> tuple[float, str]:
    """The number of a text, its word of size multiplied in, and what stands behind it."""
    match = NUMBER.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-"))
    if match is None:
        raise _fault(text, "is not a number with a unit", unit, wanted)
    sign, dollar, digits, exponent, rest = match.groups()
    if re.match(r"[0-9,._]", rest):
        raise InputError(
            f"{text!r} is not a number: write decimals after a point, 1.5, and commas only as in 1,500,000"
        )
    size, rest = _size(rest, text, wanted)
    amount = _finite(float(f"{sign}{digits.replace(',', '')}{exponent}") * size, text, unit, wanted)
    if dollar and rest.lower() not in ("", "usd", "dollar", "dollars") and not rest.startswith("/"):
        raise _fault(text, f"has two units, $ and {rest!r}", unit, wanted)
    return amount, f"USD{rest if rest.startswith('/') else ''}" if dollar else rest


def _size(rest: str, text: str, wanted: Unit | None) -> tuple[float, str]:
    """The word of size that opens what stands behind a number, as a factor, and what is left."""
    match = SIZE.fullmatch(rest)
    if match is None:
        return 1.0, rest
    if match[1].lower() in SIZE_WORDS:
        return SIZE_WORDS[match[1].lower()], match[2]
    if match[1] not in SIZE_LETTERS:
        return 1.0, rest
    if not match[2] and wanted is not None and wanted.dimension == (("time", 1),):
        raise InputError(
            f"{text!r}: {AMBIGUOUS.get(match[1], f'{match[1]} is no unit of time')}: write such as 90d or 1y"
        )
    return SIZE_LETTERS[match[1]], match[2]


def _log10(text: str, unit: str) -> float:
    """A log10 as it stands, or that of a quantity with a unit."""
    inner = unit.removeprefix("log10 ")
    amount, given = _amount_and_unit(text, inner, parsed_unit(inner))
    example = f"write the log10, such as 25, or the quantity with its unit, such as 1e25 {inner}"
    if given in ("", unit):
        if abs(amount) > LARGEST_LOG10:
            raise InputError(f"{text!r} is too large for a log10 of {inner}: {example}")
        return amount
    value = quantity(text, inner)
    if value <= 0.0:
        raise InputError(f"{text!r} has no log10: {example}")
    return math.log10(value)


def _unknown(text: str, given: str, unit: str, wanted: Unit | None) -> InputError:
    """A unit that is not in the tables: one that could be read in two ways, a slip, or none at all."""
    first = given.split("/")[0].strip()
    if re.fullmatch(r"[kKMGTPEZYRQ]?(FLOPS|flops|Flops)", first):
        return InputError(
            f"{text!r}: {first} may be an amount or a rate: write {first[:-1].upper()} or {first[:-1].upper()}/s"
        )
    if first in AMBIGUOUS:
        return InputError(f"{text!r}: {AMBIGUOUS[first]}")
    near = difflib.get_close_matches(first.lower(), [*SYMBOLS, *WORDS], 1)
    return _fault(text, f"has no known unit{f' (did you mean {near[0]!r}?)' if near else ''}", unit, wanted)


def _named(dimension: Dimension, unit: str) -> str:
    return NAMES.get(dimension, f"a number of {unit}")


def _fault(text: str, what: str, unit: str, wanted: Unit | None) -> InputError:
    """A text that cannot be read: what it is, what is wanted, and an example."""
    dimension = None if wanted is None else wanted.dimension
    need = f"a number of {unit}" if dimension is None else _named(dimension, unit)
    example = f"12 {unit}" if dimension is None else EXAMPLES.get(dimension, f"12 {unit}")
    bare = "" if unit == "1" else f" (a bare number is in {unit})"
    return InputError(f"{text!r} {what}, but {need} is wanted: write such as {example}{bare}")


def _finite(value: float, text: str, unit: str, wanted: Unit | None) -> float:
    if not math.isfinite(value):
        raise _fault(text, "is too large", unit, wanted)
    return value


SYMBOLS = {s: (name, size) for name, units in TABLE.items() for size, symbols, _ in units for s in symbols}
WORDS = {word: (name, size) for name, units in TABLE.items() for size, _, words in units for word in words}
