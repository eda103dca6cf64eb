"""Does the prior believe what cannot be: the share of its draws whose outputs leave what is physically or historically possible.

The ranges stand in ``guards.toml`` with unit, source and reason. Priors are stated parameter by parameter; only here do
they meet in what they imply together, before any table is seen. A draw that never gets there (+inf) is not outside a range
of times, for "not within the window" is an answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from forecast.drivers.outputs import evaluator, parsed_output
from forecast.errors import InputError
from forecast.results import checked_years
from forecast.runs import parameters_of, sample_shape
from forecast.schema import STATED

Array = npt.NDArray[np.float64]
FILE = Path(__file__).parent / "guards.toml"
ENDS = ("low", "high")
KEYS = {"units", "source", *ENDS, "why_low", "why_high"}
COLUMNS = (
    *("output", "units", "low", "high", "prior_below", "prior_above", "posterior_below", "posterior_above", "limit"),
    *("prior_q05", "prior_q50", "prior_q95", "parameter", "why_low", "why_high", "source"),
)


@dataclass(frozen=True)
class Guard:
    """What an output can plausibly be: `low` to `high` in `units`, each end on its grounds and the cited sources."""

    output: str
    low: float
    high: float
    units: str
    why_low: str = ""
    why_high: str = ""
    source: tuple[str, ...] = ()


@cache
def load_guards(path: Path = FILE) -> tuple[tuple[Guard, ...], float]:
    """The guards of a file, and the share of draws outside above which a prior is flagged.

    Raises
    ------
    InputError
        For an unknown output, key or source, another unit than the output's, or a range that holds nothing.

    >>> len(load_guards()[0]) > 20
    True
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = content["sources"] | {"judgement": {"cite": "judgement"}}
    return tuple(guard(path, name, said, sources) for name, said in content["guards"].items()), float(content["limit"])


def guard(path: Path, name: str, said: Mapping[str, Any], sources: Mapping[str, Any]) -> Guard:
    """One guard from its table."""
    place = f"{path.name}: guards.{name}"
    units = parsed_output(name).units
    ends = [end for end in ENDS if end in said]
    if set(said) - KEYS or not ends or not all(said.get(f"why_{end}") for end in ends) or not said.get("source"):
        raise InputError(f"{place}: needs low or high, each with its why_low or why_high, units, source, and no more")
    if said.get("units") != units:
        raise InputError(f"{place}.units: {said.get('units')!r} is not the output's unit; write {units!r}")
    if missing := [key for key in said["source"] if key not in sources]:
        raise InputError(f"{place}.source: {missing[0]!r} is not cited; add [sources.{missing[0]}]")
    low, high = float(said.get("low", -np.inf)), float(said.get("high", np.inf))
    if not low < high:
        raise InputError(f"{place}: {low:g} to {high:g} holds nothing; write low < high")
    cited = tuple(sources[key]["cite"] for key in said["source"])
    return Guard(name, low, high, units, said.get("why_low", ""), said.get("why_high", ""), cited)


def guards(run: xr.DataTree, chosen: Sequence[Guard] | None = None) -> pd.DataFrame:
    """A row per guarded output: shares of prior and posterior draws outside its range, and what drives the prior there.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    chosen : sequence of Guard, optional
        The shipped ones if None; those of years that the run cannot project are left out.

    Returns
    -------
    pandas.DataFrame
        ``parameter`` is the one whose rank differs most between prior draws outside and inside, where there are both.
    """
    shipped, limit = load_guards()
    as_of = float(run["constant_data"]["as_of_year"])
    last = int(checked_years(None, as_of)[-1])
    usable = [one for one in (shipped if chosen is None else chosen) if within(one, as_of, last)]
    values = evaluator([parsed_output(one.output) for one in usable], as_of)
    prior, posterior = (
        (p, values(p, int(np.prod(sample_shape(run, group)))))
        for group in ("prior", "posterior")
        for p in [parameters_of(run, group)]
    )
    rows = [guard_row(one, prior[1][one.output], posterior[1][one.output], prior[0], limit) for one in usable]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def within(one: Guard, as_of: float, last: int) -> bool:
    """Whether a run as of that year projects the guarded output."""
    year = parsed_output(one.output).year
    return year is None or int(as_of) <= year <= last


def outside(values: Array, one: Guard) -> tuple[float, float]:
    """Shares of draws below and above a guard; infinite values are answers, not beyond a range.

    >>> outside(np.array([-1.0, 0.5, 2.0, np.inf]), Guard("year_20", 0.0, 1.0, "yr"))
    (0.25, 0.25)
    """
    finite = np.isfinite(values)
    return float(((values < one.low) & finite).mean()), float(((values > one.high) & finite).mean())


def guard_row(one: Guard, prior: Array, posterior: Array, p: Mapping[str, Any], limit: float) -> dict[str, Any]:
    """The row of one guard; `p` are the parameters of the prior draws."""
    below, above = outside(prior, one)
    seen_below, seen_above = outside(posterior, one)
    low, middle, high = np.quantile(prior, (0.05, 0.5, 0.95), method="inverted_cdf")
    beyond = ((prior < one.low) if below >= above else (prior > one.high)) & np.isfinite(prior)
    return {
        **{"output": one.output, "units": one.units, "low": one.low, "high": one.high},
        **{"prior_below": below, "prior_above": above, "posterior_below": seen_below, "posterior_above": seen_above},
        **{"limit": limit, "prior_q05": float(low), "prior_q50": float(middle), "prior_q95": float(high)},
        **{"parameter": leading_parameter(beyond, p), "why_low": one.why_low, "why_high": one.why_high},
        "source": "; ".join(one.source),
    }


def leading_parameter(beyond: npt.NDArray[np.bool_], p: Mapping[str, Any]) -> str:
    """The parameter whose mean rank differs most between the draws beyond and the others; empty where none is beyond."""
    if not beyond.any() or beyond.all():
        return ""
    single = [name for name in STATED if np.ndim(p.get(name, 0.0)) == 1]
    ranks = {name: rankdata(p[name]) for name in single}
    gap = {name: abs(float(rank[beyond].mean() - rank[~beyond].mean())) for name, rank in ranks.items()}
    return max(gap, key=lambda name: gap[name])
