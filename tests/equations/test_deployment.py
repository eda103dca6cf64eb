"""Stream speed and the number of AIs, against the figures of the posts and of the papers they cite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from forecast.equations import deployment

DATA = [[40.0, 100.0, 300.0], [0.001, 0.02, 0.5], [2022.5, 2026.0, 2045.0]]
LAW = [[4.0, 3.0, 5.0], [1.0, 0.8, 1.2], [0.5, 0.2, 0.7], [0.3, 0.2, 0.1], [10.0, 10.0, 5.0], [0.0, 0.3, -0.2]]
CASES = [
    (deployment.steinhardt2022, [[80.0, 118.0], [0.4, 0.1]]),
    (deployment.pope2022, [[80.0, 118.0], [1.0, 1.4]]),
    (
        deployment.communication_seconds_per_layer,
        [[64.0, 512.0], [1.0, 2.0], [4e4, 8e4], [1e4, 2e4], [64.0, 256.0], [1e11, 2e11]],
    ),
    (deployment.log_fitted, DATA + LAW),
    (deployment.fitted, [*DATA, *LAW, [1.0, 0.5, 3.0], [1.4, 1.0, 2.0]]),
    (deployment.parallel_streams, [[2e7, 1e9], [50.0, 30.0]]),
    (deployment.human_equivalents, [[2e7, 1e9], [1e8, 3e7]]),
    (deployment.serial_speed, [[50.0, 300.0], [1e8, 3e7]]),
    (deployment.inference_growth_factor, [[29.0, 31.0, 34.0], [30.0, 30.0, 30.0], [0.25, 0.5, 1.0]]),
]


@pytest.mark.parametrize(("function", "columns"), CASES)
def test_every_kind_of_array_comes_back_as_it_went_in(
    assert_same_on_kind: Callable[..., None], function: Callable[..., Any], columns: list[list[float]]
) -> None:
    assert_same_on_kind(function, columns)


def test_steinhardts_chinchilla_and_his_trade_of_utilization_for_speed() -> None:
    assert deployment.steinhardt2022(80.0, 0.4) == pytest.approx(1400.0)
    assert deployment.steinhardt2022(160.0, 0.4) == pytest.approx(700.0), "linear in depth"
    assert deployment.steinhardt2022(80.0, 0.4 / 3) == pytest.approx(9 * 1400.0), "q buys q^2"


def test_popes_palm_and_the_disagreement_the_post_points_out() -> None:
    """PaLM has about 1.5 times Chinchilla's layers, yet is far slower than Steinhardt's analysis suggests."""
    assert deployment.pope2022(118.0) == pytest.approx(34.0, abs=0.5)
    assert 118 / 80 == pytest.approx(1.5, abs=0.05)
    assert deployment.steinhardt2022(118.0, 0.4) / deployment.pope2022(118.0) > 20


def test_doubling_both_widths_on_four_times_the_chips_costs_the_square_root_of_two() -> None:
    narrow = deployment.communication_seconds_per_layer(64, 1, 73728, 18432, 64, 1e11)
    wide = deployment.communication_seconds_per_layer(64, 1, 2 * 73728, 2 * 18432, 4 * 64, 1e11)
    assert wide / narrow == pytest.approx(np.sqrt(2))
    assert deployment.pope2022(118.0, wide / narrow) == pytest.approx(deployment.pope2022(118.0) / np.sqrt(2))


def test_the_fitted_form_stops_growing_with_technique_after_its_years() -> None:
    speed = [deployment.fitted(100.0, 1e-3, year, 4.0, 1.0, 0.5, 0.3, 10.0) for year in (2024.0, 2034.0, 2060.0)]
    np.testing.assert_allclose(speed, np.exp([4.0, 7.0, 7.0]))


def test_the_fitted_form_contains_both_rivals_scalings() -> None:
    """With delta = 1 it is linear in depth; kappa = 2 is Steinhardt's trade, and Pope's two points give kappa = 1.4."""
    law = (2024.0, 4.0, 1.0, 0.5, 0.3, 10.0, 0.0)
    reference = deployment.fitted(100.0, 1e-3, *law)
    assert deployment.fitted(200.0, 1e-3, *law) == pytest.approx(reference / 2)
    assert deployment.fitted(100.0, 4e-3, *law) == pytest.approx(reference / 2), "b = 1/2"
    assert deployment.fitted(100.0, 1e-3, *law, 0.5, 2.0) == pytest.approx(4 * reference)
    kappa = np.log(34.0 / 10.7) / np.log(0.33 / 0.14)
    assert kappa == pytest.approx(1.4, abs=0.1)
    slow = deployment.fitted(100.0, 1e-3, *law, 0.33 / 0.14, kappa)
    assert reference / slow == pytest.approx(34.0 / 10.7)


def test_the_posts_half_a_million_streams() -> None:
    assert deployment.parallel_streams(2.24e7, 50.0) == pytest.approx(450_000, rel=0.01)


def test_counting_working_hours_only_is_worth_a_factor_five_in_serial_speed() -> None:
    rate = 20.0  # tokens per second while at work
    per_year = rate * 230 * 8 * 3600
    assert deployment.serial_speed(rate, per_year) == pytest.approx(365.25 * 24 / (230 * 8))
    assert deployment.serial_speed(rate, per_year) == pytest.approx(5, rel=0.05)


def test_streams_times_serial_speed_are_human_equivalents() -> None:
    streams = deployment.parallel_streams(3e8, 70.0)
    people = deployment.human_equivalents(3e8, 1.15e8)
    assert streams * deployment.serial_speed(70.0, 1.15e8) == pytest.approx(people)


def test_inference_growth_starts_where_the_need_is_met() -> None:
    gains = deployment.inference_growth_factor(np.array([28.0, 30.0, 34.0]), 30.0, 0.25)
    np.testing.assert_allclose(gains, [1.0, 1.0, 10.0])
