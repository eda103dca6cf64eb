"""The compiled projection is the NumPy projection: same quantities, whatever the form, the years and what is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.compiled_series import kernel_source, parameters_read, series, traced
from forecast.dynamics.compiled import entries
from forecast.equations import trends
from forecast.errors import InputError
from forecast.projection import COMPILE_FROM, at_once, engine_of, on_trend, project, quantities_on_trend, trend_of
from forecast.results import moments
from forecast.runs import parameters_of
from forecast.schema import YEARLY

SOME = ("log10_parallel_streams", "automated_share", "tokens_per_param")


@pytest.fixture(scope="module")
def p(prior_run: xr.DataTree) -> dict[str, Any]:
    return parameters_of(prior_run)


def by_moment(p: dict[str, Any], years: list[float], form: str) -> dict[str, Any]:
    """The slow twin: all equations anew for every year."""
    rows = [quantities_on_trend(year, p, form) for year in years]
    size = np.size(p["returns"])
    return {name: np.stack([np.broadcast_to(row[name], (size,)) for row in rows], axis=-1) for name in YEARLY}


@pytest.mark.parametrize("form", ["exponential", "superexponential"])
def test_all_years_at_once_are_the_years_one_by_one(p: dict[str, Any], form: str) -> None:
    years = moments([2026, 2027, 2035, 2045], float(p["as_of_year"]))
    found, expected = on_trend(p, years, form), by_moment(p, years, form)
    assert found.keys() == YEARLY.keys()
    for name, values in expected.items():
        assert found[name].shape == values.shape
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_machine_code_agrees_to_rounding_in_every_quantity(p: dict[str, Any]) -> None:
    """At `as_of` too, where draws that are automated already sit on a jump, and in a group of draws that is not full."""
    years = moments([2026, 2027, 2045], float(p["as_of_year"]))
    some = {name: value[:77] if np.ndim(value) else value for name, value in p.items()}
    found, expected = trend_of("compiled")(some, years, "exponential"), by_moment(p, years, "exponential")
    assert found.keys() == YEARLY.keys()
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name][:77], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("params", [None, 1e14])
def test_some_quantities_are_those_of_all_in_the_other_form(prior_run: xr.DataTree, params: float | None) -> None:
    """Also where the size of the model is given."""
    asked: dict[str, Any] = {"years": [2030, 2040], "horizon_form": "superexponential", "params": params}
    names = SOME if params is None else ("log10_training_cluster_tokens_per_second",)
    machine = project(prior_run, **asked, var_names=names, engine="compiled")
    numpy = project(prior_run, **asked, engine="numpy")
    assert list(machine.data_vars) == list(names)
    for name in names:
        assert machine[name].attrs == numpy[name].attrs
        np.testing.assert_allclose(machine[name], numpy[name], rtol=1e-12, atol=1e-12, err_msg=name)


def test_only_what_is_read_is_known_to_be_read() -> None:
    def world(year: Any, p: Any) -> dict[str, Any]:
        return {"world": trends.log10_world(year, p), "share": p["largest_fleet_share"]}

    known = ["slowdown_year", "world_compute_growth", "log10_world_flop_per_second_2025", "returns", "budget_growth",
             "price_performance_growth", "largest_fleet_share"]  # fmt: skip
    assert parameters_read(world, known, names=["share"]) == {"largest_fleet_share"}
    assert parameters_read(world, known) == set(known) - {"returns"}


def test_what_depends_on_the_draw_alone_is_outside_the_loop_over_years(p: dict[str, Any]) -> None:
    names = entries(p)
    graph, found = traced(quantities_on_trend, ("exponential",), names)
    source, inputs = kernel_source(graph, [found[SOME[0]].number])
    once, often = source.split("for k in range(years.size)")
    assert once.count("log(") > often.count("log(")
    assert "loss_shares[1]" in inputs
    assert "taste_slope" not in inputs


def test_constants_and_quantities_without_a_year_are_filled_in() -> None:
    def flat(year: Any, p: Any) -> dict[str, Any]:
        return {"returns": p["returns"], "two": 2.0, "year": year}

    found = series(flat, {"returns": np.arange(70.0)}, [2030.0, 2031.0])
    np.testing.assert_array_equal(found["returns"], np.stack([np.arange(70.0)] * 2, axis=1))
    np.testing.assert_array_equal(found["two"], np.full((70, 2), 2.0))
    np.testing.assert_array_equal(found["year"], np.tile([2030.0, 2031.0], (70, 1)))


def test_only_what_pays_is_compiled_unless_asked_for() -> None:
    assert engine_of("auto", COMPILE_FROM - 1) == "numpy"
    assert engine_of("auto", COMPILE_FROM) == "compiled"
    assert engine_of("compiled", 1) == "compiled"
    assert [at_once(years, 22, "numpy") for years in (1, 20, 10_000)] == [4096, 819, 64]
    assert [at_once(20, names, "compiled") for names in (1, 22, 10_000)] == [13107, 595, 64]
    with pytest.raises(InputError, match="no engine of the projection named 'fortran'"):
        engine_of("fortran", 1)  # type: ignore[arg-type]


def test_unknown_variables_are_refused_with_the_nearest(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="no variable named 'log10_parallel_stream'; did you mean 'log10_parallel_st"):
        project(prior_run, var_names=["log10_parallel_stream"])
    with pytest.raises(InputError, match="no variable given"):
        project(prior_run, var_names=[])
