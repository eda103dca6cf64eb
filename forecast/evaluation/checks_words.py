"""What a check found, in words, each finding with what to do about it.

Severity: ``fails`` where the gate fails, ``look`` where a finding holds after correction for the number of tests (or a
row decides a parameter, or the posterior itself leaves what can be), ``note`` where it may be chance, or the tables have
mended it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from forecast.convergence import Gate
from forecast.evaluation.loo_pit import COMPONENTS
from forecast.words import number, percent

TERMS = {  # what a term looks like in a finding: what it means
    r"Pareto k": "Pareto k: how far leave-one-out leans on one row. Up to 0.7 is harmless; above 1 that row alone decides.",
    r"axis \d+ of the random walk": "axis of the random walk: the task horizons share the ups and downs of the state of the "
    "art, so they are judged as independent combinations of rows; each combination is an axis.",
    r"Leave-one-out|rows predict": "leave-one-out: each row held against what all the others predict for it.",
    r"standard deviations": "standard deviations: of a parameter, those of its posterior; of rows, those that the model "
    "expects of them.",
    r"from end to end": "from end to end: from the lowest to the highest value in the table of what is named.",
    r"\(p [=<]": "p: how often chance alone would show as much if the model were right.",
    r"@\d{4}": "@2030: on 1 July of that year.",
    r"prior draws": "prior draws: what the priors alone imply, before any table; posterior draws: with the tables.",
}
COLUMNS = ("kind", "where", "severity", "finding", "remedy")
SEVERITIES = ("fails", "look", "note")
CHANCE = 0.05  # p-value below which one test alone is worth a note
SLIGHT = 0.5  # posterior standard deviations that are not worth naming a parameter for
GROSS = 10.0  # times the limit of a guard that a prior may not exceed even where the tables mend it
DECISIVE_K = 1.0  # Pareto k above which the weights have no finite mean
SAMPLE_AGAIN = (
    "Do not use these numbers: sample again with another --seed or more --draws; if that fails too, the priors and the "
    "data are at odds."
)
LOOK_AT_ROW = (
    "Check the row against its source; if it stands, a covariate that sets it apart is missing, or tails are too thin."
)
PIT_REMEDY = {
    "shift": "The block's level or trend is held away from its rows, by its prior or another table: compare both.",
    "width": "Look at the prior of the block's scatter, and for a covariate that part of the scatter is due to.",
    "lopsided": "Look for what the rows on the long side share, and give it a covariate or a group; or another scale.",
    "tails": "Look for two kinds of rows in one table, and give one of them an offset or a scatter of its own.",
}
Row = Any


def findings(
    sampling: pd.DataFrame,
    influential: pd.DataFrame,
    pit: pd.DataFrame,
    predictive: pd.DataFrame,
    guards: pd.DataFrame,
    false_share: float,
) -> pd.DataFrame:
    """All findings, the gravest first; the tables are those of ``Checks``."""
    found = [
        *of_sampling(sampling),
        *of_loo(influential),
        *of_pit(pit, false_share),
        *of_predictive(predictive, false_share),
        *of_guards(guards),
    ]
    ordered = sorted(found, key=lambda said: SEVERITIES.index(said["severity"]))
    return pd.DataFrame(ordered, columns=list(COLUMNS))


def finding(kind: str, where: str, severity: str, said: str, remedy: str) -> dict[str, str]:
    """One finding."""
    return dict(zip(COLUMNS, (kind, where, severity, f"{said}.", remedy), strict=True))


def of_sampling(table: pd.DataFrame) -> Iterable[dict[str, str]]:
    """Failed criteria of the gate, and chains that move between energies too slowly."""
    for row in table[~table["passed"]].itertuples():
        of = f" ({row.parameter})" if row.parameter else ""
        if row.gate:
            said = f"{row.criterion}: {row.value:.4g}{of}, {row.needed} needed"
            yield finding("sampling", row.parameter or "sampler", "fails", said, SAMPLE_AGAIN)
        else:
            said = f"{row.criterion} is {row.value:.2f}, {row.needed} needed: it may not have reached the tails"
            remedy = "Raise --draws; look for a scatter that few rows hold away from zero, and give it a firmer prior."
            yield finding("sampling", "sampler", "look", said, remedy)


def of_loo(table: pd.DataFrame) -> Iterable[dict[str, str]]:
    """Rows that decide a parameter by themselves."""
    remedy = "See what rests on it by a fit without the row (--tables); a second row of its kind would help most."
    for row in table.itertuples():
        way = "higher" if row.shift > 0.0 else "lower"
        said = (
            f"{row.row} alone holds {row.parameter}, which without it would lie at least {abs(row.shift):.1f} standard"
        )
        said += f" deviations {way} (Pareto k {row.pareto_k:.2f})"
        if abs(row.shift) < SLIGHT:
            said = f"{row.row} holds parameters together that no other row does (Pareto k {row.pareto_k:.2f})"
        yield finding("loo", row.table, "look" if row.pareto_k > DECISIVE_K else "note", said, remedy)


def graded(p_value: float, q_value: float, false_share: float) -> str:
    """Severity of a p-value; empty where there is nothing to say.

    >>> graded(0.001, 0.04, 0.1), graded(0.03, 0.6, 0.1), graded(0.2, 0.9, 0.1)
    ('look', 'note', '')
    """
    if q_value <= false_share:
        return "look"
    return "note" if p_value <= CHANCE else ""


def chance(p_value: float) -> str:
    """A p-value as a reader takes it.

    >>> chance(0.0004), chance(0.034)
    ('p < 0.001', 'p = 0.03')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.1g}"


def of_pit(table: pd.DataFrame, false_share: float) -> Iterable[dict[str, str]]:
    """Tables that are not calibrated, and rows that lie where all the others put next to nothing."""
    for row in table.itertuples():
        if severity := graded(row.p_value, row.q_value, false_share):
            strongest = max(COMPONENTS, key=lambda name: abs(getattr(row, name)))
            said = f"Leave-one-out over {row.rows} rows: {row.verdict} ({chance(row.p_value)})"
            yield finding("pit", row.table, severity, said, PIT_REMEDY[strongest])
        if severity := graded(row.p_extreme, row.q_extreme, false_share):
            side, share = ("below", row.pit) if row.pit < 0.5 else ("above", 1.0 - row.pit)
            said = f"{row.row} lies {side} all but {percent(share)} of what the other rows predict for it"
            yield finding("pit", row.table, severity, f"{said} ({chance(row.p_extreme)})", LOOK_AT_ROW)


def of_predictive(table: pd.DataFrame, false_share: float) -> Iterable[dict[str, str]]:
    """Statistics of a table that its block would seldom show."""
    for row in table.sort_values("p_value").itertuples():
        if severity := graded(row.p_value, row.q_value, false_share):
            said, remedy = STATISTICS[row.statistic](row)
            yield finding("predictive", row.table, severity, f"{said} ({chance(row.p_value)})", remedy)


def largest_distance(row: Row) -> tuple[str, str]:
    """Of the row furthest out."""
    noise = f"noise puts the furthest of {row.rows} at {row.expected:.1f}"
    if row.observed > row.expected:
        return f"{row.culprit} lies {row.observed:.1f} standard deviations out; {noise}", LOOK_AT_ROW
    return f"No row lies more than {row.observed:.1f} standard deviations out; {noise}", PIT_REMEDY["width"]


def share_in_tails(row: Row) -> tuple[str, str]:
    """Of the tails."""
    said = f"{percent(row.observed)} of the rows lie in the outer tenth of what is expected of them"
    return said, PIT_REMEDY["width"]


def trend(row: Row) -> tuple[str, str]:
    """Of a slope in the residuals."""
    way = "higher" if row.observed > 0.0 else "lower"
    said = f"Rows lie ever {way} against their means with {of(row)}, by {abs(row.effect):.1f} standard deviations from end to end"
    return said, f"Give the block a slope in {of(row)}, or look at the prior of the one it has."


def bend(row: Row) -> tuple[str, str]:
    """Of a bend in the residuals."""
    way = "higher" if row.observed > 0.0 else "lower"
    said = f"Rows at both ends of {of(row)} lie {way} against their means than those in the middle, {row.culprit} above all"
    return said, f"A straight line in {of(row)} is too stiff: let its slope change, or start the table later."


def step(row: Row) -> tuple[str, str]:
    """Of rows on one side of a value that lie apart."""
    way = "high" if row.culprit_mean > 0.0 else "low"
    which = row.culprit if row.about == "year" else f"with {row.about} {row.culprit}"
    said = f"The {row.culprit_rows} rows {which} lie {abs(row.culprit_mean):.1f} standard deviations {way}"
    return f"{said} on average", f"Something changes along {of(row)} there: look for what, or fit on one side of it."


def scatter_grows(row: Row) -> tuple[str, str]:
    """Of a scatter that is not the same everywhere."""
    way, factor = ("grows", row.effect) if row.observed > 0.0 else ("shrinks", 1.0 / row.effect)
    said = f"The scatter {way} with {of(row)}, about {factor:.1f} times from end to end, {row.culprit} above all"
    return said, f"Let the scatter depend on {of(row)}, or keep only rows like those that are forecast."


def clusters(row: Row) -> tuple[str, str]:
    """Of rows that come in groups."""
    side, kind = ("above" if row.culprit_mean > 0.0 else "below"), of(row)
    said = (
        f"{percent(row.observed)} of the variance lies between values of {kind}, where {percent(row.expected)} were expected:"
        f" {row.culprit} ({row.culprit_rows} rows) lies {abs(row.culprit_mean):.1f} standard deviations {side} on average"
    )
    return (
        said,
        f"Rows of one {kind} count as one another's evidence: give {kind} a scatter of its own, or one row each.",
    )


STATISTICS: dict[str, Callable[[Row], tuple[str, str]]] = {
    "largest distance": largest_distance,
    "share in the tails": share_in_tails,
    "trend": trend,
    "bend": bend,
    "step": step,
    "scatter grows": scatter_grows,
    "clusters": clusters,
}


def of(row: Row) -> str:
    """What a statistic is about, in words."""
    return "time" if row.about == "year" else str(row.about)


def of_guards(table: pd.DataFrame) -> Iterable[dict[str, str]]:
    """Outputs that the prior puts outside what can be; worse where the tables do not mend it."""
    for row in table.itertuples():
        shares = {
            side: (getattr(row, f"prior_{side}"), getattr(row, f"posterior_{side}")) for side in ("below", "above")
        }
        beyond = {side: pair for side, pair in shares.items() if max(pair) > row.limit}
        if beyond:
            prior, posterior = (max(pair[i] for pair in beyond.values()) for i in (0, 1))
            severity = "look" if posterior > row.limit or prior > GROSS * row.limit else "note"
            yield finding("guards", row.output, severity, guard_said(row, beyond), guard_remedy(row, beyond))


def guard_said(row: Row, beyond: Mapping[str, tuple[float, float]]) -> str:
    """How much of prior and posterior lies beyond which end."""
    ends = {"below": row.low, "above": row.high}
    parts = [
        f"{percent(prior)} of prior draws ({percent(posterior)} of posterior draws) lie {side} "
        f"{amount(ends[side], row.units)}"
        for side, (prior, posterior) in beyond.items()
    ]
    return " and ".join(parts)


def guard_remedy(row: Row, beyond: Iterable[str]) -> str:
    """The parameter that sets the draws outside apart, and the grounds of the range."""
    grounds = {"below": row.why_low, "above": row.why_high}
    which = (
        f"Look first at {row.parameter}, in which the prior's draws out there differ most. " if row.parameter else ""
    )
    return which + " ".join(grounds[side] for side in beyond)


def amount(value: float, units: str) -> str:
    """A quantity with its unit, a log10 one as the count that it is.

    >>> amount(26.4, "log10 FLOP"), amount(0.8, "1"), amount(2020.0, "yr")
    ('2.5e26 FLOP', '0.8', '2020')
    """
    if units.startswith("log10"):
        return f"{number(10.0**value)} {units.removeprefix('log10').strip()}".strip()
    if units == "OOM":
        return f"{value:g} orders of magnitude"
    if units == "yr" and value > 1000.0:
        return f"{value:.0f}"
    return number(value) if units == "1" else f"{number(value)} {units}"


def verdict(gate: Gate, found: pd.DataFrame, tests: int, false_share: float) -> str:
    """The gate's verdict, and how many findings there are."""
    said = "converged" if gate.passed else "did NOT converge: " + "; ".join(gate.failures())
    looks, notes = (int((found["severity"] == severity).sum()) for severity in ("look", "note"))
    return (
        f"The sampler {said}. {counted(looks, 'finding')} to look at and {counted(notes, 'note')}; a test counts as a "
        f"finding where at most {percent(false_share)} of those made from {tests} tests would be false."
    )


def terms(found: pd.DataFrame) -> list[str]:
    """What the terms mean that the findings use, each once.

    >>> terms(pd.DataFrame({"finding": ["Rows lie high (p = 0.02)."]}))
    ['p: how often chance alone would show as much if the model were right.']
    """
    whole = "\n".join([*found["finding"], *found.get("where", [])])
    return [meaning for pattern, meaning in TERMS.items() if re.search(pattern, whole)]


def counted(many: int, what: str) -> str:
    """A count with its noun.

    >>> counted(1, "note"), counted(0, "note")
    ('1 note', 'no notes')
    """
    return f"{many or 'no'} {what}{'' if many == 1 else 's'}"
