"""Views and scenarios side by side, and which of a view's parameters make the difference.

A view is taken on the draws of the run (``forecast.views``), so that all columns share their noise: what differs between
two of them is the view, not the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.dynamics import all_scenarios, by_scenario, parameters_for
from forecast.equations.takeoff import compute_exponent
from forecast.errors import InputError
from forecast.headlines import Estimate, estimate
from forecast.overlays import AnyOverlay, overlay_names, scenario_names
from forecast.priors import read_overlay
from forecast.results import checked_years, dataset, in_blocks
from forecast.runs import sample_shape
from forecast.scenarios import load_scenarios
from forecast.schema import EVENTS, READOUTS
from forecast.side_draws import thinned
from forecast.views import apply_view, distance
from forecast.words import number, percent, span

POSTERIOR = "this posterior"
SWAP_DRAWS = 1000  # of all chains together, for one parameter at a time
OUTPUTS = ("year_100", "takeoff_years", "log10_streams_at_automation", "best_year_gain")
FAR = 3.0  # posterior standard deviations beyond which a view is an extrapolation


def view_names() -> list[str]:
    """Names of the shipped views."""
    return sorted(set(overlay_names()) - set(scenario_names()))


def compare(
    run: xr.DataTree,
    views: Sequence[AnyOverlay] | None = None,
    scenario: str | Sequence[str] = "baseline",
    years: Iterable[int] | None = None,
    draws: int | None = None,
) -> xr.Dataset:
    """The take-off as each view has it, beside the run itself.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    views : sequence of str, Path or Overlay, optional
        Names of shipped views, paths of overlay files, or overlays; all shipped ones if None.
    scenario : str or sequence of str
        Names of shipped scenarios.
    years : iterable of int, optional
        The window, as for `takeoff`.
    draws : int, optional
        Use about so many draws, evenly taken; all if None.

    Returns
    -------
    xarray.Dataset
        dims (view, scenario, chain, draw); variables of ``schema.READOUTS`` and ``schema.EVENTS``. The first view is
        the run itself.

    Raises
    ------
    InputError
        For an unknown or faulty view or scenario.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.compare(run, ["davidson2023"]).view.values.tolist()
    ['this posterior', 'davidson2023']
    """
    load_scenarios(scenario)  # a wrong name is said before the views are read
    chosen = view_names() if views is None else list(dict.fromkeys(views))
    labels = [POSTERIOR, *(read_overlay(view).label for view in chosen)]
    if len(set(labels)) < len(labels):
        raise InputError(f"two views share a name ({', '.join(labels[1:])}): rename one file")
    window = None if years is None else list(years)
    seen = [thinned(one, draws) for one in (run, *(apply_view(run, view) for view in chosen))]
    parts = takeoffs(seen, scenario, window)
    return xr.concat(parts, pd.Index(labels, name="view"), join="exact", combine_attrs="override")


def takeoffs(runs: Sequence[xr.DataTree], scenario: str | Sequence[str], years: list[int] | None) -> list[xr.Dataset]:
    """`takeoff` of several runs of one shape, all draws in the same blocks: half the time of one after the other."""
    scenarios, shape = load_scenarios(scenario), sample_shape(runs[0])
    parts, size = [parameters_for(run, scenarios) for run in runs], shape[0] * shape[1]
    chosen = checked_years(years, float(parts[0]["as_of_year"]))
    joined = in_blocks(
        side_by_side(parts, size), size * len(runs), lambda p: all_scenarios(p, scenarios, chosen, series=False)
    )
    found = by_scenario(joined, scenarios)
    pieces = [slice(i * size, (i + 1) * size) for i in range(len(runs))]
    by_run = [{s: {k: v[piece] for k, v in values.items()} for s, values in found.items()} for piece in pieces]
    return [dataset(values, READOUTS | EVENTS, shape) for values in by_run]


def side_by_side(parts: Sequence[Mapping[str, Any]], size: int | Sequence[int]) -> dict[str, Any]:
    """Parameters of several runs of so many draws as one; a name that is the same number in all of them stays one.

    Entries of single model families, which no forecast reads, are left out where runs have other families.
    """
    sizes = [size] * len(parts) if isinstance(size, int) else list(size)
    joined: dict[str, Any] = {}
    if any("compute_exponent" in part for part in parts):  # one of the views states it; the others mean lambda
        parts = [{"compute_exponent": compute_exponent(part)} | dict(part) for part in parts]
    for name in set.intersection(*(set(part) for part in parts)):
        values = [np.asarray(part[name]) for part in parts]
        if all(value.ndim == 0 and value == values[0] for value in values):
            joined[name] = parts[0][name]
        elif len({value.shape[1:] for value in values}) == 1:
            whole = [np.broadcast_to(v, (number, *v.shape[1:])) for v, number in zip(values, sizes, strict=True)]
            joined[name] = np.concatenate(whole)
    return joined


def differences(
    run: xr.DataTree, view: AnyOverlay, scenario: str = "baseline", years: Iterable[int] | None = None
) -> pd.DataFrame:
    """What each parameter of a view would change on its own, the strongest first.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    view : str, Path or Overlay
        Name of a shipped view, path of an overlay file, or an overlay.
    scenario : str
        Name of a shipped scenario.
    years : iterable of int, optional
        The window, as for `takeoff`.

    Returns
    -------
    pandas.DataFrame
        A row per parameter of the view and one, ``all``, for the whole view: median of each of `OUTPUTS` (+inf = not
        within the window; at automation over the draws that reach it), ``strength``, the largest mean shift of an output
        in standard deviations of the run's own draws, and ``distance`` of the view from the posterior in its standard
        deviations (NaN where the run holds the parameter fixed or does not sample it).

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> "all" in fc.differences(run, "davidson2023")["parameter"].values
    True
    """
    window = None if years is None else list(years)
    states, far = read_overlay(view).entries, distance(run, view)
    swapped = [run, *(apply_view(run, view, only=[name]) for name in states), apply_view(run, view)]
    parts = takeoffs([thinned(one, SWAP_DRAWS) for one in swapped], scenario, window)
    base, *alone, whole = (one.isel(scenario=0) for one in parts)
    rows = [row_of(name, found, base, far.get(name, np.nan)) for name, found in zip(states, alone, strict=True)]
    rows.sort(key=lambda row: -float(row["strength"]))
    return pd.DataFrame([row_of("none", base, base, np.nan), *rows, row_of("all", whole, base, np.nan)])


def row_of(name: str, found: xr.Dataset, base: xr.Dataset, far: float) -> dict[str, Any]:
    """Medians of one swap, and how far it moves the outputs."""
    medians = {output: estimate(found[output]).median for output in OUTPUTS}
    strength = max(shift(found[output].values, base[output].values) for output in OUTPUTS)
    return {"parameter": name, **medians, "strength": strength, "distance": far}


def shift(new: Any, old: Any) -> float:
    """Mean shift in standard deviations of `old`; +inf and NaN count as a little beyond the largest finite value."""
    finite = np.concatenate([x[np.isfinite(x)] for x in (new, old)])
    if finite.size == 0:
        return 0.0
    beyond = finite.max() + 1.0
    capped_new, capped_old = (np.where(np.isfinite(x), x, beyond) for x in (new, old))
    spread = float(capped_old.std())
    return abs(float(capped_new.mean() - capped_old.mean())) / spread if spread > 0.0 else 0.0


def comparison_table(compared: xr.Dataset, prob: float = 0.9) -> pd.DataFrame:
    """A row per view and scenario: median and interval of both headlines, probabilities of the events.

    Numbers as they are (years, log10 counts, OOM); +inf is "not within the window".
    """
    rows = []
    for view in compared["view"].values:
        for scenario in compared["scenario"].values:
            one = compared.sel(view=view, scenario=scenario)
            row: dict[str, Any] = {"view": str(view), "scenario": str(scenario)}
            for name in (*OUTPUTS, "log10_human_equivalents_at_automation", "first_year_gain"):
                found = estimate(one[name], prob)
                row |= {name: found.median, f"{name}_low": found.low, f"{name}_high": found.high}
            for name in ("not_automated", "takeoff_within_1_year", "takeoff_within_3_years", "first_year_3_oom"):
                row[name] = float(one[name].mean())
            rows.append(row)
    return pd.DataFrame(rows)


def comparison_words(compared: xr.Dataset, prob: float = 0.9) -> pd.DataFrame:
    """The same for people: a row per view and scenario, medians with intervals in words."""
    end = "not in the window"
    rows = []
    for view in compared["view"].values:
        for scenario in compared["scenario"].values:
            one = compared.sel(view=view, scenario=scenario)
            streams = estimate(one["log10_streams_at_automation"], prob, power=10.0)
            rows.append(
                {
                    "View": str(view).replace("_", " "),
                    "Scenario": str(scenario).replace("_", " "),
                    "Full automation": spoken(estimate(one["year_100"], prob), lambda x: str(int(x)), end),
                    "20% to 100%, years": spoken(estimate(one["takeoff_years"], prob), number, end),
                    "Streams there": spoken(streams, number, "never"),
                    "Best 12 months, OOM": spoken(estimate(one["best_year_gain"], prob), number, "never"),
                    "Not automated": percent(float(one["not_automated"].mean())),
                }
            )
    return pd.DataFrame(rows)


def difference_words(table: pd.DataFrame, rows: int = 6) -> pd.DataFrame:
    """The strongest rows of `differences` for people."""
    say: dict[str, Callable[[float], str]] = {
        "year_100": lambda x: "not in the window" if np.isinf(x) else str(int(x)),
        "takeoff_years": lambda x: "not in the window" if np.isinf(x) else number(x),
        "log10_streams_at_automation": lambda x: number(10.0**x),
        "best_year_gain": number,
    }
    ordered = table[~table["parameter"].isin(("none", "all"))].head(rows)
    kept = pd.concat([table[table["parameter"] == "none"], ordered, table[table["parameter"] == "all"]])
    shown = pd.DataFrame({"Taken from the view": kept["parameter"].tolist()})
    for name, label in zip(OUTPUTS, ("Full automation", "Years", "Streams", "Best 12 months"), strict=True):
        shown[label] = [say[name](value) for value in kept[name]]
    shown["Shift, sd"] = [number(value) for value in kept["strength"]]
    shown["From posterior, sd"] = [_sds(value) for value in kept["distance"]]
    return shown


def _sds(value: float) -> str:
    """Standard deviations in words; beyond 20 they only say "elsewhere"."""
    return "" if np.isnan(value) else f"{value:.1f}" if abs(value) <= 20.0 else "beyond 20"


def spoken(value: Estimate, say: Callable[[float], str], never: str) -> str:
    """Median and interval in words; an end that never comes is said once."""
    if np.isnan(value.median):
        return "none reached"
    low, median, high = (never if np.isinf(x) else say(x) for x in (value.low, value.median, value.high))
    if low == high:
        return median
    return f"{median} ({low} to {high})" if never in (low, high) else f"{median} ({span(low, high)})"


def difference_sentence(name: str, table: pd.DataFrame, flags: str | None = None, far: float = FAR) -> str:
    """Which parameters make a view differ, in words, and which lie far outside; `flags` are those that state it."""
    ordered = table[~table["parameter"].isin(("none", "all"))]
    led = [str(value) for value in ordered["parameter"][ordered["strength"] >= 0.1][:3]]
    strained = [str(value) for value in ordered["parameter"][ordered["distance"].abs() > far]]
    if not led:
        said = f"{name} hardly differs from this posterior"
    else:
        said = f"{name} differs mostly through {', '.join(led[:-1]) + ' and ' if led[:-1] else ''}{led[-1]}"
    note = (
        f" ({', '.join(strained[:4])} far outside the posterior: fit it with forecast run {flags or f'--view {name}'})"
        if strained
        else ""
    )
    return f"{said}{note}."
