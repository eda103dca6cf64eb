"""SlowCorp, NormalCorp, AutomatedCorp and organisations of one's own: how far each gets, and what holds it back.

The three that S0 defines stand in ``priors/baseline/organisations.toml``; a file may add others
(`organisation_files.read_organisations`). Tables and sentences are in `organisation_tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from forecast.equations import organisations as equations
from forecast.equations.organisations import PRACTICES, Frictions, Organisation
from forecast.equations.trends import LN10, Parameters, software_growth
from forecast.errors import InputError
from forecast.observations import load_observations
from forecast.research.organisation_files import YEARS_IN, read_organisations
from forecast.results import require_finite
from forecast.runs import read_provenance, sample_shape
from forecast.schema import SAMPLE_DIMS, Variable
from forecast.side_draws import parameters_with, side_draws

__all__ = ["MULTIPLES", "ORGANISATION_VARIABLES", "Organisation", "load_organisations", "organisations"]

NORMAL, SLOW, AUTOMATED = "NormalCorp", "SlowCorp", "AutomatedCorp"
HUMAN_IDEAS = "AutomatedCorp, people's ideas"
H100 = "NVIDIA H100 SXM5 80GB"  # in forecast/tables/hardware.csv
MULTIPLES = (10.0, 20.0, 30.0)
MEASURES = ("progress", "research")
BY_PRACTICE = ("organisation", "practice")
BY_REQUIREMENT = ("parameter", "measure", "multiple")
RELATIVE = "relative to NormalCorp under the same practice"
ORGANISATION_VARIABLES: dict[str, Variable] = {
    "log10_progress": Variable("log10", f"progress ln S over its own calendar time, {RELATIVE}", BY_PRACTICE),
    "log10_research": Variable(
        "log10", f"research S^beta - 1 over its own time, as a multiple of NormalCorp's, {RELATIVE}", BY_PRACTICE
    ),
    "log10_progress_per_subjective_year": Variable(
        "log10", f"progress per year of its own time, calendar time times serial speed, {RELATIVE}", BY_PRACTICE
    ),
    "log10_practice_effect": Variable(
        "log10", "part of log10_progress from practice that does not fit its labour:compute ratio", BY_PRACTICE
    ),
    "log10_runs_effect": Variable("log10", "part of log10_progress from runs longer than its time", BY_PRACTICE),
    "log10_inputs_effect": Variable("log10", "part of log10_progress from labour, compute and time", BY_PRACTICE),
    "software_gain": Variable("OOM", "software gained over its own time", BY_PRACTICE),
    "log10_practice_factor": Variable("log10", "mean factor on output from practice that does not fit", BY_PRACTICE),
    "fitting_share": Variable("1", "share of its compute in runs that end within its time", BY_PRACTICE),
    "idle_oom": Variable("OOM", "how far it leaves the input that it has too much of unused", BY_PRACTICE),
    "h100_per_researcher": Variable("H100/people", "compute for each researcher", ("organisation",)),
    "h100_years_per_subjective_year": Variable(
        "H100",
        "H100-years of compute in each year of its own time, calendar time times serial speed",
        ("organisation",),
    ),
    "required": Variable(
        "1",
        "value of the parameter from which on, the rest of the draw unchanged, AutomatedCorp (evolved) reaches the "
        "multiple of NormalCorp; +inf where not even the largest does; people have the ideas for the latency ceiling",
        BY_REQUIREMENT,
    ),
    "beyond": Variable("1", "share of the parameter's own draws at or above what this draw requires", BY_REQUIREMENT),
    "own_value": Variable("1", "the draw's own value of the parameter", BY_REQUIREMENT[:1]),
    "largest_multiple": Variable(
        "1",
        "largest multiple of NormalCorp that AutomatedCorp (evolved) reaches at any value of the parameter",
        BY_REQUIREMENT[:2],
    ),
    "pretraining_gain": Variable(
        "OOM", "effective compute that SlowCorp's larger pre-training would give at fixed software, had it a year"
    ),
    "pretraining_gain_human_years": Variable("yr", "the same in years of people-only software progress at as_of"),
}


class Search(NamedTuple):
    """Where a parameter is looked for: a rising grid of x, the value at x, and the parameters that then hold."""

    grid: Any
    value: Callable[[Any], Any]
    parameters: Callable[[Any], dict[str, Any]]


def _doubly_exponential(name: str) -> Search:
    """From 1.02 to 1e300: next to 1, and next to no bound at all."""
    grid = np.linspace(np.log(np.log(1.02)), np.log(300.0 * LN10), 65)
    return Search(grid, lambda x: np.exp(np.exp(x)), lambda value: {name: value})


SEARCHES: dict[str, Search] = {
    "infinite_labour_multiple": _doubly_exponential("infinite_labour_multiple"),
    "parallelization_exponent": Search(
        np.linspace(0.01, 1.0, 67), lambda x: x, lambda value: {"parallelization_exponent": value}
    ),
    "latency_ceiling": _doubly_exponential("latency_ceiling"),
    "labour_share": Search(np.linspace(0.005, 0.995, 67), lambda x: x, lambda value: {"compute_share": 1.0 - value}),
}


def organisations(run: xr.DataTree, file: str | PathLike[str] | None = None) -> xr.Dataset:
    """How far each organisation gets relative to NormalCorp, and why.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    file : path, optional
        A TOML file with organisations of one's own.

    Returns
    -------
    xarray.Dataset
        `ORGANISATION_VARIABLES` over chain, draw and, as each needs them, organisation; practice (dropped into today's,
        the same with surplus input left idle, evolved under its own constraints); parameter, measure (progress ln S;
        research S^beta - 1) and multiple. NormalCorp is 1 (log10: 0) by construction.

    Raises
    ------
    InputError
        If the file cannot be used; the message lists every fault with its line.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.organisations(run).organisation.values.tolist()[:3]
    ['NormalCorp', 'SlowCorp', 'AutomatedCorp']
    """
    p = parameters_with(run, "organisations")
    require_finite(p)
    known = load_organisations(run, file)
    values = by_organisation(known, p | {"h100_flop_per_second": h100_flop_per_second()})
    shape = sample_shape(run)
    coords: dict[str, Any] = {"organisation": list(known), "practice": list(PRACTICES)}
    coords |= {"parameter": list(SEARCHES), "measure": list(MEASURES), "multiple": list(MULTIPLES)}
    samples = {dim: np.arange(size) for dim, size in zip(SAMPLE_DIMS, shape, strict=True)}
    data = {}
    for name, variable in ORGANISATION_VARIABLES.items():
        leading = tuple(len(coords[dim]) for dim in variable.dims)
        array = np.broadcast_to(values[name], (*leading, shape[0] * shape[1])).reshape(*leading, *shape)
        attrs = {"units": variable.units, "definition": variable.definition}
        data[name] = ((*variable.dims, *SAMPLE_DIMS), array, attrs)
    return xr.Dataset(data, coords=coords | samples)


def load_organisations(run: xr.DataTree, file: str | PathLike[str] | None = None) -> dict[str, Organisation]:
    """The shipped organisations and those of a file, by name; numbers are one per draw of the run.

    Raises
    ------
    InputError
        If the file cannot be used; the message lists every fault with its line.
    """
    chains, draws = sample_shape(run)
    seed = read_provenance(run)["settings"]["random_seed"]
    shipped = shipped_organisations(positive(side_draws(run, "organisations")))
    return shipped | read_organisations(file, seed, chains * draws, shipped) if file is not None else shipped


def positive(side: dict[str, Any]) -> dict[str, Any]:
    """The draws of the block organisations, all of which must be above 0.

    >>> positive({"slow_quality": np.array([0.5, -0.1])})
    Traceback (most recent call last):
    forecast.errors.InputError: the prior of slow_quality has draws at or below 0: take one of positive numbers (LogNormal)
    """
    for name, values in side.items():
        if not np.all(values > 0.0):
            raise InputError(f"the prior of {name} has draws at or below 0: take one of positive numbers (LogNormal)")
    return side


def shipped_organisations(p: Parameters) -> dict[str, Organisation]:
    """NormalCorp, SlowCorp, AutomatedCorp, and AutomatedCorp where people go on having the ideas."""
    source = "priors/baseline/organisations.toml"
    normal = Organisation(NORMAL, p["normal_researchers"], p["normal_h100"], p["normal_years"], source=source)
    slow_years = p["slow_weeks"] * YEARS_IN["weeks"]
    slow = Organisation(SLOW, p["slow_researchers"], p["slow_h100"], slow_years, p["slow_quality"], source=source)
    automated = Organisation(
        AUTOMATED,
        p["automated_researchers"],
        p["automated_h100"],
        p["automated_years"],
        serial_speed=p["automated_serial_speed"],
        automated=True,
        source=source,
    )
    return {one.name: one for one in (normal, slow, automated, replace(automated, name=HUMAN_IDEAS, human_ideas=True))}


@cache
def h100_flop_per_second() -> float:
    """Peak dense 16-bit FLOP/s of the unit of compute, from the shipped table of hardware."""
    table = load_observations()["hardware"]
    return float(table["flop_per_second"][table["chip"] == H100].item())


def by_organisation(known: Mapping[str, Organisation], p: Parameters) -> dict[str, Any]:
    """Every variable of `ORGANISATION_VARIABLES` as an array, its own dims before the draws."""
    normal = known[NORMAL]
    size = np.shape(p["normal_years"])
    hindered = {
        (one.name, practice): equations.frictions(one, normal, practice, p)
        for one in known.values()
        for practice in PRACTICES
    }
    rows = [
        [one_organisation(one, hindered[one.name, x], normal, hindered[NORMAL, x], p) for x in PRACTICES]
        for one in known.values()
    ]
    values = {
        name: np.stack([[np.broadcast_to(cell[name], size) for cell in row] for row in rows]) for name in rows[0][0]
    }
    gain = equations.pretraining_gain(p["slow_pretraining_factor"], p)
    return (
        values
        | requirements(known, p)
        | {
            "h100_per_researcher": np.stack(
                [np.broadcast_to(one.h100 / one.researchers, size) for one in known.values()]
            ),
            "h100_years_per_subjective_year": np.stack(
                [np.broadcast_to(one.h100 / one.serial_speed, size) for one in known.values()]
            ),
            "pretraining_gain": gain,
            "pretraining_gain_human_years": gain * LN10 / software_growth(p),
        }
    )


def one_organisation(
    organisation: Organisation, own: Frictions, normal: Organisation, base: Frictions, p: Parameters
) -> dict[str, Any]:
    """Progress of one organisation under one practice, its parts, and what they come from."""
    gained = equations.log_progress(equations.log_research(organisation, own, normal, p), p)
    found = equations.relative(organisation, own, normal, base, p)
    own_time = np.log(organisation.years * organisation.serial_speed) - np.log(normal.years * normal.serial_speed)
    practised, ran, had = equations.attribution(organisation, own, normal, base, p)
    return {
        "log10_progress": found.log_progress / LN10,
        "log10_research": found.log_research / LN10,
        "log10_progress_per_subjective_year": (found.log_progress - own_time) / LN10,
        "log10_practice_effect": practised / LN10,
        "log10_runs_effect": ran / LN10,
        "log10_inputs_effect": had / LN10,
        "software_gain": np.exp(gained) / LN10,
        "log10_practice_factor": own.log_practice / LN10,
        "fitting_share": np.exp(own.log_fitting),
        "idle_oom": (own.idle_labour / p["parallelization_exponent"] + own.idle_compute) / LN10,
    }


def requirements(known: Mapping[str, Organisation], p: Parameters) -> dict[str, Any]:
    """What each parameter alone would have to be for AutomatedCorp to reach `MULTIPLES` of NormalCorp.

    Evolved practice: the multiples are then those of labour alone. Arrays (parameter, measure, multiple, draw).
    """
    size = np.size(p["normal_years"])
    target = np.broadcast_to(np.log(MULTIPLES)[:, None], (len(MEASURES), len(MULTIPLES), size))
    required, beyond, largest, owned = [], [], [], []
    for name, search in SEARCHES.items():
        organisation = known[HUMAN_IDEAS if name == "latency_ceiling" else AUTOMATED]

        def reached(x: Any, search: Search = search, organisation: Organisation = organisation) -> Any:
            """ln of the multiple at x (measure, ..., draw)."""
            at = [{**p, **search.parameters(search.value(one))} for one in x]
            found = [evolved(organisation, known[NORMAL], q) for q in at]
            return np.stack([found[0].log_progress, found[1].log_research])

        scan = np.stack([reached(np.full((len(MEASURES), 1, size), x)) for x in search.grid])
        needed = search.value(equations.reached_from(reached, search.grid, scan, target))
        own = np.broadcast_to(1.0 - p["compute_share"] if name == "labour_share" else p[name], size)
        owned.append(own)
        required.append(needed)
        beyond.append(1.0 - np.searchsorted(np.sort(own), needed) / size)
        largest.append(scan.max(axis=0)[:, 0])
    found: dict[str, Any] = {
        "required": required,
        "beyond": beyond,
        "own_value": owned,
        "largest_multiple": np.exp(largest),
    }
    return {name: np.stack(values) for name, values in found.items()}


def evolved(organisation: Organisation, normal: Organisation, p: Parameters) -> equations.Relative:
    """An organisation against NormalCorp, both under practice that has always fitted them."""
    own, base = (equations.frictions(one, normal, "evolved", p) for one in (organisation, normal))
    return equations.relative(organisation, own, normal, base, p)
