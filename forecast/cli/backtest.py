"""The command that asks how good the model would have been in the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as Date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, EXECUTOR, PRIORS, QUIET, SET, TABLES, VIEW
from forecast.cli.progress import teller
from forecast.cli.sensitivity import wrapped

if TYPE_CHECKING:
    from forecast.evaluation.backtest import Backtest

NOT_CONVERGED = 3


@click.command(short_help="How good would this model have been in the past?")
@click.option(
    "--cut",
    "cuts",
    multiple=True,
    metavar="YYYY-MM-DD",
    help="Day after which nothing is seen; repeatable. 1 January of 2022 to 2025 if none.",
)
@click.option("--vintage", is_flag=True, help="Priors as they could have been stated at each cut, not today's.")
@PRIORS
@VIEW
@SET
@TABLES
@click.option("--draws", type=click.IntRange(min=1, max=100_000), help="Draws per chain and cut, 1000.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Random seed, 1 unless the settings say otherwise.")
@click.option("-o", "--output-folder", "folder", metavar="DIR", help="Write all tables as CSV and all figures as SVG.")
@click.option("--keep", is_flag=True, help="Keep the results in the package, for the report (for its maintainers).")
@EXECUTOR
@AS_JSON
@AS_CSV
@QUIET
@click.pass_context
def backtest(
    context: click.Context,
    cuts: Sequence[str],
    vintage: bool,
    priors: str | None,
    views: Sequence[str],
    assignments: Sequence[str],
    tables: str | None,
    draws: int | None,
    seed: int | None,
    folder: str | None,
    keep: bool,
    executor: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
) -> None:
    """How good would this model have been? Cuts every table at a date, refits, scores what came later.

    Record runs, world compute, layers, utilization, tokens per parameter, stream speed, task horizons and more, each with
    CRPS, log score, coverage and bias, against the last value and a straight line in time. A table without rows before a
    cut is not scored there. About a minute per cut. Exit code 3 where a fit did not converge.

    Example: forecast backtest --cut 2024-01-01 --vintage -o backtest
    """
    from forecast import backtest_job as job
    from forecast.assignments import with_assigned
    from forecast.evaluation.backtest import CUTS
    from forecast.evaluation.backtest import backtest as back_test
    from forecast.mainjob import check_folder

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if vintage and (priors or views or assignments):
        raise click.UsageError("--vintage states its own priors: drop --priors, --view and --set.")
    if keep and (priors or views or assignments or tables or cuts):
        raise click.UsageError("--keep is for the shipped priors, tables and cuts: drop the others.")
    if folder is not None:
        check_folder(Path(folder))
    overlays = with_assigned(views, assignments)
    chosen, say = job.priors_at_cuts(priors, overlays, vintage), printing.speaker(quiet)
    settings = {"draws": draws, "random_seed": seed}
    found = back_test(chosen, cuts or CUTS, tables=tables, progress=teller(quiet), executor=executor, **settings)
    if folder is not None:
        paths = job.write_backtest(Path(folder), found)
        say(f"wrote {len(paths)} files to {folder}")
    if keep:
        say(f"kept in {kept(found, vintage, draws, seed)}")
    printed(found, job.stated_marks(priors, overlays), vintage, as_json, as_csv)
    context.exit(0 if found.fits["converged"].all() else NOT_CONVERGED)


def kept(found: Backtest, vintage: bool, draws: int | None, seed: int | None) -> Path:
    """Where the results were kept."""
    from forecast.evaluation import backtest_record as record
    from forecast.fitting import sampler_settings

    settings = sampler_settings(draws=draws, tune=None, chains=None, random_seed=seed)
    return record.keep(found, record.VINTAGE if vintage else record.TODAY, settings, Date.today())


def printed(found: Backtest, own: Sequence[str], vintage: bool, as_json: bool, as_csv: bool) -> None:
    """Print sentences and tables of skill; the scored rows as CSV, all tables as JSON; `own` says what is not shipped."""
    from forecast import backtest_job as job
    from forecast.evaluation.backtest_words import MEANINGS, backtest_sentences, skill_table

    if as_csv:
        printing.emit_frame(found.rows, False, True)
        return
    if as_json:
        printing.emit_json(
            {"marks": own} | {name: printing.records(table) for name, table in job.tables(found).items()}
        )
        return
    said = [wrapped(sentence) for sentence in backtest_sentences(found.rows, vintage)]
    shown = [printing.aligned(skill_table(found.rows, by)) for by in ("table", "cut")]
    unscored = (
        []
        if found.unscored.empty
        else ["Not scored, for there was no row before the cut:\n" + printing.aligned(found.unscored)]
    )
    failed = found.fits[~found.fits["converged"]]
    marks = [f"*** {', '.join(own).upper()} ***"] if own else []
    marks += [
        f"NOT CONVERGED at {row.cut}: {row.why}. Read it with caution, or give more --draws."
        for row in failed.itertuples()
    ]
    click.echo("\n\n".join([*marks, *said, *shown, "\n".join(MEANINGS), *unscored]))
