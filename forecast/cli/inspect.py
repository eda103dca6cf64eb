"""Commands that look at what goes in: priors check|show, data check|show|template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.completion import complete_files, complete_priors, complete_tables
from forecast.cli.options import AS_CSV, AS_JSON, AS_OF, PRIORS, QUIET, SET, TABLES, VIEW

if TYPE_CHECKING:
    from forecast.priors import Priors

BAD_FILE = 2


@click.group(short_help="Prior distributions: check files, show, elicit one.")
def priors() -> None:
    """The prior distributions: check files, show numbers with their sources.

    Example: forecast priors show returns
    """


@click.group(short_help="Tables of public figures: check files, show rows.")
def data() -> None:
    """The tables of public figures: check files, show rows.

    Example: forecast data show training_runs
    """


@priors.command("check", short_help="Every fault of prior files.")
@click.argument("path", required=False, shell_complete=complete_files)
@AS_JSON
@click.pass_context
def check_priors(context: click.Context, path: str | None, as_json: bool) -> None:
    """Every fault of a folder of prior files or of one overlay file; of the shipped set without PATH.

    Exit code 2 where there is one.

    Example: forecast priors check mine.toml
    """
    from forecast.priors import check_priors, load_priors

    faults = check_priors(path)
    count = 0
    if not faults:
        count = len(load_priors(path) if path and not path.endswith(".toml") else load_priors())
    _verdict(context, faults, f"{count} priors, no faults", as_json)


@data.command("check", short_help="Every fault of tables.")
@click.argument("path", required=False, shell_complete=complete_files)
@AS_JSON
@click.pass_context
def check_data(context: click.Context, path: str | None, as_json: bool) -> None:
    """Every fault of a folder of tables; of the shipped ones without PATH.

    Exit code 2 where there is one.

    Example: forecast data check figures-of-2027
    """
    from forecast.observations import check_observations
    from forecast.rows import TABLES as KNOWN

    _verdict(context, check_observations(path), f"{len(KNOWN)} tables, no faults", as_json)


@priors.command("show", short_help="Quantiles, statement and source of priors.")
@click.argument("names", nargs=-1, shell_complete=complete_priors)
@PRIORS
@VIEW
@SET
@AS_OF
@AS_JSON
@AS_CSV
def show_priors(
    names: Sequence[str],
    priors: str | None,
    views: Sequence[str],
    assignments: Sequence[str],
    as_of: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Quantiles, statement and source of every prior, or of the parameters or blocks named.

    Example: forecast priors show depth_exponent research --view davidson2023
    """
    import pandas as pd

    from forecast.assignments import with_assigned
    from forecast.observations import load_observations
    from forecast.priors import load_priors
    from forecast.records import statement
    from forecast.schema import PRODUCTION

    found = load_priors(priors or "baseline", overlays=with_assigned(views, assignments))
    chosen = _chosen(found, names)
    frame = found.to_frame(load_observations(as_of=as_of).as_of_year).set_index("name").loc[chosen].reset_index()
    frame["params"] = [statement(found[name]) for name in chosen]
    frame = frame.rename(columns={"params": "statement"})
    if names and not (as_json or as_csv):
        click.echo("\n\n".join(_described(found, name, frame.iloc[i]) for i, name in enumerate(chosen)))
        if {"compute_share", "infinite_labour_multiple", *PRODUCTION} & {*chosen}:
            click.echo("\n" + _implied(found))
        return
    shown = frame[["name", "q05", "q50", "q95", "units", "statement", "source"]]
    printing.emit_frame(pd.DataFrame(frame), as_json, as_csv, shown)


@data.command("show")
@click.argument("table", required=False, shell_complete=complete_tables)
@TABLES
@AS_OF
@AS_JSON
@AS_CSV
def show_data(table: str | None, tables: str | None, as_of: str | None, as_json: bool, as_csv: bool) -> None:
    """The tables in use, or the rows of one TABLE.

    Example: forecast data show training_runs --as-of 2024-01-01 --csv
    """
    import pandas as pd

    from forecast.observations import load_observations

    seen = load_observations(tables, as_of)
    if table is not None:
        frame = seen.to_frame(table).reset_index(drop=True)
        printing.emit_frame(frame, as_json, as_csv, frame.drop(columns=["licence", "provenance", "note"]))
        return
    rows = [
        {"table": name, "rows": int(one.sizes["row"]), "origin": seen.origin[name], "title": one.attrs["title"]}
        for name, one in seen.tables.items()
    ]
    printing.emit_frame(pd.DataFrame(rows), as_json, as_csv)


@data.command("template", short_help="A table to fill in.")
@click.argument("table", required=False, shell_complete=complete_tables)
@AS_JSON
@QUIET
def template(table: str | None, as_json: bool, quiet: bool) -> None:
    """A table to fill in: CSV with all columns and an example row, and on stderr what each column holds.

    Without TABLE, the tables that there are; "resolutions" is the file of answers that forecast score takes.

    Example: forecast data template training_runs > figures-of-2027/training_runs.csv
    """
    from forecast.evaluation import templates

    if as_json:
        found = templates.template_list() if table is None else templates.template_columns(table)
        printing.emit_json(printing.records(found))
        return
    if table is None:
        for name, title in templates.template_list().itertuples(index=False):
            click.echo(f"{name:<23}{title}")
        return
    click.echo(templates.template(table), nl=False)
    if not quiet:
        columns = templates.template_columns(table)
        width = max(map(len, columns["column"]))
        for column, unit, needed, said in columns.itertuples(index=False):
            left = f"{column:<{width}}  {'' if needed else 'may be blank; '}{unit}"
            click.echo(f"{left}: {said}" if said else left, err=True)


def _verdict(context: click.Context, faults: Sequence[str], fine: str, as_json: bool) -> None:
    """Faults on stdout, one a line, as a checker prints them."""
    if as_json:
        printing.emit_json({"faults": list(faults)})
    else:
        click.echo("\n".join(faults) if faults else fine)
    context.exit(BAD_FILE if faults else 0)


def _chosen(found: Priors, names: Sequence[str]) -> list[str]:
    """Parameters by name, or all of a block; every unknown name is a fault."""
    from forecast.errors import InputError
    from forecast.families import suggestion

    blocks = {prior.block for prior in found.values()}
    unknown = [name for name in names if name not in found and name not in blocks]
    if unknown:
        known = {*found, *blocks}
        raise InputError("\n".join(f"no prior or block named {name!r}{suggestion(name, known)}" for name in unknown))
    inside = [[name] if name in found else list(found.block(name)) for name in names]
    return list(dict.fromkeys(name for group in inside for name in group)) or list(found)


def _implied(found: Priors) -> str:
    """What the set implies of research production, whichever way it states it."""
    from forecast.headlines import estimate
    from forecast.reporting.implied import implied_by_priors

    lines = []
    for name, values in implied_by_priors(found).data_vars.items():
        middle = estimate(values)
        low, median, high = map(printing.cell, (middle.low, middle.median, middle.high))
        lines.append(f"  {name}: median {median}, 90% interval {low} to {high} ({values.attrs['definition']})")
    return "\n".join(["these priors imply, before any table:", *lines])


def _described(found: Priors, name: str, row: Any) -> str:
    """One prior in full: what was stated, what follows, why, and from where."""
    from forecast.records import cited

    prior = found[name]
    middle = f"median {printing.cell(row.q50)}, 90% interval {printing.cell(row.q05)} to {printing.cell(row.q95)}"
    lines = [
        f"{name} ({prior.units}; block {prior.block})",
        f"  {row.statement}: {middle}",
        f"  why: {prior.rationale or 'see the source'}",
        *(f"  source: {cited(key, found.sources)}" for key in prior.source),
    ]
    return "\n".join([*lines, f"  file: {prior.file}:{prior.line}"] if prior.file else lines)
