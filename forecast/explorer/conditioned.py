"""From a state to its numbers: the draws moved along the posterior, projected and taken off anew.

Only what the page shows is computed: the path of software, the AIs on it by year, and what full automation settles.
``tests/explorer/test_conditioned.py`` holds the numbers to `takeoff` and `apply_view`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from forecast.drivers.sensitivity import ENOUGH_DRAWS
from forecast.dynamics import arrival_readouts, software_at
from forecast.dynamics.events import z_at_time
from forecast.dynamics.flow import Engine, blocks_for, turning
from forecast.dynamics.forms import CURRENCY, MIXED, OWN, READOUTS_OF, RIVALS, SUPEREXPONENTIAL
from forecast.dynamics.integrator import log_software
from forecast.dynamics.paths import Legs, beyond_automation, to_automation
from forecast.equations import takeoff as dynamics
from forecast.equations.trends import LN10
from forecast.equations.yearly import LOG10_YEAR
from forecast.errors import ForecastError, InputError
from forecast.explorer.sliders import Slider, found_shares, kept_shares, sliders
from forecast.explorer.states import NO_VIEW, Allowed, State
from forecast.overlays import scenario_names
from forecast.priors import Overlay, read_overlay
from forecast.records import explained
from forecast.reporting.forecasts import run_marks
from forecast.research.compare import view_names
from forecast.results import checked_years, in_blocks, moments, require_finite
from forecast.runs import read_provenance, sample_shape, with_provenance
from forecast.scenarios import Course, Scenario, load_scenarios
from forecast.schema import ALTERNATIVES, EVENTS, READOUTS, YEARLY, Variable
from forecast.side_draws import side_draws, thinned
from forecast.statements import Prior, fixed
from forecast.views import changer

Array = Any  # NumPy array over draws
Draws = dict[str, Any]
DRAWS = 4000  # a run with twice as many or more is thinned: a page that answers late is no page
SERIES = ("log10_parallel_streams", "log10_human_equivalents")
ARRIVAL = (
    *("year_20", "year_100", "takeoff_years", "log10_streams_at_automation", "log10_human_equivalents_at_automation"),
    *("first_year_gain", "first_year_1_oom", "first_year_3_oom"),
    *("not_automated", "already_20", "takeoff_within_1_year", "takeoff_within_3_years"),
)
OWN_FORM = "section5"
DIGEST = 12  # characters of the run's digest in a link
EXPONENTIAL, FASTER = "exponential", "superexponential"


@dataclass(frozen=True, eq=False)
class Explorer:
    """A run made ready for questions; nothing in it changes.

    ``parameters`` gives the parameters of all draws for what is stated (`views.changer`), ``beside`` the draws of a side
    block under a view's statements. ``total_draws`` are those of the run, of which ``shape`` (chains, draws) are used.
    ``engine`` integrates the paths (`dynamics.takeoff`).
    """

    run: xr.DataTree
    record: Mapping[str, Any]
    years: list[int]
    shape: tuple[int, int]
    total_draws: int
    marks: tuple[str, ...]
    sliders: tuple[Slider, ...]
    scenarios: Mapping[str, Scenario]
    views: Mapping[str, Overlay]
    parameters: Callable[[Mapping[str, Prior]], Draws]
    beside: Callable[[str, str], Draws]
    engine: Engine

    @property
    def digest(self) -> str:
        """The run's digest, as far as links carry it."""
        return str(self.record["digests"]["fit"])[:DIGEST]

    @property
    def allowed(self) -> Allowed:
        """What a state may hold."""
        choices = {"scenario": list(self.scenarios), "form": list(MIXED), "view": [NO_VIEW, *self.views]}
        return Allowed(choices, {slider.name: slider.ends for slider in self.sliders}, self.digest)


class Numbers(NamedTuple):
    """Draws of what a state says, with units.

    ``yearly`` and ``readouts`` are of this model's own equations; ``rival`` of the form chosen, None where that is this
    model's. ``parameters`` are the draws behind them.
    """

    yearly: xr.Dataset
    readouts: xr.Dataset
    rival: xr.Dataset | None
    parameters: Draws


def explorer(run: xr.DataTree, engine: Engine = "numpy") -> Explorer:
    """A run made ready for `answer`.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior; of 8,000 draws or more about 4,000 are used.
    engine : {"numpy", "compiled"}
        What integrates the paths; compiling takes seconds and makes each answer several times faster.

    Raises
    ------
    InputError
        If the tree is no run, or has too few draws to say what drives them.

    Examples
    --------
    >>> from forecast import load_run
    >>> explorer(load_run("forecast-out/run.nc")).sliders[0].label  # doctest: +SKIP
    """
    read_provenance(run)  # says so where this is none
    chains, each = sample_shape(run)
    if chains * each < ENOUGH_DRAWS:
        raise InputError(f"the run has {chains * each} draws: the page needs {ENOUGH_DRAWS} to say what drives them")
    whole = _explained(run)
    tree = thinned(whole, DRAWS)
    record = read_provenance(tree)
    change = changer(tree)
    years = checked_years(record.get("years"), float(change({})["as_of_year"]))
    views = {name: read_overlay(name) for name in view_names()}
    return Explorer(
        run=tree,
        record=record,
        years=years,
        shape=sample_shape(tree),
        total_draws=chains * each,
        marks=run_marks(tree),
        sliders=sliders(tree, kept_shares(whole, years) or found_shares(tree, years)),
        scenarios={item.name: item for item in load_scenarios(scenario_names())},
        views=views,
        parameters=change,
        beside=cache(lambda view, block: _side_draws(tree, views.get(view), block)),
        engine=engine,
    )


def warm(page: Explorer, *courses: Course) -> None:
    """Answer once for each course of compute, so that its paths are compiled when somebody asks."""
    for name in {item.course: name for name, item in page.scenarios.items() if item.course in courses}.values():
        numbers(page, State(scenario=name))


def numbers(page: Explorer, state: State) -> Numbers:
    """Everything that the page shows of a state, as draws."""
    p = conditioned(page, state)
    scenario = page.scenarios[state.scenario]
    own = in_blocks(
        p,
        p_size(page),
        lambda part: projected(part, scenario, page, horizon_form(state.form)),
        **blocks_for(page.engine),
    )
    yearly = {name: own.pop(name) for name in SERIES}
    rival = None
    if state.form in RIVALS:
        end = page.years[-1] + 1.0
        found = in_blocks(p, p_size(page), lambda part: READOUTS_OF[state.form](part, False, end))
        rival = _labelled(found, CURRENCY | OWN[state.form], page)
    return Numbers(_labelled(yearly, YEARLY, page), _labelled(own, READOUTS | EVENTS, page), rival, p)


def conditioned(page: Explorer, state: State) -> Draws:
    """Parameters of all draws: the view's distributions, the sliders' values, and what follows either."""
    held = dict(state.fixed)
    entries = page.views[state.view].entries if state.view != NO_VIEW else {}
    stated = {name: prior for name, prior in entries.items() if ALTERNATIVES.get(name) not in held}
    p = page.parameters(stated | {name: fixed(value) for name, value in held.items()})
    blocks = ["hardware_leap"] if page.scenarios[state.scenario].course == "leap" else []
    blocks += ["rival_forms"] if state.form in RIVALS else []
    for block in blocks:
        p = p | page.beside(state.view, block)
    require_finite(p)
    return p


def projected(p: Draws, scenario: Scenario, page: Explorer, horizon: str) -> dict[str, Array]:
    """Read-outs, events and by-year series (draw, year) of one block of draws, by the names of ``forecast.schema``."""
    end, q = page.years[-1] + 1.0, scenario.parameters(p)
    legs = to_automation(q, end, horizon, engine=page.engine)
    legs = beyond_automation(legs, q, end, scenario.course, engine=page.engine)
    found = arrival_readouts(legs, q) | first_year(legs, q)
    return {name: found[name] for name in ARRIVAL} | ais_by_year(
        legs, q, moments(page.years, q["as_of_year"]), scenario
    )


def first_year(legs: Legs, p: Draws) -> dict[str, Array]:
    """OOM of software gained in the first year after full automation, NaN where that is not reached, and events."""
    gain = np.full(legs.reached.size, np.nan)
    if legs.after is not None and legs.arrival is not None:
        reached = np.flatnonzero(legs.reached)
        ceiling = LN10 * np.broadcast_to(p["log10_software_ceiling"], gain.shape)[reached]
        later = z_at_time(legs.after, legs.arrival.time + 1.0)
        gain[reached] = (log_software(later, ceiling) - log_software(legs.arrival.z, ceiling)) / LN10
    known = np.nan_to_num(gain)
    return {"first_year_gain": gain, "first_year_1_oom": known >= 1.0, "first_year_3_oom": known >= 3.0}


def ais_by_year(legs: Legs, p: Draws, when: Sequence[float], scenario: Scenario) -> dict[str, Array]:
    """The two series of `SERIES` with feedback, (draw, year), as `dynamics.by_year` has them; `when` decimal years."""
    turned = turning(scenario.course, np.where(legs.reached, legs.year_100, np.inf))
    columns = []
    for year, z in zip(when, software_at(legs, np.asarray(when)), strict=True):
        around = dynamics.surroundings(year, p, **turned)
        flop = dynamics.effective_flop(log_software(z, LN10 * p["log10_software_ceiling"]), around)
        on = dynamics.deployed(flop, around, legs.present.milestones, p)
        people = on.log_tokens_per_second / LN10 + LOG10_YEAR - np.log10(p["tokens_per_researcher_year"])
        columns.append(((on.log_tokens_per_second - on.log_stream_speed) / LN10, people))
    both = (np.stack(series, axis=-1) for series in zip(*columns, strict=True))
    return dict(zip(SERIES, both, strict=True))


def horizon_form(form: str) -> str:
    """The task horizon's form under a form of the take-off; a rival has none of its own."""
    return FASTER if form == SUPEREXPONENTIAL else EXPONENTIAL


def p_size(page: Explorer) -> int:
    """Number of draws."""
    return page.shape[0] * page.shape[1]


def _labelled(values: Mapping[str, Array], variables: Mapping[str, Variable], page: Explorer) -> xr.Dataset:
    """Arrays (draw[, year]) with dims, units and definitions."""
    coords = {"sample": np.arange(p_size(page)), "year": page.years}
    data = {}
    for name, array in values.items():
        dims = ("sample", "year")[: array.ndim]
        data[name] = (dims, array, {"units": variables[name].units, "definition": variables[name].definition})
    wanted = {dim for dims, *_ in data.values() for dim in dims}
    return xr.Dataset(data, coords={dim: coords[dim] for dim in coords if dim in wanted})


def _side_draws(run: xr.DataTree, view: Overlay | None, block: str) -> Draws:
    """Draws of a side block, a view's statements in the place of the run's own."""
    record, entries = read_provenance(run), {} if view is None else view.entries
    said = {name: prior.statement | {"distribution": prior.distribution} for name, prior in entries.items()}
    return side_draws(with_provenance(run.copy(), record | {"priors": record["priors"] | said}), block)


def _explained(run: xr.DataTree) -> xr.DataTree:
    """The run with its sources written out, where they can be known."""
    try:
        return explained(run)
    except ForecastError:  # made from other priors, which only its file would tell
        return run
