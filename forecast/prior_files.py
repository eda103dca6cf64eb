"""Reading prior files: one TOML document -> priors and sources, every fault with its place.

A reader never stops at the first fault: it appends ``path:line: key: what is wrong: remedy`` to a list and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.documents import Document, line_of, line_told, read_document, shown
from forecast.families import StatementFault, suggestion
from forecast.schema import PARAMETERS, PRODUCTION, SIDE_PARAMETERS, Variable
from forecast.statements import STATEMENT_KEYS, Prior, stated

JUDGEMENT = "judgement"
PRIOR_KEYS = ("distribution", *STATEMENT_KEYS, "units", "source", "rationale")
SOURCE_KEYS = ("cite", "locator")
OVERLAY_KEYS = ("description", "references", "extends")
SETTINGS: dict[str, type] = {"freeze_compute": bool, "compute_slowdown": bool, "hardware_leap_factor": float}
LOSS_TERMS = 3
BLOCKS_OF_NAMES = PARAMETERS | SIDE_PARAMETERS
SCHEMA: dict[str, Variable] = {name: v for block in BLOCKS_OF_NAMES.values() for name, v in block.items()} | PRODUCTION
BLOCK_OF = {name: block for block, names in BLOCKS_OF_NAMES.items() for name in names}
BLOCK_OF |= dict.fromkeys(PRODUCTION, "research")
RANGES = {  # what the name means, beyond what a distribution can take
    "infinite_labour_multiple": (1.0, np.inf, "an asymptote is a multiple above 1"),
    "infinite_compute_multiple": (1.0, np.inf, "an asymptote is a multiple above 1"),
    "substitution_elasticity": (0.0, 1.0, "labour and compute are complements here, sigma between 0 and 1"),
    "tenth_compute_multiple": (0.0, 1.0, "less compute is a multiple between 0 and 1"),
    "loss_params_exponent": (0.0, np.inf, "loss falls with parameters"),
    "loss_tokens_exponent": (0.0, np.inf, "loss falls with tokens"),
    "horizon_doublings_per_oom": (0.0, np.inf, "task horizons grow with effective compute"),
}
FORM_WEIGHTS = frozenset(name for name in SIDE_PARAMETERS["rival_forms"] if name.startswith("form_weight_"))
MAY_BE_NONE = FORM_WEIGHTS | {"switching_cost_exponent"}  # shipped as one number, and 0 means something


@dataclass(frozen=True)
class Source:
    """Where a number comes from; ``line`` is where the file says so."""

    cite: str
    locator: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class PriorFile:
    """What one file holds; ``settings`` and ``description`` only in an overlay, ``written`` also the unusable names."""

    path: Path
    priors: dict[str, Prior]
    written: frozenset[str]
    sources: dict[str, Source]
    settings: dict[str, Any]
    description: str
    extends: str = ""


def read_prior_file(path: Path, faults: list[str], overlay: bool = False) -> PriorFile | None:
    """Read one file of a set, or one overlay; faults are appended, what can be read is returned."""
    before = len(faults)
    document = read_document(path, faults)
    if document is None:
        return None
    tables = ("priors", "sources") + (("overlay", "settings") if overlay else ())
    for key in document.data:
        if key not in tables:
            document.fault("", key, f"unknown table{suggestion(key, tables)}")
    sources = _read_sources(document)
    priors, tables_of_priors = {}, _tables(document, "priors")
    for name, table in tables_of_priors.items():
        prior = _read_prior(document, name, table, sources, overlay)
        if prior is not None:
            priors[name] = prior
    settings = _read_settings(document) if overlay else {}
    description = _read_overlay(document, sources) if overlay else ""
    faults[before:] = sorted(faults[before:], key=line_told)
    extends = (
        _text(document, "overlay", document.data.get("overlay", {}), "extends", needed=False) if description else ""
    )
    return PriorFile(path, priors, frozenset(tables_of_priors), sources, settings, description, extends)


def _tables(document: Document, kind: str) -> dict[str, dict[str, Any]]:
    """The sub-tables of one top-level table."""
    group = document.data.get(kind, {})
    if not isinstance(group, dict):
        document.fault("", kind, f"is not a table: write [{kind}.name]")
        return {}
    tables = {}
    for name, table in group.items():
        if isinstance(table, dict):
            tables[name] = table
        else:
            document.fault(kind, name, f"is not a table: write [{kind}.{name}]")
    return tables


def _read_sources(document: Document) -> dict[str, Source]:
    sources = {}
    for name, table in _tables(document, "sources").items():
        _known_keys(document, f"sources.{name}", table, SOURCE_KEYS)
        cite, locator = (_text(document, f"sources.{name}", table, key) for key in SOURCE_KEYS)
        sources[name] = Source(cite, locator, line_of(document.text, f"sources.{name}", "cite"))
        if name == JUDGEMENT:
            document.fault("sources", name, "is a reserved word: name the published source, or drop this table")
    return sources


def _read_prior(
    document: Document, name: str, table: dict[str, Any], sources: Mapping[str, Source], overlay: bool
) -> Prior | None:
    where = f"priors.{name}"
    _known_keys(document, where, table, PRIOR_KEYS)
    units = _text(document, where, table, "units")
    rationale = _text(document, where, table, "rationale", needed=False)
    source = _source_keys(document, where, table, sources, rationale)
    block = document.path.stem
    if not overlay:
        _check_room(document, name, block)
    variable = SCHEMA.get(name)
    if variable and units and units != variable.units:
        document.fault(where, "units", f"{units!r} is not the unit of this parameter: convert to {variable.units!r}")
    statement = {key: value for key, value in table.items() if key in STATEMENT_KEYS}
    try:
        prior = stated(table.get("distribution"), statement)
    except StatementFault as fault:
        document.fault(where, fault.key, str(fault))
        return None
    if variable:
        block = BLOCK_OF[name]
        _check_shape(document, where, prior, variable)
        out = out_of_range(name, prior)
        if out:
            document.fault(where, next(key for key in STATEMENT_KEYS if key in table), out)
    return replace(
        prior,
        name=name,
        block=block,
        units=units,
        source=source,
        rationale=rationale,
        file=shown(document.path),
        line=line_of(document.text, where),
    )


def out_of_range(name: str, prior: Prior) -> str:
    """What is wrong with a prior that reaches values its parameter cannot mean; empty if nothing is."""
    if name not in RANGES:
        return ""
    low, high, meaning = RANGES[name]
    least, most = (float(prior.quantile(q)) for q in (0.0, 1.0))
    inside = low < least and most < high if prior.distribution == "fixed" else low <= least and most <= high
    return "" if inside else f"reaches from {least:g} to {most:g}, but {meaning}: add lower or upper, or move it"


def _check_room(document: Document, name: str, block: str) -> None:
    """A name of the schema stands in its block's file, and such a file holds nothing else."""
    if name in BLOCK_OF:
        if BLOCK_OF[name] != block:
            document.fault("priors", name, f"belongs to block {BLOCK_OF[name]}: move it to {BLOCK_OF[name]}.toml")
    elif block in BLOCKS_OF_NAMES:
        document.fault("priors", name, f"is no parameter of block {block}{suggestion(name, BLOCKS_OF_NAMES[block])}")


def _check_shape(document: Document, where: str, prior: Prior, variable: Variable) -> None:
    simplex = variable.dims == ("loss_term",)
    if simplex != (prior.distribution == "Dirichlet"):
        remedy = "take a Dirichlet" if simplex else "take a distribution of single numbers"
        document.fault(where, "distribution", f"{prior.distribution} does not fit this parameter: {remedy}")
    elif simplex and len(prior.params["a"]) != LOSS_TERMS:
        document.fault(where, "params", f"a has {len(prior.params['a'])} numbers: give {LOSS_TERMS}, one for each term")


def _source_keys(
    document: Document, where: str, table: dict[str, Any], sources: Mapping[str, Source], rationale: str
) -> tuple[str, ...]:
    given = table.get("source")
    if not isinstance(given, list) or not given or not all(isinstance(key, str) for key in given):
        document.fault(where, "source", 'needs at least one source: write source = ["key"], or ["judgement"]')
        return ()
    for key in given:
        if key != JUDGEMENT and key not in sources:
            hint = suggestion(key, [*sources, JUDGEMENT])
            document.fault(where, "source", f"{key!r} is not defined in this file: add [sources.{key}]{hint}")
    if JUDGEMENT in given and not rationale:
        document.fault(where, "rationale", "is missing: a judgement needs its reason in one sentence: add rationale")
    return tuple(given)


def _read_settings(document: Document) -> dict[str, Any]:
    table = document.data.get("settings", {})
    if not isinstance(table, dict):
        document.fault("", "settings", "is not a table: write [settings]")
        return {}
    _known_keys(document, "settings", table, SETTINGS)
    settings = {}
    for key, value in table.items():
        kind = SETTINGS.get(key)
        if kind is float and type(value) in (int, float) and 1 <= value < 1e300:
            settings[key] = float(value)
        elif kind is bool and isinstance(value, bool):
            settings[key] = value
        elif kind is not None:
            remedy = "write true or false" if kind is bool else "a leap is a factor of 1 or more"
            document.fault("settings", key, f"{value!r} cannot be used: {remedy}")
    return settings


def _read_overlay(document: Document, sources: Mapping[str, Source]) -> str:
    table = document.data.get("overlay")
    if not isinstance(table, dict):
        document.fault("", "overlay", 'is missing: add [overlay] with description = "..."')
        return ""
    _known_keys(document, "overlay", table, OVERLAY_KEYS)
    references = table.get("references", [])
    if not isinstance(references, list):
        document.fault("overlay", "references", 'is not a list: write references = ["key"]')
        references = []
    for key in references:
        if not isinstance(key, str) or key not in sources:
            document.fault("overlay", "references", f"{key!r} is not defined in this file: add [sources.{key}]")
    return _text(document, "overlay", table, "description")


def _known_keys(document: Document, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in table:
        if key not in known and not document.full:
            document.fault(where, key, f"unknown key{suggestion(key, known)}")


def _text(document: Document, where: str, table: Mapping[str, Any], key: str, needed: bool = True) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        document.fault(where, key, f"{value!r} is not text: put it in quotes")
        return ""
    if needed and not value.strip():
        document.fault(where, key, f'is missing: add {key} = "..."')
    return value
