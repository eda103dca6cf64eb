"""How many AIs by year, without feedback: labels, years, and facts that any trend without feedback must obey."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import results
from forecast.dynamics import takeoff_with_years
from forecast.equations import trends
from forecast.equations.compute import tokens_per_second, training_flop
from forecast.errors import ForecastError, InputError
from forecast.fitting import sample_prior
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.projection import project
from forecast.runs import parameters_of
from forecast.schema import YEARLY
from forecast.summaries import summary

LN10 = np.log(10.0)


@pytest.fixture(scope="module")
def ais(prior_run: xr.DataTree) -> xr.Dataset:
    return project(prior_run)


def draws(values: Any, like: xr.Dataset) -> xr.DataArray:
    """One number per draw, labelled."""
    shape = like.sizes["chain"], like.sizes["draw"]
    coords = {dim: like[dim] for dim in ("chain", "draw")}
    return xr.DataArray(np.asarray(values).reshape(shape), dims=("chain", "draw"), coords=coords)


def test_results_explain_themselves(ais: xr.Dataset) -> None:
    assert set(ais.data_vars) == YEARLY.keys()
    assert dict(ais.sizes) == {"scenario": 1, "chain": 2, "draw": 150, "year": 20}
    assert ais["scenario"].values.tolist() == ["baseline"]
    assert ais["year"].values.tolist() == list(range(2026, 2046))
    for name, variable in YEARLY.items():
        assert ais[name].dims == ("scenario", "chain", "draw", "year")
        assert ais[name].attrs == {"units": variable.units, "definition": variable.definition}
        assert np.isfinite(ais[name]).all(), name


def test_years_are_read_at_the_first_of_july_and_the_first_at_as_of(ais: xr.Dataset, prior_run: xr.DataTree) -> None:
    p = parameters_of(prior_run)
    read = {2026: p["as_of_year"], 2027: 2027 + 181 / 365, 2028: 2028 + 182 / 366, 2045: 2045 + 181 / 365}
    for year, moment in read.items():
        expected = draws(trends.log10_world(moment, p), ais)
        found = ais["log10_world_flop_per_second"].sel(year=year, scenario="baseline", drop=True)
        xr.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (ais["log10_software"].sel(year=2026) == 0.0).all()


def test_any_range_of_years_gives_the_same_numbers(ais: xr.Dataset, prior_run: xr.DataTree) -> None:
    some = project(prior_run, years=[2030, 2044])
    xr.testing.assert_identical(some, ais.sel(year=[2030, 2044]))
    far = project(prior_run, years=range(2100, 2103))
    assert all(np.isfinite(values).all() for values in far.data_vars.values())


@pytest.mark.parametrize(
    ("years", "message"),
    [([], "at least one year"), ([2040, 2026], "rising order"), ([2030, 2030], "rising order"),
     ([2025, 2030], "2026"), ([2030, 2201], "2200")],
)  # fmt: skip
def test_years_that_cannot_be_used_are_refused(prior_run: xr.DataTree, years: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        project(prior_run, years=years)


def test_an_unknown_scenario_is_refused_with_the_nearest(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="did you mean 'baseline'"):
        project(prior_run, scenario="basline")
    with pytest.raises(InputError, match="no scenario given"):
        project(prior_run, scenario=[])


def test_scenarios_differ_in_feedback_only(prior_run: xr.DataTree) -> None:
    both = project(prior_run, scenario=["baseline", "software_only", "baseline"], years=[2030])
    assert both["scenario"].values.tolist() == ["baseline", "software_only"]
    one, other = (both.sel(scenario=name, drop=True) for name in both["scenario"].values)
    xr.testing.assert_identical(one, other)


def test_a_damaged_draw_is_named(prior_run: xr.DataTree) -> None:
    broken = prior_run.copy(deep=True)
    broken["posterior"]["returns"][0, 3] = np.inf
    with pytest.raises(ForecastError, match="parameter returns is not finite in draw 3"):
        project(broken)


def test_blocks_do_not_matter(ais: xr.Dataset, prior_run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "BLOCK", 41)
    xr.testing.assert_identical(project(prior_run), ais)


def test_software_doubles_with_its_doubling_time_up_to_the_ceiling(ais: xr.Dataset, prior_run: xr.DataTree) -> None:
    p = parameters_of(prior_run)
    years = 2045 + 181 / 365 - p["as_of_year"]
    doublings = 12.0 * years / p["software_doubling_months"]
    expected = np.minimum(doublings * np.log10(2.0), p["log10_software_ceiling"])
    found = ais["log10_software"].sel(year=2045, scenario="baseline", drop=True)
    xr.testing.assert_allclose(found, draws(expected, ais), rtol=1e-12)


def test_before_full_automation_the_model_in_use_is_the_largest_run_s(ais: xr.Dataset, prior_run: xr.DataTree) -> None:
    """Equation 1 closes where text does not bind: C = 6 m H p^2, H one token today."""
    now = ais.sel(year=2026, scenario="baseline", drop=True)
    flop = training_flop(10.0 ** now["log10_params"], now["tokens_per_param"])
    ahead = now["automated_share"] < 1.0
    data_points = now["log10_params"] + np.log10(now["tokens_per_param"])
    free = ahead & (data_points < np.log10(prior_run["posterior"]["text_stock_tokens"] * 4.0) - 1e-9)
    gap = (np.log10(flop) - now["log10_training_flop"]).where(free, 0.0)
    assert float(free.mean()) > 0.7
    assert float(abs(gap).max()) < 1e-9


def test_equation_3_holds_for_the_whole_fleet(ais: xr.Dataset, prior_run: xr.DataTree) -> None:
    """u F / (2 p), times the discount of inference; beyond full automation cheaper by its excess growth."""
    ahead = ais["automated_share"] < 1.0
    fleet, params = 10.0 ** ais["log10_fleet_flop_per_second"], 10.0 ** ais["log10_params"]
    expected = tokens_per_second(fleet, ais["deployment_utilization"], params)
    expected = np.log10(expected * prior_run["posterior"]["inference_discount"])
    gap = ais["log10_fleet_tokens_per_second"] - expected
    assert float(abs(gap.where(ahead, 0.0)).max()) < 1e-9
    assert float(gap.where(~ahead, 0.0).min()) > -1e-9


def test_nothing_that_only_accumulates_ever_falls(priors: Priors, observations: Observations) -> None:
    """Software always; compute and capability too where no trend in the draw is falling."""
    rising = priors.replace(
        budget_growth=0.05, training_utilization_trend=0.0, training_compute_growth=0.6, fleet_growth=0.5,
        world_compute_growth=0.5, overtraining_factor=3.0, researcher_growth_after=0.05,
    )  # fmt: skip
    ais = project(sample_prior(rising, observations, draws=100, chains=2))
    for name in (
        "log10_software",
        "log10_training_flop",
        "log10_fleet_flop_per_second",
        "log10_world_flop_per_second",
        "log10_task_horizon",
        "automated_share",
    ):
        assert float(ais[name].diff("year").min()) > -1e-9, name


def test_trends_and_feedback_agree_where_there_is_none(prior_run: xr.DataTree, ais: xr.Dataset) -> None:
    """Whatever software does not touch is the same in both series; software itself agrees today."""
    feedback = takeoff_with_years(prior_run, scenario="baseline")[1]
    for name in (
        "log10_training_flop",
        "log10_fleet_flop_per_second",
        "log10_world_flop_per_second",
        "tokens_per_param",
        "training_utilization",
        "deployment_utilization",
    ):
        xr.testing.assert_allclose(feedback[name], ais[name], rtol=1e-12)
    today = {"year": 2026}
    for name in YEARLY:
        xr.testing.assert_allclose(feedback[name].sel(today), ais[name].sel(today), rtol=1e-9)


def test_superexponential_horizons_automate_no_later(prior_run: xr.DataTree, ais: xr.Dataset) -> None:
    """Where each doubling takes less than the one before; from today on both forms agree today."""
    steeper = project(prior_run, horizon_form="superexponential")
    shrinking = prior_run["posterior"]["horizon_doubling_factor"] < 1.0
    not_yet = ais["automated_share"].sel(year=2026, drop=True) < 1.0
    ahead = (steeper["automated_share"] - ais["automated_share"]).where(shrinking & not_yet, 0.0)
    assert float(ahead.min()) > -1e-9
    assert float(ahead.max()) > 0.1
    today = (steeper["log10_task_horizon"] - ais["log10_task_horizon"]).sel(year=2026)
    assert float(abs(today).max()) < 1e-9


def test_an_unknown_form_is_refused(prior_run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="form"):
        project(prior_run, horizon_form="hyperbolic")
    with pytest.raises(InputError, match="form"):
        takeoff_with_years(prior_run, horizon_form="hyperbolic")


def test_a_superexponential_horizon_without_end_is_summarised_as_such(prior_run: xr.DataTree) -> None:
    """In some draws it has passed every bound by 2045: those count, as infinite, in the quantiles."""
    found = project(prior_run, years=[2045], horizon_form="superexponential")
    share = float(np.isinf(found["log10_task_horizon"]).mean())
    assert 0.05 < share < 1.0
    row = summary(found).set_index("variable").loc["log10_task_horizon"]
    assert row["q95"] == np.inf
