"""The software intelligence explosion of Davidson & Houlden 2025: each doubling of software takes some time.

From the day of full automation, with i doublings done,

    t_{i+1} = t_i + DT_i,   DT_0 = T_0 / f,   DT_{i+1} = DT_i 2^(p (1/r_{i+1} - 1)),   r_{i+1} = r_i - r_0 / D,

until r <= 0, S = 2^D or the horizon. One of its years is a fixed number of doublings n (8), because it counts software
and compute: the limit is D = n x years of recent progress. Its r is on cognitive labour alone, r = lambda alpha / beta.
Source: MODEL section 5, rival forms. ``tests/validation/test_rival_forms.py`` holds it against the published numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from forecast.dynamics.readouts import interpolate

Array = Any  # NumPy array over draws
LONGEST = 1000.0  # log2 of months: a doubling this long never ends, and 2 to this power is still finite
ROUNDING = 1e-9  # of a doubling


class Doublings(NamedTuple):
    """Months since full automation and doublings done by then, both (node, draw).

    Node i is the end of doubling i; from where a draw stops its nodes repeat the stop, the last doubling being partial.
    """

    months: Array
    count: Array


def doublings(
    initial_speedup: Array,
    returns: Array,
    parallel_exponent: Array,
    to_limit: Array,
    doubling_months: Array,
    horizon_months: Array,
) -> Doublings:
    """t_i of every draw, from DT_{i+1} = DT_i 2^(p (1/r_{i+1} - 1)).

    Parameters
    ----------
    initial_speedup : f, how much faster software improves on the day of full automation, above 0
    returns : r_0, doublings of software per doubling of cumulative cognitive labour, above 0
    parallel_exponent : p = lambda alpha
    to_limit : D, doublings from full automation to the effective limit, above 0
    doubling_months : T_0, months per doubling before
    horizon_months : months after which the form stops

    All broadcast to (draw,).

    Examples
    --------
    >>> path = doublings(8.0, 1.2, 0.3, 88.0, 3.0, 48.0)
    >>> [round(float(path.months[i, 0]), 6) for i in (1, 8, 24)]
    [0.375, 2.720514, 7.545171]
    """
    arguments = (initial_speedup, returns, parallel_exponent, to_limit, doubling_months, horizon_months)
    speedup, r_0, exponent, limit, start, horizon = np.broadcast_arrays(*map(np.atleast_1d, arguments))
    log2_length = np.log2(start / speedup)
    months, count = [np.zeros(limit.shape)], [np.zeros(limit.shape)]
    for i in range(int(np.ceil(limit.max()))):
        left = limit - i
        if i > 0:
            r_i = np.maximum(r_0 * left / limit, 1.0 / LONGEST)
            log2_length = np.clip(log2_length + exponent * (1.0 / r_i - 1.0), -LONGEST, LONGEST)
        length = 2.0**log2_length
        spent = np.minimum(length * np.clip(left, 0.0, 1.0), horizon - months[-1])
        months.append(months[-1] + spent)
        count.append(count[-1] + spent / length)
        if not spent.any():
            break
    return Doublings(np.stack(months), np.stack(count))


def compressed(path: Doublings, own_years: float, within_months: Array, doublings_per_year: Array) -> Array:
    """Whether some t_{i+n} - t_i < `within_months`, n = int(doublings per year x own years): the form's own event.

    >>> path = doublings(8.0, 1.2, 0.3, 88.0, 3.0, 48.0)  # 24 doublings in 7.5 months, 40 in 16
    >>> bool(compressed(path, 3.0, 12.0, 8.0)[0]), bool(compressed(path, 10.0, 12.0, 8.0)[0])
    (True, False)
    """
    nodes, draws = path.months.shape
    number = np.broadcast_to(doublings_per_year, draws)
    later = np.arange(nodes)[:, None] + (number * own_years).astype(int)
    inside = np.minimum(later, nodes - 1)
    whole = np.take_along_axis(path.count, inside, axis=0) > inside - ROUNDING
    taken = np.take_along_axis(path.months, inside, axis=0) - path.months
    result: Array = ((later < nodes) & whole & (taken < within_months)).any(axis=0)
    return result


def largest_gain(path: Doublings, within_months: float) -> Array:
    """Most doublings in any `within_months` of calendar time, ln S being linear in time within a doubling, (draw,).

    The largest gain has an end at a node. Before its start and after its stop the form has no progress.

    >>> path = doublings(1.0, 1.0, 0.3, 1e6, 3.0, 12.0)  # r stays 1: a doubling every three months
    >>> round(float(largest_gain(path, 6.0)[0]), 4)
    2.0
    """
    ahead = interpolate(path.months + within_months, path.months, path.count) - path.count
    behind = path.count - interpolate(path.months - within_months, path.months, path.count)
    result: Array = np.maximum(ahead, behind).max(axis=0)
    return result
