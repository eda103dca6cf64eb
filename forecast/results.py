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
from forecast.priors import shipped_priors
from forecast.schema import CENSORED, CONDITIONAL, DERIVED, EVENTS, SAMPLE_DIMS, UNBOUNDED, Variable, decimal_year

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
        with np.errstate(all="ignore"):  # what an extreme draw makes infinite is named by `require_possible`
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
            why = "the run is damaged or its prior has no finite draws"
            if name in DERIVED and bad.shape[1]:
                why = farthest_out(p, int(bad[0][0]))
            raise ForecastError(f"parameter {name} is not finite{where}: {why}")


def impossible(name: str, values: Array, automated: Array | None = None) -> Array:
    """Where a variable of ``schema`` is NaN or infinite and must not be.

    Times may be +inf, which is "not in the window"; what full automation brings may be NaN in draws that do not reach it,
    for which `automated`, its decimal year, is +inf.

    >>> impossible("takeoff_years", np.array([1.0, np.inf, np.nan])).tolist()
    [False, False, True]
    """
    bad: Array = np.isnan(values) | (values == -np.inf)
    if name in CONDITIONAL:
        bad &= ~np.isnan(values) if automated is None else np.isfinite(automated)
    return bad if name in CENSORED | UNBOUNDED else bad | (values == np.inf)


def require_possible(
    by_scenario: Mapping[str, Mapping[str, Array]], names: Iterable[str], p: Parameters, years: Sequence[int] = ()
) -> None:
    """Refuse results, (draw,) or (draw, year) by scenario and name, that are not finite where they must be.

    Raises
    ------
    ForecastError
        Naming the variable, the draw, the year, and the parameter of that draw that lies farthest out.
    """
    checked = [name for name in names if name not in EVENTS]
    for scenario, found in by_scenario.items():
        for name in checked:
            bad = np.argwhere(impossible(name, np.asarray(found[name]), found.get("year_100")))
            if bad.size:
                draw, when = int(bad[0][0]), f" in {years[bad[0][1]]}" if bad.shape[1] > 1 else ""
                raise ForecastError(
                    f"{name} is not finite in draw {draw} of scenario {scenario}{when}: {farthest_out(p, draw)}"
                )


def farthest_out(p: Parameters, draw: int) -> str:
    """Which parameter of a draw lies farthest from its shipped prior, and what to do about it."""
    out: dict[str, tuple[float, str]] = {}
    for name, prior in shipped_priors().items():
        value = np.asarray(p.get(name, np.nan), dtype=float)
        if value.ndim > 1 or prior.distribution in ("fixed", "Dirichlet"):
            continue
        here = float(value[draw] if value.ndim else value)
        low, high = prior.scipy(float(p["as_of_year"])).ppf((0.05, 0.95))
        a, b, x = np.log((low, high, here)) if min(low, here) > 0.0 else (low, high, here)
        out[name] = (max(a - x, x - b) / (b - a), f"{name} = {here:.4g}, usually {low:.3g} to {high:.3g}")
    distance, text = max(out.values(), default=(0.0, ""), key=lambda one: np.nan_to_num(one[0], nan=-np.inf))
    if distance <= 0.0:
        return "no parameter lies far out; report this as a bug"
    return f"it has {text}; narrow that prior"


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
