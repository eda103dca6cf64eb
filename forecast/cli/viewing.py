"""What every command on a run file starts and ends with: the run as somebody has it, what must be said of it, its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli import printing

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


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
