"""Commands that ask a run further questions: organisations, speedup, leap, forms, compare, watch."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli import printing
from forecast.cli.completion import complete_views
from forecast.cli.measures import in_unit
from forecast.cli.options import AS_CSV, AS_JSON, HORIZON_FORM, PRESET, PRESETS, RUN, SCENARIO, SET, VIEW_OF_RUN, YEARS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.overlays import AnyOverlay


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


@click.command(short_help="Views and scenarios side by side.")
@RUN
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="NAME",
    help="Name or path; repeatable; all shipped views if nothing is to be compared.",
    shell_complete=complete_views,
)
@SET
@click.option(
    "--preset",
    "presets",
    type=PRESETS,
    multiple=True,
    help="Of each view, else of the run: the inputs that matter most for the number of AIs at their 10th, 50th or 90th "
    "percentile in the direction of more. low is not the 10th percentile of the answer. Repeatable.",
)
@SCENARIO
@YEARS
@click.option("--differences/--no-differences", default=True, help="Which parameters of each view make the difference.")
@click.option("--figure", metavar="FILE", help="Write the comparison as a picture, .svg or .png.")
@click.option("--disagreement", is_flag=True, help="Only which parameters would settle what two views disagree on.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="NAME",
    help="What two views disagree on: both headlines, or year_100; repeatable.",
)
@AS_JSON
@AS_CSV
def compare(
    run_file: str,
    views: Sequence[str],
    assignments: Sequence[str],
    presets: Sequence[str],
    scenarios: Sequence[str],
    years: list[int] | None,
    differences: bool,
    figure: str | None,
    disagreement: bool,
    outputs: Sequence[str],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Views and scenarios side by side, which parameters make the difference, and which would settle it between two.

    A view is taken on the draws of the run; what it leaves open follows the posterior. Nothing is fitted: forecast run
    --view NAME does that. Values that are --set stand beside the views as one more.

    Example: forecast compare forecast-out/run.nc --view davidson2023 --scenario software_only
    """
    from forecast.assignments import with_assigned
    from forecast.drivers import disagreement as settling
    from forecast.drivers.outputs import parsed_outputs
    from forecast.presets import with_presets
    from forecast.research import compare as compared
    from forecast.runs import load_draws

    given, leading = with_assigned(dict.fromkeys(views), assignments), scenarios[0] if scenarios else "baseline"
    if (disagreement or outputs) and len(given) != 2:
        raise click.UsageError(f"--disagreement and --output are about two views: give --view twice, not {len(given)}.")
    if disagreement and presets:
        raise click.UsageError("--preset is for the comparison, which --disagreement leaves out: drop one of them.")
    if disagreement and figure is not None:
        raise click.UsageError("--figure shows the comparison, which --disagreement leaves out: drop one of them.")
    parsed_outputs(outputs or None)  # a wrong name is said before anything is computed
    if figure is not None:
        from forecast.comparison_plots import checked_figure

        checked_figure(figure)
    tree = load_draws(run_file)
    if disagreement:
        table = settling.disagreement(tree, given[0], given[1], outputs or None, leading, years)
        if as_json or as_csv:
            printing.emit_frame(table, as_json, as_csv)
        else:
            warn(tree)
            click.echo(disagreement_text(table))
        return
    chosen = with_presets(tree, given, presets) or list(compared.view_names())
    found = compared.compare(tree, chosen, scenarios or "baseline", years, compared.SWAP_DRAWS)
    frame = compared.comparison_table(found)
    if figure is not None:
        from forecast.comparison_plots import plot_views, save_figure

        save_figure(plot_views(found), figure)
    if not (as_json or as_csv):
        warn(tree)
    printing.emit_frame(frame, as_json, as_csv, compared.comparison_words(found))
    if differences and not (as_json or as_csv):
        for view in chosen:
            click.echo(
                f"\n{difference_text(tree, view, assignments, leading, years, explained=view in given or not presets)}"
            )
        if len(given) == 2 and (outputs or may_be_swapped(leading)):
            table = settling.disagreement(tree, given[0], given[1], outputs or None, leading, years)
            click.echo(f"\n{disagreement_text(table)}")


def difference_text(
    tree: xr.DataTree,
    view: AnyOverlay,
    assignments: Sequence[str],
    scenario: str,
    years: list[int] | None,
    explained: bool,
) -> str:
    """What makes a view differ; of a preset, `explained` is false and its description says what it fixes."""
    from forecast.overlays import VIEW, Overlay
    from forecast.priors import read_overlay
    from forecast.research import compare as compared

    overlay = read_overlay(view)
    if not explained:
        return str(click.wrap_text(overlay.description, width=100))
    own = isinstance(view, Overlay) and overlay.kind != VIEW
    flags = shlex.join(part for text in assignments for part in ("--set", text)) if own else f"--view {view}"
    table = compared.differences(tree, view, scenario, years)
    sentence = compared.difference_sentence(overlay.label, table, flags)
    return f"{click.wrap_text(sentence, width=100)}\n{printing.aligned(compared.difference_words(table))}"


def may_be_swapped(scenario: str) -> bool:
    """Whether the sensitivities know a scenario: those of a leap lie outside the joint model."""
    from forecast.scenarios import load_scenario

    return load_scenario(scenario).course != "leap"


def disagreement_text(table: pd.DataFrame) -> str:
    """Which parameters would settle what two views disagree on: a sentence and a table for each output."""
    from forecast.drivers.disagreement_words import disagreement_sentence, disagreement_words

    return "\n\n".join(
        f"{click.wrap_text(disagreement_sentence(table, name), width=100)}\n"
        f"{printing.aligned(disagreement_words(table, name))}"
        for name in dict.fromkeys(table["output"])
    )


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


def viewed(
    run_file: str, views: Sequence[str], assignments: Sequence[str] = (), preset: str | None = None
) -> xr.DataTree:
    """The run, or as the author of some views would have it, with values of one's own and then a preset on top."""
    from forecast.assignments import with_assigned
    from forecast.runs import load_draws
    from forecast.views import apply_view

    overlays = with_assigned(views, assignments)
    tree = load_draws(run_file)
    if preset is not None:
        from forecast import presets

        made = presets.preset(tree, preset, overlays)
        overlays.append(made)
        click.echo(click.wrap_text(made.description, width=100), err=True)
    return apply_view(tree, *overlays) if overlays else tree


def warn(tree: xr.DataTree) -> None:
    """Say first what must be known of every number of a run: drawn from the prior, not converged, somebody's view."""
    from forecast.reporting.forecasts import run_marks

    if run_marks(tree):
        click.echo(f"*** {', '.join(run_marks(tree)).upper()} ***\n")


def emit(
    tree: xr.DataTree,
    found: xr.Dataset,
    form: str,
    sentences: Sequence[str],
    tables: Sequence[pd.DataFrame],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Sentences and tables for people, or the numbers as rows, both with what must be known of the run."""
    from forecast.reporting.forecasts import marked, run_marks
    from forecast.research.rows import result_rows

    if as_json or as_csv:
        printing.emit_frame(result_rows(found, marked(form, run_marks(tree))), as_json, as_csv)
        return
    warn(tree)
    spoken = [click.wrap_text(sentence, width=100) for sentence in sentences]
    click.echo("\n\n".join([*spoken, *map(printing.aligned, tables)]))
