"""The command that checks whether the posteriors can be right: simulation-based calibration and recovery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as Date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, AS_OF, EXECUTOR, PRIORS, QUIET, SET, TABLES, VIEW
from forecast.cli.progress import teller
from forecast.cli.sensitivity import wrapped

if TYPE_CHECKING:
    from forecast.evaluation.calibration import Calibration

NOT_CALIBRATED = 3


@click.command(short_help="Are the posteriors right? Simulation-based calibration.")
@click.argument("blocks", nargs=-1, metavar="[BLOCK]...")
@click.option("--joint", is_flag=True, help="The joint model too (alone: name joint as a BLOCK); some 10 minutes.")
@click.option(
    "--replicates", type=click.IntRange(2, 100_000), default=200, show_default=True, help="Refits of each model."
)
@click.option("--recover", metavar="RUN", help="Truths from this run's posterior: how often do intervals hold them?")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Random seed.")
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Refits at a time; as many as there are cores if not given."
)
@PRIORS
@VIEW
@SET
@TABLES
@AS_OF
@click.option("-o", "--output-folder", "folder", metavar="DIR", help="Write all tables as CSV and all figures as SVG.")
@click.option("--keep", is_flag=True, help="Keep the results in the package, for the report (for its maintainers).")
@EXECUTOR
@AS_JSON
@AS_CSV
@QUIET
@click.pass_context
def sbc(
    context: click.Context,
    blocks: Sequence[str],
    joint: bool,
    replicates: int,
    recover: str | None,
    seed: int,
    workers: int | None,
    priors: str | None,
    views: Sequence[str],
    assignments: Sequence[str],
    tables: str | None,
    as_of: str | None,
    folder: str | None,
    keep: bool,
    executor: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
) -> None:
    """Simulation-based calibration: are the posteriors of each BLOCK right, over all that its priors hold possible?

    Truths are drawn from the priors, tables simulated from them, the block refitted; the place of a truth among the draws
    is uniform where all is right. Exit code 3 where it is not. Every block if none is named; a block takes half a minute.

    Example: forecast sbc depth_scaling compute -o calibration
    """
    from forecast import calibration_job as job
    from forecast.executors import executor_from
    from forecast.mainjob import check_folder

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    own = [
        flag
        for flag, given in (
            ("--priors", priors),
            ("--view", views),
            ("--set", assignments),
            ("--tables", tables),
            ("--as-of", as_of),
        )
        if given
    ]
    if own and (recover or keep):
        other = "--recover takes those of the run" if recover else "--keep is for the shipped ones"
        raise click.UsageError(f"{own[0]} cannot be given: {other}.")
    models = job.models_wanted(blocks, joint)
    if folder is not None:
        check_folder(Path(folder))
    if workers is not None and executor is not None:
        raise click.UsageError("--workers and --executor exclude each other.")
    with executor_from(executor) as pool:
        settings = {"replicates": replicates, "random_seed": seed, "workers": workers, "executor": pool}
        found = calibrated(models, recover, priors, views, assignments, tables, as_of, keep, quiet, settings)
    if folder is not None:
        paths = job.write_calibrations(Path(folder), found)
        printing.speaker(quiet)(f"wrote {len(paths)} files to {folder}")
    if keep:
        printing.speaker(quiet)(f"kept in {job.kept_in_package(found, Date.today())}")
    printed(found, as_json, as_csv)
    context.exit(0 if recover or all_fine(found) else NOT_CALIBRATED)


def calibrated(
    models: Sequence[str],
    recover: str | None,
    priors: str | None,
    views: Sequence[str],
    assignments: Sequence[str],
    tables: str | None,
    as_of: str | None,
    keep: bool,
    quiet: bool,
    settings: dict[str, Any],
) -> list[Calibration]:
    """Calibrations from the priors and tables named, or recoveries from a run."""
    from forecast import calibration_job as job
    from forecast.assignments import with_assigned
    from forecast.observations import load_observations
    from forecast.priors import load_priors
    from forecast.runs import load_run

    if recover:
        run = load_run(recover)
        if keep:
            job.refuse_other_run(run)
        return job.all_recoveries(models, run, teller(quiet), **settings)
    stated = load_priors(priors or "baseline", overlays=with_assigned(views, assignments))
    return job.all_calibrations(models, stated, load_observations(tables, as_of), teller(quiet), **settings)


def all_fine(found: Sequence[Calibration]) -> bool:
    """Whether every quantity of every model is calibrated."""
    from forecast.evaluation.calibration_summary import summary

    return all(summary(one).model["not_calibrated"] == 0 for one in found)


def printed(found: Sequence[Calibration], as_json: bool, as_csv: bool) -> None:
    """Print sentences and a table by model; the rows of all quantities as CSV, all tables as JSON."""
    from forecast import calibration_job as job
    from forecast.evaluation.calibration_summary import calibration_sentence, model_words, summary, trouble_sentence

    if as_csv:
        printing.emit_frame(job.tables(found)["parameters"], False, True)
        return
    if as_json:
        whole = {name: table for name, table in job.tables(found).items() if name != "positions"}
        printing.emit_json({name: printing.records(table) for name, table in whole.items()})
        return
    parts = [summary(one) for one in found]
    said = [*map(calibration_sentence, parts), trouble_sentence(parts)]
    click.echo("\n\n".join([*map(wrapped, said), printing.aligned(model_words(parts))]))
