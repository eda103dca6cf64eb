"""Densities and constants of a run in which some changes are those of another: what weights and take-off of a swap need.

A hybrid of runs A and B takes each changed prior and table from the one or the other. Its posterior density is, up to a
constant, A's with the changed priors' densities replaced, and with the likelihood of all tables and the restrictions of
the model if any table changed. Only then PyMC is imported. ``tests/drivers/test_movement.py`` pins restrictions,
tables and constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.constants import coords
from forecast.drivers.changes import AS_OF, TABLE, Record
from forecast.equations import trends
from forecast.errors import ForecastError
from forecast.observations import Observations, load_observations
from forecast.rows import TABLES
from forecast.runs import parameters_of, read_provenance
from forecast.side_draws import recorded_prior, recorded_tables
from forecast.statements import AS_OF as BOUND_AS_OF

Array = npt.NDArray[np.float64]
Member = tuple[str, str]  # kind and name of a change
Members = frozenset[Member]
LINE = "log2_horizon_at_centre"  # its meaning moves with the dates of the task horizons
CONSTANTS_OF = {  # which constants follow which table; the others follow none (tests pin it to `constants`)
    "chinchilla_losses": ("loss_params_centre", "loss_tokens_centre"),
    "inference_speed": ("stream_reference_utilization", "stream_reference_read_seconds"),
    "time_horizons": ("horizon_years",),
}


@dataclass(frozen=True)
class Side:
    """One of the two runs: its record, all draws, constants, and its tables where they can be had."""

    record: Record
    p: dict[str, Any]
    numbers: dict[str, Any]
    tables: Observations | None
    fault: str = ""

    @property
    def as_of_year(self) -> float:
        """Decimal year in which the run stands."""
        return float(self.numbers["as_of_year"])


def side_of(run: xr.DataTree, folder: str | Path | None, flag: str) -> Side:
    """A run as one side of a comparison; `flag` is the option that gives its tables."""
    record, p = read_provenance(run), parameters_of(run)
    held = run["constant_data"].to_dataset()
    scalar = ("as_of_year", *CONSTANTS_OF["chinchilla_losses"], *CONSTANTS_OF["inference_speed"])
    numbers = {name: float(held[name].values) for name in scalar} | {"horizon_years": held["horizon_years"].values}
    tables, fault = rebuilt_tables(record, folder, flag)
    return Side(record, p, numbers, tables, fault)


def rebuilt_tables(record: Record, folder: str | Path | None, flag: str) -> tuple[Observations | None, str]:
    """The tables of a run: those of a folder, of the record, or shipped ones; or why they are not the same."""
    if folder is None and "observations" in record:
        return recorded_tables(record), ""
    found = load_observations(folder, record["as_of"])
    wrong = [name for name, digest in record["digests"]["tables"].items() if found.digests.get(name) != digest]
    if not wrong:
        return found, ""
    where = "the shipped tables are" if folder is None else f"{folder} is"
    return None, f"{where} not what the run saw ({', '.join(wrong)}): give the folder of its tables with {flag}"


def hybrid_tables(a: Side, b: Side, swapped: Members) -> Observations:
    """Tables of A with the swapped ones of B."""
    if a.tables is None or b.tables is None:
        raise ForecastError("tables that are not at hand cannot be swapped: report this as a bug")
    of = {name: b.tables if (TABLE, name) in swapped else a.tables for name in TABLES}
    return Observations(
        as_of=(b.tables if (AS_OF, AS_OF) in swapped else a.tables).as_of,
        tables={name: seen[name] for name, seen in of.items()},
        digests={name: seen.digests[name] for name, seen in of.items()},
        origin={name: seen.origin[name] for name, seen in of.items()},
        uncut={name: seen.uncut[name] for name, seen in of.items()},
    )


def hybrid_numbers(a: Side, b: Side, swapped: Members) -> dict[str, Any]:
    """Constants of A with those of the swapped tables and date of B."""
    numbers = dict(a.numbers)
    if (AS_OF, AS_OF) in swapped:
        numbers["as_of_year"] = b.numbers["as_of_year"]
    for table, names in CONSTANTS_OF.items():
        if (TABLE, table) in swapped:
            numbers |= {name: b.numbers[name] for name in names}
    return numbers


def same_line(p: Mapping[str, Any], own: Mapping[str, Any], numbers: Mapping[str, Any], fitted: bool) -> dict[str, Any]:
    """Parameters of draws made under the constants `own`, under others: the centre of the task horizons moves.

    A fitted line of horizons stays where it was and is said from the new centre, a shift that depends on the other
    parameters only (its Jacobian is 1); a draw of the prior keeps its number at whatever centre.
    """
    moved = {**p, **{name: value for name, value in numbers.items() if name != "horizon_years"}}
    centre = trends.effective_flop_centre(numbers["horizon_years"], moved)
    if fitted and not np.array_equal(own["horizon_years"], numbers["horizon_years"]):
        before = trends.effective_flop_centre(own["horizon_years"], moved)
        moved[LINE] = moved[LINE] + moved["horizon_doublings_per_oom"] * (centre - before)
    return moved | {"effective_flop_centre": centre}


def log_prior_densities(p: Mapping[str, Any], names: Mapping[str, Side], as_of: float) -> Array:
    """Sum of the log densities of some priors, (draw,); each name with the side that states its prior."""
    total: Any = 0.0
    for name, side in names.items():
        prior, values = recorded_prior(dict(side.record), name), np.asarray(p[name], dtype=float)
        if prior.distribution == "Dirichlet":
            shares = values / values.sum(axis=-1, keepdims=True)  # to the last bit, as scipy demands
            total = total + prior.scipy(as_of).logpdf(shares.T)
        else:
            density = np.asarray(prior.scipy(as_of).logpdf(values))
            total = total + density.reshape(density.shape[0], -1).sum(axis=1)
    return np.asarray(total, dtype=float)


def bound_by_date(record: Record) -> list[str]:
    """Names whose priors have the date of the data as a bound."""
    found = []
    for name in record["priors"]:
        prior = recorded_prior(dict(record), name)
        if BOUND_AS_OF in [*prior.params.values(), *(prior.bounds or ())]:
            found.append(name)
    return found


def log_data_density(p: Mapping[str, Any], observations: Observations, blocks: Sequence[str]) -> Array:
    """Log-likelihood of all tables and log of the model's restrictions, (draw,)."""
    from forecast.model.on_draws import log_likelihood, log_restrictions  # pymc takes a second to import

    rows = log_likelihood(dict(p), observations, blocks)
    seen = np.sum([part.sum(axis=1) for part in rows.values()], axis=0)
    return np.asarray(seen + log_restrictions(p, observations, blocks), dtype=float)


def same_families(a: Side, b: Side) -> bool:
    """Whether both runs have a depth of the same model families: those draws of others mean something else."""
    if a.tables is None or b.tables is None:
        return False
    return coords(a.tables)["family"] == coords(b.tables)["family"]


def rows_cut_by_date(a: Side, b: Side, name: str) -> bool:
    """Whether a table differs only by rows published after the earlier of the two dates."""
    seen = [side.tables for side in (a, b) if side.tables is not None]
    if len(seen) < 2:
        return False
    early, late = sorted(seen, key=lambda tables: tables.as_of)
    before, after = rows_of(early, name), rows_of(late, name)
    dated, day = TABLES[name].dated, early.as_of.isoformat()
    new = [row for row in after if row not in before]
    return len(after) - len(new) == len(before) and all(dict(row).get(dated, "") > day for row in new)


def rows_of(tables: Observations, name: str) -> list[tuple[tuple[str, str], ...]]:
    """Rows of a table as plain text, column by column."""
    table = tables[name]
    columns = {str(column): [str(value) for value in table[column].values] for column in table.data_vars}
    return [tuple((column, values[i]) for column, values in columns.items()) for i in range(table.sizes["row"])]
