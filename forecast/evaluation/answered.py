"""What a run had said of the answers in a file of resolutions: draws of every output on every day, scored.

``resolutions.py`` says what an answer is, and how what never comes is scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import special, stats

from forecast.drivers.outputs import SIDES
from forecast.dynamics import by_year, parameters_for, readouts
from forecast.dynamics.paths import beyond_automation, to_automation
from forecast.evaluation import predictive
from forecast.evaluation.calibration_curve import ranks_within
from forecast.evaluation.resolutions import KNOWN, TIMES, Answer, scale_of
from forecast.evaluation.scored_rows import BEFORE, QUANTILES, QUESTION, Part, events, figures, joined, part_of
from forecast.quantiles import quantile
from forecast.results import checked_years, in_blocks
from forecast.runs import sample_shape
from forecast.scenarios import Scenario, load_scenario
from forecast.schema import YEARLY

Array = npt.NDArray[np.float64]
Key = tuple[str, float | None]
LASTING = ("takeoff_years", "years_to_1_oom", "years_to_3_oom", "years_to_6_oom")  # +inf where they never end
MOST_TIED = 0.01  # share of draws at one value from which a density says nothing of the others
FEWEST = 10  # finite draws that a density is estimated from
EXACT = (
    "Answers about outputs are scored against the quantity itself, without error of measurement: "
    "an estimate with an error of its own looks worse than it is."
)
NEVER = (
    "Where some draws never get there, the CRPS counts whatever lies beyond the window as its end: the plain CRPS would be "
    "infinite, this one is still proper."
)
LACKING = (
    "A number that exists only once automation is reached has no CRPS where some draws never reach it; its PIT takes those "
    "as less than any."
)


def answered(
    run: xr.DataTree, answers: Sequence[Answer], scenario: str = "baseline", years: Iterable[int] | None = None
) -> Part:
    """Scores of some answers under a run; the arguments are those of ``score``."""
    item = load_scenario(scenario)
    p = parameters_for(run, [item])
    as_of = float(p["as_of_year"])
    end = checked_years(years, as_of)[-1] + 1.0
    size = int(np.prod(sample_shape(run)))
    reasons = [reason_unscored(answer, as_of, end) for answer in answers]
    known = [answer for answer, reason in zip(answers, reasons, strict=True) if not reason]
    drawn = draws_of(p, size, item, sorted({answer.year for answer in known if answer.variable in YEARLY}), end)
    parts = []
    for variable in dict.fromkeys(answer.variable for answer in answers):
        left = [
            (variable, answer.question, str(answer.date), reason)
            for answer, reason in zip(answers, reasons, strict=True)
            if reason and answer.variable == variable
        ]
        own = [answer for answer in known if answer.variable == variable]
        parts.append(variable_part(variable, own, drawn, left, as_of, end))
    return joined(parts, size)


def reason_unscored(answer: Answer, as_of: float, end: float) -> str:
    """Why an answer has no forecast to be held against; empty where it has."""
    limit = cap_of(answer.variable, as_of, end)
    asked = answer.level if answer.side is not None else answer.year if answer.by_date else answer.value
    if answer.variable in YEARLY and answer.year < as_of:
        return f"it lies before the run's as_of ({as_of:.1f}), where its outputs begin"
    beyond = answer.year if answer.variable in YEARLY else asked
    if beyond > (end if answer.variable in YEARLY else limit):
        return f"it lies beyond the window, which ends with {end - 1.0:.0f}: give more --years"
    if answer.variable == "not_automated" and answer.happened and answer.year < end:
        return f"it is about the whole window, up to {end:.0f}: ask whether year_100 has come"
    return ""


def cap_of(variable: str, as_of: float, end: float) -> float:
    """What +inf counts as: the end of the window for a time, its length for a duration; +inf where nothing is capped."""
    return end if variable in TIMES else end - as_of if variable in LASTING else np.inf


def draws_of(p: Mapping[str, Any], size: int, item: Scenario, when: Sequence[float], end: float) -> dict[Key, Array]:
    """Draws of every read-out and event (name, None), and of every yearly quantity at decimal years (name, year)."""

    def work(part: dict[str, Any]) -> dict[Key, Array]:
        q = item.parameters(part)
        legs = beyond_automation(to_automation(q, end, "exponential"), q, end, item.course)
        found: dict[Key, Array] = {(name, None): values for name, values in readouts(legs, q, end).items()}
        series = by_year(legs, q, when, item.course) if when else {}
        return found | {(name, year): columns[:, i] for name, columns in series.items() for i, year in enumerate(when)}

    drawn = in_blocks(dict(p), size, work)
    # a number that exists only where automation is reached is less than any where it is not
    return {key: np.where(np.isnan(np.asarray(x, float)), -np.inf, x).astype(float) for key, x in drawn.items()}


def variable_part(
    variable: str,
    answers: Sequence[Answer],
    drawn: Mapping[Key, Array],
    left: Sequence[tuple[str, ...]],
    as_of: float,
    end: float,
) -> Part:
    """Scores of all answers about one variable: figures and questions."""
    count = {"table": variable, "given": len(answers) + len(left), "seen": 0, "revised": 0}
    plain = [answer for answer in answers if answer.happened is None]
    asked = [answer for answer in answers if answer.happened is not None]
    rows, ranks = None, None
    if plain:
        samples = np.stack([drawn[key_of(answer)] for answer in plain], axis=1)
        rows, ranks = scored_values(variable, places(plain, as_of), samples, [a.value for a in plain], as_of, end)
    questions = None
    if asked:
        said = np.array([probability(answer, drawn[key_of(answer)]) for answer in asked])
        happened = np.array([float(bool(answer.happened)) for answer in asked])
        named = {"question": [answer.question for answer in asked], "kind": QUESTION}
        questions = events(places(asked, as_of), named, said, happened, drawn[key_of(asked[0])].size)
    return part_of(count, rows, ranks, questions, left, notes_of(variable, [drawn[key_of(a)] for a in plain], answers))


def notes_of(variable: str, figures_of: Sequence[Array], answers: Sequence[Answer]) -> tuple[str, ...]:
    """What must be known of all scores of a variable."""
    said: tuple[str, ...] = (EXACT,) if answers else ()
    if any(np.isposinf(draws).any() for draws in figures_of):
        said += (NEVER,)
    return (*said, LACKING) if any(np.isneginf(draws).any() for draws in figures_of) else said


def key_of(answer: Answer) -> Key:
    """Under which the draws of an answer's variable stand."""
    return answer.variable, answer.year if answer.variable in YEARLY else None


def probability(answer: Answer, draws: Array) -> float:
    """Share of the draws in which what was asked happens."""
    if answer.by_date:
        return float((draws <= answer.year).mean())
    return float(draws.mean() if answer.side is None else SIDES[answer.side](draws, answer.level).mean())


def places(answers: Sequence[Answer], as_of: float) -> pd.DataFrame:
    """Variable, day, decimal year and horizon of every answer, and whether it is dated before the run's day."""
    year = np.array([answer.year for answer in answers])
    return pd.DataFrame(
        {
            "table": [answer.variable for answer in answers],
            "row": [answer.variable if answer.happened is None else answer.question for answer in answers],
            "date": [str(answer.date) for answer in answers],
            "year": year,
            "horizon": year - as_of,
            "note": np.where(year < as_of, BEFORE, ""),
        }
    )


def scored_values(
    variable: str, place: pd.DataFrame, samples: Array, observed: Sequence[float], as_of: float, end: float
) -> tuple[pd.DataFrame, Array]:
    """Quantiles and scores of figures of one variable, from its draws (draw, row), and their ranks."""
    kind, units, cap = scale_of(variable), KNOWN[variable].units, cap_of(variable, as_of, end)
    value = np.asarray(observed, dtype=float)
    scaled, at = to_scale(kind, samples), to_scale(kind, value)
    most = np.inf if np.isinf(cap) else float(to_scale(kind, np.array(cap)))
    capped = np.minimum(scaled, most)
    has_crps = np.isfinite(capped).all(axis=0)
    costs = np.where(has_crps, predictive.crps(np.where(has_crps, capped, 0.0), np.minimum(at, most)), np.nan)
    levels = [quantile(xr.DataArray(x, dims=("draw", "row")), QUANTILES).values for x in (samples, scaled)]
    own = {"units": units, "observed": value, "scale": scale_units(kind, units), "scale_observed": at}
    score = {
        "pit": (samples < value).mean(axis=0) + 0.5 * (samples == value).mean(axis=0),
        "crps": costs,
        "log_score": np.array([log_density(scaled[:, i], at[i]) for i in range(at.size)]),
    }
    noted = [marked(place["note"].iloc[i], samples[:, i], value[i], cap, score["log_score"][i]) for i in range(at.size)]
    rows = figures(place.assign(note=noted), own, {"": levels[0], "scale_": levels[1]}, score)
    return rows, ranks_within(samples)


def to_scale(kind: str, values: Array) -> Array:
    """Values on the scale of `scale_of`; 0 and what is less than any number are -inf on a scale of logs."""
    if not kind:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(values) if kind == "ln" else special.logit(values)
    return np.where(np.isneginf(values), -np.inf, found)


def scale_units(kind: str, units: str) -> str:
    """Unit on the scale.

    >>> scale_units("ln", "tokens/s"), scale_units("logit", "1"), scale_units("", "OOM")
    ('ln tokens/s', 'logit', 'OOM')
    """
    return units if not kind else "logit" if kind == "logit" else f"ln {units}" if units != "1" else "ln"


def log_density(draws: Array, value: float) -> float:
    """ln of the predictive density at a value, by a Gaussian kernel over the finite draws (Scott's bandwidth).

    NaN where there is no density: more than a hundredth of the draws share one finite value, or fewer than ten are finite.
    """
    finite = draws[np.isfinite(draws)]
    if finite.size < FEWEST or np.unique(finite, return_counts=True)[1].max() > MOST_TIED * draws.size + 1.0:
        return float("nan")
    return float(np.log(finite.size / draws.size) + stats.gaussian_kde(finite).logpdf(value)[0])


def marked(note: str, draws: Array, value: float, cap: float, log_score: float) -> str:
    """What must be known of one figure's scores."""
    never, none = float(np.isposinf(draws).mean()), float(np.isneginf(draws).mean())
    said = [note] if note else []
    if never:
        said.append(f"never in {never:.0%} of draws, {cap:.5g} in CRPS")
    if none:
        said.append(f"none in {none:.0%} of draws, so no CRPS")
    if not draws.min() <= value <= draws.max():
        said.append("outside all draws")
    if np.isnan(log_score):
        said.append("no log score: ties")
    return "; ".join(said)
