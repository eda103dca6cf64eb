"""Layers: the rivals' own statements, and where they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from forecast.equations import depth_scaling

COLUMNS = [[1e9, 7e10, 1e15], [60.0, 80.0, 120.0], [0.05, 0.25, 0.5], [0.0, -0.3, 0.2]]


@pytest.mark.parametrize("function", [*depth_scaling.LAYERS.values(), depth_scaling.log_layers])
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any]
) -> None:
    assert_same_on_kind(function, COLUMNS)


def test_the_rivals_are_named_after_their_source() -> None:
    assert all(name == function.__name__ for name, function in depth_scaling.LAYERS.items())


@pytest.mark.parametrize("function", depth_scaling.LAYERS.values())
def test_every_form_passes_through_the_reference_point(function: Callable[..., Any]) -> None:
    assert function(7e10, 80.0, 0.25) == pytest.approx(80.0)


def test_levine_doubles_depth_at_most_for_a_hundred_times_the_parameters() -> None:
    assert depth_scaling.levine2020(7e12, 80.0, 0.6) == pytest.approx(160.0)
    assert depth_scaling.levine2020(7e12, 80.0, 0.0) == pytest.approx(80.0)
    assert depth_scaling.levine2020(7e12, 80.0, 0.1) == pytest.approx(depth_scaling.fitted(7e12, 80.0, 0.1))


def test_kaplan_keeps_the_ratio_of_width_to_depth() -> None:
    """Parameters go as depth x width^2: at a fixed ratio eight times the parameters are twice the depth."""
    assert depth_scaling.kaplan2020(8 * 7e10, 80.0, 0.0) == pytest.approx(160.0)
    assert depth_scaling.kaplan2020(1e13, 80.0, 0.2) == pytest.approx(depth_scaling.fitted(1e13, 80.0, 1 / 3))


def test_the_fitted_exponent_is_the_slope_in_logs() -> None:
    params = np.array([1e9, 1e11, 1e13])
    slopes = np.diff(depth_scaling.log_layers(params, 80.0, 0.268)) / np.diff(np.log(params))
    np.testing.assert_allclose(slopes, 0.268, rtol=1e-12)


def test_an_offset_multiplies_layers() -> None:
    ratio = depth_scaling.fitted(1e12, 80.0, 0.25, np.log(1.5)) / depth_scaling.fitted(1e12, 80.0, 0.25)
    assert ratio == pytest.approx(1.5)
