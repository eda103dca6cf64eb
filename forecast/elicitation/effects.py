"""What another prior of one parameter does to the headline, from the draws of a run and without a fit.

Two readings, and they differ. A prior is believed before the data: the posterior under it is the old one with every draw
weighted by new density over old density, exactly, as long as the draws reach where the new posterior lies; how many
equally weighted draws the weighted ones are worth says whether they do. A view is believed after the data: its numbers
take the place of the posterior's and the other parameters follow (``forecast.views``). What ``forecast run --view`` finds
is the first. ``tests/elicitation/test_effects.py`` holds the weights to a conjugate normal and to exact quadrature.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.convergence import MIN_ESS
from forecast.drivers.mixture_weights import difference, pareto_k
from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.errors import InputError
from forecast.headlines import Estimate, Headline
from forecast.quantiles import interval_levels
from forecast.research.reweighting import effective_draws, weighted_quantile, weights
from forecast.results import checked_years
from forecast.runs import parameters_of, read_provenance
from forecast.schema import SIDE_PARAMETERS
from forecast.side_draws import recorded_prior
from forecast.statements import Prior
from forecast.views import changer
from forecast.words import number, percent, span

Array = npt.NDArray[np.float64]
COUNTS = ("log10_streams_at_automation", "log10_human_equivalents_at_automation")
YEARS = ("takeoff_years", "year_100")
SHARES = ("not_automated", "takeoff_within_1_year", "already_20")
LARGEST_K = 0.7  # Pareto k-hat above which a mean of weighted draws is not to be trusted (Vehtari et al. 2024)
OUTSIDE = 0.01  # of a new prior's probability where the old one has none
READINGS = ("run", "prior", "view")
SIDE = frozenset(name for block in SIDE_PARAMETERS.values() for name in block)


@dataclass(frozen=True)
class Effect:
    """The headline of a run, and as it would be with another prior of one parameter.

    Attributes
    ----------
    name : str
        The parameter.
    run, prior, view : Headline
        As the run has it; under the new prior, by weights; with the new numbers in the place of the posterior's.
    draws : int
        Draws of the run.
    effective_draws : float
        How many equally weighted draws the weighted ones are worth.
    pareto_k : float
        Tail index of the weights.
    doubt : str
        Why `prior` is not to be believed, and then a refit is needed; empty if it is.
    fitted : bool
        Whether the run has seen the tables.
    """

    name: str
    run: Headline
    prior: Headline
    view: Headline
    draws: int
    effective_draws: float
    pareto_k: float
    doubt: str
    fitted: bool = True

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity and reading.

        Returns
        -------
        pandas.DataFrame
            Columns quantity, reading ("run", "prior", "view"), low, median, high (ends of the 90% interval; counts,
            years; inf: not within the window), probability, units, trusted.
        """
        rows = []
        for reading in READINGS:
            headline = getattr(self, reading)
            trusted = reading != "prior" or not self.doubt
            for quantity, units in (("streams", "streams"), ("human_equivalents", "human-equivalents")):
                rows.append(estimate_row(quantity, reading, getattr(headline, quantity), units, trusted))
            for quantity, units in (("takeoff_years", "yr"), ("year_100", "yr")):
                rows.append(estimate_row(quantity, reading, getattr(headline, quantity), units, trusted))
            for quantity in ("not_automated", "within_1_year", "already_20"):
                rows.append(
                    {"quantity": quantity, "reading": reading, "probability": getattr(headline, quantity)}
                    | {"units": "1", "trusted": trusted}
                )
        columns = ["quantity", "reading", "low", "median", "high", "probability", "units", "trusted"]
        return pd.DataFrame(rows, columns=columns)


def effect_on_headline(run: xr.DataTree, prior: Prior) -> Effect:
    """What another prior of one parameter does to both headlines, without a fit.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    prior : Prior
        With the parameter's name, as `elicited` returns it.

    Returns
    -------
    Effect
        Three headlines, how far the second can be trusted, and why not where it cannot. About half a second for 4000
        draws.

    Raises
    ------
    InputError
        For a prior without a name or of a parameter that the run does not know, or a run that is seen through a view.

    Examples
    --------
    >>> from forecast import load_run
    >>> from forecast.elicitation.elicited import elicited
    >>> mine = elicited("automation_gap", {0.05: 1.0, 0.95: 4.0})
    >>> found = effect_on_headline(load_run("forecast-out/run.nc"), mine)  # doctest: +SKIP
    >>> found.prior.length, round(found.effective_draws)  # doctest: +SKIP
    """
    record, p = read_provenance(run), parameters_of(run)
    if not prior.name:
        raise InputError("a prior without a name: make it with elicited(name, quantiles)")
    if record.get("views"):
        raise InputError(f"this run is seen through {', '.join(record['views'])}: give the run itself")
    as_of, draws = float(p["as_of_year"]), max(np.size(value) for value in p.values() if np.ndim(value) == 1)
    log_weight, doubt = log_weights(record, p, prior, as_of)
    weight, tail = weights(np.broadcast_to(log_weight, draws)), pareto_k(np.broadcast_to(log_weight, draws))
    worth = effective_draws(weight)
    evaluate = evaluator(parsed_outputs([*COUNTS, *YEARS, *SHARES]), as_of)
    last = checked_years(None, as_of)[-1]
    values, even = evaluate(p, draws), np.full(draws, 1.0 / draws)
    seen = values if prior.name in SIDE else evaluate(changer(run)({prior.name: prior}), draws)
    return Effect(
        prior.name,
        weighted_headline(values, even, last),
        weighted_headline(values, weight, last),
        weighted_headline(seen, even, last),
        draws,
        worth,
        tail,
        doubt or weak(worth, tail),
        record["kind"] != "prior",
    )


def log_weights(record: dict[str, Any], p: Mapping[str, Any], prior: Prior, as_of: float) -> tuple[Array, str]:
    """ln of new over old prior density at every draw, and why that tells nothing where it does not.

    The joint prior is a product: all that a change of one factor does to the posterior density is this ratio.
    """
    none = np.zeros(1)
    if prior.name in SIDE:
        return none, ""
    if prior.name not in record["priors"]:
        return none, f"this run states other parameters instead of {prior.name}"
    old, values = recorded_prior(record, prior.name), np.asarray(p[prior.name], dtype=float)
    if values.ndim > 1:
        raise InputError(f"{prior.name} has several entries: change it in an overlay file and fit anew")
    if old.distribution == "fixed":
        return none, f"this run holds {prior.name} fixed at {old.params['value']:g}: no draw shows another value"
    if prior.distribution == "fixed":
        return none, "a fixed value has no density to weigh the draws by"
    before, after = old.scipy(as_of), prior.scipy(as_of)
    low, high = (float(old.quantile(q, as_of)) for q in (0.0, 1.0))
    outside = 1.0 - float(after.cdf(high) - after.cdf(low))
    doubt = ""
    if outside > OUTSIDE:
        doubt = (
            f"{percent(outside)} of the new prior lies beyond the old one's range, {low:.4g} to {high:.4g}, "
            "where the run has no draws"
        )
    return difference(np.asarray(after.logpdf(values)), np.asarray(before.logpdf(values))), doubt


def weak(worth: float, tail: float) -> str:
    """Why weighted draws tell too little, empty if they tell enough."""
    if worth < MIN_ESS:
        return f"the weighted draws are worth {worth:.0f} equal ones, and {MIN_ESS:.0f} are needed"
    return (
        f"a few draws carry the weight (Pareto k {tail:.2f}, at most {LARGEST_K:g} allowed)" if tail > LARGEST_K else ""
    )


def weighted_headline(values: Mapping[str, Array], weight: Array, last_year: int, prob: float = 0.9) -> Headline:
    """Both headlines of weighted draws; with equal weights those of `headlines.headline`.

    Parameters
    ----------
    values : mapping
        What an `evaluator` returns: `COUNTS` (log10, -inf where full automation is not reached), `YEARS` and `SHARES`.
    weight : (draw,)
        Weights that add up to 1.
    last_year : int
        End of the window.
    prob : float
        Mass of the equal-tailed intervals.
    """
    streams, people = (weighted_estimate(values[name], weight, prob, power=10.0) for name in COUNTS)
    length, year = (weighted_estimate(values[name], weight, prob) for name in YEARS)
    never, within, already = (float(weight @ values[name]) for name in SHARES)
    clipped = (min(max(share, 0.0), 1.0) for share in (never, within, already))  # sums of weights, to the last bit
    return Headline("baseline", last_year, streams, people, length, year, *clipped)


def weighted_estimate(values: Array, weight: Array, prob: float, power: float | None = None) -> Estimate:
    """Median and interval of weighted draws, of those that exist; with `power` of a logarithm, as a count.

    >>> weighted_estimate(np.array([0.0, 1.0, 2.0, -np.inf]), np.full(4, 0.25), 0.9, power=10.0).median
    10.0
    """
    exists = (values > -np.inf) & (weight > 0.0)
    if not exists.any():
        return Estimate(np.nan, np.nan, np.nan, prob)
    levels = interval_levels(prob)
    found = weighted_quantile(values[exists], weight[exists] / weight[exists].sum(), [levels[0], 0.5, levels[-1]])
    low, median, high = (float(x) for x in (found if power is None else power**found))
    return Estimate(low, median, high, prob)


def estimate_row(quantity: str, reading: str, value: Estimate, units: str, trusted: bool) -> dict[str, Any]:
    """One row of `Effect.to_frame`."""
    said = {"low": value.low, "median": value.median, "high": value.high, "units": units}
    return {"quantity": quantity, "reading": reading, "trusted": trusted} | said


def effect_words(effect: Effect, file: str = "mine.toml") -> str:
    """An effect as the command prints it: three readings of every quantity, which of them to believe, and why.

    Parameters
    ----------
    effect : Effect
        What `effect_on_headline` returns.
    file : str
        The overlay file that the commands in the text name.
    """
    if effect.name in SIDE:
        return f"The headlines do not depend on {effect.name}: it belongs to a further question."
    return "\n\n".join([headline_lines(effect), *reading_sentences(effect, file)])


def headline_lines(effect: Effect) -> str:
    """Every quantity of the headlines under the readings that can be believed."""
    shown = {"the run": effect.run}
    shown |= {} if effect.doubt else {"this prior": effect.prior}
    shown |= {"as a view": effect.view}
    width = max(map(len, shown))
    said: dict[str, Callable[[Headline], tuple[str, str]]] = {
        "parallel streams at full automation": lambda line: count_parts(line.streams),
        "human-equivalents there": lambda line: count_parts(line.human_equivalents),
        "years from 20% to 100%": lambda line: line.length_parts,
        "year of full automation": lambda line: line.date_parts,
        f"P(not by {effect.run.last_year})": lambda line: (percent(line.not_automated), ""),
    }
    lines = ["median (90% interval) of"]
    for label, words in said.items():
        lines.append(label)
        for reading, headline in shown.items():
            middle, ends = words(headline)
            lines.append(
                f"  {reading:<{width}}  {middle}" + (f" ({ends.removeprefix('90% interval ')})" if ends else "")
            )
    return "\n".join(lines)


def count_parts(value: Estimate) -> tuple[str, str]:
    """Median and interval of a count."""
    if np.isnan(value.median):
        return "not reached in any draw", ""
    return number(value.median), span(number(value.low), number(value.high))


def reading_sentences(effect: Effect, file: str) -> list[str]:
    """Which reading is right for a prior, and what to do where it cannot be had from the draws."""
    tables = "so the tables keep their say" if effect.fitted else "and this run has seen no tables"
    prior = (
        "'this prior' is the one to read if you hold the belief without the tables: every draw of the run is weighted by "
        f"the new density over the old one, {tables}. The {effect.draws:,} draws are worth {effect.effective_draws:,.0f} "
        f"equal ones ({MIN_ESS:.0f} are needed), so a fit would find the same."
    )
    if effect.doubt:
        prior = (
            f"What a fit would make of this prior cannot be told from the draws of this run: {effect.doubt}. Fit it:"
        )
    view = (
        "'as a view' is the one to read if your numbers have the tables in them already: they take the place of the "
        "posterior's, and the other parameters follow. It is what --view does on a run file."
    )
    refit = shlex.join(["forecast", "run", "--view", file, "-o", file.removesuffix(".toml") + "-out"])
    return [prior, refit, view] if effect.doubt else [prior, view]
