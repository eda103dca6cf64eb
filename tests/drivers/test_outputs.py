"""Outputs by name: what they mean, what they refuse, and that no draw is dropped."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import forecast as fc
from forecast.drivers.outputs import HEADLINES, analysed, evaluator, parsed_output, parsed_outputs, ranks
from forecast.errors import InputError
from forecast.runs import parameters_of, sample_shape


@pytest.fixture(scope="module")
def computed(prior_run: xr.DataTree) -> dict[str, np.ndarray]:
    names = ["year_100", "year_100<2031", "log10_streams_at_automation", "log10_parallel_streams@2031", "not_automated"]
    p, (chains, draws) = parameters_of(prior_run), sample_shape(prior_run)
    return evaluator(parsed_outputs(names), float(p["as_of_year"]))(p, chains * draws)


def test_read_outs_are_those_of_takeoff(computed: dict[str, np.ndarray], prior_run: xr.DataTree) -> None:
    expected = fc.takeoff(prior_run, "baseline")
    np.testing.assert_array_equal(computed["year_100"], expected.year_100.values.ravel())
    np.testing.assert_array_equal(computed["not_automated"], expected.not_automated.values.ravel())


def test_a_year_s_number_of_ais_is_that_of_the_series_with_feedback(
    computed: dict[str, np.ndarray], prior_run: xr.DataTree
) -> None:
    from forecast.dynamics import takeoff_with_years

    series = takeoff_with_years(prior_run, "baseline")[1].log10_parallel_streams.sel(year=2031, scenario="baseline")
    np.testing.assert_allclose(computed["log10_parallel_streams@2031"], series.values.ravel(), rtol=1e-12)


def test_where_automation_never_comes_there_are_fewer_ais_than_anywhere_else(computed: dict[str, np.ndarray]) -> None:
    never = computed["not_automated"] == 1.0
    assert never.any()
    assert not never.all()
    assert np.all(computed["log10_streams_at_automation"][never] == -np.inf)
    assert np.all(np.isfinite(computed["log10_streams_at_automation"][~never]))


def test_a_question_counts_draws_that_never_get_there_as_no(computed: dict[str, np.ndarray]) -> None:
    by_2031 = computed["year_100<2031"]
    assert set(np.unique(by_2031)) == {0.0, 1.0}
    np.testing.assert_array_equal(by_2031 == 1.0, computed["year_100"] < 2031)


def test_censored_draws_share_the_last_rank_and_none_is_lost() -> None:
    values = np.array([3.0, np.inf, 1.0, np.inf, -np.inf])
    y, scale = analysed(parsed_output("takeoff_years"), values)
    assert scale == "rank"
    assert y.tolist() == [0.5, 0.8, 0.3, 0.8, 0.1]
    assert y.mean() == pytest.approx(0.5)


def test_finite_values_and_events_stay_as_they_are() -> None:
    values = np.array([3.0, 1.0])
    assert analysed(parsed_output("takeoff_years"), values)[1] == "value"
    assert analysed(parsed_output("not_automated"), values)[1] == "event"


def test_ranks_are_between_0_and_1() -> None:
    assert ranks(np.array([5.0, 1.0, 1.0, 9.0])).tolist() == [0.625, 0.25, 0.25, 0.875]


def test_headlines_are_the_default_and_repeated_names_count_once() -> None:
    assert [output.name for output in parsed_outputs(None)] == list(HEADLINES)
    assert len(parsed_outputs(["year_100", "year_100"])) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("takeof_years", "did you mean 'takeoff_years'"),
        ("log10_parallel_streams", "write log10_parallel_streams@2031"),
        ("takeoff_years@2031", "has no year"),
        ("not_automated<1", "an event already"),
        ("year_100<", "write a name"),
        ("year_100<1e", "not a number"),
        ("", "write a name"),
        ("takeoff_years; rm -rf", "write a name"),
    ],
)
def test_a_wrong_name_is_refused_with_the_remedy(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parsed_output(name)


def test_a_year_outside_the_window_is_refused() -> None:
    with pytest.raises(InputError, match="give a year from 2026 to 2045"):
        evaluator(parsed_outputs(["log10_parallel_streams@2050"]), 2026.8)
