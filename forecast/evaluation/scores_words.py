"""Scores for people: sentences that judge, and tables of words; ``log10_`` figures are said as counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from forecast.evaluation.resolutions import TIMES
from forecast.evaluation.scored_rows import BEFORE, CENSORED, QUESTION
from forecast.evaluation.scoring import Scores
from forecast.words import number, percent, span

MEANINGS = {
    "PIT": "share of the forecast that lies below what came; 0.50 is its median",
    "Mean percentile": "where the figures lie in their forecasts on average; the 50th if these are right",
    "Median error": "what came less the median forecast, on the scale named",
    "CRPS": "distance of the forecast from what came, on the scale named; lower is better, 0 perfect",
    "Log score": "ln of the density that the forecast gave to what came; higher is better",
    "Brier": "square of probability less outcome; lower is better, 0 perfect, 0.25 for saying 50%",
}
FEWEST = 3  # figures from which an expected range says something


def score_sentences(found: Scores) -> tuple[str, ...]:
    """What was scored and how it came out, what was left out and why, and what must be known of the numbers."""
    said = [*figures_sentences(found), *questions_sentences(found), *left_out_sentences(found)]
    return (*said, *found.notes)


def figures_sentences(found: Scores) -> list[str]:
    """Coverage and bias of the figures, each beside what the forecast itself expects."""
    if found.overall.empty:
        return []
    row = found.overall.iloc[0]
    n, dates = int(row["n"]), found.rows["date"]
    dated = f"dated {dates.min()}" if n == 1 else f"dated {dates.min()} to {dates.max()}"
    before = int(found.rows["note"].str.contains(BEFORE).sum())
    marked = f", {before} of them before the run's day, {found.as_of}, but unknown to it" if before else ""
    inside = [
        f"{int(row[f'inside_{mass}'])} lie inside their {mass}% interval ({said_share(row[f'coverage_{mass}'])}; exact 90% "
        f"interval {ends(row, f'coverage_{mass}')})"
        for mass in (50, 90)
    ]
    expected = [expected_count(row, f"coverage_{mass}", n) for mass in (50, 90)]
    low, high = (ordinal(row[f"bias_expected_{end}"]) for end in ("low", "high"))
    if n < FEWEST:
        which, whose = ("One figure", "its forecast") if n == 1 else ("Two figures", "their forecasts")
        places = " and ".join(f"the {ordinal(pit - 0.5)}" for pit in found.rows["pit"]) + f" percentile of {whose}"
        return [
            f"{which} that the run had not seen ({dated}{marked}): at {places}. So few say next to nothing of a forecast; from "
            f"{FEWEST} on there is a verdict."
        ]
    return [
        f"Of {plural(n, 'figure')} that the run had not seen ({dated}{marked}), {inside[0]} and {inside[1]}. Were the forecast "
        f"right, {expected[0]} and {expected[1]} would, 9 times in 10; figures of one forecast hit or miss together, which "
        f"this range knows and the exact interval does not. {verdict(row)}",
        f"On average they lie at the {ordinal(row['bias'])} percentile of their forecasts ({low} to {high}, 9 times in 10, "
        "were these right).",
    ]


def verdict(row: Any) -> str:
    """What the share inside the 90% intervals, and then the bias, say of the forecast."""
    if row["coverage_90"] < row["coverage_90_expected_low"]:
        return "Too few lie inside: the forecast is too sure of itself, or off."
    if row["coverage_50"] > row["coverage_50_expected_high"]:
        return "Too many lie inside: the forecast is less sure of itself than it could be."
    if row["coverage_50"] < row["coverage_50_expected_low"]:
        return "Too few lie near the middle: the forecast is off, or too sure there."
    if not row["bias_expected_low"] <= row["bias"] <= row["bias_expected_high"]:
        return f"The intervals hold, but the figures came out {'higher' if row['bias'] > 0 else 'lower'} than forecast."
    return "These figures do not speak against the forecast."


def questions_sentences(found: Scores) -> list[str]:
    """The Brier score of the questions beside its rivals, and what was said of censored horizons."""
    said = []
    if len(found.brier):
        row = found.brier.iloc[0]
        n, rate = int(row["n"]), row["base_rate"]
        rivals = "0.25 for always saying 50%"
        if n >= FEWEST:
            rivals += (
                f"; {row['brier_base_rate']:.2f} for always saying {said_share(rate)}, the share that came true, which "
                "nobody knew beforehand"
            )
        whole = "; questions about one thing come out together" if n > 1 else ""
        came = f"The one question {'came' if row['happened'] else 'did not come'} true."
        said.append(
            f"{came if n == 1 else f'Of {n} questions {int(row["happened"])} came true.'} Brier score {row['brier']:.3f} "
            f"(lower is better; {rivals}{whole})."
        )
    censored = found.events[found.events["kind"] == CENSORED]
    if len(censored):
        chances = ", ".join(percent(chance) for chance in censored["probability"])
        said.append(
            f"{plural(len(censored), 'task horizon')} known only to be at least so long: the run gave that {chances}. Not in "
            "the Brier score, for such a row is there only because the horizon was long."
        )
    return said


def left_out_sentences(found: Scores) -> list[str]:
    """Rows that the run knew already, and rows that it has no forecast of."""
    said, counts = [], found.counts
    if not len(found.rows) and not len(found.events):
        said.append("Nothing here is scored: the run has seen every row, or has no forecast of it.")
    seen = counts[counts["seen"] > 0]
    if len(seen):
        which = ", ".join(f"{table} {count}" for table, count in zip(seen["table"], seen["seen"], strict=True))
        revised = int(counts["revised"].sum())
        other = f", {revised} of them with another figure then" if revised else ""
        said.append(
            f"Already known to the run and not scored: {plural(int(seen['seen'].sum()), 'row')} ({which}{other})."
        )
    if len(found.unscored):
        said.append(f"Without a forecast and not scored: {plural(len(found.unscored), 'row')}, named below.")
    return said


def figures_words(found: Scores) -> pd.DataFrame:
    """A line per figure: what, when, what came, what was forecast, and how far off that was."""
    rows = found.rows
    return pd.DataFrame(
        {
            "Figure": [named(row) for row in rows.to_dict("records")],
            "Date": rows["date"].tolist(),
            "Observed": [spoken(row, row["observed"]) for row in rows.to_dict("records")],
            "Forecast (90% interval)": [forecast_words(row) for row in rows.to_dict("records")],
            "Unit": ["" if unit == "1" else unit.removeprefix("log10 ") for unit in rows["units"]],
            "PIT": [f"{value:.2f}" for value in rows["pit"]],
            "CRPS": [score_words(value) for value in rows["crps"]],
            "Log score": [score_words(value) for value in rows["log_score"]],
            "Note": rows["note"].tolist(),
        }
    )


def blocks_words(found: Scores) -> pd.DataFrame:
    """A line per table or variable: how many figures, how many inside, which way off, mean scores."""
    records = found.blocks.to_dict("records")
    return pd.DataFrame(
        {
            "Table or variable": [row["table"] for row in records],
            "Figures": [row["n"] for row in records],
            "In 50%": [counted(row, 50) for row in records],
            "In 90%": [counted(row, 90) for row in records],
            "Mean percentile": [ordinal(row["bias"]) for row in records],
            "Median error": [f"{row['median_error']:+.2g}" for row in records],
            "CRPS": [score_words(row["crps"]) for row in records],
            "Log score": [score_words(row["log_score"]) for row in records],
            "Scale": [row["scale"] for row in records],
        }
    )


def events_words(found: Scores) -> pd.DataFrame:
    """A line per question: the probability that was given, and what came."""
    rows = found.events
    return pd.DataFrame(
        {
            "Question": [question_words(row) for row in rows.to_dict("records")],
            "Date": rows["date"].tolist(),
            "Probability": [percent(value) for value in rows["probability"]],
            "Came true": ["yes" if value else "no" for value in rows["happened"]],
            "Brier": [f"{value:.3f}" for value in rows["brier"]],
            "Note": [
                note if kind == QUESTION else "censored" for note, kind in zip(rows["note"], rows["kind"], strict=True)
            ],
        }
    )


def calibration_words(found: Scores) -> pd.DataFrame:
    """A line per central interval: how many figures it should hold and how many it does; none for one or two figures."""
    records = found.calibration.to_dict("records") if len(found.rows) >= FEWEST else []
    return pd.DataFrame(
        {
            "Interval": [f"{row['level']:.0%}" for row in records],
            "Figures inside": [f"{row['inside']} of {row['n']} ({said_share(row['share'])})" for row in records],
            "Expected if right": [expected_count(row, "", int(row["n"])) for row in records],
        }
    )


def reliability_words(found: Scores) -> pd.DataFrame:
    """A line per range of probabilities: how many of its questions came true."""
    records = found.reliability.to_dict("records")
    return pd.DataFrame(
        {
            "Said": [f"{row['low']:.0%} to {row['high']:.0%}" for row in records],
            "Questions": [row["n"] for row in records],
            "Mean said": [percent(row["probability"]) for row in records],
            "Came true": [f"{row['happened']} ({said_share(row['share'])})" for row in records],
            "Exact 90% interval": [ends(row, "share") for row in records],
        }
    )


def unscored_lines(found: Scores) -> list[str]:
    """A line per row without a forecast, and why."""
    lines = []
    for row in found.unscored.to_dict("records"):
        dated = "" if row["date"] in row["row"] else f", {row['date']}"
        lines.append(f"{named(row)}{dated}: {row['reason']}")
    return lines


def question_words(row: dict[str, Any]) -> str:
    """What was asked; of a censored figure, with its name."""
    return str(row["question"]) if row["kind"] == QUESTION else f"{row['row']}: {row['question']}"


def named(row: dict[str, Any]) -> str:
    """A row's name: with its table, or what an answer is about."""
    return str(row["row"]) if str(row["row"]).startswith(str(row["table"])) else f"{row['table']}: {row['row']}"


def spoken(row: dict[str, Any], value: float) -> str:
    """A figure as people say it.

    >>> spoken({"table": "log10_params", "units": "log10 params"}, 12.0)
    '1 trillion'
    >>> spoken({"table": "training_runs", "units": "FLOP"}, 5e26)
    '5e26'
    >>> spoken({"table": "year_100", "units": "yr"}, 2031.25)
    '2031.2'
    """
    if np.isinf(value):
        return "not in the window" if value > 0 else "none"
    if row["table"] in TIMES:
        return f"{value:.1f}"
    units = str(row["units"])
    return number(10.0**value if units.startswith("log10") else value, 3)


def forecast_words(row: dict[str, Any]) -> str:
    """Median and 90% interval."""
    low, median, high = (spoken(row, row[name]) for name in ("q05", "q50", "q95"))
    between = span(low, high) if np.isfinite([row["q05"], row["q95"]]).all() else f"{low} to {high}"
    return median if low == high else f"{median} ({between})"


def counted(row: dict[str, Any], mass: int) -> str:
    """Figures inside and, of more than two, how many were to be expected: "3 (2 to 5)"."""
    if row["n"] < FEWEST:
        return str(row[f"inside_{mass}"])
    return f"{row[f'inside_{mass}']} ({expected_count(row, f'coverage_{mass}', int(row['n']))})"


def expected_count(row: Any, of: str, n: int) -> str:
    """Range of a count, 9 times in 10, were the forecast right."""
    low, high = (round(n * row[f"{of}_expected_{end}" if of else f"expected_{end}"]) for end in ("low", "high"))
    return str(low) if low == high else f"{low} to {high}"


def ends(row: Any, of: str) -> str:
    """An exact interval of a share."""
    return f"{said_share(row[f'{of}_low'])} to {said_share(row[f'{of}_high'])}"


def said_share(value: float) -> str:
    """An observed share: unlike a probability it may well be 0% or 100%.

    >>> said_share(1.0), said_share(0.428)
    ('100%', '43%')
    """
    return f"{value:.0%}"


def ordinal(bias: float) -> str:
    """Mean PIT as a percentile, from its distance to 1/2.

    >>> ordinal(-0.08), ordinal(0.01), ordinal(-0.39)
    ('42nd', '51st', '11th')
    """
    k = round(100.0 * (bias + 0.5))
    ending = "th" if k % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"{k}{ending}"


def legend(shown: Iterable[str]) -> list[str]:
    """What the columns of the tables shown mean, one line each."""
    heads = set(shown)
    return [f"{head}: {meaning}" for head, meaning in MEANINGS.items() if head in heads]


def score_words(value: float) -> str:
    """A score to three digits; blank where there is none."""
    return "" if np.isnan(value) else f"{value:.3g}"


def plural(count: int, thing: str) -> str:
    """A count and its thing.

    >>> plural(1, "row"), plural(2, "row")
    ('1 row', '2 rows')
    """
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
