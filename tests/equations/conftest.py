"""One fixture over the kinds of array: the type that comes back, its labels, and values equal to a loop of floats."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr
from pytensor.compile.maker import function as compile_graph
from pytensor.tensor.variable import TensorVariable

type Columns = Sequence[Sequence[float]]


def as_tuple(result: Any) -> tuple[Any, ...]:
    """List what a function returns: one array, a tuple of them, or a frozen dataclass."""
    if is_dataclass(result) and not isinstance(result, type):
        return tuple(getattr(result, field.name) for field in fields(result))
    return result if isinstance(result, tuple) else (result,)


def slow_loop(function: Callable[..., Any], columns: Columns) -> list[np.ndarray[Any, Any]]:
    """Evaluate row by row on plain floats."""
    rows = [as_tuple(function(*map(float, row))) for row in zip(*columns, strict=True)]
    return [np.array(column, dtype=float) for column in zip(*rows, strict=True)]


def on_floats(function: Callable[..., Any], columns: Columns) -> list[Any]:
    results = []
    for row in zip(*columns, strict=True):
        results.append(as_tuple(function(*map(float, row))))
        for value in results[-1]:
            assert isinstance(value, float), f"{function.__name__} turned floats into {type(value)}"
    return [np.array(column) for column in zip(*results, strict=True)]


def on_numpy(function: Callable[..., Any], columns: Columns) -> list[Any]:
    results = as_tuple(function(*(np.array(column, dtype=float) for column in columns)))
    for value in results:
        assert type(value) is np.ndarray
        assert value.dtype == np.float64
    return list(results)


def on_xarray(function: Callable[..., Any], columns: Columns) -> list[Any]:
    """Put the first argument on its own dim: results broadcast by name; their diagonal is what was asked for."""
    first, *rest = (np.array(column, dtype=float) for column in columns)
    labels = np.arange(len(first))
    arguments = [xr.DataArray(first, dims="year", coords={"year": labels})]
    arguments += [xr.DataArray(column, dims="draw", coords={"draw": labels}) for column in rest]
    dims = {"year", "draw"} if rest else {"year"}
    diagonal = {name: xr.DataArray(labels, dims="row") for name in dims}
    results = as_tuple(function(*arguments))
    for value in results:
        assert isinstance(value, xr.DataArray)
        assert set(value.dims) <= dims
        assert set(value.coords) == set(value.dims), "labels were lost"
        assert value.dims
    return [value.isel({dim: diagonal[dim] for dim in value.dims}).values for value in results]


def on_pytensor(function: Callable[..., Any], columns: Columns) -> list[Any]:
    namespace = {"xp": pt} if "xp" in inspect.signature(function).parameters else {}
    symbols = [pt.dvector(f"x{i}") for i in range(len(columns))]
    results = as_tuple(function(*symbols, **namespace))
    for value in results:
        assert isinstance(value, TensorVariable)
    compiled = compile_graph(symbols, list(results), mode="FAST_COMPILE", on_unused_input="ignore")
    return list(compiled(*(np.array(column, dtype=float) for column in columns)))


KINDS = {"float": on_floats, "numpy": on_numpy, "xarray": on_xarray, "pytensor": on_pytensor}


@pytest.fixture(params=KINDS)
def assert_same_on_kind(request: pytest.FixtureRequest) -> Callable[[Callable[..., Any], Columns], None]:
    """Assert that `function` of `columns` (one sequence per positional argument) keeps the kind and the values."""
    evaluate = KINDS[request.param]

    def check(function: Callable[..., Any], columns: Columns) -> None:
        expected = slow_loop(function, columns)
        found = evaluate(function, columns)
        assert len(found) == len(expected)
        for value, truth in zip(found, expected, strict=True):
            shape = np.broadcast_to(value, truth.shape)
            np.testing.assert_allclose(shape, truth, rtol=1e-12, atol=1e-14)

    return check
