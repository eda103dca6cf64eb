"""The main job: priors and tables -> run -> forecasts -> report, summary and run file in one folder.

One thing to know: everything that can be refused is refused in `prepared`, before anything is sampled, and nothing is
written before everything is computed (``tests/test_cli.py`` pins both).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
import xarray as xr

from forecast.assignments import with_assigned
from forecast.errors import DataMissingError, ForecastError, InputError
from forecast.jobs import FILES, Job, holds, kept, printed_record
from forecast.observations import (
    Observations,
    Settings,
    load_observations,
    load_settings,
)
from forecast.priors import Priors, load_priors
from forecast.progress import Progress
from forecast.records import described, explained, parameter_records, with_forecasts
from forecast.reporting import ReportContent, render
from forecast.reporting.answers import Answers, answers_key, restored, stored
from forecast.reporting.assembly import command_line, report_content
from forecast.reporting.forecasts import (
    SCENARIOS,
    Forecasts,
    forecasts,
    marked,
    run_marks,
    summary_frame,
)
from forecast.reporting.markdown import FOLDER as FIGURES
from forecast.reporting.questions import answers
from forecast.reporting.writing import USUAL, checked_formats, report_files, write_files
from forecast.results import checked_years
from forecast.runs import (
    ANSWERS,
    PRINTED,
    fit_digest,
    load_run,
    read_provenance,
    save_run,
)
from forecast.scenarios import load_scenarios
from forecast.summaries import csv_text, write_summary, write_text

Say = Callable[[str], None]
Origin = Literal["fit", "folder", "package", "prior"]  # of the draws: sampled now, reused, shipped, or not fitted


def prepared(
    folder: str | PathLike[str],
    *,
    seed: int | None = None,
    draws: int | None = None,
    as_of: str | None = None,
    scenarios: Sequence[str] = (),
    views: Sequence[str] = (),
    assignments: Sequence[str] = (),
    priors: str | None = None,
    tables: str | None = None,
    years: Iterable[int] | None = None,
    prior_only: bool = False,
) -> Job:
    """Read and check everything that a run needs; the arguments are the flags of ``forecast run``.

    Raises
    ------
    ForecastError
        With every fault of priors, tables, scenarios and folder, one a line.
    """
    from forecast.constants import refuse_empty
    from forecast.fitting import sampler_settings

    faults: list[ForecastError] = []
    chosen = tuple(dict.fromkeys(scenarios or SCENARIOS))
    _attempt(faults, lambda: load_scenarios(chosen))
    _attempt(faults, lambda: check_folder(Path(folder)))
    own = _attempt(faults, lambda: with_assigned((), assignments)) or []
    read = _attempt(faults, lambda: load_priors(priors or "baseline", overlays=[*views, *own]))
    seen = _attempt(faults, lambda: load_observations(tables, as_of))
    shipped = _attempt(faults, lambda: load_settings(tables))
    if read is None or seen is None or shipped is None or faults:
        raise _joined(faults)
    settings = sampler_settings(
        draws=draws or shipped.draws,
        tune=1 if prior_only else shipped.tune,
        chains=shipped.chains,
        random_seed=shipped.random_seed if seed is None else seed,
    )
    used = checked_years(_window(shipped, seen.as_of.year, years), seen.as_of_year)
    parameter_records(read, seen.as_of_year)  # a prior bounded by as_of may have nothing left
    refuse_empty(seen)
    command = command_line(
        settings, seen.as_of.isoformat(), chosen, used, views, priors, tables, prior_only, assignments
    )
    return Job(read, seen, settings, chosen, used, Path(folder), prior_only, command)


def check_folder(folder: Path, names: Sequence[str] = FILES) -> None:
    """Refuse a folder in which files of these names cannot be written, leaving no trace.

    Raises
    ------
    InputError
        If a file is in the way, or nothing may be written there.
    """
    try:
        for target in (folder / name for name in names):
            if target.is_dir():
                raise InputError(
                    f"{target}: is a folder where a file is to be written: move it or choose another with -o"
                )
        nearest = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
        if not nearest.is_dir():
            raise InputError(f"{folder}: cannot be written ({nearest} is a file): choose another folder with -o")
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:  # a name that is too long, too, or a folder that vanished
        raise InputError(f"{folder}: cannot be written ({error.strerror}): choose another folder with -o") from error


def sampled(
    job: Job, refit: bool, say: Say, progressbar: bool | Progress = False, shipped: bool = True
) -> tuple[xr.DataTree, Origin]:
    """The run of a job, and where its draws are from.

    Those of the folder, or with `shipped` those that come with the package, are taken where priors, tables, settings,
    version and model are the same and no `refit` is asked.
    """
    from forecast.fitting import fit, sample_prior
    from forecast.shipped import shipped_run

    if job.prior_only:
        drawn = {name: job.settings[name] for name in ("draws", "chains", "random_seed")}
        return _described(sample_prior(job.priors, job.observations, **drawn), job), "prior"
    file = job.folder / FILES[0]
    found = None if refit else kept(file, fit_digest(job.priors, job.observations, job.settings))
    if found is not None:
        say(f"reused {file} (same priors, tables, settings and version; --refit samples anew)")
        return _described(found, job), "folder"
    found = shipped_run(job.priors, job.observations, job.settings, True) if shipped and not refit else None
    if found is not None:
        say("took the posterior that comes with the package (same priors, tables, settings; --refit samples anew)")
        return _described(found, job), "package"
    if file.exists() and not refit:
        say(f"{file} is of other priors, tables, settings or version, or no run: fitting anew")
    numbers = "{chains} chains x {draws} draws after {tune} of tuning, seed {random_seed}".format(**job.settings)
    say(f"fitting: {numbers}; compiling the model first, which takes a minute or two")
    start = time.perf_counter()
    run = fit(job.priors, job.observations, **job.settings, progressbar=progressbar)
    say(f"fitted, took {time.perf_counter() - start:.0f} s")
    return _described(run, job), "fit"


class Composed(NamedTuple):
    """What a job found, ready to be shown and written."""

    content: ReportContent
    page: str
    summary: pd.DataFrame
    answers: str | None


def composed(run: xr.DataTree, found: Forecasts) -> Composed:
    """Report and summary of a run; its further answers as a run file keeps them, None if it has them already."""
    answered, key, known = answered_by(run, found)
    content = report_content(run, found, answered.sections)
    summary = whole_summary(found, answered, run_marks(run))
    return Composed(content, render(content), summary, None if known else stored(answered, key))


def written(job: Job, run: xr.DataTree, found: Forecasts, origin: Origin, made: Composed, said: str) -> dict[str, Path]:
    """Write the three files of a job, all that is in them being computed; `said` is what the terminal shows of them."""
    paths, summary = {name: job.folder / name for name in FILES}, csv_text(made.summary)
    texts = {"summary.csv": summary, "report.html": made.page}
    printed = printed_record(run, job, made.content.marks, texts, said)
    if (
        origin != "folder"
        or made.answers is not None
        or run.attrs.get(PRINTED) != printed
        or not holds(paths["run.nc"], job)
    ):
        tree = with_forecasts(whole_run(job, run, origin), found.trend, found.feedback, found.readouts)
        tree.attrs |= {PRINTED: printed} | ({} if made.answers is None else {ANSWERS: made.answers})
        save_run(tree, paths["run.nc"])
    for name, text in texts.items():
        write_text(paths[name], text)
    return paths


def whole_run(job: Job, run: xr.DataTree, origin: Origin) -> xr.DataTree:
    """The run with all its groups: of a reused or shipped posterior only the draws were read to begin with."""
    from forecast.shipped import shipped_run

    if origin == "folder":
        return _described(load_run(job.folder / FILES[0]), job)
    if origin == "package":
        whole = shipped_run(job.priors, job.observations, job.settings)
        assert whole is not None  # its draws were taken a moment ago
        return _described(whole, job)
    return run


def report(
    run: xr.DataTree,
    folder: str | PathLike[str],
    *,
    scenarios: Sequence[str] | None = None,
    years: Iterable[int] | None = None,
    priors: Priors | None = None,
    observations: Observations | None = None,
    formats: Iterable[str] = USUAL,
) -> Path:
    """Write the report, ``summary.csv`` with the same numbers, and ``figures/`` with those of each figure, into a folder.

    Parameters
    ----------
    run
        What `fit`, `sample_prior` or `load_run` returns.
    folder
        Where to write; made if it is missing.
    scenarios, years
        What to forecast; by default what the run file was made for, else ``baseline`` and ``software_only`` over the
        shipped range.
    priors, observations
        What the run was made from, where these are not the shipped ones and the run is not from a run file.
    formats
        Any of ``html`` (one file that needs nothing beside it), ``md`` (with its figures as SVG in ``figures/``) and
        ``pdf`` (tagged; extra ``pdf``): files ``report.html`` and so on, all with the same content.

    Returns
    -------
    Path
        The report in the first of the formats.

    Raises
    ------
    InputError
        If the folder cannot be written, a format is unknown or lacks its library, or priors and tables are not those of
        the run.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> fc.report(run, "out", scenarios=["baseline"])  # doctest: +SKIP
    """
    target, chosen = Path(folder), checked_formats(formats)
    check_folder(target, ("summary.csv", *map("report.{}".format, chosen)))
    check_folder(target / FIGURES, ())
    whole = explained(run, priors, observations)
    asked = read_provenance(whole)
    found = forecasts(whole, scenarios or asked.get("scenarios", SCENARIOS), years or asked.get("years"))
    answered, _, _ = answered_by(whole, found)
    content = report_content(whole, found, answered.sections)
    files = report_files(content, chosen)
    write_summary(whole_summary(found, answered, run_marks(whole)), target / "summary.csv")
    return write_files(files, target)[0]


def answered_by(run: xr.DataTree, found: Forecasts) -> tuple[Answers, str, bool]:
    """The further answers of a run, the key they are kept under, and whether the run file had them already."""
    years = found.feedback["year"].values.tolist()
    key = answers_key(run, found.scenarios, years)
    known = restored(run.attrs.get(ANSWERS), key)
    return known or answers(run, found.readouts, years), key, known is not None


def whole_summary(found: Forecasts, answered: Answers, marks: Sequence[str]) -> pd.DataFrame:
    """All rows of ``summary.csv``: the two headlines' first, then those of the further questions."""
    rows = answered.rows.assign(form=[marked(str(form), marks) for form in answered.rows["form"]])
    parts = [summary_frame(found, marks), rows]
    joined = pd.concat([part.dropna(axis="columns", how="all") for part in parts], ignore_index=True)
    return joined[parts[0].columns]


def _described(run: xr.DataTree, job: Job) -> xr.DataTree:
    asked = {"scenarios": list(job.scenarios), "years": job.years, "command": job.command}
    return described(run, job.priors, job.observations, **asked)


def _window(shipped: Settings, first: int, years: Iterable[int] | None) -> list[int]:
    """The years asked for, else the shipped range from the year of `as_of` on."""
    if years is not None:
        return list(years)
    if first > shipped.last_year:
        message = f"as_of lies in {first}, after the last year of the settings, {shipped.last_year}"
        raise InputError(f"{message}: give --years, such as {first}:{first + 20}")
    return list(range(max(shipped.first_year, first), shipped.last_year + 1))


def _attempt(faults: list[ForecastError], work: Callable[[], Any]) -> Any:
    """The result, or None and one more fault."""
    try:
        return work()
    except ForecastError as error:
        faults.append(error)
        return None


def _joined(faults: Sequence[ForecastError]) -> ForecastError:
    """All faults in one; only where all are missing data is that the verdict."""
    family = DataMissingError if all(isinstance(fault, DataMissingError) for fault in faults) else InputError
    return family("\n".join(dict.fromkeys(line for fault in faults for line in str(fault).splitlines())))
