"""The tornado against outputs that move in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.drivers.tornado import tornado
from forecast.runs import parameters_of

TOKENS = "log10_fleet_tokens_per_second@2026"
PEOPLE = "log10_human_equivalents@2026"


def computed(
    run: xr.DataTree, outputs: list[str], names: list[str], alone: bool = False
) -> dict[tuple[str, str], dict]:
    wanted = parsed_outputs(outputs)
    values = evaluator(wanted, float(parameters_of(run)["as_of_year"]))
    frame = tornado(run, wanted, values, names)
    return {(row["output"], row["input"]): row for row in frame.to_dict("records")}


@pytest.mark.parametrize(
    ("name", "output", "power"),
    [("inference_discount", TOKENS, 1.0), ("tokens_per_researcher_year", PEOPLE, -1.0)],
)
def test_a_factor_moves_a_count_by_exactly_itself(prior_run: xr.DataTree, name: str, output: str, power: float) -> None:
    row = computed(prior_run, [output], [name])[output, name]
    values = prior_run["posterior"][name].values
    assert (row["input_low"], row["input_high"]) == pytest.approx(np.quantile(values, [0.1, 0.9]))
    expected = power * np.log10(row["input_high"] / row["input_low"])
    assert row["high"] - row["low"] == pytest.approx(expected, abs=1e-9)


def test_an_input_that_an_output_does_not_read_leaves_it(prior_run: xr.DataTree) -> None:
    row = computed(prior_run, ["year_100"], ["log_stream_speed_2024"])["year_100", "log_stream_speed_2024"]
    assert row["low"] == row["high"] or (row["low"], row["high"]) == pytest.approx((row["base"], row["base"]), abs=0.5)


def alone(run: xr.DataTree, output: str, name: str, value: float) -> float:
    """Median of an output with one input at a value and nothing else moved, without the tornado."""
    wanted, p = parsed_outputs([output]), parameters_of(run)
    values = evaluator(wanted, float(p["as_of_year"]))
    size = p[name].size
    return float(np.median(values(p | {name: np.full(size, value)}, size)[output]))


def test_independent_inputs_move_alone_though_others_may_follow(prior_run: xr.DataTree) -> None:
    names = ["inference_discount", "required_horizon_minutes"]
    for (output, name), row in computed(prior_run, ["year_100", TOKENS], names).items():
        assert row["low"] == pytest.approx(alone(prior_run, output, name, row["input_low"]))
        assert row["high"] == pytest.approx(alone(prior_run, output, name, row["input_high"]))


def test_a_longer_required_horizon_comes_later_and_an_event_becomes_rarer(prior_run: xr.DataTree) -> None:
    found = computed(prior_run, ["year_100", "year_100<2031"], ["required_horizon_minutes"])
    date, chance = (found[name, "required_horizon_minutes"] for name in ("year_100", "year_100<2031"))
    assert date["low"] <= date["base"] <= date["high"]
    assert chance["low"] >= chance["base"] >= chance["high"]


def test_no_input_is_no_row(prior_run: xr.DataTree) -> None:
    assert computed(prior_run, ["year_100"], []) == {}
