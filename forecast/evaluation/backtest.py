"""Back-tests: every table cut at a date, the model refitted, and what came later predicted and scored.

The one thing to know: only figures published up to the cut are seen, but the priors are today's unless vintage overlays
are asked for (``forecast.vintages``). ``tests/evaluation/test_backtest.py`` pins what is cut and how it is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.errors import InputError
from forecast.evaluation import predictive, rivals
from forecast.evaluation.predictive import Predictions
from forecast.fitting import posterior_run, sampler_settings
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
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
DRAWS = 500  # per chain and cut: the predictive quantiles of a row are then good to a few per cent of their spread


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
        Cut, table, rows after it and the reason for not scoring them.
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
    say: Callable[[str], None] = lambda text: None,
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
        Sampler settings; 500 draws per chain and the shipped settings where not given.
    say : callable
        Called with a line of progress.

    Raises
    ------
    InputError
        If a cut is no date, leaves nothing before or after it, or is given twice.
    """
    import pandas as pd

    settings = sampler_settings(
        draws=DRAWS if draws is None else draws, tune=None, chains=chains, random_seed=random_seed
    )
    seen = {cut.as_of: cut for cut in (load_observations(tables, cut) for cut in cuts)}
    if len(seen) < len(cuts):
        raise InputError("a cut is given twice: name each date once")
    until = load_observations(tables)
    rows, unscored, fits = [], [], []
    for i, (day, known) in enumerate(sorted(seen.items())):
        say(f"cut {day} ({i + 1} of {len(seen)}): fitting")
        came = later_rows(until, day)
        chosen = priors(day) if callable(priors) else priors
        run = posterior_run(chosen, known, settings)
        fits.append(fit_record(day, known, run))
        for table in SCORED:
            reason = reason_not_scored(known, came, table)
            if reason is None:
                rows.append(scored_table(run, known, came, table))
            elif came[table].sizes["row"]:
                unscored.append([day.isoformat(), table, came[table].sizes["row"], reason])
    return Backtest(
        rows=pd.concat(rows, ignore_index=True),
        unscored=pd.DataFrame(unscored, columns=["cut", "table", "rows", "reason"]),
        fits=pd.DataFrame(fits),
    )


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


def reason_not_scored(known: Observations, came: Observations, table: str) -> str | None:
    """Why a table's later rows are not scored at a cut; None where they are."""
    if came[table].sizes["row"] == 0:
        return "no later row"
    if known[table].sizes["row"] == 0:
        return "no row before the cut: its prior, not a forecast"
    return None


def fit_record(day: Date, known: Observations, run: xr.DataTree) -> dict[str, object]:
    """What was fitted at a cut and whether the sampler converged."""
    gate = read_provenance(run)["gate"]
    seen = sum(known[name].sizes["row"] for name in SCORED)
    return {
        "cut": day.isoformat(),
        "rows_seen": seen,
        "converged": gate["passed"],
        "divergences": gate["divergences"],
        "max_rhat": gate["max_rhat"],
    }


def scored_table(run: xr.DataTree, known: Observations, came: Observations, table: str) -> pd.DataFrame:
    """Predictions, scores and rivals' scores of the rows of one table that came after the cut."""
    import pandas as pd

    found = predictive.predictions(run, came)[table]
    samples = predictive.simulated(found, int(read_provenance(run)["settings"]["random_seed"]))
    years = predictive.row_years(came, found)
    series = series_of(came, found)
    low, lower, middle, upper, high = np.quantile(samples, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    frame = pd.DataFrame(
        {
            "cut": known.as_of.isoformat(),
            "table": table,
            "series": series,
            "row": predictive.row_labels(came, found),
            "date": years,
            "horizon": years - known.as_of_year,
            "units": predictive.SCALES[table].units,
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
    return frame.assign(**rival_scores(run, known, table, years, found.observed, series))


def series_of(observations: Observations, found: Predictions) -> list[str]:
    """The series a row belongs to, for a rival that sees no covariates: records apart from the other large runs."""
    if found.table != "training_runs":
        return [found.table] * found.rows.size
    rank = observations["training_runs"]["rank"].values[found.rows]
    return ["record run" if r == 1 else "other top-3 run" for r in rank]


def rival_scores(
    run: xr.DataTree, known: Observations, table: str, later: Array, observed: Array, series: Sequence[str]
) -> dict[str, Array]:
    """Scores of both rivals for the later rows of a table; NaN where a rival has too little to go on."""
    before = predictive.predictions(run, known)[table]
    years, of_before, of_later = (
        predictive.row_years(known, before),
        np.array(series_of(known, before)),
        np.array(series),
    )
    scores = {
        f"{name}_{score}": np.full(later.shape, np.nan) for name in RIVALS for score in ("pit", "crps", "log_score")
    }
    for one in np.unique(of_later):
        seen, here = of_before == one, of_later == one
        for name, rival in RIVALS.items():
            naive = rival(years[seen], before.observed[seen], later[here])
            if naive is not None:
                scores[f"{name}_pit"][here] = rivals.pit(naive, observed[here])
                scores[f"{name}_crps"][here] = rivals.crps(naive, observed[here])
                scores[f"{name}_log_score"][here] = rivals.log_score(naive, observed[here])
    return scores
