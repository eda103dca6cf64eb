"""Which parameters would settle a disagreement: how much of the gap between two views closes when each is swapped.

A swap takes some parameters as the second view has them and leaves the rest as the first has them; a parameter that only
one of the two states is open on the other side, where it follows the posterior (``forecast.views``). The shares are
Shapley values over swaps (``drivers.swaps``), on draws that all swaps share. The gap is measured by rank within the draws
of both ends together, so that draws that never get there count; the shift of the median stands beside it in units of the
output. ``tests/drivers/test_disagreement.py`` pins both to an output that is additive in its parameters.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.drivers.swaps import shapley_of_swaps, swap_sets
from forecast.errors import InputError
from forecast.overlays import AnyOverlay
from forecast.priors import read_overlay
from forecast.research.compare import POSTERIOR, SWAP_DRAWS, side_by_side
from forecast.results import BLOCK
from forecast.runs import sample_shape
from forecast.schema import ALTERNATIVES, STATED
from forecast.statements import Prior
from forecast.views import changer, refuse_scenario

Array = npt.NDArray[np.float64]
Draws = dict[str, Any]
Parameters = Callable[[Mapping[str, Prior]], Draws]
Evaluate = Callable[[Draws, int], dict[str, Array]]
NOTHING: frozenset[str] = frozenset()
EVALUATIONS = 12_000  # draws through the take-off, of all swaps together: most shares are then known to 5 points
FEWEST_DRAWS = 100  # of one swap
LEAST_DRAWS = 16  # that may be asked for
PERMUTATIONS = 8  # orders, of more than six parameters: the noise of 100 to 200 draws is as large
RESAMPLES = 100  # bootstrap samples of the draws, for errors
NOISE = 3.0  # standard errors within which a gap may be none: beyond them the shares' own errors stay under a third
NEAR = 0.02  # of mean rank: a gap under it is none, however sure; P(one > other) is then within two points of even
ALL, BOTH = "all", "both"
STREAM = b"disagreement"


class Side(NamedTuple):
    """One of the two who disagree: a name and what is stated."""

    name: str
    states: Mapping[str, Prior]


def disagreement(
    run: xr.DataTree,
    one: AnyOverlay | None,
    other: AnyOverlay | None,
    outputs: Sequence[str] | None = None,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    draws: int | None = None,
    permutations: int = PERMUTATIONS,
    random_seed: int = 1,
) -> pd.DataFrame:
    """How much of the gap between two views closes when each parameter is swapped.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    one, other : str, Path, Overlay or None
        Names of shipped views, paths of overlay files, or overlays; None is the run itself.
    outputs : sequence of str, optional
        Names of outputs, as ``drivers.outputs.parsed_output`` reads them; the two headlines if None.
    scenario : str
        Name of a shipped scenario.
    years : iterable of int, optional
        The window, as for `takeoff`.
    draws : int, optional
        Use about so many draws for each swap, evenly taken; 100 to 1000 if None, the fewer the more swaps there are. The
        two ends have about 1000.
    permutations : int
        Orders of swapping, where there are too many parameters for all; see `shapley_of_swaps`.
    random_seed : int
        Seed of the orders and of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Per output a row per parameter that either view states, what closes most first, and one, ``all``, for the gap.

        - ``share`` of the gap in mean rank, ``share_error`` its standard error over draws and orders: adds up to 1, may be
          negative or above 1, NaN where the two hardly differ; ``rank_shift`` and ``rank_error`` before division
        - ``shift`` of the median (of an event: of its probability) on the way from `one` to `other`, in units of the
          output, with ``shift_error``; adds up too, NaN where a median on the way (for its error: of a resample) is not
          within the window
        - ``first_median``, ``second_median`` of the parameter, in the row ``all`` of the output: +inf where it is not
          within the window, and -inf of what exists only where automation is reached, whose other draws count as lowest
        - ``stated_by``: "both", or the name of the one view that states the parameter
        - ``output``, ``first``, ``second``: names of the output and of the two views

    Raises
    ------
    InputError
        For an unknown or faulty view, a scenario given as a view, two views of one name, or an unknown output.

    Examples
    --------
    >>> from forecast import load_run
    >>> run = load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> disagreement(run, "davidson2023", "software_explosion", ["year_100"])  # doctest: +SKIP
    """
    asked, sides = parsed_outputs(outputs), (stating(one), stating(other))
    if sides[0].name == sides[1].name and one != other:
        raise InputError(f"two views share a name ({sides[0].name}): rename one file")
    if draws is not None and draws < LEAST_DRAWS:
        raise InputError(f"draws = {draws}: give {LEAST_DRAWS} or more")
    parameters, groups = changer(run), players(*sides)
    ends = [parameters(side.states) for side in sides]
    evaluate = evaluator(asked, float(ends[0]["as_of_year"]), scenario, None if years is None else list(years))
    names = [label for label, members in groups.items() if differs(members, *sides)]
    sets = swap_sets(names, permutations, random_seed)
    kept = kept_draws(run, draws or int(np.clip(EVALUATIONS // len(sets), FEWEST_DRAWS, SWAP_DRAWS)))
    values = evaluated([changes(groups, swapped, *sides) for swapped in sets], parameters, evaluate, kept)
    apart = evaluated([side.states for side in sides], parameters, evaluate, kept_draws(run, SWAP_DRAWS))
    about, rows = medians(groups, sides, ends), []
    for output in asked:
        of_set = {swapped: found[output.name] for swapped, found in zip(sets, values, strict=True)}
        many = apart[0][output.name], apart[1][output.name]
        parts = closing(of_set, many, names, output.is_event, permutations, random_seed)
        first, second = (float(centre(end, output.is_event)) for end in many)
        named = {"output": output.name, "first": sides[0].name, "second": sides[1].name}
        rows += [named | row for row in ordered(parts, about | {ALL: (first, second, BOTH)})]
    return pd.DataFrame(rows)


def stating(view: AnyOverlay | None) -> Side:
    """A view by name or path, or the run itself."""
    if view is None:
        return Side(POSTERIOR, {})
    overlay = read_overlay(view)
    refuse_scenario(overlay)
    return Side(overlay.label, overlay.entries)


def players(one: Side, other: Side) -> dict[str, list[str]]:
    """What is swapped as one: each parameter, together with what the other view states instead of it.

    >>> prior = Prior("", "", "fixed", {"value": 1.0})
    >>> players(Side("a", {"compute_share": prior}), Side("b", {"infinite_compute_multiple": prior, "returns": prior}))
    {'compute_share': ['compute_share', 'infinite_compute_multiple'], 'returns': ['returns']}
    """
    stated = one.states.keys() | other.states.keys()
    groups: dict[str, list[str]] = {}
    for name in sorted(stated):  # in one order, whoever comes first
        instead = ALTERNATIVES.get(name, name)
        groups.setdefault(instead if instead in stated else name, []).append(name)
    return groups


def differs(names: Sequence[str], one: Side, other: Side) -> bool:
    """Whether a swap of these does anything: not where both state the same, nor outside the joint model."""
    said = [
        {name: (side.states[name].distribution, side.states[name].statement) for name in names if name in side.states}
        for side in (one, other)
    ]
    return said[0] != said[1] and any(name in STATED for name in names)


def changes(groups: Mapping[str, Sequence[str]], swapped: frozenset[str], one: Side, other: Side) -> dict[str, Prior]:
    """What is stated after a swap."""
    chosen = ((name, other if label in swapped else one) for label, names in groups.items() for name in names)
    return {name: side.states[name] for name, side in chosen if name in side.states}


def kept_draws(run: xr.DataTree, draws: int) -> npt.NDArray[np.intp]:
    """Indices of about so many draws, evenly taken from every chain, as `side_draws.thinned` takes them."""
    chains, each = sample_shape(run)
    return np.arange(chains * each).reshape(chains, each)[:, :: max(1, chains * each // draws)].ravel()


def evaluated(
    stated: Sequence[Mapping[str, Prior]], parameters: Parameters, evaluate: Evaluate, kept: npt.NDArray[np.intp]
) -> list[dict[str, Array]]:
    """Outputs, (draw,), of every statement; several go through the take-off together, which halves the time."""
    found: list[dict[str, Array]] = []
    at_once = max(1, BLOCK // kept.size)
    for start in range(0, len(stated), at_once):
        parts = [
            {name: value[kept] if np.ndim(value) else value for name, value in parameters(one).items()}
            for one in stated[start : start + at_once]
        ]
        joined = evaluate(side_by_side(parts, kept.size), kept.size * len(parts))
        split = {name: values.reshape(len(parts), kept.size) for name, values in joined.items()}
        found += [{name: values[i] for name, values in split.items()} for i in range(len(parts))]
    return found


def medians(
    groups: Mapping[str, Sequence[str]], sides: Sequence[Side], ends: Sequence[Draws]
) -> dict[str, tuple[float, float, str]]:
    """Median of each parameter at either end, and who states it; outside the joint model NaN where a view is silent."""
    found = {}
    for label, names in groups.items():
        who = [side.name for side in sides if not side.states.keys().isdisjoint(names)]
        first, second = (median_of(label, side, p) for side, p in zip(sides, ends, strict=True))
        found[label] = (first, second, BOTH if len(who) == 2 else who[0])
    return found


def median_of(name: str, side: Side, p: Draws) -> float:
    """Median of a parameter, in the draws where it is part of the joint model."""
    if name in STATED and name in p:
        return float(np.median(p[name]))
    return float(side.states[name].quantile(0.5, float(p["as_of_year"]))) if name in side.states else np.nan


def closing(
    values: Mapping[frozenset[str], Array],
    many: tuple[Array, Array],
    names: Sequence[str],
    is_event: bool,
    permutations: int,
    seed: int,
) -> dict[str, dict[str, float]]:
    """What each of `names` contributes to the gap, and the whole gap, by both measures.

    Parameters
    ----------
    values : every swap on few draws, each (draw,)
    many : both ends on more draws

    Of every swap two numbers are taken, mean rank and median, and the same of every resample of the draws. Shapley values
    are linear, so those of all these columns come at once, and resampled parts add up as the real ones do.
    """
    ends, pooled = (values[NOTHING], values[frozenset(names)]), np.sort(np.concatenate(many))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(STREAM),)))
    few, more = (
        np.vstack([np.arange(size), rng.integers(size, size=(RESAMPLES, size))])
        for size in (ends[0].size, many[0].size)
    )

    def measured(x: Array, chosen: npt.NDArray[np.intp]) -> Array:
        rank = 0.5 * (np.searchsorted(pooled, x, "left") + np.searchsorted(pooled, x, "right")) / pooled.size
        return np.stack([rank[chosen].mean(axis=1), middle(x[chosen], is_event)])

    found = shapley_of_swaps(lambda swapped: measured(values[swapped], few), names, permutations, seed)
    at_few, at_more = (np.stack([measured(x, at) for x in pair]) for pair, at in ((ends, few), (many, more)))
    whole = np.diff(at_more, axis=0)
    parts = [anchored(found.values[:, i], at_few[:, i], at_more[:, i]) for i in (0, 1)]
    rank, shift = (np.concatenate([part, whole[:, i]]) for i, part in enumerate(parts))  # (name or all, itself, again)
    noise = np.concatenate([found.errors[:, :, 0], np.zeros((1, 2))])
    gap, gap_error = rank[-1, 0], rank[-1, 1:].std()
    share = rank[:, 0] / (gap if abs(gap) > max(NEAR, NOISE * gap_error) else np.nan)
    unlike = rank - share[:, None] * rank[-1]  # what a resample has beside its share of its own gap
    columns = {
        "share": share,
        "share_error": np.hypot(unlike[:, 1:].std(axis=1), noise[:, 0]) / abs(gap or np.nan),
        "shift": shift[:, 0],
        "shift_error": np.hypot(shift[:, 1:].std(axis=1), noise[:, 1]),
        "rank_shift": rank[:, 0],
        "rank_error": np.hypot(rank[:, 1:].std(axis=1), noise[:, 0]),
    }
    return {name: {key: float(column[i]) for key, column in columns.items()} for i, name in enumerate([*names, ALL])}


def anchored(parts: Array, ends: Array, better: Array) -> Array:
    """Parts of a gap, (part, itself and resamples), moved to where both ends lie on more draws.

    The parts follow the ends, (end, ...), as their resamples do (a control variate: Owen, Monte Carlo theory, section
    8.9), and add up to the better gap since they added up to the other. NaN where anything is.
    """
    usable = np.isfinite(ends).all(axis=0) & np.isfinite(parts).all(axis=0)
    if not usable[0] or not np.isfinite(better[:, 0]).all():
        return np.full(parts.shape, np.nan)
    moved, x = better - better[:, :1], ends - ends[:, :1]
    beta = np.linalg.lstsq(x[:, usable].T, (parts - parts[:, :1])[:, usable].T, rcond=None)[0].T
    point = parts[:, :1] + beta @ (better[:, :1] - ends[:, :1])
    return point + np.where(np.arange(x.shape[1]) == 0, 0.0, parts - parts[:, :1] - beta @ x + beta @ moved)


def middle(x: Array, is_event: bool) -> Array:
    """`centre`, NaN where it is infinite, so that differences can be taken."""
    found = centre(x, is_event)
    return np.where(np.isfinite(found), found, np.nan)


def centre(x: Array, is_event: bool) -> Array:
    """Median of the draws on the last axis, infinite where it is not within the window; of an event its probability."""
    return np.asarray(x.mean(axis=-1) if is_event else np.median(x, axis=-1))


def ordered(
    parts: Mapping[str, Mapping[str, float]], about: Mapping[str, tuple[float, float, str]]
) -> list[dict[str, Any]]:
    """Rows of all parameters, what closes most of the gap first and the gap last; what no swap changes closes nothing."""
    whole = parts[ALL]
    idle = {key: value - value for key, value in whole.items()}  # 0, or NaN where the gap is
    names = [name for name in about if name != ALL]
    names.sort(key=lambda name: -np.copysign(1.0, whole["rank_shift"]) * parts.get(name, idle)["rank_shift"])
    return [
        {"parameter": name}
        | dict(parts.get(name, idle))
        | dict(zip(("first_median", "second_median", "stated_by"), about[name], strict=True))
        for name in (*names, ALL)
    ]
