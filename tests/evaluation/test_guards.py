"""Guards: shares counted on draws made by hand, outputs as `project` has them, files that cannot be meant refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.drivers.outputs import parsed_output
from forecast.errors import InputError
from forecast.evaluation.guards import FILE, Guard, guard_row, guards, leading_parameter, load_guards, outside
from forecast.projection import project

TEN = Guard("log10_training_flop@2030", 0.0, 10.0, "log10 FLOP", "because", "so it is")


def written(folder: Path, **said: object) -> Path:
    entry = {"low": 1.0, "units": "layers", "source": ["judgement"], "why_low": "because"} | said
    lines = [f"{key} = {list(v) if isinstance(v, tuple) else v!r}".replace("'", '"') for key, v in entry.items()]
    file = folder / "guards.toml"
    file.write_text("\n".join(["limit = 0.01", '[guards."layers@2030"]', *lines, "[sources.a]", 'cite = "A"']))
    return file


def test_a_prior_drawn_outside_a_known_share_of_the_time_is_said_to_be() -> None:
    prior = np.concatenate([np.full(7, -1.0), np.full(11, 11.0), np.linspace(0.0, 10.0, 82)])
    posterior = np.linspace(0.0, 10.0, 100)
    row = guard_row(TEN, prior, posterior, {"fleet_growth": prior}, 0.01)
    assert (row["prior_below"], row["prior_above"]) == (0.07, 0.11)
    assert (row["posterior_below"], row["posterior_above"]) == (0.0, 0.0)


def test_a_value_on_the_edge_is_inside() -> None:
    assert outside(np.array([0.0, 10.0]), TEN) == (0.0, 0.0)


def test_what_never_comes_is_not_beyond_a_range() -> None:
    assert outside(np.array([np.inf, np.inf, -np.inf, 5.0]), TEN) == (0.0, 0.0)


def test_the_parameter_that_makes_the_draws_outside_is_named() -> None:
    rng = np.random.default_rng(1)
    p = {"fleet_growth": rng.standard_normal(500), "returns": rng.standard_normal(500), "as_of_year": 2026.8}
    assert leading_parameter(p["returns"] + 0.5 * p["fleet_growth"] > 1.5, p) == "returns"
    assert leading_parameter(np.zeros(500, dtype=bool), p) == ""


def test_shares_are_those_of_a_projection_of_the_prior(prior_run: xr.DataTree) -> None:
    one = Guard("log10_training_flop@2030", 27.0, 28.5, "log10 FLOP", "because", "so it is")
    row = guards(prior_run, [one]).iloc[0]
    values = project(prior_run, years=[2030])["log10_training_flop"].values
    assert row["prior_below"] == pytest.approx((values < 27.0).mean())
    assert row["prior_above"] == pytest.approx((values > 28.5).mean())
    assert row["prior_q50"] == pytest.approx(np.median(values), abs=0.05)


def test_the_shipped_guards_are_of_outputs_in_their_units_with_sources() -> None:
    shipped, limit = load_guards()
    assert 0.0 < limit < 0.05
    for one in shipped:
        assert one.units == parsed_output(one.output).units
        assert one.low < one.high and one.source
        assert bool(one.why_low) == np.isfinite(one.low)
        assert bool(one.why_high) == np.isfinite(one.high)


def test_the_shipped_ranges_agree_with_the_arithmetic_that_they_state() -> None:
    ends = {one.output: (one.low, one.high) for one in load_guards()[0]}
    watts = 30_900e12 / 8766.0  # TWh a year
    on_h100 = watts / 1700.0 * 1e15
    assert on_h100 == pytest.approx(2.1e24, rel=0.02)
    assert ends["log10_world_flop_per_second@2030"][1] == pytest.approx(np.log10(15.0 * on_h100), abs=0.05)
    limit_2045 = 10.0 * watts * 4.7e15
    assert ends["log10_world_flop_per_second@2045"][1] == pytest.approx(np.log10(limit_2045), abs=0.05)
    year = 31_557_600.0
    assert ends["log10_training_flop@2045"][1] == pytest.approx(np.log10(limit_2045 * year), abs=0.3)
    assert ends["log10_params@2030"][1] == pytest.approx(0.5 * np.log10(2e31 / 6.0), abs=0.05)
    assert ends["log10_params@2045"][1] == pytest.approx(0.5 * np.log10(10.0**36.5 / 6.0), abs=0.2)
    streams = 10.0**25.5 / (2e9 * 10.0)
    assert ends["log10_parallel_streams@2030"][1] == pytest.approx(np.log10(streams), abs=0.05)
    people = 10.0**25.5 / 2e9 * year / 1.15e7
    assert ends["log10_human_equivalents@2030"][1] == pytest.approx(np.log10(people), abs=0.1)
    assert ends["log10_task_horizon@2030"][1] == pytest.approx(np.log10(2.5e6 * 1.1e5), abs=0.1)
    assert ends["log10_task_horizon@2045"][1] == pytest.approx(np.log10(1e11 * 40 * 1.1e5), abs=0.1)


def test_every_source_is_cited_by_a_guard() -> None:
    import tomllib

    content = tomllib.loads(FILE.read_text())
    used = {key for said in content["guards"].values() for key in said["source"]}
    assert set(content["sources"]) == used - {"judgement"}


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"units": "km"}, "not the output's unit"),
        ({"source": ("nobody",)}, "is not cited"),
        ({"low": 5.0, "high": 4.0, "why_high": "x"}, "holds nothing"),
        ({"high": 9.0}, "why_low or why_high"),
        ({"colour": "blue"}, "and no more"),
    ],
)
def test_a_guard_that_cannot_be_meant_is_refused(tmp_path: Path, said: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        load_guards(written(tmp_path, **said))


def test_a_guard_of_a_year_before_the_run_is_left_out(prior_run: xr.DataTree) -> None:
    early = Guard("log10_training_flop@2020", 0.0, 1.0, "log10 FLOP", "because", "so it is")
    assert guards(prior_run, [early]).empty
