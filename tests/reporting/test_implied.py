"""Implied returns and sigma against closed forms and against a difference quotient of the production function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from forecast.equations import takeoff, trends
from forecast.fitting import sample_prior
from forecast.observations import load_observations
from forecast.priors import load_priors
from forecast.reporting.implied import IMPLIED, implied_table, implied_values, published
from forecast.runs import parameters_of


@pytest.fixture(scope="module")
def p() -> dict[str, Any]:
    priors = load_priors().replace(compute_share=0.25, infinite_labour_multiple=16.0, parallelization_exponent=0.5)
    return parameters_of(sample_prior(priors, load_observations(), draws=20))


def test_sigma_and_the_asymptotes_are_the_closed_forms(p: dict[str, Any]) -> None:
    found = implied_values(p, np.full(80, 2030.0))
    assert found.sizes == {"draw": 80}
    for name, expected in (
        ("sigma", 1.0 / 1.5),  # rho = ln s / ln A = -1/2
        ("infinite_labour_multiple", 16.0),
        ("infinite_compute_multiple", 0.75**-2),
        ("tenth_compute_multiple", (0.75 + 0.25 * 0.1 ** (0.5 * -0.5)) ** -2),
    ):
        np.testing.assert_allclose(found[name], expected, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(found["returns_on_labour_now"], 0.75 * p["returns"], rtol=1e-12)


def test_returns_at_automation_are_the_slope_of_output_in_labour(p: dict[str, Any]) -> None:
    year = np.where(np.arange(80) < 40, 2031.0, np.inf)
    found = implied_values(p, year)["returns_on_labour_at_automation"].values
    assert np.isnan(found[40:]).all()
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = takeoff.milestones(now, p)
    around = takeoff.surroundings(np.full(80, 2031.0), p)
    fleet_now = trends.log10_fleet(p["as_of_year"], p)
    then = takeoff.research(at.full, around, takeoff.deployed(at.full, around, at, p), at, fleet_now, p)
    ratio = then.log_labour - 0.5 * trends.log_leader_researchers(p["as_of_year"], p)
    compute = np.log(10.0) * (around.log10_fleet - fleet_now)
    higher, lower = (takeoff.log_output(ratio + step, compute, p) for step in (1e-4, -1e-4))
    np.testing.assert_allclose(found[:40], (p["returns"] * (higher - lower) / 2e-4)[:40], rtol=1e-6)


def test_the_published_figures_stand_beside_them(p: dict[str, Any]) -> None:
    table = implied_table(implied_values(p, np.full(80, np.inf))).set_index("Quantity")
    sigma = table.loc["Elasticity of substitution between cognitive labour and compute in research"]
    assert sigma["Implied median"] == "0.67"
    for figure in ("2.58 (", "-0.1 (", "0.67 (", "0.5 to 0.7 ("):
        assert figure in sigma["Published"]
    assert table.iloc[1]["Implied median"] == "unknown"  # no draw is automated
    assert set(published()) <= set(IMPLIED)
    assert all(
        entry["cite"] and entry["kind"] in ("estimate", "assumption") for rows in published().values() for entry in rows
    )
