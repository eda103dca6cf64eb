"""The answers of some cases of a sweep: quantiles and probabilities of their draws, never the draws.

The one thing to know: a case's numbers are the same whatever is computed beside it (``tests/sweeps/test_cases.py``), so
that a sweep may be cut into any tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr

from forecast.dynamics import takeoff, takeoff_with_years
from forecast.dynamics.flow import engine_for
from forecast.errors import ForecastError
from forecast.headlines import REACHED_ONLY
from forecast.overlays import Overlay
from forecast.presets import preset
from forecast.projection import project
from forecast.quantiles import quantile
from forecast.runs import sample_shape
from forecast.schema import CENSORED, CONDITIONAL, READOUTS, YEARLY
from forecast.summaries import check_finite
from forecast.sweeps.plans import MAIN, TREND, Case
from forecast.views import apply_view

MAY_NEVER_COME = CENSORED | {"year_99"}  # of kwa2026
REACHED = "_reached"  # after the name of a read-out: the share of draws in which it comes within the window


@dataclass(frozen=True, eq=False)
class Swept:
    """What all cases of a sweep share."""

    run: xr.DataTree
    years: tuple[int, ...]
    levels: tuple[float, ...]
    horizon_form: str


class Group(NamedTuple):
    """Cases that differ in their scenario only: they share the view and most of the path."""

    cases: tuple[Case, ...]

    @property
    def label(self) -> str:
        """What the group is called where something is said of it."""
        return self.cases[0].label


def groups(cases: Iterable[Case]) -> list[Group]:
    """The cases as tasks of a second or more."""
    found: dict[tuple[object, ...], list[Case]] = {}
    for case in cases:
        found.setdefault((case.views, case.assignments, case.preset, case.form), []).append(case)
    return [Group(tuple(own)) for own in found.values()]


def answered(swept: Swept, group: Group) -> list[xr.Dataset] | str:
    """The answers of each case of a group, or why there are none."""
    try:
        return answers(swept, group.cases)
    except ForecastError as error:
        return " ".join(str(error).split())


def answers(swept: Swept, cases: Sequence[Case]) -> list[xr.Dataset]:
    """Quantiles by year, quantiles of read-outs and probabilities of events of cases that differ in scenario only.

    Returns
    -------
    list of xarray.Dataset
        By-year quantities with dims (quantile, year), read-outs with dim (quantile), events and ``<read-out>_reached``
        without dims; units and definitions in the attributes.
    """
    first, run = cases[0], seen(swept.run, cases[0].overlays, cases[0].preset)
    names, years = [case.scenario for case in cases], swept.years
    if first.form == TREND:
        parts = [project(run, names, years, swept.horizon_form)]
    elif first.form == MAIN:
        engine = engine_for("auto", int(np.prod(sample_shape(run))))  # by the draws alone, not by what is beside them
        parts = list(takeoff_with_years(run, names, years, swept.horizon_form, engine=engine))
    else:
        return [summarised([takeoff(run, years=years, form=first.form)], swept.levels)]
    return [summarised([part.sel(scenario=name, drop=True) for part in parts], swept.levels) for name in names]


def seen(run: xr.DataTree, overlays: Sequence[Overlay], name: str) -> xr.DataTree:
    """The run through some overlays, and through a preset on top."""
    views = [*overlays, *([preset(run, name, overlays)] if name else [])]
    return apply_view(run, *views) if views else run


def summarised(parts: Sequence[xr.Dataset], levels: Sequence[float]) -> xr.Dataset:
    """Quantiles and probabilities of all variables of some Datasets over the same draws."""
    whole = xr.merge(parts, compat="equals", join="exact", combine_attrs="override")
    found = {}
    for name in map(str, whole.data_vars):
        values = whole[name]
        said = dict(values.attrs)
        if values.dtype == bool:
            found[name] = xr.DataArray(float(values.mean()), attrs=said)
            continue
        if name in READOUTS or name in YEARLY:
            check_finite(name, values, whole)
        elif np.isnan(values.values).any():
            raise ForecastError(f"{name}: NaN in some draws; nothing was summarised")
        given = f"{said['definition']}; {REACHED_ONLY}" if name in CONDITIONAL else said["definition"]
        found[name] = quantile(values, levels).assign_attrs(said | {"definition": given})
        if name in MAY_NEVER_COME:
            meant = {"units": "1", "definition": f"probability that it comes within the window: {said['definition']}"}
            found[name + REACHED] = xr.DataArray(float(np.isfinite(values).mean()), attrs=meant)
    return xr.Dataset(found)
