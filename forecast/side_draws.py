"""Draws of what the joint model does not sample: organisations, implementers, the hardware leap, rival forms.

One entry per draw of the run, from the priors that the run file records, so that a saved run needs no prior files.
A parameter's draws depend on the run's seed and its own name only: replacing one leaves all others as they are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import date as Date
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from forecast.errors import InputError
from forecast.families import suggestion
from forecast.observations import Observations
from forecast.runs import parameters_of, read_provenance, sample_shape, with_provenance
from forecast.schema import SIDE_PARAMETERS
from forecast.statements import Prior, stated


def parameters_with(run: xr.DataTree, *blocks: str) -> dict[str, Any]:
    """Parameters and constants of a run as `runs.parameters_of`, with the draws of some side blocks.

    >>> parameters_with(None, "speed_up")
    Traceback (most recent call last):
    forecast.errors.InputError: no side block named 'speed_up'; did you mean 'speedup'?
    """
    unknown = [name for name in blocks if name not in SIDE_PARAMETERS]
    if unknown:
        raise InputError(f"no side block named {unknown[0]!r}{suggestion(unknown[0], SIDE_PARAMETERS)}")
    return parameters_of(run) | side_draws(run, *blocks)


def side_draws(run: xr.DataTree, *blocks: str) -> dict[str, Any]:
    """Independent draws of every parameter of some side blocks, (draw,); a fixed one is repeated.

    Raises
    ------
    InputError
        If the run was made before a parameter existed.
    """
    record = read_provenance(run)
    chains, draws = sample_shape(run)
    step = record.get("thinned", 1)
    whole = record.get("draws_before_thinning", draws)
    seed = record["settings"]["random_seed"]
    return {
        name: drawn(recorded_prior(record, name), seed, name, chains * whole).reshape(chains, whole)[:, ::step].ravel()
        for block in blocks
        for name in SIDE_PARAMETERS[block]
    }


def thinned(run: xr.DataTree, draws: int | None) -> xr.DataTree:
    """The run with about so many of its draws, evenly taken from every chain; side draws stay with their draws."""
    chains, each = sample_shape(run)
    step = 1 if draws is None else max(1, chains * each // max(1, draws))
    if step == 1:
        return run
    record, tree = read_provenance(run), run.copy()
    tree["posterior"] = xr.DataTree(run["posterior"].to_dataset().isel(draw=slice(None, None, step)))
    whole = record.get("draws_before_thinning", each)
    return with_provenance(tree, record | {"thinned": step * record.get("thinned", 1), "draws_before_thinning": whole})


def recorded_prior(record: dict[str, Any], name: str) -> Prior:
    """The prior of a parameter as the run's provenance states it."""
    said = record["priors"].get(name)
    if said is None:
        raise InputError(
            f"this run has no prior of {name}: it is older than this package; remake it with: forecast fit"
        )
    return _restated(json.dumps(said, sort_keys=True))


@cache
def _restated(text: str) -> Prior:
    """The prior that a record states; solving it from quantiles takes milliseconds, and views ask for all of them."""
    said = json.loads(text)
    name = said.pop("distribution")
    return stated(None if name == "fixed" else name, said)


def drawn(prior: Prior, seed: int, name: str, size: int) -> np.ndarray:
    """Draws of one prior by its quantile function, from a stream of its own."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),)))
    result: np.ndarray = np.asarray(prior.quantile(generator.random(size)), dtype=float)
    return result


def recorded_tables(record: Mapping[str, Any]) -> Observations:
    """The tables that a run file holds, as the model read them; `record` is the run's provenance."""
    tables = {}
    for name, said in record["observations"].items():
        dataset = xr.Dataset(attrs={"table": name})
        for i, column in enumerate(said["columns"]):
            values = [row[i] for row in said["rows"]]
            is_text = any(isinstance(value, str) for value in values)
            dataset[column] = ("row", np.array(values, dtype=str if is_text else float))
        tables[name] = dataset
    return Observations(
        as_of=Date.fromisoformat(record["as_of"]),
        tables=tables,
        digests=dict(record["digests"]["tables"]),
        origin=dict.fromkeys(tables, "record"),
        uncut=tables,
    )
