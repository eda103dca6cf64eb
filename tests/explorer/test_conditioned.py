"""The page's numbers are those of the package: of `takeoff`, of `apply_view`, of the rival forms."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast import apply_view
from forecast.dynamics import takeoff_with_years
from forecast.dynamics.forms import RIVALS, rival_form
from forecast.errors import InputError
from forecast.explorer import Explorer, State, explorer
from forecast.explorer.conditioned import ARRIVAL, SERIES, numbers
from forecast.runs import read_provenance, with_provenance
from forecast.side_draws import side_draws
from forecast.statements import fixed
from forecast.views import changed


def flat(data: xr.DataArray) -> np.ndarray:
    """Draws of all chains after one another, as the page has them."""
    values: np.ndarray = data.values.reshape(-1, *data.values.shape[2:])
    return values


def assert_same(page: Explorer, state: State, run: xr.DataTree, horizon_form: str = "exponential") -> None:
    """The page's numbers of a state are those of the whole take-off of a run."""
    readouts, yearly = (
        data.isel(scenario=0) for data in takeoff_with_years(run, state.scenario, page.years, horizon_form)
    )
    found = numbers(page, state)
    for name in SERIES:
        np.testing.assert_allclose(found.yearly[name].values, flat(yearly[name]), rtol=1e-9)
    for name in ARRIVAL:
        np.testing.assert_allclose(found.readouts[name].values, flat(readouts[name]), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("scenario", ["baseline", "software_only", "no_slowdown", "hardware_leap"])
def test_with_nothing_fixed_they_are_those_of_the_take_off(
    page: Explorer, prior_run: xr.DataTree, scenario: str
) -> None:
    assert_same(page, State(scenario=scenario), prior_run)


def test_the_superexponential_form_is_that_of_the_task_horizon(page: Explorer, prior_run: xr.DataTree) -> None:
    assert_same(page, State(form="section5_superexponential"), prior_run, "superexponential")


def test_a_fixed_parameter_is_one_that_a_view_fixes(page: Explorer, prior_run: xr.DataTree) -> None:
    name = page.sliders[0].name
    value = page.sliders[0].values[70]
    assert_same(page, State(fixed=((name, value),)), changed(prior_run, {name: fixed(value)}, ()))


def test_two_fixed_parameters_on_top_of_a_view(page: Explorer, prior_run: xr.DataTree) -> None:
    held = {slider.name: slider.values[30] for slider in page.sliders[:2]}
    entries = page.views["davidson2023"].entries | {name: fixed(value) for name, value in held.items()}
    state = State(scenario="software_only", view="davidson2023", fixed=tuple(held.items()))
    assert_same(page, state, changed(prior_run, entries, ()))


def test_a_view_is_that_of_apply_view(page: Explorer, prior_run: xr.DataTree) -> None:
    assert_same(page, State(view="ai_futures2025"), apply_view(prior_run, "ai_futures2025"))


def test_a_view_of_the_leap_replaces_what_the_leap_draws(page: Explorer, prior_run: xr.DataTree) -> None:
    state = State(scenario="hardware_leap", view="hardware_leap2025")
    assert_same(page, state, apply_view(prior_run, "hardware_leap2025"))
    usual, viewed = (page.beside(view, "hardware_leap")["leap_pool"] for view in ("none", "hardware_leap2025"))
    np.testing.assert_array_equal(usual, side_draws(prior_run, "hardware_leap")["leap_pool"])
    assert not np.allclose(usual, viewed)


@pytest.mark.parametrize("form", RIVALS)
def test_a_rival_form_is_that_of_the_package(page: Explorer, prior_run: xr.DataTree, form: str) -> None:
    found = numbers(page, State(form=form)).rival
    assert found is not None
    expected = rival_form(prior_run, form, years=page.years)
    assert set(found.data_vars) == set(expected.data_vars)
    for name, values in expected.data_vars.items():
        np.testing.assert_allclose(found[name].values, flat(values), rtol=1e-12, err_msg=str(name))


def test_a_large_run_is_thinned_and_says_so(prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.explorer.conditioned.DRAWS", 100)
    monkeypatch.setattr("forecast.explorer.conditioned.found_shares", lambda *_: {"x": {"returns": 1.0}})
    small = explorer(prior_run)
    assert (small.shape, small.total_draws) == ((2, 50), 300)
    assert numbers(small, State()).readouts.sizes["sample"] == 100


def test_marks_are_those_of_the_report(page: Explorer, prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    assert page.marks == ("prior only",)
    monkeypatch.setattr("forecast.explorer.conditioned.found_shares", lambda *_: {"x": {"returns": 1.0}})
    failed = read_provenance(prior_run) | {"kind": "posterior", "gate": {"passed": False}}
    assert explorer(with_provenance(prior_run.copy(), failed)).marks == ("convergence gate failed",)


def test_too_few_draws_or_no_run_are_refused_in_a_sentence(prior_run: xr.DataTree) -> None:
    few = prior_run.copy()
    few["posterior"] = xr.DataTree(prior_run["posterior"].to_dataset().isel(draw=slice(0, 20)))
    with pytest.raises(InputError, match="the run has 40 draws: the page needs 200"):
        explorer(few)
    with pytest.raises(InputError, match="this DataTree is no run"):
        explorer(xr.DataTree())
