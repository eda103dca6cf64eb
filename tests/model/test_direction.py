"""Every block feeds a headline: its main prior moves the answer in the direction that the science states.

Each case holds one parameter low and high and leaves all other draws of the prior as they are (same seed), so that the
comparison is draw by draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.dynamics import takeoff
from forecast.fitting import sample_prior
from forecast.observations import load_observations
from forecast.priors import load_priors
from forecast.projection import project
from forecast.schema import BLOCKS, EVENTS, PARAMETERS, READOUTS, YEARLY

UP, DOWN, SAME = 1, -1, 0
YEAR = 2032
SECOND_ORDER = 0.15  # share of draws in which a detour through the rest of the model may turn the direction round


@dataclass(frozen=True)
class Case:
    """What happens to some outputs when a parameter goes from `low` to `high`."""

    name: str
    low: float
    high: float
    moves: dict[str, int]
    why: str


CASES = [
    Case("depth_exponent", 0.15, 0.35, {"layers": UP, "stream_tokens_per_second": DOWN, "log10_parallel_streams": UP,
         "log10_fleet_tokens_per_second": SAME, "log10_streams_at_automation": UP},
         "deeper models run slower streams, so the same tokens are more of them"),
    Case("reference_layers", 60.0, 120.0, {"stream_tokens_per_second": DOWN, "log10_parallel_streams": UP,
         "log10_streams_at_automation": UP}, "as above"),
    Case("deployment_utilization_2023", 0.1, 0.3, {"log10_fleet_tokens_per_second": UP, "log10_human_equivalents": UP,
         "stream_tokens_per_second": DOWN, "log10_human_equivalents_at_automation": UP},
         "more of the peak is more tokens, in larger and slower batches"),
    Case("training_utilization_2023", 0.2, 0.6, {"training_utilization": UP, "log10_training_flop": UP,
         "log10_training_cluster_tokens_per_second": DOWN}, "a cluster that trains better is smaller for the same run"),
    Case("overtraining_factor", 5.0, 100.0, {"tokens_per_param": UP, "log10_params": DOWN,
         "log10_fleet_tokens_per_second": UP, "log10_human_equivalents": UP},
         "smaller models trained on more tokens are cheaper to run"),
    Case("log10_tokens_per_datapoint", 0.01, 2.0, {"log10_params": DOWN, "log10_fleet_tokens_per_second": UP,
         "log10_streams_at_automation": UP}, "long tasks leave compute for a smaller model only"),
    Case("software_doubling_months", 6.0, 14.0, {"log10_software": DOWN, "automated_share": DOWN, "year_100": UP},
         "slower algorithms reach the requirement later"),
    Case("fleet_growth", 0.35, 0.7, {"log10_fleet_flop_per_second": UP, "log10_parallel_streams": UP,
         "log10_human_equivalents": UP}, "a larger fleet runs more AIs"),
    Case("largest_fleet_share", 0.15, 0.45, {"log10_fleet_flop_per_second": UP,
         "log10_world_flop_per_second": SAME}, "the world's compute bounds the fleet"),
    Case("training_compute_growth", 0.4, 0.8, {"log10_training_flop": UP, "year_100": DOWN,
         "log10_parallel_streams": DOWN}, "a larger run is more capable, and its model dearer to run"),
    Case("tokens_per_researcher_year", 2e7, 5e8, {"log10_human_equivalents": DOWN, "serial_speed": DOWN,
         "log10_parallel_streams": SAME, "log10_human_equivalents_at_automation": DOWN},
         "a researcher worth more tokens is matched by fewer AIs"),
    Case("inference_discount", 0.7, 2.0, {"log10_parallel_streams": UP, "stream_tokens_per_second": SAME,
         "log10_streams_at_automation": UP}, "cheaper inference buys more streams"),
    Case("log_stream_speed_2024", 3.0, 5.0, {"stream_tokens_per_second": UP, "log10_parallel_streams": DOWN,
         "serial_speed": UP, "log10_human_equivalents": SAME}, "faster streams are fewer"),
    Case("horizon_doublings_per_oom", 1.4, 2.8, {"log10_task_horizon": UP, "automated_share": UP, "year_100": DOWN},
         "a steeper horizon meets the requirement at less compute"),
    Case("log2_horizon_at_centre", 4.0, 7.0, {"log10_task_horizon": UP, "year_100": DOWN}, "as above"),
    Case("returns", 0.5, 2.0, {"first_year_gain": UP, "best_year_gain": UP, "years_to_3_oom": DOWN},
         "ideas that get harder slowly let software run away"),
    Case("research_fleet_share", 0.05, 0.6, {"largest_speedup": UP, "year_100": DOWN}, "more AI researchers"),
    Case("latency_ceiling", 8.0, 100.0, {"year_100": DOWN},
         "people who have the ideas wait less"),
    Case("compute_share", 0.6, 0.74, {"first_year_gain": DOWN}, "labour counts less"),
    Case("infinite_labour_multiple", 3.0, 60.0, {"first_year_gain": UP},
         "labour stands in for compute"),
    Case("mismatch_penalty", 0.05, 0.4, {"year_100": UP}, "practice lags"),
    Case("required_horizon_minutes", 1e5, 1e7, {"year_20": UP, "year_100": UP, "automated_share": DOWN},
         "more is needed"),
    Case("research_gap", 0.3, 2.0, {"year_20": UP, "year_100": UP}, "more is needed"),
    Case("automation_gap", 2.0, 6.0, {"year_20": DOWN, "takeoff_years": UP}, "the way from 20% is longer"),
    Case("taste_slope", 0.1, 1.0, {"first_year_gain": UP, "largest_speedup": UP},
         "better models choose better experiments"),
    Case("log10_software_ceiling", 9.0, 23.0, {"best_year_gain": UP}, "more room to improve"),
]  # fmt: skip
BY_NAME = {case.name: case for case in CASES}


@cache
def outputs(name: str, value: float) -> xr.Dataset:
    """All outputs of 120 draws of the prior with one parameter held, without feedback where they are by year."""
    priors, observations = load_priors(), load_observations()
    run = sample_prior(priors.replace(**{name: value}), observations, draws=60, chains=2, random_seed=2)
    needed = BY_NAME[name].moves.keys()
    found = project(run, years=[YEAR]).sel(year=YEAR, drop=True) if needed & YEARLY.keys() else xr.Dataset()
    if needed & READOUTS.keys():
        found = found.merge(takeoff(run, scenario="baseline"))
    return found.sel(scenario="baseline", drop=True)


def change(low: Any, high: Any) -> Any:
    """Differences of draws in which the output exists both times; from or to never is infinite, never twice is 0."""
    a, b = np.ravel(low), np.ravel(high)
    kept = ~(np.isnan(a) | np.isnan(b))
    both_never = np.isposinf(a[kept]) & np.isposinf(b[kept])
    with np.errstate(invalid="ignore"):
        return np.where(both_never, 0.0, b[kept] - a[kept])


def answer(values: Any) -> float:
    """The median over the draws in which it exists."""
    return float(np.median(np.ravel(values)[~np.isnan(np.ravel(values))]))


def early(values: Any) -> float:
    """The year by which it has come in a quarter of the draws."""
    return float(np.quantile(values, 0.25, method="lower"))


@pytest.mark.parametrize(("name", "output"), [(case.name, output) for case in CASES for output in case.moves])
def test_the_answer_moves_in_the_stated_direction(name: str, output: str) -> None:
    case = BY_NAME[name]
    moved = change(outputs(name, case.low)[output], outputs(name, case.high)[output])
    assert moved.size > 20
    direction = case.moves[output]
    if direction == SAME:
        assert np.abs(moved).max() < 1e-9, case.why
        return
    along, against = (float(np.mean(sign * direction * moved > 1e-9)) for sign in (1, -1))
    assert along > 0.15, case.why
    assert against < min(SECOND_ORDER, along / 3.0), case.why


HEADLINE_OF = {
    "log10_parallel_streams": answer,
    "log10_human_equivalents": answer,
    "log10_streams_at_automation": answer,
    "log10_human_equivalents_at_automation": answer,
    "first_year_gain": answer,
    "year_100": early,
}
HEADLINES = [
    (case.name, name) for case in CASES for name in case.moves if name in HEADLINE_OF and case.moves[name] != SAME
]


@pytest.mark.parametrize(("name", "output"), HEADLINES)
def test_the_headline_moves_with_it(name: str, output: str) -> None:
    case, say = BY_NAME[name], HEADLINE_OF[output]
    before, after = (say(outputs(name, value)[output]) for value in (case.low, case.high))
    assert case.moves[output] * (after - before) > 0.01, f"{before:.4g} -> {after:.4g}: {case.why}"


def test_every_block_has_a_case_that_moves_a_headline() -> None:
    moving = {name for name, _ in HEADLINES}
    for block in BLOCKS:
        assert moving & PARAMETERS[block].keys(), block
    known = YEARLY.keys() | READOUTS.keys() | EVENTS.keys()
    assert all(case.moves.keys() <= known for case in CASES)
