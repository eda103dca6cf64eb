"""Choice and removable singularities, written once for floats, NumPy, xarray and PyTensor.

``xp.where`` drops the labels of a DataArray, so every choice here goes through `select`. A branch that is not taken
is computed at a harmless argument first: otherwise 0/0 there would poison gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

type Array = Any  # float, NumPy array, xarray.DataArray or PyTensor variable
type Namespace = Any  # a module with exp, log, ... for that kind: numpy, pytensor.tensor, jax.numpy

SERIES_BELOW = 1e-3  # the series of both ratios below are exact to 2e-16 here, their gradients to 1e-12


def select(condition: Array, yes: Array, no: Array, *, xp: Namespace = np) -> Array:
    """`yes` where `condition` holds, else `no`; labels and scalars survive.

    >>> float(select(2.0 > 1.0, 3.0, 4.0))
    3.0
    """
    for part in (condition, yes, no):
        if hasattr(part, "dims"):  # DataArray.where keeps labels; `nowhere` makes DataArrays of the other parts
            nowhere = part.isnull() & False
            return (yes + nowhere).where(condition | nowhere, no)
    return xp.where(condition, yes, no)[()]  # [()] turns NumPy's 0-d array back into a scalar


def expm1_ratio(x: Array, rate: Array, *, xp: Namespace = np) -> Array:
    """Return expm1(rate x) / rate, which is x at rate = 0; the inverse of `log1p_ratio` in x.

    >>> float(expm1_ratio(2.0, 0.0)), round(float(expm1_ratio(2.0, 0.5)), 6)
    (2.0, 3.436564)
    """
    y = rate * x
    small = abs(y) < SERIES_BELOW
    inside = select(small, y, 0.0, xp=xp)
    near = x * (1.0 + inside / 2.0 * (1.0 + inside / 3.0 * (1.0 + inside / 4.0 * (1.0 + inside / 5.0))))
    far = xp.expm1(select(small, 1.0, y, xp=xp)) / select(small, 1.0, rate, xp=xp)
    return select(small, near, far, xp=xp)


def log1p_ratio(x: Array, rate: Array, *, xp: Namespace = np) -> Array:
    """Return log1p(rate x) / rate, which is x at rate = 0; +inf (-inf) where rate x <= -1 and rate < 0 (> 0).

    >>> float(log1p_ratio(2.0, 0.0)), round(float(log1p_ratio(2.0, 0.5)), 6)
    (2.0, 1.386294)
    >>> float(log1p_ratio(2.0, -0.5))
    inf
    """
    y = rate * x
    small = abs(y) < SERIES_BELOW
    beyond = y <= -1.0
    inside = select(small, y, 0.0, xp=xp)
    near = x * (1.0 - inside * (1.0 / 2.0 - inside * (1.0 / 3.0 - inside * (1.0 / 4.0 - inside / 5.0))))
    safe_rate = select(small, 1.0, rate, xp=xp)
    far = xp.log1p(select(small | beyond, 1.0, y, xp=xp)) / safe_rate
    limit = -np.inf * xp.sign(safe_rate)
    return select(small, near, select(beyond, limit, far, xp=xp), xp=xp)
