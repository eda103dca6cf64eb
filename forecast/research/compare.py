"""Views and scenarios side by side, and which of a view's parameters make the difference.

A view is taken on the draws of the run (``forecast.views``), so that all columns share their noise: what differs between
two of them is the view, not the draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.dynamics import takeoff
from forecast.errors import InputError
from forecast.headlines import estimate
from forecast.overlays import overlay_names, scenario_names
from forecast.priors import read_overlay
from forecast.runs import sample_shape
from forecast.views import apply_view, distance

POSTERIOR = "this posterior"
SWAP_DRAWS = 1000  # of all chains together, for one parameter at a time
OUTPUTS = ("year_100", "takeoff_years", "log10_streams_at_automation", "best_year_gain")
FAR = 3.0  # posterior standard deviations beyond which a view is an extrapolation


def view_names() -> list[str]:
    """Names of the shipped views."""
    return sorted(set(overlay_names()) - set(scenario_names()))


def compare(
    run: xr.DataTree,
    views: Sequence[str | Path] | None = None,
    scenario: str | Sequence[str] = "baseline",
    years: Iterable[int] | None = None,
    draws: int | None = None,
) -> xr.Dataset:
    """The take-off as each view has it, beside the run itself.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    views : sequence of str or Path, optional
        Names of shipped views or paths of overlay files; all shipped ones if None.
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
    """
    chosen = view_names() if views is None else list(dict.fromkeys(views))
    labels = [POSTERIOR, *(read_overlay(view).name for view in chosen)]
    if len(set(labels)) < len(labels):
        raise InputError(f"two views share a name ({', '.join(labels[1:])}): rename one file")
    window = None if years is None else list(years)
    seen = [run, *(apply_view(run, view) for view in chosen)]
    parts = [takeoff(thinned(one, draws), scenario, window) for one in seen]
    return xr.concat(parts, pd.Index(labels, name="view"), join="exact", combine_attrs="override")


def thinned(run: xr.DataTree, draws: int | None) -> xr.DataTree:
    """The run with about so many of its draws, evenly taken from every chain."""
    chains, each = sample_shape(run)
    step = 1 if draws is None else max(1, chains * each // max(1, draws))
    if step == 1:
        return run
    tree = run.copy()
    tree["posterior"] = xr.DataTree(run["posterior"].to_dataset().isel(draw=slice(None, None, step)))
    return tree


def differences(
    run: xr.DataTree, view: str | Path, scenario: str = "baseline", years: Iterable[int] | None = None
) -> pd.DataFrame:
    """What each parameter of a view would change on its own, the strongest first.

    Returns
    -------
    pandas.DataFrame
        A row per parameter of the view and one, ``all``, for the whole view: median of each of `OUTPUTS` (+inf = not
        within the window; at automation over the draws that reach it), ``strength``, the largest mean shift of an output
        in standard deviations of the run's own draws, and ``distance`` of the view from the posterior in its standard
        deviations (NaN where the run holds the parameter fixed or does not sample it).
    """
    window = None if years is None else list(years)
    states, far = read_overlay(view).entries, distance(run, view)
    base = outputs(run, scenario, window)
    rows = [row_of("none", base, base, np.nan)]
    for name in states:
        rows.append(
            row_of(name, outputs(apply_view(run, view, only=[name]), scenario, window), base, far.get(name, np.nan))
        )
    rows[1:] = sorted(rows[1:], key=lambda row: -row["strength"])
    whole = outputs(apply_view(run, view), scenario, window)
    return pd.DataFrame([*rows, row_of("all", whole, base, np.nan)])


def outputs(run: xr.DataTree, scenario: str, years: list[int] | None) -> dict[str, xr.DataArray]:
    """Draws of `OUTPUTS`, of a thinned run."""
    found = takeoff(thinned(run, SWAP_DRAWS), scenario, years).isel(scenario=0)
    return {name: found[name] for name in OUTPUTS}


def row_of(
    name: str, found: Mapping[str, xr.DataArray], base: Mapping[str, xr.DataArray], far: float
) -> dict[str, Any]:
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


def difference_sentence(name: str, table: pd.DataFrame, far: float = FAR) -> str:
    """Which parameters make a view differ, in words; what lies far outside the posterior is said to."""
    ordered = table[~table["parameter"].isin(("none", "all"))]
    led = [str(value) for value in ordered["parameter"][ordered["strength"] >= 0.1][:3]]
    strained = [str(value) for value in ordered["parameter"][ordered["distance"].abs() > far]]
    if not led:
        said = f"{name} hardly differs from this posterior"
    else:
        said = f"{name} differs mostly through {', '.join(led[:-1]) + ' and ' if led[:-1] else ''}{led[-1]}"
    note = (
        f" ({', '.join(strained[:4])} far outside the posterior: fit it with forecast run --view {name})"
        if strained
        else ""
    )
    return f"{said}{note}."
