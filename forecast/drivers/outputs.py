"""Outputs of the forecast by name, and the function from parameters to them that every analysis calls.

A name is a read-out or event of ``forecast.schema`` (``takeoff_years``, ``not_automated``), a yearly quantity at a year
(``log10_parallel_streams@2031``), or a question about either (``year_100<2031``). No draw is dropped: what never comes
within the window is +inf, and a number of AIs "at full automation" that is not reached is -inf, fewer than any.
``tests/drivers/test_outputs.py`` pins both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from forecast.dynamics import arrival_readouts, by_year, readouts
from forecast.dynamics.flow import Engine, blocks_for
from forecast.dynamics.paths import beyond_automation, to_automation
from forecast.equations.trends import Parameters
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.results import checked_years, in_blocks, moments, require_finite
from forecast.scenarios import load_scenario
from forecast.schema import EVENTS, READOUTS, YEARLY

Array = npt.NDArray[np.float64]
HEADLINES = ("log10_streams_at_automation", "takeoff_years")
PATTERN = re.compile(r"(?P<variable>\w+)(@(?P<year>\d{4}))?\s*((?P<side><=|>=|<|>)\s*(?P<level>[-+.\deE]+))?")
SIDES: dict[str, Callable[[Any, float], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True)
class Output:
    """One output: a variable of the schema, at a year if it is a yearly one, and a question about it if it is an event."""

    name: str
    variable: str
    year: int | None = None
    side: str | None = None
    level: float = np.nan

    @property
    def is_event(self) -> bool:
        """Whether its values are 0 and 1."""
        return self.side is not None or self.variable in EVENTS

    @property
    def units(self) -> str:
        """Units of its values."""
        return "1" if self.is_event else (READOUTS | YEARLY)[self.variable].units

    @property
    def definition(self) -> str:
        """What it is, in the schema's words."""
        said = (READOUTS | EVENTS | YEARLY)[self.variable].definition
        at = "" if self.year is None else f", {self.year}"
        return f"{said}{at}" + ("" if self.side is None else f": {self.side} {self.level:g}")


def parsed_output(name: str) -> Output:
    """An output by its name.

    Raises
    ------
    InputError
        For a name that is none, a yearly quantity without a year, or a year where none belongs.

    Examples
    --------
    >>> parsed_output("year_100<2031").is_event
    True
    >>> parsed_output("log10_parallel_streams@2031").units
    'log10 streams'
    """
    match = PATTERN.fullmatch(name.strip())
    if match is None:
        raise InputError(
            f"output {name!r}: write a name, one@YEAR or a question, such as takeoff_years, "
            "log10_parallel_streams@2031, year_100<2031"
        )
    variable, year = match["variable"], match["year"]
    known = READOUTS | EVENTS | YEARLY
    if variable not in known:
        raise InputError(f"no output named {variable!r}{suggestion(variable, known)}")
    if variable in YEARLY and year is None:
        raise InputError(f"output {name!r}: {variable} is a number by year: write {variable}@2031")
    if variable not in YEARLY and year is not None:
        raise InputError(f"output {name!r}: {variable} has no year: write {variable}")
    if match["side"] and variable in EVENTS:
        raise InputError(f"output {name!r}: {variable} is an event already: write {variable}")
    try:
        level = float(match["level"] or "nan")
    except ValueError:
        raise InputError(f"output {name!r}: {match['level']!r} is not a number") from None
    text = re.sub(r"\s", "", name)
    return Output(text, variable, None if year is None else int(year), match["side"], level)


def parsed_outputs(names: Sequence[str] | None) -> list[Output]:
    """Several outputs, each once; the two headlines if None."""
    return list({found.name: found for found in map(parsed_output, HEADLINES if names is None else names)}.values())


def evaluator(
    outputs: Sequence[Output],
    as_of_year: float,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    horizon_form: str = "exponential",
    engine: Engine = "numpy",
) -> Callable[[Parameters, int], dict[str, Array]]:
    """The function from parameters to the values of some outputs.

    Parameters
    ----------
    outputs
        What `parsed_outputs` returns.
    as_of_year
        Decimal year in which the run stands.
    scenario
        Name of a shipped scenario.
    years
        The window, as for `takeoff`; shipped range if None.
    horizon_form
        Form of the task horizon in effective compute.
    engine
        What integrates the paths (`dynamics.takeoff`); one for all calls whose values are compared.

    Returns
    -------
    callable
        ``values(p, size)``: `p` holds parameters by the names of ``forecast.schema``, (draw,) or scalar, of `size`
        draws; name of an output -> (draw,), events as 0 and 1, +inf and -inf as the module says, never NaN.
    """
    item, window = load_scenario(scenario), checked_years(years, as_of_year)
    wanted = sorted({output.year for output in outputs if output.year is not None})
    outside = [year for year in wanted if not int(as_of_year) <= year <= window[-1]]
    if outside:
        raise InputError(
            f"output at {outside[0]}: give a year from {int(as_of_year)} to {window[-1]}, or other --years"
        )
    if item.course == "leap":
        raise InputError(f"scenario {scenario!r}: its side parameters are not analysed here; choose another scenario")
    end, when = window[-1] + 1.0, moments(wanted, as_of_year)

    def values(part: Parameters) -> dict[str, Array]:
        require_finite(part)
        q = item.parameters(part)
        legs = to_automation(q, end, horizon_form, engine=engine)
        found = arrival_readouts(legs, q)
        if any(output.year is not None or output.variable not in found for output in outputs):
            legs = beyond_automation(legs, q, end, item.course, engine=engine)
            found = dict(readouts(legs, q, end))
            series = by_year(legs, q, when, item.course, horizon_form) if wanted else {}
            found |= {
                f"{name}@{year}": columns[:, i] for name, columns in series.items() for i, year in enumerate(wanted)
            }
        return {output.name: value_of(output, found) for output in outputs}

    return lambda p, size: in_blocks(dict(p), size, values, **blocks_for(engine))


def value_of(output: Output, found: Mapping[str, Any]) -> Array:
    """Values of one output from all read-outs and yearly quantities."""
    name = output.variable if output.year is None else f"{output.variable}@{output.year}"
    raw = np.asarray(found[name], dtype=float)
    values = np.where(np.isnan(raw), -np.inf, raw)  # only exists where automation is reached: less than any
    if output.side is not None:
        values = SIDES[output.side](values, output.level).astype(float)
    return values


def analysed(output: Output, values: Array) -> tuple[Array, str]:
    """The values as variances are taken of them, and their scale.

    Events stay 0 and 1. A quantity that is finite in all draws stays itself; one with censored mass is taken by rank,
    0 to 1, its censored draws sharing the last rank.

    >>> analysed(parsed_output("takeoff_years"), np.array([1.0, np.inf, 5.0, np.inf]))[0].tolist()
    [0.125, 0.75, 0.375, 0.75]
    """
    if output.is_event:
        return values, "event"
    if np.isfinite(values).all():
        return values, "value"
    return ranks(values), "rank"


def ranks(values: Array) -> Array:
    """Ranks scaled to 0..1, ties sharing their mean."""
    result: Array = (rankdata(values, method="average") - 0.5) / values.size
    return result
