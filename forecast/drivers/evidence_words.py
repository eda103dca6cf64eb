"""Which data matter, for people: sentences that name the blocks, and tables of words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from forecast.drivers.evidence_tables import ADDED, LEFT_OUT, PRIOR, Evidence
from forecast.drivers.outputs import parsed_output
from forecast.drivers.tables import joined, meaning_of_output, spoken
from forecast.schema import BLOCKS
from forecast.words import number, percent, span

SURE = 3.0  # Monte Carlo standard errors that a change must exceed to be spoken of
FAR = 3.0  # half widths of the 68% interval that data move a parameter only where they contradict what else is said
TOLD = 3  # parameters of each block that are listed

Row = Mapping[str, Any]


def evidence_sentences(found: Evidence) -> tuple[str, ...]:
    """For every output which block moves it most, which narrows it, what is lost without it; then doubts about fits."""
    return (
        *(sentence for output in found.outputs for sentence in output_sentences(found, output)),
        most_told(found),
        *surprises(found),
        *doubts(found),
    )


def output_sentences(found: Evidence, output: str) -> list[str]:
    """From prior to posterior, and what is lost without the blocks that matter most, for one output."""
    steps = rows_of(found, output, ADDED)
    before = {new["block"]: old for old, new in pairwise(steps)}
    last = steps[-1]
    name, measure = f"{output} ({meaning_of_output(output)})", "probability" if is_event(output) else "median"
    leading = leaders(steps[1:], before, measure)[:2]
    moved = [f"{words(row)} ({said(output, before[row['block']])} to {said(output, row)})" for row in leading]
    told = f"From the prior to all data, {name} goes from {stated(output, steps[0])} to {stated(output, last)}."
    if moved:
        told += f" Added one at a time, what moves it most is {joined(moved)}."
    return [told, *losses(found, output, last, measure)]


def losses(found: Evidence, output: str, last: Row, measure: str) -> list[str]:
    """What would be lost without each block: where the answer would lie, and how wide it would be."""
    rows = rows_of(found, output, LEFT_OUT)
    full = dict.fromkeys(BLOCKS, last)
    parts = [f"without {words(row)} it would be {said(output, row)}" for row in leaders(rows, full, measure)[:2]]
    for row in [row for row in leaders(rows, full, "width") if row["width_change"] > 0.0][:2]:
        wide = "would not end in the window" if math.isinf(row["width"]) else f"would be {width(output, row)} wide"
        parts.append(f"without {words(row)} its 90% interval {wide}")
    if not parts:
        return [f"No single block matters much to {output}: left out, none moves it beyond Monte Carlo noise."]
    now = said(output, last) + ("" if is_event(output) else f", 90% interval {width(output, last)} wide")
    idle = [words(row) for row in rows if not certain(row, last, measure) and not certain(row, last, "width")]
    rest = f" Leaving out {joined(idle)} changes it by less than can be told from Monte Carlo noise." if idle else ""
    return [f"Left out alone, what would be missed most for {output} ({now}): {'; '.join(parts)}.{rest}"]


def most_told(found: Evidence) -> str:
    """Which parameters the data have told most about."""
    own = found.information[found.information["kind"] == LEFT_OUT].sort_values("bits", ascending=False, kind="stable")
    rows = [f"{row['parameter']} ({number(row['bits'])} bits, {words(row)})" for row in own.head(3).to_dict("records")]
    if not rows:
        return "No block says anything about any parameter."
    return f"The blocks say most about {joined(rows)}: bits from the posterior without the block to the posterior."


def surprises(found: Evidence) -> list[str]:
    """Parameters that a block puts far from where everything else would have them: a prior to look at again."""
    own = found.information[(found.information["kind"] == LEFT_OUT) & (found.information["shift"].abs() > FAR)]
    named = [f"{row['parameter']} ({words(row)}, {row['shift']:+.1f})" for row in own.to_dict("records")]
    if not named:
        return []
    return [
        f"Data and prior disagree about {joined(named)}: in brackets the shift of the median by the block, in standard "
        "deviations of what is believed without it. What such a block moves says as much about that prior as about the data."
    ]


def doubts(found: Evidence) -> list[str]:
    """Fits behind the steps that did not pass the convergence gate."""
    failed = found.fits[~found.fits["converged"].astype(bool)]
    return [
        f"Read with care what rests on the fit to {row['blocks'].replace('_', ' ')}, which did not pass the gate: "
        f"{row['failures']}."
        for row in failed.to_dict("records")
    ]


def evidence_words(found: Evidence) -> tuple[pd.DataFrame, ...]:
    """A table of steps per output, and one of what each block says of single parameters."""
    return (*(steps_words(found, output) for output in found.outputs), information_words(found))


def steps_words(found: Evidence, output: str) -> pd.DataFrame:
    """Every step of one output in words; changes with their Monte Carlo standard errors."""
    steps, left = rows_of(found, output, ADDED), rows_of(found, output, LEFT_OUT)
    before = [None, *steps[:-1], *[steps[-1]] * len(left)]
    rows = []
    for row, old in zip([*steps, *left], before, strict=True):
        sign = "" if row["block"] == PRIOR else "+ " if row["kind"] == ADDED else "without "
        label = sign + words(row)
        rows.append({output: label + (" = posterior" if row is steps[-1] else "")} | columns(output, row, old))
    return pd.DataFrame(rows)


def columns(output: str, row: Row, old: Row | None) -> dict[str, str]:
    """One step in words, against the one it is held to."""
    note = {"Note": "" if row["converged"] else "fit did not pass the gate"}
    if is_event(output):
        change = "" if old is None else moved(output, row, old, "probability")
        return {"Probability": percent(row["probability"]), "moves": change} | note
    return {
        "Median": said(output, row),
        "moves": "" if old is None else moved(output, row, old, "median"),
        "90% interval": interval(output, row),
        "width": width(output, row),
        "changes": "" if old is None else moved(output, row, old, "width"),
        "Not in the window": percent(row["probability"]) if row["probability"] > 0.0 else "",
    } | note


def information_words(found: Evidence) -> pd.DataFrame:
    """The parameters that each block says most about, in bits: left out of all data, and as it was added."""
    table = found.information
    bits = {(r["kind"], r["block"], r["parameter"]): r for r in table.to_dict("records")}
    rows = []
    for block in BLOCKS:
        own = table[(table["kind"] == LEFT_OUT) & (table["block"] == block) & (table["raw"] > SURE * table["error"])]
        for row in own.sort_values("bits", ascending=False, kind="stable").head(TOLD).to_dict("records"):
            first = bits.get((ADDED, block, row["parameter"]))
            rows.append(
                {
                    "Block": words(row),
                    "Parameter": row["parameter"],
                    "Bits, left out of all": bits_words(row),
                    "Bits, as it was added": "" if first is None else bits_words(first),
                }
            )
    return pd.DataFrame(rows, columns=["Block", "Parameter", "Bits, left out of all", "Bits, as it was added"])


def rows_of(found: Evidence, output: str, kind: str) -> list[dict[str, Any]]:
    """Steps of one output and kind, in order."""
    own = found.steps[(found.steps["output"] == output) & (found.steps["kind"] == kind)]
    return own.to_dict("records")  # type: ignore[no-any-return]


def leaders(rows: Sequence[Row], before: Mapping[str, Row], measure: str) -> list[Row]:
    """Rows whose change exceeds the noise, the largest first; of endless ones the likeliest to lie beyond the window."""
    sure = [row for row in rows if certain(row, before[row["block"]], measure)]
    return sorted(sure, key=lambda row: (-abs(row[f"{measure}_change"]), -abs(row["probability_change"])))


def certain(row: Row, old: Row, measure: str) -> bool:
    """Whether a change is more than Monte Carlo noise; one into or out of the window where that of its probability is."""
    if math.isinf(row[f"{measure}_change"]):
        return certain(row, old, "probability")
    return bool(abs(row[f"{measure}_change"]) > SURE * noise(row, old, measure))


def noise(row: Row, old: Row, measure: str) -> float:
    """Monte Carlo standard error of a change, at most: steps share the draws of what they do not differ in."""
    return math.hypot(row[f"{measure}_error"], old[f"{measure}_error"])


def moved(output: str, row: Row, old: Row, measure: str) -> str:
    """A change in words."""
    change = row[f"{measure}_change"]
    if math.isnan(change) or (change == 0.0 and math.isinf(row[measure])):
        return ""
    if math.isinf(change):
        doubt = "" if certain(row, old, measure) else ", may be noise"
        return f"{'into' if change < 0.0 else 'out of'} the window{doubt}"
    scale = 100.0 if measure == "probability" else 1.0
    error = noise(row, old, measure)
    known = f" ± {number(scale * error, 1)}" if math.isfinite(error) else " ± ?"
    return f"{'+' if change >= 0.0 else '-'}{number(abs(scale * change))}{known} {unit(output, measure)}"


def unit(output: str, measure: str) -> str:
    """Unit of a change: percentage points, OOM of a count, else the output's own."""
    if measure == "probability":
        return "points"
    units = parsed_output(output).units
    return "OOM" if units.startswith("log10") else "years" if units == "yr" else units.removeprefix("1")


def said(output: str, row: Row) -> str:
    """Median of a step in words, or the probability of an event."""
    value = row["probability" if is_event(output) else "median"]
    return "none" if math.isnan(value) else spoken(output, value)


def stated(output: str, row: Row) -> str:
    """Median and interval of a step, and how often there is no value in the window."""
    if is_event(output):
        return said(output, row)
    missed = f", {percent(row['probability'])} not in the window" if row["probability"] > 0.0 else ""
    return f"{said(output, row)} (90% interval {interval(output, row)}{missed})"


def interval(output: str, row: Row) -> str:
    """90% interval of a step in words."""
    if math.isnan(row["low"]):
        return ""
    return span(spoken(output, row["low"]), spoken(output, row["high"]))


def width(output: str, row: Row) -> str:
    """Width of the 90% interval in words."""
    value = row["width"]
    if math.isnan(value):
        return ""
    return "endless" if math.isinf(value) else f"{number(value)} {unit(output, 'width')}"


def bits_words(row: Row) -> str:
    """Information with its standard error."""
    return f"{number(row['bits'])} ± {number(row['error'], 1)}"


def is_event(output: str) -> bool:
    """Whether an output is an event."""
    return parsed_output(output).is_event


def words(row: Row) -> str:
    """A block in words."""
    return str(row["block"]).replace("_", " ")
