"""The report's section on whether to trust it: kept back-tests and calibration, and the checks of this run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import pandas as pd
import xarray as xr

from forecast import backtest_plots
from forecast.calibration_job import run_digests
from forecast.calibration_plots import plot_held
from forecast.evaluation import backtest_record, sbc_record
from forecast.evaluation.backtest_words import backtest_sentences, skill_table, with_bands
from forecast.evaluation.calibration_summary import Summary, calibration_sentence, model_words
from forecast.evaluation.checks import Checks
from forecast.evaluation.skill import ALL, inside, skill
from forecast.reporting import numbers
from forecast.reporting.answers import Answers
from forecast.reporting.content import Figure, Section, Table
from forecast.reporting.figures import drawn
from forecast.runs import CHECKS, read_provenance
from forecast.summaries import COLUMNS

NAME, TITLE = "trust", "Can it be trusted?"
LEAD = (
    "How good the model would have been in the past, whether its computations are right, and where this fit and its data "
    "disagree. Back-test and calibration are of the shipped priors and are kept with the package; what has changed since "
    "is said. forecast check, backtest, sbc and score make each of them anew."
)
WHOSE = {backtest_record.TODAY: "today's priors", backtest_record.VINTAGE: "priors as of each cut"}
BANDS = "horizon_band"
COLUMNS_OF_FINDINGS = ("severity", "where", "finding", "remedy")
NOT_CHECKED = (
    "Leave-one-out, calibration and posterior predictive checks of this fit have not been made: forecast check RUN makes "
    "them and keeps them in the run file."
)
PREDICTIONS = ("table", "series", "cut", "date", "units", "observed", *numbers.COLUMNS)
FINE = "Every quantity of every model is calibrated: truths drawn from the prior fall evenly among the draws."


def trust_answer(run: xr.DataTree) -> Answers:
    """Checks of the run, the kept back-tests and the kept calibration."""
    now = run_digests(run)
    parts = [of_run(run), of_backtests(now), of_calibration(now)]
    sentences = tuple(sentence for said, _, _ in parts for sentence in said)
    figures = tuple(figure for _, drawn_here, _ in parts for figure in drawn_here)
    tables = tuple(table for _, _, shown in parts for table in shown)
    section = Section(NAME, TITLE, LEAD, sentences, figures, tables)
    return Answers((section,), pd.DataFrame(columns=list(COLUMNS)))


def of_run(run: xr.DataTree) -> tuple[list[str], list[Figure], list[Table]]:
    """What ``forecast check`` found in this run, where it has been made; nothing for a prior."""
    if read_provenance(run)["kind"] == "prior":
        return [], [], []
    if CHECKS not in run.attrs:
        return [NOT_CHECKED], [], []
    try:
        kept = json.loads(run.attrs[CHECKS])
        verdict, findings = str(kept["verdict"]), pd.DataFrame(kept["findings"], columns=list(COLUMNS_OF_FINDINGS))
    except (ValueError, TypeError, KeyError, RecursionError):  # damaged: as good as none
        return [NOT_CHECKED], [], []
    return (
        [verdict],
        [],
        [Table("checks", "What the checks of this fit found", findings.rename(columns=str.capitalize))]
        if len(findings)
        else [],
    )


def kept_checks(found: Checks) -> str:
    """The verdict and the findings to look at, as the run file keeps them; notes stay in ``forecast check``."""
    chosen = found.findings[found.findings["severity"] != "note"][list(COLUMNS_OF_FINDINGS)]
    return json.dumps({"verdict": found.verdict, "findings": chosen.to_dict("records")})


def of_backtests(now: dict[str, str]) -> tuple[list[str], list[Figure], list[Table]]:
    """Coverage and skill of the kept back-tests."""
    sentences: list[str] = []
    figures: list[Figure] = []
    tables: list[Table] = []
    for name, kept in backtest_record.kept_backtests().items():
        vintage, whose = name == backtest_record.VINTAGE, WHOSE[name]
        sentences += [f"{backtest_record.kept_sentence(kept, now)[:-1]} ({whose})."]
        sentences += backtest_sentences(kept.rows, vintage)
        caption = f"Back-test, {whose}"
        figures += [
            drawn(
                f"backtest-coverage-{name}",
                partial(backtest_plots.plot_coverage, kept.rows),
                f"{caption}: share of later figures inside the predictive interval",
                coverage_rows(kept.rows),
            ),
            drawn(
                f"backtest-skill-{name}",
                partial(backtest_plots.plot_skill, with_bands(kept.rows)),
                f"{caption}: skill against a straight line in time",
                skill(kept.rows, ["table"]),
            ),
        ]
        tables += [
            Table(
                f"backtest-{name}-{by}",
                f"{caption}, by {by.replace('_', ' ')}",
                skill_table(kept.rows, by),
                folded=by != "table",
            )
            for by in ("table", "cut", BANDS)
        ]
        if vintage:
            figures += [
                drawn(
                    f"backtest-{series.replace(' ', '-')}",
                    partial(backtest_plots.plot_predictions, kept.rows, series),
                    f"{caption}: {series.replace('_', ' ')} against what came later",
                    prediction_rows(kept.rows, series),
                )
                for series in ("record run", "time_horizons", "world_compute")
            ]
    return sentences, figures, tables


def of_calibration(now: dict[str, str]) -> tuple[list[str], list[Figure], list[Table]]:
    """The kept simulation-based calibration."""
    kept = sbc_record.kept_results()
    sentence = sbc_record.kept_sentence(kept, now)
    if not kept:
        return [sentence], [], []
    parts = [one.summary for one in kept]
    wrong = [calibration_sentence(one) for one in parts if one.model["not_calibrated"]]
    calibrated = (
        []
        if wrong
        else ["Every parameter of every block is calibrated: truths drawn from the prior fall evenly among the draws."]
    )
    caption = "Truths inside their 50% and 90% intervals, by model"
    figure = drawn("calibration-held", partial(plot_held, parts), caption, held_rows(parts))
    table = Table("calibration", "Simulation-based calibration", model_words(parts), folded=True)
    return [sentence, *wrong, *calibrated], [figure], [table]


def coverage_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of later figures inside the central interval of each mass, of every cut and of all."""
    parts = [*((str(cut), rows[rows["cut"] == cut]) for cut in sorted(rows["cut"].unique())), (ALL, rows)]
    found = [
        (cut, len(part), float(mass), inside(part["pit"], mass))
        for cut, part in parts
        for mass in backtest_plots.LEVELS
    ]
    return pd.DataFrame(found, columns=["cut", "predictions", "interval_mass", "share_inside"])


def prediction_rows(rows: pd.DataFrame, series: str) -> pd.DataFrame:
    """Predictive quantiles of one series at each cut, beside what came later."""
    return rows.loc[rows["series"] == series, list(PREDICTIONS)].reset_index(drop=True)


def held_rows(found: Sequence[Summary]) -> pd.DataFrame:
    """How often intervals held the truth, a row per model."""
    names = ["model", *(f"held_{mass}{end}" for mass in (50, 90) for end in ("", "_low", "_high"))]
    return pd.DataFrame([{name: one.model[name] for name in names} for one in found])
