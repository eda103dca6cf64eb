"""The command that says how far a fitted run can be believed: its sampler, its rows, its prior."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.options import AS_CSV, AS_JSON, QUIET, RUN

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.evaluation.checks import Checks

GATE_FAILED = 3
SHOWN = 12  # posterior predictive statistics, the least expected first
MARKS = {"fails": "FAILS", "look": "LOOK AT", "note": "note"}
WIDTH = 100
HEADS = {
    "sampling": "Sampler",
    "loo": "Leave-one-out: ln of the density that all other rows predict for each (elpd), effective parameters (p_loo)",
    "pit": "Calibration: where each row falls in what all others predict; shift, width, lopsided and tails are in "
    "standard deviations, 0 if calibrated",
    "predictive": "Posterior predictive checks, the least expected of {all}; low to high is 95% of what noise alone gives",
    "guards": "What the prior implies: outputs of which it puts more than {limit} where they cannot be, of {all} guarded",
}
COLUMNS = {
    "sampling": ("criterion", "value", "parameter", "needed"),
    "loo": ("table", "rows", "elpd", "se", "p_loo", "largest_k", "unreliable"),
    "pit": ("table", "rows", "p_value", "shift", "width", "lopsided", "tails", "row", "pit"),
    "predictive": ("table", "statistic", "about", "observed", "low", "high", "p_value", "q_value", "culprit"),
    "guards": (
        *("output", "low", "high", "units", "prior_q05", "prior_q95"),
        *("prior_below", "prior_above", "posterior_below", "posterior_above"),
    ),
}


@click.command(short_help="Can a run be believed?")
@RUN
@AS_JSON
@AS_CSV
@QUIET
@click.pass_context
def check(context: click.Context, run_file: str, as_json: bool, as_csv: bool, quiet: bool) -> None:
    """Can a run be believed? Its sampler, its fit to every table, its calibration, what its prior implies.

    What it finds is kept in the run file, for the report.
    Findings first, each with its remedy, then the tables behind them; --csv gives the findings, --json everything. Exit
    code 3 where the sampler failed its gate.

    Example: forecast check forecast-out/run.nc
    """
    from forecast.evaluation.checks import check, refuse_unfitted
    from forecast.reporting.forecasts import forecasts
    from forecast.runs import load_run

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    tree = load_run(run_file)
    refuse_unfitted(tree)
    say = printing.speaker(quiet)
    say(f"checking {run_file}: sampler, leave-one-out, predictive checks, prior")
    found = check(tree)
    keep(tree, run_file, found, say)
    if as_csv:
        printing.emit_frame(found.findings, False, True)
    elif as_json:
        printing.emit_json(everything(found, [asdict(row) for row in forecasts(tree).coherence]))
    else:
        rows = forecasts(tree).coherence
        parts = [*said(run_file, found), wrapped(printing.coherence_sentence(rows)), *explained(found), *shown(found)]
        click.echo("\n\n".join(parts))
    context.exit(0 if found.passed else GATE_FAILED)


def keep(tree: xr.DataTree, run_file: str, found: Checks, say: Callable[[str], None]) -> None:
    """Keep what was found in the run file, for the report; a file that cannot be written stays as it is."""
    from forecast.errors import InputError
    from forecast.reporting.trust_section import kept_checks
    from forecast.runs import CHECKS, save_run

    kept = kept_checks(found)
    if tree.attrs.get(CHECKS) == kept:
        return
    tree.attrs[CHECKS] = kept
    try:
        save_run(tree, run_file)
        say(f"kept in {run_file}, for the report")
    except InputError as error:
        say(f"not kept: {error}")


def everything(found: Checks, coherence: Sequence[Any]) -> dict[str, Any]:
    """What --json prints: verdict, gate, coherence, findings and all tables."""
    tables = {name: printing.records(table) for name, table in found.tables.items()}
    said = {"passed": found.passed, "verdict": found.verdict, "gate": asdict(found.gate), "coherence": coherence}
    return said | tables


def said(run_file: str, found: Checks) -> list[str]:
    """The verdict, then every finding; one remedy for those that follow each other and share it."""
    lines, rows = [wrapped(f"{run_file}: {found.verdict}")], list(found.findings.itertuples())
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        last = after is None or (after.remedy, after.severity) != (row.remedy, row.severity)
        remedy = "\n" + wrapped(row.remedy, "    ") if last else ""
        lines.append(wrapped(f"{MARKS[row.severity]} {row.where}: {row.finding}") + remedy)
    return lines


def explained(found: Checks) -> list[str]:
    """What the terms mean that the findings use."""
    from forecast.evaluation.checks_words import terms

    said = terms(found.findings)
    return ["Terms:\n" + "\n".join(wrapped(meaning, "  ") for meaning in said)] if said else []


def shown(found: Checks) -> Iterable[str]:
    """The tables behind the findings: of the statistics and the guards those that stand out."""
    for name, table in found.tables.items():
        if name not in COLUMNS:
            continue
        chosen = standing_out(name, table)
        limit = "" if name != "guards" or table.empty else f"{table['limit'].iloc[0]:.0%}"
        head = HEADS[name].format(all=len(table), limit=limit)
        if not chosen.empty:
            yield f"{head}:\n{printing.aligned(rounded(chosen[list(COLUMNS[name])]))}"


def standing_out(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that a reader needs to see."""
    if name == "predictive":
        return table.sort_values("p_value").head(SHOWN)
    if name == "guards":
        shares = table[["prior_below", "prior_above", "posterior_below", "posterior_above"]].max(axis=1)
        return table[shares > table["limit"]]
    return table


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """The table with numbers as they are read: four digits."""
    numbers = table.select_dtypes("float")
    return table.assign(**{name: numbers[name].map(lambda x: float(f"{x:.4g}")) for name in numbers})


def wrapped(text: str, indent: str = "") -> str:
    """Text in lines."""
    lines: Any = click.wrap_text(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return str(lines)
