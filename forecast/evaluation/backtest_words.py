"""What a back-test says, for people: sentences, and tables of words."""

from __future__ import annotations

import pandas as pd

from forecast.evaluation.skill import ALL, skill

TARGET = (0.80, 0.97)  # share of later figures that a 90% interval should hold
FEWEST = 10  # rows below which the coverage of a table is not judged
TODAYS_PRIORS = (
    "Today's priors know the past: they were written when these figures were out. Priors stated as of each cut "
    "(vintages) remove the worst of it; the tables are cut by the date of the figure, which may have been published later."
)
VINTAGE_PRIORS = (
    "The priors are those that could have been stated at each cut (vintages); the equations and the choice of tables are "
    "today's, and the tables are cut by the date of the figure, which may have been published later."
)
HEADERS = {
    "table": "Table",
    "cut": "Cut",
    "horizon_band": "Years ahead",
    "n": "Predictions",
    "figures": "Figures",
    "coverage_50": "In 50%",
    "coverage_90": "In 90%",
    "bias": "Bias",
    "skill_line": "Skill against the line",
    "gain_line": "Log score against the line",
    "skill_last": "Skill against the last value",
}
MEANINGS = (
    "Bias: where the figures lie in their predictions, as a share above the middle; +0.10 is the 60th percentile on average",
    "Skill: 1 less the CRPS over the rival's; 1 is perfect, 0 no better, below 0 worse",
    "Log score against the line: ln of the density given to what came, less that of the line, on average; above 0 is better",
)
BANDS = (0.0, 1.0, 2.0, 3.0, 100.0)


def backtest_sentences(rows: pd.DataFrame, vintage: bool) -> tuple[str, ...]:
    """The result in sentences: coverage, skill, the tables that fall outside, and what the priors know."""
    table = skill(rows, ["table"])
    every, number = table.iloc[0], rows["cut"].nunique()
    cuts = "one cut" if number == 1 else f"{number} cuts"
    said = [
        f"{every['n']:.0f} predictions of {every['figures']:.0f} figures that came after {cuts}: "
        f"{whole(every['coverage_90'])} fell inside their 90% interval and {whole(every['coverage_50'])} inside their "
        f"50% interval.",
        f"Against a straight line in time the skill is {skill_words(every, 'line')} (1 is perfect, 0 no better; CRPS), "
        f"against the last value {skill_words(every, 'last')}.",
        *off_sentences(table.iloc[1:]),
        VINTAGE_PRIORS if vintage else TODAYS_PRIORS,
    ]
    return tuple(said)


def off_sentences(table: pd.DataFrame) -> list[str]:
    """Tables whose coverage is off or whose skill is negative, each with its figures."""
    judged = table[table["n"] >= FEWEST]
    low, high = TARGET
    off = judged[(judged["coverage_90"] < low) | (judged["coverage_90"] > high)]
    worse = table[table["skill_line"] < 0.0]
    said = []
    if len(off):
        named = ", ".join(f"{row.table} ({whole(row.coverage_90)} of {row.n})" for row in off.itertuples())
        said.append(f"Outside {whole(low)} to {whole(high)} are the 90% intervals of {named}.")
    if len(worse):
        named = ", ".join(f"{row.table} ({row.skill_line:.2f})" for row in worse.itertuples())
        said.append(f"No better than the straight line: {named}.")
    return said


def whole(share: float) -> str:
    """A share in whole per cent: of a few dozen rows, all of them is 100%.

    >>> whole(0.936), whole(1.0)
    ('94%', '100%')
    """
    return f"{share:.0%}"


def skill_words(row: pd.Series, rival: str) -> str:
    """A skill with its 90% interval; a dash where the rival could not predict.

    >>> skill_words(pd.Series({"skill_line": 0.5, "skill_line_low": 0.4, "skill_line_high": 0.6}), "line")
    '0.50 (0.40 to 0.60)'
    """
    if pd.isna(row[f"skill_{rival}"]):
        return "-"
    return f"{row[f'skill_{rival}']:.2f} ({row[f'skill_{rival}_low']:.2f} to {row[f'skill_{rival}_high']:.2f})"


def with_bands(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column ``horizon_band``: how many years after the cut they came."""
    labels = ["under 1", "1 to 2", "2 to 3", "over 3"]
    return rows.assign(horizon_band=pd.cut(rows["horizon"], BANDS, labels=labels, right=False).astype(str))


def skill_table(rows: pd.DataFrame, by: str = "table") -> pd.DataFrame:
    """Coverage, bias and skill by ``table``, ``cut`` or ``horizon_band``, in words."""
    found = skill(with_bands(rows) if by == "horizon_band" else rows, [by])
    worded = pd.DataFrame(
        {
            by: [str(name).replace("_", " ") for name in found[by]],
            "n": found["n"],
            "figures": found["figures"],
            "coverage_50": [whole(value) for value in found["coverage_50"]],
            "coverage_90": [whole(value) for value in found["coverage_90"]],
            "bias": [f"{value:+.2f}" for value in found["bias"]],
            "skill_line": [skill_words(row, "line") for _, row in found.iterrows()],
            "gain_line": ["-" if pd.isna(value) else f"{value:+.2f}" for value in found["gain_line"]],
            "skill_last": [skill_words(row, "last") for _, row in found.iterrows()],
        }
    )
    worded.loc[worded[by] == ALL, by] = "all"
    return worded.rename(columns=HEADERS)
