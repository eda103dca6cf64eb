"""Removable singularities: values in 60 digits, gradients through zero, labels."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.maker import function as compiled
from pytensor.gradient import grad

from forecast.equations._smooth import SERIES_BELOW, expm1_ratio, log1p_ratio, select

getcontext().prec = 60
RATES = [0.0, 5e-324, 1e-16, -1e-12, 1e-6, -9e-4, SERIES_BELOW, -2e-3, 0.1, -0.4, 2.0]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("x", [0.0, 1.0, 2.0])
def test_both_ratios_agree_with_sixty_digits(rate: float, x: float) -> None:
    exact_rate, exact_x = Decimal(rate), Decimal(x)
    up = ((exact_rate * exact_x).exp() - 1) / exact_rate if abs(rate) > 1e-30 else exact_x
    down = (1 + exact_rate * exact_x).ln() / exact_rate if abs(rate) > 1e-30 else exact_x
    assert float(expm1_ratio(x, rate)) == pytest.approx(float(up), rel=1e-15)
    assert float(log1p_ratio(x, rate)) == pytest.approx(float(down), rel=1e-15)


@pytest.mark.parametrize("rate", [0.0, 1e-9, -9e-4, 1.1e-3, 0.3])
def test_gradients_pass_through_zero(rate: float) -> None:
    """d/dx and d/drate against a central difference in 60 digits (their limits are 1 and +-x^2/2)."""
    x, step = 1.5, Decimal("1e-20")
    symbols = [pt.dscalar("x"), pt.dscalar("rate")]
    for ratio, sign in ((expm1_ratio, 1), (log1p_ratio, -1)):
        slopes = compiled(symbols, grad(ratio(*symbols, xp=pt), symbols), mode="FAST_COMPILE")(x, rate)

        def exact(r: Decimal, sign: int = sign) -> Decimal:
            y = r * Decimal(x)
            return (y.exp() - 1) / r if sign > 0 else (1 + y).ln() / r

        in_rate = float((exact(Decimal(rate) + step) - exact(Decimal(rate) - step)) / (2 * step))
        in_x = np.exp(rate * x) if sign > 0 else 1 / (1 + rate * x)
        np.testing.assert_allclose(slopes, [in_x, in_rate], rtol=1e-9)


@given(st.floats(0.0, 20.0), st.floats(-0.5, 0.5))
def test_the_ratios_are_inverse(x: float, rate: float) -> None:
    assert log1p_ratio(expm1_ratio(x, rate), rate) == pytest.approx(x, rel=1e-9, abs=1e-12)


def test_past_its_pole_the_logarithm_is_infinite_with_the_sign_of_its_approach() -> None:
    np.testing.assert_array_equal(log1p_ratio(np.array([1.0, 2.0, 50.0]), -1.0), np.inf)
    np.testing.assert_array_equal(log1p_ratio(np.array([-1.0, -2.0]), 1.0), -np.inf)


def test_select_keeps_labels_and_infinities_of_either_branch() -> None:
    first = xr.DataArray([1.0, -1.0], dims="a", coords={"a": [10, 20]})
    second = xr.DataArray([np.inf, 5.0, 6.0], dims="b")
    found = select(first > 0, -np.inf, second)
    assert set(found.dims) == {"a", "b"}
    np.testing.assert_array_equal(found.sel(a=10), -np.inf)
    np.testing.assert_array_equal(found.sel(a=20), second)
    np.testing.assert_array_equal(select(True, second, 0.0), second)
    other = select(False, second, first)
    np.testing.assert_array_equal(other.sel(a=20), [-1.0, -1.0, -1.0])


def test_select_gives_scalars_for_scalars() -> None:
    assert isinstance(select(True, 1.0, 2.0), float)
