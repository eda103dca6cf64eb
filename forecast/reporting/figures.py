"""Figures of the report: matplotlib Axes turned into inline SVG that takes the page's colours and fonts."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from forecast import plots
from forecast.headlines import Estimate, count, estimate
from forecast.quantiles import quantile
from forecast.reporting import numbers
from forecast.reporting.content import Figure
from forecast.reporting.tables import bands_table, exceedance_by_year, tail_table, takeoff_length_table
from forecast.summaries import THRESHOLDS, csv_text, exceedance, tail
from forecast.words import number, odds, percent

GAIN_POINTS = tuple(np.linspace(0.0, 6.0, 61).tolist())
YEAR_POINTS = tuple(np.linspace(1.0, 12.0, 45).tolist())
SAID_OOM = (0.5, 1.0, 2.0, 3.0, 6.0)
SAID_YEARS = (2.0, 3.0, 5.0, 10.0)
COLOUR_NAMES = {
    plots.INK: "ink-soft",
    plots.BLUE: "c1",
    plots.ORANGE: "c2",
    plots.GREEN: "c3",
    plots.PURPLE: "c4",
    plots.GREY: "c5",
}
SVG_SETTINGS: dict[Literal["svg.fonttype", "svg.hashsalt", "text.parse_math"], str | bool] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "forecast",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def make_figures(yearly: xr.Dataset, readouts: xr.Dataset) -> tuple[Figure, ...]:
    """The report's figures, each with alternative text, caption and the numbers behind it.

    Parameters
    ----------
    yearly, readouts
        What `project` and `takeoff` return, with the main scenario first.
    """
    end = int(yearly.coords["year"].values.max())
    streams, people = yearly["log10_parallel_streams"], yearly["log10_human_equivalents"]
    fans = (
        _fan("streams", streams, "Parallel AIs", "streams that the leading developer's whole fleet runs at once"),
        _fan("human-equivalents", people, "Human-equivalents", "tokens per calendar year over a researcher's year"),
    )
    takeoff = (_lengths(readouts, end), _compressed(readouts), _gains(readouts, end))
    return (*fans, _exceedance(streams), *takeoff)


def drawn(name: str, draw: Callable[[], Axes], caption: str, behind: pd.DataFrame) -> Figure:
    r"""A figure of a further question, with the numbers behind it; in words they stand in the section's tables.

    Examples
    --------
    >>> from forecast.plots import new_axes
    >>> drawn("a<b", lambda: new_axes(None), "Nothing", pd.DataFrame({"x": [1.5]})).csv
    'x\n1.5\n'
    """
    alt = f"{caption}. The numbers stand in the tables below."
    key = slug(name)
    return Figure(key, inline_svg(draw, key, alt), alt, f"{caption}.", csv=csv_text(behind))


def slug(name: str) -> str:
    """A name as it can stand in an id, an address and the name of a file.

    >>> slug("evidence-year_100<2031")
    'evidence-year_100-2031'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)


def prior_posterior_figure(prior: xr.DataArray, posterior: xr.DataArray | None, name: str, units: str) -> Figure:
    """One parameter's draws before and after the data, for a closer look than the table's bars."""
    alt = f"Histogram of {name}: prior {_interval(estimate(_flat(prior)))}"
    alt += f", posterior {_interval(estimate(_flat(posterior)))}" if posterior is not None else ""
    key = f"parameter-{re.sub(r'[^a-z0-9]+', '-', name.lower())}"
    label = f"{name} ({units})"
    svg = inline_svg(lambda: plots.plot_prior_posterior(prior, posterior, label), key, f"{alt} {units}.")
    draws = {"prior": prior} | ({} if posterior is None else {"posterior": posterior})
    found = {which: quantile(_flat(one), numbers.BANDS).values for which, one in draws.items()}
    behind = pd.DataFrame.from_dict(found, orient="index", columns=numbers.COLUMNS).rename_axis("of").reset_index()
    return Figure(key, svg, f"{alt} {units}.", f"{name}: prior and posterior.", csv=csv_text(behind))


def inline_svg(draw: Callable[[], Axes], name: str, alt: str) -> str:
    """An Axes as SVG text for an HTML page: the same figure gives the same bytes, ids begin with ``name``.

    The user's matplotlib settings do not reach it; text stays text, in the page's font; palette colours become CSS
    variables with the palette as fallback.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        for key, setting in SVG_SETTINGS.items():
            mpl.rcParams[key] = setting
        ax = draw()
        buffer = io.StringIO()
        ax.get_figure(root=True).savefig(buffer, format="svg", metadata=NO_METADATA)  # type: ignore[union-attr]
    body = buffer.getvalue()
    opening = re.search(r"<svg[^>]*viewBox=\"([^\"]*)\"[^>]*>", body)
    if opening is None:
        raise AssertionError("matplotlib wrote no svg element")
    inside = _tidied(body[opening.end() :], name)
    title = f'<title id="{name}-title">{escape(alt)}</title>'
    return f'<svg viewBox="{opening[1]}" role="img" aria-labelledby="{name}-title">{title}{inside}'


def _tidied(svg: str, name: str) -> str:
    svg = re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL
    )  # would style the whole page
    svg = svg.replace("xlink:href", "href")
    used = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r"(href=\"|url\()#", rf"\1#{name}-", svg)
    svg = re.sub(r"\s*font-family: [^;\"]*;", "", svg)
    for colour, variable in COLOUR_NAMES.items():
        svg = svg.replace(f": {colour}", f": var(--{variable}, {colour})")
    return re.sub(r"\s*\n\s*", " ", svg).strip()


def _fan(key: str, data: xr.DataArray, what: str, definition: str) -> Figure:
    years = data.coords["year"].values
    ends = [f"{int(year)}: {_interval(_at(data, int(year)))}" for year in (years[0], years[-1])]
    alt = f"{what} by year, median and intervals on a log axis. {'; '.join(ends)}."
    caption = f"{what} by year: {definition}. Median, 50% and 90% equal-tailed intervals, log axis."
    svg, behind = inline_svg(lambda: plots.plot_fan(data), key, alt), numbers.band_rows(data)
    return Figure(key, svg, alt, caption, "count", bands_table(data, key, what), csv_text(behind))


def _exceedance(data: xr.DataArray) -> Figure:
    last = int(data.coords["year"].values.max())
    one = plots.first_scenario(data)
    at_last = one.sel(year=last)
    said = "; ".join(f"more than {number(10.0**x)}: {percent(float(exceedance(at_last, x)))}" for x in THRESHOLDS)
    alt = f"Probability by year of more parallel AIs than each of {len(THRESHOLDS)} counts. In {last}, {said}."
    caption = "Probability that the leading developer's fleet runs more than so many parallel AIs, by year."
    svg = inline_svg(lambda: plots.plot_exceedance(data), "exceedance", alt)
    behind = numbers.exceedance_rows(one, THRESHOLDS)
    return Figure("exceedance", svg, alt, caption, "count", exceedance_by_year(data), csv_text(behind))


def _lengths(readouts: xr.Dataset, end: int) -> Figure:
    table = takeoff_length_table(readouts, end)
    said = "; ".join(f"{label}: {share}" for label, share in zip(*(table.frame[c] for c in table.frame), strict=True))
    alt = f"Bars of the share of draws by years from 20% to 100% automation. {said}."
    caption = "Length of the take-off, in years from 20% to 100% automation of AI R&D: share of draws."
    svg = inline_svg(lambda: plots.plot_takeoff_lengths(readouts, end), "takeoff-lengths", alt)
    behind = numbers.length_rows(readouts["takeoff_years"], end)
    return Figure("takeoff-lengths", svg, alt, caption, "takeoff", table, csv_text(behind))


def _compressed(readouts: xr.Dataset) -> Figure:
    gain = readouts["best_year_gain_human_years"]
    alt = (
        "Probability that the best 12 months bring at least so many years of people-only software progress. "
        f"At least 3 years: {_said_at(gain, 3.0)}."
    )
    caption = (
        "Years compressed into one: probability that software advances in some 12 months as far as people alone, at "
        "the pace of the last observation, would bring it in so many years."
    )
    return _tail("years-compressed", gain, YEAR_POINTS, SAID_YEARS, "years of people-only progress", alt, caption)


def _gains(readouts: xr.Dataset, end: int) -> Figure:
    gain = readouts["first_year_gain"]
    alt = (
        "Probability of at least so many OOM of software in the first year after full automation. "
        f"At least 1 OOM: {_said_at(gain, 1.0)}."
    )
    caption = (
        "Probability of gaining at least so many orders of magnitude (OOM) of software in the first year after full "
        f"automation; draws that do not reach it by {end} count as no. In “software only”, compute is frozen from "
        "then on."
    )
    return _tail("first-year-gain", gain, GAIN_POINTS, SAID_OOM, "OOM of software", alt, caption)


def _tail(
    key: str, data: xr.DataArray, points: Sequence[float], said: Sequence[float], xlabel: str, alt: str, caption: str
) -> Figure:
    svg = inline_svg(lambda: plots.plot_tail(data, points, xlabel), key, alt)
    table, behind = tail_table(data, key, said, xlabel), numbers.tail_rows(data, points)
    return Figure(key, svg, alt, caption, "takeoff", table, csv_text(behind))


def _said_at(data: xr.DataArray, point: float) -> str:
    shares = [(label, tail(one, [point])[0]) for label, one in plots.by_scenario(data)]
    return "; ".join(f"{label} {percent(share)} ({odds(share)})".strip() for label, share in shares)


def _at(data: xr.DataArray, year: int) -> Estimate:
    return estimate(plots.first_scenario(data).sel(year=year), power=10.0)


def _interval(value: Estimate) -> str:
    return count(value)


def _flat(samples: xr.DataArray | Sequence[float]) -> xr.DataArray:
    return xr.DataArray(np.ravel(np.asarray(samples, dtype=np.float64)), dims="draw")
