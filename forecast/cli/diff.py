"""The command that says what changed between two runs, and what that did."""

from __future__ import annotations

from collections.abc import Sequence

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, ONE_SCENARIO, OUTPUTS, YEARS


@click.command(short_help="What changed between two runs, and what that did.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@OUTPUTS
@ONE_SCENARIO
@YEARS
@click.option("--tables-a", metavar="DIR", help="Tables of RUN_A, where its file does not hold them.")
@click.option("--tables-b", metavar="DIR", help="Tables of RUN_B, where its file does not hold them.")
@AS_JSON
@AS_CSV
def diff(
    run_a: str,
    run_b: str,
    outputs: Sequence[str],
    scenario: str,
    years: list[int] | None,
    tables_a: str | None,
    tables_b: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """What changed between two runs, and how much of the movement each change explains. Nothing is fitted.

    --csv has the parts of the movement; --json has the changes and both ends too.

    Example: forecast diff before/run.nc after/run.nc --output "year_100<2031"
    """
    from forecast.drivers.movement import movement
    from forecast.drivers.movement_words import ends_words, listed_changes, movement_sentences, movement_words
    from forecast.drivers.outputs import parsed_outputs
    from forecast.reporting.forecasts import run_marks
    from forecast.runs import load_draws

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    parsed_outputs(outputs or None)  # a wrong name is said before anything is read
    trees = [load_draws(file) for file in (run_a, run_b)]
    found = movement(trees[0], trees[1], outputs or None, scenario, years, tables_a, tables_b)
    if as_csv:
        printing.emit_frame(found.parts, False, True)
        return
    if as_json:
        frames = {name: getattr(found, name) for name in ("changes", "outputs", "parts", "swaps")}
        printing.emit_json(
            {
                "marks": {file: run_marks(tree) for file, tree in zip((run_a, run_b), trees, strict=True)},
                "notes": found.notes,
            }
            | {name: printing.records(frame) for name, frame in frames.items()}
        )
        return
    for label, file, tree in zip("AB", (run_a, run_b), trees, strict=True):
        marks = f" *** {', '.join(run_marks(tree)).upper()} ***" if run_marks(tree) else ""
        click.echo(f"{label}: {file}{marks}")
    shown = listed_changes(found)
    if not shown.empty:
        click.echo(f"\n{printing.aligned(shown)}")
    for sentence in movement_sentences(found):
        click.echo(f"\n{click.wrap_text(sentence, width=100)}")
    click.echo(f"\n{printing.aligned(ends_words(found))}")
    for name in found.outputs["output"] if not found.changes.empty else ():
        click.echo(f"\n{name}\n{printing.aligned(movement_words(found, str(name)))}")
