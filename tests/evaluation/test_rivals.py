"""The naive rivals against least squares of NumPy, and their scores against integrals of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from forecast.evaluation.rivals import Naive, crps, last_value, log_score, pit, straight_line

YEARS = np.array([2019.0, 2020.0, 2020.5, 2021.2, 2022.0, 2023.1])
VALUES = np.array([1.0, 1.4, 1.9, 2.0, 2.9, 3.1])
LATER = np.array([2024.0, 2026.0])


@pytest.mark.parametrize("nu", [2.0, 5.0, 40.0, np.inf])
@pytest.mark.parametrize("observed", [-3.0, 0.0, 0.7, 6.0])
def test_the_crps_is_the_integral_of_its_definition(nu: float, observed: float) -> None:
    """Integral of (F(x) - 1[x >= y])^2, which is what the score is (Matheson & Winkler 1976)."""
    mean, spread = 0.5, 1.7
    known = stats.norm(mean, spread) if np.isinf(nu) else stats.t(nu, mean, spread)
    edges = [-np.inf, observed, np.inf]
    below = integrate.quad(lambda x: known.cdf(x) ** 2, *edges[:2], limit=200)[0]
    above = integrate.quad(lambda x: known.sf(x) ** 2, *edges[1:], limit=200)[0]
    rival = Naive(np.array([mean]), np.array([spread]), nu)
    assert crps(rival, np.array([observed]))[0] == pytest.approx(below + above, rel=1e-6)
    assert pit(rival, np.array([observed]))[0] == pytest.approx(known.cdf(observed))
    assert log_score(rival, np.array([observed]))[0] == pytest.approx(known.logpdf(observed))


def test_the_line_is_least_squares_with_its_prediction_interval() -> None:
    slope, start = np.polyfit(YEARS, VALUES, 1)
    left = VALUES - start - slope * YEARS
    design = np.column_stack([np.ones_like(YEARS), YEARS])
    scatter = np.sqrt(left @ left / 4.0)
    new = np.column_stack([np.ones_like(LATER), LATER])
    spread = scatter * np.sqrt(1.0 + np.einsum("ij,jk,ik->i", new, np.linalg.inv(design.T @ design), new))
    line = straight_line(YEARS, VALUES, LATER)
    assert line is not None
    np.testing.assert_allclose(line.mean, start + slope * LATER, rtol=1e-9)
    np.testing.assert_allclose(line.spread, spread, rtol=1e-5)
    assert line.nu == 4.0


def test_the_line_is_calibrated_on_lines() -> None:
    """Truths on a line with normal scatter fall inside 90% of its intervals 90% of the time: exact for every n."""
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(2000):
        values = 3.0 + 0.5 * (YEARS - 2020.0) + 0.3 * rng.standard_normal(YEARS.size)
        truth = 3.0 + 0.5 * (LATER - 2020.0) + 0.3 * rng.standard_normal(2)
        line = straight_line(YEARS, values, LATER)
        assert line is not None
        inside.append(np.abs(pit(line, truth) - 0.5) < 0.45)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.02)


def test_the_last_value_stays_and_strays_as_far_as_it_used_to() -> None:
    last = last_value(YEARS, VALUES, LATER)
    assert last is not None
    assert last.mean.tolist() == [3.1, 3.1]
    np.testing.assert_allclose(last.spread, np.sqrt(np.mean(np.diff(VALUES) ** 2)))


def test_rows_of_one_date_count_once() -> None:
    years = np.array([2020.0, 2021.0, 2022.0, 2023.0, 2023.0, 2023.0])
    last = last_value(years, np.array([0.0, 1.0, 2.0, 2.5, 3.0, 9.0]), LATER)
    assert last is not None
    assert last.mean[0] == 3.0, "the median of the latest day"
    np.testing.assert_allclose(last.spread, 1.0)


@pytest.mark.parametrize("rival", [last_value, straight_line])
def test_a_rival_with_too_little_to_go_on_says_so(rival) -> None:
    assert rival(YEARS[:3], VALUES[:3], LATER) is None
    assert rival(np.full(6, 2020.0), VALUES, LATER) is None
    assert rival(YEARS, np.ones(6), LATER) is None, "no scatter, no distribution"
