"""Rival forms of the take-off under one posterior: the structure of such a model is uncertain too.

Every form answers in one currency, OOM of software gained in its best 12 months and the same in years of people-only
progress, and keeps its own definition beside it. ``parameters="posterior"`` gives a form the run's draws of what it
shares with this model; ``"published"`` all of its authors' own priors.

What is shared, and why:

- by all: software is the main model's S. A year of people-only progress is the draw's `software_growth`, and no gain
  exceeds the draw's software ceiling, which bounds S whatever the form.
- davidson_houlden2025: r = returns x labour share, because its r is on cognitive labour alone (lambda alpha/beta, ours
  lambda/beta); p = lambda x labour share, which is its lambda alpha; T_0 = the doubling time. Its own: f, the speed-up
  of a day on which everything is automated at once, which this model does not have; the limit, which counts from that
  day in years of software and compute together and pulls r down all the way, while the data say nothing on this
  model's ceiling. Its year stays 8 doublings.
- ai2027: the rate. Its own: speeds and gaps, stated by stage where here inputs produce them. They are fixed at the
  middle of the published priors, so that its gain varies with the rate and the ceiling only.
- kwa2026: alpha = lambda x labour share, zeta = lambda x compute share (or the compute exponent, where a prior set states
  one, in place of lambda), beta = lambda/r, the same exponents of the same production; k = the draw's people-only rate,
  put at 2026.0 where the form starts, because the published 5x per year counts training and inference together. Its
  own: f_0 and v, because its f multiplies labour by 1/(1-f) whatever AIs are worth, where this model's share works
  through AI labour and substitution between tasks; L and C, stated from 2026.0 with a slowdown of their own.

davidson_houlden2025 begins at full automation and ai2027 at the superhuman coder, and neither says when that is: their
gains are given that it comes. ``tests/dynamics/test_rival_forms.py`` pins limits and directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics import ai2027, davidson_houlden2025, kwa2026
from forecast.equations.algorithmic_progress import growth_per_year
from forecast.equations.takeoff import compute_exponent, difficulty_exponent
from forecast.equations.trends import LN2, LN10, software_growth
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.results import checked_years, in_blocks, require_finite
from forecast.runs import sample_shape
from forecast.schema import EVENTS, READOUTS, SAMPLE_DIMS, Variable
from forecast.side_draws import parameters_with

Array = Any  # NumPy array over draws
Draws = dict[str, Any]

FORMS = ("section5", "davidson_houlden2025", "ai2027", "kwa2026")
RIVALS = FORMS[1:]
SUPEREXPONENTIAL = "section5_superexponential"  # the main form with a task horizon whose doublings shorten
MIXED = (FORMS[0], SUPEREXPONENTIAL, *RIVALS)
PARAMETERS_FROM = ("posterior", "published")
CURRENCY = {
    **{name: READOUTS[name] for name in ("best_year_gain", "best_year_gain_human_years")},
    **{name: EVENTS[name] for name in ("best_year_3_human_years", "best_year_10_human_years")},
}
STAGES = ("coder", "researcher", "superhuman", "superintelligence")  # of ai2027, by the names of its parameters
OWN: dict[str, dict[str, Variable]] = {
    "davidson_houlden2025": {
        f"compression_{years}_years": Variable(
            "1", f"at least {years} of the form's own years (8 doublings of software each) in less than 12 months"
        )
        for years in (3, 10)
    },
    "ai2027": {
        "human_only_years": Variable("yr", "human-only years of progress from superhuman coder to superintelligence"),
        **{
            f"days_to_{after}": Variable("days", f"days from the {before} stage to {after}")
            for before, after in pairwise(STAGES)
        },
    },
    "kwa2026": {
        "year_99": Variable("yr", "when 99% of AI R&D is automated"),
        "takeoff_years": Variable("yr", "years from 20% to 99% automation of AI R&D, which this form never completes"),
    },
}


def rival_form(
    run: xr.DataTree, form: str, parameters: str = "posterior", years: Iterable[int] | None = None
) -> xr.Dataset:
    """One rival form's take-off for every draw of a run.

    Parameters
    ----------
    run
        A fitted run or one of the prior.
    form
        One of `FORMS` except section5, which is `takeoff`.
    parameters : {"posterior", "published"}
        The run's draws where the form shares a parameter with this model, or all of its authors' own priors. ai2027
        states no rate of software: as published, its human-only years count as OOM at the run's rate too.
    years
        The window: events in calendar time count up to the end of its last year; shipped range if None.

    Returns
    -------
    xarray.Dataset
        dims (chain, draw): the variables of `CURRENCY` and the form's own ones of `OWN` (+inf = not within the window).

    Raises
    ------
    InputError
        For an unknown form, set of parameters or window, and parameters that the form cannot use.
    """
    _check_names(form, parameters)
    p = parameters_with(run, "rival_forms")
    require_finite(p)
    window_end = checked_years(years, float(p["as_of_year"]))[-1] + 1.0
    published = parameters == "published"
    shape = sample_shape(run)
    values = in_blocks(p, shape[0] * shape[1], lambda part: READOUTS_OF[form](part, published, window_end))
    return _labelled(values, _definitions(form, published), shape)


def davidson_houlden2025_readouts(p: Draws, published: bool, window_end: float = np.inf) -> dict[str, Array]:
    """The common currency and the compression events, from full automation on; there is no calendar in it."""
    if published:
        names = ("returns", "parallel_exponent", "doubling_months")
        returns, exponent, doubling_months = (p[f"davidson_houlden_{name}"] for name in names)
    else:
        labour_share = 1.0 - p["compute_share"]
        returns, exponent = p["returns"] * labour_share, p["parallelization_exponent"] * labour_share
        doubling_months = p["software_doubling_months"]
    per_year = p["davidson_houlden_doublings_per_year"]
    path = davidson_houlden2025.doublings(
        p["davidson_houlden_initial_speedup"],
        returns,
        exponent,
        per_year * p["davidson_houlden_limit_years"],
        doubling_months,
        p["davidson_houlden_horizon_months"],
    )
    gain = LN2 * davidson_houlden2025.largest_gain(path, 12.0)
    events = {
        f"compression_{years}_years": davidson_houlden2025.compressed(path, years, 12.0, per_year) for years in (3, 10)
    }
    return currency(gain, growth_per_year(doubling_months), p, published) | events


def ai2027_readouts(p: Draws, published: bool, window_end: float = np.inf) -> dict[str, Array]:
    """The common currency and the days of each stage, from the superhuman coder on; there is no calendar in it."""
    speeds = [p[f"ai2027_{stage}_speed"] for stage in STAGES]
    gaps = [p[f"ai2027_{stage}_gap_years"] for stage in STAGES[1:]]
    for before, after, stage in zip(speeds[:-1], speeds[1:], STAGES[1:], strict=True):
        if np.any(after < before):
            raise InputError(
                f"ai2027_{stage}_speed: below the speed of the stage before in some draws; the form needs rising speeds: "
                "raise it in rival_forms.toml"
            )
    days = {
        f"days_to_{stage}": ai2027.DAYS_PER_YEAR * ai2027.stage_years(gap, before, after)
        for stage, gap, before, after in zip(STAGES[1:], gaps, speeds[:-1], speeds[1:], strict=True)
    }
    growth = software_growth(p)
    gain = growth * ai2027.largest_gain(1.0, gaps, speeds)
    return currency(gain, growth, p, published) | {"human_only_years": sum(gaps)} | days


def kwa2026_readouts(p: Draws, published: bool, window_end: float) -> dict[str, Array]:
    """The common currency within the window, the year of 99% automation and the years from 20% to there."""
    production = kwa2026_production(p, published)
    path = kwa2026.course(production, p, window_end + 1.0)
    gain = kwa2026.largest_gain(path, float(p["as_of_year"]), window_end)
    low, high = (kwa2026.year_of_share(share, path, production, p) for share in (kwa2026.LOW_SHARE, kwa2026.HIGH_SHARE))
    high = np.where(high <= window_end, high, np.inf)
    low = np.where(np.isinf(high), 0.0, low)
    return currency(gain, production.people_rate, p, published) | {"year_99": high, "takeoff_years": high - low}


def kwa2026_production(p: Draws, published: bool) -> kwa2026.Production:
    """The form's research production: exponents and rate as published, or the draw's own."""
    share, start = p["kwa_labour_share"], p["kwa_automated_share_2026"]
    if published:
        labour, compute = share * p["kwa_scale_exponent"], (1.0 - share) * p["kwa_scale_exponent"]
        beta = p["kwa_difficulty_exponent"]
        people_rate = np.log(p["kwa_software_growth_2026"]) * (1.0 - start) ** labour
    else:
        labour = p["parallelization_exponent"] * (1.0 - p["compute_share"])
        compute = compute_exponent(p) * p["compute_share"]
        beta, people_rate = difficulty_exponent(p), software_growth(p)
    return kwa2026.Production(people_rate, labour, compute, beta, 1.0 / p["kwa_inverse_slope"], kwa2026.logit(start))


def currency(log_gain: Array, people_rate: Array, p: Draws, published: bool) -> dict[str, Array]:
    """What all forms are compared in, from the gain of ln S in the best 12 months and people's rate of ln S per year."""
    if not published:
        log_gain = np.minimum(log_gain, LN10 * p["log10_software_ceiling"])
    human_years = log_gain / people_rate
    return {
        "best_year_gain": log_gain / LN10,
        "best_year_gain_human_years": human_years,
        "best_year_3_human_years": human_years >= 3.0,
        "best_year_10_human_years": human_years >= 10.0,
    }


READOUTS_OF: dict[str, Callable[[Draws, bool, float], dict[str, Array]]] = {
    "davidson_houlden2025": davidson_houlden2025_readouts,
    "ai2027": ai2027_readouts,
    "kwa2026": kwa2026_readouts,
}


def compare_forms(
    run: xr.DataTree,
    readouts: xr.Dataset,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    superexponential: xr.Dataset | None = None,
) -> xr.Dataset:
    """The main form beside every rival, with the posterior's parameters and as published.

    Parameters
    ----------
    run
        The run that `readouts` were made from.
    readouts
        What `takeoff` returns, with or without the dim scenario.
    scenario
        Which one to take where `readouts` has that dim.
    years
        The window, as given to `takeoff`.
    superexponential
        What `takeoff` returns with ``horizon_form="superexponential"``: one more row beside the main form.

    Returns
    -------
    xarray.Dataset
        `CURRENCY` with dims (form, chain, draw), form being "section5", each rival's name, and each rival's name with
        " as published"; ``takeoff_years`` with dims (takeoff_form, chain, draw) over the forms that define it; each
        form's own variables as ``<form>_<name>`` with dims (parameters, chain, draw).

    Raises
    ------
    InputError
        If `readouts` lacks the scenario or belongs to another run.
    """
    own = _one_scenario(readouts, scenario)
    found_shape, shape = (own.sizes["chain"], own.sizes["draw"]), sample_shape(run)
    if found_shape != shape:
        raise InputError(
            f"readouts have {found_shape} chains and draws, the run {shape}: pass what takeoff(run) returns"
        )
    window = None if years is None else list(years)
    found = {(form, q): rival_form(run, form, q, window) for q in PARAMETERS_FROM for form in RIVALS}
    sibling = {} if superexponential is None else {SUPEREXPONENTIAL: _one_scenario(superexponential, scenario)}
    rows = {"section5": own} | sibling | {form_label(*key): data for key, data in found.items()}
    common = {name: _stacked("form", {k: data[name] for k, data in rows.items()}) for name in CURRENCY}
    lengths = {k: data["takeoff_years"] for k, data in rows.items() if "takeoff_years" in data}
    sides = {
        f"{form}_{name}": _stacked("parameters", {q: found[form, q][name] for q in PARAMETERS_FROM})
        for form in RIVALS
        for name in OWN[form]
        if name != "takeoff_years"
    }
    result = xr.Dataset(common | {"takeoff_years": _stacked("takeoff_form", lengths)} | sides)
    for name, variable in CURRENCY.items():
        own_rate = "; as published, davidson_houlden2025 and kwa2026 count years of their own rate"
        said = variable.definition + (own_rate if "human" in name else "")
        result[name].attrs.update(units=variable.units, definition=said)
    length = f"{READOUTS['takeoff_years'].definition} (kwa2026: to 99%)"
    result["takeoff_years"].attrs.update(units="yr", definition=length)
    return result


def form_label(form: str, parameters: str = "posterior") -> str:
    """The name of a row in a comparison.

    >>> form_label("kwa2026"), form_label("kwa2026", "published")
    ('kwa2026', 'kwa2026 as published')
    """
    return form if parameters == "posterior" else f"{form} as {parameters}"


def _check_names(form: str, parameters: str) -> None:
    if form == "section5":
        raise InputError("section5 is this model's own form: takeoff computes it")
    if form not in RIVALS:
        raise InputError(f"no rival form named {form!r}{suggestion(form, RIVALS)}")
    if parameters not in PARAMETERS_FROM:
        raise InputError(f"no set of parameters named {parameters!r}{suggestion(parameters, PARAMETERS_FROM)}")


def _definitions(form: str, published: bool) -> dict[str, Variable]:
    """Unit and meaning of each variable of a form; as published, its human-only years are at its own rate."""
    common = dict(CURRENCY)
    if published and form != "ai2027":
        rate = "at the form's own rate of people-only progress at its start"
        human = common["best_year_gain_human_years"]
        common["best_year_gain_human_years"] = Variable(
            human.units, human.definition.replace("people-only progress at as_of", f"people-only progress {rate}")
        )
    return common | OWN[form]


def _labelled(values: dict[str, Array], variables: dict[str, Variable], shape: tuple[int, int]) -> xr.Dataset:
    data = {
        name: (SAMPLE_DIMS, np.reshape(values[name], shape), {"units": v.units, "definition": v.definition})
        for name, v in variables.items()
    }
    return xr.Dataset(data, coords={"chain": np.arange(shape[0]), "draw": np.arange(shape[1])})


def _one_scenario(readouts: xr.Dataset, scenario: str) -> xr.Dataset:
    if "scenario" not in readouts.dims:
        return readouts
    names = [str(name) for name in readouts.coords["scenario"].values]
    if scenario not in names:
        raise InputError(f"readouts hold no scenario {scenario!r}{suggestion(scenario, names)}")
    return readouts.sel(scenario=scenario, drop=True)


def _stacked(dim: str, rows: dict[str, xr.DataArray]) -> xr.DataArray:
    """Rows of one variable along a new dim, with the attributes of the first."""
    first = next(iter(rows.values()))
    values = np.stack([row.transpose(*SAMPLE_DIMS).values for row in rows.values()])
    coords = {dim: list(rows), **{name: np.arange(first.sizes[name]) for name in SAMPLE_DIMS}}
    return xr.DataArray(values, dims=(dim, *SAMPLE_DIMS), coords=coords, attrs=dict(first.attrs))
