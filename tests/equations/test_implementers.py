"""The four bounds of a draw: by hand on round numbers, and which way each parameter moves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from round_numbers import YEAR_SECONDS, round_parameters

from forecast.equations import implementers
from forecast.equations.speedup import smooth_minimum
from forecast.equations.takeoff import surroundings

THEN = 2027.0  # since 2025 compute x 10, the fleet x 10^1.5, people x 4, parameters x 10^0.5
ROUND: dict[str, Any] = {
    "paper_months": 6.0,
    "paper_work_hours": 1000.0,
    "working_day_hours": 8.0,
    "idea_time_share": 0.25,
    "idea_help": 2.0,
    "instructions_per_paper": 100.0,
    "code_latency_hours": 0.25,
    "run_latency_hours": 4.0,
    "run_instruction_share": 0.5,
    "projects_in_parallel": 4.0,
    "switching_cost_exponent": 0.5,
    "compute_saving": 3.0,
    "experiment_cost_exponent": 1.5,
    "tokens_per_paper": 1e8,
    "best_of_n": 4.0,
    "bound_sharpness": 8.0,
}


def parameters(**changes: Any) -> dict[str, Any]:
    """Round numbers, text without end, so that parameters grow as the square root of compute."""
    ours = {name: value for name, value in changes.items() if name in ROUND}
    theirs = {name: value for name, value in changes.items() if name not in ROUND}
    return round_parameters(**({"text_stock_tokens": 1e18} | theirs)) | ROUND | ours


def bounds(year: float = THEN, latency_hours: float | None = None, **changes: Any) -> implementers.Bounds:
    return implementers.bounds_at(year, parameters(**changes), latency_hours)


def test_ideas_and_answers_by_hand() -> None:
    """Eight times by ideas; 100 waits of (0.25 + 4)/2 hours, two projects' worth of attention."""
    assert bounds().ideas == pytest.approx(8.0)
    assert bounds().latency == pytest.approx(1000.0 * 2.0 / 212.5)


def test_a_run_overnight_costs_a_working_day() -> None:
    assert bounds(run_latency_hours=24.0).latency == pytest.approx(1000.0 * 2.0 / (12.5 + 400.0))


def test_a_run_waits_at_least_for_its_code() -> None:
    assert bounds(run_latency_hours=0.01).latency == bounds(run_latency_hours=0.25).latency == pytest.approx(80.0)


@pytest.mark.parametrize(("hours", "waited"), [(1.0 / 12.0, 1.0 / 12.0), (1.0, 1.0), (24.0, 8.0)])
def test_a_stated_latency_replaces_every_instructions(hours: float, waited: float) -> None:
    found = bounds(latency_hours=hours)
    assert found.latency == pytest.approx(1000.0 * 2.0 / (100.0 * waited))
    assert found._replace(latency=0.0) == bounds()._replace(latency=0.0)


@pytest.mark.parametrize(
    ("gamma", "per_head"), [(1.0, 10.0**1.0 / 4.0), (1.5, 10.0**0.75 / 4.0), (2.0, 10.0**0.5 / 4.0)]
)
def test_experiments_per_researcher_by_hand(gamma: float, per_head: float) -> None:
    p = parameters(experiment_cost_exponent=gamma)
    assert implementers.experiments_growth(THEN, p) == pytest.approx(per_head)
    assert implementers.bounds_at(THEN, p).compute == pytest.approx(3.0 * max(per_head, 1.0))


def test_today_compute_allows_what_implementers_save() -> None:
    assert implementers.experiments_growth(2025.0, parameters()) == 1.0
    assert bounds(2025.0).compute == 3.0


def test_tokens_by_hand() -> None:
    """A fleet of 1e24 FLOP/s at 0.2 on a model of 1e29 FLOP at ten tokens per data point; a quarter of it for R&D."""
    params = np.sqrt(1e29 / 1200.0)
    year = 0.25 * 1e24 * 0.2 / (2.0 * params) * YEAR_SECONDS
    assert bounds().tokens == pytest.approx(year / (4e8 * 32_000.0))


def test_research_gets_at_least_one_training_set_of_tokens_a_year() -> None:
    params = np.sqrt(1e29 / 1200.0)
    assert bounds(research_fleet_share=1e-9).tokens == pytest.approx(200.0 * params / (4e8 * 32_000.0))


def test_what_depends_on_software_changes_nothing() -> None:
    changed = bounds(software_doubling_months=3.0, required_horizon_minutes=10.0, log10_software_ceiling=8.0)
    assert changed == bounds()


RISING = ("idea_help", "projects_in_parallel", "compute_saving", "research_fleet_share", "paper_work_hours",
          "paper_months", "bound_sharpness", "fleet_growth", "inference_discount")  # fmt: skip
FALLING = ("idea_time_share", "instructions_per_paper", "code_latency_hours", "run_latency_hours",
           "run_instruction_share", "switching_cost_exponent", "experiment_cost_exponent", "tokens_per_paper",
           "best_of_n", "labour_growth", "leader_researchers", "working_day_hours")  # fmt: skip
SCATTERED = st.fixed_dictionaries(
    {
        "idea_time_share": st.floats(0.05, 0.8),
        "idea_help": st.floats(1.0, 6.0),
        "instructions_per_paper": st.floats(10.0, 600.0),
        "code_latency_hours": st.floats(0.05, 1.5),
        "run_latency_hours": st.floats(0.1, 60.0),
        "run_instruction_share": st.floats(0.05, 0.7),
        "projects_in_parallel": st.floats(1.0, 9.0),
        "compute_saving": st.floats(0.5, 30.0),
        "experiment_cost_exponent": st.floats(0.5, 2.0),
        "tokens_per_paper": st.floats(1e6, 1e11),
        "fleet_growth": st.floats(0.2, 1.0),
        "labour_growth": st.floats(0.1, 1.2),
        "research_fleet_share": st.floats(0.02, 0.5),
    }
)


def result(p: dict[str, Any]) -> float:
    return float(smooth_minimum(implementers.bounds_at(THEN, p), p["bound_sharpness"]))


@given(SCATTERED, st.sampled_from([*RISING, *FALLING]), st.floats(1.0, 1.4))
def test_every_parameter_moves_the_speed_up_the_way_it_should(
    point: dict[str, float], name: str, factor: float
) -> None:
    p = parameters(**point)
    here, there = result(p), result(p | {name: p[name] * factor})
    slack = 1e-9 * here
    assert there >= here - slack if name in RISING else there <= here + slack


@pytest.mark.parametrize("name", [*RISING, *FALLING])
def test_no_parameter_is_idle(name: str) -> None:
    """All four bounds matter; runs take a night, where the working day counts, or two, where the calendar does."""
    near = {"tokens_per_paper": 1e11, "fleet_growth": 0.5, "labour_growth": 0.1, "experiment_cost_exponent": 1.0}
    points = [parameters(run_latency_hours=hours, **near) for hours in (20.0, 48.0)]
    assert any(abs(result(p | {name: p[name] * 1.1}) / result(p) - 1.0) > 1e-6 for p in points)


@given(SCATTERED, st.floats(2025.0, 2040.0))
def test_bounds_are_positive_and_finite(point: dict[str, float], year: float) -> None:
    found = implementers.bounds_at(year, parameters(**point))
    assert all(0.0 < float(bound) < np.inf for bound in found)


def test_draws_and_single_numbers_agree() -> None:
    years = np.array([2025.0, 2026.5, 2029.0, 2040.0])
    savings = np.array([1.0, 2.0, 5.0, 20.0])
    together = implementers.bounds_at(years, parameters(compute_saving=savings))
    for k, (year, saving) in enumerate(zip(years, savings, strict=True)):
        alone = implementers.bounds_at(float(year), parameters(compute_saving=float(saving)))
        for name, value in alone._asdict().items():
            found = np.broadcast_to(getattr(together, name), years.shape)[k]
            assert found == pytest.approx(float(value), rel=1e-12), name


def test_text_that_runs_out_makes_models_grow_with_compute_and_experiments_dearer() -> None:
    """At D_max tokens parameters go as C, not as its root: a fine-tuning on fixed tokens then costs as much as a run."""
    p = parameters(text_stock_tokens=1e13, experiment_cost_exponent=1.0)
    around = surroundings(np.array([2025.0, THEN]), p)
    flop, fleet = (10.0 ** (x[1] - x[0]) for x in (around.log10_training_flop, around.log10_fleet))
    assert implementers.experiments_growth(THEN, p) == pytest.approx(fleet / flop / 4.0)
    assert implementers.experiments_growth(THEN, parameters(experiment_cost_exponent=2.0)) == pytest.approx(
        fleet / flop / 4.0
    )
