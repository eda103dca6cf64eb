"""Texts of ``--set``, ``depth_exponent=0.15`` or ``training_days=LogNormal(60d..120d)``, as an overlay of the priors.

A text is a name, ``=`` and a number with or without a unit (a fixed value), or a family with the ends of its interval.
Nothing is evaluated (``tests/test_assignments.py`` pins what is refused).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from forecast.errors import InputError, clear
from forecast.exploring import exploring
from forecast.families import Family, family_named, suggestion
from forecast.observations import load_settings
from forecast.overlays import SET, AnyOverlay, Overlay
from forecast.prior_files import BLOCK_OF, JUDGEMENT, SCHEMA, out_of_range
from forecast.priors import read_overlay, shipped_priors, unfit, values_of
from forecast.schema import ALTERNATIVES, PRODUCTION, Variable, decimal_year
from forecast.statements import DEFAULT_MASS, STATEMENT_KEYS, Prior, fixed, stated
from forecast.units import quantity

RATIONALE = "set on the command line"
WORKING_TIME = frozenset({"required_horizon_minutes", "paper_work_hours"})  # a day of such work has 8 hours, not 24
EXAMPLES = 'depth_exponent=0.15 or "depth_exponent=Normal(0.1..0.3)"'
FAMILY = re.compile(r"([A-Za-z]\w*)\s*\((.*)\)", re.DOTALL)
LARGEST_LOG10 = float(sys.float_info.max_10_exp)  # beyond it, ten to the power of the value is no number


def assigned(texts: str | Iterable[str]) -> Overlay:
    """The overlay that some assignments state, checked against the shipped priors.

    Parameters
    ----------
    texts : str or iterable of str
        ``NAME=VALUE`` fixes a parameter: ``depth_exponent=0.15``, ``training_days=90d``. A number without a unit is in the
        parameter's own unit; of a parameter in log10 it is the log10, and ``log10_training_flop_2024=5e25FLOP`` is 25.7.

        ``NAME=FAMILY(LOW..HIGH)`` is the 90% equal-tailed interval of a distribution: ``depth_exponent=Normal(0.1..0.3)``.
        Further keys after a comma: ``mass=0.5``, ``lower=`` and ``upper=`` where it is cut, ``nu=`` of a StudentT. A family
        with one free parameter takes its upper quantile alone: ``log10_tokens_per_datapoint=HalfNormal(..2)``. Parameters
        of the family may be given instead: ``returns=LogNormal(mu=0, sigma=0.5)``.

    Returns
    -------
    Overlay
        What `load_priors` takes as one of ``overlays`` and `apply_view` as one of ``views``.

    Raises
    ------
    InputError
        With all faults, one a line, each after its text: an unknown parameter, one with several entries or given twice, no
        number, another unit, an interval that runs backwards, a value that the parameter cannot take.

    Examples
    --------
    >>> assigned(["training_days=0.25y", "depth_exponent=Normal(0.1..0.3)"]).entries["training_days"].params
    {'value': 91.3125}
    """
    given = [texts] if isinstance(texts, str) else list(texts)
    faults: list[str] = [] if given else [f"nothing is set: write NAME=VALUE, such as {EXAMPLES}"]
    entries: dict[str, Prior] = {}
    for text in given:
        try:
            prior = assignment(text)
            if prior.name in entries:
                raise InputError(f"sets {prior.name} a second time: give it once")
            entries[prior.name] = prior
        except InputError as fault:
            faults.append(clear(f"--set {_shown(text)!r}: {' '.join(str(fault).split())}"))
    if not faults:
        faults = _clashes(entries)
    if faults:
        raise InputError("\n".join(faults))
    names = "; ".join(" ".join(text.split()) for text in given)
    return read_overlay(Overlay(names, f"Set on the command line: {names}.", entries, {}, {}, SET))


def _shown(text: str) -> str:
    """The beginning of a text that is too long to be one."""
    return text if len(text) <= 100 else f"{text[:100]}..."


def with_assigned(views: Iterable[AnyOverlay], texts: Iterable[str]) -> list[AnyOverlay]:
    """The views, and after them what the texts state, if there are any."""
    given = list(texts)
    return [*views, assigned(given)] if given else list(views)


def assignment(text: str) -> Prior:
    """The prior that one text states, with the name of its parameter.

    Raises
    ------
    InputError
        For the first fault of the text.

    >>> assignment("returns = LogNormal(0.5..2, mass=50%)").statement
    {'interval': [0.5, 2.0], 'mass': 0.5}
    """
    name, sign, value = (part.strip() for part in text.partition("="))
    if not (name and sign and value):
        raise InputError(f"is no NAME=VALUE: write such as {EXAMPLES}")
    variable = SCHEMA.get(name)
    if variable is None:
        near = suggestion(name, SCHEMA)
        shown = ": forecast priors show lists them" if near.startswith("; known") else near
        raise InputError(f"no parameter named {name!r}{shown}")
    if variable.dims:
        raise InputError(
            f"{name} has several entries: state them as [priors.{name}] in a file, and give it with --view"
        )
    with np.errstate(all="ignore"):
        prior = stated_value(name, value, variable)
        wrong = refused(name, prior)
    if wrong:
        raise InputError(f"{name} {wrong}")
    named = replace(prior, name=name, block=BLOCK_OF[name], units=variable.units)
    return replace(named, source=(JUDGEMENT,), rationale=RATIONALE)


def stated_value(name: str, value: str, variable: Variable) -> Prior:
    """The nameless prior that the right side of an assignment states."""
    match = FAMILY.fullmatch(value)
    if match is None:
        return fixed(number(name, value, variable))
    family = family_named(match[1])
    statement = family_statement(family, name, match[2], variable)
    prior = stated(family.name, statement)
    reached = np.asarray(prior.quantile([0.05, 0.5, 0.95]))  # an overflow shows here, not in the middle of a fit
    if not np.all(np.isfinite(reached)):
        raise InputError(f"{value!r} is beyond what can be computed with: move its ends together")
    return prior


def family_statement(family: Family, name: str, inside: str, variable: Variable) -> dict[str, Any]:
    """What stands in the brackets of a family, as the table of a prior file would state it."""
    statement: dict[str, Any] = {}
    given: dict[str, float] = {}
    for part in (piece.strip() for piece in inside.split(",")):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if ".." in part and not sign:
            if "interval" in statement or "upper" in statement:
                raise InputError(f"{family.name}({inside}) has two intervals: give one")
            statement |= _interval(family, name, part, variable)
        elif not (key and sign and value):
            raise InputError(
                f"{part!r} in {family.name}({inside}) is neither LOW..HIGH nor KEY=VALUE: {_shape(family)}"
            )
        elif key in given:
            raise InputError(f"{family.name}({inside}) gives {key} twice: give it once")
        else:
            given[key] = _own_number(key, name, value, variable)
    if not statement:
        inner = {key: x for key, x in given.items() if key in family.required + family.optional}
        return {"params": inner} | _known(family, {key: x for key, x in given.items() if key not in inner})
    return statement | _known(family, given)


def number(name: str, text: str, variable: Variable) -> float:
    """A number in the parameter's own unit.

    >>> number("training_days", "3 months", SCHEMA["training_days"])
    91.3125
    """
    value = quantity(text, variable.units, working=name in WORKING_TIME)
    if name.startswith("log10_") and abs(value) > LARGEST_LOG10:
        unit = variable.units.removeprefix("log10 ")
        raise InputError(
            f"{text!r} is too large for {name}, a log10: write 25.7 for 5e25 {unit}, or the unit behind it"
        )
    return value


def refused(name: str, prior: Prior) -> str:
    """What a parameter cannot take of a prior: a value outside its range, or a family that reaches there; else empty."""
    if name in PRODUCTION:
        return out_of_range(name, prior)
    old = shipped_priors()[name]
    wrong = unfit(prior, old) or out_of_range(name, prior) or _slip(prior, old)
    if wrong or prior.distribution == "fixed":
        return wrong
    low, high = values_of(old)
    if not float(prior.quantile(0.0)) >= low:
        wrong = f"is not below {low:g}, and {prior.distribution} reaches there: add lower={low:g}"
    elif not float(prior.quantile(1.0)) <= high:
        wrong = f"is not above {high:g}, and {prior.distribution} reaches there: add upper={high:g}"
    instead = "" if old.distribution in ("fixed", prior.distribution) else f", or take {old.distribution}"
    return f"{wrong}{instead}" if wrong else ""


def _slip(prior: Prior, old: Prior) -> str:
    """Why a value is none that anybody means: so far from the shipped ones that the equations overflow; else empty."""
    if old.distribution == "fixed" or values_of(old) != (-np.inf, np.inf):
        return ""
    low, middle, high = old.quantile([0.05, 0.5, 0.95], decimal_year(load_settings().as_of))
    value, widths = float(prior.quantile(0.5)), exploring().widths
    if abs(value - middle) <= widths * (high - low):
        return ""
    return (
        f"= {value:g} is more than {widths:g} times the width of its shipped 90% interval, {low:.4g} to {high:.4g}, away "
        "from there: check the unit; if it is meant, state it in a file and give it with --view"
    )


def _interval(family: Family, name: str, part: str, variable: Variable) -> dict[str, Any]:
    """``LOW..HIGH``, or ``..HIGH`` of a family with one free parameter."""
    low, _, high = (end.strip() for end in part.partition(".."))
    if not high or bool(low) is (family.free == 1) or family.free == 0:
        raise InputError(f"{family.name}({part}) cannot be read: {_shape(family)}")
    ends = [number(name, end, variable) for end in (low, high) if end]
    return {"upper": ends[0]} if family.free == 1 else {"interval": ends}


def _own_number(key: str, name: str, value: str, variable: Variable) -> float:
    """A number beside an interval: bounds in the parameter's unit, everything else a plain number."""
    return number(name, value, variable) if key in ("lower", "upper", "c") else quantity(value, "1")


def _known(family: Family, given: Mapping[str, float]) -> dict[str, float]:
    """The keys beside an interval, if all of them are some."""
    keys = [key for key in STATEMENT_KEYS if key not in ("params", "interval", "quantiles", "value")]
    for key in given:
        if key not in keys:
            raise InputError(f"{family.name} takes no {key!r} here{suggestion(key, keys)}")
    return dict(given)


def _shape(family: Family) -> str:
    """How an interval of a family is written."""
    if family.free == 0:
        return f"give its parameters, {family.name}({', '.join(f'{key}=' for key in family.required)})"
    if family.free == 1:
        return f"it has one free parameter, write {family.name}(..0.3), the quantile at {DEFAULT_MASS:.0%}"
    return f"write {family.name}(0.1..0.3), its {DEFAULT_MASS:.0%} interval"


def _clashes(entries: Mapping[str, Prior]) -> list[str]:
    """Two ways to state the same thing."""
    return [
        f"--set {name}: cannot stand beside {instead}, which it replaces: give one of the two"
        for name, instead in ALTERNATIVES.items()
        if name in entries and instead in entries
    ]
