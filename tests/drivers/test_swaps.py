"""Shapley values over swaps: games whose answer is known, and what holds in every game."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from forecast.drivers.swaps import Swaps, shapley_of_swaps, swap_sets
from forecast.errors import InputError

EIGHT = list("abcdefgh")
COSTS = dict(zip(EIGHT, (1.0, 2.0, 2.0, 3.5, 5.0, 8.0, 8.5, 13.0), strict=True))


def airport(swapped: frozenset[str]) -> float:
    """What the longest runway costs that one of these needs."""
    return max((COSTS[name] for name in swapped), default=0.0)


def airport_shares(names: list[str]) -> list[float]:
    """Each stretch of runway is paid in equal parts by those who need it (Littlechild & Owen 1973)."""
    costs = sorted(COSTS[name] for name in names)
    paid = np.cumsum(np.diff([0.0, *costs]) / np.arange(len(costs), 0, -1))
    return [float(paid[costs.index(COSTS[name])]) for name in names]  # of equals any: nothing lies between them


def wild(names: list[str], seed: int = 4) -> dict[frozenset[str], np.ndarray]:
    """A game without any order in it, two numbers at a time."""
    generator = np.random.default_rng(seed)
    return {one: generator.normal(size=2) for one in swap_sets(names, 1000)}


def by_all_orders(value: dict[frozenset[str], np.ndarray], names: list[str]) -> np.ndarray:
    """The definition, word for word."""
    gains: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for order in permutations(names):
        for k, name in enumerate(order):
            gains[name].append(value[frozenset(order[: k + 1])] - value[frozenset(order[:k])])
    return np.stack([np.mean(gains[name], axis=0) for name in names])


# Games with a known answer


@pytest.mark.parametrize("names", [list("abc"), EIGHT])
def test_what_adds_up_is_shared_as_it_is_added(names: list[str]) -> None:
    found = shapley_of_swaps(lambda swapped: sum(COSTS[name] for name in swapped), names)
    np.testing.assert_allclose(found.values, [COSTS[name] for name in names], rtol=1e-12)
    np.testing.assert_allclose(found.errors, 0.0, atol=1e-12)


def test_one_left_glove_is_worth_four_of_two_right_ones() -> None:
    """Shapley 1953, the market of gloves: a pair is worth 1; the left one is in every pair."""
    found = shapley_of_swaps(lambda have: float("left" in have and len(have) > 1), ["left", "right", "other right"])
    np.testing.assert_allclose(found.values, [2 / 3, 1 / 6, 1 / 6])


def test_a_product_is_shared_by_what_each_factor_adds_before_and_after_the_other() -> None:
    a, b = 3.0, 0.5
    found = shapley_of_swaps(
        lambda swapped: (a if "a" in swapped else 1.0) * (b if "b" in swapped else 1.0), ["a", "b"]
    )
    np.testing.assert_allclose(found.values, [(a - 1.0) * (1.0 + b) / 2.0, (b - 1.0) * (1.0 + a) / 2.0])


def test_equal_factors_share_a_product_equally() -> None:
    names = list("abcdef")
    found = shapley_of_swaps(lambda swapped: 1.5 ** len(swapped), names)
    np.testing.assert_allclose(found.values, (1.5**6 - 1.0) / 6.0)


def test_a_runway_is_paid_by_those_who_need_it() -> None:
    found = shapley_of_swaps(airport, EIGHT[:6])
    np.testing.assert_allclose(found.values, airport_shares(EIGHT[:6]))


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_any_game_is_the_mean_over_all_orders(size: int) -> None:
    names = EIGHT[:size]
    value = wild(names)
    np.testing.assert_allclose(
        shapley_of_swaps(value.__getitem__, names).values, by_all_orders(value, names), atol=1e-12
    )


# Orders drawn at random


def test_random_orders_come_near_the_answer_by_their_stated_error() -> None:
    exact = airport_shares(EIGHT)
    runs = [shapley_of_swaps(airport, EIGHT, 4, seed) for seed in range(500)]
    values, errors = np.stack([run.values for run in runs]), np.stack([run.errors for run in runs])
    np.testing.assert_allclose(values.mean(axis=0), exact, atol=4.0 * values.std(axis=0).max() / np.sqrt(500))
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), values.std(axis=0), rtol=0.2)


def test_more_orders_come_nearer_and_enough_of_them_are_all_sets() -> None:
    exact = airport_shares(EIGHT)

    def miss(count: int, seed: int) -> float:
        return float(np.abs(shapley_of_swaps(airport, EIGHT, count, seed).values - exact).max())

    assert np.mean([miss(32, seed) for seed in range(10)]) < np.mean([miss(4, seed) for seed in range(10)])
    everything = shapley_of_swaps(airport, EIGHT, 40)
    np.testing.assert_allclose(everything.values, exact)
    assert not everything.errors.any()


def test_the_seed_decides() -> None:
    def found(seed: int) -> Swaps:
        return shapley_of_swaps(airport, EIGHT, 4, seed)

    np.testing.assert_array_equal(found(5).values, found(5).values)
    assert not np.array_equal(found(5).values, found(6).values)


# What holds in every game


@pytest.mark.parametrize("size", [3, 6, 8])
def test_values_add_up_to_the_whole_way(size: int) -> None:
    names = EIGHT[:size]
    value = wild(names)
    whole = value[frozenset(names)] - value[frozenset()]
    np.testing.assert_allclose(shapley_of_swaps(value.__getitem__, names).values.sum(axis=0), whole, atol=1e-12)


@pytest.mark.parametrize("size", [4, 8])
def test_a_name_that_changes_nothing_gets_nothing(size: int) -> None:
    others = EIGHT[: size - 1]
    value = wild(others)
    found = shapley_of_swaps(lambda swapped: value[swapped - {"idle"}], [*others, "idle"])
    np.testing.assert_allclose(found.values[-1], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.errors[-1], 0.0, atol=1e-12)


@pytest.mark.parametrize("size", [5, 8])
def test_the_way_back_is_the_way_there_with_the_other_sign(size: int) -> None:
    names = EIGHT[:size]
    value, everything = wild(names), frozenset(names)
    there = shapley_of_swaps(value.__getitem__, names)
    back = shapley_of_swaps(lambda swapped: value[everything - swapped], names)
    np.testing.assert_allclose(back.values, -there.values, atol=1e-12)
    np.testing.assert_allclose(back.errors, there.errors, atol=1e-12)


@pytest.mark.parametrize("size", [5, 8])
def test_every_set_is_asked_for_once_and_none_that_was_not_announced(size: int) -> None:
    asked: list[frozenset[str]] = []

    def value(swapped: frozenset[str]) -> float:
        asked.append(swapped)
        return float(len(swapped))

    shapley_of_swaps(value, EIGHT[:size])
    announced = swap_sets(EIGHT[:size])
    assert len(asked) == len(set(asked)) and set(asked) == set(announced)
    assert len(announced) <= 2 * 8 * (size - 1) + 2 if size == 8 else len(announced) == 2**size


def test_each_entry_is_a_game_of_its_own() -> None:
    value = wild(EIGHT[:4])
    table = {one: np.array([[x[0], np.nan], [x[1], 1.0]]) for one, x in value.items()}
    found = shapley_of_swaps(table.__getitem__, EIGHT[:4]).values
    assert found.shape == (4, 2, 2)
    np.testing.assert_allclose(found[:, :, 0], by_all_orders(value, EIGHT[:4]), atol=1e-12)
    assert np.isnan(found[:, 0, 1]).all() and not found[:, 1, 1].any()


def test_without_names_there_is_nothing_to_share() -> None:
    assert shapley_of_swaps(lambda _: np.ones(3), []).values.shape == (0, 3)
    assert swap_sets([]) == [frozenset()]


def test_what_cannot_be_swapped_is_refused() -> None:
    with pytest.raises(InputError, match="a name stands twice"):
        shapley_of_swaps(len, ["a", "b", "a"])
    with pytest.raises(InputError, match="permutations = 2: give 4 or more"):
        shapley_of_swaps(len, ["a"], permutations=2)
