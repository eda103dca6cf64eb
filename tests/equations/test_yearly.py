"""What is reported of one moment: identities between the reported quantities, and round numbers by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from round_numbers import RUN_SECONDS, YEAR_SECONDS, round_parameters

from forecast.equations import trends
from forecast.equations.compute import (
    tokens_per_researcher_second_at_parity,
    tokens_per_second_after_training,
    world_tokens_per_second,
)
from forecast.equations.takeoff import Milestones, milestones
from forecast.equations.yearly import quantities
from forecast.runs import parameters_of
from forecast.schema import YEARLY

AT = Milestones(now=28.0, full=31.0, twenty=27.0)
LN10 = np.log(10.0)
PARAMS_NOW = np.sqrt(1e28 / 120.0)


def reported(year: float = 2025.0, log_software: float = 0.0, **changes: Any) -> dict[str, float]:
    """All quantities; logs of base ten undone."""
    found = quantities(year, log_software, AT, round_parameters(**changes))
    return {
        name.removeprefix("log10_"): float(10.0**value if name.startswith("log10_") else value)
        for name, value in found.items()
    }


def test_every_name_of_the_schema_is_there_and_no_other() -> None:
    assert list(quantities(2025.0, 0.0, AT, round_parameters())) == list(YEARLY)


def test_today_by_hand() -> None:
    q = reported()
    layers = 100.0 * (PARAMS_NOW / 7e10) ** 0.25
    by_hand = {
        "training_flop": 1e28,
        "fleet_flop_per_second": 10**22.5,
        "world_flop_per_second": 1e24,
        "software": 1.0,
        "effective_flop": 1e28,
        "task_horizon": 2.0**11,  # three OOM above the centre, at two doublings each, from 2^5
        "automated_share": 0.4,
        "params": PARAMS_NOW,
        "layers": layers,
        "tokens_per_param": 20.0,
        "training_utilization": 0.5,
        "deployment_utilization": 0.2,
        "fleet_tokens_per_second": 10**22.5 * 0.1 / PARAMS_NOW,
        "world_tokens_per_second": 1e24 * 0.1 / PARAMS_NOW,
        "stream_tokens_per_second": 20_000.0 / layers,
        "serial_speed": 20_000.0 / layers,
    }
    assert {name: q[name] for name in by_hand} == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("log10_h", [0.0, 1.0, 2.0])
@pytest.mark.parametrize(("year", "software"), [(2025.0, 0.0), (2026.0, 1.5 * LN10), (2027.5, 4.0 * LN10)])
def test_equation_4_the_training_cluster_runs_its_own_model(year: float, software: float, log10_h: float) -> None:
    """3 m H p / N times deployment over training utilization, whatever the state, while text does not bind."""
    p = round_parameters(log10_tokens_per_datapoint=log10_h, text_stock_tokens=1e20)
    found = quantities(year, software, AT, p)
    progress = float(np.clip((found["log10_effective_flop"] - 28.0) / 3.0, 0.0, 1.0))
    flop, tokens_per_datapoint = 10 ** found["log10_training_flop"], 10 ** (log10_h * progress)
    params = np.sqrt(flop / (6.0 * 20.0 * tokens_per_datapoint))
    truth = tokens_per_second_after_training(params, RUN_SECONDS, 20.0, tokens_per_datapoint, 0.2 / 0.5)
    assert 10 ** found["log10_training_cluster_tokens_per_second"] == pytest.approx(truth)


def test_before_full_automation_the_cluster_is_its_share_of_the_fleet() -> None:
    """The run uses 1e28/(0.5 x 1e7) of 10^22.5 FLOP/s."""
    q = reported()
    share = 1e28 / (0.5 * RUN_SECONDS) / 10**22.5
    assert q["training_cluster_tokens_per_second"] == pytest.approx(share * q["fleet_tokens_per_second"])


def test_equation_5_a_tenth_of_the_world_trains_and_runs_one_model() -> None:
    """Hardware FLOP per parameter and token: 2/0.5 in training and 2/0.2 in deployment."""
    equal = reported(deployment_utilization_2023=0.5)["world_bound_tokens_per_second"]
    assert equal == pytest.approx(world_tokens_per_second(1e24, RUN_SECONDS, 20.0, 1.0, 4.0, share=0.1))
    assert reported()["world_bound_tokens_per_second"] == pytest.approx(0.4 * equal)


def test_equation_10_tokens_per_researcher_second() -> None:
    q = reported()
    parity = tokens_per_researcher_second_at_parity(q["fleet_tokens_per_second"], 50_000.0)
    assert parity == pytest.approx(q["fleet_tokens_per_second"] / 50_000.0)
    assert q["world_ratio"] == pytest.approx(parity * YEAR_SECONDS / round_parameters()["tokens_per_researcher_year"])


def test_a_token_twice_as_dear_halves_the_human_equivalents() -> None:
    base, dear = reported(), reported(tokens_per_researcher_year=2.0 * YEAR_SECONDS)
    for name in ("human_equivalents", "serial_speed", "leader_ratio", "world_ratio"):
        assert dear[name] == pytest.approx(base[name] / 2.0), name
    for name in ("parallel_streams", "fleet_tokens_per_second", "stream_tokens_per_second"):
        assert dear[name] == pytest.approx(base[name]), name


def test_cheaper_inference_makes_more_streams_and_no_faster_ones() -> None:
    base, cheap = reported(), reported(inference_discount=3.0)
    assert cheap["parallel_streams"] == pytest.approx(3.0 * base["parallel_streams"])
    assert cheap["human_equivalents"] == pytest.approx(3.0 * base["human_equivalents"])
    assert cheap["stream_tokens_per_second"] == pytest.approx(base["stream_tokens_per_second"])


def test_software_changes_nothing_but_software_until_full_automation_needs_less_compute() -> None:
    """With one token per data point the largest run's model stays; beyond E_100 a smaller one does the work."""
    base = reported(log10_tokens_per_datapoint=0.0)
    some = reported(log_software=2.0 * LN10, log10_tokens_per_datapoint=0.0)
    much = reported(log_software=5.0 * LN10, log10_tokens_per_datapoint=0.0)
    changed = {name for name in base if some[name] != pytest.approx(base[name])}
    assert changed == {"software", "effective_flop", "task_horizon", "automated_share"}
    assert much["params"] == pytest.approx(base["params"] / 10.0)  # 2 OOM beyond: a tenth of the parameters
    assert much["fleet_tokens_per_second"] == pytest.approx(base["fleet_tokens_per_second"] * 10.0**1.5)


def test_frozen_compute_stays_while_people_and_technique_go_on() -> None:
    p = round_parameters()
    frozen = quantities(2030.0, LN10, AT, p, frozen_year=np.array([2026.0]))
    then, later = quantities(2026.0, LN10, AT, p), quantities(2030.0, LN10, AT, p)
    for name in ("log10_training_flop", "log10_fleet_flop_per_second", "log10_world_flop_per_second"):
        assert frozen[name] == pytest.approx(then[name]), name
    assert frozen["tokens_per_param"] == pytest.approx(then["tokens_per_param"])
    assert frozen["stream_tokens_per_second"] / then["stream_tokens_per_second"] == pytest.approx(2.0**4)
    assert frozen["log10_leader_ratio"] - frozen["log10_world_ratio"] == pytest.approx(
        later["log10_leader_ratio"] - later["log10_world_ratio"]
    )
    staff = frozen["log10_human_equivalents"] - frozen["log10_leader_ratio"]
    assert 10**staff == pytest.approx(4000.0 * 2**3)  # people doubled until 2028


def test_identities_hold_for_every_draw(prior_run: xr.DataTree) -> None:
    p = parameters_of(prior_run)
    year = 2031.3
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    q = quantities(year, np.full(now.shape, 3.0), milestones(now, p), p)
    tokens = q["log10_fleet_tokens_per_second"]
    streams = q["log10_parallel_streams"] + np.log10(q["stream_tokens_per_second"])
    np.testing.assert_allclose(streams, tokens, rtol=1e-12)
    people = tokens + np.log10(YEAR_SECONDS) - np.log10(p["tokens_per_researcher_year"])
    np.testing.assert_allclose(q["log10_human_equivalents"], people, rtol=1e-12)
    serial = q["log10_human_equivalents"] - q["log10_parallel_streams"]
    np.testing.assert_allclose(np.log10(q["serial_speed"]), serial, rtol=1e-9, atol=1e-9)
    world = q["log10_world_tokens_per_second"] - tokens
    fleet_of_world = q["log10_world_flop_per_second"] - q["log10_fleet_flop_per_second"]
    np.testing.assert_allclose(world, fleet_of_world, rtol=1e-9, atol=1e-12)
    assert all(np.isfinite(values).all() for values in q.values())
