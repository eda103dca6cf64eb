"""The command that sees one run in many ways, on many machines: sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, EXECUTOR, QUIET
from forecast.cli.progress import teller

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.sweeps.running import Sweep

INTERRUPTED = 130


@click.command(short_help="One run in many scenarios, views and forms, on many machines.")
@click.argument("file", metavar="SWEEP.toml", required=False)
@click.option("-o", "--output", "folder", default="sweep", show_default=True, metavar="DIR", help="Where to write.")
@click.option("--template", is_flag=True, help="Print a SWEEP.toml with all keys, which runs as it is.")
@EXECUTOR
@AS_JSON
@AS_CSV
@QUIET
@click.pass_context
def sweep(
    context: click.Context,
    /,
    file: str | None,
    folder: str,
    template: bool,
    executor: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
) -> None:
    """Scenarios x views x forms of one run: a grid or list of cases in a file, a table and a netCDF file of all answers.

    Each case is written as it is done. The same command after an interruption, a longer list or another run computes only
    what is missing; a damaged file is found and done again.

    Example: forecast sweep sweep.toml -o sweep --executor processes:2
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if template:
        from forecast.sweeps.plans import TEMPLATE

        click.echo(TEMPLATE.read_text(encoding="utf-8"), nl=False)
        return
    if file is None:
        raise click.UsageError("name a SWEEP.toml; --template prints one.")
    from forecast.sweeps.running import sweep as swept

    say = printing.speaker(quiet)
    try:
        found = swept(file, folder, executor=executor, progress=teller(quiet))
    except KeyboardInterrupt:
        click.echo("error: interrupted; the cases that are done are kept, the same command does the others", err=True)
        context.exit(INTERRUPTED)
    for path in found.damaged:
        say(f"{path}: damaged, done again")
    say(f"{found.computed + found.kept} cases: {found.kept} were there already, {found.computed} computed")
    if as_json:
        printing.emit_json(result(found))
    elif as_csv:
        printing.emit_frame(found.table, False, True)
    else:
        if found.marks:
            click.echo(f"*** {', '.join(found.marks).upper()} ***\n")
        click.echo(f"{printing.aligned(words(found.results))}\n\nFiles: {', '.join(map(str, found.files))}")


def result(found: Sweep) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "marks": found.marks,
        "cases": {"computed": found.computed, "kept": found.kept},
        "damaged": [str(path) for path in found.damaged],
        "files": [str(path) for path in found.files],
        "rows": printing.records(found.table),
    }


def words(data: xr.Dataset) -> pd.DataFrame:
    """A line per case: where it stands on its axes, and the medians of what it says of both questions."""
    import pandas as pd

    from forecast.sweeps.parts import AXES

    shown = {name.capitalize(): data[name].values for name in AXES if any(data[name].values)}
    return pd.DataFrame(shown | {head: texts for head, texts in answers(data).items() if any(texts)})


def answers(data: xr.Dataset) -> dict[str, list[str]]:
    """Medians in words, those of the quantile nearest to one half; empty where a form does not define them."""
    import math

    from forecast.words import number, percent

    def spoken(name: str, year: int | None = None, factor: str = "{}") -> list[str]:
        if name not in data:
            return [""] * data.sizes["case"]
        values = data[name] if year is None else data[name].sel(year=year)
        if "quantile" in values.dims:
            values = values.sel(quantile=0.5, method="nearest")
        power = name.startswith("log10_")
        kept = [10.0**x if power else x for x in values.values.tolist()]
        return ["" if math.isnan(x) else number(x) if "quantile" in values.coords else percent(x) for x in kept]

    years = data["year"].values.tolist() if "year" in data else []
    middle = {f"AIs in {year}": spoken("log10_parallel_streams", year) for year in years[len(years) // 2 :][:1]}
    return middle | {
        "Years 20% to 100%": spoken("takeoff_years"),
        "Best year, OOM": spoken("best_year_gain"),
        "P(at most 1 year)": spoken("takeoff_within_1_year"),
        "P(not automated)": spoken("not_automated"),
    }
