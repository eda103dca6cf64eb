"""Where a path crosses a level: bracket the nodes, then solve the cubic Hermite of the bracket.

Arrays are (node, draw). A level that is never reached is at +inf, the censored mass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.dynamics.integrator import AnyPath, Array, Path, Walked

NEWTON_STEPS = 40
CLOSE = 1e-9  # of an interval: Newton's next move would be its square


class Place(NamedTuple):
    """A point on each draw's path: interval, fraction of the interval, and whether the path gets there."""

    interval: Array
    fraction: Array
    reached: Array


def hermite(left: Array, right: Array, left_slope: Array, right_slope: Array, step: Array, fraction: Array) -> Array:
    """Cubic Hermite at `fraction` of an interval of arc length `step`."""
    u = fraction
    return (
        left * (1.0 + 2.0 * u) * (1.0 - u) ** 2
        + right * u**2 * (3.0 - 2.0 * u)
        + step * (left_slope * u * (1.0 - u) ** 2 + right_slope * u**2 * (u - 1.0))
    )


def take(values: Array, interval: Array, offset: int = 0) -> Array:
    """Row `interval + offset` of each draw; `interval` is (draw,) or (query, draw)."""
    draws = values.shape[1]
    return np.take(values, (interval + offset) * draws + np.arange(draws))


def last_before(query: Array, nodes: Array) -> Array:
    """Index of each draw's last node before a query (0 if none is), by halving: (query, draw) in the draw's own nodes."""
    found, stride = np.zeros(query.shape, dtype=np.intp), 1 << max((nodes.shape[0] - 1).bit_length() - 1, 0)
    while stride:
        ahead = np.minimum(found + stride, nodes.shape[0] - 1)
        found = np.where(take(nodes, ahead) < query, ahead, found)
        stride >>= 1
    return found


def value_at(path: Path, name: str, place: Place) -> Array:
    """The path's ``time`` or ``z`` at a place."""
    values, slopes = getattr(path, name), getattr(path, f"{name}_slope")
    i = place.interval
    result: Array = hermite(
        take(values, i), take(values, i, 1), take(slopes, i), take(slopes, i, 1), take(path.step, i), place.fraction
    )
    return result


def locate(path: Path, name: str, level: Array) -> Place:
    """Where the monotone ``time`` or ``z`` of each draw reaches `level` (draw,) or (query, draw).

    A level below the first node is placed at the first node; one never reached has ``reached`` False.
    """
    values = getattr(path, name)
    level = np.broadcast_to(level, np.broadcast_shapes(np.shape(level), values.shape[1:]))
    interval = np.minimum(last_before(level, values), values.shape[0] - 2)
    reached = level <= values[-1]
    fraction = solve(path, name, interval, level)
    return Place(interval, np.where(level <= values[0], 0.0, fraction), reached)


def solve(path: Path, name: str, interval: Array, level: Array) -> Array:
    """Fraction of the interval at which the cubic Hermite equals `level`: safeguarded Newton on a monotone cubic.

    A draw keeps the first guess that moved by no more than `CLOSE`, whatever the others of its block still need.
    """
    left, right = (take(getattr(path, name), interval, k) for k in (0, 1))
    first, last = (take(getattr(path, f"{name}_slope"), interval, k) * take(path.step, interval) for k in (0, 1))
    gap = right - left
    rise = np.clip(level - left, 0.0, gap)
    square, cube = 3.0 * gap - 2.0 * first - last, first + last - 2.0 * gap
    low, high = np.zeros(rise.shape), np.ones(rise.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        guess = np.nan_to_num(rise / gap, nan=0.0)
        done = np.zeros(rise.shape, dtype=bool)
        for _ in range(NEWTON_STEPS):
            miss = ((cube * guess + square) * guess + first) * guess - rise
            low, high = np.where(miss < 0, guess, low), np.where(miss < 0, high, guess)
            newton = guess - miss / ((3.0 * cube * guess + 2.0 * square) * guess + first)
            better = np.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
            moved, guess = np.abs(better - guess), np.where(done, guess, better)
            done |= moved <= CLOSE
            if done.all():
                break
    return guess


def time_of_level(path: AnyPath, level: Array) -> Array:
    """Decimal year at which z reaches `level`; +inf where it never does."""
    if isinstance(path, Walked):
        return path.time_of_level(level)
    place = locate(path, "z", level)
    return np.where(place.reached, value_at(path, "time", place), np.inf)


def z_at_time(path: AnyPath, time: Array) -> Array:
    """z at a decimal year within the path; the nearest end outside it."""
    if isinstance(path, Walked):
        return path.z_at_time(time)
    place = locate(path, "time", time)
    last = np.broadcast_to(path.z[-1], place.interval.shape)
    return np.where(place.reached, value_at(path, "z", place), last)
