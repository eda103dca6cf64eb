"""The two headlines: how many AIs, and how fast a take-off; numbers first, then the sentences that print them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from forecast.quantiles import interval_levels, quantile
from forecast.words import number, odds, percent, span

REACHED_ONLY = "over the draws that reach full automation"


@dataclass(frozen=True)
class Estimate:
    """Median and equal-tailed interval of mass ``prob``; ``high`` may be +inf, all are NaN without a draw."""

    low: float
    median: float
    high: float
    prob: float


@dataclass(frozen=True)
class Headline:
    """Both headlines of one scenario: the numbers, and the sentences that print them.

    ``streams`` and ``human_equivalents`` are counts at full automation, ``takeoff_years`` and ``year_100`` years,
    ``not_automated``, ``within_1_year`` and ``already_20`` probabilities over all draws.
    """

    scenario: str
    last_year: int
    streams: Estimate
    human_equivalents: Estimate
    takeoff_years: Estimate
    year_100: Estimate
    not_automated: float
    within_1_year: float
    already_20: float

    @property
    def how_many(self) -> str:
        """Headline 1: how many AIs."""
        missed = f"P(not by {self.last_year}) = {percent(self.not_automated)} ({odds(self.not_automated)})"
        if np.isnan(self.streams.median):
            return f"No draw reaches full automation of AI R&D by {self.last_year}: {missed}."
        return (
            f"At full automation of AI R&D the leading developer's whole fleet runs {count(self.streams)} parallel "
            f"streams of the smallest model that does the work, or {count(self.human_equivalents)} human-equivalents "
            "(tokens per calendar year over a researcher's working year). Both are taken in each draw's year of full "
            f"automation, over the draws that reach it. {missed}."
        )

    @property
    def how_fast(self) -> str:
        """Headline 2: how fast a take-off."""
        if np.isinf(self.takeoff_years.median):
            said = (
                f"In half of the draws or more, the take-off does not end by {self.last_year} ({self.length_parts[1]})"
            )
        else:
            said = f"From 20% to 100% automation of AI R&D takes {self.length}"
        return (
            f"{said}. P(1 year or less) = {percent(self.within_1_year)} ({odds(self.within_1_year)}). "
            f"In {percent(self.already_20)} of draws ({odds(self.already_20)}) the 20% mark is already past."
        )

    @property
    def when(self) -> str:
        """The date that goes with both."""
        if np.isinf(self.year_100.median):
            missed = f"does not arrive by {self.last_year} in half of the draws or more"
            return f"Full automation of AI R&D {missed} ({self.date_parts[1]})."
        return f"Full automation of AI R&D arrives {self.date}."

    @property
    def sentences(self) -> tuple[str, str, str]:
        """`how_many`, `how_fast`, `when`."""
        return (self.how_many, self.how_fast, self.when)

    @property
    def length(self) -> str:
        """Years from 20% to 100% with their interval, in words."""
        return "{} ({})".format(*self.length_parts)

    @property
    def length_parts(self) -> tuple[str, str]:
        """Median and interval of `length`."""
        unit = " years" if np.isinf(self.takeoff_years.high) else ""  # "2.3 years to not by 2045", but "2.3 to 19"
        median, interval = _parts(self.takeoff_years, lambda x: number(x) + unit, f"not by {self.last_year}")
        median = median.removesuffix(unit)
        return median if np.isinf(self.takeoff_years.median) else f"{median} years", interval

    @property
    def date(self) -> str:
        """Calendar year of full automation with its interval, in words."""
        median, interval = self.date_parts
        return f"{median if np.isinf(self.year_100.median) else f'in {median}'} ({interval})"

    @property
    def date_parts(self) -> tuple[str, str]:
        """Median and interval of `date`."""
        return _parts(self.year_100, lambda year: str(int(year)), f"not by {self.last_year}")


def headline(
    yearly: xr.Dataset, readouts: xr.Dataset, prob: float = 0.9, scenario: str | None = "baseline"
) -> Headline:
    """The answers to both questions, for one scenario.

    Parameters
    ----------
    yearly
        What `project` returns; its last year is the end of the window.
    readouts
        What `takeoff` returns.
    prob
        Mass of the equal-tailed intervals.
    scenario
        Which one to take where the datasets have that dim.
    """
    one = readouts.sel(scenario=scenario) if "scenario" in readouts.dims else readouts
    last_year = int(yearly.coords["year"].values.max())
    return Headline(
        scenario=str(one.coords["scenario"].item()) if "scenario" in one.coords else str(scenario),
        last_year=last_year,
        streams=estimate(one["log10_streams_at_automation"], prob, power=10.0),
        human_equivalents=estimate(one["log10_human_equivalents_at_automation"], prob, power=10.0),
        takeoff_years=estimate(one["takeoff_years"], prob),
        year_100=estimate(one["year_100"], prob),
        not_automated=float(one["not_automated"].mean()),
        within_1_year=float(one["takeoff_within_1_year"].mean()),
        already_20=float(one["already_20"].mean()),
    )


def estimate(data: xr.DataArray, prob: float = 0.9, power: float | None = None) -> Estimate:
    """Median and interval over all draws; with ``power`` = 10 of a log10 quantity, as a count."""
    levels = interval_levels(prob)
    values = quantile(data, [levels[0], 0.5, levels[-1]]).values
    low, median, high = (float(v) for v in (values if power is None else power**values))
    return Estimate(low, median, high, prob)


def count(value: Estimate) -> str:
    """An estimate of a count in words: ``"1.2 million (90% interval 30,000 to 45 million)"``."""
    return f"{number(value.median)} ({value.prob:.0%} interval {span(number(value.low), number(value.high))})"


def _parts(value: Estimate, say: Callable[[float], str], never: str) -> tuple[str, str]:
    low, median, high = (never if np.isinf(x) else say(x) for x in (value.low, value.median, value.high))
    return median, f"{value.prob:.0%} interval {low} to {high}"
