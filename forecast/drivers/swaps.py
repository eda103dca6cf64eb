"""Shapley values over swaps: how much of the way from one end to another is due to each thing that is exchanged.

A swap takes a set of names from the other end and leaves the rest as they are; a function says what comes out. Where two
swaps interact, the gain of both together is shared evenly: the Shapley value of a name is its gain when it is swapped
next, averaged over all orders in which the names may be swapped. The values add up to the whole way, exactly.
``tests/drivers/test_swaps.py`` pins them to games with known answers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from forecast.errors import InputError

Array = npt.NDArray[np.float64]
Value = Callable[[frozenset[str]], Any]
EXACT_NAMES = 6  # up to here all subsets are few: 64
PERMUTATIONS = 16  # of more names: eight, each with its reverse
STREAM = b"swap"


class Swaps(NamedTuple):
    """What each name contributes, (name, ...), and its Monte Carlo standard error over the permutations: 0 if exact."""

    values: Array
    errors: Array


def shapley_of_swaps(
    value: Value, names: Sequence[str], permutations: int | None = None, random_seed: int = 1
) -> Swaps:
    """Shapley value of each name, phi_i = mean over orders of v(before + i) - v(before) (Shapley 1953).

    Parameters
    ----------
    value : callable
        ``v(swapped)``: what comes out with this set of names swapped; a number or an array of always the same shape. It
        is called once for each set, those of `swap_sets`.
    names : sequence of str
        The names that can be swapped, each once.
    permutations : int, optional
        Orders that are averaged over, half of them the reverse of another (antithetic), where all 2^d sets would be more
        than those need; 16 if None. At most 6 names are always done exactly.
    random_seed : int
        Seed of the orders.

    Returns
    -------
    Swaps
        Arrays (name, ...), in the order of `names`. ``values.sum(axis=0)`` is v(all) - v(none) in either case. NaN in
        some entry of `value` is NaN in that entry for every name.

    Raises
    ------
    InputError
        If a name stands twice, or for fewer than 4 permutations.

    Examples
    --------
    >>> a_pair = lambda gloves: 3.0 * (len(gloves) == 2)
    >>> shapley_of_swaps(a_pair, ["left", "right"]).values.tolist()
    [1.5, 1.5]
    """
    orders = _orders(names, permutations, random_seed)
    known = cache(lambda swapped: np.asarray(value(swapped), dtype=float))
    if not names:
        empty = np.zeros((0, *known(frozenset()).shape))
        return Swaps(empty, empty)
    if orders is None:
        values = np.stack([_exact(known, name, names) for name in names])
        return Swaps(values, np.zeros_like(values))
    pairs = np.stack([0.5 * (_gains(known, order, names) + _gains(known, order[::-1], names)) for order in orders])
    return Swaps(pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)))


def swap_sets(names: Sequence[str], permutations: int | None = None, random_seed: int = 1) -> list[frozenset[str]]:
    """The sets that `shapley_of_swaps` will ask for, for those who compute many of them at once.

    >>> [sorted(swapped) for swapped in swap_sets(["a", "b"])]
    [[], ['a'], ['b'], ['a', 'b']]
    """
    orders = _orders(names, permutations, random_seed)
    if orders is None:
        return list(_subsets(names))
    return list(
        dict.fromkeys(
            frozenset(one[:k]) for order in orders for one in (order, order[::-1]) for k in range(len(one) + 1)
        )
    )


def _orders(names: Sequence[str], permutations: int | None, random_seed: int) -> list[list[str]] | None:
    """One order of each antithetic pair, or None where all subsets are no more work."""
    count = PERMUTATIONS if permutations is None else permutations
    if len(set(names)) < len(names):
        raise InputError(f"swaps of {', '.join(names)}: a name stands twice; give each once")
    if count < 4:
        raise InputError(f"permutations = {count}: give 4 or more, an error needs two pairs")
    pairs, size = -(-count // 2), len(names)
    if size <= EXACT_NAMES or 2**size <= 2 * pairs * (size - 1) + 2:
        return None
    generator = np.random.default_rng(np.random.SeedSequence(random_seed, spawn_key=(zlib.crc32(STREAM),)))
    return [[names[i] for i in generator.permutation(size)] for _ in range(pairs)]


def _subsets(names: Sequence[str]) -> Iterator[frozenset[str]]:
    """All subsets, the smaller ones first."""
    return (frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size))


def _exact(value: Callable[[frozenset[str]], Array], name: str, names: Sequence[str]) -> Array:
    """Mean gain from a name over all sets of the others; each size of set weighs the same."""
    others = [other for other in names if other != name]
    gains = [(value(before | {name}) - value(before)) / comb(len(others), len(before)) for before in _subsets(others)]
    return np.sum(gains, axis=0) / len(names)


def _gains(value: Callable[[frozenset[str]], Array], order: Sequence[str], names: Sequence[str]) -> Array:
    """Gain from each of `names` when they are swapped in this order."""
    path = np.stack([value(frozenset(order[:k])) for k in range(len(order) + 1)])
    return np.diff(path, axis=0)[[order.index(name) for name in names]]
