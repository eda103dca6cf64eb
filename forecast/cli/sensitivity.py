"""The command that says what drives the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, EXECUTOR, ONE_SCENARIO, OUTPUTS, QUIET, RUN, TABLES, YEARS
from forecast.cli.progress import teller
from forecast.cli.viewing import warn

if TYPE_CHECKING:
    from forecast.drivers.evidence_tables import Evidence
    from forecast.drivers.pick_freeze import SobolIndices
    from forecast.drivers.sensitivity import Sensitivity

TORNADO = (
    "Its median with one input at the 10th and the 90th percentile, what the data tie to it following; all draws count, "
    "those that never get there as the longest take-off and the fewest AIs:"
)
SCALING = (
    "Power-scaling: how far its whole distribution, ends included, moves when a prior or a table counts a little more or "
    "less; from 0.05 on it leans on it. An input that only decides whether automation comes at all shows here first:"
)
METHODS = ("all", "shapley", "sobol")


@click.command(short_help="What drives the answer.")
@RUN
@OUTPUTS
@ONE_SCENARIO
@YEARS
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="all",
    show_default=True,
    help="Shapley effects on the draws of the run, Sobol indices of its prior, or both.",
)
@click.option(
    "--on",
    type=click.Choice(["posterior", "prior"]),
    help="Draws for the Shapley effects: the run's own if not given. Sobol indices are of the prior only.",
)
@click.option("--top", type=click.IntRange(1, 40), default=12, show_default=True, help="Inputs named one by one.")
@click.option("--data", "with_data", is_flag=True, help="Which tables matter: refits the model, some minutes.")
@TABLES
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Random seed.")
@click.option("-o", "--output-folder", "folder", metavar="DIR", help="Write all tables as CSV and all figures as SVG.")
@EXECUTOR
@AS_JSON
@AS_CSV
@QUIET
def sensitivity(
    run_file: str,
    outputs: Sequence[str],
    scenario: str,
    years: list[int] | None,
    method: str,
    on: str | None,
    top: int,
    with_data: bool,
    tables: str | None,
    seed: int,
    folder: str | None,
    executor: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
) -> None:
    """What drives the answer: which parameters, which blocks, which priors, which data.

    Shapley effects, worth of knowing, a tornado and power-scaling on the draws of the run, Sobol indices of its prior;
    with --data, how the answers move as each block of observations is added and left out (kept in the run file). --csv has
    the Shapley effect of each input, or its Sobol indices with --method sobol; --json and -o have every table.

    Example: forecast sensitivity forecast-out/run.nc --output "year_100<2031" -o drivers
    """
    from forecast import sensitivity_job as job
    from forecast.drivers import sensitivity as drivers
    from forecast.drivers import sobol as indices
    from forecast.executors import executor_from
    from forecast.mainjob import check_folder
    from forecast.reporting.forecasts import run_marks
    from forecast.runs import load_run

    say, chosen = printing.speaker(quiet), list(outputs) or None
    if tables is not None and not with_data:
        raise click.UsageError("--tables are those that --data refits to: add --data or drop it.")
    if with_data and on == "prior":
        raise click.UsageError("--data is about the posterior: drop --on prior.")
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if folder is not None:
        check_folder(Path(folder))
    tree = load_run(run_file)
    job.check_request(tree, chosen, scenario, years, method, on, with_data)
    found = indexed = known = None
    own = job.prior_of(tree) if on == "prior" else tree
    with executor_from(executor) as pool:
        asked: dict[str, Any] = {"random_seed": seed, "executor": pool}
        if method != "sobol":
            found = drivers.sensitivity(own, chosen, scenario, years, top=top, **asked)
        if method != "shapley":
            second = job.second_order_inputs()
            missing = "" if second else "; pairs of inputs need SALib, the extra 'sensitivity'"
            say(f"Sobol indices of the prior: {indices.POINTS:,} base points through the take-off{missing}")
            indexed = indices.sobol(
                tree, chosen, scenario, years, inputs=top, second=second, progress=teller(quiet), **asked
            )
        if with_data:
            known = job.evidence_of(run_file, tree, chosen, scenario, years, tables, say, teller(quiet), pool)
    if folder is not None:
        paths = job.write_drivers(Path(folder), found, indexed, known)
        say(f"wrote {len(paths)} files to {folder}")
    if as_json:
        whole = job.all_tables(found, indexed, known)
        said: dict[str, Any] = {name: printing.records(table) for name, table in whole.items()}
        printing.emit_json({"marks": run_marks(own)} | said)
        return
    if as_csv:
        table = found.inputs if found is not None else indexed.indices if indexed is not None else None
        assert table is not None  # a method is one of the two, or both
        printing.emit_frame(table, False, True)
        return
    warn(own)
    click.echo("\n\n".join([*said_of_draws(found), *said_of_prior(indexed), *said_of_data(known)]))


def said_of_draws(found: Sensitivity | None) -> list[str]:
    """Sentences and tables of the analysis on draws."""
    from forecast.drivers import tables

    if found is None:
        return []
    parts = [*map(wrapped, tables.drivers_sentences(found)), printing.aligned(tables.blocks_words(found))]
    for output in found.outputs["output"]:
        parts += [f"{output}:\n{printing.aligned(tables.effects_words(found, output))}"]
        if not found.tornado.empty:
            parts.append(f"{wrapped(TORNADO)}\n{printing.aligned(tables.tornado_words(found, output))}")
        if not found.scaling.empty:
            parts.append(f"{wrapped(SCALING)}\n{printing.aligned(tables.scaling_words(found, output))}")
    return parts


def said_of_prior(found: SobolIndices | None) -> list[str]:
    """Sentences and table of the Sobol indices."""
    from forecast.drivers.sobol import sobol_sentences, sobol_words

    if found is None:
        return []
    return [*map(wrapped, sobol_sentences(found)), printing.aligned(sobol_words(found))]


def said_of_data(found: Evidence | None) -> list[str]:
    """Sentences and tables of what each block of observations does."""
    from forecast.drivers.evidence_words import evidence_sentences, evidence_words

    if found is None:
        return []
    return [*map(wrapped, evidence_sentences(found)), *map(printing.aligned, evidence_words(found))]


def wrapped(sentence: str) -> str:
    """A sentence in lines of 100 characters."""
    text: Any = click.wrap_text(sentence, width=100)
    return str(text)
