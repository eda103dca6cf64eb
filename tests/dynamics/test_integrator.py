"""The integrator against closed forms, with flows that need no model."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.dynamics.events import locate, time_of_level, value_at, z_at_time
from forecast.dynamics.integrator import Memory, Path, Rates, integrate, log_software, relax, z_of

START = 2027.0
NEVER = np.array([np.inf])


def run(rate, log_ceiling, years=20.0, step=0.25) -> Path:
    """Integrate d ln S/dt = rate(ln S) (1 - S/S_max) from S = 1."""
    ceiling = np.atleast_1d(np.asarray(log_ceiling, dtype=float))
    blank = np.zeros(ceiling.shape)

    def flow(time, z, before, draws):
        still = Memory(blank[draws], blank[draws], blank[draws], time)
        return Rates(rate(log_software(z, ceiling[draws]), draws), still, np.full(time.shape, -np.inf), blank[draws])

    start = np.full(ceiling.shape, START)
    return integrate(flow, start, z_of(blank, ceiling), None, start + years, np.full(ceiling.shape, np.inf), step)


def software_at(path, log_ceiling, years):
    return log_software(z_at_time(path, np.full(path.time.shape[1], START + years)), np.asarray(log_ceiling))


@pytest.mark.parametrize("years", [0.5, 3.0, 19.0])
def test_constant_inputs_follow_the_closed_form(years):
    growth, beta, ceiling = 0.9, 0.55, np.array([90.0])
    path = run(lambda log_s, _: growth * np.exp(-beta * log_s), ceiling)
    assert software_at(path, ceiling, years) == pytest.approx(np.log1p(beta * growth * years) / beta, abs=1e-6)


@pytest.mark.parametrize("level", [1.0, 10.0, 40.0])
def test_labour_proportional_to_software_blows_up_when_it_should(level):
    growth, excess, ceiling = 0.4, 0.25, np.array([80.0])
    path = run(lambda log_s, _: growth * np.exp(excess * log_s), ceiling)
    expected = START - np.expm1(-excess * level) / (excess * growth)
    assert time_of_level(path, z_of(np.array([level]), ceiling)) == pytest.approx(expected, abs=1e-6)


def test_steady_growth_under_a_ceiling_is_logistic():
    ceiling = np.array([3.0])
    path = run(lambda log_s, _: np.full(log_s.shape, 0.8), ceiling)
    years = 4.7
    odds = np.exp(0.8 * years) / np.expm1(3.0)  # S/(Smax - S) grows at the rate, from 1/(e^3 - 1)
    assert np.exp(software_at(path, ceiling, years)) == pytest.approx(np.exp(3.0) * odds / (1 + odds), abs=1e-9)


def test_software_never_exceeds_its_ceiling():
    path = run(lambda log_s, _: np.full(log_s.shape, 50.0), np.array([2.0, 40.0]))
    assert np.all(log_software(path.z, np.array([2.0, 40.0])) <= np.array([2.0, 40.0]))
    assert software_at(path, np.array([2.0, 40.0]), 10.0) == pytest.approx([2.0, 40.0], abs=1e-12)


def test_a_level_never_reached_is_censored():
    path = run(lambda log_s, _: np.full(log_s.shape, 0.01), np.array([5.0]))
    assert np.isinf(time_of_level(path, z_of(np.array([3.0]), np.array([5.0])))).all()


def test_fourth_order_in_the_step():
    growth, beta, ceiling = 2.0, 0.8, np.array([60.0])
    exact = np.log1p(beta * growth * 7.3) / beta
    errors = [
        abs(float(software_at(run(lambda s, _: growth * np.exp(-beta * s), ceiling, step=h), ceiling, 7.3)[0]) - exact)
        for h in (1.0, 0.5)
    ]
    assert errors[0] / errors[1] > 8.0  # 16 for order 4; interpolation between nodes has order 4 too


def test_stopped_draws_stay_where_they_are():
    path = run(lambda log_s, draws: np.where(draws == 0, 0.1, 9.0), np.array([30.0, 30.0]))
    assert np.all(np.diff(path.time, axis=0) >= 0)
    assert path.time[-1].min() >= START + 20.0


def test_crossings_agree_with_a_fine_search():
    growth, excess, ceiling = 0.3, 0.2, np.array([70.0])
    path = run(lambda log_s, _: growth * np.exp(excess * log_s), ceiling)
    place = locate(path, "time", np.array([START + 6.0]))
    assert value_at(path, "time", place) == pytest.approx(START + 6.0, abs=1e-9)


@pytest.mark.parametrize("rate", [1e-9, 0.3, 40.0, 5000.0])
def test_practice_relaxes_exactly_to_a_moving_target(rate):
    rates, years = np.array([rate]), 0.8
    before = Memory(np.array([0.5]), np.array([2.0]), rates, np.array([0.0]))
    slope = 3.0 / years  # the target moves from 2 to 5
    exact = 5.0 - slope / rate + (0.5 - 2.0 + slope / rate) * np.exp(-rate * years)
    assert relax(before, np.array([5.0]), rates, np.array([years])) == pytest.approx(exact, abs=1e-6)


def test_z_and_software_are_inverse_to_each_other():
    log_s, ceiling = np.array([0.0, 1.0, 19.9]), np.array([20.0, 2.0, 20.0])
    assert log_software(z_of(log_s, ceiling), ceiling) == pytest.approx(log_s, abs=1e-12)
