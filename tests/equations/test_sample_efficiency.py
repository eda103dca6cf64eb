"""The loss surface: published constants, argmin over a grid, and the penalty by brute-force root finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from forecast.equations import sample_efficiency as se

PARAMS_CENTRE, TOKENS_CENTRE = 1e9, 2e10
BESIROGLU2024 = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
HOFFMANN2022 = {"E": 1.6934, "A": 406.4, "B": 410.7, "alpha": 0.3392, "beta": 0.2849}


def centred(fit: dict[str, float]) -> tuple[float, ...]:
    """Loss at the centre and shares of a published fit."""
    constants = (fit["E"], fit["A"], fit["B"], fit["alpha"], fit["beta"])
    return se.centred_surface(*constants, PARAMS_CENTRE, TOKENS_CENTRE)


def shape(fit: dict[str, float]) -> tuple[float, ...]:
    """What the functions of the reducible loss need."""
    _, _, share_params, share_tokens = centred(fit)
    return (share_params, share_tokens, fit["alpha"], fit["beta"], PARAMS_CENTRE, TOKENS_CENTRE)


def published_loss(fit: dict[str, float], params: Any, tokens: Any) -> Any:
    """E + A/p^alpha + B/D^beta, as printed."""
    return fit["E"] + fit["A"] / params ** fit["alpha"] + fit["B"] / tokens ** fit["beta"]


SHAPE = [[0.2, 0.1], [0.15, 0.3], [0.35, 0.3], [0.37, 0.4], [1e9, 3e9], [2e10, 1e11]]
FULL = [[2.5, 2.0], [0.65, 0.6], *SHAPE]
CASES = [
    (se.loss_surface, [[1e9, 1e13], [1e10, 1e15], *FULL]),
    (se.surface_constants, FULL),
    (se.centred_surface, [[1.8, 1.7], [482.0, 406.0], [2085.0, 410.0], [0.35, 0.34], [0.37, 0.28], *SHAPE[4:]]),
    (se.optimal_params, [[1e21, 1e40], *SHAPE]),
    (se.optimal_tokens_per_param, [[1e21, 1e40], *SHAPE]),
    (se.reducible_loss, [[1e9, 1e13], [1e10, 1e15], [2.5, 2.0], *SHAPE]),
    (se.penalty_oom, [[1e24, 1e40], [1e10, 1e18], [1e24 / 6e10, 1e40 / 6e18], *SHAPE]),
    (se.model_params, [[1e24, 1e34], [20.0, 100.0], [1.0, 50.0], [1e15, 4e14]]),
    (se.log_tokens_per_param, [[2022.0, 2024.0, 2045.0], [4.0, 5.0, 4.0], [6.0, 6.0, 3.0], [1.0, 0.4, 2.5]]),
]


@pytest.mark.parametrize(("function", "columns"), CASES)
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any], columns: list[list[float]]
) -> None:
    assert_same_on_kind(function, columns)


@pytest.mark.parametrize("fit", [BESIROGLU2024, HOFFMANN2022])
def test_the_centred_form_is_the_published_form(fit: dict[str, float]) -> None:
    params, tokens = np.meshgrid(np.geomspace(1e7, 1e14, 8), np.geomspace(1e9, 1e16, 8))
    surface = (*centred(fit), fit["alpha"], fit["beta"], PARAMS_CENTRE, TOKENS_CENTRE)
    np.testing.assert_allclose(se.loss_surface(params, tokens, *surface), published_loss(fit, params, tokens))
    np.testing.assert_allclose(se.surface_constants(*surface), (fit["E"], fit["A"], fit["B"]))
    np.testing.assert_allclose(sum(centred(fit)[1:]), 1.0)


def test_reducible_loss_is_what_lies_above_the_irreducible() -> None:
    loss = centred(BESIROGLU2024)[0]
    above = published_loss(BESIROGLU2024, 3e11, 7e12) - BESIROGLU2024["E"]
    assert se.reducible_loss(3e11, 7e12, loss, *shape(BESIROGLU2024)) == pytest.approx(above)


@pytest.mark.parametrize("fit", [BESIROGLU2024, HOFFMANN2022])
@pytest.mark.parametrize("flop", [1e19, 5.76e23, 1e28, 1e36])
def test_the_optimal_size_is_the_argmin_over_a_grid(fit: dict[str, float], flop: float) -> None:
    found = se.optimal_params(flop, *shape(fit))
    grid = found * np.exp(np.linspace(-2.0, 2.0, 40_001))
    best = grid[np.argmin(published_loss(fit, grid, flop / (6 * grid)))]
    assert found == pytest.approx(best, rel=2e-4)
    ratio = se.optimal_tokens_per_param(flop, *shape(fit))
    assert ratio == pytest.approx(flop / 6 / found**2, rel=1e-9)


def test_besiroglu_constants_give_twenty_tokens_per_parameter_and_their_exponent() -> None:
    """The replication reports an exponent of 0.512 and about 20 tokens per parameter at Chinchilla's compute."""
    at = shape(BESIROGLU2024)
    exponent = np.log10(se.optimal_params(1e25, *at) / se.optimal_params(1e24, *at))
    assert exponent == pytest.approx(0.512, abs=1e-3)
    assert se.optimal_tokens_per_param(5.76e23, *at) == pytest.approx(20.0, rel=0.1)


def test_hoffmanns_third_approach_wanted_far_more_tokens_than_the_other_two() -> None:
    """The known inconsistency of the paper: about 70 tokens per parameter against 20."""
    assert se.optimal_tokens_per_param(5.76e23, *shape(HOFFMANN2022)) == pytest.approx(65.0, rel=0.15)


def brute_force_penalty(fit: dict[str, float], flop: float, params: float, tokens: float) -> float:
    """OOM between `flop` and the compute at which the best model on a fine grid has the same loss."""
    target = published_loss(fit, params, tokens)

    def best_loss(log10_flop: float) -> float:
        budget = 10.0**log10_flop
        grid = np.geomspace(1e-4, 1e4, 100_001) * np.sqrt(budget / 120)
        return float(np.min(published_loss(fit, grid, budget / (6 * grid))))

    needed = brentq(lambda x: best_loss(x) - target, np.log10(flop) - 15, np.log10(flop) + 1, xtol=1e-10)
    return float(np.log10(flop) - needed)


@pytest.mark.parametrize("over_optimal_size", [0.01, 0.2, 1.0, 3.0, 50.0])
def test_the_penalty_is_the_compute_that_an_optimal_model_of_the_same_loss_saves(over_optimal_size: float) -> None:
    flop = 1e26
    params = over_optimal_size * float(se.optimal_params(flop, *shape(BESIROGLU2024)))
    tokens = flop / (6 * params)
    truth = brute_force_penalty(BESIROGLU2024, flop, params, tokens)
    found = se.penalty_oom(flop, params, tokens, *shape(BESIROGLU2024))
    assert found == pytest.approx(truth, abs=2e-6)


def test_the_penalty_of_equal_exponents_is_a_hyperbolic_cosine() -> None:
    """With alpha = beta = a and a departure of u in ln p: (2/a) log10 cosh(a u)."""
    at = (0.2, 0.2, 0.35, 0.35, PARAMS_CENTRE, TOKENS_CENTRE)
    departure = np.linspace(-8.0, 8.0, 17)
    params = PARAMS_CENTRE * np.exp(departure)
    found = se.penalty_oom(1.2e20, params, 2e19 / params, *at)
    np.testing.assert_allclose(found, 2 / 0.35 * np.log10(np.cosh(0.35 * departure)), atol=1e-12)


def test_compute_left_unspent_is_part_of_the_penalty() -> None:
    """The optimal model of a tenth of the compute saves exactly one OOM."""
    at = shape(BESIROGLU2024)
    params = se.optimal_params(1e25, *at)
    assert se.penalty_oom(1e26, params, 1e25 / (6 * params), *at) == pytest.approx(1.0, abs=1e-9)


@given(
    log10_flop=st.floats(18.0, 40.0),
    departure=st.floats(-30.0, 30.0),
    alpha=st.floats(0.1, 0.8),
    beta=st.floats(0.1, 0.8),
    share=st.floats(0.02, 0.4),
)
def test_the_penalty_is_never_negative_on_the_budget(
    log10_flop: float, departure: float, alpha: float, beta: float, share: float
) -> None:
    flop = 10.0**log10_flop
    at = (share, 0.5 - share, alpha, beta, PARAMS_CENTRE, TOKENS_CENTRE)
    params = se.optimal_params(flop, *at) * np.exp(departure)
    found = se.penalty_oom(flop, params, flop / (6 * params), *at)
    assert np.isfinite(found)
    assert found >= -1e-11


def test_practice_is_followed_until_text_runs_out() -> None:
    assert se.model_params(5.88e23, 20.0, 1.0, 1e15) == pytest.approx(7e10)
    starved = se.model_params(1e34, 20.0, 1.0, 1e15)
    assert starved == pytest.approx(1e34 / 6e15)
    seen = 1e34 / (6 * starved)
    assert seen == pytest.approx(1e15), "every data point is used"


@given(st.floats(20.0, 40.0), st.floats(1.0, 1e4), st.floats(0.0, 4.0), st.floats(12.0, 16.0))
def test_the_data_points_never_exceed_the_stock(flop: float, ratio: float, horizon: float, stock: float) -> None:
    spent, tokens, points = 10.0**flop, 10.0**horizon, 10.0**stock
    params = se.model_params(spent, ratio, tokens, points)
    used = spent / (6 * tokens * params)
    assert used <= points * (1 + 1e-12)
    assert used / params <= ratio * (1 + 1e-12), "nor does practice"


def test_practice_is_half_way_after_a_half_life_and_logistic() -> None:
    """The way left, as a share of what it was long before: 1/2 in 2024, 1/4 a half-life on; odds fall 3x in each."""
    years = 2024.0 + 0.7 * np.array([-400.0, -1.0, 0.0, 1.0, 2.0, 400.0])
    found = se.log_tokens_per_param(years, 4.0, 6.0, 0.7)
    odds = 3.0 ** -np.array([-1.0, 0.0, 1.0, 2.0])
    np.testing.assert_allclose(6.0 - found[1:-1], 4.0 * odds / (1.0 + odds))
    assert found[[0, -1]].tolist() == [2.0, 6.0], "bounded on both sides"
