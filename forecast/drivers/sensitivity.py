"""What drives an output, on the draws of a run: shares of variance, Shapley effects, worth of knowing, tornado, scaling.

The draws of a posterior are dependent, so Sobol's indices do not apply: an input explains what it alone can say
(`last`), what it says together with others (`first`), and something between the two is its due (Shapley).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from threadpoolctl import threadpool_limits

from forecast.drivers.inputs import Inputs, block_names, inputs_of
from forecast.drivers.outputs import Output, analysed, evaluator, parsed_outputs
from forecast.drivers.regression import Folds, alone, prepared, reading, without
from forecast.drivers.scaling import power_scaling
from forecast.drivers.shapley import ORDERS, Effects, Shares, shapley_effects, shares_of
from forecast.drivers.splines import Features, screened, splines
from forecast.drivers.tornado import DRAWS, tornado
from forecast.drivers.worth import information_bits, rank_correlations
from forecast.errors import InputError
from forecast.executors import completed, executor_from
from forecast.runs import parameters_of, read_provenance, sample_shape

Array = npt.NDArray[np.float64]
TOP = 12
OTHERS = "all others"
UNEXPLAINED = "not resolved"
ENOUGH_DRAWS = 200


@dataclass(frozen=True)
class Sensitivity:
    """Tables of what drives some outputs of a run; each has a column ``output``.

    Attributes
    ----------
    outputs
        Per output: units, definition, ``scale`` on which its variance is taken (value, rank or event), its standard
        deviation there, and the share of the variance that the regression explains.
    blocks, inputs
        Shapley effects with 90% intervals: of every block, and of the `top` inputs and all others together.
    worth
        Per input: ``first`` share of the variance that knowing it removes, with its interval; ``last``, what it alone can
        say when all others are known; ``sd_known``, the standard deviation left in units (NaN for ranks); for events
        ``brier`` and ``bits``; rank correlation.
    tornado
        Medians with each of the top inputs at its 10th and its 90th percentile.
    scaling
        Power-scaling of every prior and table; empty for draws of the prior.
    """

    outputs: pd.DataFrame
    blocks: pd.DataFrame
    inputs: pd.DataFrame
    worth: pd.DataFrame
    tornado: pd.DataFrame
    scaling: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Problem(NamedTuple):
    """One output with the columns it is regressed on."""

    output: Output
    analysed: Array
    scale: str
    features: Features
    data: Folds


def sensitivity(
    run: xr.DataTree,
    outputs: Sequence[str] | None = None,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    *,
    top: int = TOP,
    orders: int = ORDERS,
    scaling: bool = True,
    random_seed: int = 1,
    executor: str | Executor | None = None,
) -> Sensitivity:
    """What drives some outputs of a run.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run, whole (`load_run`), or one of the prior.
    outputs : sequence of str, optional
        Names as in ``drivers.outputs``: ``takeoff_years``, ``log10_parallel_streams@2031``, ``year_100<2031``; the two
        headline answers if None.
    scenario : str
        Name of a shipped scenario.
    years : iterable of int, optional
        The window, as for `takeoff`.
    top : int
        Inputs that get a Shapley effect of their own, those with the largest mean of `first` and `last`.
    orders : int
        Random orders in the Shapley effects; more make narrower intervals.
    scaling : bool
        Compute power-scaling too, which needs the densities of a whole fitted run.
    random_seed : int
        Of the orders and the bootstrap.
    executor : str or concurrent.futures.Executor, optional
        Where the outputs are analysed, one a task, as `forecast.executors.executor_from` has it; the numbers are the same.

    Returns
    -------
    Sensitivity

    Raises
    ------
    InputError
        For an unknown output or scenario, too few draws, or an output that is the same in all draws.

    Examples
    --------
    >>> from forecast import load_run
    >>> found = sensitivity(load_run("forecast-out/run.nc"))  # doctest: +SKIP
    >>> found.inputs.head(3)  # doctest: +SKIP
    """
    if top < 1 or orders < 2:
        raise InputError(f"top = {top}, orders = {orders}: give at least 1 input and 2 orders")
    p, shape, wanted = parameters_of(run), sample_shape(run), parsed_outputs(outputs)
    if shape[0] * shape[1] < ENOUGH_DRAWS:
        raise InputError(
            f"{shape[0] * shape[1]} draws are too few to say what drives them: give at least {ENOUGH_DRAWS}"
        )
    compute = evaluator(wanted, float(p["as_of_year"]), scenario, years)
    values = compute(p, shape[0] * shape[1])
    inputs = inputs_of(run)
    with (
        threadpool_limits(1),
        executor_from(executor) as pool,
    ):  # small factorisations: threads would wait for each other
        asked = Asked(splines(inputs.columns), inputs, top, orders, random_seed)
        tasks = [(output, values[output.name]) for output in wanted]
        found = dict(completed(shares_of_output, tasks, pool, common=asked))
    parts = [found[i] for i in range(len(tasks))]
    joined = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    shown = list(dict.fromkeys(name for name in joined["inputs"]["input"] if inputs.names.count(name) == 1))
    swing = tornado(run, wanted, compute, shown, draws=DRAWS)
    fitted = read_provenance(run).get("kind") == "posterior"
    scaled = power_scaling(run, wanted, values) if scaling and fitted else pd.DataFrame()
    return Sensitivity(**joined, tornado=swing, scaling=scaled)


class Asked(NamedTuple):
    """What the analyses of all outputs share."""

    curves: list[Array]
    inputs: Inputs
    top: int
    orders: int
    random_seed: int


def shares_of_output(asked: Asked, task: tuple[Output, Array]) -> dict[str, pd.DataFrame]:
    """`shares_tables` as a task."""
    output, values = task
    return shares_tables(output, values, asked.curves, asked.inputs, asked.top, asked.orders, asked.random_seed)


def shares_tables(
    output: Output, values: Array, curves: list[Array], inputs: Inputs, top: int, orders: int, random_seed: int
) -> dict[str, pd.DataFrame]:
    """Tables of one output from its draws alone."""
    one = problem(output, values, curves, inputs)
    blocks = effects(one, inputs.groups(block_names(inputs)), inputs, random_seed, orders)
    worth = worth_table(one, inputs, curves, float(blocks.explained.share[0]), random_seed)
    led = effects(one, leaders(worth, inputs, top), inputs, random_seed, orders)
    return {
        "outputs": output_table(one, values, blocks.explained),
        "blocks": effects_table(output, "block", blocks),
        "inputs": effects_table(output, "input", led),
        "worth": worth,
    }


def problem(output: Output, values: Array, curves: list[Array], inputs: Inputs) -> Problem:
    """The output as its variance is taken, and its columns."""
    y, scale = analysed(output, values)
    if float(y.std()) <= 1e-12 * float(np.abs(y).max() or 1.0):
        raise InputError(f"output {output.name!r} is the same in all draws: nothing drives it; choose another")
    features = screened(curves, y)
    return Problem(output, y, scale, features, prepared(features.columns, y, inputs.segment))


def effects(
    one: Problem, players: Mapping[str, Sequence[int]], inputs: Inputs, random_seed: int, orders: int
) -> Effects:
    """Shapley effects of some groups of inputs."""
    return shapley_effects(one.data, one.features, players, inputs.segment, random_seed, orders)


def worth_table(one: Problem, inputs: Inputs, curves: list[Array], explained: float, random_seed: int) -> pd.DataFrame:
    """What each input is worth, the largest mean of `first` and `last` first."""
    groups, y, output = inputs.groups(), one.data.output, one.output
    columns = [np.column_stack([curves[i] for i in group]) for group in groups.values()]
    first = first_shares(columns, y, inputs, random_seed)
    kept = shares_of(without(one.data, [reading(one.features, group) for group in groups.values()]), y, inputs.segment)
    variance = float(y.var())
    bits = information_bits(columns, one.analysed, inputs.segment, random_seed) if output.is_event else None
    blank = np.full(len(groups), np.nan)
    left = np.sqrt(np.maximum(1.0 - np.clip(first.share, 0.0, 1.0), 0.0) * variance)
    correlation = rank_correlations(inputs.columns, one.analysed)
    frame = pd.DataFrame(
        {
            "output": output.name,
            "input": list(groups),
            "block": [block_names(inputs)[name] for name in groups],
            "first": first.share,
            "first_low": first.low,
            "first_high": first.high,
            "last": explained - kept.share,
            "sd_known": left if one.scale == "value" else blank,
            "brier": np.maximum(first.share, 0.0) * variance if output.is_event else blank,
            "bits": blank if bits is None else bits.share,
            "bits_low": blank if bits is None else bits.low,
            "bits_high": blank if bits is None else bits.high,
            "rank_correlation": [correlation[g[0]] if len(g) == 1 else np.nan for g in groups.values()],
        }
    )
    order = np.argsort(-(frame["first"] + frame["last"]).to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def first_shares(columns: list[Array], y: Array, inputs: Inputs, random_seed: int) -> Shares:
    """Share of the variance that each input explains on its own, by all its columns."""
    width = np.cumsum([0, *(part.shape[1] for part in columns)])
    joined = np.column_stack(columns)
    data = prepared(joined / joined.std(axis=0), y, inputs.segment, ridge=1e-3)
    sets = [np.arange(start, stop) for start, stop in pairwise(width)]
    return shares_of(alone(data, sets), y, inputs.segment, random_seed)


def leaders(worth: pd.DataFrame, inputs: Inputs, top: int) -> dict[str, list[int]]:
    """Columns of the leading inputs, and of all others as one player."""
    groups = inputs.groups()
    chosen = list(worth["input"][:top])
    players = {name: groups[name] for name in chosen}
    rest = [index for name, group in groups.items() if name not in players for index in group]
    return players | ({OTHERS: rest} if rest else {})


def effects_table(output: Output, kind: str, found: Effects) -> pd.DataFrame:
    """Shapley effects as rows, the largest first; what is left of 100% last."""
    order = np.argsort(-found.effects.share, kind="stable")
    if OTHERS in found.players:
        order = np.r_[order[order != found.players.index(OTHERS)], found.players.index(OTHERS)]
    share, low, high = (
        np.r_[part[order], end] for part, end in zip(found.effects, rest_of(found.explained), strict=True)
    )
    names = [*(found.players[i] for i in order), UNEXPLAINED]
    return pd.DataFrame({"output": output.name, kind: names, "share": share, "low": low, "high": high})


def rest_of(explained: Shares) -> tuple[float, float, float]:
    """What the regression misses, with its interval."""
    return 1.0 - float(explained.share[0]), 1.0 - float(explained.high[0]), 1.0 - float(explained.low[0])


def output_table(one: Problem, values: Array, explained: Shares) -> pd.DataFrame:
    """What an output is and how much of it is explained."""
    row: dict[str, Any] = {
        "output": one.output.name,
        "units": one.output.units,
        "scale": one.scale,
        "sd": float(one.analysed.std()),
        "censored": float(np.mean(~np.isfinite(values))),
        "explained": float(explained.share[0]),
        "definition": one.output.definition,
    }
    return pd.DataFrame([row])
