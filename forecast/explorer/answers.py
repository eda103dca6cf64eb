"""The page's answer to a state: numbers and words as plain JSON types, beside those of the posterior nothing has moved.

The words are those of `forecast.headlines`; a rival form answers with what it defines and says what it does not.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics import takeoff
from forecast.dynamics.forms import RIVALS
from forecast.explorer.conditioned import OWN_FORM, Explorer, Numbers, numbers
from forecast.explorer.rivals import rival_cards, rival_note, rival_sentences
from forecast.explorer.sliders import LEVELS, Slider, estimate_words
from forecast.explorer.spoken import card, estimated, never_by
from forecast.explorer.states import State, query
from forecast.headlines import Headline, headline
from forecast.quantiles import interval_levels, quantile
from forecast.research.forms import form_words
from forecast.summaries import length_shares
from forecast.words import number, percent

Figures = dict[str, Any]
KEPT = 8  # references and own best years that are kept, a few per page
FAN_NAMES = ("q05", "q25", "q50", "q75", "q95")
FAN_NOTE = (
    "{form} says nothing about the number of AIs: shown is this model's own, under the same sliders, view and scenario."
)


def answer(page: Explorer, state: State) -> dict[str, Any]:
    """What a state says, beside the same form of the run as it is.

    Parameters
    ----------
    page
        What `explorer` returns.
    state
        What is chosen and fixed; `states.state_of` checks one that comes from outside.

    Returns
    -------
    dict
        JSON's own types, an infinite number as null. ``state`` and its ``query``; ``now`` and ``reference``, each with
        ``live`` (the headline in one sentence), ``sentences``, ``cards``, ``fan`` (quantiles by year, log10), ``lengths``
        (shares of draws by length of the take-off, null where the form has none), ``sliders`` (where the draws of each
        parameter lie) and ``note`` (what the form leaves open).

    Examples
    --------
    >>> page = explorer(load_run("forecast-out/run.nc"))  # doctest: +SKIP
    >>> answer(page, State(fixed=(("automation_gap", 3.0),)))["now"]["live"]  # doctest: +SKIP
    """
    said = {"scenario": state.scenario, "form": state.form, "view": state.view, "fixed": dict(state.fixed)}
    unmoved = reference(page, state.form if state.form in RIVALS else OWN_FORM)
    now = unmoved if state == State(form=unmoved["form"]) else figures(page, state)
    return {"state": said, "query": query(state, page.digest), "now": now, "reference": unmoved}


@lru_cache(maxsize=KEPT)
def reference(page: Explorer, form: str) -> Figures:
    """The run as it is: baseline, no view, no parameter fixed."""
    return figures(page, State(form=form))


def figures(page: Explorer, state: State) -> Figures:
    """Numbers and words of one state."""
    found = numbers(page, state)
    told = headline(found.yearly, found.readouts, scenario=state.scenario)
    shared = {
        "form": state.form,
        "sliders": {slider.name: lies(slider, found.parameters[slider.name]) for slider in page.sliders},
        "fan": fan(found, state.form),
    }
    return shared | (own_words(told, found) if found.rival is None else rival_words(page, state.form, found.rival))


def own_words(told: Headline, found: Numbers) -> Figures:
    """What this model's own form says."""
    return {
        "live": live(told),
        "sentences": list(told.sentences),
        "cards": own_cards(told, found.readouts),
        "lengths": lengths(found.readouts["takeoff_years"], told.last_year),
        "note": "",
    }


def rival_words(page: Explorer, form: str, found: xr.Dataset) -> Figures:
    """What a rival form says of what it defines."""
    cards = rival_cards(form, found, page.years[-1])
    return {
        "live": f"By {form_words(form)}, software gains {cards[0]['big']} OOM in its best 12 months.",
        "sentences": rival_sentences(form, found, own_best_year(page)),
        "cards": cards,
        "lengths": lengths(found["takeoff_years"], page.years[-1]) if "takeoff_years" in found else None,
        "note": rival_note(form),
    }


def live(told: Headline) -> str:
    """The headline in one sentence, for the top of the page and for who listens to it."""
    if np.isnan(told.streams.median):
        return f"Full automation of AI R&D does not arrive by {told.last_year} in any draw."
    streams = f"{number(told.streams.median)} parallel streams"
    if math.isinf(told.year_100.median):
        missed = f"does not arrive by {told.last_year} in half of the draws or more"
        return f"Full automation of AI R&D {missed}; where it does, with {streams}."
    length = "more years than the window has" if math.isinf(told.takeoff_years.median) else told.length_parts[0]
    return f"Full automation of AI R&D in {told.date_parts[0]}, with {streams}; {length} from 20% to 100%."


def own_cards(told: Headline, readouts: xr.Dataset) -> list[dict[str, Any]]:
    """The four numbers that the page shows large."""
    gain = estimated(readouts["first_year_gain"], power=10.0)
    chance = {name: percent(float(readouts[name].mean())) for name in ("first_year_1_oom", "first_year_3_oom")}
    within = percent(float(readouts["takeoff_within_3_years"].mean()))
    people = f"streams; {number(told.human_equivalents.median)} human-equivalents" if told.not_automated < 1.0 else ""
    return [
        card("AIs at full automation", told.streams, number, "none", "", people),
        card(
            "From 20% to 100% automation",
            told.takeoff_years,
            number,
            never_by(told.last_year),
            "years",
            f"in 1 year: {percent(told.within_1_year)}, in 3: {within}",
        ),
        card(
            "Full automation of AI R&D",
            told.year_100,
            lambda year: str(int(year)),
            never_by(told.last_year),
            "",
            f"not by {told.last_year}: {percent(told.not_automated)}",
        ),
        card(
            "First-year software gain",
            gain,
            number,
            "none",
            "times",
            f"10 times: {chance['first_year_1_oom']}, 1,000: {chance['first_year_3_oom']}",
        ),
    ]


def lies(slider: Slider, draws: Any) -> dict[str, Any]:
    """Where the draws of a parameter lie: places on its track (5%, 50%, 95%) and words."""
    low, median, high = (float(x) for x in np.quantile(draws, LEVELS))
    return {
        "places": [round(slider.place(x), 2) for x in (low, median, high)],
        "words": slider.words(median) if low == high else estimate_words(slider.name, low, median, high),
    }


def fan(found: Numbers, form: str) -> dict[str, Any]:
    """Quantiles by year of both series, log10, and those of the year of full automation."""
    levels = interval_levels(0.9)
    series = {
        str(name): dict(zip(FAN_NAMES, quantile(values, levels).values.tolist(), strict=True))
        for name, values in found.yearly.data_vars.items()
    }
    arrival = quantile(found.readouts["year_100"], LEVELS).values.tolist()
    return {
        "years": found.yearly["year"].values.tolist(),
        "series": series,
        "words": {name: counts(*(levels[q] for q in ("q05", "q50", "q95"))) for name, levels in series.items()},
        "year_100": [x if math.isfinite(x) else None for x in arrival],
        "own": found.rival is None,
        "note": "" if found.rival is None else FAN_NOTE.format(form=form_words(form)),
    }


def counts(*columns: list[float]) -> list[list[str]]:
    """Rows of log10 numbers as counts in words."""
    return [[number(10.0**value) for value in row] for row in zip(*columns, strict=True)]


def lengths(years: xr.DataArray, last_year: int) -> dict[str, list[Any]]:
    """Shares of the draws by length of the take-off."""
    labels, shares = length_shares(years, last_year)
    return {
        "labels": labels,
        "shares": [float(share) for share in shares],
        "words": [percent(share) for share in shares],
    }


@lru_cache(maxsize=KEPT)
def own_best_year(page: Explorer) -> xr.DataArray:
    """Gain by this model's own equations (OOM of software in the best 12 months): what rival forms are compared with."""
    return takeoff(page.run, "baseline", page.years)["best_year_gain"].isel(scenario=0)
