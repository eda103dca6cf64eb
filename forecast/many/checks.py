"""What may be asked of very many draws: arguments checked before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from forecast.dynamics.flow import AnyEngine, Engine, engine_for
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.many.atoms import ATOM
from forecast.many.work import Output
from forecast.priors import Priors
from forecast.projection import engine_of
from forecast.runs import read_provenance, sample_shape

OUTPUTS = ("project", "takeoff")
DRAWS = 1_000_000
MOST = 10**12
CHUNK = {"project": 64 * ATOM, "takeoff": 4 * ATOM}  # draws of a task of about a second
CENTRING = 13  # years of task horizons at which effective compute is wanted besides, for every draw of a prior


def checked_output(output: str) -> Output:
    """Which of the two forecasts is wanted.

    Raises
    ------
    InputError
        For any other name.
    """
    if output not in OUTPUTS:
        raise InputError(f"no output named {output!r}{suggestion(output, OUTPUTS)}")
    return "project" if output == "project" else "takeoff"


def checked_levels(levels: Sequence[float]) -> list[float]:
    """Levels of quantiles in rising order.

    Raises
    ------
    InputError
        If there are none, or one is not between 0 and 1.
    """
    found = sorted({float(level) for level in levels})
    wrong = [level for level in found if not 0.0 <= level <= 1.0]
    if wrong or not found:
        raise InputError(f"levels {list(levels)}: give quantiles between 0 and 1, such as 0.05, 0.5 and 0.95")
    return found


def checked_draws(source: Priors | xr.DataTree, draws: float | None) -> int:
    """How many draws there are to be.

    Raises
    ------
    InputError
        For a number that is not whole and positive, or more draws than a run has.
    """
    if draws is not None and not (1 <= draws <= MOST and draws == int(draws)):
        raise InputError(f"draws = {draws:g}: give a whole number from 1 to {MOST:.0e}, such as 1e8")
    if isinstance(source, Priors):
        return DRAWS if draws is None else int(draws)
    there = int(np.prod(sample_shape(source)))
    if draws is not None and draws > there:
        remedy = (
            "give priors instead of the run, of which fresh draws are made"
            if read_provenance(source).get("kind") == "prior"
            else f"sample more with forecast run --draws, or take the {there:,} there are"
        )
        raise InputError(
            f"draws = {draws:g}: the run has {there:,}, and drawing from these again would only repeat them: {remedy}"
        )
    return there if draws is None else int(draws)


def checked_chunk(chunk: int | None, output: Output) -> int:
    """Draws of a task: whole atoms.

    Raises
    ------
    InputError
        If it is not positive.
    """
    if chunk is None:
        return CHUNK[output]
    if chunk < 1:
        raise InputError(f"chunk = {chunk}: give a positive number of draws, such as {CHUNK[output]}")
    return -(-int(chunk) // ATOM) * ATOM


def engine_wanted(engine: AnyEngine, output: Output, draws: int, years: int, scenarios: int, drawn: bool) -> Engine:
    """The engine by the whole of the work: it is the same for every share of it."""
    if engine == "jax":
        raise InputError("engine = 'jax': very many draws are made for auto, numpy or compiled")
    if output == "takeoff":
        return engine_for(engine, draws * scenarios)
    return engine_of(engine, draws * (years + (CENTRING if drawn else 0)))
