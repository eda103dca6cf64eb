"""Commands that make runs and read them: run, fit, project, takeoff, report, check."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.measures import in_unit
from forecast.cli.options import (
    AS_CSV,
    AS_JSON,
    HORIZON_FORM,
    PRESET,
    QUIET,
    RUN,
    SCENARIO,
    SET,
    VIEW_OF_RUN,
    YEARS,
    making,
)
from forecast.cli.progress import teller
from forecast.cli.viewing import viewed

if TYPE_CHECKING:
    import pandas as pd

    from forecast.jobs import Job
    from forecast.reporting import ReportContent
    from forecast.reporting.forecasts import Forecasts

GATE_FAILED = 3
CLUSTER = "log10_training_cluster_tokens_per_second"
MAIN_SERIES = ("log10_parallel_streams", "log10_human_equivalents")


@click.command(short_help="Fit or reuse, project, take off, report: the main job.")
@making
@SCENARIO
@YEARS
@click.option("--keep", is_flag=True, help="Keep the posterior in the package, for everyone (for its maintainers).")
@click.pass_context
def run(context: click.Context, /, refit: bool, as_json: bool, quiet: bool, keep: bool, **flags: Any) -> None:
    """Fit or reuse, project, take off: report.html, summary.csv and run.nc in one folder.

    The posterior of the shipped priors and tables comes with the package and is taken as it is; --refit samples anew.

    Example: forecast run --as-of 2026-11-01 --years 2026:2045 -o forecast-out
    """
    from forecast import jobs, mainjob, shipped
    from forecast.reporting.forecasts import forecasts
    from forecast.runs import load_run

    say = printing.speaker(quiet)
    job = mainjob.prepared(**flags)
    if keep:
        shipped.refuse_other(job.priors, job.observations, job.settings, job.prior_only)
    before = None if refit or keep or as_json else jobs.as_before(job)
    if before is not None:
        say(f"reused what {job.folder} holds: nothing that it depends on has changed (--refit samples anew)")
        click.echo(f"{before.said}\n")
        files_line(before.paths)
        context.exit(GATE_FAILED if before.gate_failed else 0)
    tree, origin = mainjob.sampled(job, refit, say, progressbar=teller(quiet))
    known = None if refit or as_json else jobs.known_words(tree, job)
    if known:
        click.echo(f"{known}\n")
    say(f"projecting {', '.join(job.scenarios)} over {job.years[0]} to {job.years[-1]}")
    found = forecasts(tree, job.scenarios, job.years)
    made = mainjob.composed(tree, found)
    said = printing.headline_block(made.content)
    if not as_json and said != known:
        click.echo(f"{said}\n")
    paths = mainjob.written(job, tree, found, origin, made, said)
    if as_json:
        printing.emit_json(_result(job, found, made.content, paths) | {"reused": origin == "folder", "draws": origin})
    else:
        files_line(paths)
    if keep:
        say(f"kept as the shipped posterior: {', '.join(map(str, shipped.keep(load_run(paths['run.nc']))))}")
    context.exit(GATE_FAILED if jobs.GATE_MARK in made.content.marks else 0)


def files_line(paths: dict[str, Path]) -> None:
    """Where the files are."""
    click.echo(f"Files: {', '.join(str(path) for path in reversed(paths.values()))}")


@click.command(short_help="Sample the posterior, or draw the prior: run.nc alone.")
@making
@click.pass_context
def fit(context: click.Context, /, refit: bool, as_json: bool, quiet: bool, **flags: Any) -> None:
    """Fit the joint model, or draw its prior, and write run.nc alone.

    Example: forecast fit --view davidson2023 -o davidson
    """
    from forecast import mainjob
    from forecast.reporting.assembly import gate_rows
    from forecast.runs import read_provenance, save_run

    job = mainjob.prepared(**flags)
    tree, origin = mainjob.sampled(job, refit, printing.speaker(quiet), progressbar=teller(quiet), shipped=False)
    file, reused = job.folder / "run.nc", origin == "folder"
    if not reused:
        save_run(tree, file)
    gate = read_provenance(tree).get("gate")
    if as_json:
        printing.emit_json({"file": str(file), "reused": reused, "kind": read_provenance(tree)["kind"], "gate": gate})
    else:
        verdict = "draws of the prior" if gate is None else "converged" if gate["passed"] else "NOT CONVERGED"
        click.echo(f"{file}: {verdict}")
        click.echo("\n".join(f"  {row.name}: {printing.cell(row.value)} ({row.threshold})" for row in gate_rows(gate)))
    context.exit(GATE_FAILED if gate is not None and not gate["passed"] else 0)


@click.command(short_help="How many AIs by year.")
@RUN
@SCENARIO
@VIEW_OF_RUN
@SET
@PRESET
@click.option(
    "--params",
    callback=in_unit("params"),
    metavar="P",
    help="Parameters of the model, 1e13 or 70B, instead of what training compute gives.",
)
@HORIZON_FORM
@YEARS
@AS_JSON
@AS_CSV
def project(
    run_file: str,
    scenarios: tuple[str, ...],
    views: tuple[str, ...],
    assignments: tuple[str, ...],
    preset: str | None,
    params: float | None,
    horizon_form: str,
    years: list[int] | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """How many AIs by year, from a run file, with software on its people-only trend.

    Example: forecast project forecast-out/run.nc --view finnveden2023 --years 2027
    """
    from forecast.projection import project
    from forecast.summaries import summary

    refuse_untrainable(params)
    tree = viewed(run_file, views, assignments, preset)
    found = project(tree, scenarios or "baseline", years, horizon_form, params)
    frame = summary(found, form=_form("trend", tree))
    shown = frame[frame["variable"].isin(MAIN_SERIES if params is None else (*MAIN_SERIES, CLUSTER))]
    printing.emit_frame(frame, as_json, as_csv, _columns(shown, ("q05", "q50", "q95")))


@click.command(short_help="How fast a take-off.")
@RUN
@SCENARIO
@VIEW_OF_RUN
@SET
@PRESET
@click.option("--form", default="section5", show_default=True, metavar="NAME", help="Equations of the take-off.")
@HORIZON_FORM
@YEARS
@AS_JSON
@AS_CSV
def takeoff(
    run_file: str,
    scenarios: tuple[str, ...],
    views: tuple[str, ...],
    assignments: tuple[str, ...],
    preset: str | None,
    form: str,
    horizon_form: str,
    years: list[int] | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """How fast a take-off, from a run file: read-outs and probabilities.

    Example: forecast takeoff forecast-out/run.nc --form kwa2026
    """
    from forecast.dynamics import takeoff
    from forecast.reporting.forecasts import SCENARIOS
    from forecast.research.rows import result_rows
    from forecast.summaries import summary

    tree = viewed(run_file, views, assignments, preset)
    if scenarios and form != "section5":
        raise click.UsageError(f"the form {form} knows no scenarios: drop --scenario or take section5.")
    found = takeoff(tree, scenarios or SCENARIOS, years, horizon_form, form)
    label = form if horizon_form == "exponential" else f"{form}, {horizon_form}"
    frame = summary(found, form=_form(label, tree)) if form == "section5" else result_rows(found, _form(label, tree))
    printing.emit_frame(frame, as_json, as_csv, _columns(frame, ("q05", "q50", "q95", "probability")))


@click.command()
@RUN
@click.option("-o", "--output", "folder", metavar="DIR", help="Where to write; beside the run file if not given.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(("html", "md", "pdf")),
    default=("html", "md"),
    show_default=True,
    help="Repeatable; pdf needs the extra of that name and takes a minute.",
)
@SCENARIO
@YEARS
@QUIET
def report(
    run_file: str,
    folder: str | None,
    formats: tuple[str, ...],
    scenarios: tuple[str, ...],
    years: list[int] | None,
    quiet: bool,
) -> None:
    """Write the report, summary.csv, and figures/ with the numbers of each figure, from a run file.

    Example: forecast report forecast-out/run.nc -o page --format pdf
    """
    from forecast import mainjob
    from forecast.reporting.writing import checked_formats
    from forecast.runs import load_run

    chosen = checked_formats(formats)  # a library that is not there is said before a large file is read
    tree = load_run(run_file)
    target = Path(run_file).parent if folder is None else Path(folder)
    printing.speaker(quiet)(f"projecting {run_file}")
    page = mainjob.report(tree, target, scenarios=scenarios or None, years=years, formats=chosen)
    pages = [page.with_suffix(f".{name}") for name in chosen]
    click.echo(", ".join(map(str, [*pages, page.with_name("summary.csv"), page.with_name("figures")])))


def refuse_untrainable(params: float | None) -> None:
    """Refuse a model larger than the guards hold possible: their latest end, with its grounds."""
    from forecast.errors import InputError
    from forecast.evaluation.guards import load_guards

    ends = [guard for guard in load_guards()[0] if guard.output.startswith("log10_params@")]
    largest = max(ends, key=lambda guard: guard.high)
    if params is not None and params > 10.0**largest.high:
        raise InputError(
            f"params = {params:g} is no size that anybody could train: {largest.why_high[:1].lower()}"
            f"{largest.why_high[1:].removesuffix('.')}; give at most {10.0**largest.high:.0e}, such as 1e14"
        )


def _form(name: str, tree: Any) -> str:
    """The form with what its rows must say of the run: drawn from the prior, or not converged."""
    from forecast.reporting.forecasts import marked, run_marks

    return marked(name, run_marks(tree))


def _columns(frame: pd.DataFrame, numbers: tuple[str, ...]) -> pd.DataFrame:
    kept = [name for name in ("scenario", "form", "variable", "year", "units") if not frame[name].isna().all()]
    return frame[[*kept, *numbers]]


def _result(job: Job, found: Forecasts, content: ReportContent, paths: dict[str, Path]) -> dict[str, Any]:
    """What ``forecast run --json`` prints."""
    lines = {name: found.headline(name) for name in found.scenarios}
    return {
        "as_of": content.as_of,
        "marks": content.marks,
        "years": [job.years[0], job.years[-1]],
        "settings": job.settings,
        "headlines": {
            name: asdict(line) | {"how_many": line.how_many, "how_fast": line.how_fast, "when": line.when}
            for name, line in lines.items()
        },
        "gate": [asdict(row) for row in content.gate],
        "coherence": [asdict(row) for row in content.coherence],
        "command": content.command,
        "files": {name: str(path) for name, path in paths.items()},
    }
