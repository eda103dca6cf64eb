"""JAX computes what NumPy computes: same rates, same read-outs, same projection; and leaves the user's JAX as it was."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import xarray as xr
from moments import somewhere

from forecast.dynamics import jax_graph, on_jax, takeoff, takeoff_with_years, tracing
from forecast.dynamics.compiled import entries
from forecast.dynamics.flow import present_of, rates
from forecast.dynamics.integrator import Memory, Node, snapshot
from forecast.errors import InputError
from forecast.projection import project
from forecast.schema import EVENTS, YEARLY

SCENARIOS = ("baseline", "software_only", "hardware_leap", "no_slowdown")
COURSES = ("trend", "frozen", "leap")
DRAWS = 97


@pytest.fixture(scope="module")
def jax() -> Any:
    """JAX on its CPU backend, the only one that every machine has."""
    found = pytest.importorskip(
        "jax", reason="JAX is not installed: uv run --with jax pytest tests/dynamics/test_on_jax.py"
    )
    found.config.update("jax_platforms", "cpu")
    return found


def nodes(p: dict[str, Any], course: Any) -> tuple[Any, ...]:
    """Draws, what they are compared with, a course of compute, and a node of a path."""
    some, present, turn, time, z, memory = somewhere(p, DRAWS, course)
    return some, present, turn, snapshot(time, z, rates(time, z, memory, some, present, turn), 0.25)


@pytest.mark.parametrize("course", COURSES)
def test_the_traced_step_is_the_integrators_step(p: dict[str, Any], course: Any) -> None:
    """The graph, evaluated by NumPy: what JAX is given to compile, without JAX."""
    some, present, turn, node = nodes(p, course)
    step = on_jax.step_for(entries(some), tuple(turn))
    moving = {f"moving.{name}": getattr(node if hasattr(node, name) else node.memory, name) for name in on_jax.COLUMNS}
    known = on_jax.inputs(some, present, turn) | moving | {"step": 0.25}
    found = tracing.evaluated(step.graph, step.wanted, known)
    expected = on_jax.advance(on_jax.research_flow(some, present, turn), node, np.arange(DRAWS), 0.25)
    for name, number in zip(on_jax.COLUMNS, step.wanted, strict=True):
        one = getattr(expected if hasattr(expected, name) else expected.memory, name)
        np.testing.assert_allclose(found[number], one, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("course", COURSES)
def test_rates_and_steps_agree_at_every_kind_of_moment(jax: Any, p: dict[str, Any], course: Any) -> None:
    """A step ends with the rates at its new node; four evaluations of them led there."""
    some, present, turn, node = nodes(p, course)
    flow = on_jax.jax_flow(some, present, turn)
    path = flow.path(node, np.full(DRAWS, np.inf), np.full(DRAWS, np.inf), 0.25, 1)
    expected = on_jax.advance(flow.moment, node, np.arange(DRAWS), 0.25)
    for name in ("time", "z", "time_slope", "z_slope", "signal", "log_speedup"):
        np.testing.assert_array_equal(getattr(path, name)[0], getattr(node, name))
        np.testing.assert_allclose(getattr(path, name)[1], getattr(expected, name), rtol=1e-9, atol=1e-9, err_msg=name)
    for one, other in zip(path.memory, expected.memory, strict=True):
        np.testing.assert_allclose(one[1], other, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(path.step, np.full((1, DRAWS), 0.25))


def test_a_draw_that_is_done_stands_still_while_others_go_on(jax: Any, p: dict[str, Any]) -> None:
    some, present, turn, node = nodes(p, "trend")
    end = node.time + np.where(np.arange(DRAWS) % 2, 2.0, -1.0)
    path = on_jax.jax_flow(some, present, turn).path(node, end, np.full(DRAWS, np.inf), 0.25, 500)
    late = end < node.time
    assert (path.step[0] == 0.25).all()  # at least one interval, even past the end
    assert not path.step[1:, late].any()
    np.testing.assert_array_equal(path.z[1:, late], np.broadcast_to(path.z[1, late], path.z[1:, late].shape))
    assert (path.time[-1, ~late] >= end[~late]).all()
    moved = path.step > 0
    assert (path.time[:-1][moved] < np.broadcast_to(np.maximum(end, node.time + 1e-9), moved.shape)[moved]).all()


def test_every_read_out_and_series_agrees(jax: Any, prior_run: xr.DataTree, p: dict[str, Any]) -> None:
    """Draws that are automated at `as_of` apart: there tokens per data point jump, and rounding says on which side."""
    milestones = present_of(p).milestones
    ahead = (milestones.full > milestones.now).reshape(prior_run["posterior"]["returns"].shape)
    assert 0.8 < ahead.mean() < 1.0
    expected = takeoff_with_years(prior_run, SCENARIOS, engine="numpy")
    found = takeoff_with_years(prior_run, SCENARIOS, engine="jax")
    for one, other in zip(found, expected, strict=True):
        assert set(one.data_vars) == set(other.data_vars)
        for name in one.data_vars:
            if name in EVENTS:
                np.testing.assert_array_equal(one[name], other[name])
            else:  # infinite and missing where the other is
                for where, tolerance in ((ahead, 1e-6), (~ahead, 2e-3)):
                    pair = (data[name].values[:, where] for data in (one, other))
                    np.testing.assert_allclose(*pair, rtol=tolerance, atol=1e-9, err_msg=str(name))


@pytest.mark.parametrize(("form", "params"), [("exponential", None), ("superexponential", None), ("exponential", 1e14)])
def test_the_projection_agrees_in_every_variable(jax: Any, prior_run: xr.DataTree, form: str, params: Any) -> None:
    years = range(2027, 2046, 3)
    expected, found = (
        project(prior_run, ("baseline", "no_slowdown"), years, form, params, engine=engine)
        for engine in ("numpy", "jax")
    )
    assert set(found.data_vars) == set(YEARLY)
    for name in YEARLY:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_projection_of_some_variables_computes_those(jax: Any, prior_run: xr.DataTree) -> None:
    names = ["log10_world_flop_per_second", "layers"]
    expected, found = (project(prior_run, years=[2030], var_names=names, engine=engine) for engine in ("numpy", "jax"))
    assert list(found.data_vars) == names
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)


def test_one_compilation_serves_all_numbers_of_draws_of_one_room(
    jax: Any, p: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The equations are only evaluated while JAX traces them, which it does once per shape."""
    some, present, turn, node = nodes(p, "trend")
    traces: list[int] = []
    real = on_jax.evaluated
    for size, years in ((DRAWS, 1.0), (DRAWS, 30.0), (DRAWS - 40, 2.0)):
        part = {name: value[:size] if np.ndim(value) else value for name, value in some.items()}
        first = Node(*(field[:size] for field in node[:-1]), memory=Memory(*(field[:size] for field in node.memory)))
        flow = on_jax.jax_flow(part, present.part(np.arange(size)), turn)
        flow.path(first, first.time + years, np.full(size, np.inf), 0.25, 500)
        monkeypatch.setattr(on_jax, "evaluated", lambda *arguments: traces.append(1) or real(*arguments))
    assert not traces
    with jax_graph.double_precision():
        flow.march(flow.table[:, :8], *(np.zeros((rows, 8)) for rows in (len(on_jax.COLUMNS), 2)), 0.25, 0, 1)
    assert traces  # another shape is another compilation: the count above does count


def test_precision_stays_as_the_user_set_it(jax: Any, prior_run: xr.DataTree) -> None:
    with jax.enable_x64(False):
        assert takeoff(prior_run, SCENARIOS, engine="jax").year_100.dtype == np.float64
        assert jax.numpy.ones(2).dtype == np.float32
    before = jax.config.jax_enable_x64
    project(prior_run, years=[2030], engine="jax")
    assert jax.config.jax_enable_x64 == before


def test_without_the_extra_it_says_what_to_install(prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    for ask in (takeoff, project):
        with pytest.raises(InputError, match=r"JAX.*not installed: take the extra: pip install 'forecast\[gpu\]'"):
            ask(prior_run, engine="jax")


def test_nothing_imports_jax_before_it_is_asked_for() -> None:
    code = "import sys, forecast.projection, forecast.jax_series, forecast.dynamics.on_jax; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "False"
