"""Leading indicators on draws of the prior: where each draw expects them, what weighting must keep, tables and faults."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import results
from forecast.constants import constants
from forecast.dynamics import takeoff, takeoff_with_years
from forecast.errors import InputError
from forecast.model.blocks import fleets, top_runs
from forecast.model.takeoff_blocks import horizons_alone
from forecast.observations import Observations, load_settings
from forecast.quantiles import quantile
from forecast.research.indicator_results import FEWEST_DRAWS, NOTHING, TODAYS_SUITE, TOGETHER, VARIABLES
from forecast.research.indicator_tables import WORTH, indicators_table, watch_sentences, what_if_table
from forecast.research.indicator_values import INDICATORS, checked_when, observations_of, readings
from forecast.research.indicators import NU, fleet_error, measurements, watch
from forecast.runs import parameters_of
from forecast.schema import decimal_year

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
SEEN = {"task_horizon": "40h", "record_run": ">=3e27"}


@pytest.fixture(scope="module")
def found(prior_run: xr.DataTree) -> xr.Dataset:
    return watch(prior_run)


@pytest.fixture(scope="module")
def after(prior_run: xr.DataTree) -> xr.Dataset:
    return watch(prior_run, observed=SEEN)


def probabilities(found: xr.Dataset) -> dict[str, float]:
    return dict(zip(found["what_if"].values.tolist(), found["event_probability"].values.tolist(), strict=True))


def test_results_explain_themselves(found: xr.Dataset, after: xr.Dataset) -> None:
    for data in (found, after):
        assert set(data.data_vars) == VARIABLES.keys()
        for name, variable in VARIABLES.items():
            assert data[name].dims == variable.dims
            assert data[name].attrs == {"units": variable.units, "definition": variable.definition}
            assert not np.isnan(data[name].values.astype(float)).any(), name
        assert data["what_if"].to_index().is_unique
    assert found.attrs | {"when_year": 0.0} == {
        "when": "2027-11-01",
        "when_year": 0.0,
        "event_year": 2030,
        "as_of": "2026-11-01",
        "window_end": load_settings().last_year + 1.0,
        "horizon_form": "exponential",
        "random_seed": 1,
    }


def test_the_same_run_gives_the_same_numbers_whatever_the_blocks(
    prior_run: xr.DataTree, found: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    xr.testing.assert_identical(watch(prior_run), found)
    monkeypatch.setattr(results, "BLOCK", 37)
    xr.testing.assert_identical(watch(prior_run), found)


def test_a_result_survives_a_file(found: xr.Dataset, tmp_path: Any) -> None:
    found.to_netcdf(tmp_path / "watch.nc", engine="h5netcdf")
    xr.testing.assert_equal(xr.load_dataset(tmp_path / "watch.nc", engine="h5netcdf"), found)


def test_nothing_observed_is_the_take_off_as_it_is(prior_run: xr.DataTree, found: xr.Dataset) -> None:
    readouts = takeoff(prior_run, "baseline").sel(scenario="baseline")
    base = found.sel(what_if=NOTHING)
    assert float(base["event_probability"]) == pytest.approx(float((readouts["year_100"] <= 2031.0).mean()))
    for name in ("year_100", "takeoff_years"):
        np.testing.assert_allclose(base[name], quantile(readouts[name], LEVELS), rtol=1e-9)
    assert float(base["effective_draws"]) == pytest.approx(300)
    assert float(base["tail_probability"]) == 1.0


def test_each_draw_expects_what_the_series_with_feedback_says(prior_run: xr.DataTree) -> None:
    series = takeoff_with_years(prior_run, "baseline")[1].sel(scenario="baseline", year=2028, drop=True)
    at = watch(prior_run, when="2028-07-01")
    for one in INDICATORS.values():
        np.testing.assert_allclose(at[f"expected_{one.quantity}"], series[one.quantity], rtol=1e-12)


def test_the_noise_is_the_one_that_the_fit_gives_the_tables(prior_run: xr.DataTree, observations: Observations) -> None:
    p = parameters_of(prior_run)
    columns = {name: value[:, None] if np.ndim(value) else value for name, value in p.items()} | constants(observations)
    columns["loss_shares"] = p["loss_shares"][:, None]
    rows = {row.name: row for row in (top_runs(columns, observations), fleets(columns, observations))}
    size = p["fleet_scatter"].size
    expected = {one.quantity: np.zeros(size) for one in INDICATORS.values()}
    ahead = float(p["as_of_year"]) - float(
        observations["time_horizons"]["year"].values[0]
    )  # as far behind, for the walk
    noise = measurements(expected, p, fleet_error(prior_run), ahead)
    assert {rows[name].nu for name in ("training_runs", "fleet_compute")} == {NU}
    columns["depth_family_variate"] = p["depth_family_variate"]
    (alone,) = horizons_alone(columns, observations)
    assert alone.nu is None and np.isinf(noise["task_horizon"].nu)
    np.testing.assert_allclose(noise["task_horizon"].spread, np.log10(2.0) * alone.spread[:, 0])
    np.testing.assert_allclose(noise["record_run"].spread, rows["training_runs"].spread[:, 0])
    each = rows["fleet_compute"].spread  # a row has the error of its own interval, next year's will have a typical one
    np.testing.assert_allclose(noise["fleet"].spread, np.median(each, axis=1), rtol=1e-9)


def test_quantiles_are_wider_than_what_the_draws_expect(found: xr.Dataset) -> None:
    for name, one in INDICATORS.items():
        quiet = 10.0 ** quantile(found[f"expected_{one.quantity}"], LEVELS)
        assert found[name].values[0] < quiet.values[0] and found[name].values[-1] > quiet.values[-1]
        assert (np.diff(found[name]) > 0).all()


def test_the_default_outcomes_are_quantiles_of_the_forecast(found: xr.Dataset) -> None:
    for name in INDICATORS:
        likely = found["tail_probability"].values[found["subject"].values == name]
        np.testing.assert_allclose(likely, [0.2, 1.0, 0.2], atol=0.01)


def test_a_longer_horizon_or_a_larger_run_or_fleet_never_makes_automation_less_likely(found: xr.Dataset) -> None:
    for name in INDICATORS:
        one = found.isel(what_if=found["subject"].values == name)
        slack = 2.0 * float(one["event_probability_error"].max())
        assert (np.diff(one["event_probability"]) > -slack).all(), name
    horizon = found["event_probability"].values[found["subject"].values == "task_horizon"]
    assert horizon[-1] > horizon[0] + 0.1


def test_a_bound_from_below_and_one_from_above_average_to_the_forecast(after: xr.Dataset) -> None:
    chance, base = after["tail_probability"], after["event_probability"].sel(what_if=NOTHING)
    above, below = "task_horizon >= 40 hours", "task_horizon <= 40 hours"
    assert float(chance.sel(what_if=[above, below]).sum()) == pytest.approx(1.0)
    averaged = (chance * after["event_probability"]).sel(what_if=[above, below]).sum()
    assert float(averaged) == pytest.approx(float(base))


def test_together_the_weights_multiply(after: xr.Dataset) -> None:
    single = ["task_horizon = 40 hours", "record_run >= 3e27 FLOP"]
    product = after["weight"].sel(what_if=single).prod("what_if")
    both = after["weight"].sel(what_if=" and ".join(single))
    np.testing.assert_allclose(both, product / product.sum(), rtol=1e-9)
    np.testing.assert_allclose(after["weight"].sum(("chain", "draw")), 1.0)


def test_a_plain_value_is_read_in_three_ways_and_a_bound_in_one(after: xr.Dataset) -> None:
    assert after["what_if"].values.tolist() == [
        NOTHING,
        "task_horizon = 40 hours",
        "task_horizon >= 40 hours",
        "task_horizon <= 40 hours",
        "record_run >= 3e27 FLOP",
        "task_horizon = 40 hours and record_run >= 3e27 FLOP",
    ]


def test_what_is_given_twice_is_not_combined(prior_run: xr.DataTree) -> None:
    both = watch(prior_run, observed=["fleet>=1e22", "fleet>=2e22", "fleet>=1e22"])
    assert both["what_if"].values.tolist() == [NOTHING, "fleet >= 1e22 FLOP/s", "fleet >= 2e22 FLOP/s"]


def test_worth_lies_between_nothing_and_everything(found: xr.Dataset) -> None:
    assert (found["information"] >= 0.0).all() and (found["information"] <= found["event_entropy"]).all()
    assert (found["variance_reduction"] >= 0.0).all() and (found["variance_reduction"] <= 1.0).all()
    slack = 3.0 * found["information_error"].sel(observation=TOGETHER)
    singles = found["information"].sel(observation=list(INDICATORS))
    assert (found["information"].sel(observation=TOGETHER) + slack > singles).all()


def test_a_suite_that_ends_at_16_hours_shows_less_than_one_without_end(found: xr.Dataset) -> None:
    horizon = found["information"].sel(observation=["task_horizon", TODAYS_SUITE])
    assert float(horizon[1]) < float(horizon[0])
    assert float(found["typical_effective_draws"].sel(observation=TODAYS_SUITE)) > float(
        found["typical_effective_draws"].sel(observation="task_horizon")
    )


def test_what_the_forecast_cannot_explain_is_marked(prior_run: xr.DataTree) -> None:
    odd = watch(prior_run, observed=["record_run=1e45", "fleet<=1e10", "task_horizon=1e9 years"])
    assert odd["unexpected"].sel(what_if=["record_run = 1e45 FLOP", "fleet <= 1e10 FLOP/s"]).all()
    assert not odd["unexpected"].sel(what_if=NOTHING)
    few = odd["effective_draws"] < FEWEST_DRAWS
    np.testing.assert_array_equal(few, odd["few_draws"])
    assert few.any() and not few.sel(what_if=NOTHING)
    assert "too few draws" in " ".join(what_if_table(odd)["mark"])
    assert "too few to trust it" in " ".join(watch_sentences(odd))


def test_a_superexponential_horizon_may_be_without_limit(prior_run: xr.DataTree) -> None:
    steep = watch(prior_run, when=2040.0, horizon_form="superexponential", observed={"task_horizon": "1e6 hours"})
    assert np.isinf(steep["expected_log10_task_horizon"]).any()
    for name, values in steep.data_vars.items():
        assert not np.isnan(values.values.astype(float)).any(), name
    assert "without limit" in " ".join(watch_sentences(steep))


def test_the_event_year_and_the_window_are_the_ones_asked_for(prior_run: xr.DataTree) -> None:
    chances = [
        float(watch(prior_run, event_year=year)["event_probability"].sel(what_if=NOTHING)) for year in (2028, 2035)
    ]
    assert chances[0] < chances[1]
    short = watch(prior_run, event_year=2030, years=range(2026, 2031))
    assert short.attrs["window_end"] == 2031.0
    reached = np.isfinite(takeoff(prior_run, "baseline", years=range(2026, 2031))["year_100"]).mean()
    assert float(short["event_probability"].sel(what_if=NOTHING)) == pytest.approx(float(reached))


# Tables and sentences


def test_tables_repeat_the_results(found: xr.Dataset) -> None:
    table, cases = indicators_table(found), what_if_table(found)
    assert list(table.index) == [*INDICATORS, TOGETHER, TODAYS_SUITE]
    assert list(cases.index) == found["what_if"].values.tolist()
    assert table.loc["record_run", "q95"] == float(found["record_run"].sel(quantile=0.95))
    assert table.loc["fleet", "units"] == "FLOP/s"
    assert table.loc[TOGETHER, ["q05", "q50", "noise_factor"]].isna().all()
    for name in WORTH:
        assert table[name].tolist() == found[name].values.tolist()
    assert cases["event_probability"].to_dict() == probabilities(found)
    assert cases["year_100_q50"].tolist() == found["year_100"].sel(quantile=0.5).values.tolist()


def test_sentences_say_what_an_observation_would_change(found: xr.Dataset, after: xr.Dataset) -> None:
    said = " ".join(watch_sentences(after))
    assert "by the end of 2030" in said and "1 November 2027" in said
    assert "if it is 40 hours or more (" in said and "if it is 3e27 FLOP or more (" in said
    assert "if the best task horizon is 40 hours and the record training run is 3e27 FLOP or more" in said
    assert "(10% quantile)" in " ".join(watch_sentences(found))
    for sentence in (*watch_sentences(found), *watch_sentences(after)):
        assert "nan" not in sentence and sentence.endswith(".")


# Values as people write them


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("40h", 2400.0),
        ("40 hours", 2400.0),
        ("1.5 hr", 90.0),
        ("90", 90.0),
        ("90 min", 90.0),
        ("3 days", 1440.0),
        ("1 week", 2400.0),
        ("2 months", 20_040.0),
        ("1e3", 1000.0),
        (2400, 2400.0),
    ],
)
def test_horizons_are_read_as_working_time(text: Any, minutes: float) -> None:
    (one,) = observations_of({"task_horizon": text})
    assert one.value == pytest.approx(minutes)
    assert [each.relation for each in readings(one)] == ["=", ">=", "<="]


def test_texts_and_mappings_say_the_same() -> None:
    assert observations_of(["record_run >= 3e27 FLOP", "fleet=1e22"]) == observations_of(
        {"record_run": ">= 3e27", "fleet": np.float64(1e22)}
    )
    assert observations_of("fleet<=1e22 FLOP/s")[0].relation == "<="


@pytest.mark.parametrize(
    ("observed", "message"),
    [
        ({"task_horizn": "40h"}, "no indicator named 'task_horizn'; did you mean 'task_horizon'?"),
        ({"task_horizon": "forty"}, "task_horizon = forty: not a number of min: write such as 40h"),
        ({"task_horizon": "1,5h"}, "task_horizon = 1,5h: not a number"),
        ({"task_horizon": "-3h"}, "task_horizon = -3h: not a positive number: write such as 40h"),
        ({"task_horizon": 0}, "task_horizon = 0: not a positive number"),
        ({"task_horizon": np.nan}, "task_horizon = nan: not a number of min"),
        ({"task_horizon": "1e999"}, "not a positive number"),
        (
            {"task_horizon": "3 fortnights"},
            "task_horizon: unit 'fortnights' is not one of its units: write such as 40h",
        ),
        ({"record_run": "3e27 h"}, "record_run: unit 'h' is not one of its units: write such as 3e27"),
        ({"record_run": 27.5}, "record_run = 27.5: FLOP are meant, not their log10: write such as 3e27"),
        (["task_horizon"], "observation 'task_horizon' is not NAME=VALUE: write such as task_horizon=40h"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(prior_run: xr.DataTree, observed: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        watch(prior_run, observed=observed)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"when": "2026-10-31"},
            "when = 2026-10-31 lies before as_of (2026-11-01): give a later date, such as 2027-11-01",
        ),
        ({"when": 2050}, "when = 2050 lies after the forecast's end (2046): give an earlier date, such as 2027-11-01"),
        ({"when": "next year"}, "when = next year is not a date: write such as 2027-11-01 or 2027.5"),
        ({"when": np.nan}, "when = nan lies after"),
        ({"event_year": 2025}, "event_year = 2025 is not a year of the forecast: give one from 2026 to 2045"),
        ({"event_year": 2030.5}, "event_year = 2030.5 is not a year"),
        ({"event_year": "soon"}, "event_year = soon is not a year"),
        ({"horizon_form": "linear"}, "no task-horizon form named 'linear'"),
    ],
)
def test_a_date_or_year_that_cannot_be_used_is_refused(
    prior_run: xr.DataTree, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        watch(prior_run, **settings)
    assert message in str(caught.value)


def test_dates_may_be_written_in_four_ways() -> None:
    as_of, end = date(2026, 11, 1), 2046.0
    day = date(2028, 7, 1)
    ways = (day, "2028-07-01", decimal_year(day), str(decimal_year(day)))
    assert {round(checked_when(way, as_of, end), 9) for way in ways} == {round(decimal_year(day), 9)}
    assert checked_when(None, date(2028, 2, 29), end) == decimal_year(date(2029, 2, 28))
    assert checked_when(as_of, as_of, end) == decimal_year(as_of)
