"""Every value stands within half a bin of what is said of it, whatever its size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.many.grids import LOGS, PARTS, POSITIVE, SMALLEST, YEARS, Step, grid_of
from forecast.schema import READOUTS, YEARLY


@given(st.lists(st.floats(-300.0, 300.0), min_size=1))
def test_a_step_is_off_by_half_a_bin_at_most(values: list[float]) -> None:
    for grid in (LOGS, Step(0.25, -300.0, 300.0, "yr")):
        found = grid.middle(grid.index(np.array(values)))
        np.testing.assert_allclose(found, values, rtol=0.0, atol=grid.error * (1.0 + 1e-9))


@given(st.lists(st.floats(SMALLEST, 1e300), min_size=1))
def test_a_ratio_is_off_by_a_thousandth_at_most(values: list[float]) -> None:
    found = POSITIVE.middle(POSITIVE.index(np.array(values)))
    np.testing.assert_allclose(found, values, rtol=POSITIVE.error)
    assert POSITIVE.error < 0.001


@given(st.lists(st.floats(0.0, 1e300), min_size=2))
def test_larger_values_never_lie_in_earlier_bins(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    assert (np.diff(POSITIVE.index(ordered)) >= 0).all()
    assert (np.diff(LOGS.index(np.minimum(ordered, 300.0))) >= 0).all()


def test_tiny_values_and_zero_share_the_first_bin() -> None:
    first = POSITIVE.index(np.array([0.0, -1e-17, 1e-12, 0.999 * SMALLEST]))
    assert set(first.tolist()) == {POSITIVE.ends[0]}
    assert 0.0 < float(POSITIVE.middle(first[0])) < 2.0 * SMALLEST


def test_what_lies_beyond_a_step_is_in_its_last_bins() -> None:
    assert LOGS.index(np.array([-1e9, 1e9])).tolist() == list(LOGS.ends)


@pytest.mark.parametrize("name", [*YEARLY, *READOUTS])
def test_every_variable_has_the_grid_of_its_scale(name: str) -> None:
    units = (YEARLY | READOUTS)[name].units
    grid = grid_of(name)
    if units.startswith("log10") or name == "log10_software":
        assert grid is LOGS
    elif name in ("year_20", "year_100"):
        assert grid is YEARS
    elif name in ("automated_share", "training_utilization", "deployment_utilization"):
        assert grid is PARTS
    else:
        assert grid is POSITIVE
