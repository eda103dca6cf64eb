"""The answers of a case: those of project, takeoff and a rival form, whatever is computed beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import forecast as fc
from forecast.assignments import assigned
from forecast.priors import read_overlay
from forecast.side_draws import thinned
from forecast.sweeps.cases import Swept, answered, answers, groups
from forecast.sweeps.plans import Case

YEARS = (2027, 2032)
LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def few(prior_run: xr.DataTree) -> xr.DataTree:
    return thinned(prior_run, 60)


@pytest.fixture(scope="module")
def swept(few: xr.DataTree) -> Swept:
    return Swept(few, YEARS, LEVELS, "exponential")


def by_hand(values: xr.DataArray) -> Any:
    """Quantiles over the draws by sorting: no draw is infinite at these places, or the whole place is."""
    draws = np.sort(values.stack(sample=("chain", "draw")).transpose("sample", ...).values, axis=0)
    return np.quantile(draws, LEVELS, axis=0, method="linear")


def test_a_case_says_what_takeoff_says(swept: Swept, few: xr.DataTree) -> None:
    (found,) = answers(swept, [Case("software_only")])
    readouts = fc.takeoff(few, "software_only", YEARS).isel(scenario=0)
    np.testing.assert_allclose(found["largest_speedup"], by_hand(readouts["largest_speedup"]), rtol=1e-12)
    assert found["not_automated"] == readouts["not_automated"].mean()
    assert found["year_100_reached"] == np.isfinite(readouts["year_100"]).mean()
    assert found["log10_parallel_streams"].dims == ("quantile", "year")
    assert all({"units", "definition"} <= set(values.attrs) for values in found.data_vars.values())


def test_the_form_trend_is_the_projection(swept: Swept, few: xr.DataTree) -> None:
    (found,) = answers(swept, [Case("baseline", form="trend")])
    trend = fc.project(few, years=YEARS)["log10_parallel_streams"].isel(scenario=0)
    np.testing.assert_allclose(found["log10_parallel_streams"], by_hand(trend), rtol=1e-12)
    assert "takeoff_years" not in found


def test_a_rival_form_has_its_own_answers(swept: Swept, few: xr.DataTree) -> None:
    (found,) = answers(swept, [Case("", form="kwa2026")])
    theirs = fc.takeoff(few, years=YEARS, form="kwa2026")
    np.testing.assert_allclose(found["best_year_gain"], by_hand(theirs["best_year_gain"]), rtol=1e-12)
    assert found["year_99_reached"] == np.isfinite(theirs["year_99"]).mean()


def test_views_and_values_of_ones_own_are_applied_in_this_order(swept: Swept, few: xr.DataTree) -> None:
    overlays = (read_overlay("davidson2023"), assigned("depth_exponent=0.15"))
    (found,) = answers(swept, [Case("baseline", ("davidson2023",), ("depth_exponent=0.15",), overlays=overlays)])
    seen = fc.takeoff(fc.apply_view(few, *overlays), "baseline", YEARS).isel(scenario=0)
    assert found["not_automated"] == seen["not_automated"].mean()
    np.testing.assert_allclose(found["largest_speedup"], by_hand(seen["largest_speedup"]), rtol=1e-12)


def test_a_case_is_the_same_alone_and_beside_others(swept: Swept) -> None:
    cases = [Case(name) for name in ("baseline", "software_only", "hardware_leap")]
    together = answers(swept, cases)
    for case, one in zip(cases, together, strict=True):
        (alone,) = answers(swept, [case])
        xr.testing.assert_identical(alone, one)


def test_cases_that_differ_in_scenario_only_are_one_task() -> None:
    cases = [Case(scenario, views) for scenario in ("baseline", "software_only") for views in ((), ("davidson2023",))]
    found = groups([*cases, Case("", form="ai2027")])
    assert sorted(len(group.cases) for group in found) == [1, 2, 2]
    assert {case for group in found for case in group.cases} == {*cases, Case("", form="ai2027")}


def test_what_cannot_be_computed_is_a_sentence(swept: Swept) -> None:
    wrong = Swept(swept.run, (2020,), LEVELS, "exponential")
    said = answered(wrong, groups([Case("baseline")])[0])
    assert isinstance(said, str) and "give years from" in said
