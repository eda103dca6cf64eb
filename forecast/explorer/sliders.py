"""Sliders: which parameters get one, how far it reaches, and how its values read.

The parameters are those that make most of the spread of either headline answer (Shapley effects), taken in turn from
both rankings, so that neither answer has all the sliders. A slider reaches from the 1% to the 99% quantile of the draws.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from threadpoolctl import threadpool_limits

from forecast.drivers.inputs import Inputs, inputs_of
from forecast.drivers.outputs import HEADLINES, evaluator, parsed_outputs
from forecast.drivers.sensitivity import OTHERS, effects, leaders, problem, worth_table
from forecast.drivers.splines import splines
from forecast.errors import InputError
from forecast.reporting.answers import answers_key
from forecast.runs import ANSWERS, parameters_of, read_provenance, sample_shape
from forecast.schema import STATED
from forecast.words import SCALES, number

Array = npt.NDArray[np.float64]
Shares = dict[str, dict[str, float]]  # output -> parameter -> share of its spread

COUNT = 10
LEVELS = (0.05, 0.5, 0.95)
ENDS = (0.01, 0.99)
STEPS = 100
WIDE = 3.0  # a positive range that spans more than this factor may be cut in equal factors, not in equal steps
DIGITS = 3  # of a value on a wide slider, and of the step on another
ORDERS = 16  # random orders of the Shapley effects: enough to rank by
SCALE_WORDS = frozenset(name for _, name in SCALES)
YEARS_FROM = 1000.0  # a number of years this large is a date
MONTH_HOURS = 167.0  # of work, as METR counts them (Kwa et al. 2025)
HOUR_MINUTES = 60.0
MONTHS = 12.0


@dataclass(frozen=True)
class Slider:
    """One parameter on the page.

    ``values`` are those that the slider can be put to, in order; ``quantiles`` the 5%, 50% and 95% ones of the draws;
    ``shares`` the part that it makes of the spread of each headline answer.
    """

    name: str
    label: str
    units: str
    definition: str
    prior: str
    source: str
    values: tuple[float, ...]
    logarithmic: bool
    quantiles: tuple[float, float, float]
    shares: Mapping[str, float]

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return self.values[0], self.values[-1]

    @property
    def group(self) -> str:
        """The headline answer whose spread it makes more of."""
        return max(HEADLINES, key=lambda output: self.shares.get(output, 0.0))

    def words(self, value: float) -> str:
        """A value with its unit."""
        return value_words(self.name, value)

    def place(self, value: float) -> float:
        """Where a value lies on the track, 0 to 100; beyond its ends at the end."""
        low, high = (scaled(end, self.logarithmic) for end in self.ends)
        share = (scaled(max(value, self.ends[0]), self.logarithmic) - low) / (high - low)
        return 100.0 * min(max(share, 0.0), 1.0)


def sliders(run: xr.DataTree, shares: Shares, count: int = COUNT) -> tuple[Slider, ...]:
    """A slider for each of the leading parameters of a run, in the order of `interleaved`."""
    p, said = parameters_of(run), {entry["name"]: entry for entry in read_provenance(run).get("parameters", ())}
    names = [name for name in interleaved(shares) if np.ndim(p[name]) == 1]
    return tuple(slider(name, p[name], said.get(name, {}), shares) for name in names[:count])


def slider(name: str, draws: Array, said: Mapping[str, Any], shares: Shares) -> Slider:
    """The slider of one parameter from its draws and what the run file says of it."""
    low, median, high = (float(x) for x in np.quantile(draws, (ENDS[0], 0.5, ENDS[1])))
    factors = in_factors(low, median, high)
    return Slider(
        name=name,
        label=labels().get(name, name.replace("_", " ")),
        units=STATED[name].units,
        definition=STATED[name].definition,
        prior=". ".join(part for part in (said.get("distribution", ""), said.get("rationale", "")) if part),
        source="; ".join(said.get("source", ())),
        values=track(low, high, factors),
        logarithmic=factors,
        quantiles=tuple(float(x) for x in np.quantile(draws, LEVELS)),  # type: ignore[arg-type]
        shares={output: of[name] for output, of in shares.items() if name in of},
    )


def track(low: float, high: float, factors: bool = False) -> tuple[float, ...]:
    """The values of a slider from `low` to `high`, in equal steps or factors, rounded as far as neighbours stay apart.

    >>> track(0.0, 1.0)[:3], track(1.0, 1e6, factors=True)[-2:]
    ((0.0, 0.01, 0.02), (871000.0, 1000000.0))
    """
    if factors:
        found = [float(f"{x:.{DIGITS - 1}e}") for x in np.geomspace(low, high, STEPS + 1)]
    else:
        decimals = 1 - math.floor(math.log10((high - low) / STEPS) + 1e-9)
        found = [round(float(x), decimals) + 0.0 for x in np.linspace(low, high, STEPS + 1)]
    return tuple(sorted(set(found)))


def in_factors(low: float, median: float, high: float) -> bool:
    """Whether a range is better cut in equal factors: it is wide, and that brings its median nearer to the middle.

    >>> in_factors(500.0, 1e5, 1e9), in_factors(0.01, 0.4, 1.1)
    (True, False)
    """
    if low <= 0.0 or high <= WIDE * low:
        return False
    by_factor = math.log(median / low) / math.log(high / low)
    return abs(by_factor - 0.5) < abs((median - low) / (high - low) - 0.5)


def scaled(value: float, logarithmic: bool) -> float:
    """The value on the scale of its track."""
    return math.log(value) if logarithmic else value


def interleaved(shares: Shares) -> list[str]:
    """Parameters by their place in the rankings, the first of every ranking before the second of any.

    >>> interleaved({"a": {"x": 0.5, "y": 0.2}, "b": {"y": 0.9, "z": 0.1}})
    ['x', 'y', 'z']
    """
    rankings = [sorted(of, key=lambda name: -of[name]) for of in shares.values()]
    in_turn = [name for places in zip_longest(*rankings) for name in places if name is not None]
    return list(dict.fromkeys(in_turn))


def kept_shares(run: xr.DataTree, years: Sequence[int]) -> Shares:
    """The shares that the report's answers in the run file have, if they are of this run and package; else none."""
    record = read_provenance(run)
    try:
        kept = json.loads(run.attrs.get(ANSWERS) or "{}")
        if kept.get("key") != answers_key(run, record.get("scenarios", ()), years):
            return {}
        rows = [(str(row[2]), row[7]) for row in kept["rows"] if row[1] == "drivers"]
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
    ):  # damaged, or of another version
        return {}
    prefix = {output: f"drivers of {output} by input: " for output in HEADLINES}
    found = {
        output: {name.removeprefix(start): float(share) for name, share in rows if name.startswith(start)}
        for output, start in prefix.items()
    }
    return {output: {k: v for k, v in of.items() if k in STATED} for output, of in found.items() if of}


def found_shares(run: xr.DataTree, years: Sequence[int]) -> Shares:
    """Shapley effects of the leading parameters on both headline answers, in a second or two; none where one is fixed."""
    p, shape, wanted = parameters_of(run), sample_shape(run), parsed_outputs(HEADLINES)
    values = evaluator(wanted, float(p["as_of_year"]), "baseline", list(years))(p, shape[0] * shape[1])
    inputs = inputs_of(run)
    with threadpool_limits(1):  # the factorisations are small: threads would wait for each other
        curves = splines(inputs.columns)
        return {output.name: leading_shares(output, values[output.name], curves, inputs) for output in wanted}


def leading_shares(output: Any, values: Array, curves: list[Array], inputs: Inputs) -> dict[str, float]:
    """Shapley effects of the parameters that lead one output; nothing where it is the same in all draws."""
    try:
        one = problem(output, values, curves, inputs)
    except InputError:
        return {}
    worth = worth_table(one, inputs, curves, 1.0, random_seed=1)
    players = leaders(worth, inputs, COUNT)
    found = effects(one, players, inputs, random_seed=1, orders=ORDERS)
    return {
        name: float(share)
        for name, share in zip(found.players, found.effects.share, strict=True)
        if name != OTHERS and name in STATED
    }


@cache
def labels() -> dict[str, str]:
    """Label of every parameter."""
    return all_labels()["parameters"]


@cache
def all_labels() -> dict[str, dict[str, str]]:
    """What parameters, scenarios and views are called on the page."""
    return tomllib.loads(files("forecast.explorer").joinpath("labels.toml").read_text(encoding="utf-8"))


def interval_words(name: str, low: float, high: float) -> str:
    """Two values of a parameter as an interval, a unit that they share at its end only.

    >>> interval_words("automation_gap", 2.2, 9.3), interval_words("required_horizon_minutes", 600.0, 6e6)
    ('2.2 to 9.3 OOM', '10 hours to 50 years of work')
    """
    first, second = value_words(name, low), value_words(name, high)
    return joined(without_unit(first, second), second)


def estimate_words(name: str, low: float, median: float, high: float) -> str:
    """Median and interval of a parameter in one phrase, the unit said once where all three share it.

    >>> estimate_words("automation_gap", 2.2, 4.7, 9.3)
    '4.7 OOM (2.2 to 9.3)'
    >>> estimate_words("required_horizon_minutes", 204.0, 7800.0, 3.3e5)
    '130 hours of work (3.4 hours to 2.7 years)'
    """
    middle, lowest, highest = (value_words(name, value) for value in (median, low, high))
    first, second = without_unit(lowest, middle), without_unit(highest, middle)
    shared = min(len(whole.split(" ")) - len(short.split(" ")) for whole, short in ((lowest, first), (highest, second)))
    first, second = (" ".join(words[: len(words) - shared]) for words in (lowest.split(" "), highest.split(" ")))
    return f"{middle} ({joined(first, second)})"


def joined(low: str, high: str) -> str:
    """Two ends of an interval; a bare number before "640 million" must not be read as millions too.

    >>> joined("130", "640 million tokens"), joined("2.2", "9.3 OOM")
    ('130 up to 640 million tokens', '2.2 to 9.3 OOM')
    """
    bare = low.replace(".", "").lstrip("-").isdigit()
    return f"{low} up to {high}" if bare and SCALE_WORDS & set(high.split(" ")) else f"{low} to {high}"


def without_unit(text: str, other: str) -> str:
    """A value in words without the last words that another one ends in too; "million" belongs to the number."""
    words, rest = text.split(" "), other.split(" ")
    while len(words) > 1 and len(rest) > 1 and words[-1] == rest[-1] and words[-1] not in SCALE_WORDS:
        words, rest = words[:-1], rest[:-1]
    return " ".join(words)


def value_words(name: str, value: float) -> str:
    """A value of a parameter with its unit, as people say it.

    >>> value_words("required_horizon_minutes", 1.1e5), value_words("slowdown_year", 2028.068)
    ('11 months of work', '2028.1')
    >>> value_words("log10_tokens_per_datapoint", 1.0), value_words("automation_gap", 4.69)
    ('10 tokens', '4.69 OOM')
    """
    units = STATED[name].units
    if units == "yr" and value > YEARS_FROM:
        return f"{value:.1f}"
    for prefix, base in (("log10_", 10.0), ("log2_", 2.0), ("log_", math.e)):
        if name.startswith(prefix) and units.startswith(("log10 ", "log2 ", "ln ")):
            return with_unit(base**value, units.split(" ", 1)[1])
    if name.endswith("_variate"):
        return f"{value:+.2f} sd"
    return with_unit(value, units)


def with_unit(value: float, units: str) -> str:
    """A number with its unit; minutes as working time."""
    if units == "min":
        return working_time(value / HOUR_MINUTES)
    return number(value, DIGITS) if units == "1" else f"{number(value, DIGITS)} {units}"


def working_time(hours: float) -> str:
    """Hours of work as people say them; a month of work has 167 hours.

    >>> [working_time(x) for x in (0.5, 40.0, 1000.0, 40_000.0)]
    ['30 minutes of work', '40 hours of work', '6 months of work', '20 years of work']
    """
    if hours < 1.0:
        return f"{number(HOUR_MINUTES * hours)} minutes of work"
    months = hours / MONTH_HOURS
    if months < 1.0:
        return f"{number(hours)} hours of work"
    return f"{number(months)} months of work" if months < MONTHS else f"{number(months / MONTHS)} years of work"
