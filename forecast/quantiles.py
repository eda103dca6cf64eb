"""Quantiles over draws that may be censored (+inf) or not apply (NaN)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast import schema
from forecast.errors import InputError

SAMPLE_DIMS = (*schema.SAMPLE_DIMS, "sample")

Floats = npt.NDArray[np.float64]


def quantile(data: xr.DataArray, levels: Sequence[float]) -> xr.DataArray:
    """Equal-tailed quantiles over the draws, dims (quantile, ...), linear between order statistics.

    NaN draws do not count. A quantile that needs a censored draw is ``inf``, where NumPy would return NaN.

    >>> quantile(xr.DataArray([0.0, 1.0, np.inf], dims="draw"), [0.25, 0.5, 0.75]).values
    array([0.5, 1. , inf])
    """
    sampled = sample_dims(data)
    kept = [dim for dim in data.dims if dim not in sampled]
    draws = data.transpose(*kept, *sampled)
    result = _quantile(draws.values.reshape(*draws.shape[: len(kept)], -1), np.asarray(levels))
    coords = {dim: data.coords[dim] for dim in kept if dim in data.coords}
    labelled = xr.DataArray(
        result, dims=(*kept, "quantile"), coords={**coords, "quantile": list(levels)}, attrs=data.attrs
    )
    return labelled.transpose("quantile", *kept)


def interval_levels(prob: float) -> tuple[float, ...]:
    """Levels of the outer interval of mass ``prob``, the inner half and the median: (0.05, 0.25, 0.5, 0.75, 0.95)."""
    if not 0.5 < prob < 1.0:
        raise InputError(f"prob = {prob} is not between 0.5 and 1; the inner interval already holds 50%")
    tail = round((1.0 - prob) / 2.0, 12)
    return (tail, 0.25, 0.5, 0.75, 1.0 - tail)


def sample_dims(data: xr.DataArray) -> list[str]:
    """The dims of ``data`` that number draws; an array without any is refused."""
    found = [str(dim) for dim in data.dims if dim in SAMPLE_DIMS]
    if not found:
        raise InputError(f"{data.name or 'array'}: dims {data.dims} hold no draws; expected chain and draw")
    return found


def _quantile(draws: Floats, levels: Floats) -> Floats:
    ordered = np.sort(draws.astype(np.float64), axis=-1)  # NaN comes last
    last = np.maximum(np.sum(~np.isnan(ordered), axis=-1, keepdims=True) - 1, 0)
    position = levels * last
    lower = np.floor(position).astype(np.intp)
    weight = position - lower
    low = np.take_along_axis(ordered, lower, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(lower + 1, last), axis=-1)
    with np.errstate(invalid="ignore"):  # inf - inf, replaced on the next line
        between = low + weight * (high - low)
    return np.where((weight == 0.0) | (low == high) | np.isinf(low), low, between)
