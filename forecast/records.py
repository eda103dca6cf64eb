"""What a run file says about itself: every prior with its source, every table with its rows, every forecast.

A run file must explain itself on another machine, where the prior files and tables may have changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.errors import InputError
from forecast.observations import Observations, load_observations
from forecast.priors import Prior, Priors, Source, load_priors
from forecast.quantiles import quantile
from forecast.runs import read_provenance, with_provenance
from forecast.schema import STATED

LEVELS = (0.05, 0.5, 0.95)
NUISANCE = frozenset({"depth_family_variate"})  # one standard variate per observed family: nobody reads them
ELEMENTS = {"loss_shares": ("irreducible", "params", "tokens")}
FORECAST = "forecast"


def described(run: xr.DataTree, priors: Priors, observations: Observations, **record: Any) -> xr.DataTree:
    """The run with its priors and tables written out, and further entries of its record."""
    known = {
        "parameters": parameter_records(priors, observations.as_of_year),
        "overlays": list(priors.overlays),
        "origin": observations.origin,
        "observations": {name: _plain_table(observations.to_frame(name)) for name in observations.tables},
    }
    tree = run.copy()
    return with_provenance(tree, read_provenance(run) | known | record)


def explained(run: xr.DataTree, priors: Priors | None = None, observations: Observations | None = None) -> xr.DataTree:
    """The run with its priors and tables written out, from those given or else the shipped ones.

    Raises
    ------
    InputError
        If they are not the ones that the run was made from.
    """
    record = read_provenance(run)
    if "parameters" in record:
        return run
    priors = load_priors() if priors is None else priors
    observations = load_observations(as_of=record["as_of"]) if observations is None else observations
    digests = record["digests"]
    if priors.digest != digests["priors"] or observations.digests != digests["tables"]:
        raise InputError(
            "this run was made from other priors or tables: pass the same ones as priors= and observations="
        )
    return described(run, priors, observations)


def with_forecasts(run: xr.DataTree, trend: xr.Dataset, feedback: xr.Dataset, readouts: xr.Dataset) -> xr.DataTree:
    """The run with groups ``forecast/<scenario>``: read-outs and by-year series with feedback.

    Series without feedback are the same in every scenario and stand once, in ``trend`` of the first one. Series are
    float32: seven digits are more than any draw deserves, and halve the file.
    """
    groups = {path: data for path, data in _groups(run).items() if path.split("/")[0] != FORECAST}
    names = readouts["scenario"].values.tolist()
    for name in names:
        one = {"scenario": name}
        groups[f"{FORECAST}/{name}"] = _halved(feedback.sel(one, drop=True)).merge(readouts.sel(one, drop=True))
    groups[f"{FORECAST}/{names[0]}/trend"] = _halved(trend.sel({"scenario": names[0]}, drop=True))
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(run.attrs)
    return tree


def tables_of(run: xr.DataTree) -> dict[str, pd.DataFrame]:
    """The observation tables of an explained run, as they were read; a blank is None."""
    tables = read_provenance(run)["observations"]
    return {name: pd.DataFrame(table["rows"], columns=table["columns"]) for name, table in tables.items()}


def parameter_records(priors: Priors, as_of: float) -> list[dict[str, Any]]:
    """One plain record per parameter: prior quantiles at 5, 50 and 95%, what was stated, sources in words."""
    return [
        {
            "name": name,
            "block": prior.block,
            "units": prior.units,
            "definition": STATED[name].definition,
            "prior": np.asarray(prior.quantile(LEVELS, as_of)).tolist(),
            "distribution": statement(prior),
            "source": [cited(key, priors.sources) for key in prior.source],
            "rationale": prior.rationale,
        }
        for name, prior in priors.items()
        if name in STATED and name not in NUISANCE
    ]


def parameter_frame(run: xr.DataTree) -> pd.DataFrame:
    """The report's frame: prior and posterior quantiles of every parameter, a vector's elements in rows of their own."""
    record = read_provenance(run)
    posterior = run["posterior"].to_dataset() if record["kind"] == "posterior" else xr.Dataset()
    rows: list[dict[str, Any]] = []
    for entry in record["parameters"]:
        rows += _element_rows(entry, posterior)
    return pd.DataFrame(rows)


def statement(prior: Prior) -> str:
    """What the prior's author wrote, in one line.

    >>> statement(load_priors()["depth_exponent"])
    'TruncatedNormal(mu=0.25, sigma=0.1, lower=0, upper=0.6)'
    """
    said = dict(prior.statement)
    if "value" in said:
        return f"fixed at {said['value']:g}"
    words = {"lower": "never below", "upper": "never above", "nu": "nu"}
    rest = [f"{word} {_plain(said[key])}" for key, word in words.items() if key in said]
    if set(said) == {"upper", "mass"}:
        return f"{prior.distribution}, {said['mass']:.0%} below {said['upper']:g}"
    if "interval" in said:
        low, high = said["interval"]
        stated = f"{prior.distribution}, {said['mass']:.0%} interval {low:g} to {high:g}"
    elif "quantiles" in said:
        pairs = (f"{float(q):.0%}: {value:g}" for q, value in dict(said["quantiles"]).items())
        stated = f"{prior.distribution}, quantiles {', '.join(pairs)}"
    else:
        stated = f"{prior.distribution}({', '.join(f'{key}={_plain(value)}' for key, value in said['params'].items())})"
    return ", ".join([stated, *rest])


def cited(key: str, sources: Mapping[str, Source]) -> str:
    """A source in words: its citation and where in it, or the bare key ("judgement")."""
    source = sources.get(key)
    if source is None:
        return key
    return f"{source.cite}, {source.locator}" if source.locator else source.cite


def _element_rows(entry: Mapping[str, Any], posterior: xr.Dataset) -> list[dict[str, Any]]:
    name = entry["name"]
    prior = np.atleast_2d(np.asarray(entry["prior"], dtype=float).T).T  # (level, element)
    after = np.full(prior.shape, np.nan)
    if name in posterior:
        after = quantile(posterior[name], LEVELS).values.reshape(prior.shape)
    labels = [f"{name} ({label})" for label in ELEMENTS[name]] if name in ELEMENTS else [name]
    kept = {key: entry[key] for key in ("block", "units", "definition", "distribution", "source", "rationale")}
    return [
        {"name": label} | kept | _triple("prior", prior[:, i]) | _triple("posterior", after[:, i])
        for i, label in enumerate(labels)
    ]


def _triple(group: str, values: Iterable[float]) -> dict[str, float]:
    return {f"{group}_q{q}": float(x) for q, x in zip(("05", "50", "95"), values, strict=True)}


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(x) for x in value) + "]"
    return value if isinstance(value, str) else f"{value:g}"


def _plain_table(frame: pd.DataFrame) -> dict[str, list[Any]]:
    blank = frame.astype(object).where(frame.notna(), None)
    return {"columns": [str(name) for name in frame], "rows": blank.to_numpy().tolist()}


def _halved(series: xr.Dataset) -> xr.Dataset:
    return series.astype(np.float32, keep_attrs=True)


def _groups(run: xr.DataTree) -> dict[str, xr.Dataset]:
    """Every group below the root by its path; coordinates that a child inherits stay with the parent."""
    return {node.path.lstrip("/"): node.to_dataset(inherit=False) for node in run.subtree if node is not run.root}
