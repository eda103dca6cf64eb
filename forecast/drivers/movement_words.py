"""What moved between two runs, for people: sentences and tables of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.drivers.movement import NOISE, Movement
from forecast.drivers.movement_swaps import REST
from forecast.drivers.outputs import Output, parsed_output
from forecast.drivers.tables import shift_words
from forecast.schema import CONDITIONAL
from forecast.words import number, percent, span

WORTH_SAYING = 0.05  # share of the movement
CANCELLING = 0.02  # of mean rank: what two opposite changes must each have moved to be named
NOTHING_CHANGED = "Nothing changed between the two runs."
REST_WORDS = "not followed (noise, and what the notes name)"  # and what reweighting misses


def movement_sentences(found: Movement, first: str = "A", second: str = "B") -> tuple[str, ...]:
    """One sentence per output on where it went and why, then what could not be followed.

    Parameters
    ----------
    found : Movement
    first, second : str
        What to call the two runs.
    """
    unchanged = (NOTHING_CHANGED,) if found.changes.empty else ()
    said = tuple(output_sentence(found, str(name), first, second) for name in found.outputs["output"])
    return (*unchanged, *said, *(f"{note[0].upper()}{note[1:]}." for note in found.notes))


def output_sentence(found: Movement, name: str, first: str = "A", second: str = "B") -> str:
    """Where one output went, and how much of that each change explains."""
    output = parsed_output(name)
    about = found.outputs[found.outputs["output"] == name].iloc[0]
    parts = found.parts[found.parts["output"] == name]
    each, rest = parts[parts["change"] != REST], parts[parts["change"] == REST].iloc[0]
    what = f"the {'probability' if output.is_event else 'median'} of {name} ({output.definition}{lowest(output)})"
    if not about["moved"]:
        stays = f"From {first} to {second} {what} has not moved beyond noise"
        return f"{stays} ({ends(output, about)}){cancelling(each)}."
    if np.isnan(about["first_median"]) and np.isnan(about["second_median"]):
        way = "up" if about["rank_shift"] > 0.0 else "down"
        went = f"From {first} to {second} the draws of {name} moved {way}, the median ({output.definition}{lowest(output)})"
        return f"{went} is within the window in neither" + explained(each, rest)
    factor = shift_words(output.name, about["shift"])
    went = f"From {first} to {second} {what} went from {ends(output, about, ' to ')}" + (
        f" ({factor})" if factor else ""
    )
    return went + explained(each, rest)


def explained(each: pd.DataFrame, rest: pd.Series) -> str:
    """Which changes explain how much of a movement, as the end of a sentence."""
    strong = each[each["share"].abs() >= WORTH_SAYING].head(4)
    if strong.empty:
        return "; no change that could be followed explains it."
    top, *more = strong.itertuples()
    verb = "explain" if top.change.startswith(("priors ", "all ")) else "explains"
    listed = [f"{change_words(top.change, top.kind)} {verb} {share_words(top.share)} of it"]
    listed += [f"{change_words(row.change, row.kind)} {share_words(row.share)}" for row in more]
    said = f": {', '.join(listed)}; {share_words(rest['share'])} is not followed"
    error = max(strong["share_error"].max(), rest["share_error"])
    return said + (f" (standard errors up to {100.0 * error:.0f} points)." if error >= WORTH_SAYING else ".")


def lowest(output: Output) -> str:
    """How draws count in which the output does not exist."""
    return ", draws that never get there counted as lowest" if output.variable in CONDITIONAL else ""


def change_words(name: str, kind: str) -> str:
    """A change as the subject of a sentence."""
    if kind == "as_of":
        return "as_of, with the rows it cuts,"
    return f"the {name}" if name.startswith(("table ", "priors ")) else name


def cancelling(each: pd.DataFrame) -> str:
    """What pulls in opposite directions where an output stays."""
    clear = each[each["rank_shift"].abs() > np.maximum(CANCELLING, NOISE * each["rank_error"])]
    up, down = clear[clear["rank_shift"] > 0.0], clear[clear["rank_shift"] < 0.0]
    if up.empty or down.empty:
        return ""
    return f"; {up.iloc[0]['change']} and {down.iloc[0]['change']} pull opposite ways and cancel"


def movement_words(found: Movement, name: str) -> pd.DataFrame:
    """The changes of one output, what moved it most first, and the whole movement."""
    output = parsed_output(name)
    parts = found.parts[found.parts["output"] == name]
    about = found.outputs[found.outputs["output"] == name].iloc[0]
    rows = [
        {
            "Change": REST_WORDS if row.change == REST else row.change,
            "Explains": share_words(row.share, row.share_error),
            "Moves it by": shift_words(output.name, row.shift) or "beyond window",
            "Swapped by": "" if row.change == REST else row.how,
        }
        for row in parts.itertuples()
    ]
    whole = {"Change": "all", "Explains": "100%" if about["moved"] else "within noise"}
    whole |= {"Moves it by": shift_words(output.name, about["shift"]) or "beyond window", "Swapped by": ""}
    return pd.DataFrame([*rows, whole])


def ends_words(found: Movement) -> pd.DataFrame:
    """Median and 90% interval of every output in both runs."""
    rows = []
    for about in found.outputs.to_dict("records"):
        output = parsed_output(str(about["output"]))
        row = {"Output": output.name}
        for label, end in (("A", "first"), ("B", "second")):
            row[label] = value_words(output, about[f"{end}_median"])
            if not output.is_event:
                low, high = (value_words(output, about[f"{end}_{side}"]) for side in ("low", "high"))
                row[label] += f" ({span(low, high)})"
        rows.append(row)
    return pd.DataFrame(rows)


def ends(output: Output, about: Mapping[str, Any] | pd.Series, between: str = " against ") -> str:
    """The middle of an output at either end."""
    return between.join(value_words(output, about[f"{end}_median"]) for end in ("first", "second"))


def value_words(output: Output, value: float) -> str:
    """A value of an output: a count where it is a log10, a year as a date, an event in percent."""
    if np.isnan(value) or np.isinf(value):
        return "never reached" if value < 0.0 else "not in the window"
    if output.is_event:
        return percent(value)
    if output.units == "yr" and output.variable.startswith("year_"):
        return f"{value:.1f}"
    if output.variable.startswith("log10_"):
        return number(10.0**value)
    return f"{number(value)} {output.units.replace('yr', 'years')}".removesuffix(" 1")


def share_words(share: float, error: float = 0.0) -> str:
    """A share of the movement in percent, with its standard error in points."""
    if np.isnan(share):
        return ""
    return f"{100.0 * share + 0.0:.0f}%".replace("-0%", "0%") + (f" (±{100.0 * error:.0f})" if error >= 0.005 else "")


def listed_changes(found: Movement, kinds: Sequence[str] = ("source",)) -> pd.DataFrame:
    """The changes without those of some kinds, which only say why: new sources and reasons of a prior."""
    return found.changes[~found.changes["kind"].isin(kinds)].reset_index(drop=True)
