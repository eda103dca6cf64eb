"""Numbers as people say them: 3.4 trillion, 12%, about 4 in 10."""

from __future__ import annotations

import math

from forecast.errors import InputError

SCALES = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
FRACTIONS = (
    *((k, 10) for k in range(1, 10)),
    *((k, n) for n in (6, 7, 8, 12, 15, 20, 30, 40, 50, 70, 100) for k in (1, n - 1)),
)


def number(value: float, digits: int = 2) -> str:
    """A quantity to ``digits`` significant digits, with words from a million on.

    >>> [number(x) for x in (0.0123, 3.0, 1234.0, 1.2e6, 3.4e12, 999_999.0, 5e18)]
    ['0.012', '3', '1,200', '1.2 million', '3.4 trillion', '1 million', '5e18']
    """
    if math.isinf(value):
        return "never" if value > 0 else "-infinity"
    if math.isnan(value):
        return "unknown"
    if value == 0.0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    size = abs(rounded)
    if size >= 1e18 or size < 1e-3:
        return power(value, digits)
    for scale, name in SCALES:
        if size >= scale:
            return f"{_plain(rounded / scale)} {name}"
    return _plain(rounded)


def span(low: str, high: str) -> str:
    """Two ends of an interval; a small number before "640 million" must not be read as millions too.

    >>> span("1.2 million", "640 million"), span("130", "640 million")
    ('1.2 million to 640 million', '130 up to 640 million')
    """
    word = high.rsplit(" ", 1)[-1].isalpha()
    bare = not any(mark.isalpha() or mark == "," for mark in low)
    return f"{low} up to {high}" if word and bare else f"{low} to {high}"


def power(value: float, digits: int = 2) -> str:
    """Scientific notation without padding: 1.2e25.

    >>> power(1.15e8, 3), power(0.00042)
    ('1.15e8', '4.2e-4')
    """
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


def percent(probability: float) -> str:
    """A probability in percent; a tenth below 1% and above 99%, never a bare 0% or 100%.

    >>> [percent(p) for p in (0.0, 0.004, 0.123, 0.996, 1.0)]
    ['<0.1%', '0.4%', '12%', '99.6%', '>99.9%']
    """
    _check_probability(probability)
    if probability < 0.001:
        return "<0.1%"
    if probability > 0.999:
        return ">99.9%"
    return f"{100 * probability:.1f}%" if probability < 0.01 or probability > 0.99 else f"{100 * probability:.0f}%"


def odds(probability: float) -> str:
    """A probability as a count of cases, the nearest in log-odds of tenths and, towards the ends, 1 in 6 to 1 in 100.

    >>> odds(0.004), odds(0.38), odds(0.95)
    ('less than 1 in 100', 'about 4 in 10', 'about 19 in 20')
    """
    _check_probability(probability)
    if probability < 0.01:
        return "less than 1 in 100"
    if probability > 0.99:
        return "more than 99 in 100"
    count, of = min(FRACTIONS, key=lambda pair: abs(_log_odds(pair[0] / pair[1]) - _log_odds(probability)))
    return f"about {count} in {of}"


def _log_odds(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


def _check_probability(probability: float) -> None:
    if not 0.0 <= probability <= 1.0:
        raise InputError(f"probability = {probability} is not between 0 and 1")


def _plain(value: float) -> str:
    return f"{value:,.10f}".rstrip("0").rstrip(".")
