"""Pick and freeze: values of a function at one sample of its inputs with some of them taken from another.

What Sobol's indices are estimated from, for any function of independent columns; first and total order by
``scipy.stats.sobol_indices`` (Saltelli et al. 2010, Computer Physics Communications 181:259), second order by SALib
(Saltelli 2002, ibid. 145:280). A group of columns is swapped whole. Values are (output, point).
``tests/drivers/test_sobol.py`` holds this to closed forms.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from forecast.errors import ForecastError, InputError

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]  # columns (draw, column) -> values (output, draw)
Ends = tuple[Array, Array, Array]  # an estimate, and the ends of its interval
PROB = 0.9
RESAMPLES = 400
SALIB_RESAMPLES = 100
SCREENING = ((64, 2), (192, 1))  # points until which so many times the wanted inputs stay in the running
BINS = 16  # of an input's ranks, in the screening
ROWS = 32768  # of columns that are evaluated at once: memory does not grow with the groups
EDGE = 2.0**-53  # a point at 0 would be an infinite quantile
STREAM = b"sobol"


class SobolIndices(NamedTuple):
    """Sobol indices of some outputs as tables, each with a column ``output``.

    Attributes
    ----------
    outputs
        Per output: units, definition, ``scale`` on which its variance is taken (value, rank or event), ``sd`` there,
        share of ``censored`` draws, ``additive`` = sum of the first orders of all rows with its interval (what is left
        to 1 are interactions between rows), base ``points`` and ``evaluations`` of the forecast.
    indices
        Per output and row: ``input``, its ``block``, number of ``parameters`` in the row, ``first`` and ``total`` order
        with intervals. Inputs stand before what is left of the blocks, each kind by total order.
    pairs
        Per output and pair of inputs, the strongest first: ``second`` order, beyond both first orders, with its interval.
    """

    outputs: pd.DataFrame
    indices: pd.DataFrame
    pairs: pd.DataFrame


class Estimates(NamedTuple):
    """Indices (row, output) with the ends of their intervals, and the sum of the first orders (output,) with its own."""

    first: Ends
    total: Ends
    additive: Ends


def base_samples(columns: int, points: int, random_seed: int) -> tuple[Array, Array]:
    """Two independent samples of the unit cube, (point, column) each: halves of one scrambled Sobol sequence.

    >>> a, b = base_samples(3, 64, 1)
    >>> a.shape, b.shape, abs(float(a.mean()) - 0.5) < 0.01
    ((64, 3), (64, 3), True)
    """
    both = stats.qmc.Sobol(2 * columns, rng=stream(random_seed, "points"), bits=64).random(points)
    kept = np.clip(both, EDGE, 1.0 - EDGE)
    return kept[:, :columns], kept[:, columns:]


def stream(seed: int, name: str) -> np.random.Generator:
    """A random stream of its own for each use."""
    key = (zlib.crc32(STREAM), zlib.crc32(name.encode()))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def swapped_values(function: Function, a: Array, b: Array, groups: Sequence[Sequence[int]]) -> Array:
    """Values of the points of `a` with the columns of one group taken from `b`, (group, output, point).

    >>> a, b = np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])
    >>> swapped_values(lambda x: x.sum(axis=1)[None], a, b, [[0], [0, 1]]).ravel().tolist()
    [12.0, 30.0]
    """
    size, found = len(a), []
    at_once = max(ROWS // size, 1)
    for start in range(0, len(groups), at_once):
        part = groups[start : start + at_once]
        columns = np.tile(a, (len(part), 1))
        for i, group in enumerate(part):
            columns[i * size : (i + 1) * size, list(group)] = b[:, list(group)]
        values = function(columns)
        found.append(values.reshape(len(values), len(part), size).swapaxes(0, 1))
    return np.concatenate(found)


def on_scale(f_a: Array, f_b: Array, others: Sequence[Array], names: Sequence[str]) -> tuple[list[Array], list[str]]:
    """Values of which variances exist, and per output the scale: value, or rank where some values are infinite.

    Ranks are those among the base values `f_a` and `f_b`, (output, point), ties sharing theirs: one monotone function,
    fixed before any swap is looked at. `others` are (..., output, point).

    Raises
    ------
    ForecastError
        For NaN, naming the output.
    """
    parts, scales = [np.array(x, dtype=float) for x in (f_a, f_b, *others)], []
    for i, name in enumerate(names):
        if any(np.isnan(x[..., i, :]).any() for x in parts):
            raise ForecastError(f"output {name!r} is not a number at some points of the prior: report this as a bug")
        censored = any(np.isinf(x[..., i, :]).any() for x in parts)
        scales.append("rank" if censored else "value")
        if censored:
            base = np.sort(np.concatenate([f_a[i], f_b[i]]))
            for x in parts:
                below, upto = (np.searchsorted(base, x[..., i, :], side) for side in ("left", "right"))
                x[..., i, :] = 0.5 * (below + upto) / base.size
    return parts, scales


def estimates(
    f_a: Array, f_b: Array, f_ab: Array, names: Sequence[str], prob: float = PROB, random_seed: int = 1
) -> Estimates:
    """First order S = E[f_B (f_AB - f_A)] / V and total order T = E[(f_A - f_AB)^2] / 2V, with bootstrap intervals.

    Parameters
    ----------
    f_a, f_b : (output, point)
        Values at two independent samples; the number of points is a power of 2.
    f_ab : (row, output, point)
        Values at the first with one row's inputs taken from the second; two rows at least.
    names
        Of the outputs.
    prob : float
        Mass of the equal-tailed intervals. Points are resampled, as ``sobol_indices(...).bootstrap`` does, which takes
        no seed and the square of the time. Sobol points err less than the independent ones that it supposes.

    Raises
    ------
    ForecastError
        For a value that is not finite: scipy would return zeros.
    InputError
        For an output that does not vary.
    """
    for i, name in enumerate(names):
        if not all(np.isfinite(x[..., i, :]).all() for x in (f_a, f_b, f_ab)):
            raise ForecastError(f"output {name!r} is not finite at some points: take its ranks or an event of it")
        if np.ptp([f_a[i], f_b[i]]) == 0.0:
            raise InputError(
                f"output {name!r} is the same at all points of the prior: nothing drives it; choose another"
            )
    shape, points = f_ab.shape[:2], f_a.shape[1]
    found = stats.sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": f_ab}, n=points)
    first, total = (np.reshape(x, shape[::-1]).T for x in (found.first_order, found.total_order))
    drawn = stream(random_seed, "bootstrap").multinomial(points, np.full(points, 1.0 / points), size=RESAMPLES)
    weight = drawn.T / points
    mean = 0.5 * (f_a + f_b).mean(axis=1)[:, None]
    a, b, ab = f_a - mean, f_b - mean, f_ab - mean
    variance = 0.5 * ((a**2 + b**2) @ weight) - (0.5 * ((a + b) @ weight)) ** 2
    usable = np.where(variance > 0.0, variance, np.inf)  # a resample may miss every case of a rare event
    firsts, totals = (resampled(x, weight) / usable for x in (b * (ab - a), 0.5 * (a - ab) ** 2))

    def ends(replicates: Array) -> tuple[Array, Array]:
        low, high = np.quantile(replicates, [0.5 - 0.5 * prob, 0.5 + 0.5 * prob], axis=-1)
        return low, high

    return Estimates((first, *ends(firsts)), (total, *ends(totals)), (first.sum(axis=0), *ends(firsts.sum(axis=0))))


def resampled(values: Array, weight: Array) -> Array:
    """Means over points (row, output, point) in every resample: as one product of matrices, many times a product each."""
    found: Array = (values.reshape(-1, values.shape[-1]) @ weight).reshape(*values.shape[:-1], -1)
    return found


def leading(
    function: Function,
    samples: tuple[Array, Array],
    base: tuple[Array, Array],
    members: Mapping[str, Sequence[int]],
    keep: int,
    names: Sequence[str],
) -> tuple[list[str], Array, int]:
    """The `keep` most important inputs, their values as of `swapped_values`, and how many evaluations that took.

    All inputs are swapped at the first 64 points, the better ones, twice as many as wanted, until 192, the best at all.
    Better is a larger estimate of the total order so far, which sees interactions, or of the first order from means of
    the `base` values over ranks of each column, which sees rare events; the largest over the outputs.
    """
    (a, b), (f_a, f_b), points = samples, base, len(samples[0])
    alone = rank_bin_shares(np.concatenate(samples), f_a, f_b, names)
    first = {name: alone[:, list(own)].sum(axis=1).max() for name, own in members.items()}
    if keep == 0:
        return [], np.empty((0, *f_a.shape)), 0
    chosen, start, spent, values = list(members), 0, 0, np.empty((len(members), len(names), 0))
    stages = [(min(stop, points), times * keep) for stop, times in SCREENING] if keep < len(members) else []
    for stop, left in (*stages, (points, keep)):
        if stop > start:
            new = swapped_values(function, a[start:stop], b[start:stop], [members[name] for name in chosen])
            values, spent, start = np.concatenate([values, new], axis=-1), spent + new[:, 0].size, stop
        (x, y, z), _ = on_scale(f_a, f_b, [values], names)
        squared, variance = 0.5 * ((z - x[:, :start]) ** 2).mean(axis=-1), np.concatenate([x, y], axis=1).var(axis=1)
        total = np.divide(squared, variance, out=np.zeros_like(squared), where=variance > 0.0).max(axis=1)
        best = np.argsort(-np.maximum(total, [first[name] for name in chosen]), kind="stable")[:left]
        chosen, values = [chosen[i] for i in best], values[best]
    return chosen, values, spent


def rank_bin_shares(columns: Array, f_a: Array, f_b: Array, names: Sequence[str]) -> Array:
    """First order of each column from means over bins of its ranks, less the bias of so many bins, (output, column)."""
    (x, y), _ = on_scale(f_a, f_b, [], names)
    values = np.concatenate([x, y], axis=1)
    size = values.shape[1]
    bins = np.argsort(np.argsort(columns, axis=0, kind="stable"), axis=0, kind="stable") * BINS // size
    variance = values.var(axis=1)
    found = np.zeros((len(values), columns.shape[1]))
    for j in range(columns.shape[1]):
        count = np.bincount(bins[:, j], minlength=BINS)
        means = np.stack([np.bincount(bins[:, j], v, BINS) for v in values]) / count
        np.divide(means.var(axis=1), variance, out=found[:, j], where=variance > 0.0)
    result: Array = np.maximum(found - (BINS - 1) / size, 0.0)
    return result


def second_order(
    f_a: Array, f_b: Array, f_ab: Array, f_ba: Array, prob: float = PROB, random_seed: int = 1
) -> tuple[Array, Array]:
    """Second order of all pairs of rows, (output, pair), and half the width of its interval, by SALib.

    `f_ab` and `f_ba` are (row, output, point); pairs come as ``itertools.combinations`` has them.
    """
    analyze, rows = salib_analysis(), len(f_ab)
    problem = {"num_vars": rows, "names": [str(i) for i in range(rows)], "bounds": [[0.0, 1.0]] * rows}
    seed = int(stream(random_seed, "pairs").integers(1, 2**31))  # SALib takes 0 for none
    pairs, found = tuple(np.array(list(combinations(range(rows), 2))).T), []
    for i in range(len(f_a)):
        layout = np.column_stack([f_a[i], f_ab[:, i].T, f_ba[:, i].T, f_b[i]]).ravel()
        said = analyze(problem, layout, num_resamples=SALIB_RESAMPLES, conf_level=prob, seed=seed)
        found.append([said["S2"][pairs], said["S2_conf"][pairs]])
    second, half = np.swapaxes(found, 0, 1)
    return second, half


def salib_analysis() -> Callable[..., Any]:
    """SALib's analysis of a Saltelli sample.

    Raises
    ------
    InputError
        Where it is not installed.
    """
    try:
        from SALib.analyze.sobol import analyze
    except ImportError:
        raise InputError(
            "second-order indices need SALib: install the extra with: pip install 'forecast[sensitivity]', or ask for "
            "none with second=0"
        ) from None
    found: Callable[..., Any] = analyze
    return found


def partition(
    members: Mapping[str, Sequence[int]], blocks: Mapping[str, str], chosen: Sequence[str]
) -> dict[str, list[str]]:
    """Rows and the members of each: every chosen one, then the others of each block together.

    >>> partition({"x": [0], "y": [1], "z": [2], "w": [3]}, {"x": "p", "y": "p", "z": "p", "w": "q"}, ["x"])
    {'x': ['x'], '2 others of p': ['y', 'z'], 'w': ['w']}
    """
    rows = {name: [name] for name in chosen}
    for block in dict.fromkeys(blocks[name] for name in members):
        rest = [name for name in members if blocks[name] == block and name not in chosen]
        if rest:
            rows[rest[0] if len(rest) == 1 else f"{len(rest)} others of {block}"] = rest
    return rows


def indices_of(
    function: Function,
    names: Sequence[str],
    samples: tuple[Array, Array],
    members: Mapping[str, Sequence[int]],
    blocks: Mapping[str, str] | None = None,
    inputs: int | None = None,
    second: int = 0,
    random_seed: int = 1,
    prob: float = PROB,
) -> SobolIndices:
    """Sobol indices of any function of independent columns.

    Parameters
    ----------
    function
        Columns (draw, column) -> values (output, draw); never NaN. Infinite values make an output a matter of ranks.
    names
        Of the outputs.
    samples
        Two independent samples of the columns, (point, column), such as quantiles of `base_samples`.
    members
        The columns of each input; several are swapped together.
    blocks
        Block of each input; all in one if None.
    inputs : int, optional
        How many get a row of their own; all if None.
    second : int
        Second order between so many of those.

    Examples
    --------
    >>> found = indices_of(lambda x: (x @ [2.0, 1.0])[None], ["y"], base_samples(2, 256, 1), {"x1": [0], "x2": [1]})
    >>> found.indices.set_index("input")["total"].round(2).to_dict()  # 4 : 1, without interactions
    {'x1': 0.8, 'x2': 0.2}
    """
    a, b = samples
    block_of = dict.fromkeys(members, "inputs") if blocks is None else blocks
    f_a, f_b = np.split(function(np.concatenate(samples)), 2, axis=1)
    keep = len(members) if inputs is None else min(inputs, len(members))
    chosen, f_ab, spent = leading(function, samples, (f_a, f_b), members, keep, names)
    rows = partition(members, block_of, chosen)
    columns = {row: [column for name in own for column in members[name]] for row, own in rows.items()}
    rest = [columns[row] for row in list(rows)[len(chosen) :]]
    led = chosen[:second]
    f_ab = np.concatenate([f_ab, swapped_values(function, a, b, rest)]) if rest else f_ab
    f_ba = swapped_values(function, b, a, [columns[row] for row in led]) if led else f_ab[:0]
    (x, y, xy, yx), scales = on_scale(f_a, f_b, [f_ab, f_ba], names)
    found = estimates(x, y, xy, names, prob, random_seed)
    both = np.concatenate([f_a, f_b], axis=1)
    about = {
        "output": list(names),
        "scale": scales,
        "sd": np.concatenate([x, y], axis=1).std(axis=1),
        "censored": np.mean(~np.isfinite(both), axis=1),
        **ends_of("additive", found.additive),
        "prob": prob,
        "points": len(a),
        "evaluations": spent + (2 + len(rest) + len(led)) * len(a),
    }
    pairs = second_order(x, y, xy[: len(led)], yx, prob, random_seed) if len(led) > 1 else None
    return SobolIndices(
        pd.DataFrame(about), indices_table(names, rows, block_of, chosen, found), pairs_table(names, led, pairs)
    )


def ends_of(name: str, found: Sequence[Array]) -> dict[str, Array]:
    """An estimate and the ends of its interval as columns."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))


def indices_table(
    names: Sequence[str],
    rows: Mapping[str, Sequence[str]],
    blocks: Mapping[str, str],
    chosen: Sequence[str],
    found: Estimates,
) -> pd.DataFrame:
    """First and total order as rows: inputs, then what is left of the blocks, each by total order."""
    tables = []
    for i, name in enumerate(names):
        table = pd.DataFrame(
            {
                "output": name,
                "input": list(rows),
                "block": [blocks[own[0]] for own in rows.values()],
                "parameters": [len(own) for own in rows.values()],
                **ends_of("first", [x[:, i] for x in found.first]),
                **ends_of("total", [x[:, i] for x in found.total]),
            }
        )
        order = np.lexsort((-table["total"], ~table["input"].isin(chosen)))
        tables.append(table.iloc[order])
    return pd.concat(tables, ignore_index=True)


def pairs_table(names: Sequence[str], led: Sequence[str], found: tuple[Array, Array] | None) -> pd.DataFrame:
    """Second order as rows, the strongest first."""
    columns = ["output", "input", "other", "second", "second_low", "second_high"]
    if found is None:
        return pd.DataFrame(columns=columns)
    (one, other), tables = zip(*combinations(led, 2), strict=True), []
    for i, name in enumerate(names):
        value, half = found[0][i], found[1][i]
        table = pd.DataFrame(dict(zip(columns, (name, one, other, value, value - half, value + half), strict=True)))
        tables.append(table.sort_values("second", ascending=False, kind="stable"))
    return pd.concat(tables, ignore_index=True)
