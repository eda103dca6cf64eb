"""What ``forecast sbc`` does: one model after the other, tables and figures in a folder, results kept in the package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date as Date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from forecast.calibration_plots import plot_held, plot_rank_ecdf
from forecast.comparison_plots import save_figure
from forecast.errors import InputError
from forecast.evaluation.calibration import Calibration, recovery, sbc
from forecast.evaluation.calibration_summary import Summary, models_table, parameters_table, recovery_table, summary
from forecast.evaluation.refits import JOINT
from forecast.evaluation.sbc_record import RECORD, Kept, digests_of, keep, stamp
from forecast.observations import Observations, load_observations
from forecast.priors import Priors, load_priors
from forecast.progress import Progress
from forecast.runs import read_provenance
from forecast.schema import BLOCKS
from forecast.summaries import full_csv, write_text


def models_wanted(names: Sequence[str], joint: bool) -> list[str]:
    """The models to calibrate, in the schema's order: those named, else every block; with `joint` the joint model too.

    Raises
    ------
    InputError
        For a name that is no block.

    >>> models_wanted(["takeoff", "compute"], True)
    ['compute', 'takeoff', 'joint']
    """
    known = [*BLOCKS, JOINT]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"unknown block {unknown[0]!r}: choose from {', '.join(known)}")
    chosen = set(names or BLOCKS) | ({JOINT} if joint else set())
    return [name for name in known if name in chosen]


def blocks_of(model: str) -> tuple[str, ...]:
    """The blocks of a model by its name."""
    return BLOCKS if model == JOINT else (model,)


def all_calibrations(
    models: Sequence[str], priors: Priors, observations: Observations, progress: Progress, **settings: Any
) -> list[Calibration]:
    """`sbc` of one model after the other."""
    return [sbc(priors, observations, blocks_of(model), progress=progress, **settings) for model in models]


def all_recoveries(models: Sequence[str], run: xr.DataTree, progress: Progress, **settings: Any) -> list[Calibration]:
    """`recovery` of one model after the other."""
    return [recovery(run, blocks_of(model), progress=progress, **settings) for model in models]


def shipped_digests() -> dict[str, str]:
    """Digests of the shipped priors, tables and equations."""
    priors, observations = load_priors(), load_observations()
    return digests_of(priors.digest, observations.as_of.isoformat(), observations.digests)


def run_digests(run: xr.DataTree) -> dict[str, str]:
    """Digests of what a run was made from; those of the equations are the present ones."""
    record = read_provenance(run)
    return digests_of(record["digests"]["priors"], record["as_of"], record["digests"]["tables"])


def refuse_other_run(run: xr.DataTree) -> None:
    """Raise InputError unless a run is of the shipped priors, tables and equations, whose results are kept."""
    if run_digests(run) != shipped_digests() or read_provenance(run)["digests"]["model"] != shipped_digests()["model"]:
        raise InputError(
            "this run is of other priors, tables or equations than the shipped ones, whose results are kept: fit it anew "
            "with forecast fit, or drop --keep"
        )


def kept_in_package(found: Sequence[Calibration], date: Date, path: Path = RECORD) -> Path:
    """Keep results of the shipped priors and tables for the report."""
    now, as_of = shipped_digests(), load_observations().as_of.isoformat()
    return keep([Kept(summary(one), stamp(one.settings, as_of, now, date)) for one in found], path)


def tables(found: Sequence[Calibration]) -> dict[str, pd.DataFrame]:
    """Every table, by the name of its file: models, parameters, positions and, of a recovery, shares by parameter."""
    parts = [summary(one) for one in found]
    whole = {"models": models_table(parts), "parameters": parameters_table(parts), "positions": positions_table(found)}
    recovered = [recovery_table(one).assign(model=one.name) for one in found if one.origin == "posterior"]
    return whole | ({"recovery": pd.concat(recovered, ignore_index=True)} if recovered else {})


def positions_table(found: Sequence[Calibration]) -> pd.DataFrame:
    """Position of every truth: a row per model, replicate and quantity."""
    parts = [
        one.ranked[["position", "kept", "error"]].to_dataframe().reset_index().assign(model=one.name) for one in found
    ]
    return pd.concat(parts, ignore_index=True)


def write_calibrations(folder: Path, found: Sequence[Calibration]) -> list[Path]:
    """Write every table as CSV and every figure as SVG."""
    paths = [write_text(folder / f"{name}.csv", full_csv(table)) for name, table in tables(found).items()]
    parts = [summary(one) for one in found]
    return paths + [save_figure(draw(), folder / f"{name}.svg") for name, draw in figures(parts).items()]


def figures(parts: Sequence[Summary]) -> dict[str, Callable[[], Axes]]:
    """A function per figure, by the name of its file."""
    drawn: dict[str, Callable[[], Axes]] = {
        f"ranks_{one.model['model']}": partial(plot_rank_ecdf, one) for one in parts
    }
    return drawn | {"held": partial(plot_held, parts)}
