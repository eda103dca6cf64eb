"""What drives the answer, for people: sentences that name the inputs, and tables of words."""

from __future__ import annotations

import math

import pandas as pd

from forecast.drivers.outputs import parsed_output
from forecast.drivers.scaling import ALL, LEANS
from forecast.drivers.sensitivity import OTHERS, UNEXPLAINED, Sensitivity
from forecast.schema import STATED
from forecast.words import number, percent

NAMED = 3
YEARS_FROM = 1000.0  # a number of years this large is a date
SCALE_WORDS = {"value": "variance", "rank": "variance of ranks", "event": "variance"}


def drivers_sentences(found: Sensitivity) -> tuple[str, ...]:
    """One sentence per output with its three most important inputs, and one on what it leans on."""
    said = []
    for output in found.outputs["output"]:
        said.append(leading_sentence(found, str(output)))
        if not found.scaling.empty:
            said.append(leaning_sentence(found.scaling, str(output)))
    return tuple(said)


def leading_sentence(found: Sensitivity, output: str) -> str:
    """The three inputs and blocks that make most of an output's spread."""
    about = found.outputs[found.outputs["output"] == output].iloc[0]
    inputs, blocks = (
        leaders_of(table, kind, output) for table, kind in ((found.inputs, "input"), (found.blocks, "block"))
    )
    named = [f"{name} ({meaning(name)}) makes {share(value)}" for name, value in inputs]
    by_block = [f"{name.replace('_', ' ')} {share(value)}" for name, value in blocks]
    rest = 1.0 - float(about["explained"])
    return (
        f"Of what is uncertain about {output} ({meaning_of_output(output)}), {joined(named)} (Shapley effects, shares of the "
        f"{SCALE_WORDS[about['scale']]}). By block: {joined(by_block)}. {share(rest)} are joint effects that are not shared out."
    )


def leaning_sentence(scaling: pd.DataFrame, output: str) -> str:
    """Which priors and which tables an output leans on, by power-scaling."""
    own = scaling[scaling["output"] == output]
    verdict = str(own[own["scaled"] == ALL]["verdict"].iloc[0])
    parts = []
    for kind, words in (("prior", "priors"), ("likelihood", "tables")):
        strong = own[(own["kind"] == kind) & (own["scaled"] != ALL) & (own["sensitivity"] >= LEANS)]["scaled"]
        parts.append(
            f"of single {words} it leans on {joined(list(strong[: NAMED + 1]))}"
            if len(strong)
            else f"on no single one of the {words}"
        )
    return f"By power-scaling, {output} {verdict}: {'; '.join(parts)}."


def leaders_of(table: pd.DataFrame, kind: str, output: str) -> list[tuple[str, float]]:
    """The largest effects of one output."""
    own = table[(table["output"] == output) & ~table[kind].isin((OTHERS, UNEXPLAINED))].head(NAMED)
    return [(str(name), float(value)) for name, value in zip(own[kind], own["share"], strict=True)]


def meaning(name: str) -> str:
    """What an input is, in the schema's words."""
    return STATED[name].definition if name in STATED else name.replace("_", " ")


def meaning_of_output(name: str) -> str:
    """What an output is, in the schema's words."""
    return parsed_output(name).definition


def share(value: float) -> str:
    """A share in percent; one that sampling noise leaves below half a percent is "0%".

    >>> share(0.274), share(-0.001), share(0.004)
    ('27%', '0%', '0.4%')
    """
    if value < 0.001:
        return "0%"
    return percent(min(value, 1.0))


def joined(items: list[str]) -> str:
    """Items as people list them.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def effects_words(found: Sensitivity, output: str) -> pd.DataFrame:
    """Shapley effects of the leading inputs beside what each says first and last, for one output."""
    own = found.inputs[found.inputs["output"] == output]
    worth = found.worth[found.worth["output"] == output].set_index("input")
    event = parsed_output(output).is_event
    rows = []
    for row in own.to_dict("records"):
        name = str(row["input"])
        known = worth.loc[name] if name in worth.index else None
        rows.append(
            {
                "Input": name,
                "Shapley effect": share(row["share"]),
                "90% interval": f"{share(row['low'])} to {share(row['high'])}",
                "If known first": "" if known is None else share(float(known["first"])),
                "If known last": "" if known is None else share(float(known["last"])),
                **({"Worth, bits": "" if known is None else number(max(float(known["bits"]), 0.0))} if event else {}),
                "What it is": "" if known is None else meaning(name),
            }
        )
    return pd.DataFrame(rows)


def blocks_words(found: Sensitivity) -> pd.DataFrame:
    """Shapley effects of the blocks, a column per output."""
    wide = found.blocks.pivot_table(index="block", columns="output", values="share", sort=False)
    said = pd.DataFrame({"Block": [str(name).replace("_", " ") for name in wide.index]})
    for output in found.outputs["output"]:
        said[str(output)] = [share(float(value)) for value in wide[output]]
    return said


def tornado_words(found: Sensitivity, output: str) -> pd.DataFrame:
    """The output with each leading input at its 10th and at its 90th percentile, the widest first."""
    own = found.tornado[found.tornado["output"] == output]
    leading = set(found.inputs[found.inputs["output"] == output]["input"])
    rows = [row for row in own.to_dict("records") if row["input"] in leading]
    rows.sort(key=lambda row: -swing(row["low"], row["high"]))
    return pd.DataFrame(
        {
            "Input": [row["input"] for row in rows],
            "10th percentile": [input_words(row["input"], row["input_low"]) for row in rows],
            "90th percentile": [input_words(row["input"], row["input_high"]) for row in rows],
            "Output at 10th": [spoken(output, row["low"]) for row in rows],
            "Output at 90th": [spoken(output, row["high"]) for row in rows],
        }
    )


def input_words(name: str, value: float) -> str:
    """A value of an input in words; dates keep their tenths."""
    return f"{value:.1f}" if name in STATED and STATED[name].units == "yr" and value > YEARS_FROM else number(value, 3)


def swing(low: float, high: float) -> float:
    """How far the output moves; beyond everything finite where one end never comes."""
    if math.isinf(low) or math.isinf(high):
        return 0.0 if low == high else math.inf
    return abs(high - low)


def spoken(output: str, value: float) -> str:
    """A value of an output in words: counts for log10 numbers, percent for events, calendar years for dates."""
    parsed = parsed_output(output)
    if parsed.is_event:
        return percent(value)
    if math.isinf(value):
        return "none" if value < 0 else "not in the window"
    if parsed.variable.startswith("log10_"):
        return number(10.0**value)
    return f"{value:.1f}" if parsed.variable.startswith("year_") else number(value)


def shift_words(output: str, shift: float, unknown: str = "") -> str:
    """A shift in units of the output; of a log10 one a factor, of an event points.

    >>> shift_words("takeoff_years", -1.5), shift_words("log10_streams_at_automation", 0.30103)
    ('-1.5 years', 'x 2')
    """
    found = parsed_output(output)
    if math.isnan(shift):
        return unknown
    if found.is_event:
        return f"{100.0 * shift + 0.0:+.0f} points"
    if found.variable.startswith("log10_"):
        return f"x {number(10.0**shift)}"
    rounded = round(shift, 3) + 0.0
    return f"{'+' if rounded > 0.0 else ''}{number(rounded)} {found.units.replace('yr', 'years')}".removesuffix(" 1")


def scaling_words(found: Sensitivity, output: str, rows: int = 6) -> pd.DataFrame:
    """Power-scaling of the strongest priors and tables for one output."""
    own = found.scaling[found.scaling["output"] == output]
    parts = [own[own["kind"] == kind].head(rows) for kind in ("prior", "likelihood")]
    frame = pd.concat(parts)
    return pd.DataFrame(
        {
            "Scaled": [
                f"{kind} of {name.replace(ALL, 'everything')}"
                for kind, name in zip(frame["kind"], frame["scaled"], strict=True)
            ],
            "Sensitivity": [number(value) for value in frame["sensitivity"]],
            "Verdict": frame["verdict"].tolist(),
        }
    )
