"""The four bounds of `equations.speedup` at one moment, from the parameters of each draw.

``p`` maps the names of ``forecast.schema``, the side block `speedup` included, to values; ``year`` is a decimal year.
AIs that can implement are taken as given. What depends on the moment is compute, model size and staff, none of which
depends on software, so that the bounds are the same with feedback and without. Source: MODEL section 4, `speedup`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.equations import speedup, trends
from forecast.equations._smooth import Array
from forecast.equations.takeoff import Surroundings, running, surroundings
from forecast.equations.trends import LN6, LN10, Parameters
from forecast.schema import JULIAN_YEAR_SECONDS


class Bounds(NamedTuple):
    """Speed-up over people alone if only ideas, only answers, only compute for experiments or only tokens limited it."""

    ideas: Array
    latency: Array
    compute: Array
    tokens: Array


def bounds_at(year: Array, p: Parameters, latency_hours: Array | None = None) -> Bounds:
    """All four bounds at a decimal year, `as_of` or later.

    `latency_hours`, calendar hours, replaces the latency of every instruction.
    """
    around = surroundings(year, p)
    return Bounds(
        ideas=speedup.ideas_bound(p["idea_time_share"], p["idea_help"]),
        latency=latency_bound_of_draw(p, latency_hours),
        compute=speedup.compute_bound(p["compute_saving"], experiments_growth(year, p)),
        tokens=speedup.tokens_bound(
            research_tokens_per_year(around, p),
            p["tokens_per_paper"],
            p["best_of_n"],
            np.exp(around.log_researchers),
            p["paper_months"],
        ),
    )


def latency_bound_of_draw(p: Parameters, latency_hours: Array | None = None) -> Array:
    """Latency bound of instructions of two kinds: those that need code only, and those that also wait for a run.

    A run's latency includes that of its code. Their average counts, both in working hours; `latency_hours` replaces both.
    """
    if latency_hours is None:
        share = p["run_instruction_share"]
        run = np.maximum(p["run_latency_hours"], p["code_latency_hours"])
        wait = (1.0 - share) * wait_of_draw(p["code_latency_hours"], p) + share * wait_of_draw(run, p)
    else:
        wait = wait_of_draw(latency_hours, p)
    projects = speedup.effective_projects(p["projects_in_parallel"], p["switching_cost_exponent"])
    return speedup.latency_bound(p["paper_work_hours"], p["instructions_per_paper"], wait, projects)


def wait_of_draw(latency_hours: Array, p: Parameters) -> Array:
    """`waiting_hours` with the draw's working day and paper."""
    return speedup.waiting_hours(latency_hours, p["working_day_hours"], p["paper_work_hours"], p["paper_months"])


def experiments_growth(year: Array, p: Parameters) -> Array:
    """Growth of experiments per researcher since `as_of`; model sizes at one token per data point then and now."""
    then, now = (surroundings(when, p) for when in (year, p["as_of_year"]))
    flop = LN10 * (then.log10_training_flop - now.log10_training_flop)
    size, size_now = (trends.log_params(at.log10_training_flop, at.log_tokens_per_param, p) for at in (then, now))
    cost = speedup.experiment_cost_growth(np.exp(size - size_now), np.exp(flop), p["experiment_cost_exponent"])
    fleet = np.exp(LN10 * (then.log10_fleet - now.log10_fleet))
    return speedup.experiments_per_researcher(fleet, cost, np.exp(then.log_researchers - now.log_researchers))


def research_tokens_per_year(around: Surroundings, p: Parameters) -> Array:
    """Tokens that R&D can spend in a year: its share of the fleet's, or one training set where that is more (S1).

    They are made by the largest model of the moment, at the tokens per data point of full automation.
    """
    on = running(around.log10_training_flop, around, p, p["log10_tokens_per_datapoint"])
    share = p["research_fleet_share"] * np.exp(on.log_tokens_per_second) * JULIAN_YEAR_SECONDS
    training_set = np.exp(LN10 * around.log10_training_flop - LN6 - on.log_params)
    return np.maximum(share, training_set)
