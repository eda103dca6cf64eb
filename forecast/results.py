"""From arrays over draws to labelled Datasets and back: the one place where results get dims, units and years."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date as Date
from typing import Any

import numpy as np
import xarray as xr

from forecast.equations.task_horizon import TASK_HORIZON
from forecast.equations.trends import Parameters
from forecast.errors import ForecastError, InputError
from forecast.families import suggestion
from forecast.observations import load_settings
from forecast.schema import SAMPLE_DIMS, Variable, decimal_year

Array = Any  # NumPy array over draws
BLOCK = 4096  # draws that are computed at once: temporaries stay in cache
MAX_YEAR = 2200


def checked_years(years: Iterable[int] | None, as_of_year: float) -> list[int]:
    """Calendar years in order, the default being the shipped range.

    Raises
    ------
    InputError
        If the range is empty or reversed, or leaves the years from `as_of` to 2200.
    """
    settings = load_settings()
    chosen = list(range(settings.first_year, settings.last_year + 1) if years is None else years)
    if not chosen or chosen != sorted(set(chosen)):
        raise InputError(
            f"years {chosen[:1]}..{chosen[-1:]}: give at least one year, in rising order, such as 2026:2045"
        )
    first = int(as_of_year)
    if chosen[0] < first or chosen[-1] > MAX_YEAR:
        raise InputError(f"years {chosen[0]}..{chosen[-1]}: give years from {first} (as_of) to {MAX_YEAR}")
    return chosen


def checked_form(form: str) -> str:
    """The name of a task-horizon form.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if form not in TASK_HORIZON:
        raise InputError(f"no task-horizon form named {form!r}{suggestion(form, TASK_HORIZON)}")
    return form


def checked_names(names: Sequence[str] | None, known: Mapping[str, Variable]) -> list[str]:
    """Some of the known variables, each once, in the order given; all if None.

    Raises
    ------
    InputError
        If there are none, or one of them is unknown.
    """
    chosen = list(dict.fromkeys(known if names is None else names))
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        fault = f"no variable named {unknown[0]!r}" if unknown else "no variable given"
        raise InputError(f"{fault}{suggestion(unknown[0] if unknown else '', known)}")
    return chosen


def moments(years: Sequence[int], as_of_year: float) -> list[float]:
    """Decimal year at which each calendar year is read: 1 July, or `as_of` where that is later."""
    return [max(decimal_year(Date(year, 7, 1)), as_of_year) for year in years]


def checked_seed(random_seed: int) -> int:
    """A seed that NumPy takes.

    Raises
    ------
    InputError
        For any other number.
    """
    if not 0 <= random_seed < 2**63:
        raise InputError(f"random_seed = {random_seed}: give a whole number from 0 to 2**63 - 1")
    return int(random_seed)


def in_blocks[Key](
    p: dict[str, Any],
    size: int,
    work: Callable[[dict[str, Any]], dict[Key, Array]],
    block: int | None = None,
    workers: int = 1,
) -> dict[Key, Array]:
    """Apply `work` to blocks of draws and join its arrays along the draws: memory does not grow with them.

    With several `workers`, so many blocks are worked on at once in threads, for work that leaves Python's lock free.
    """
    step = block or BLOCK

    def part(start: int) -> dict[Key, Array]:
        return work(part_of(p, size, start, min(start + step, size)))

    starts = range(0, size, step)
    if min(workers, len(starts)) > 1:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(part, starts))
    else:
        parts = [part(start) for start in starts]
    return {name: np.concatenate([found[name] for found in parts]) for name in parts[0]}


def part_of(p: Parameters, size: int, start: int, stop: int) -> dict[str, Any]:
    """The parameters of some draws of `size`; scalars and constants as they are."""
    return {
        name: value[start:stop] if np.ndim(value) and np.shape(value)[0] == size else value for name, value in p.items()
    }


def require_finite(p: Parameters) -> None:
    """Refuse a posterior with non-finite entries, naming the parameter and the draw."""
    for name, values in p.items():
        bad = np.argwhere(~np.isfinite(np.asarray(values, dtype=float)))
        if bad.size:
            where = f" in draw {int(bad[0][0])}" if bad.shape[1] else ""
            raise ForecastError(
                f"parameter {name} is not finite{where}: the run is damaged or its prior has no finite draws"
            )


def dataset(
    by_scenario: Mapping[str, Mapping[str, Array]],
    variables: Mapping[str, Variable],
    shape: tuple[int, int],
    years: Sequence[int] | None = None,
) -> xr.Dataset:
    """Label arrays (chain x draw[, year]) of each scenario with dims, units and definitions."""
    tail = () if years is None else (len(years),)
    dims = ("scenario", *SAMPLE_DIMS) + (() if years is None else ("year",))
    coords: dict[str, Any] = {"scenario": list(by_scenario), "chain": np.arange(shape[0]), "draw": np.arange(shape[1])}
    if years is not None:
        coords["year"] = list(years)
    data = {}
    for name, variable in variables.items():
        stacked = np.stack([np.asarray(values[name]).reshape(shape + tail) for values in by_scenario.values()])
        data[name] = (dims, stacked, {"units": variable.units, "definition": variable.definition})
    return xr.Dataset(data, coords=coords)
