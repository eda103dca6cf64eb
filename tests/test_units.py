"""Quantities as people write them: units, words of size, en-US digits, and what is refused because it is ambiguous."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.priors import load_priors
from forecast.schema import DAY_SECONDS, JULIAN_YEAR_SECONDS
from forecast.units import parsed_unit, quantity, with_unit

PRINTED = (
    "s",
    "days",
    "months",
    "yr",
    "FLOP",
    "FLOP/s",
    "USD",
    "1",
    "tokens/s",
    "tokens/param",
    "people",
    "params",
    "H100",
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1y", "s", 31_557_600.0),
        ("1yr", "days", 365.25),
        ("1 year", "months", 12.0),
        ("2 Years", "yr", 2.0),
        ("90d", "s", 7_776_000.0),
        ("3 months", "days", 91.3125),
        ("2w", "h", 336.0),
        ("5 min", "s", 300.0),
        ("1h", "min", 60.0),
        ("1s", "s", 1.0),
        ("29 ms", "s", 0.029),
        ("1e21FLOP/s", "FLOP/s", 1e21),
        ("1e21 FLOP per second", "FLOP/s", 1e21),
        ("5 EFLOP/s", "FLOP/s", 5e18),
        ("5EFLOP/s", "FLOP/s", 5e18),
        ("1e25 FLOP", "FLOP", 1e25),
        ("1e25 flop", "FLOP", 1e25),
        ("3 TFLOPs", "FLOP", 3e12),
        ("10%", "1", 0.1),
        ("30x", "1", 30.0),
        ("$10bn", "USD", 1e10),
        ("US$ 1 trillion", "USD", 1e12),
        ("7.5 billion dollars", "USD", 7.5e9),
        ("$2bn/yr", "USD/yr", 2e9),
        ("1e14", "params", 1e14),
        ("70B", "params", 7e10),
        ("1.4T tokens", "tokens", 1.4e12),
        ("400K", "H100", 4e5),
        ("10 million H100s", "H100", 1e7),
        ("1,500,000", "people", 1.5e6),
        ("4000 researchers", "people", 4000.0),
        ("20 tokens per parameter", "tokens/param", 20.0),
        ("0.5 per year", "1/yr", 0.5),
        ("2 doublings/yr", "OOM/yr", 2.0 * math.log10(2.0)),
        ("0.6 OOM/yr", "ln/yr", 0.6 * math.log(10.0)),
        ("2.5", "doublings/OOM", 2.5),
        ("1e25 FLOP", "log10 FLOP", 25.0),
        ("25", "log10 FLOP", 25.0),
        ("-0.5", "logit", -0.5),
        ("\N{MINUS SIGN}0.5", "logit", -0.5),
        (7, "days", 7.0),
    ],
)
def test_what_people_write_is_read(text: str | float, unit: str, value: float) -> None:
    assert quantity(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("1e25 FLOP", "s", ["'1e25 FLOP' is an amount of compute", "a time is wanted", "90d"]),
        ("1y", "FLOP/s", ["'1y' is a time", "a rate of compute is wanted", "1e21FLOP/s"]),
        ("1e21FLOP/s", "FLOP", ["a rate of compute, but an amount of compute"]),
        ("10%", "days", ["a percentage", "a time is wanted"]),
        ("5 days", "ln days", ["bare number in ln days"]),
        ("1m", "s", ["minutes, months or million"]),
        ("1M", "days", ["million", "months"]),
        ("1 FLOPS", "FLOP/s", ["an amount or a rate", "FLOP/s"]),
        ("1 TFLOPS", "FLOP/s", ["TFLOP/s"]),
        ("5t", "USD", ["T or trillion"]),
        ("1Y", "s", ["did you mean 'y'"]),
        ("3 yeras", "s", ["did you mean 'years'"]),
        ("1,5", "1", ["1.5", "1,500,000"]),
        ("1.000,5", "1", ["1,500,000"]),
        ("1.000.000", "1", ["1,500,000"]),
        ("0,123", "1", ["1,500,000"]),
        ("1 000", "1", ["1,500,000"]),
        ("1_000", "1", ["1,500,000"]),
        ("\N{ARABIC-INDIC DIGIT THREE}d", "s", ["not a number"]),
        ("inf", "s", ["not a number"]),
        ("nan", "1", ["not a number"]),
        ("", "s", ["not a number"]),
        ("1e400", "1", ["too large"]),
        ("1e308 billion", "1", ["too large"]),
        ("1e25", "log10 FLOP", ["too large for a log10"]),
        ("-3 FLOP", "log10 FLOP", ["no log10"]),
        ("€5", "USD", ["a sum of money", "$10bn"]),
        ("$5 d", "USD", ["two units"]),
        ("__import__('os')", "s", ["not a number"]),
        ("2*3", "1", ["no known unit"]),
    ],
)
def test_what_could_mean_something_else_is_refused_with_what_to_write(text: str, unit: str, said: list[str]) -> None:
    with pytest.raises(InputError) as fault:
        quantity(text, unit)
    assert "\n" not in str(fault.value)
    for words in said:
        assert words in str(fault.value)


@given(
    value=st.floats(1e-3, 1e30) | st.floats(-1e17, -1e-3),
    unit=st.sampled_from(PRINTED),
)
def test_what_is_printed_is_read_back(value: float, unit: str) -> None:
    assert quantity(with_unit(value, unit, 6), unit) == pytest.approx(value, rel=1e-5)


@given(
    amount=st.floats(1e-6, 1e6),
    pair=st.permutations(["s", "min", "h", "d", "w", "mo", "yr", "years", "months"]),
)
def test_a_change_of_unit_and_back_changes_nothing(amount: float, pair: list[str]) -> None:
    there = quantity(f"{amount!r} {pair[0]}", pair[1])
    assert quantity(f"{there!r}{pair[1]}", pair[0]) == pytest.approx(amount, rel=1e-12)


@given(text=st.text(max_size=30), unit=st.sampled_from([*PRINTED, "log10 FLOP", "ln days"]))
def test_any_text_is_read_or_refused(text: str, unit: str) -> None:
    with contextlib.suppress(InputError):
        assert math.isfinite(quantity(text, unit))


def test_a_bare_number_is_in_the_unit_of_every_prior() -> None:
    for prior in load_priors().values():
        assert quantity("12.5", prior.units) == 12.5
        assert quantity(with_unit(12.5, prior.units), prior.units) == 12.5


def test_calendar_time_and_working_time_are_told_apart() -> None:
    """METR's month of work has 167 hours, a calendar month 730.5."""
    assert quantity("1 month", "h") == 730.5
    assert quantity("1 month", "h", working=True) == 167.0
    assert quantity("3 days", "min", working=True) == 3 * 8 * 60
    assert quantity("40h", "min", working=True) == 2400.0


def test_the_year_is_julian_and_its_month_a_twelfth() -> None:
    year = parsed_unit("yr")
    assert year is not None
    assert year.factor == JULIAN_YEAR_SECONDS == 365.25 * DAY_SECONDS
    assert quantity("12 months", "s") == JULIAN_YEAR_SECONDS


def test_numbers_are_said_with_their_unit() -> None:
    assert with_unit(1.0, "people") == "1 person"
    assert with_unit(-7.5e9, "USD") == "-$7.5 billion"
    assert with_unit(math.inf, "days") == "never"
