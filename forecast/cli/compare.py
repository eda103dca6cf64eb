"""The command that puts views and scenarios side by side: compare."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli import printing
from forecast.cli.completion import complete_views
from forecast.cli.options import AS_CSV, AS_JSON, PRESETS, RUN, SCENARIO, SET, YEARS
from forecast.cli.viewing import warn

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.overlays import AnyOverlay


@click.command(short_help="Views and scenarios side by side.")
@RUN
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="NAME",
    help="Name or path; repeatable; all shipped views if no second scenario is given either.",
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
    import numpy as np

    from forecast.assignments import with_assigned
    from forecast.drivers import disagreement as settling
    from forecast.drivers.outputs import parsed_outputs
    from forecast.presets import with_presets
    from forecast.research import compare as compared
    from forecast.runs import load_draws, sample_shape

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
    chosen = with_presets(tree, given, presets) or ([] if len(scenarios) > 1 else list(compared.view_names()))
    found = compared.compare(tree, chosen, scenarios or "baseline", years, compared.SWAP_DRAWS)
    frame = compared.comparison_table(found)
    if figure is not None:
        from forecast.comparison_plots import plot_views, save_figure

        save_figure(plot_views(found), figure)
    if not (as_json or as_csv):
        warn(tree)
    printing.emit_frame(frame, as_json, as_csv, compared.comparison_words(found))
    used, whole = int(found.sizes["chain"] * found.sizes["draw"]), int(np.prod(sample_shape(tree)))
    if used < whole and not (as_json or as_csv):
        click.echo(f"\nOver {used:,} of the run's {whole:,} draws, so its own row lies a little off the headline.")
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
