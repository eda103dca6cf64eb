"""The command for very many draws: quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.completion import complete_outputs
from forecast.cli.options import (
    AS_CSV,
    AS_JSON,
    AS_OF,
    EXECUTOR,
    HORIZON_FORM,
    PRIORS,
    QUIET,
    SCENARIO,
    SET,
    TABLES,
    VIEW,
    YEARS,
)
from forecast.cli.progress import teller
from forecast.cli.viewing import viewed

if TYPE_CHECKING:
    import xarray as xr

    from forecast.observations import Observations
    from forecast.priors import Priors

FORMS = {"project": "trend", "takeoff": "section5"}
OF_PRIORS = ("priors", "tables", "as_of", "seed")
WIDTH = 100


def whole_number(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """``1e8`` as a number of draws."""
    if text is None:
        return None
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        value = -1.0
    if not (value >= 1.0 and value.is_integer()):
        raise click.BadParameter(f"{text!r} is no number of draws: write a whole number such as 1000000 or 1e8.")
    return int(value)


def levels(_context: click.Context, _parameter: click.Parameter, given: tuple[float, ...]) -> tuple[float, ...]:
    """Levels of quantiles, between 0 and 1."""
    for level in given:
        if not 0.0 <= level <= 1.0:
            raise click.BadParameter(f"{level:g} is no quantile: write a share of the draws from 0 to 1, such as 0.05.")
    return given


@click.command(short_help="Quantiles of very many draws, in constant memory.")
@click.argument("run_file", metavar="[RUN]", required=False)
@click.option(
    "--output",
    type=click.Choice(list(FORMS)),
    default="project",
    show_default=True,
    help="How many AIs by year, or how fast a take-off.",
)
@click.option(
    "--draws",
    callback=whole_number,
    metavar="N",
    help="1e8; a million of the prior, or all of the run, if not given.",
)
@SCENARIO
@click.option(
    "--variable",
    "names",
    multiple=True,
    metavar="NAME",
    help="log10_parallel_streams, year_100; repeatable; streams and human-equivalents, or all of the take-off, if none.",
    shell_complete=complete_outputs,
)
@click.option(
    "--quantile",
    "quantiles",
    type=float,
    multiple=True,
    callback=levels,
    metavar="SHARE",
    help="0.001; repeatable; 0.05, 0.25, 0.5, 0.75 and 0.95 if none.",
)
@VIEW
@SET
@PRIORS
@TABLES
@AS_OF
@HORIZON_FORM
@YEARS
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Random seed of the prior's draws, 1.")
@EXECUTOR
@AS_JSON
@AS_CSV
@QUIET
def quantiles(
    run_file: str | None,
    output: str,
    draws: int | None,
    scenarios: tuple[str, ...],
    names: tuple[str, ...],
    quantiles: tuple[float, ...],
    horizon_form: str,
    years: list[int] | None,
    executor: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
    **source: Any,
) -> None:
    """Quantiles of very many draws of the prior, or of all draws of a run, in memory that does not grow with them.

    Draws are made in shares, counted in fixed bins and the counts added up, so that a hundred million fit into half a
    gigabyte; the error of the bins stands beside the numbers, and is 0 where the draws fit into memory. The same numbers
    on any number of workers.

    Example: forecast quantiles --draws 1e8 --years 2030 --executor processes:2
    """
    from forecast.many.job import LEVELS, quantiles_of
    from forecast.many.results import accuracy_sentence, quantile_rows, quantile_words, shares_sentence

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    drawn, observations, marks = priors_of(**source) if run_file is None else run_of(run_file, **source)
    found = quantiles_of(
        drawn,
        output,  # type: ignore[arg-type]
        draws,
        scenario=scenarios or None,
        years=years,
        var_names=names or None,
        levels=quantiles or LEVELS,
        horizon_form=horizon_form,
        observations=observations,
        random_seed=1 if source["seed"] is None else source["seed"],
        executor=executor,
        progress=teller(quiet),
    )
    frame = quantile_rows(found)
    if as_json or as_csv:
        label = FORMS[output] if horizon_form == "exponential" else f"{FORMS[output]}, {horizon_form}"
        frame.insert(1, "form", f"{label} ({', '.join(marks)})" if marks else label)
        printing.emit_frame(frame, as_json, as_csv)
        return
    if marks:
        click.echo(f"*** {', '.join(marks).upper()} ***\n")
    spoken = [accuracy_sentence(found), shares_sentence(found)]
    click.echo(printing.aligned(quantile_words(frame)))
    click.echo("\n" + "\n\n".join(click.wrap_text(text, width=WIDTH) for text in spoken if text))


def priors_of(
    views: tuple[str, ...],
    assignments: tuple[str, ...],
    priors: str | None,
    tables: str | None,
    as_of: str | None,
    seed: int | None,
) -> tuple[Priors, Observations, tuple[str, ...]]:
    """The priors and tables that the flags name, and what must be said of their draws."""
    from forecast.assignments import with_assigned
    from forecast.observations import load_observations
    from forecast.priors import load_priors

    overlays = with_assigned(views, assignments)
    return load_priors(priors or "baseline", overlays), load_observations(tables, as_of), ("prior only", *views)


def run_of(
    run_file: str, views: tuple[str, ...], assignments: tuple[str, ...], **of_priors: Any
) -> tuple[xr.DataTree, None, tuple[str, ...]]:
    """The run as some views would have it, and what must be said of it."""
    from forecast.reporting.forecasts import run_marks

    given = [name for name in OF_PRIORS if of_priors[name] is not None]
    if given:
        flag = f"--{given[0].replace('_', '-')}"
        raise click.UsageError(f"{flag} is for draws of the prior: a run has its own; drop it, or the run file.")
    tree = viewed(run_file, views, assignments)
    return tree, None, run_marks(tree)
