"""Research output: 50-digit arithmetic as the oracle, published elicitations, limits, gradients."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, getcontext
from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.maker import function as compiled
from pytensor.gradient import grad
from scipy.integrate import solve_ivp

from forecast.equations import research

getcontext().prec = 60
SHARES = st.floats(0.01, 0.99)
POINT = [[3.0, -1.0, 8.0, 0.0], [0.5, 2.0, -1.0, 0.0], [0.3, 0.67, 0.5, 0.6], [-0.14, 0.0, -30.0, 0.5]]
ZETA = [1.0, 0.55, 0.7, 1.0]
CASES = [
    (research.labour, [[1.0, 1e6], [1.0, 50.0], [0.5, 0.3]]),
    (research.log_ces, [*POINT, ZETA]),
    (research.ces, [[3.0, 0.1, 1e5], [0.5, 2.0, 1.0], [0.3, 0.67, 0.5], [-0.14, 0.0, -30.0], [1.0, 0.55, 0.7]]),
    (research.rho_from_sigma, [[0.1, 1.0, 3.0]]),
    (research.sigma_from_rho, [[-9.0, 0.0, 0.5]]),
    (research.rho_from_infinite_labour, [[2.0, 15.0], [0.67, 0.3]]),
    (research.log_asymptotes, [[-0.1, -1.0], [0.67, 0.3]]),
    (research.elicitation_from_asymptotes, [[15.0, 1.2, 1e4], [5000.0, 2.0, 1.5], [0.3, 0.9, 0.97]]),
    (research.labour_share, [*POINT, ZETA]),
    (research.implied_returns_on_labour, [[1.0, 0.4, 2.5, 1.2], [0.3, 0.67, 0.5, 0.6], [-0.14, 0.0, -3.0, 0.5]]),
    (research.input_growth, [[0.5, 0.85], [1.2, 1.3], [0.6, 0.67]]),
    (research.returns_on_all_inputs, [[1.4, 0.8], [0.4, 0.85], [0.6, 1.1]]),
    (
        research.log_software_constant_inputs,
        [[1.0, 10.0, 3.0, 50.0], [0.9, 0.5, 0.9, 0.5], [2.0, 1.0, 1e3, 1.0], [0.5, 0.0, 1e-9, -0.2]],
    ),
]


@pytest.mark.parametrize(("function", "columns"), CASES)
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any], columns: list[list[float]]
) -> None:
    assert_same_on_kind(function, columns)


def exact_log_ces(a: float, b: float, share: float, rho: Decimal, zeta: float) -> Decimal:
    """Ln M in 60 digits, from the formula as it is printed; Cobb-Douglas at rho = 0."""
    log_labour, log_compute, s = Decimal(a), Decimal(zeta) * Decimal(b), Decimal(share)
    if abs(rho) < Decimal("1e-30"):  # where 60 digits of the power form would cancel
        return (1 - s) * log_labour + s * log_compute
    return ((1 - s) * (rho * log_labour).exp() + s * (rho * log_compute).exp()).ln() / rho


NEAR_COBB_DOUGLAS = [sign * 10.0**-k for k in range(1, 17) for sign in (1, -1)] + [0.0, 5e-324]


@pytest.mark.parametrize("rho", [*NEAR_COBB_DOUGLAS, -0.5, -3.0, -50.0, -1e4, 0.9, 1.0])
@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (3.4, -2.0), (-1.0, 5.0), (25.0, 1.0), (1e-9, 0.0)])
def test_output_agrees_with_sixty_digits_on_both_sides_of_cobb_douglas(rho: float, a: float, b: float) -> None:
    found = float(research.log_ces(a, b, 0.67, rho, 0.55))
    assert found == pytest.approx(float(exact_log_ces(a, b, 0.67, Decimal(rho), 0.55)), rel=3e-14, abs=1e-22)


@pytest.mark.parametrize("distance", [1e-9, 1e-6, 1e-4, 1e-3])
def test_output_is_smooth_in_sigma_through_one(distance: float) -> None:
    """To second order ln M = w d + w (1-w) d^2 rho/2 + ..., w the labour share and d the log gap of the inputs."""
    gap, weight = 3.0, 0.4
    below = research.log_ces(gap, 0.0, 1 - weight, research.rho_from_sigma(1 - distance))
    above = research.log_ces(gap, 0.0, 1 - weight, research.rho_from_sigma(1 + distance))
    middle = research.log_ces(gap, 0.0, 1 - weight, research.rho_from_sigma(1.0))
    curvature = weight * (1 - weight) * gap**2 / 2
    assert middle == pytest.approx(weight * gap)
    assert above - below == pytest.approx(2 * distance * curvature, rel=1e-5)


def test_output_becomes_the_smaller_input_as_sigma_vanishes() -> None:
    for sigma in (1e-3, 1e-6, 1e-300):
        rho = research.rho_from_sigma(sigma)
        assert research.log_ces(2.0, 1.0, 0.5, rho) == pytest.approx(1.0, abs=2 * sigma + 1e-11)
        assert research.log_ces(-2.0, 1.0, 0.5, rho) == pytest.approx(-2.0, abs=2 * sigma + 1e-11)
    assert research.log_ces(0.7, 0.7, 0.5, -np.inf) == pytest.approx(0.7)


@pytest.mark.parametrize("rho", [0.0, 1e-9, -1e-6, 9.99e-4, -1.001e-3, -0.14, -40.0, 0.8])
@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (3.4, -2.0), (-1.0, 1.5)])
def test_gradients_are_finite_and_right_everywhere(rho: float, a: float, b: float) -> None:
    """In the inputs they are the shares; in rho a central difference in 60 digits is the oracle."""
    symbols = [pt.dscalar(name) for name in ("a", "b", "rho")]
    output = research.log_ces(symbols[0], symbols[1], 0.67, symbols[2], 0.55, xp=pt)
    slopes = compiled(symbols, grad(output, symbols), mode="FAST_COMPILE")(a, b, rho)
    step = Decimal("1e-20")
    upper = exact_log_ces(a, b, 0.67, Decimal(rho) + step, 0.55)
    lower = exact_log_ces(a, b, 0.67, Decimal(rho) - step, 0.55)
    share = float(research.labour_share(a, b, 0.67, rho, 0.55))
    truth = [share, 0.55 * (1 - share), float((upper - lower) / (2 * step))]
    np.testing.assert_allclose(slopes, truth, rtol=1e-9, atol=1e-12)


def test_gradients_are_finite_at_the_leontief_limit() -> None:
    symbols = [pt.dscalar(name) for name in ("a", "b")]
    output = research.log_ces(symbols[0], symbols[1], 0.5, -np.inf, xp=pt)
    slopes = compiled(symbols, grad(output, symbols), mode="FAST_COMPILE")(2.0, 1.0)
    np.testing.assert_allclose(slopes, [0.0, 1.0], atol=1e-12)


def test_infinite_labour_reaches_its_asymptote() -> None:
    rho = research.rho_from_infinite_labour(15.0, 0.67)
    assert np.exp(research.log_ces(np.inf, 0.0, 0.67, rho)) == pytest.approx(15.0)
    assert np.exp(research.log_ces(1e6, 0.0, 0.67, rho)) == pytest.approx(15.0)


def test_labels_survive_when_only_the_share_has_them() -> None:
    share = xr.DataArray([0.5, 0.7], dims="draw", coords={"draw": [3, 4]})
    found = research.log_ces(2.0, 1.0, share, 0.0)
    assert isinstance(found, xr.DataArray)
    np.testing.assert_allclose(found, [1.5, 1.3])
    assert list(found.draw) == [3, 4]


def test_sigma_point_seven_caps_output_with_infinite_labour_at_two_and_a_half() -> None:
    """The trap of MODEL section 3: hence the elicitation by the asymptote."""
    log_infinite_labour, _ = research.log_asymptotes(research.rho_from_sigma(0.7), 0.67)
    assert np.exp(log_infinite_labour) == pytest.approx(2.5, rel=0.02)


def test_the_published_elicitation_by_asymptotes() -> None:
    """15x, 5000x and 3.33x slower on a tenth of the compute, labour exponent 1/2: PEERS's reference values."""
    found = research.elicitation_from_asymptotes(15.0, 5000.0, 1 / 3.33)
    assert found.rho == pytest.approx(-0.137307, abs=5e-7)
    assert found.compute_share == pytest.approx(0.689469, abs=5e-7)
    assert found.compute_exponent == pytest.approx(0.732229, abs=5e-7)
    law = (found.compute_share, found.rho, found.compute_exponent)
    assert research.ces(1.0, 0.1, *law) == pytest.approx(0.30030, abs=5e-6)
    assert research.ces(research.labour(30.0, 1.0, 0.5), 1.0, *law) == pytest.approx(1.62724, abs=5e-6)


@given(st.floats(1.05, 1e5), st.floats(1.05, 1e6))
def test_the_elicited_parameters_have_the_stated_asymptotes(labour: float, compute: float) -> None:
    found = research.elicitation_from_asymptotes(labour, compute, 0.999)
    log_multiples = research.log_asymptotes(found.rho, found.compute_share)
    np.testing.assert_allclose(log_multiples, np.log((labour, compute)), rtol=1e-8)
    assert labour**found.rho + compute**found.rho == pytest.approx(1.0, abs=1e-12)


@given(SHARES, st.floats(1.1, 1e4))
def test_rho_and_infinite_labour_are_inverse(share: float, multiple: float) -> None:
    rho = research.rho_from_infinite_labour(multiple, share)
    assert research.log_asymptotes(rho, share)[0] == pytest.approx(np.log(multiple), rel=1e-12)


@given(st.floats(1e-3, 50.0))
def test_sigma_and_rho_are_inverse(sigma: float) -> None:
    assert research.sigma_from_rho(research.rho_from_sigma(sigma)) == pytest.approx(sigma, rel=1e-9)


@given(SHARES, st.floats(-20.0, 1.0), st.floats(-10.0, 10.0), st.floats(-10.0, 10.0), st.floats(0.0, 5.0))
def test_more_of_an_input_never_lowers_output(share: float, rho: float, a: float, b: float, more: float) -> None:
    here = research.log_ces(a, b, share, rho)
    assert research.log_ces(a + more, b, share, rho) >= here - 1e-12
    assert research.log_ces(a, b + more, share, rho) >= here - 1e-12


@given(SHARES, st.floats(-20.0, 1.0), st.floats(-10.0, 10.0))
def test_scaling_both_inputs_scales_output(share: float, rho: float, log_scale: float) -> None:
    assert research.log_ces(log_scale, log_scale, share, rho) == pytest.approx(log_scale, abs=1e-12)


def test_parallel_labour_steps_on_its_own_toes_but_speed_does_not() -> None:
    assert research.labour(16.0, 1.0, 0.5) == pytest.approx(4.0)
    assert research.labour(1.0, 16.0, 0.5) == pytest.approx(16.0)


def test_returns_on_labour_alone_are_the_labour_share_and_fall_as_labour_outgrows_compute() -> None:
    now = research.implied_returns_on_labour(1.2, 0.67, -0.15)
    later = research.implied_returns_on_labour(1.2, 0.67, -0.15, log_labour_ratio=6.0)
    assert now == pytest.approx(1.2 * 0.33)
    assert later < now
    step = 1e-6
    slope = (research.log_ces(6.0 + step, 0.0, 0.67, -0.15) - research.log_ces(6.0 - step, 0.0, 0.67, -0.15)) / 2 / step
    assert later == pytest.approx(1.2 * slope, rel=1e-8)


def test_a_labour_only_estimate_is_converted_by_its_own_data() -> None:
    """Language models of Ho and Whitfill: software 1.1, labour 0.85, compute 1.3 per year; r is about 1."""
    inputs = research.input_growth(0.85, 1.3, 0.67)
    on_labour = 1.1 / 0.85
    assert research.returns_on_all_inputs(on_labour, 0.85, inputs) == pytest.approx(1.1 / inputs)
    assert research.returns_on_all_inputs(on_labour, 0.85, inputs) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("beta", [2.0, 0.5, 1e-3, 0.0, -0.05])
def test_software_at_constant_inputs_solves_its_differential_equation(beta: float) -> None:
    growth, output, years = 0.9, 2.5, 6.0
    solution = solve_ivp(lambda _, y: growth * output * np.exp(-beta * y), (0.0, years), [0.0], rtol=1e-10, atol=1e-12)
    found = research.log_software_constant_inputs(years, growth, output, beta)
    assert found == pytest.approx(solution.y[0, -1], rel=1e-8)


def test_labour_that_grows_with_software_blows_up_on_time() -> None:
    """With labour proportional to S and no compute: S^-eps = 1 - eps g t, eps = lambda - beta."""
    eps, growth = 0.3, 0.8
    end = 1 / (eps * growth)
    before = research.log_software_constant_inputs(0.9 * end, growth, 1.0, -eps)
    assert np.exp(-eps * before) == pytest.approx(0.1)
    assert research.log_software_constant_inputs(1.01 * end, growth, 1.0, -eps) == np.inf
