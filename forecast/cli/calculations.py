"""What each sub-command of ``forecast calc`` computes: closed forms of ``forecast.equations`` and nothing else.

``p`` maps the inputs that ``calc.toml`` names for a calculation to numbers in their units; one that was not given and has
no default is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from forecast import equations as eq
from forecast.equations import deployment, depth_scaling, hardware_leap, speedup
from forecast.errors import InputError
from forecast.units import LN2, LN10, MONTH

Inputs = Mapping[str, float]


class Answer(NamedTuple):
    """One number that a calculation gives, and its unit."""

    name: str
    value: float
    unit: str


def training_flop(p: Inputs) -> list[Answer]:
    """C, and what it means in tokens and in FLOP/s."""
    flop = eq.training_flop(p["params"], p["tokens_per_param"], p["tokens_per_datapoint"], p["flop_per_param_token"])
    passes = eq.compute.FORWARD_PASSES_PER_TRAINING_TOKEN * p["flop_per_param_token"] * p["params"]
    found = [Answer("training compute", flop, "FLOP"), Answer("training tokens", flop / passes, "tokens")]
    if "training_time" in p:
        found.append(Answer("compute while it trains", flop / p["training_time"], "FLOP/s"))
    return found


def params(p: Inputs) -> list[Answer]:
    """Parameters of a budget in FLOP, or of hardware for some time."""
    hardware = [p[name] for name in ("flop_per_second", "training_time") if name in p]
    if ("training_flop" in p) == bool(hardware) or len(hardware) == 1:
        raise InputError("give --training-flop, or both --flop-per-second and --training-time")
    flop = eq.cluster_training_flop(hardware[0], 1.0, hardware[1]) if hardware else p["training_flop"]
    rest = (p["tokens_per_param"], p["tokens_per_datapoint"], p["flop_per_param_token"])
    return [Answer("parameters", eq.params_from_training_flop(flop, *rest), "params")]


def tokens_per_second(p: Inputs) -> list[Answer]:
    """Tokens per second of the reallocated training cluster."""
    rest = (p["tokens_per_param"], p["tokens_per_datapoint"], p["utilization_ratio"])
    rate = eq.tokens_per_second_after_training(p["params"], p["training_time"], *rest)
    return [Answer("tokens per second on the training cluster", rate, "tokens/s")]


def fleet_tokens_per_second(p: Inputs) -> list[Answer]:
    """Tokens per second of hardware."""
    rate = eq.tokens_per_second(p["flop_per_second"], p["utilization"], p["params"])
    return [Answer("tokens per second", rate, "tokens/s")]


def world_tokens_per_second(p: Inputs) -> list[Answer]:
    """The world's bound: parameters, tokens per second, streams."""
    training = (p["tokens_per_param"], p["tokens_per_datapoint"], p["flop_per_param_token"])
    rate = eq.world_tokens_per_second(p["flop_per_second"], p["training_time"], *training, p["share"])
    flop = eq.cluster_training_flop(p["share"] * p["flop_per_second"], 1.0, p["training_time"])
    return [
        Answer("tokens per second", rate, "tokens/s"),
        Answer("parameters", eq.params_from_training_flop(flop, *training), "params"),
        Answer("parallel streams", eq.parallel_streams(rate, p["stream_speed"]), "streams"),
    ]


def parallel_streams(p: Inputs) -> list[Answer]:
    """Streams of some speed."""
    return [Answer("parallel streams", eq.parallel_streams(p["tokens_per_second"], p["stream_speed"]), "streams")]


def stream_speed(p: Inputs) -> list[Answer]:
    """Two rival speeds of one stream."""
    return [
        Answer("Steinhardt 2022", deployment.steinhardt2022(p["layers"], p["utilization"]), "tokens/s"),
        Answer("Pope et al. 2022", deployment.pope2022(p["layers"]), "tokens/s"),
    ]


def layers(p: Inputs) -> list[Answer]:
    """Depth by two rival laws; Levine's caps the exponent that it is given, so 1 gives its largest."""
    return [
        Answer("Levine et al. 2020, at most", float(depth_scaling.levine2020(*_size(p), 1.0)), "layers"),
        Answer("Kaplan et al. 2020, fixed shape", float(depth_scaling.kaplan2020(*_size(p), 1.0)), "layers"),
    ]


def width_slowdown(p: Inputs) -> list[Answer]:
    """Time of communication per layer of a widened network over that before."""
    wide = eq.communication_seconds_per_layer(1.0, 1.0, p["width"], p["width"], p["chips"], 1.0)
    return [Answer("time per layer", wide / eq.communication_seconds_per_layer(1.0, 1.0, 1.0, 1.0, 1.0, 1.0), "x")]


def longest_training_run(p: Inputs) -> list[Answer]:
    """1/g, with spending too where it is given."""
    growth = (p["hardware_growth"], p["software_growth"])
    found = [Answer("longest training run", eq.longest_training_run(*growth) / MONTH, "months")]
    if "spending_growth" in p:
        months = eq.longest_training_run(*growth, p["spending_growth"], budgets=True) / MONTH
        found.append(Answer("longest training run if spending grows too", months, "months"))
    return found


def growth(p: Inputs) -> list[Answer]:
    """Growth per year in the three ways that it is stated."""
    rate = eq.growth_per_year(p["doubling_time"])
    return [
        Answer("growth", rate / LN10, "OOM/yr"),
        Answer("growth", rate / LN2, "doublings/yr"),
        Answer("growth", rate, "ln/yr"),
        Answer("factor per year", math.exp(rate), "x"),
    ]


def human_equivalents(p: Inputs) -> list[Answer]:
    """Researchers that tokens amount to."""
    people = eq.human_equivalents(p["tokens_per_second"], p["tokens_per_researcher_year"])
    return [Answer("human-equivalents", people, "people")]


def serial_speed(p: Inputs) -> list[Answer]:
    """A stream against a person."""
    return [
        Answer("serial speed, people = 1", eq.serial_speed(p["stream_speed"], p["tokens_per_researcher_year"]), "x")
    ]


def tokens_per_researcher_second(p: Inputs) -> list[Answer]:
    """Tokens for each second of a person's."""
    tokens = eq.tokens_per_researcher_second_at_parity(p["tokens_per_second"], p["researchers"])
    return [Answer("tokens per researcher-second", tokens, "tokens/s/person")]


def training_system(p: Inputs) -> list[Answer]:
    """A system's cost from a run's, or a run's from a system's."""
    ratio = p["system_cost_ratio"]
    if "system_cost" in p:
        return [Answer("cost of a run's time", hardware_leap.run_cost(p["system_cost"], ratio), "USD")]
    return [Answer("cost of the system", p["run_cost"] / hardware_leap.run_cost(1.0, ratio), "USD")]


def leap(p: Inputs) -> list[Answer]:
    """A larger budget over the present one."""
    run = hardware_leap.run_cost(p["finance"], p["system_cost_ratio"])
    return [
        Answer("hardware, multiple of the present", p["finance"] / p["present_cost"], "x"),
        Answer("cost of a run's time", run, "USD"),
    ]


def paper_time(p: Inputs) -> list[Answer]:
    """Days from paper to paper."""
    return [Answer("time from one paper to the next", speedup.paper_days(p["speedup"], p["paper_time"]), "days")]


def parallel_projects(p: Inputs) -> list[Answer]:
    """Several projects at once, each of some days or so much faster."""
    months = p["paper_time"]
    each = speedup.paper_days(p["faster_each"], months) if "faster_each" in p else p["time_each"]
    return [
        Answer("speed-up", speedup.parallel_papers_speedup(p["projects"], each, months), "x"),
        Answer("time of each project", each, "days"),
    ]


def copies(p: Inputs) -> list[Answer]:
    """A day against the days of copies."""
    return [Answer("speed-up", speedup.copies_speedup(p["copies"], p["working_days"]), "x")]


def latency_bound(p: Inputs) -> list[Answer]:
    """People who only wait."""
    work, months = p["paper_work"], p["paper_time"]
    wait = float(speedup.waiting_hours(p["latency"], p["working_day"], work, months))
    projects = float(speedup.effective_projects(p["parallel_projects"], p["switching_cost"]))
    return [
        Answer("largest speed-up", speedup.latency_bound(work, p["instructions"], wait, projects), "x"),
        Answer("working time of one wait", wait, "h"),
    ]


def ideas_bound(p: Inputs) -> list[Answer]:
    """People who only have ideas."""
    return [Answer("largest speed-up", speedup.ideas_bound(p["idea_share"], p["idea_help"]), "x")]


def compute_per_researcher(p: Inputs) -> list[Answer]:
    """Chips for each."""
    return [Answer("chips per researcher", p["h100"] / p["staff"], "H100")]


def _size(p: Inputs) -> tuple[float, float]:
    return p["params"], p["reference_layers"]


CALCULATIONS: dict[str, Callable[[Inputs], list[Answer]]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        *(training_flop, params, tokens_per_second, fleet_tokens_per_second, world_tokens_per_second),
        *(parallel_streams, stream_speed, layers, width_slowdown, longest_training_run, growth),
        *(human_equivalents, serial_speed, tokens_per_researcher_second, training_system, leap),
        *(paper_time, parallel_projects, copies, latency_bound, ideas_bound, compute_per_researcher),
    )
}
