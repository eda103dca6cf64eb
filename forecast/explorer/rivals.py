"""What the page says of a rival form: its own numbers in its own terms, and what it does not define."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xarray as xr

from forecast.dynamics.forms import OWN
from forecast.explorer.spoken import card, estimated, in_words, never_by
from forecast.research.forms import form_words
from forecast.words import number, percent

Card = dict[str, Any]
OOM = "1 OOM is a factor of 10"
NOTES = {
    "davidson_houlden2025": "It begins at full automation and does not say when that is, nor how long the way from 20% takes.",
    "ai2027": "It begins at the superhuman coder and does not say when that is, nor how long the way from 20% takes.",
    "kwa2026": "It never completes automation: its take-off is counted from 20% to 99%.",
}
SHARED = "Scenarios do not enter this form; it takes from the sliders and the view only the parameters it shares with this model."


def rival_note(form: str) -> str:
    """What a form leaves open, and what the sliders can do to it."""
    return f"{NOTES[form]} {SHARED}"


def rival_cards(form: str, found: xr.Dataset, last_year: int) -> list[Card]:
    """The numbers that a form defines: the gain that all forms share, then its own."""
    three, ten = (percent(float(found[f"best_year_{years}_human_years"].mean())) for years in (3, 10))
    gain = card("Software gain in the best 12 months", estimated(found["best_year_gain"]), number, "none", "OOM", OOM)
    people = card(
        "The same in people-only years",
        estimated(found["best_year_gain_human_years"]),
        number,
        "none",
        "years",
        f"3 years: {three}, 10 years: {ten}",
    )
    return [gain, people, *OWN_CARDS[form](found, last_year)]


def davidson_houlden_cards(found: xr.Dataset, last_year: int) -> list[Card]:
    """Probabilities of its compression events."""
    return [
        {
            "title": f"{years} of its years within 12 months",
            "big": percent(float(found[f"compression_{years}_years"].mean())),
            "unit": "",
            "range": "probability",
            "note": "one of its years: 8 doublings of software",
        }
        for years in (3, 10)
    ]


def ai2027_cards(found: xr.Dataset, last_year: int) -> list[Card]:
    """Days from its first stage to its last."""
    stages = [str(name) for name in OWN["ai2027"] if str(name).startswith("days_to_")]
    total = sum((found[name] for name in stages), start=xr.zeros_like(found[stages[0]]))
    note = "; ".join(
        f"to {name.removeprefix('days_to_')}: {number(float(found[name].median()), 3)} days" for name in stages
    )
    title = "From superhuman coder to superintelligence"
    return [card(title, estimated(total), lambda days: number(days, 3), "never", "days", note)]


def kwa_cards(found: xr.Dataset, last_year: int) -> list[Card]:
    """Its own length of the take-off, and the year it ends in."""
    never = never_by(last_year)
    return [
        card("From 20% to 99% automation", estimated(found["takeoff_years"]), number, never, "years"),
        card("99% automation of AI R&D", estimated(found["year_99"]), lambda year: str(int(year)), never),
    ]


OWN_CARDS: dict[str, Callable[[xr.Dataset, int], list[Card]]] = {
    "davidson_houlden2025": davidson_houlden_cards,
    "ai2027": ai2027_cards,
    "kwa2026": kwa_cards,
}


def rival_sentences(form: str, found: xr.Dataset, own_gain: xr.DataArray) -> list[str]:
    """The form's gain beside this model's own, and what it leaves open."""
    gain, own = (in_words(estimated(values)) for values in (found["best_year_gain"], own_gain))
    three = percent(float(found["best_year_3_human_years"].mean()))
    return [
        f"By {form_words(form)}, software gains {gain} OOM in its best 12 months; by this model's own equations, with "
        f"nothing fixed and the baseline's trends, {own} OOM.",
        f"P(3 years or more of people-only progress in 12 months) = {three}.",
        rival_note(form),
    ]
