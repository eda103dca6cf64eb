"""Which parameters get a slider, how far it reaches, and how its values read."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from forecast.drivers.outputs import HEADLINES
from forecast.drivers.sensitivity import sensitivity
from forecast.explorer import Explorer
from forecast.explorer.sliders import COUNT, found_shares, interleaved, kept_shares, labels, track, value_words
from forecast.reporting.answers import answers_key
from forecast.runs import ANSWERS, parameters_of, read_provenance
from forecast.schema import PARAMETERS


def test_both_answers_have_their_leaders_among_the_sliders(page: Explorer, prior_run: xr.DataTree) -> None:
    found = sensitivity(prior_run, None, scaling=False, orders=16, random_seed=1).inputs
    names = [slider.name for slider in page.sliders]
    assert len(names) == len(set(names)) == COUNT
    for output in HEADLINES:
        own = found[(found["output"] == output) & found["input"].isin(parameters_of(prior_run))]["input"]
        assert set(own.head(3)) <= set(names)


def test_rankings_are_taken_in_turn() -> None:
    first = {"a": 0.5, "b": 0.3, "c": 0.1}
    second = {"b": 0.9, "d": 0.05}
    assert interleaved({"one": first, "two": second}) == ["a", "b", "d", "c"]


def test_a_slider_reaches_from_the_first_to_the_last_percent(page: Explorer, prior_run: xr.DataTree) -> None:
    p = parameters_of(prior_run)
    for slider in page.sliders:
        low, high = np.quantile(p[slider.name], [0.01, 0.99])
        width = (high - low) / 100
        assert slider.ends == (pytest.approx(low, abs=width, rel=0.01), pytest.approx(high, abs=width, rel=0.01))
        assert slider.quantiles == tuple(np.quantile(p[slider.name], [0.05, 0.5, 0.95]))
        assert list(slider.values) == sorted(set(slider.values))
        assert slider.place(slider.ends[0]) == 0.0 and slider.place(slider.ends[1]) == 100.0


def test_the_values_of_a_track_are_equally_far_apart() -> None:
    steps = np.diff(track(0.0, 7.0))
    np.testing.assert_allclose(steps, 0.07, rtol=0.01)
    factors = np.diff(np.log(track(10.0, 1e9, factors=True)))
    np.testing.assert_allclose(factors, np.log(1e8) / 100, rtol=0.06)


def test_every_parameter_that_may_get_a_slider_has_a_label() -> None:
    scalar = {name for block in PARAMETERS.values() for name, variable in block.items() if not variable.dims}
    assert scalar == set(labels())
    assert max(map(len, labels().values())) <= 60
    assert len(set(labels().values())) == len(labels())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("log10_training_flop_2024", 25.3, "2e25 FLOP"),
        ("log_stream_speed_2024", 4.0, "54.6 tokens/s"),
        ("log2_horizon_at_centre", 10.0, "17 hours of work"),
        ("slowdown_year", 2027.95, "2028.0"),
        ("layers_variate", -1.5, "-1.50 sd"),
        ("returns", 0.81, "0.81"),
        ("training_days", 55.0, "55 days"),
    ],
)
def test_values_read_as_people_say_them(name: str, value: float, words: str) -> None:
    assert value_words(name, value) == words


def test_what_the_report_found_is_used_if_it_is_of_this_run(page: Explorer, prior_run: xr.DataTree) -> None:
    rows = [
        ["baseline", "drivers", f"drivers of {output} by input: {name}", None, "1", 0.1, None, share]
        for output, name, share in [
            (HEADLINES[0], "returns", 0.6),
            (HEADLINES[0], "all others", 0.3),
            (HEADLINES[1], "automation_gap", 0.4),
        ]
    ]
    record = read_provenance(prior_run)
    tree = prior_run.copy()
    key = answers_key(tree, record.get("scenarios", ()), page.years)
    tree.attrs[ANSWERS] = json.dumps({"key": key, "rows": rows})
    expected = {HEADLINES[0]: {"returns": 0.6}, HEADLINES[1]: {"automation_gap": 0.4}}
    assert kept_shares(tree, page.years) == expected
    tree.attrs[ANSWERS] = json.dumps({"key": "of another run", "rows": rows})
    assert kept_shares(tree, page.years) == {}
    tree.attrs[ANSWERS] = "damaged"
    assert kept_shares(tree, page.years) == {}


def test_shares_are_shares(page: Explorer, prior_run: xr.DataTree) -> None:
    for of in found_shares(prior_run, page.years).values():
        assert of and sum(of.values()) < 1.1
