"""Names, units and labels of what `indicators.watch` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.research.indicator_values import INDICATORS, Observation
from forecast.schema import SAMPLE_DIMS, Variable

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_DRAWS = 100.0  # effective draws below which a reweighted figure is not to be trusted
UNEXPECTED = 0.01  # an observation that the forecast finds less likely than this speaks against the model itself
NOTHING, TOGETHER, TODAYS_SUITE = "nothing", "all_together", "task_horizon_on_todays_suite"

VARIABLES: dict[str, Variable] = {
    **{
        name: Variable(one.units, f"forecast of the {one.definition}", ("quantile",))
        for name, one in INDICATORS.items()
    },
    "noise": Variable(
        "log10", "scale of the noise that an indicator is read with, median over the draws", ("indicator",)
    ),
    **{
        f"expected_{one.quantity}": Variable(
            f"log10 {one.units}", f"where each draw expects the {one.definition}", SAMPLE_DIMS
        )
        for one in INDICATORS.values()
    },
    "information": Variable(
        "bit",
        "mutual information of the observation and the event that full automation comes in time",
        ("observation",),
    ),
    "expected_shift": Variable("1", "expected absolute change of the event's probability", ("observation",)),
    "variance_reduction": Variable(
        "1", "expected share of the variance of the rank of year_100 that the observation takes away", ("observation",)
    ),
    **{
        f"{name}_error": Variable(units, f"Monte Carlo standard error of {name}", ("observation",))
        for name, units in (("information", "bit"), ("expected_shift", "1"), ("variance_reduction", "1"))
    },
    "typical_effective_draws": Variable("draws", "effective draws that a typical outcome leaves", ("observation",)),
    "event_entropy": Variable("bit", "what there is to know of the event"),
    "event_probability": Variable("1", "probability of full automation by the end of the event year", ("what_if",)),
    "event_probability_error": Variable("1", "Monte Carlo standard error of event_probability", ("what_if",)),
    "year_100": Variable("yr", "when AIs can do 100% of AI R&D tasks", ("what_if", "quantile")),
    "takeoff_years": Variable("yr", "years from 20% to 100% automation of AI R&D", ("what_if", "quantile")),
    "tail_probability": Variable(
        "1",
        "probability that the forecast gives to the bound, or to a value at least as far out on its side, twice; of several "
        "the smallest",
        ("what_if",),
    ),
    "effective_draws": Variable("draws", "equally weighted draws that are as good as the weighted ones", ("what_if",)),
    "few_draws": Variable("1", f"fewer than {FEWEST_DRAWS:g} effective draws: not to be trusted", ("what_if",)),
    "unexpected": Variable(
        "1",
        f"tail_probability below {UNEXPECTED:g}: rather the model is wrong than any of its draws right",
        ("what_if",),
    ),
    "weight": Variable("1", "weight of each draw", ("what_if", *SAMPLE_DIMS)),
}


def label_of(case: Sequence[Observation]) -> str:
    """What is observed, in words."""
    return " and ".join(one.label for one in case) or NOTHING


def labelled(values: Mapping[str, Any], cases: Sequence[Sequence[Observation]], shape: tuple[int, int]) -> xr.Dataset:
    """Label the arrays with dims, units and definitions; a what-if also with its `subject` and its `reading` in words."""
    subjects = [NOTHING if not case else case[0].indicator if len(case) == 1 else TOGETHER for case in cases]
    readings = [
        case[0].reading if len(case) == 1 else " and ".join(f"{one.words} is {one.reading}" for one in case)
        for case in cases
    ]
    coords = {
        "indicator": list(INDICATORS),
        "observation": [*INDICATORS, TOGETHER, TODAYS_SUITE],
        "what_if": [label_of(case) for case in cases],
        "subject": ("what_if", subjects),
        "reading": ("what_if", readings),
        "quantile": list(LEVELS),
        **{dim: np.arange(size) for dim, size in zip(SAMPLE_DIMS, shape, strict=True)},
    }
    return xr.Dataset(
        {
            name: (variable.dims, values[name], {"units": variable.units, "definition": variable.definition})
            for name, variable in VARIABLES.items()
        },
        coords=coords,
    )
