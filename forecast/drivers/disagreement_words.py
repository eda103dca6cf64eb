"""What two views disagree on, for people: a sentence and a table per output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from forecast.drivers.disagreement import ALL, BOTH, NEAR, NOISE
from forecast.drivers.outputs import parsed_output
from forecast.drivers.tables import joined, shift_words
from forecast.schema import CONDITIONAL
from forecast.words import number, percent

WORTH_SAYING = 0.05  # share of the gap
CANCELLING = 2.0  # share of the gap beyond which the gap is what large disagreements leave over


def disagreement_words(table: pd.DataFrame, output: str, rows: int = 6) -> pd.DataFrame:
    """The strongest rows of one output of `disagreement` for people, the others together, and the whole gap."""
    of = table[table["output"] == output]
    each, whole = of[of["parameter"] != ALL], of[of["parameter"] == ALL].iloc[0]
    strong = each["rank_shift"].abs().rank(method="first", ascending=False) <= rows
    rest = each[~strong]
    sums = {"parameter": f"{len(rest)} others", "share": rest["share"].sum(skipna=False)}
    sums |= {"share_error": np.nan, "shift": rest["shift"].sum(skipna=False), "stated_by": ""}
    listed = [*each[strong].to_dict("records"), *([sums] if len(rest) else []), whole.to_dict()]
    first, second = (whole["first"], whole["second"]) if whole["first"] != whole["second"] else ("First", "Second")
    return pd.DataFrame(
        {
            "Swapped": [row["parameter"] for row in listed],
            "Closes": [share_words(row["share"], row["share_error"]) for row in listed],
            "Moves it by": [shift_words(output, row["shift"], "beyond window") for row in listed],
            first: [end_words(output, row, "first") for row in listed],
            second: [end_words(output, row, "second") for row in listed],
        }
    )


def disagreement_sentence(table: pd.DataFrame, output: str) -> str:
    """What two views differ by in one output, and what would settle it, in words."""
    of = table[table["output"] == output]
    each, whole = of[of["parameter"] != ALL], of[of["parameter"] == ALL].iloc[0]
    lowest = ", draws that never get there counted as lowest" if parsed_output(output).variable in CONDITIONAL else ""
    ends = f"{end_words(output, whole, 'first')} against {end_words(output, whole, 'second')}{lowest}"
    on = f"{parsed_output(output).definition} ({ends})"
    if np.isnan(whole["share"]):
        return f"{whole['first']} and {whole['second']} hardly differ on {on}{cancelling(each)}."
    top, *more = each[(each["share"] >= WORTH_SAYING) | (each["share"] == each["share"].max())].head(3).itertuples()
    widening = list(each[each["share"] <= -WORTH_SAYING].iloc[::-1].head(3).itertuples())
    shares = [f"{top.parameter} closes {share_words(top.share)} of the gap"]
    said = joined(shares + [f"{row.parameter} {share_words(row.share)}" for row in more])
    if widening:
        widen = "widen" if len(widening) > 1 else "widens"
        said += f"; {joined([f'{row.parameter} ({share_words(row.share)})' for row in widening])} {widen} it"
    if top.share > 1.0:
        said += "; above 100% is more than the whole gap"
    error = max(row.share_error for row in (top, *more, *widening))
    if error >= 0.05:
        said += f" (standard errors up to {100.0 * error:.0f} points)"
    first = f"Measuring {top.parameter} first would settle most."
    left = ", where larger disagreements nearly cancel" if top.share > CANCELLING else ""
    return f"{whole['first']} and {whole['second']} differ on {on}{left}. {said}. {first}"


def cancelling(each: pd.DataFrame) -> str:
    """What pulls in opposite directions where two views hardly differ."""
    if each.empty:
        return ""
    up, down = (each.loc[pick] for pick in (each["rank_shift"].idxmax(), each["rank_shift"].idxmin()))
    clear = [abs(row["rank_shift"]) > max(NEAR, NOISE * row["rank_error"]) for row in (up, down)]
    apart = up["rank_shift"] > 0.0 > down["rank_shift"]
    return f"; {up['parameter']} and {down['parameter']} pull opposite ways and cancel" if all(clear) and apart else ""


def share_words(share: float, error: float = np.nan) -> str:
    """A share of the gap in percent with its standard error in points."""
    if np.isnan(share):
        return ""
    return f"{100.0 * share + 0.0:.0f}%" + ("" if np.isnan(error) or error == 0.0 else f" (±{100.0 * error:.0f})")


def end_words(output: str, row: Mapping[str, Any], end: str) -> str:
    """Median at one end: of a parameter, open where the view does not state it, or in the last row of the output."""
    value = row.get(f"{end}_median", np.nan)
    if row["parameter"] != ALL:
        said = "" if np.isnan(value) else number(value)
        return said if row["stated_by"] in (BOTH, row.get(end), "") else f"{said} (open)".strip()
    found = parsed_output(output)
    if np.isinf(value):
        return "not in the window"
    if found.is_event:
        return percent(value)
    if found.units == "yr" and found.variable.startswith("year_"):
        return str(int(value))
    return number(10.0**value) if found.variable.startswith("log10_") else number(value)
