"""The command that holds a run against what came later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, ONE_SCENARIO, QUIET, RUN, YEARS

if TYPE_CHECKING:
    import xarray as xr

    from forecast.evaluation.scoring import Scores

FEWEST_FOR_BINS = 5  # questions from which a table of bins says more than the questions themselves


@click.command(short_help="Hold a run against what came later.")
@RUN
@click.argument("path", metavar="TABLES_OR_RESOLUTIONS")
@ONE_SCENARIO
@YEARS
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Random seed.")
@click.option("-o", "--output-folder", "folder", metavar="DIR", help="Write all tables as CSV and both figures as SVG.")
@AS_JSON
@AS_CSV
@QUIET
def score(
    run_file: str,
    path: str,
    scenario: str,
    years: list[int] | None,
    seed: int,
    folder: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
) -> None:
    """Hold a run against what came later: PIT, CRPS, log score, coverage, Brier score, calibration.

    TABLES_OR_RESOLUTIONS is a folder of newer figures, <table>.csv as "forecast data template TABLE" prints them, or a CSV
    file of resolved questions ("forecast data template resolutions") with the columns variable, date, value and, if wanted,
    threshold, source, note. Only the folder's own tables are scored, and only rows that the run has not seen. A row of
    resolutions is

    \b
    a figure             log10_training_flop,2027-12-31,27.9   in the variable's unit
    with a threshold     log10_task_horizon,2027-12-31,1,3.4   1 or 0: was it at least that? or the figure
    whether it has come  year_100,2028-12-31,no                full automation by that day
    a question           year_100<2031,2031-01-31,no           as --output takes it
    an event             acceleration,2032-01-01,yes

    --csv prints figures and questions, one per line; --json everything. --scenario and --years are for resolutions.

    Example: forecast score forecast-out/run.nc figures-of-2027/ -o scores
    """  # noqa: D301 -- click reads the backspace
    from forecast.evaluation.scoring import read_newer, score
    from forecast.mainjob import check_folder
    from forecast.reporting.forecasts import run_marks
    from forecast.runs import load_run

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if Path(path).is_dir() and (years is not None or scenario != "baseline"):
        raise click.UsageError("--scenario and --years are for resolved questions: tables are predicted on the trend.")
    if folder is not None:
        check_folder(Path(folder))
    read_newer(Path(path))  # its faults are said before the run is read
    tree = load_run(run_file)
    found = score(tree, path, scenario, years, seed)
    if folder is not None:
        printing.speaker(quiet)(f"wrote {written(Path(folder), found)} files to {folder}")
    if as_json:
        head = {"marks": run_marks(tree), "run": run_file, "path": path, "as_of": found.as_of, "notes": found.notes}
        printing.emit_json(head | {name: printing.records(frame) for name, frame in found.tables().items()})
    elif as_csv:
        printing.emit_frame(found.lines(), False, True)
    else:
        said(tree, found)


def said(tree: xr.DataTree, found: Scores) -> None:
    """Marks, sentences and tables."""
    from forecast.cli.viewing import warn
    from forecast.evaluation import scores_words as words

    warn(tree)
    parts = [str(click.wrap_text(sentence, width=100)) for sentence in words.score_sentences(found)]
    tables = [
        words.blocks_words(found),
        words.figures_words(found),
        words.calibration_words(found),
        words.events_words(found),
    ]
    if len(found.brier) and found.brier["n"].iloc[0] >= FEWEST_FOR_BINS:
        tables.append(words.reliability_words(found))
    left = ["\n".join(words.unscored_lines(found))] if len(found.unscored) else []
    full = [table for table in tables if len(table)]
    meanings = "\n".join(words.legend(head for table in full for head in table.columns))
    click.echo("\n\n".join([*parts, *map(printing.aligned, full), *left, *([meanings] if meanings else [])]))


def written(folder: Path, found: Scores) -> int:
    """Write every table as CSV and, where there are figures, both plots as SVG; how many files."""
    from forecast.comparison_plots import save_figure
    from forecast.score_plots import plot_calibration, plot_pit
    from forecast.summaries import full_csv, write_text

    kept = {name: frame for name, frame in found.tables().items() if len(frame)}
    for name, frame in kept.items():
        write_text(folder / f"{name}.csv", full_csv(frame))
    plots = {"calibration": plot_calibration, "pit": plot_pit} if len(found.rows) else {}
    for name, plot in plots.items():
        save_figure(plot(found), folder / f"{name}.svg")
    return len(kept) + len(plots)
