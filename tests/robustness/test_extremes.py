"""Extreme but legal priors give finite answers or censored mass; what doubles cannot hold is named, never returned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import forecast as fc
from forecast.assignments import assigned
from forecast.errors import ForecastError
from forecast.observations import Observations
from forecast.schema import CENSORED, CONDITIONAL, EVENTS, READOUTS, UNBOUNDED, YEARLY

SCENARIOS = ["baseline", "hardware_leap"]
EXTREMES = (
    "training_utilization_2023=0.000001",
    "training_utilization_2023=0.999999",
    "deployment_utilization_2023=LogitNormal(0.0000001..0.9999999)",
    "deployment_utilization_2023=0.99999999",
    "training_utilization_scatter=1e-9",
    "training_utilization_scatter=HalfNormal(..100)",
    "depth_scatter=HalfNormal(..30)",
    "loss_scatter=1e-300",
    "required_horizon_minutes=1e12",
    "required_horizon_minutes=LogNormal(1e-3..1e12)",
    "training_compute_growth=0",
    "fleet_growth=0",
    "world_compute_growth=0",
    "price_performance_growth=0",
    "budget_growth=0",
    "software_doubling_months=1e9",
    "software_doubling_months=0.3",
    "depth_exponent=0",
    "depth_exponent=0.6",
    "returns=1e-6",
    "returns=1e6",
    "returns=LogNormal(1e-6..1e6)",
    "slowdown_year=2031.99",
    "log10_training_flop_2024=60",
    "text_stock_tokens=1",
    "text_stock_tokens=1e30",
    "log10_tokens_per_datapoint=HalfNormal(..300)",
    "largest_run_share=0.9999999999",
    "largest_fleet_share=1e-12",
    "log_stream_speed_2024=Normal(-100..100)",
    "stream_scatter=HalfNormal(..300)",
    "production_offset=StudentT(-50..50, nu=1)",
    "training_days=1e-9",
    "training_days=1e9",
    "overtraining_half_life=1e-9",
    "tokens_per_param_2024=1e-9",
    "tokens_per_param_2024=1e15",
)
TOO_MUCH = {  # beyond what doubles hold: e to the power of hundreds of thousands, or 2 to that of tens of thousands
    "depth_scatter=HalfNormal(..1e6)": "depth_scatter",
    "training_utilization_scatter=HalfNormal(..10000)": "training_utilization_scatter",
    "training_days_scatter=LogNormal(1e-9..1e9)": "training_days_scatter",
    "software_doubling_months=0.01": "software_doubling_months",
}


def wrong(data: xr.Dataset) -> dict[str, int]:
    """How many values of each variable are neither finite nor what its definition allows."""
    found = {}
    for name in (str(key) for key in data.data_vars if key not in EVENTS):
        values = data[name].values
        allowed = np.zeros(values.shape, dtype=bool)
        if name in CENSORED | UNBOUNDED:
            allowed |= values == np.inf
        if name in CONDITIONAL:
            allowed |= np.isnan(values) & ~np.isfinite(data["year_100"].values)
        found[name] = int((~np.isfinite(values) & ~allowed).sum())
    return {name: number for name, number in found.items() if number}


def answers(texts: list[str], observations: Observations) -> tuple[xr.Dataset, xr.Dataset]:
    """Both headlines of a few draws of the shipped priors with some of them replaced."""
    run = fc.sample_prior(fc.load_priors(overlays=[assigned(texts)]), observations, draws=20, chains=1, random_seed=2)
    return fc.project(run, years=range(2026, 2046, 3)), fc.takeoff(run, SCENARIOS)


IN_CI = 3  # every third, and all in the slow run
SOME = [pytest.param(text, marks=[] if i % IN_CI == 0 else pytest.mark.slow) for i, text in enumerate(EXTREMES)]


@pytest.mark.parametrize("text", SOME)
def test_an_extreme_prior_gives_finite_answers_or_censored_mass(
    text: str, observations: Observations, counts: Any
) -> None:
    counts.add("extreme priors")
    ais, speed = answers([text], observations)
    assert (set(ais), set(speed)) == (set(YEARLY), set(READOUTS) | set(EVENTS))
    assert wrong(ais) == {} and wrong(speed) == {}
    fc.summary(ais), fc.summary(speed)
    assert ((speed["takeoff_years"] >= 0.0).values).all()


@pytest.mark.parametrize("text", TOO_MUCH)
def test_what_doubles_cannot_hold_is_refused_with_the_draw_and_the_parameter(
    text: str, observations: Observations, counts: Any
) -> None:
    counts.add("priors beyond what doubles hold, refused")
    with pytest.raises(ForecastError, match=rf"is not finite in draw \d+.*: it has {TOO_MUCH[text]} = .*narrow that"):
        answers([text], observations)


def several(texts: list[str], observations: Observations) -> None:
    """Some extremes together: finite, or refused in the words above."""
    apart = {text.partition("=")[0]: text for text in texts}
    try:
        found = answers(list(apart.values()), observations)
    except ForecastError as error:
        said = str(error)
    else:
        assert [wrong(data) for data in found] == [{}, {}]
        return
    assert "is not finite in draw" in said and "narrow that prior" in said


TOGETHER = st.lists(st.sampled_from(EXTREMES), min_size=2, max_size=5, unique=True)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=3, suppress_health_check=QUIET)
@given(texts=TOGETHER)
def test_several_extremes_together(texts: list[str], observations: Observations) -> None:
    several(texts, observations)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=QUIET)
@given(texts=TOGETHER)
def test_many_extremes_together(texts: list[str], observations: Observations, counts: Any) -> None:
    several(texts, observations)
    counts.add("extreme priors, two to five together")
