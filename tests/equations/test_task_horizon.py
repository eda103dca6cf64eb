"""Task horizons: the definition of each form, a slow count of doublings, inverses, and the limit where they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.equations.task_horizon import EFFECTIVE_FLOP_AT_HORIZON, TASK_HORIZON

CURVE = (6.0, 2.5, 26.0)  # log2 minutes at the centre, doublings per OOM, centre
NOW = 27.5
FACTORS = st.floats(0.82, 1.2)


@pytest.mark.parametrize("form", TASK_HORIZON)
@pytest.mark.parametrize("table", [TASK_HORIZON, EFFECTIVE_FLOP_AT_HORIZON])
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], table: dict[str, Callable[..., Any]], form: str
) -> None:
    first = [[20.0, 27.0, 28.0, 30.0]] if table is TASK_HORIZON else [[2.0, 10.0, 14.0, 31.0]]
    rest = [[6.0, 5.0, 7.0, 6.0], [2.5, 1.7, 1.0, 2.0], [26.0, 25.5, 26.0, 26.0]]
    assert_same_on_kind(table[form], [*first, *rest, [0.92, 1.0, 1.02, 0.85], [27.5, 27.0, 27.5, 26.0]])


def slow_effective_flop(doublings: int, factor: float) -> float:
    """OOM beyond `NOW` of so many doublings, adding one after the other; slope b at the start fixes the first."""
    smallest_part = 2.0**-20  # doublings; each part's cost follows from the slope, so the first doubling is resolved
    part = np.arange(0.0, 1.0, smallest_part) + smallest_part / 2
    first = float(np.sum(factor**part) * smallest_part) / CURVE[1]
    total, cost = 0.0, first
    for _ in range(doublings):
        total, cost = total + cost, cost * factor
    return total


@pytest.mark.parametrize("factor", [0.82, 0.92, 1.02])
def test_each_doubling_takes_the_factor_times_the_one_before(factor: float) -> None:
    now = TASK_HORIZON["exponential"](NOW, *CURVE)
    for doublings in (1, 2, 7):
        beyond = slow_effective_flop(doublings, factor)
        found = TASK_HORIZON["superexponential"](NOW + beyond, *CURVE, factor, NOW)
        assert found == pytest.approx(now + doublings, abs=1e-9)


def test_the_exponential_form_doubles_b_times_per_oom() -> None:
    horizons = TASK_HORIZON["exponential"](np.array([26.0, 27.0, 28.0]), *CURVE)
    np.testing.assert_allclose(horizons, [6.0, 8.5, 11.0])


@pytest.mark.parametrize("distance", [0.0, 1e-12, -1e-9, 1e-6])
def test_the_forms_meet_where_the_factor_is_one(distance: float) -> None:
    flop = np.linspace(20.0, 40.0, 41)
    curved = TASK_HORIZON["superexponential"](flop, *CURVE, 1.0 + distance, NOW)
    straight = TASK_HORIZON["exponential"](flop, *CURVE)
    np.testing.assert_allclose(curved, straight, atol=1e-12 + 1000 * abs(distance))


def test_the_forms_agree_until_now_and_touch_there() -> None:
    flop = np.array([15.0, 25.0, NOW])
    np.testing.assert_allclose(
        TASK_HORIZON["superexponential"](flop, *CURVE, 0.9, NOW), TASK_HORIZON["exponential"](flop, *CURVE)
    )
    step = 1e-6
    slope = (
        TASK_HORIZON["superexponential"](NOW + step, *CURVE, 0.9, NOW) - TASK_HORIZON["exponential"](NOW, *CURVE)
    ) / step
    assert slope == pytest.approx(CURVE[1], rel=1e-5)


def test_shrinking_doublings_all_fit_into_a_finite_amount_of_compute() -> None:
    end = NOW + 1 / (CURVE[1] * np.log(1 / 0.9))
    assert np.isfinite(TASK_HORIZON["superexponential"](end - 1e-9, *CURVE, 0.9, NOW))
    assert TASK_HORIZON["superexponential"](end + 1e-9, *CURVE, 0.9, NOW) == np.inf
    assert EFFECTIVE_FLOP_AT_HORIZON["superexponential"](1e4, *CURVE, 0.9, NOW) == pytest.approx(end)


@pytest.mark.parametrize("form", TASK_HORIZON)
@given(log2_horizon=st.floats(-10.0, 40.0), factor=FACTORS)
def test_horizon_and_effective_flop_are_inverse(form: str, log2_horizon: float, factor: float) -> None:
    flop = EFFECTIVE_FLOP_AT_HORIZON[form](log2_horizon, *CURVE, factor, NOW)
    assert TASK_HORIZON[form](flop, *CURVE, factor, NOW) == pytest.approx(log2_horizon, abs=1e-7)


@given(st.floats(20.0, 40.0), st.floats(0.0, 5.0), FACTORS)
def test_more_compute_never_shortens_the_horizon(flop: float, more: float, factor: float) -> None:
    lower = TASK_HORIZON["superexponential"](flop, *CURVE, factor, NOW)
    assert TASK_HORIZON["superexponential"](flop + more, *CURVE, factor, NOW) >= lower
