"""Commands that ask a run further questions: organisations, speedup, leap, forms, watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli import printing
from forecast.cli.measures import in_unit
from forecast.cli.options import AS_CSV, AS_JSON, HORIZON_FORM, PRESET, RUN, SET, VIEW_OF_RUN, YEARS
from forecast.cli.viewing import emit, viewed, warn

if TYPE_CHECKING:
    pass


@click.command(short_help="Labour against compute in AI research.")
@RUN
@click.option("--file", "file", metavar="FILE", help="Organisations of your own: a TOML file of [organisations.NAME].")
@VIEW_OF_RUN
@SET
@PRESET
@AS_JSON
@AS_CSV
def organisations(
    run_file: str,
    file: str | None,
    views: Sequence[str],
    assignments: Sequence[str],
    preset: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """SlowCorp, NormalCorp, AutomatedCorp: labour against compute in AI research.

    Example: forecast organisations forecast-out/run.nc --file mine.toml
    """
    from forecast.research.organisation_tables import organisations_sentences, organisations_table, requirements_table
    from forecast.research.organisations import organisations

    tree = viewed(run_file, views, assignments, preset)
    found = organisations(tree, file)
    tables = [organisations_table(found), requirements_table(found)]
    emit(tree, found, "organisations", organisations_sentences(found), tables, as_json, as_csv)


@click.command(short_help="Can AI implementers speed research up 30 times?")
@RUN
@click.option("--year", type=float, metavar="YEAR", help="Decimal year; each draw's full automation if not given.")
@click.option(
    "--latency",
    "--latency-hours",
    "latency_hours",
    callback=in_unit("h"),
    metavar="HOURS",
    help="Every answer comes after so long: 1, 15 min, 1 day.",
)
@VIEW_OF_RUN
@SET
@PRESET
@AS_JSON
@AS_CSV
def speedup(
    run_file: str,
    year: float | None,
    latency_hours: float | None,
    views: Sequence[str],
    assignments: Sequence[str],
    preset: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Can AI implementers speed research up 30 times while people have the ideas?

    Example: forecast speedup forecast-out/run.nc --latency "60 min"
    """
    from forecast.dynamics import takeoff
    from forecast.research import implementers

    tree = viewed(run_file, views, assignments, preset)
    when = takeoff(tree, "baseline")["year_100"].sel(scenario="baseline") if year is None else year
    if latency_hours is None:
        settings = implementers.latency_settings(tree, when)
    else:
        settings = {f"{latency_hours:g} h": implementers.speedup(tree, when, latency_hours)}
    found = next(iter(settings.values()))
    tables = [implementers.latency_table(settings).reset_index(), implementers.bounds_table(found).reset_index()]
    emit(tree, found, "speedup", implementers.implementers_sentences(found), tables, as_json, as_csv)


@click.command(short_help="A sudden leap in one developer's hardware.")
@RUN
@click.option(
    "--factor", callback=in_unit("1"), metavar="X", help="Wanted multiple of the fleet, 1 or more; 100 if not given."
)
@click.option("--start", type=float, metavar="YEAR", help="Decimal year; each draw's full automation if not given.")
@VIEW_OF_RUN
@SET
@PRESET
@AS_JSON
@AS_CSV
def leap(
    run_file: str,
    factor: float | None,
    start: float | None,
    views: Sequence[str],
    assignments: Sequence[str],
    preset: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """A sudden leap in one developer's hardware, beside what software alone gains in the same months.

    Example: forecast leap forecast-out/run.nc --factor 100 --start 2028.5
    """
    from forecast.research.hardware import leap
    from forecast.research.hardware_tables import leap_sentences, leap_table

    tree = viewed(run_file, views, assignments, preset)
    found = leap(tree, factor, start)
    emit(tree, found, "leap", leap_sentences(found), [leap_table(found)], as_json, as_csv)


@click.command(short_help="Rival forms of the take-off side by side.")
@RUN
@VIEW_OF_RUN
@SET
@PRESET
@YEARS
@AS_JSON
@AS_CSV
def forms(
    run_file: str,
    views: Sequence[str],
    assignments: Sequence[str],
    preset: str | None,
    years: list[int] | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Rival forms of the take-off side by side, in OOM of software in the best 12 months.

    Example: forecast forms forecast-out/run.nc
    """
    from forecast.dynamics.mixture import form_weights, mixture
    from forecast.research.forms import all_forms, forms_table, mixture_sentence

    tree = viewed(run_file, views, assignments, preset)
    compared = all_forms(tree, years=years)
    mixed = mixture(compared, form_weights(tree))
    frame = forms_table(compared, mixed)
    if not (as_json or as_csv):
        warn(tree)
        click.echo(f"{click.wrap_text(mixture_sentence(mixed), width=100)}\n")
    printing.emit_frame(frame, as_json, as_csv, frame.drop(columns=["own_definition"]).round(3))
    if not (as_json or as_csv):
        said = frame[["form", "own_definition"]].itertuples(index=False)
        click.echo("\nIn their own terms:\n" + "\n".join(f"  {row[0]}: {row[1]}" for row in said))


@click.command(short_help="What next year may show, and what it would be worth.")
@RUN
@click.option("--when", metavar="YYYY-MM-DD", help="The day looked at; a year after as_of if not given.")
@click.option(
    "--observe", "observed", multiple=True, metavar="NAME=VALUE", help="What it may show: task_horizon=40h; repeatable."
)
@click.option(
    "--event-year", type=int, default=2030, show_default=True, help="Full automation by the end of this year."
)
@VIEW_OF_RUN
@SET
@YEARS
@HORIZON_FORM
@AS_JSON
@AS_CSV
def watch(
    run_file: str,
    when: str | None,
    observed: Sequence[str],
    event_year: int,
    views: Sequence[str],
    assignments: Sequence[str],
    years: list[int] | None,
    horizon_form: str,
    as_json: bool,
    as_csv: bool,
) -> None:
    """What next year may show (task horizon, record run, fleet), and what it would be worth.

    Example: forecast watch forecast-out/run.nc --observe "task_horizon>=40h" --observe record_run=3e27
    """
    from forecast.reporting.questions import indicators_words, what_if_words
    from forecast.research.indicator_tables import watch_sentences, what_if_table
    from forecast.research.indicators import watch

    tree = viewed(run_file, views, assignments)
    found = watch(tree, when, observed or None, event_year, years, horizon_form)
    if as_json or as_csv:
        printing.emit_frame(what_if_table(found).reset_index(), as_json, as_csv)
        return
    warn(tree)
    spoken = [click.wrap_text(sentence, width=100) for sentence in watch_sentences(found)]
    click.echo(
        "\n\n".join(
            [*spoken, printing.aligned(indicators_words(found)), printing.aligned(what_if_words(what_if_table(found)))]
        )
    )
