"""Moments of paths: any time, software and practice, to ask flows of several engines the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.dynamics.flow import Present, present_of, turning
from forecast.dynamics.integrator import Array, Memory


def somewhere(
    p: dict[str, Any], size: int, course: Any
) -> tuple[dict[str, Any], Present, dict[str, Array], Array, Array, Memory]:
    """Some draws, what they are compared with, a course of compute, and a time, software and practice of each."""
    rng = np.random.default_rng(3)
    some = {name: value[:size] if np.ndim(value) else value for name, value in p.items()}
    time, z = p["as_of_year"] + rng.uniform(0.0, 20.0, size), rng.uniform(-30.0, 36.0, size)
    before = time - rng.uniform(0.0, 0.2, size)
    memory = Memory(*rng.normal(0.0, 2.0, (2, size)), rng.uniform(0.01, 100.0, size), before)
    turn = turning(course, p["as_of_year"] + rng.uniform(0.0, 10.0, size))
    return some, present_of(some), turn, time, z, memory
