"""Flags that several commands share, each defined once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from forecast.cli.completion import complete_parameters, complete_scenarios, complete_views

Command = Callable[..., Any]


def parsed_years(_context: click.Context, _parameter: click.Parameter, text: str | None) -> list[int] | None:
    """``2026:2045`` as a list of years, both ends included."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})(?::(\d{4}))?", text.strip())
    if not match:
        raise click.BadParameter(f"{text!r} is no range of years: write FIRST:LAST, such as 2026:2045.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise click.BadParameter(f"{text!r} runs backwards: write {last}:{first}.")
    return list(range(first, last + 1))


YEARS = click.option("--years", callback=parsed_years, metavar="FIRST:LAST", help="Years to forecast, 2026:2045.")
SCENARIO = click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="Repeatable; the first one leads.",
    shell_complete=complete_scenarios,
)
OUTPUTS = click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="NAME",
    help='takeoff_years, log10_parallel_streams@2031, "year_100<2031"; repeatable; both headline answers if none.',
)
ONE_SCENARIO = click.option(
    "--scenario",
    default="baseline",
    show_default=True,
    metavar="NAME",
    help="A shipped scenario.",
    shell_complete=complete_scenarios,
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on stdout and nothing else.")
AS_CSV = click.option("--csv", "as_csv", is_flag=True, help="Print CSV with all rows and columns.")
QUIET = click.option("--quiet", is_flag=True, help="No progress on stderr.")
PRIORS = click.option("--priors", metavar="DIR", help="A folder of prior files instead of the shipped set.")
TABLES = click.option(
    "--tables", metavar="DIR", help="A folder of tables that replace the shipped ones of their names."
)
VIEW = click.option(
    "--view",
    "views",
    multiple=True,
    metavar="NAME",
    help="Overlay of the priors, by name or path; repeatable.",
    shell_complete=complete_views,
)
VIEW_OF_RUN = click.option(
    "--view",
    "views",
    multiple=True,
    metavar="NAME",
    help="As its author would have it, by name or path; repeatable.",
    shell_complete=complete_views,
)
SET = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help='A parameter as you would have it: depth_exponent=0.15, training_days=90d, "depth_exponent=Normal(0.1..0.3)" '
    "(its 90% interval); repeatable, after the views.",
    shell_complete=complete_parameters,
)
PRESETS = click.Choice(["low", "central", "high"])
PRESET = click.option(
    "--preset",
    type=PRESETS,
    help="The inputs that matter most for the number of AIs, each fixed at its 10th, 50th or 90th percentile in the "
    "direction of more AIs. A set of inputs: low is not the 10th percentile of the answer.",
)
HORIZON_FORM = click.option(
    "--horizon-form",
    type=click.Choice(["exponential", "superexponential"]),
    default="exponential",
    show_default=True,
    help="Form of the task horizon in effective compute.",
)
AS_OF = click.option("--as-of", metavar="YYYY-MM-DD", help="Use only what was known on that day.")
EXECUTOR = click.option(
    "--executor",
    metavar="WHERE",
    help="processes:N or threads:N of this machine, or dask:tcp://HOST:PORT for the workers of a dask scheduler; the numbers "
    "are the same.",
)
RUN = click.argument("run_file", metavar="RUN")


def making(command: Command) -> Command:
    """The flags of what makes a run: `run` and `fit`."""
    flags = [
        click.option(
            "-o", "--output", "folder", default="forecast-out", show_default=True, metavar="DIR", help="Where to write."
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**63 - 1), help="Random seed, 1 unless the settings say otherwise."
        ),
        click.option("--draws", type=click.IntRange(min=1, max=1_000_000), help="Draws per chain, 1000."),
        AS_OF,
        VIEW,
        SET,
        PRIORS,
        TABLES,
        click.option("--prior-only", is_flag=True, help="Draw from the priors, without having seen the tables."),
        click.option("--refit", is_flag=True, help="Sample anew even where the run file could be reused."),
        AS_JSON,
        QUIET,
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command
