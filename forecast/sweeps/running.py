"""A sweep from its file to its folder: what is there is kept, what is missing is computed, on as many machines as there are."""

from __future__ import annotations

from concurrent.futures import Executor
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import xarray as xr

from forecast.errors import ForecastError
from forecast.executors import completed, executor_from
from forecast.progress import Progress, silent
from forecast.reporting.forecasts import run_marks
from forecast.results import checked_years
from forecast.runs import load_draws
from forecast.sweeps.cases import Swept, answered, groups
from forecast.sweeps.parts import (
    case_digest,
    check_writable,
    part_path,
    read_part,
    run_digest,
    table,
    whole,
    write_part,
    write_whole,
)
from forecast.sweeps.plans import Case, Plan, read_plan

SHOWN = 5  # faults of cases that are said one by one


class Sweep(NamedTuple):
    """What a sweep found.

    Attributes
    ----------
    results : xarray.Dataset
        dims (case, quantile, year), with the coordinates view, set, preset, scenario and form of each case; NaN where a
        form does not define a variable.
    table : pandas.DataFrame
        The same, a row per case, variable and year.
    computed, kept : int
        Cases that were computed now, and that were there already.
    damaged : tuple of Path
        Parts that could not be read and were done again.
    marks : tuple of str
        What must be said with every number, and is, after the name of the form: drawn from the prior, not converged.
    files : tuple of Path
    """

    results: xr.Dataset
    table: pd.DataFrame
    computed: int
    kept: int
    damaged: tuple[Path, ...]
    marks: tuple[str, ...]
    files: tuple[Path, ...]


def sweep(
    file: str | PathLike[str],
    folder: str | PathLike[str],
    *,
    executor: str | Executor | None = None,
    progress: Progress = silent,
) -> Sweep:
    """One run seen in many ways: scenarios, views, values of one's own, presets and forms of the take-off.

    Results are written as they come, one small file per case, named by all that it depends on. A sweep that was
    interrupted, or whose file or run has changed, computes only what is missing.

    Parameters
    ----------
    file : path
        A TOML file with a grid or a list of cases; ``forecast sweep --template`` prints one.
    folder : path
        Where to write ``sweep.csv``, ``sweep.nc`` and ``parts/``; made if it is missing.
    executor : str or concurrent.futures.Executor, optional
        Where the work is done, as `forecast.executors.executor_from` has it; the numbers are the same.
    progress : callable
        Told of the cases done and of those wanted.

    Returns
    -------
    Sweep

    Raises
    ------
    InputError
        For faults of the file, all at once, a folder that cannot be written, or an executor that cannot be had.
    ForecastError
        Naming the cases that could not be computed; all others are written.

    Examples
    --------
    >>> import forecast as fc
    >>> found = fc.sweep("sweep.toml", "sweep", executor="processes:4")  # doctest: +SKIP
    >>> found.results.takeoff_years.sel(quantile=0.5)  # doctest: +SKIP
    """
    plan, target = read_plan(file), Path(folder)
    with executor_from(executor) as pool:
        swept = swept_run(plan, progress)
        check_writable(target)
        run = run_digest(swept.run)
        paths = {case: part_path(target, case_digest(case, swept, run)) for case in plan.cases}
        there = {case: path for case, path in paths.items() if path.exists()}
        found = {case: part for case, path in there.items() if (part := read_part(path)) is not None}
        damaged = tuple(path for case, path in there.items() if case not in found)
        kept = len(found)
        found |= computed(swept, [case for case in plan.cases if case not in found], paths, pool, progress, kept)
    marks = run_marks(swept.run)
    data = whole(plan.cases, [found[case] for case in plan.cases], marks)
    frame = table(data)
    files = tuple(write_whole(target, data, frame))
    return Sweep(data, frame, len(found) - kept, kept, damaged, marks, files)


def swept_run(plan: Plan, progress: Progress) -> Swept:
    """The run of a plan with what is asked of every case."""
    if plan.run is not None:
        run = load_draws(plan.run)
    else:
        from forecast.fitting import sample_prior
        from forecast.observations import load_observations
        from forecast.priors import load_priors

        progress("drawing from the prior", 0, 0)
        asked = plan.prior
        settings = {"draws": asked["draws"], "chains": asked["chains"], "random_seed": asked["seed"]}
        run = sample_prior(load_priors(), load_observations(), **settings)
    bare = xr.DataTree.from_dict({name: run[name].to_dataset() for name in ("posterior", "constant_data")})
    bare.attrs = {"forecast": run.attrs["forecast"]}
    years = checked_years(plan.years, float(run["constant_data"]["as_of_year"]))
    return Swept(bare, tuple(years), plan.levels, plan.horizon_form)


def computed(
    swept: Swept,
    missing: list[Case],
    paths: dict[Case, Path],
    pool: Executor | None,
    progress: Progress,
    kept: int,
) -> dict[Case, xr.Dataset]:
    """The answers of the cases that are missing, each written as it comes."""
    wanted, tasks, faults, found = len(missing), groups(missing), dict[str, str](), dict[Case, xr.Dataset]()
    what = "sweep" if not kept else f"sweep, {kept} cases were there already"
    progress(what, 0, wanted)
    for index, result in completed(answered, tasks, pool, common=swept) if tasks else ():
        if isinstance(result, str):
            faults[tasks[index].label] = result
            continue
        for case, part in zip(tasks[index].cases, result, strict=True):
            write_part(part, paths[case])
            found[case] = part
        progress(what, len(found), wanted)
    if faults:
        said = [f"{label}: {why}" for label, why in list(faults.items())[:SHOWN]]
        more = [f"... and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise ForecastError(
            "\n".join([*said, *more, "the other cases are written: correct these, then the same command"])
        )
    return found
