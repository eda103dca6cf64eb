"""The compiled take-off is the NumPy take-off: same rates, same read-outs, whatever the scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from moments import somewhere

from forecast.dynamics import flow, simulate, takeoff, takeoff_with_years
from forecast.dynamics.compiled import LANES
from forecast.dynamics.events import time_of_level, z_at_time
from forecast.dynamics.flow import COMPILE_FROM, engine_for, present_of, research_flow
from forecast.dynamics.groups import COLUMNS, compiled_flow, in_groups, lanes_of
from forecast.dynamics.integrator import Memory, Path
from forecast.dynamics.paths import Legs
from forecast.dynamics.readouts import best_years
from forecast.errors import InputError
from forecast.schema import EVENTS

WINDOW_END = 2046.0
SCENARIOS = ("baseline", "software_only", "hardware_leap", "no_slowdown")


@pytest.mark.parametrize("course", ["trend", "frozen", "leap"])
def test_the_rates_agree_to_rounding_at_every_kind_of_moment(p: dict[str, Any], course: Any) -> None:
    size = 3 * LANES + 17  # the last group is not full
    some, present, turn, time, z, memory = somewhere(p, size, course)
    flows = (research_flow(some, present, turn), compiled_flow(some, present, turn))
    for draws in (np.arange(size), np.arange(0, size, 3)):
        chosen = Memory(*(field[draws] for field in memory))
        expected, found = (flow(time[draws], z[draws], chosen, draws) for flow in flows)
        for name in ("z_rate", "signal", "log_speedup"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12, atol=1e-13)
        for one, other in zip(found.memory, expected.memory, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_every_read_out_and_series_agrees(prior_run: xr.DataTree, p: dict[str, Any]) -> None:
    """Draws that are automated at `as_of` apart: there tokens per data point jump, and rounding says on which side."""
    milestones = present_of(p).milestones
    ahead = (milestones.full > milestones.now).reshape(prior_run["posterior"]["returns"].shape)
    assert 0.8 < ahead.mean() < 1.0
    expected = takeoff_with_years(prior_run, SCENARIOS, engine="numpy")
    found = takeoff_with_years(prior_run, SCENARIOS, engine="compiled")
    for one, other in zip(found, expected, strict=True):
        for name in one.data_vars:
            if name in EVENTS:
                np.testing.assert_array_equal(one[name], other[name])
            else:
                for where, tolerance in ((ahead, 1e-9), (~ahead, 2e-3)):
                    pair = (data[name].values[:, where] for data in (one, other))
                    np.testing.assert_allclose(*pair, rtol=tolerance, atol=tolerance, err_msg=str(name))


@pytest.fixture(scope="module")
def legs(p: dict[str, Any]) -> tuple[Legs, Legs]:
    """Compiled paths of the prior's draws, and the same nodes as NumPy reads them."""
    found = simulate(p, WINDOW_END, engine="compiled")
    return found, replace(found, before=as_path(found.before), after=as_path(found.after))


def as_path(path: Any) -> Path:
    columns = {name: getattr(path, name) for name in COLUMNS}
    step = np.where(np.diff(columns["time"], axis=0) > 0, path.step, 0.0)
    memory = Memory(*(columns.pop(name) for name in ("practice", "target", "rate")), columns["time"])
    return Path(**columns, step=step, memory=memory)


def test_levels_and_moments_are_read_off_the_same_nodes_alike(legs: tuple[Legs, Legs]) -> None:
    one, other = legs
    rng = np.random.default_rng(5)
    for compiled, plain in ((one.before, other.before), (one.after, other.after)):
        size = plain.time.shape[1]
        times = np.concatenate([rng.uniform(2020.0, 2055.0, (9, size)), plain.time[:1], plain.time[-1:]])
        np.testing.assert_allclose(z_at_time(compiled, times), z_at_time(plain, times), rtol=0, atol=1e-10)
        levels = np.concatenate([rng.uniform(-40.0, 40.0, (9, size)), plain.z[3:4], np.full((1, size), np.inf)])
        years, expected = time_of_level(compiled, levels), time_of_level(plain, levels)
        assert 0.1 < np.isinf(expected).mean() < 0.9
        np.testing.assert_allclose(years, expected, rtol=0, atol=1e-8)
        np.testing.assert_array_equal(z_at_time(compiled, times[0]), z_at_time(compiled, times)[0])


def test_the_best_twelve_months_and_the_largest_speedup_are_read_off_the_same_nodes_alike(
    legs: tuple[Legs, Legs], p: dict[str, Any]
) -> None:
    for one, other in (legs, tuple(replace(item, after=None) for item in legs)):
        for found, expected in zip(best_years(one, p, WINDOW_END), best_years(other, p, WINDOW_END), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_compiled_numbers_do_not_depend_on_the_size_of_a_block(
    prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on who shares a group, nor on the number of threads: to the last bit."""
    whole = takeoff_with_years(prior_run, engine="compiled")
    monkeypatch.setattr(flow, "COMPILED_BLOCK", 37)
    for one, other in zip(takeoff_with_years(prior_run, engine="compiled"), whole, strict=True):
        xr.testing.assert_identical(one, other)


def test_only_what_pays_is_compiled_unless_asked_for() -> None:
    assert engine_for("auto", COMPILE_FROM - 1) == "numpy"
    assert engine_for("auto", COMPILE_FROM) == "compiled"
    assert engine_for("compiled", 1) == "compiled"
    with pytest.raises(InputError, match="no engine named 'fortran': choose auto, numpy, compiled or jax"):
        engine_for("fortran", 1)  # type: ignore[arg-type]


def test_an_unknown_engine_is_refused_before_anything_is_done(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="no engine named"):
        takeoff(prior_run, engine="gpu")  # type: ignore[arg-type]


def test_draws_are_laid_out_by_group_the_last_one_filling_its_own() -> None:
    rows = np.arange(2.0 * (LANES + 1)).reshape(2, LANES + 1)
    laid = in_groups(rows, lanes_of(LANES + 1))
    assert laid.shape == (2, 2 * LANES)
    np.testing.assert_array_equal(laid[0], rows[:, :LANES].ravel())
    np.testing.assert_array_equal(laid[1, LANES:], np.full(LANES, rows[1, -1]))
