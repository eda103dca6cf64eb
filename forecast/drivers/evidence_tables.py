"""The tables of ``drivers.evidence``: how far each block moves the answers, and what it says of each parameter.

Pure functions of draws; ``tests/drivers/test_evidence.py`` gives them draws whose answers are known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import stats

from forecast.drivers.information import FEWEST, kl_bits
from forecast.drivers.outputs import Output, parsed_outputs
from forecast.errors import DAMAGED
from forecast.places import sources_digest
from forecast.priors import Priors
from forecast.quantiles import quantile
from forecast.records import ELEMENTS, NUISANCE
from forecast.results import checked_years
from forecast.runs import read_provenance
from forecast.schema import BLOCKS
from forecast.views import support, unconstrained

Array = npt.NDArray[np.float64]
Blocks = frozenset[str]
PRIOR, ADDED, LEFT_OUT = "prior", "added", "left out"
NOTHING, EVERYTHING = frozenset[str](), frozenset(BLOCKS)
LEVELS = {"low": 0.05, "inner_low": 0.25, "median": 0.5, "inner_high": 0.75, "high": 0.95}
MADE_BY = (  # the equations, the model, the dynamics and what makes these tables
    "equations/*.py",
    "model/*.py",
    "dynamics/*.py",
    "drivers/evidence.py",
    "drivers/evidence_tables.py",
    "drivers/information.py",
    "drivers/outputs.py",
)
MOVING = ("median", "width", "probability")
ONE_SIGMA = (float(stats.norm.cdf(-1.0)), float(stats.norm.cdf(1.0)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What each block of observations does to the answers and to the parameters.

    Attributes
    ----------
    steps
        A row per output and step: `kind` "added" (block "prior" first; the last is the posterior) or "left out", the
        `block`; `low`, `median`, `high` (equal-tailed, 90%), `inner_low` and `inner_high` (50%), `width` = high - low.
        Units are the output's, log10 outputs in OOM; +inf is "not within the window". Outputs that only exist at full
        automation are taken over the draws that reach it. `probability` is that of the event; of any other output, that
        it has no finite value in the window. An event has no quantiles (NaN). ``*_error`` are Monte Carlo standard
        errors; ``*_change`` are against the step before where a block was added, and against the posterior where it was
        left out (NaN for the prior; 0 between two infinities). `converged` is the verdict on the fits behind the step.
    information
        A row per `kind`, `block` and `parameter` that the block reaches, if through others: `bits`, `raw` and `error` of
        ``information.kl_bits``, from the draws before the block was added to those with it, or from the draws without
        it to the posterior where it was left out. On the same unconstrained scale `shift` is how far the median goes
        and `spread` what is left of half the 68% interval, both relative to that half interval without the block. A
        parameter without a row is told nothing.
    fits
        A row per refit: its active `blocks`, what the convergence gate says of it, and whether it `converged`.
    outputs, scenario, last_year
        What was asked: names, scenario and end of the window.
    """

    steps: pd.DataFrame
    information: pd.DataFrame
    fits: pd.DataFrame
    outputs: tuple[str, ...]
    scenario: str
    last_year: int


class State(NamedTuple):
    """A run under some blocks; the blocks that each parameter has learned from together; the verdict on the fits."""

    run: xr.DataTree
    learned: Mapping[str, Blocks]
    converged: bool


def comparisons() -> list[tuple[str, str, Blocks, Blocks]]:
    """Kind and block of every step, what is active with the block, and what without it."""
    steps = [(ADDED, block, frozenset(BLOCKS[: i + 1]), frozenset(BLOCKS[:i])) for i, block in enumerate(BLOCKS)]
    return steps + [(LEFT_OUT, block, EVERYTHING, EVERYTHING - {block}) for block in BLOCKS]


def steps_table(
    outputs: Sequence[Output], values: Mapping[Blocks, Mapping[str, Array]], converged: Mapping[Blocks, bool]
) -> pd.DataFrame:
    """`Evidence.steps` from the values (chain, draw) of every output under every set of blocks."""
    rows = []
    for output in outputs:
        found = {blocks: summarised(output, state[output.name]) for blocks, state in values.items()}
        start = dict.fromkeys((f"{name}_change" for name in MOVING), np.nan)
        first = {"output": output.name, "kind": ADDED, "block": PRIOR}
        rows.append(first | found[NOTHING] | start | {"converged": converged[NOTHING]})
        for kind, block, with_it, without in comparisons():
            new, old = (with_it, without) if kind == ADDED else (without, with_it)
            moved = {f"{name}_change": difference(found[new][name], found[old][name]) for name in MOVING}
            step = {"output": output.name, "kind": kind, "block": block}
            rows.append(step | found[new] | moved | {"converged": converged[new]})
    return pd.DataFrame(rows)


def summarised(output: Output, values: Array) -> dict[str, float]:
    """Quantiles, width and probability of an output's values (chain, draw), with Monte Carlo standard errors.

    >>> found = summarised(parsed_outputs(["takeoff_years"])[0], np.array([[1.0, 2.0, np.inf, 3.0, np.inf]] * 4))
    >>> found["median"], found["high"], found["width"], found["probability"]
    (3.0, inf, inf, 0.4)
    """
    if output.is_event:
        nothing = dict.fromkeys((*LEVELS, "width", "median_error", "width_error"), np.nan)
        return nothing | {"probability": float(values.mean()), "probability_error": mean_error(values)}
    exists = values > -np.inf
    levels = dict(zip(LEVELS, quantiles(values[exists], list(LEVELS.values())), strict=True))
    low, middle, high = (quantile_error(values, LEVELS[name]) for name in ("low", "median", "high"))
    outside = (~np.isfinite(values)).astype(float)
    return levels | {
        "width": difference(levels["high"], levels["low"]),
        "probability": float(outside.mean()),
        "median_error": middle,
        "width_error": float(np.hypot(low, high)),
        "probability_error": mean_error(outside),
    }


def quantiles(values: Array, levels: Sequence[float]) -> list[float]:
    """Quantiles of draws, +inf where they need a censored one; NaN without a draw."""
    if values.size == 0:
        return [np.nan] * len(levels)
    found: list[float] = quantile(xr.DataArray(values.ravel(), dims="draw"), levels).values.tolist()
    return found


def difference(new: float, old: float) -> float:
    """How far a number has moved; two infinities have not.

    >>> difference(np.inf, np.inf), difference(3.0, np.inf)
    (0.0, -inf)
    """
    return 0.0 if new == old else new - old


def effective(values: Array, method: str = "bulk") -> float:
    """Effective number of draws (chain, draw)."""
    import arviz as az  # a second to import

    return float(az.ess(values, method=method))


def mean_error(values: Array) -> float:
    """Monte Carlo standard error of a mean of draws (chain, draw)."""
    spread = float(values.std())
    return spread / np.sqrt(effective(values, "mean")) if spread > 0.0 else 0.0


def quantile_error(values: Array, level: float) -> float:
    """Monte Carlo standard error of a quantile over the draws (chain, draw) that have a value, -inf being none.

    Half the distance between the quantiles that a beta distribution of so many effective draws puts a standard deviation
    below and above (Vehtari et al. 2021, Rank-normalization, folding, and localization, section 4).
    """
    exists = values > -np.inf
    if not exists.any():
        return np.nan
    (centre,) = quantiles(values[exists], [level])
    below = np.where(exists, (values <= centre) - level, 0.0)
    share = effective(below, "mean") / below.size if below.std() > 0.0 else 1.0
    size = max(exists.sum() * min(share, 1.0), 1.0)
    places = stats.beta(size * level + 1.0, size * (1.0 - level) + 1.0).ppf(ONE_SIGMA)
    low, high = quantiles(values[exists], places.tolist())
    return difference(high, low) / 2.0


def information_table(states: Mapping[Blocks, State], priors: Priors, as_of: float) -> pd.DataFrame:
    """`Evidence.information`: every parameter whose draws are not those of the same independent group of blocks."""
    thin = {blocks: dict(independent(state, priors, as_of)) for blocks, state in states.items()}
    rows: list[dict[str, Any]] = []
    known: dict[tuple[Blocks, Blocks], list[dict[str, Any]]] = {}  # leaving the last block out is not adding it
    for kind, block, new, old in comparisons():
        if (new, old) not in known:
            known[new, old] = list(divergences(states[new], states[old], thin[new], thin[old]))
        rows += [{"kind": kind, "block": block} | row for row in known[new, old]]
    return pd.DataFrame(rows, columns=["kind", "block", "parameter", "bits", "raw", "error", "shift", "spread"])


def divergences(
    new: State, old: State, draws: Mapping[str, Mapping[str, Array]], before: Mapping[str, Mapping[str, Array]]
) -> Iterator[dict[str, Any]]:
    """Divergence of every parameter that learned from other blocks than before, those of a vector by their labels."""
    for name, columns in draws.items():
        if new.learned.get(name) != old.learned.get(name):
            for label, values in columns.items():
                other = before[name][label]
                yield {"parameter": label} | kl_bits(values, other)._asdict() | moved(values, other)


def moved(new: Array, old: Array) -> dict[str, float]:
    """Shift of the median and what is left of the spread, relative to the spread before: half of the 68% interval.

    >>> {name: round(value, 2) for name, value in moved(np.linspace(1.0, 2.0, 101), np.linspace(0.0, 2.0, 101)).items()}
    {'shift': 0.73, 'spread': 0.5}
    """
    ends = [np.quantile(draws, [ONE_SIGMA[0], 0.5, ONE_SIGMA[1]]) for draws in (new, old)]
    (low, middle, high), (low_before, before, high_before) = ends
    unit = (high_before - low_before) / 2.0
    return {"shift": float((middle - before) / unit), "spread": float((high - low) / 2.0 / unit)}


def independent(state: State, priors: Priors, as_of: float) -> Iterator[tuple[str, dict[str, Array]]]:
    """Every parameter that varies by name, as label -> draws: unconstrained, and thinned to about the effective ones."""
    posterior = state.run["posterior"].to_dataset()
    for name, prior in priors.items():
        if name not in posterior or name in NUISANCE or prior.distribution == "fixed":
            continue
        array = posterior[name].transpose("chain", "draw", ...).values
        labels = [f"{name} ({label})" for label in ELEMENTS[name]] if name in ELEMENTS else [name]
        entries = array.reshape(*array.shape[:2], len(labels))
        ends = (0.0, 1.0) if name in ELEMENTS else support(prior, as_of)
        yield name, {label: thinned(unconstrained(entries[..., i], ends)) for i, label in enumerate(labels)}


def thinned(values: Array) -> Array:
    """Draws (chain, draw) in a row; where those of a chain depend on their neighbours, about as many as are effective."""
    step = round(values.size / max(effective(values), FEWEST))
    step = max(1, min(step, values.size // FEWEST))
    result: Array = values[:, ::step].ravel()
    return result


def fit_row(blocks: Blocks, record: Mapping[str, Any]) -> dict[str, Any]:
    """The gate's record of a refit as a row of `Evidence.fits`."""
    numbers = {name: record[name] for name in ("divergences", "max_rhat", "min_ess_bulk", "min_ess_tail")}
    failures = "; ".join(record["failures"])
    return {"blocks": set_words(blocks)} | numbers | {"converged": record["passed"], "failures": failures}


def set_words(blocks: Blocks) -> str:
    """A set of blocks in words.

    >>> set_words(EVERYTHING - {"compute"}), set_words(frozenset(("utilization", "depth_scaling")))
    ('all but compute', 'depth_scaling, utilization')
    """
    if len(EVERYTHING - blocks) == 1:
        return f"all but {next(iter(EVERYTHING - blocks))}"
    return ", ".join(block for block in BLOCKS if block in blocks)


def evidence_key(
    run: xr.DataTree,
    outputs: Sequence[str] | None = None,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
) -> str:
    """SHA-256 of what the evidence of a run depends on: its fit, what is asked, and the sources that answer."""
    as_of = float(run["constant_data"]["as_of_year"])
    asked = [[output.name for output in parsed_outputs(outputs)], scenario, checked_years(years, as_of)]
    content = [read_provenance(run)["digests"]["fit"], *asked, sources_digest(*MADE_BY)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def stored_evidence(found: Evidence, key: str) -> str:
    """The evidence as one JSON text, with the key of what it was made from."""
    frames = {name: plain(getattr(found, name)) for name in ("steps", "information", "fits")}
    asked = {"outputs": list(found.outputs), "scenario": found.scenario, "last_year": found.last_year}
    return json.dumps({"key": key} | frames | asked)


def restored_evidence(text: str | None, key: str) -> Evidence | None:
    """The evidence of `stored_evidence` if it was made from the same things."""
    try:
        record = json.loads(text or "{}")
        if record.get("key") != key:
            return None
        frames = {name: pd.DataFrame(**record[name]) for name in ("steps", "information", "fits")}
        return Evidence(**frames, outputs=tuple(record["outputs"]), **{k: record[k] for k in ("scenario", "last_year")})
    except DAMAGED:  # or of another version: computed anew
        return None


def plain(frame: pd.DataFrame) -> dict[str, Any]:
    """A table in JSON's own types, and Python's Infinity and NaN."""
    return {"columns": [str(name) for name in frame], "data": frame.astype(object).to_numpy().tolist()}
