"""The feedback by hand on round numbers, its limits, and the short forms of the graph against the full ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.maker import function as compile_graph
from pytensor.tensor.variable import TensorVariable
from round_numbers import round_parameters

from forecast.equations import takeoff, trends
from forecast.equations.research import log_ces
from forecast.equations.takeoff import Milestones
from forecast.runs import parameters_of

P = round_parameters()
AT = Milestones(now=28.0, full=31.0, twenty=27.0)
LN2, LN10 = np.log(2.0), np.log(10.0)
PARAMS_NOW = np.sqrt(1e28 / 120.0)
LAYERS_NOW = 100.0 * (PARAMS_NOW / 7e10) ** 0.25


def deployed(flop: float, year: float = 2025.0, **changes: Any) -> takeoff.Deployed:
    p = round_parameters(**changes)
    return takeoff.deployed(flop, takeoff.surroundings(year, p), AT, p)


def research(flop: float, year: float = 2025.0, **changes: Any) -> takeoff.Research:
    p = round_parameters(**changes)
    around = takeoff.surroundings(year, p)
    on = takeoff.deployed(flop, around, AT, p)
    return takeoff.research(flop, around, on, AT, trends.log10_fleet(2025.0, p), p)


def output(labour: float, compute: float) -> float:
    """M at rho = -1/2, s = 1/2 and compute exponent 1/2."""
    return (0.5 * labour**-0.5 + 0.5 * compute**-0.25) ** -2.0


def test_surroundings_are_the_trends_of_the_moment() -> None:
    around = takeoff.surroundings(2027.0, P)
    assert around.log10_training_flop == pytest.approx(29.0)
    assert around.log10_fleet == pytest.approx(24.0)
    assert np.exp(around.log_tokens_per_param) == pytest.approx(20.0)
    assert np.exp(around.log_deployment_utilization) == pytest.approx(0.2)
    assert around.year == 2027.0
    assert np.exp(around.log_researchers) == pytest.approx(16_000.0)


def test_what_is_frozen_is_compute_and_practice_not_people_nor_technique() -> None:
    p = round_parameters(overtraining_factor=4.0)
    frozen, then, later = (
        takeoff.surroundings(2029.0, p, frozen_year=2026.0),
        takeoff.surroundings(2026.0, p),
        takeoff.surroundings(2029.0, p),
    )
    for name in ("log10_training_flop", "log10_fleet", "log_tokens_per_param", "penalty"):
        assert getattr(frozen, name) == getattr(then, name) != getattr(later, name), name
    for name in ("year", "log_researchers"):
        assert getattr(frozen, name) == getattr(later, name) != getattr(then, name), name
    before = takeoff.surroundings(2025.5, p, frozen_year=2026.0)
    assert before == takeoff.surroundings(2025.5, p)


def test_milestones_stand_where_the_horizon_meets_the_requirement() -> None:
    """2^15 minutes are 10 doublings above 2^5, at 2 a OOM: 5 OOM above 25; research 1 more, 20% 4 less."""
    assert takeoff.milestones(28.0, P) == pytest.approx((28.0, 31.0, 27.0))


def test_faster_doublings_bring_full_automation_nearer() -> None:
    """A horizon of 2^11 at E = 28; the four doublings to 2^15 take 1/2, 1/4, 1/8, 1/16 OOM times ln 2/(1/2)."""
    p = round_parameters(horizon_doubling_factor=0.5)
    assert takeoff.milestones(28.0, p, "exponential").full == pytest.approx(31.0)
    oom = 0.5 * (1.0 - 0.5**4) / LN2  # integral of 1/2 x 0.5^n over n = 0..4
    assert takeoff.milestones(28.0, p, "superexponential").full == pytest.approx(28.0 + oom + 1.0)


@pytest.mark.parametrize(
    ("flop", "share"), [(20.0, 0.0), (26.0, 0.0), (27.0, 0.2), (28.0, 0.4), (31.0, 1.0), (40.0, 1.0)]
)
def test_the_automated_share_is_linear_between_its_milestones_and_clipped(flop: float, share: float) -> None:
    assert research(flop).automated_share == pytest.approx(share, abs=1e-12)


def test_the_unclipped_share_goes_on_beyond() -> None:
    assert takeoff.unclipped_share(36.0, AT, P) == pytest.approx(2.0)
    assert takeoff.unclipped_share(22.0, AT, P) == pytest.approx(-0.8)


def test_progress_runs_from_the_present_to_full_automation() -> None:
    np.testing.assert_allclose(takeoff.progress(np.array([27.0, 28.0, 29.5, 31.0, 35.0]), AT), [0, 0, 0.5, 1, 1])
    already = Milestones(now=32.0, full=31.0, twenty=27.0)
    assert takeoff.progress(32.0, already) == 0.0


def test_the_largest_model_of_today_on_the_whole_fleet() -> None:
    on = deployed(28.0)
    stream = 200.0 * 100.0 / LAYERS_NOW  # 100 layers: 10 x 0.01^-0.5, doubled once since 2024
    assert np.exp(on.log_params) == pytest.approx(PARAMS_NOW)
    assert np.exp(on.log_layers) == pytest.approx(LAYERS_NOW)
    assert np.exp(on.log_tokens_per_second) == pytest.approx(10**22.5 * 0.2 / (2.0 * PARAMS_NOW))
    assert np.exp(on.log_stream_speed) == pytest.approx(stream)


def test_beyond_full_automation_a_smaller_model_does_the_work() -> None:
    """Two OOM beyond: a model of 1e26 FLOP at ten tokens per data point, and 10^(2/4) more tokens per FLOP."""
    on = deployed(33.0)
    params = np.sqrt(1e26 / 1200.0)
    assert np.exp(on.log_params) == pytest.approx(params)
    assert np.exp(on.log_tokens_per_second) == pytest.approx(10**22.5 * 0.2 / (2.0 * params) * 10**0.5)


def test_tokens_per_flop_at_fixed_capability_grow_by_eta_per_oom() -> None:
    near, far = deployed(32.0), deployed(34.0)
    eta = 0.5 + 0.25
    assert far.log_tokens_per_second - near.log_tokens_per_second == pytest.approx(2.0 * eta * LN10)


def test_streams_slow_down_with_utilization_and_keep_their_offsets() -> None:
    base = deployed(28.0).log_stream_speed
    busier = deployed(28.0, stream_reference_utilization=0.1).log_stream_speed  # twice the utilization of the data
    assert busier - base == pytest.approx(-1.5 * LN2)
    assert deployed(28.0, stream_variate=2.0).log_stream_speed - base == pytest.approx(1.0)
    assert deployed(28.0, layers_variate=2.0).log_layers - deployed(28.0).log_layers == pytest.approx(1.0)
    assert deployed(28.0, layers_variate=2.0).log_stream_speed - base == pytest.approx(-1.0)
    assert deployed(28.0, production_offset=-2.0).log_stream_speed - base == pytest.approx(-2.0)


def test_parallel_ais_count_by_their_power_and_serial_speed_in_full() -> None:
    on = deployed(28.0)
    labour, serial = takeoff.log_ai_labour(on, P)
    speed = np.exp(on.log_stream_speed)  # one token a second all year is one researcher
    streams = 0.25 * np.exp(on.log_tokens_per_second) / speed
    assert np.exp(serial) == pytest.approx(speed)
    assert np.exp(labour) == pytest.approx(np.sqrt(streams) * speed)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99])
@pytest.mark.parametrize("complementarity", [0.3, 1.0, 3.0])
def test_task_labour_is_the_ces_over_tasks(share: float, complementarity: float) -> None:
    people, machines, rho = 60.0, 9e4, -complementarity
    p = round_parameters(task_complementarity=complementarity)
    direct = ((1 - share) ** (1 - rho) * people**rho + share ** (1 - rho) * machines**rho) ** (1 / rho)
    found = takeoff.log_task_labour(share, np.log(people), np.log(machines), p)
    assert np.exp(found) == pytest.approx(max(direct, people), rel=1e-9)


def test_people_do_the_work_at_share_0_and_ais_at_share_1() -> None:
    found = takeoff.log_task_labour(np.array([0.0, 1.0]), np.log(60.0), np.log(9e4), P)
    np.testing.assert_allclose(np.exp(found), [60.0, 9e4], rtol=1e-9)


@given(st.floats(0.0, 1.0), st.floats(-20.0, 60.0), st.floats(0.1, 10.0))
def test_labour_is_never_below_people_alone(share: float, log_ai: float, complementarity: float) -> None:
    p = round_parameters(task_complementarity=complementarity)
    assert takeoff.log_task_labour(share, 4.0, log_ai, p) >= 4.0


@pytest.mark.parametrize(
    ("gain", "share", "speedup"),
    [(1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1e30, 0.0, 30.0), (1e30, 0.5, 60.0), (50.0, 1.0, 50.0), (1e8, 1.0, 1e8)],
)
def test_latency_bounds_the_speedup_while_people_have_the_ideas(gain: float, share: float, speedup: float) -> None:
    assert np.exp(takeoff.log_bounded_speedup(np.log(gain), share, P)) == pytest.approx(speedup, rel=1e-9)


def test_a_gain_of_10_at_half_automation() -> None:
    """1/(1/10 + 9/10 x 1/2 / 30) = 1/0.115."""
    assert np.exp(takeoff.log_bounded_speedup(LN10, 0.5, P)) == pytest.approx(1 / 0.115)


@pytest.mark.parametrize("compute_share", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("multiple", [1.1, 4.0, 1e4])
@pytest.mark.parametrize("exponent", [0.1, 0.9])
def test_output_is_the_ces_of_research(compute_share: float, multiple: float, exponent: float) -> None:
    labour, compute = np.meshgrid(np.linspace(-15.0, 40.0, 23), np.linspace(-20.0, 20.0, 17))
    changes = {"compute_share": compute_share, "infinite_labour_multiple": multiple}
    p = round_parameters(parallelization_exponent=exponent, **changes)
    rho = np.log(compute_share) / np.log(multiple)
    tame = rho * (labour - exponent * compute) < takeoff.LARGEST_TILT
    truth = log_ces(labour, compute, compute_share, rho, exponent)
    np.testing.assert_allclose(takeoff.log_output(labour, compute, p)[tame], truth[tame], rtol=1e-9, atol=1e-9)


def test_output_is_capped_by_the_multiple_of_infinite_labour() -> None:
    assert np.exp(takeoff.log_output(200.0, 0.0, P)) == pytest.approx(4.0)
    assert np.exp(takeoff.log_output(200.0, np.log(100.0), P)) == pytest.approx(40.0)  # compute by its square root


def test_research_today_by_hand() -> None:
    on = deployed(28.0)
    speed = np.exp(on.log_stream_speed)
    people = np.sqrt(4000.0)
    machines = np.sqrt(0.25 * np.exp(on.log_tokens_per_second) / speed) * speed
    labour = 1.0 / (0.6**2 / people + 0.4**2 / machines)
    gain = output(labour / people, 1.0)
    found = research(28.0)
    assert np.exp(found.log_labour) == pytest.approx(labour)
    assert found.log_people_only == pytest.approx(0.0, abs=1e-12)
    assert np.exp(found.log_speedup) == pytest.approx(1 / (1 / gain + (1 - 1 / gain) * 0.6 / 30.0))


def test_people_alone_gain_from_staff_and_compute() -> None:
    """Two years on: staff fourfold, so labour twofold; the fleet 10^1.5 of today's."""
    assert np.exp(research(28.0, 2027.0).log_people_only) == pytest.approx(output(2.0, 10**1.5))


@pytest.mark.parametrize(("flop", "taste"), [(31.0, 1.0), (32.0, 10**0.5), (33.0, 10.0), (34.0, 20.0), (45.0, 20.0)])
def test_taste_multiplies_the_speedup_up_to_its_ceiling(flop: float, taste: float) -> None:
    without = research(flop, taste_slope=0.0).log_speedup
    assert np.exp(research(flop).log_speedup - without) == pytest.approx(taste)


def test_the_short_form_of_the_graph_is_the_speedup_at_as_of(prior_run: xr.DataTree) -> None:
    p = parameters_of(prior_run)
    year = p["as_of_year"]
    around = takeoff.surroundings(year, p)
    flop = takeoff.effective_flop(0.0, around)
    at = takeoff.milestones(flop, p)
    on = takeoff.deployed(flop, around, at, p)
    full = takeoff.research(flop, around, on, at, around.log10_fleet, p).log_speedup
    short = takeoff.log_speedup_now(flop, around, at, p)
    ahead = flop < at.full
    assert ahead.mean() > 0.8
    np.testing.assert_allclose(short[ahead], full[ahead], rtol=1e-9, atol=1e-12)


def test_people_only_rate_in_the_past() -> None:
    """Twelve years back: 1/100 of the labour, 7 OOM less compute, 12 doublings of software undone at beta = 1/2."""
    found = takeoff.log_people_rate(-12.0, np.log(0.01), -7.0 * LN10, P)
    assert found == pytest.approx(np.log(output(0.01, 1e-7)) + 0.5 * 12.0 * LN2)
    assert takeoff.log_people_rate(0.0, 0.0, 0.0, P) == pytest.approx(0.0, abs=1e-12)


def test_progress_gets_harder_by_lambda_over_r() -> None:
    assert takeoff.difficulty_exponent(round_parameters(returns=2.0)) == pytest.approx(0.25)


def test_practice_adapts_to_people_per_compute_faster_with_ais() -> None:
    assert takeoff.practice_target(5.0, 2.0, 1.5, P) == pytest.approx(3.0 / 0.5 - 1.5)
    np.testing.assert_allclose(takeoff.adaptation_speed(np.array([0.0, 0.5, 1.0]), LN10, P), [0.7, 3.85, 7.0])


def on_graph(p: dict[str, Any], xp: Any) -> list[Any]:
    """The expressions of the model's graph, at `as_of`."""
    around = takeoff.surroundings(p["as_of_year"], p, xp=xp)
    flop = takeoff.effective_flop(0.0, around)
    at = takeoff.milestones(flop, p, xp=xp)
    on = takeoff.deployed(flop, around, at, p, xp=xp)
    full = takeoff.research(flop + 4.0, around, on, at, around.log10_fleet, p, xp=xp)
    return [
        flop,
        trends.log10_effective_flop(2029.0, 1.0, p, xp=xp),
        trends.effective_flop_on_trend(2023.0, p, xp=xp),
        at.full,
        takeoff.unclipped_share(flop, at, p),
        takeoff.log_speedup_now(flop, around, at, p, xp=xp),
        full.log_speedup,
        takeoff.log_people_rate(-12.0, -3.0, -7.0, p, xp=xp),
        takeoff.log_serial_speed(on, p, xp=xp),
    ]


def test_the_graph_computes_the_same_numbers() -> None:
    changed = round_parameters(overtraining_factor=4.0, layers_variate=0.7, training_days_variate=-1.0)
    symbols = {name: pt.dvector(name) if np.ndim(value) else pt.dscalar(name) for name, value in changed.items()}
    expressions = on_graph(symbols, pt)
    assert all(isinstance(expression, TensorVariable) for expression in expressions)
    compiled = compile_graph(list(symbols.values()), expressions, mode="FAST_COMPILE", on_unused_input="ignore")
    found = compiled(*changed.values())
    np.testing.assert_allclose(found, on_graph(changed, np), rtol=1e-12)
