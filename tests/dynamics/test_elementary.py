"""exp, log and their kin against exact values, over the whole range of a float."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numba import njit

from forecast.dynamics import elementary

EPS = np.finfo(float).eps
NORMAL = np.concatenate([np.linspace(-700.0, 700.0, 20_001), np.geomspace(1e-300, 600.0, 2000), [0.0]])
SMALL = np.concatenate([-np.geomspace(1e-18, 0.9, 5000), np.geomspace(1e-18, 1e18, 5000), [0.0]])


def over(function: Callable[..., float], *columns: np.ndarray) -> np.ndarray:
    """The function in a loop, as the kernel has it."""

    def loop(x: np.ndarray, out: np.ndarray) -> None:
        for i in range(x.size):
            out[i] = function(x[i])

    result = np.empty_like(columns[0])
    njit(loop)(columns[0], result)
    return result


@pytest.mark.parametrize(
    ("name", "where"),
    [("exp", NORMAL), ("expm1", NORMAL), ("expm1", SMALL[SMALL < 700.0]), ("log", np.geomspace(1e-300, 1e300, 20_001)),
     ("log", 1.0 + SMALL[np.abs(SMALL) < 0.5]), ("log1p", SMALL), ("tanh", SMALL), ("log10", np.geomspace(1e-9, 1e40, 999))],
)  # fmt: skip
def test_each_function_is_within_a_few_units_in_the_last_place(name: str, where: np.ndarray) -> None:
    exact = getattr(np, name)(where.astype(np.longdouble)).astype(float)
    found = over(getattr(elementary, name), where)
    np.testing.assert_allclose(found, exact, rtol=6 * EPS, atol=0)


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "tanh"])
def test_infinities_and_nan_behave_as_in_numpy(name: str) -> None:
    ends = np.array([np.inf, -np.inf, np.nan, 0.0, -0.5 if name == "log1p" else 1.0, 1e308])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(over(getattr(elementary, name), ends), getattr(np, name)(ends), rtol=6 * EPS)


def test_the_smaller_and_the_larger_of_two_are_nan_if_either_is() -> None:
    for name in ("minimum", "maximum"):
        function = getattr(elementary, name)
        pairs = [(1.0, 2.0), (2.0, 1.0), (np.nan, 1.0), (1.0, np.nan), (-np.inf, np.inf)]
        np.testing.assert_array_equal([function(*pair) for pair in pairs], [getattr(np, name)(*pair) for pair in pairs])


def test_the_log_of_a_sum_of_exponentials_never_overflows() -> None:
    assert elementary.logaddexp(1000.0, 1000.0) == pytest.approx(1000.0 + np.log(2.0), rel=EPS)
    assert elementary.logaddexp(0.0, -40.0) == pytest.approx(np.exp(-40.0), rel=4 * EPS)
