"""The take-off as a flow for the integrator: rate of software progress with AI help, and practice that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from forecast.dynamics.integrator import Array, Flow, Memory, Rates, log_software, relax
from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.takeoff import Milestones
from forecast.equations.trends import LN10
from forecast.errors import InputError
from forecast.places import cores
from forecast.scenarios import Course

Draws = dict[str, Any]
Engine = Literal["numpy", "compiled", "jax"]
AnyEngine = Literal["auto", "numpy", "compiled", "jax"]
COMPILE_FROM = 30_000  # paths from which compiling, some seconds, pays
COMPILED_BLOCK = 2048  # draws at once where paths are kept whole: their memory is used again from block to block


def select(p: Draws, draws: Array, size: int) -> Draws:
    """The parameters of some draws; scalars and constants stay as they are."""
    if draws.size == size:
        return p
    return {name: value[draws] if is_per_draw(value, size) else value for name, value in p.items()}


def is_per_draw(value: Any, size: int) -> bool:
    """Whether a parameter has one entry per draw."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.shape[0] == size


@dataclass(frozen=True)
class Present:
    """What every moment is compared with: milestones, fleet and labour at `as_of`, one entry per draw."""

    milestones: Milestones
    log10_fleet: Array
    log_labour: Array

    def part(self, draws: Array) -> Present:
        """The same for some draws."""
        at = Milestones(*(field[draws] for field in self.milestones))
        return Present(at, self.log10_fleet[draws], self.log_labour[draws])


def present_of(p: Draws, form: str = "exponential") -> Present:
    """Evaluate the take-off's equations at `as_of`, where S = 1 and practice is in balance."""
    around = dynamics.surroundings(p["as_of_year"], p)
    flop = dynamics.effective_flop(0.0, around)
    at = dynamics.milestones(flop, p, form)
    on = dynamics.deployed(flop, around, at, p)
    return Present(at, around.log10_fleet, dynamics.research(flop, around, on, at, around.log10_fleet, p).log_labour)


def turning(course: Course, year: Array) -> dict[str, Array]:
    """What `equations.takeoff.surroundings` must know of a course that compute takes from `year` on."""
    return {"frozen": {"frozen_year": year}, "leap": {"leap_year": year}, "trend": {}}[course]


def flow_of(engine: Engine) -> Callable[[Draws, Present, Mapping[str, Array]], Flow]:
    """What makes the flow: NumPy at once, or machine code in an eighth of the time, compiled once on each machine."""
    if engine == "numpy":
        return research_flow
    if engine == "jax":
        from forecast.dynamics.on_jax import jax_flow

        return jax_flow
    from forecast.dynamics.groups import compiled_flow

    return compiled_flow


def engine_for(engine: AnyEngine, amount: int, compile_from: int = COMPILE_FROM, what: str = "engine") -> Engine:
    """The engine of a job of so many paths, or values: "auto" compiles what is worth it, whatever was compiled before.

    Raises
    ------
    InputError
        For an engine of another name.
    """
    if engine not in ("auto", "numpy", "compiled", "jax"):
        raise InputError(f"no {what} named {engine!r}: choose auto, numpy, compiled or jax")
    if engine == "auto":
        return "compiled" if amount >= compile_from else "numpy"
    return engine


def blocks_for(engine: Engine) -> dict[str, int]:
    """How `results.in_blocks` cuts a job: compiled loops leave Python's lock free, so that blocks share the cores."""
    if engine != "compiled":
        return {}
    return {"block": COMPILED_BLOCK, "workers": cores()}


def research_flow(p: Draws, present: Present, turn: Mapping[str, Array]) -> Flow:
    """The flow of MODEL section 5 over the draws in `p`; `turn` is what `turning` returns."""
    size = present.log10_fleet.size
    cache: dict[str, Any] = {}

    def inputs(draws: Array) -> Any:
        if not np.array_equal(cache.get("draws", ()), draws):  # the four stages of a step share their draws
            turned = {name: year[draws] for name, year in turn.items()}
            cache.update(draws=draws, value=(select(p, draws, size), present.part(draws), turned))
        return cache["value"]

    def flow(time: Array, z: Array, before: Memory | None, draws: Array) -> Rates:
        return rates(time, z, before, *inputs(draws))

    return flow


def rates(time: Array, z: Array, before: Memory | None, p: Draws, then: Present, turn: Mapping[str, Array]) -> Rates:
    """Rate of z, practice, effective compute and speed-up of some draws at one moment each."""
    log_s = log_software(z, LN10 * p["log10_software_ceiling"])
    around = dynamics.surroundings(time, p, **turn)
    flop = dynamics.effective_flop(log_s, around)
    on = dynamics.deployed(flop, around, then.milestones, p)
    now = dynamics.research(flop, around, on, then.milestones, then.log10_fleet, p)
    memory = practice(time, now, then.log_labour, LN10 * (around.log10_fleet - then.log10_fleet), before, p)
    lag = memory.target - memory.practice
    log_rate = now.log_people_only + now.log_speedup - dynamics.difficulty_exponent(p) * log_s
    rate = trends.software_growth(p) * np.exp(log_rate - 0.5 * p["mismatch_penalty"] * lag**2)
    return Rates(rate, memory, flop, now.log_speedup)


def practice(
    time: Array, now: dynamics.Research, labour_now: Array, log_compute: Array, before: Memory | None, p: Draws
) -> Memory:
    """Practice at this moment, relaxed exactly from the start of the step."""
    target = dynamics.practice_target(now.log_labour, labour_now, log_compute, p)
    rate = dynamics.adaptation_speed(now.automated_share, now.log_serial_speed, p)
    rate = np.broadcast_to(rate, np.shape(target))
    return Memory(relax(before, target, rate, time), target, rate, time)
