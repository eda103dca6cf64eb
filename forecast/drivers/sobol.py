"""Sobol indices of the prior: how much of an output's variance each input explains alone, and with all its interactions.

The inputs of a prior are independent; those of a posterior are not, and its draws are refused. At the default 1,024 points
the 90% intervals of the leading inputs are 5 percentage points either way, those of the sum of all first orders 20;
four times the points halve both. Over seeds the estimates scatter by 0.85 of what the intervals say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from forecast.drivers.inputs import BLOCK_OF
from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.drivers.pick_freeze import PROB, SCREENING, Array, SobolIndices, base_samples, indices_of, salib_analysis
from forecast.drivers.tables import NAMED, joined, share
from forecast.dynamics.flow import Engine, engine_for
from forecast.equations import trends
from forecast.equations.research import production
from forecast.errors import InputError
from forecast.executors import completed, executor_from, once
from forecast.progress import Progress, silent
from forecast.results import BLOCK, require_finite
from forecast.runs import read_provenance
from forecast.schema import ALTERNATIVES, PRODUCTION, STATED
from forecast.side_draws import recorded_prior
from forecast.statements import Prior
from forecast.words import percent

Quantile = Callable[[Array], Array]
INPUTS = 12
SECOND = 8
POINTS = 1024
SCREENED = 6_000  # evaluations that find the inputs
CLEAR = 3.0  # standard errors: of 28 pairs without effect, 1 time in 25 one lies beyond


class PriorInputs(NamedTuple):
    """The inputs of a prior: quantile function of each column, and the columns of each parameter."""

    quantiles: tuple[Quantile, ...]
    members: dict[str, list[int]]


def prior_inputs(record: Mapping[str, Any], as_of_year: float) -> PriorInputs:
    """The parameters that vary under the priors that a run records, and that a forecast may read.

    One that another is stated instead of is no input; neither are those of single model families, which no forecast reads.
    """
    said = record["priors"]
    replaced = {instead for name, instead in ALTERNATIVES.items() if said.get(name)}
    quantiles: list[Quantile] = []
    members: dict[str, list[int]] = {}
    for name, variable in STATED.items():
        if name in replaced or (name in PRODUCTION and not said.get(name)):
            continue
        prior = recorded_prior(dict(record), name)
        if prior.distribution == "fixed" or (variable.dims and prior.distribution != "Dirichlet"):
            continue
        own = quantile_functions(prior, as_of_year)
        members[name] = list(range(len(quantiles), len(quantiles) + len(own)))
        quantiles += own
    return PriorInputs(tuple(quantiles), members)


def quantile_functions(prior: Prior, as_of_year: float) -> list[Quantile]:
    """A parameter's quantile function; for shares one for each part that a break takes of what is left of the stick.

    >>> from forecast.statements import stated
    >>> len(quantile_functions(stated("Dirichlet", {"params": {"a": [2.0, 1.0, 1.0]}}), 2026.8))
    2
    """
    if prior.distribution == "Dirichlet":
        weights = np.array(prior.params["a"], dtype=float)
        rest = weights[::-1].cumsum()[::-1][1:]
        return [stats.beta(one, others).ppf for one, others in zip(weights[:-1], rest, strict=True)]
    return [lambda level: np.asarray(prior.quantile(level, as_of_year), dtype=float)]


def shares_of_sticks(parts: Array) -> Array:
    """Shares that add up to 1, (draw, share), from the part each break takes of what is left, (draw, share - 1).

    >>> shares_of_sticks(np.array([[0.5, 0.25]])).tolist()
    [[0.5, 0.125, 0.375]]
    """
    one = np.ones((len(parts), 1))
    return np.hstack([parts, one]) * np.hstack([one, np.cumprod(1.0 - parts, axis=1)])


def prior_parameters(run: xr.DataTree, inputs: PriorInputs) -> Callable[[Array], dict[str, Any]]:
    """The function from columns (draw, column) to parameters and constants, with what follows from them."""
    record, constants = read_provenance(run), run["constant_data"].to_dataset()
    fixed = {str(name): array.values[()] for name, array in constants.data_vars.items() if array.ndim == 0}
    said = {name: recorded_prior(record, name) for name in STATED if record["priors"].get(name)}
    fixed |= {name: prior.params["value"] for name, prior in said.items() if prior.distribution == "fixed"}
    years, stated_otherwise = constants["horizon_years"].values, any(name in said for name in PRODUCTION)

    def parameters(columns: Array) -> dict[str, Any]:
        p: dict[str, Any] = dict(fixed)
        for name, own in inputs.members.items():
            several = bool(STATED[name].dims)
            p[name] = shares_of_sticks(columns[:, own]) if several else np.ascontiguousarray(columns[:, own[0]])
        p |= production(p) if stated_otherwise else {}
        p["effective_flop_centre"] = trends.effective_flop_centre(years, p)
        require_finite(p)
        return p

    return parameters


def sobol(
    run: xr.DataTree,
    outputs: Sequence[str] | None = None,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    inputs: int = INPUTS,
    second: int = SECOND,
    points: int = POINTS,
    random_seed: int = 1,
    on: str = "prior",
    prob: float = PROB,
    progress: Progress = silent,
    executor: str | Executor | None = None,
) -> SobolIndices:
    """Sobol indices of the prior through the take-off.

    Parameters
    ----------
    run : xarray.DataTree
        Any run; only the priors and constants that it records are read, so that the indices are those of the prior even
        where the run is fitted.
    outputs : sequence of str, optional
        Names as in ``drivers.outputs``; the two headline answers if None. All share the same evaluations.
    scenario, years
        As for `takeoff`.
    inputs : int
        How many of the most important inputs get a row of their own (`leading` says how they are found); of each block
        all others make one row, swapped as a whole.
    second : int
        Second order between so many of those, the largest total orders; 0 needs no SALib.
    points : int
        Base points, a power of 2. The forecast is evaluated (rows + 2 + second) x points times and 6,000 times more to
        find the inputs.
    random_seed : int
    on : str
        Only "prior".
    prob : float
        Mass of the intervals.
    progress : callable
        Told of the evaluations done and of those wanted at most.
    executor : str or concurrent.futures.Executor, optional
        Where the forecast is evaluated, as `forecast.executors.executor_from` has it; the numbers are the same.

    Returns
    -------
    SobolIndices
        Tables of indices, pairs and how the inputs were found.

    Raises
    ------
    InputError
        For ``on="posterior"``, an unknown output or scenario, an output that does not vary, or without SALib.

    Examples
    --------
    >>> from forecast import load_run
    >>> sobol(load_run("forecast-out/run.nc"), second=0).indices.head(3)  # doctest: +SKIP
    """
    check_on(on)
    check_arguments(inputs, second, points, random_seed)
    wanted = parsed_outputs(outputs)
    names, as_of = [output.name for output in wanted], float(run["constant_data"]["as_of_year"])
    own = prior_inputs(read_provenance(run), as_of)
    rows = min(inputs, len(own.members)) + len({BLOCK_OF[name] for name in own.members})
    most, done = (rows + 2 + second) * points + SCREENED, 0
    asked = points_of(run, names, scenario, years, engine_for("auto", most))
    compute = values_at(asked)

    def function(columns: Array) -> Array:
        nonlocal done
        progress("Sobol indices", min(done, most - 1), most)
        done += len(columns)
        return compute(columns) if pool is None else in_pieces(asked, columns, pool)

    a, b = (
        np.column_stack([quantile(level) for quantile, level in zip(own.quantiles, levels.T, strict=True)])
        for levels in base_samples(len(own.quantiles), points, random_seed)
    )
    blocks = {name: BLOCK_OF[name] for name in own.members}
    with executor_from(executor) as pool:
        found = indices_of(function, names, (a, b), own.members, blocks, inputs, second, random_seed, prob)
    progress("Sobol indices", most, most)
    about = found.outputs.assign(scenario=scenario)
    about["scale"] = [
        "event" if output.is_event else scale for output, scale in zip(wanted, about["scale"], strict=True)
    ]
    about.insert(1, "units", [output.units for output in wanted])
    about["definition"] = [output.definition for output in wanted]
    return found._replace(outputs=about)


class Points(NamedTuple):
    """What is evaluated at points of the prior: a run without its draws, names of outputs, scenario, window, engine."""

    key: str
    run: xr.DataTree
    names: tuple[str, ...]
    scenario: str
    years: tuple[int, ...] | None
    engine: Engine


def points_of(
    run: xr.DataTree, names: Sequence[str], scenario: str, years: Iterable[int] | None, engine: Engine = "numpy"
) -> Points:
    """What `values_at` and other processes need."""
    bare = xr.DataTree.from_dict({"constant_data": run["constant_data"].to_dataset()})
    bare.attrs = {"forecast": run.attrs["forecast"]}
    window = None if years is None else tuple(years)
    said = repr((run.attrs["forecast"], tuple(names), scenario, window, engine))
    return Points(hashlib.sha256(said.encode()).hexdigest(), bare, tuple(names), scenario, window, engine)


def values_at(asked: Points) -> Callable[[Array], Array]:
    """The function from columns (draw, column) to values (output, draw)."""
    as_of = float(asked.run["constant_data"]["as_of_year"])
    compute = evaluator(parsed_outputs(asked.names), as_of, asked.scenario, asked.years, engine=asked.engine)
    parameters = prior_parameters(asked.run, prior_inputs(read_provenance(asked.run), as_of))

    def values(columns: Array) -> Array:
        found = compute(parameters(columns), len(columns))
        return np.stack([found[name] for name in asked.names])

    return values


def piece_values(asked: Points, columns: Array) -> Array:
    """`values_at` some columns, what it needs being made once per process."""
    return once("points of the prior", asked.key, lambda: values_at(asked))(columns)


def in_pieces(asked: Points, columns: Array, pool: Executor) -> Array:
    """`values_at` all columns, in pieces that are those of `forecast.results.in_blocks`, so that the numbers are the same."""
    pieces = [columns[start : start + BLOCK] for start in range(0, len(columns), BLOCK)]
    found = dict(completed(piece_values, pieces, pool, common=asked))
    return np.concatenate([found[i] for i in range(len(pieces))], axis=1)


def check_on(on: str) -> None:
    """Refuse draws that are not those of the prior, with the method that is right for them."""
    if on == "posterior":
        raise InputError(
            "Sobol indices of posterior draws are noise, because they suppose independent inputs and a posterior's depend "
            'on each other: use Shapley effects (forecast.sensitivity, forecast sensitivity RUN) or on="prior"'
        )
    if on != "prior":
        raise InputError(f'on = {on!r}: Sobol indices are those of the prior, on="prior"')


def check_arguments(inputs: int, second: int, points: int, random_seed: int) -> None:
    """Refuse what cannot be done before the first evaluation."""
    if points < SCREENING[0][0] or points & (points - 1):
        raise InputError(f"points = {points}: give a power of 2, {SCREENING[0][0]} or more, such as 1024")
    if inputs < 0 or second < 0 or second == 1 or random_seed < 0:
        raise InputError(
            f"inputs = {inputs}, second = {second}, random_seed = {random_seed}: give none below 0, and second order "
            "between 2 inputs or more"
        )
    if second:
        salib_analysis()


def sobol_words(found: SobolIndices, rows: int = 8) -> pd.DataFrame:
    """The strongest rows of each output for people."""
    parts = []
    for output, table in found.indices.groupby("output", sort=False):
        top = table.sort_values("total", ascending=False, kind="stable").head(rows)
        parts.append(
            pd.DataFrame(
                {
                    "Output": [str(output)] * len(top),
                    "Input": top["input"].tolist(),
                    "Block": top["block"].tolist(),
                    "Alone": [with_ends(row, "first") for _, row in top.iterrows()],
                    "With interactions": [with_ends(row, "total") for _, row in top.iterrows()],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def with_ends(row: pd.Series, name: str) -> str:
    """An index with its interval in words."""
    value, low, high = (share(float(row[key])) for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value} ({low} to {high})"


def sobol_sentences(found: SobolIndices) -> tuple[str, ...]:
    """Per output: the three inputs of the prior that lead, how much of the variance is interactions, the strongest pair."""
    return tuple(
        sentence(about, *(table[table["output"] == about["output"]] for table in (found.indices, found.pairs)))
        for _, about in found.outputs.iterrows()
    )


def sentence(about: pd.Series, table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """What leads one output."""
    whole = {
        "rank": f"the variance of its ranks ({percent(about['censored'])} of draws never get there and share one)",
        "event": "the variance of this event",
    }.get(str(about["scale"]), "its variance")
    led = table[table["parameters"] == 1].sort_values("total", ascending=False, kind="stable").head(NAMED)
    names = [f"{row['input']} ({share(row['first'])} and {share(row['total'])})" for _, row in led.iterrows()]
    said = (
        f"Under the prior, before any data, {about['output']} varies most with {joined(names)}: of {whole} the first figure "
        "is what an input explains alone, the second what it has a part in. Taken one by one, all inputs explain "
        f"{with_ends(about, 'additive')}; the other {share(1.0 - about['additive'])} are interactions."
    )
    if pairs.empty:
        return said
    best, width = pairs.iloc[0], stats.norm.ppf(0.5 + 0.5 * about["prob"])
    if best["second"] * width < CLEAR * (best["second_high"] - best["second"]):
        return f"{said} No single pair stands out of the noise."
    return f"{said} The strongest pair, {best['input']} with {best['other']}, adds {with_ends(best, 'second')}."
