"""Back-tests: every table cut at a date, the model refitted, and what came later predicted and scored.

The one thing to know: only figures published up to the cut are seen, but the priors are today's unless vintage overlays
are asked for (``forecast.vintages``). ``tests/evaluation/test_backtest.py`` pins what is cut and how it is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date as Date
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.errors import InputError
from forecast.evaluation import predictive, rivals
from forecast.evaluation.predictive import Predictions
from forecast.executors import completed, executor_from
from forecast.fitting import posterior_run, sampler_settings
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.progress import Progress, silent
from forecast.runs import read_provenance

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
RIVALS = {"last": rivals.last_value, "line": rivals.straight_line}
CUTS = ("2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01")
# What is scored: figures of the world. Losses are one day's experiments; studies, staff and returns have no trend here.
SCORED = (
    "architectures",
    "training_utilization",
    "deployment_utilization",
    "tokens_per_param",
    "training_runs",
    "world_compute",
    "fleet_compute",
    "run_durations",
    "hardware",
    "inference_speed",
    "time_horizons",
)


# What they are predicted by: nothing of research and take-off is scored, and at a cut they are little but their priors
BLOCKS = (
    "depth_scaling",
    "utilization",
    "sample_efficiency",
    "algorithmic_progress",
    "compute",
    "deployment",
    "task_horizon",
)


@dataclass(frozen=True)
class Backtest:
    """Predictions at several cuts, scored against what came later.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per cut and later figure: cut, table, series, row, date (decimal year), horizon (years after the cut),
        units, observed, q05 q25 q50 q75 q95, pit, crps, log_score, and pit, crps, log_score of both rivals (``last_``,
        ``line_``; NaN where a rival has too little to go on). All on the scale of the table's likelihood.
    unscored : pandas.DataFrame
        Cut, table and later rows of a table that had none before the cut: its prediction is its prior.
    fits : pandas.DataFrame
        Cut, priors, rows seen, and the verdict of the convergence gate.
    """

    rows: pd.DataFrame
    unscored: pd.DataFrame
    fits: pd.DataFrame


def backtest(
    priors: Priors | Callable[[Date], Priors],
    cuts: Sequence[str | Date] = CUTS,
    *,
    tables: str | PathLike[str] | None = None,
    draws: int | None = None,
    chains: int | None = None,
    random_seed: int | None = None,
    progress: Progress = silent,
    executor: str | Executor | None = None,
) -> Backtest:
    """Refit at each cut and score what came later.

    Parameters
    ----------
    priors : Priors or callable
        The priors at every cut, or what gives them for a cut (`forecast.vintages.priors_of`).
    cuts : sequence of str or date
        Days after which nothing is seen.
    tables : path, optional
        A folder of tables instead of the shipped ones.
    draws, chains, random_seed : int, optional
        Sampler settings; the shipped ones where not given.
    progress : callable
        Told what is under way, the cuts done and those wanted.
    executor : str or concurrent.futures.Executor, optional
        Where the cuts are fitted, as `forecast.executors.executor_from` has it; the numbers are the same.

    Returns
    -------
    Backtest
        The scored rows and how every refit went.

    Raises
    ------
    InputError
        If a cut is no date, leaves nothing before or after it, or is given twice.

    Examples
    --------
    >>> import forecast as fc
    >>> found = fc.backtest(fc.load_priors(), ["2024-01-01"])  # doctest: +SKIP
    >>> fc.skill(found.rows)  # doctest: +SKIP
    """
    import pandas as pd

    settings = sampler_settings(draws=draws, tune=None, chains=chains, random_seed=random_seed)
    seen = {known.as_of: known for known in (known_at(cut, tables) for cut in cuts)}
    if len(seen) < len(cuts):
        raise InputError("a cut is given twice: name each date once")
    until = load_observations(tables)
    cuts_at = [
        Cut(day, priors(day) if callable(priors) else priors, known, later_rows(until, day))
        for day, known in sorted(seen.items())
    ]
    parts: dict[int, Scored] = {}
    with executor_from(executor) as pool:

        def told(done: int) -> None:
            cut = f" to {cuts_at[done].day}" if pool is None and done < len(cuts_at) else ""  # in order only without it
            progress(f"back-test, fitting{cut}" if done < len(cuts_at) else "back-test", done, len(cuts_at))

        told(0)
        for index, part in completed(scored_cut, cuts_at, pool, common=settings):
            parts[index] = part
            told(len(parts))
    found = [parts[index] for index in sorted(parts)]
    return Backtest(
        rows=pd.concat([frame for part in found for frame in part.rows], ignore_index=True),
        unscored=pd.DataFrame([row for part in found for row in part.unscored], columns=["cut", "table", "rows"]),
        fits=pd.DataFrame([part.fit for part in found]),
    )


class Cut(NamedTuple):
    """What is known at a cut, and what came later."""

    day: Date
    priors: Priors
    known: Observations
    came: Observations

    @property
    def label(self) -> str:
        """What the cut is called where something is said of it."""
        return f"cut {self.day}"


class Scored(NamedTuple):
    """What one cut gives: its fit, a frame of scored rows per table, and [cut, table, rows] of what is not scored."""

    fit: dict[str, object]
    rows: list[pd.DataFrame]
    unscored: list[list[object]]


def scored_cut(settings: dict[str, int], cut: Cut) -> Scored:
    """Fit to what was known at a cut, and score what came later."""
    known, came = cut.known, cut.came
    run = posterior_run(cut.priors, known, settings, blocks=BLOCKS)
    later = [table for table in SCORED if came[table].sizes["row"]]
    scored = [table for table in later if known[table].sizes["row"]]
    unscored: list[list[object]] = [
        [cut.day.isoformat(), table, came[table].sizes["row"]] for table in later if table not in scored
    ]
    return Scored(fit_record(cut.day, known, run), scored_rows(run, known, only(came, scored)), unscored)


def known_at(cut: str | Date, tables: str | PathLike[str] | None) -> Observations:
    """What was known at a cut; a fault of the day is one of the cut."""
    try:
        return load_observations(tables, cut)
    except InputError as error:
        if not str(error).startswith("as_of: "):
            raise
        raise InputError(f"cut: {str(error).removeprefix('as_of: ')}") from None


def later_rows(until: Observations, cut: Date) -> Observations:
    """The tables with the rows that became known after the cut, up to the day of `until`."""
    from forecast.schema import decimal_year

    day = decimal_year(cut)
    tables = {}
    for name, table in until.tables.items():
        if name == "conditions":  # conventions about errors among them
            tables[name] = table
            continue
        known_from = table["end_year"] if "end_year" in table else table["year"]
        tables[name] = table.isel(row=np.flatnonzero(known_from.values > day))
    if not any(table.sizes["row"] for name, table in tables.items() if name in SCORED):
        raise InputError(f"cut {cut}: no figure came after it; choose an earlier date")
    return replace(until, tables=tables)


def only(observations: Observations, tables: Sequence[str]) -> Observations:
    """The observations with no row but those of some tables, and the conditions."""
    kept = {*tables, "conditions"}
    emptied = {name: one if name in kept else one.isel(row=[]) for name, one in observations.tables.items()}
    return replace(observations, tables=emptied)


def fit_record(day: Date, known: Observations, run: xr.DataTree) -> dict[str, object]:
    """What was fitted at a cut and whether the sampler converged."""
    gate = read_provenance(run)["gate"]
    seen = sum(known[name].sizes["row"] for name in SCORED)
    return {
        "cut": day.isoformat(),
        "rows_seen": seen,
        "converged": gate["passed"],
        "why": "; ".join(gate["failures"]),
        "divergences": gate["divergences"],
        "max_rhat": gate["max_rhat"],
    }


def scored_rows(run: xr.DataTree, known: Observations, came: Observations) -> list[pd.DataFrame]:
    """Predictions, scores and rivals' scores of the rows that came after the cut, one frame per table."""
    later = predictive.predictions(run, came)
    before = predictive.predictions(run, only(known, list(later)))
    seed = int(read_provenance(run)["settings"]["random_seed"])
    return [scored_table(known, came, before[table], found, seed) for table, found in later.items()]


def scored_table(
    known: Observations, came: Observations, before: Predictions, found: Predictions, random_seed: int
) -> pd.DataFrame:
    """The rows of one table that came after the cut, scored."""
    import pandas as pd

    samples = predictive.simulated(found, random_seed)
    years = predictive.row_years(came, found)
    low, lower, middle, upper, high = np.quantile(samples, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    frame = pd.DataFrame(
        {
            "cut": known.as_of.isoformat(),
            "table": found.table,
            "series": series_of(came, found),
            "row": predictive.row_labels(came, found),
            "date": years,
            "horizon": years - known.as_of_year,
            "units": predictive.SCALES[found.table].units,
            "observed": found.observed,
            "q05": low,
            "q25": lower,
            "q50": middle,
            "q75": upper,
            "q95": high,
            "pit": predictive.pit(found),
            "crps": predictive.crps(samples, found.observed),
            "log_score": predictive.log_score(found),
        }
    )
    series = np.array(series_of(known, before))
    return frame.assign(**rival_scores(predictive.row_years(known, before), before.observed, series, frame))


def series_of(observations: Observations, found: Predictions) -> list[str]:
    """The series a row belongs to, for a rival that sees no covariates: records apart from the other large runs."""
    if found.table != "training_runs":
        return [found.table] * found.rows.size
    rank = observations["training_runs"]["rank"].values[found.rows]
    return ["record run" if r == 1 else "other top-3 run" for r in rank]


def rival_scores(years: Array, values: Array, series: npt.NDArray[np.str_], later: pd.DataFrame) -> dict[str, Array]:
    """Scores of both rivals for the later rows of a table; NaN where a rival has too little to go on.

    Parameters
    ----------
    years, values, series : (row,) of the rows before the cut
    later : pandas.DataFrame
        Rows after it: series, date, observed.
    """
    scores = {
        f"{name}_{score}": np.full(len(later), np.nan) for name in RIVALS for score in ("pit", "crps", "log_score")
    }
    dates, observed = later["date"].to_numpy(), later["observed"].to_numpy()
    for one in later["series"].unique():
        seen, here = series == one, (later["series"] == one).to_numpy()
        for name, rival in RIVALS.items():
            naive = rival(years[seen], values[seen], dates[here])
            if naive is not None:
                scores[f"{name}_pit"][here] = rivals.pit(naive, observed[here])
                scores[f"{name}_crps"][here] = rivals.crps(naive, observed[here])
                scores[f"{name}_log_score"][here] = rivals.log_score(naive, observed[here])
    return scores
