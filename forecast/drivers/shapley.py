"""Shapley effects: each input's share of an output's variance, dependent inputs sharing what they say together.

The effect of an input is the mean, over orders in which inputs become known, of the variance explained when it does
(Owen 2014, SIAM/ASA JUQ 2:245; Song, Nelson & Staum 2016, ibid. 4:1060). Orders are random permutations, each with its
reverse; all orders of up to five players. The sets' variances come from ``drivers.regression``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations as all_permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from forecast.drivers.regression import Folds, growing
from forecast.drivers.splines import Features

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
EVERY_ORDER = 5  # players up to which all orders are taken
ORDERS = 100  # random orders, half of them the reverse of the others
BATCHES = 10  # of orders, resampled in the bootstrap together with the draws
RESAMPLES = 400
PROB = 0.9


class Shares(NamedTuple):
    """Shares of the variance with the ends of their intervals, (player,)."""

    share: Array
    low: Array
    high: Array


class Effects(NamedTuple):
    """Shapley effects of the players, and the share that all of them explain together."""

    players: tuple[str, ...]
    effects: Shares
    explained: Shares


def shapley_effects(
    data: Folds,
    features: Features,
    players: Mapping[str, Sequence[int]],
    segment: Indices,
    random_seed: int = 1,
    orders: int = ORDERS,
) -> Effects:
    """Shapley effects of groups of inputs on one output.

    Parameters
    ----------
    data, features
        What ``regression.prepared`` and ``splines.screened`` return for the output.
    players
        Indices of the inputs of each player; together all inputs.
    segment
        The stretch of neighbouring draws that each draw lies in, resampled together.

    Returns
    -------
    Effects
        Shares of the variance; they add up to `explained`, 1 less what the regression misses.
    """
    names = tuple(players)
    player_of = np.empty(1 + max(max(group) for group in players.values()), dtype=np.intp)
    for index, group in enumerate(players.values()):
        player_of[list(group)] = index
    needs = player_of[features.reads]
    chosen = orders_of(len(names), orders, random_seed)
    batch = np.arange(len(chosen)) // 2 % min(BATCHES, max(1, len(chosen) // 2))
    rows = sums(np.ones((len(segment), 1)), segment).shape[0]
    gained = np.zeros((batch.max() + 1, rows, len(names)))
    for order, part in zip(chosen, batch, strict=True):
        rank = np.empty(len(names), dtype=np.intp)
        rank[order] = np.arange(len(names))
        reached = sums(growing(data, rank[needs].max(axis=1), len(names)), segment)
        gained[part][:, order] += np.diff(reached, axis=1, prepend=0.0)
    gained /= np.bincount(batch)[:, None, None]
    together = gained.sum(axis=2, keepdims=True)
    found = bootstrapped(np.concatenate([gained, together], axis=2), data.output, segment, random_seed)
    return Effects(names, Shares(*(side[:-1] for side in found)), Shares(*(side[-1:] for side in found)))


def orders_of(players: int, orders: int, random_seed: int) -> list[Indices]:
    """Orders in which players come in: all of them for few players, else random ones, each followed by its reverse."""
    if players <= EVERY_ORDER:
        return [np.array(order, dtype=np.intp) for order in all_permutations(range(players))]
    rng = np.random.default_rng(np.random.SeedSequence(random_seed, spawn_key=(players,)))
    drawn = [rng.permutation(players) for _ in range(orders // 2)]
    return [order for one in drawn for order in (one, one[::-1])]


def sums(values: Array, segment: Indices) -> Array:
    """Sums of the rows of each segment, (segment, column)."""
    index = np.unique(segment, return_inverse=True)[1]
    order = np.argsort(index, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(index[order]) > 0])
    result: Array = np.add.reduceat(values[order], starts, axis=0)
    return result


def bootstrapped(gained: Array, output: Array, segment: Indices, random_seed: int) -> Shares:
    """Shares of every column, with intervals over draws and orders.

    `gained` holds sums of contributions, (batch, segment, column). The fitted models stay as they are.
    """
    batches, rows, _ = gained.shape
    moments = sums(np.column_stack([np.ones(len(output)), output, output**2]), segment)
    rng = np.random.default_rng(np.random.SeedSequence(random_seed, spawn_key=(rows, batches)))
    drawn = rng.multinomial(rows, np.full(rows, 1.0 / rows), size=RESAMPLES)
    mixed = rng.multinomial(batches, np.full(batches, 1.0 / batches), size=RESAMPLES) / batches
    count, first, second = (drawn @ moments).T
    variance = second / count - (first / count) ** 2
    by_batch = np.einsum("rs,bsc->rbc", drawn, gained, optimize=True)
    replicates = np.einsum("rb,rbc->rc", mixed, by_batch) / (count * variance)[:, None]
    share = gained.mean(axis=0).sum(axis=0) / (len(output) * output.var())
    tail = (1.0 - PROB) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail], axis=0)
    return Shares(share, low, high)


def shares_of(contributions: Array, output: Array, segment: Indices, random_seed: int = 1) -> Shares:
    """Shares of the variance that the sets of some contributions explain, with intervals over draws."""
    return bootstrapped(sums(contributions, segment)[None], output, segment, random_seed)
