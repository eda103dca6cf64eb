"""Published values of MODEL section 3 against the posterior: the median within a stated tolerance, the interval no wider
than 1.5 times the published one where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

from forecast.equations import trends
from forecast.equations.sample_efficiency import surface_constants
from forecast.runs import parameters_of


@dataclass(frozen=True)
class Published:
    """A figure, where it comes from, how close the median must be, and the width of its 90% interval if it has one."""

    name: str
    source: str
    value: float
    tolerance: float
    width: float | None
    posterior: Callable[[dict], np.ndarray]


def named(name: str) -> Callable[[dict], np.ndarray]:
    return lambda p: p[name]


def loss_constants(index: int) -> Callable[[dict], np.ndarray]:
    def posterior(p: dict) -> np.ndarray:
        surface = trends.loss_surface_arguments(p)
        return surface_constants(p["loss_at_centre"], p["loss_shares"][:, 0], **surface)[index]

    return posterior


def horizon_doubling_days(p: dict) -> np.ndarray:
    """Days in which the task horizon doubles, from 2023 to the last measured model."""
    years = 2023.2, 2025.95
    first, last = (trends.effective_flop_on_trend(year, p) for year in years)
    return 365.25 * (years[1] - years[0]) / (p["horizon_doublings_per_oom"] * (last - first))


SD = 3.29  # a 90% interval is this many standard errors wide
CASES = [
    Published("depth exponent", "first fits", 0.268, 0.018, SD * 0.009, named("depth_exponent")),
    Published("training utilization 2023", "first fits", 0.37, 0.03, None, named("training_utilization_2023")),
    Published(
        "trend of training utilization", "first fits", 0.05, 0.06, SD * 0.06, named("training_utilization_trend")
    ),
    Published("irreducible loss", "Besiroglu et al. 2024", 1.8172, 0.06, SD * 0.03, loss_constants(0)),
    Published("exponent of params", "Besiroglu et al. 2024", 0.3478, 0.04, SD * 0.02, named("loss_params_exponent")),
    Published("exponent of tokens", "Besiroglu et al. 2024", 0.3658, 0.04, SD * 0.02, named("loss_tokens_exponent")),
    Published("growth of training compute", "first fits", 0.67, 0.08, SD * 0.04, named("training_compute_growth")),
    Published("growth of the fleet", "first fits", 0.54, 0.16, SD * 0.08, named("fleet_growth")),
    Published(
        "growth of world compute",
        "Epoch AI 2026-01: 3.3x (2.7..4.1)",
        np.log10(3.3),
        0.08,
        np.log10(4.1 / 2.7),
        named("world_compute_growth"),
    ),
    Published("doublings per OOM", "first fits", 2.5, 0.6, SD * 0.3, named("horizon_doublings_per_oom")),
    Published("run length", "first fits", 55.0, 8.0, None, named("training_days")),
    Published("scatter of run length", "first fits", 0.7, 0.15, None, named("training_days_scatter")),
    Published("doubling of the task horizon", "METR 1.1 since 2023", 128.7, 26.0, 157.3 - 105.3, horizon_doubling_days),
    Published("doubling of software", "Ho et al. 2024", 8.0, 2.0, 14.0 - 5.0, named("software_doubling_months")),
    Published("growth of price-performance", "Epoch AI", 0.14, 0.05, None, named("price_performance_growth")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_posterior_agrees_with_what_is_published(case: Published, run: xr.DataTree) -> None:
    low, median, high = np.quantile(case.posterior(parameters_of(run)), [0.05, 0.5, 0.95])
    assert abs(median - case.value) <= case.tolerance, f"{case.name}: {median:.4g} against {case.value} ({case.source})"
    if case.width is not None:
        assert high - low <= 1.5 * case.width, f"{case.name}: 90% interval {low:.4g}..{high:.4g}"


def test_the_record_run_of_today(run: xr.DataTree) -> None:
    """MODEL's first fit, 10^27.2 FLOP at 2026.9, is of the top 3; the record lies above it by the fitted offset."""
    p = parameters_of(run)
    line = p["log10_training_flop_2024"] + p["training_compute_growth"] * 2.9
    assert np.median(line) < 27.2 < np.median(line + p["record_offset"])
