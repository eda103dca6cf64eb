"""The page itself: one template, filled once; script and style are files of their own, so that a policy can forbid others."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from forecast.drivers.outputs import HEADLINES
from forecast.explorer.answers import answer
from forecast.explorer.conditioned import Explorer
from forecast.explorer.sliders import Slider, all_labels, interval_words
from forecast.explorer.states import NO_VIEW, State
from forecast.research.forms import form_words
from forecast.words import number, percent

GROUPS = {
    HEADLINES[1]: ("Mostly how fast", "years from 20% to 100%"),
    HEADLINES[0]: ("Mostly how many", "the number of AIs"),
}
SPREAD_OF = {name: words for name, (_, words) in GROUPS.items()}
CHOICE_LABELS = {"scenario": "Scenario", "form": "Equations of the take-off", "view": "Somebody's view"}
DECADES = range(-6, 100)  # a view may have no limit of software near
STATIC = {
    "/explorer.js": "text/javascript; charset=utf-8",
    "/explorer.css": "text/css; charset=utf-8",
    "/icon.svg": "image/svg+xml",
}


def rendered(page: Explorer) -> str:
    """The HTML of the page; the same run gives the same text."""
    environment = Environment(
        loader=PackageLoader("forecast.explorer", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups = [
        (title, [about(slider) for slider in page.sliders if slider.group == output])
        for output, (title, _) in GROUPS.items()
    ]
    return environment.get_template("explorer.html.j2").render(
        groups=[(title, members) for title, members in groups if members],
        choices=choices(page),
        marks=page.marks,
        run=page.digest,
        as_of=page.record["as_of"],
        draws=f"{page.shape[0] * page.shape[1]:,}",
        total="" if page.shape[0] * page.shape[1] == page.total_draws else f"{page.total_draws:,}",
        kind=page.record["kind"],
        prior_only=page.record["kind"] == "prior",
        last_year=page.years[-1],
        setup=setup(page),
    )


def choices(page: Explorer) -> list[dict[str, Any]]:
    """The three choices with their options: name, words and description."""
    start, notes = State(), all_labels()["form_notes"]
    about = {
        "scenario": {name: item.description for name, item in page.scenarios.items()},
        "form": {name: notes.get(name, "") for name in page.allowed.choices["form"]},
        "view": {NO_VIEW: "The run as it is."} | {name: view.description for name, view in page.views.items()},
    }
    return [
        {
            "name": name,
            "label": label,
            "options": [(option, called(name, option), text) for option, text in about[name].items()],
            "start": getattr(start, name),
        }
        for name, label in CHOICE_LABELS.items()
    ]


def called(choice: str, name: str) -> str:
    """What an option is called.

    >>> called("scenario", "software_only"), called("view", "somebody_else")
    ('Software only', 'Somebody else')
    """
    known = all_labels()[choice].get(name)
    return known or (form_words(name) if choice == "form" else name.replace("_", " ").capitalize())


def about(slider: Slider) -> dict[str, Any]:
    """What the template prints of a slider."""
    low, median, high = slider.quantiles
    return {
        "name": slider.name,
        "label": slider.label,
        "definition": slider.definition,
        "units": slider.units,
        "prior": slider.prior,
        "source": slider.source,
        "last": len(slider.values) - 1,
        "start": nearest(slider, median),
        "ends": [slider.words(end) for end in slider.ends],
        "places": [round(slider.place(x), 2) for x in slider.quantiles],
        "median": slider.words(median),
        "interval": interval_words(slider.name, low, high),
        "shares": [
            f"{percent(max(share, 0.0))} of the spread of {SPREAD_OF[name]}" for name, share in slider.shares.items()
        ],
    }


def nearest(slider: Slider, value: float) -> int:
    """Index of the slider's value that lies nearest on its track."""
    place = slider.place(value)
    return min(range(len(slider.values)), key=lambda index: abs(slider.place(slider.values[index]) - place))


def setup(page: Explorer) -> dict[str, Any]:
    """What the script needs to know: values of the sliders with their words, names, labels of axes, the first answer."""
    return {
        "run": page.digest,
        "choices": {name: list(known) for name, known in page.allowed.choices.items()},
        "sliders": [
            {
                "name": slider.name,
                "label": slider.label,
                "values": slider.values,
                "words": [slider.words(value) for value in slider.values],
                "places": [round(slider.place(value), 2) for value in slider.values],
            }
            for slider in page.sliders
        ],
        "decades": {str(k): number(10.0**k) for k in DECADES},
        "start": answer(page, State()),
    }


def documents(page: Explorer) -> dict[str, tuple[str, bytes]]:
    """Everything that is served as it stands: path -> (type, content)."""
    folder = files("forecast.explorer").joinpath("static")
    static = {path: (kind, folder.joinpath(path[1:]).read_bytes()) for path, kind in STATIC.items()}
    return {"/": ("text/html; charset=utf-8", rendered(page).encode())} | static
