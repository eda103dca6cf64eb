"""Doubling times and growth rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.equations.algorithmic_progress import doubling_months, growth_per_year


@pytest.mark.parametrize("function", [growth_per_year, doubling_months])
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any]
) -> None:
    assert_same_on_kind(function, [[0.5, 8.0, 20.0]])


def test_a_doubling_every_eight_months_is_2_8_times_a_year() -> None:
    """Ho et al. 2024 state both: compute halves every 8 months, about 3x a year."""
    assert np.exp(growth_per_year(8.0)) == pytest.approx(2**1.5)


def test_seven_ooms_in_twelve_years_doubles_every_six_months() -> None:
    assert doubling_months(7 * np.log(10) / 12) == pytest.approx(144 / np.log2(1e7))


@given(st.floats(0.01, 1e4))
def test_the_two_are_inverse(months: float) -> None:
    assert doubling_months(growth_per_year(months)) == pytest.approx(months, rel=1e-14)
