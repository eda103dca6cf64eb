"""Every driver of the further answers moves its outputs the way that the science states, draw by draw.

One parameter is multiplied in all draws of the prior and the rest left as they are, so that the noise is common. What
moves the take-off itself is in ``tests/model/test_direction.py``; single formulas have directions in their own tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.dynamics import all_scenarios
from forecast.dynamics.forms import READOUTS_OF
from forecast.equations import organisations as equations
from forecast.research import hardware, implementers
from forecast.research.organisations import (
    AUTOMATED,
    HUMAN_IDEAS,
    NORMAL,
    SLOW,
    h100_flop_per_second,
    one_organisation,
    shipped_organisations,
)
from forecast.scenarios import Scenario, load_scenario
from forecast.side_draws import parameters_with

UP, DOWN, SAME = 1, -1, 0
END = 2046.0
MONTHS = (3, 12, 24)
Draws = dict[str, Any]
Outputs = Mapping[str, Any]


def organisations(p: Draws) -> Outputs:
    """Read-outs by organisation and practice; AutomatedCorp has a variant in which people have the ideas."""
    q = p | {"h100_flop_per_second": h100_flop_per_second()}
    known = shipped_organisations(q)
    normal, found = known[NORMAL], {}
    for short, name in (("slow", SLOW), ("automated", AUTOMATED), ("people", HUMAN_IDEAS)):
        for practice in ("dropped_in", "evolved"):
            own, base = (equations.frictions(one, normal, practice, q) for one in (known[name], normal))
            cells = one_organisation(known[name], own, normal, base, q)
            found |= {f"{short} {practice} {cell.removeprefix('log10_')}": value for cell, value in cells.items()}
    return found


def speedup(p: Draws) -> Outputs:
    """With compute, models and staff of 2032.0."""
    return implementers.speedup_values(np.full(p["returns"].size, 2032.0), p)


def leap(p: Draws) -> Outputs:
    """Read-outs of the leap from each draw's full automation on, by month."""
    found = hardware.gains(p, None, MONTHS, END, "exponential")
    wide = {f"{name} {m}": x[:, k] for name, x in found.items() if x.ndim == 2 for k, m in enumerate(MONTHS)}
    return wide | {name: x for name, x in found.items() if x.ndim == 1}


def leaping(p: Draws) -> Outputs:
    """The take-off with a leap by ``p["leap_factor"]``."""
    item = Scenario("leap", "", "leap", float(p["leap_factor"][0]))
    return {name: x for (_, name), x in all_scenarios(p, [item], list(range(2026, 2046)), series=False).items()}


def superexponential(p: Draws) -> Outputs:
    found = all_scenarios(p, [load_scenario("baseline")], list(range(2026, 2046)), "superexponential", series=False)
    return {name: x for (_, name), x in found.items()}


def exponential(p: Draws) -> Outputs:
    found = all_scenarios(p, [load_scenario("baseline")], list(range(2026, 2046)), series=False)
    return {name: x for (_, name), x in found.items()}


def form(name: str, published: bool) -> Callable[[Draws], Outputs]:
    return lambda p: READOUTS_OF[name](p, published, END)


DRIVERS: dict[str, Callable[[Draws], Outputs]] = {
    "organisations": organisations,
    "speedup": speedup,
    "leap": leap,
    "take-off with a leap": leaping,
    "superexponential": superexponential,
    "exponential": exponential,
    "davidson_houlden2025": form("davidson_houlden2025", False),
    "davidson_houlden2025 as published": form("davidson_houlden2025", True),
    "ai2027": form("ai2027", False),
    "ai2027 as published": form("ai2027", True),
    "kwa2026": form("kwa2026", False),
    "kwa2026 as published": form("kwa2026", True),
}


@dataclass(frozen=True)
class Case:
    """What happens to some outputs of a driver when a parameter is multiplied by `factor`.

    `few` is the share of draws that may go the other way, `many` the least that must go this way.
    """

    driver: str
    name: str
    factor: float
    moves: dict[str, int]
    why: str
    few: float = 0.0
    many: float = 0.1


COMPLEMENTS = "inputs that replace each other better make more of those that an organisation has much of"
NO_PRACTICE = {"slow evolved practice_factor": SAME, "automated evolved practice_factor": SAME}
BOUNDS_OF_PEOPLE = {"log10_speedup_fully_automated": SAME, "log10_compute_bound": SAME, "log10_tokens_bound": SAME}
WAITING = {"log10_latency_bound": DOWN, "log10_speedup": DOWN} | BOUNDS_OF_PEOPLE
DEARER = {"log10_tokens_bound": DOWN, "log10_speedup": DOWN, "log10_speedup_fully_automated": DOWN,
          "log10_latency_bound": SAME}  # fmt: skip
LARGER = {f"{name} {m}": UP for name in ("log10_fleet_multiple", "hardware_gain") for m in MONTHS}
SOFTWARE_SAME = {f"software_gain {m}": SAME for m in MONTHS}
SMALLER = dict.fromkeys(LARGER, DOWN)
FASTER = {"first_year_gain": UP, "years_to_3_oom": DOWN, "year_100": SAME, "year_20": SAME}
SLOWER = {"first_year_gain": DOWN, "years_to_3_oom": UP, "year_100": SAME}
GAINS = {"best_year_gain": UP, "best_year_gain_human_years": UP}
LOSES = {"best_year_gain": DOWN, "best_year_gain_human_years": DOWN}
SOONER = {"best_year_gain": UP, "year_99": DOWN}
DH, AI, KWA = "davidson_houlden2025 as published", "ai2027 as published", "kwa2026 as published"

CASES = [
    Case("organisations", "infinite_labour_multiple", 2.0, {"automated evolved research": UP}, COMPLEMENTS, few=0.02),
    Case("organisations", "infinite_labour_multiple", 2.0, {"slow evolved research": UP, "slow dropped_in research": UP},
         COMPLEMENTS, many=0.95),
    Case("organisations", "parallelization_exponent", 1.2, {"automated evolved research": UP}, "fifty times the people "
         "are worth more where they work in parallel better", few=0.02, many=0.9),
    Case("organisations", "latency_ceiling", 2.0, {"people evolved progress": UP, "people dropped_in progress": UP,
         "automated evolved progress": SAME, "slow evolved progress": SAME}, "who has the ideas waits", many=0.95),
    Case("organisations", "adaptation_rate", 2.0, {"slow dropped_in practice_factor": UP,
         "automated dropped_in practice_factor": UP} | NO_PRACTICE, "practice catches up sooner", many=0.95),
    Case("organisations", "mismatch_penalty", 2.0, {"slow dropped_in practice_factor": DOWN,
         "automated dropped_in practice_factor": DOWN, "slow dropped_in progress": DOWN, "slow evolved progress": SAME}
         | NO_PRACTICE, "practice that does not fit costs more", many=0.95),
    Case("organisations", "experiment_days", 2.0, {"slow dropped_in fitting_share": DOWN, "slow dropped_in progress": DOWN,
         "automated dropped_in fitting_share": DOWN}, "longer experiments do not end in a week", few=0.02, many=0.95),
    Case("organisations", "training_days", 0.02, {"slow dropped_in fitting_share": UP, "slow dropped_in progress": UP},
         "a run of days ends in a week", few=0.1, many=0.5),
    Case("organisations", "slow_quality", 1.2, {"slow dropped_in progress": UP, "slow evolved progress": UP,
         "automated evolved progress": SAME}, "better researchers do more", many=1.0),

    Case("speedup", "idea_time_share", 0.8, {"log10_ideas_bound": UP, "log10_speedup": UP,
         "log10_latency_bound": SAME} | BOUNDS_OF_PEOPLE, "less is left to people"),
    Case("speedup", "idea_help", 1.3, {"log10_ideas_bound": UP, "log10_speedup": UP} | BOUNDS_OF_PEOPLE, "as above"),
    Case("speedup", "instructions_per_paper", 1.5, WAITING, "more rounds of waiting"),
    Case("speedup", "code_latency_hours", 2.0, WAITING, "longer waits"),
    Case("speedup", "run_latency_hours", 2.0, WAITING, "longer waits"),
    Case("speedup", "run_instruction_share", 1.1, WAITING, "more of the longer waits"),
    Case("speedup", "switching_cost_exponent", 1.5, WAITING, "attention is lost"),
    Case("speedup", "projects_in_parallel", 1.5, {"log10_latency_bound": UP, "log10_speedup": UP,
         "log10_ideas_bound": SAME} | BOUNDS_OF_PEOPLE, "waits overlap"),
    Case("speedup", "compute_saving", 1.5, {"log10_compute_bound": UP, "log10_speedup": UP,
         "log10_speedup_fully_automated": UP, "log10_tokens_bound": SAME}, "experiments are cheaper"),
    Case("speedup", "tokens_per_paper", 10.0, DEARER, "a paper takes more tokens"),
    Case("speedup", "best_of_n", 10.0, DEARER, "as above"),

    Case("leap", "leap_factor", 0.1, SMALLER | SOFTWARE_SAME | {"months_until_factor": DOWN,
         "log10_system_cost_usd": DOWN, "factor_within_a_year": UP}, "a smaller leap is had sooner"),
    Case("leap", "leap_finance_usd", 0.1, SMALLER | SOFTWARE_SAME | {"months_until_factor": UP,
         "log10_system_cost_usd": DOWN, "log10_run_cost_usd": DOWN}, "less can be paid for"),
    Case("leap", "leap_present_system_usd", 4.0, SMALLER | SOFTWARE_SAME | {"months_until_factor": UP},
         "the same money buys a smaller multiple of a dearer system"),
    Case("leap", "leap_build_months", 2.0, {"log10_fleet_multiple 3": SAME, "hardware_gain 3": SAME,
         "log10_fleet_multiple 24": DOWN, "hardware_gain 24": DOWN, "months_until_factor": UP} | SOFTWARE_SAME,
         "until a system is built there is the pool alone"),
    Case("leap", "leap_pool", 1.3, LARGER | SOFTWARE_SAME | {"months_until_factor": DOWN, "log10_system_cost_usd": SAME},
         "more of the world's chips can be had at once"),
    Case("leap", "leap_system_cost_ratio", 2.0, {"log10_run_cost_usd": DOWN, "log10_system_cost_usd": SAME,
         "log10_fleet_multiple 24": SAME}, "a run is a smaller part of its system", many=0.4),
    Case("take-off with a leap", "leap_factor", 0.1, SLOWER, "less hardware", few=0.03),
    Case("take-off with a leap", "leap_finance_usd", 0.1, SLOWER, "less can be paid for", few=0.03),
    Case("take-off with a leap", "leap_present_system_usd", 4.0, SLOWER, "as above", few=0.03),
    Case("take-off with a leap", "leap_build_months", 2.0, SLOWER, "it comes later", few=0.06),
    Case("take-off with a leap", "leap_pool", 1.3, FASTER, "it comes at once", few=0.02),

    Case("superexponential", "horizon_doubling_factor", 0.95, {"year_100": DOWN, "year_20": DOWN},
         "each doubling of the horizon takes less", many=0.5),
    Case("exponential", "horizon_doubling_factor", 0.95, {"year_100": SAME, "first_year_gain": SAME}, "it has no part"),

    Case(DH, "davidson_houlden_initial_speedup", 1.3, GAINS | {"compression_3_years": UP}, "a faster start", many=0.02),
    Case(DH, "davidson_houlden_returns", 1.2, GAINS | {"compression_3_years": UP, "compression_10_years": UP},
         "ideas get harder more slowly", many=0.02),
    Case(DH, "davidson_houlden_limit_years", 1.2, GAINS | {"compression_10_years": UP}, "the limit is further", many=0.02),
    Case(DH, "davidson_houlden_horizon_months", 0.2, LOSES | {"compression_3_years": DOWN}, "it stops sooner", many=0.05),
    Case(DH, "davidson_houlden_doubling_months", 1.3, {"best_year_gain": DOWN, "compression_3_years": DOWN},
         "software was slower before", many=0.01),
    Case("davidson_houlden2025", "davidson_houlden_initial_speedup", 1.3, GAINS, "a faster start", many=0.9),
    Case("davidson_houlden2025", "compute_share", 0.9, GAINS, "r is on labour: returns times its share", many=0.9),

    *[Case(AI, f"ai2027_{before}_speed", 2.0, {f"days_to_{stage}": DOWN, "human_only_years": SAME}, "faster", many=1.0)
      for before, stage in (("coder", "researcher"), ("researcher", "researcher"), ("researcher", "superhuman"),
                            ("superhuman", "superhuman"), ("superhuman", "superintelligence"),
                            ("superintelligence", "superintelligence"))],
    *[Case(AI, f"ai2027_{stage}_gap_years", 10.0, {f"days_to_{stage}": UP, "human_only_years": UP} | GAINS,
           "more progress to make, and in the best year more is made", many=1.0)
      for stage in ("researcher", "superhuman", "superintelligence")],
    Case("ai2027", "ai2027_superintelligence_gap_years", 10.0, GAINS | {"human_only_years": UP},
         "as published, up to the draw's ceiling", many=0.03),

    Case(KWA, "kwa_labour_share", 1.1, {"best_year_gain_human_years": UP}, "automation works through labour", many=0.95),
    Case(KWA, "kwa_scale_exponent", 1.1, SOONER | {"takeoff_years": DOWN}, "inputs do more", many=0.95),
    Case(KWA, "kwa_difficulty_exponent", 1.2, {"best_year_gain": DOWN, "year_99": UP, "takeoff_years": UP},
         "ideas get harder faster", many=0.95),
    *[Case(driver, "kwa_automated_share_2026", 1.2, SOONER, "it starts further on", many=0.95)
      for driver in (KWA, "kwa2026")],
    *[Case(driver, "kwa_inverse_slope", 0.8, SOONER | {"takeoff_years": DOWN}, "compute automates more", many=0.95)
      for driver in (KWA, "kwa2026")],
    *[Case("kwa2026", f"kwa_{what}_growth", 1.2, SOONER, "more of an input", many=0.9) for what in ("compute", "labour")],
    Case(KWA, "kwa_software_growth_2026", 1.2, SOONER, "software is faster to begin with", many=0.95),
]  # fmt: skip


@pytest.fixture(scope="module")
def answer(prior_run: xr.DataTree) -> Callable[..., Outputs]:
    """All outputs of a driver with one parameter multiplied, each computed once."""
    sides = ("organisations", "speedup", "hardware_leap", "rival_forms")
    p = parameters_with(prior_run, *sides) | {"leap_factor": np.full(300, 100.0)}

    @cache
    def outputs(driver: str, name: str = "returns", factor: float = 1.0) -> Outputs:
        return DRIVERS[driver](p | {name: factor * p[name]})

    return outputs


def change(low: Any, high: Any) -> Any:
    """Differences of draws; from or to never is infinite, never twice or not defined is 0."""
    a, b = (np.asarray(x, dtype=float) for x in (low, high))
    alike = (np.isposinf(a) & np.isposinf(b)) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        return np.where(alike, 0.0, b - a)


TABLE = [(case, output) for case in CASES for output in case.moves]


@pytest.mark.parametrize(("case", "output"), TABLE, ids=[f"{c.driver}-{c.name}-{output}" for c, output in TABLE])
def test_the_answer_moves_in_the_stated_direction(answer: Callable[..., Outputs], case: Case, output: str) -> None:
    moved = np.atleast_1d(change(answer(case.driver)[output], answer(case.driver, case.name, case.factor)[output]))
    assert not np.isnan(moved).any()
    direction = case.moves[output]
    if direction == SAME:
        assert np.abs(moved).max() < 1e-9, case.why
        return
    along, against = (float(np.mean(sign * direction * moved > 1e-9)) for sign in (1, -1))
    assert against <= case.few, case.why
    assert along >= case.many, case.why


def test_returns_to_parallel_labour_slow_a_take_off_down_where_ideas_get_harder_fast(
    answer: Callable[..., Outputs], prior_run: xr.DataTree
) -> None:
    """A doubling takes 2^(p (1/r - 1)) times the one before: at r below 1 a larger p makes every one of them longer."""
    harder = parameters_with(prior_run, "rival_forms")["davidson_houlden_returns"] <= 1.0
    assert 0.2 < harder.mean() < 0.8
    more = answer(DH, "davidson_houlden_parallel_exponent", 1.2)["best_year_gain"]
    moved = change(answer(DH)["best_year_gain"], more)
    assert (moved[harder] < 0.0).all() and (moved[~harder] > 0.0).any()


def test_every_driver_has_a_case() -> None:
    assert {case.driver for case in CASES} == set(DRIVERS)
