"""Names from code as people say them, for running text; tables keep the names that commands and files take."""

from __future__ import annotations

import re

TITLES = {
    "log10_streams_at_automation": "the number of AIs at full automation",
    "takeoff_years": "the years from 20% to 100% automation",
    "as_of": "the as-of date",
}
NAME = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")


def readable(text: str) -> str:
    """A sentence without snake_case.

    >>> readable("Of takeoff_years, required_horizon_minutes makes 32%; log10_tokens_per_datapoint 9%.")
    'Of the years from 20% to 100% automation, required horizon minutes makes 32%; log10 tokens per datapoint 9%.'
    >>> readable("takeoff_years (years from 20% to 100% automation of AI R&D), and so on.")
    'the years from 20% to 100% automation (years from 20% to 100% automation of AI R&D), and so on.'
    """
    return NAME.sub(lambda found: words(found[0]), text)


def words(name: str) -> str:
    """One name in words.

    >>> words("as_of"), words("automation_gap")
    ('the as-of date', 'automation gap')
    """
    return TITLES.get(name, name.replace("_", " "))


def title(name: str) -> str:
    """The name of an output as a heading.

    >>> title("takeoff_years"), title("year_100<2031")
    ('Years from 20% to 100% automation', 'year_100<2031')
    """
    said = TITLES.get(name, name).removeprefix("the ")
    return said if said == name else f"{said[0].upper()}{said[1:]}"
