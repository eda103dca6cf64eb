"""Utilization on the logit scale stays a share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.special import logit as scipy_logit

from forecast.equations.utilization import logit, realised_utilization

CASES = [
    (logit, [[0.01, 0.5, 0.999]]),
    (realised_utilization, [[2020.0, 2023.0, 2045.0], [0.1, 0.4, 0.9], [0.05, -0.1, 0.3], [0.0, 0.5, -0.5]]),
]


@pytest.mark.parametrize(("function", "columns"), CASES)
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any], columns: list[list[float]]
) -> None:
    assert_same_on_kind(function, columns)


def test_it_starts_at_its_reference_year_and_moves_by_its_trend() -> None:
    assert realised_utilization(2023.0, 0.4, 0.05) == pytest.approx(0.4)
    years = np.array([2020.0, 2026.8, 2040.0])
    truth = expit(scipy_logit(0.4) + 0.05 * (years - 2023.0) - 0.2)
    np.testing.assert_allclose(realised_utilization(years, 0.4, 0.05, -0.2), truth, rtol=1e-13)


@given(st.floats(2000.0, 2100.0), st.floats(0.001, 0.999), st.floats(-0.3, 0.3), st.floats(-2.0, 2.0))
def test_it_is_always_a_share(year: float, start: float, trend: float, offset: float) -> None:
    assert 0.0 < realised_utilization(year, start, trend, offset) <= 1.0
