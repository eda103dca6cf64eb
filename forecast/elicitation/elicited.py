"""A prior of one's own from a few quantiles: the family that holds them, and what it implies.

Where a median stands beside an interval, the interval rules and the median chooses among the families: two numbers are
met exactly, a third as well as the family can. ``tests/elicitation/test_elicitation.py`` pins both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import InputError
from forecast.families import FAMILIES, Family, StatementFault, family_named, suggestion
from forecast.observations import load_settings
from forecast.prior_files import JUDGEMENT, RANGES, SCHEMA, out_of_range
from forecast.priors import Priors, shipped_priors
from forecast.schema import decimal_year
from forecast.statements import AS_OF, Prior, stated

Array = npt.NDArray[np.float64]
Range = tuple[float | str | None, float | str | None]
HARD_ENDS = ("Uniform", "LogUniform", "Triangular")  # their ends are beliefs, not what the parameter can take
FITTING = 0.05  # a family whose probability of a middle number is off by no more is as good as any
ORDER = ("Normal", "LogNormal", "LogitNormal", "TruncatedNormal", "Gamma", "Beta", "Uniform", "LogUniform")


def elicited(
    name: str, quantiles: Mapping[float, float], family: str | None = None, priors: Priors | None = None
) -> Prior:
    """The prior of a parameter with these quantiles.

    Parameters
    ----------
    name : str
        A parameter of the prior set.
    quantiles : Mapping[float, float]
        Value by probability, in the parameter's units. The lowest and the highest are met exactly; those between are met
        as far as the family can, and choose the family where none is given.
    family : str, optional
        PyMC class name; if None the present prior's family where it fits, else the one that fits best.
    priors : Priors, optional
        The set whose prior is to be replaced; the shipped one if None.

    Returns
    -------
    Prior
        With the name, block and units of the old one and source "judgement". Bounds of the old prior stay unless a
        quantile lies beyond one that is a belief and not the range of the parameter.

    Raises
    ------
    InputError
        For an unknown name, a parameter with several entries, or quantiles that the family cannot have.

    Examples
    --------
    >>> mine = elicited("returns", {0.05: 0.6, 0.5: 1.0, 0.95: 1.7})
    >>> mine.distribution, mine.statement
    ('LogNormal', {'interval': [0.6, 1.7], 'mass': 0.9})
    >>> mine.quantile([0.05, 0.5, 0.95]).round(3).tolist()
    [0.6, 1.01, 1.7]
    """
    old, asked = replaceable(name, priors), checked(quantiles)
    if family is None:
        return best(fitting(old, asked), old, asked)
    wanted, known = family_named(family), ranges(old, asked)
    first, *wider = [ends for ends in known if suits(wanted, old, asked, ends)] or known[:1]
    try:
        return solved(old, wanted, asked, first)
    except InputError:
        if not wider:
            raise
    return solved(old, wanted, asked, wider[0])


def candidates(name: str, quantiles: Mapping[float, float], priors: Priors | None = None) -> pd.DataFrame:
    """The families that can hold some quantiles of a parameter: the suggested one first, those with hard ends last.

    Returns
    -------
    pandas.DataFrame
        Columns family, statement, miss (how far the probability of a middle number is off, 0 where there is none),
        q01, q50, q99: where families that share an interval differ.

    Raises
    ------
    InputError
        As `elicited`.

    Examples
    --------
    >>> candidates("returns", {0.05: 0.6, 0.5: 1.0, 0.95: 1.7})["family"].tolist()[:2]
    ['LogNormal', 'Gamma']
    """
    old, asked = replaceable(name, priors), checked(quantiles)
    found, as_of = fitting(old, asked), shipped_as_of()
    first = best(found, old, asked)
    order = sorted(found, key=lambda one: (one is not first, one.distribution in HARD_ENDS, miss(one, asked)))
    rows = [
        (one.distribution, one.statement, miss(one, asked), *np.asarray(one.quantile([0.01, 0.5, 0.99], as_of)))
        for one in order
    ]
    return pd.DataFrame(rows, columns=["family", "statement", "miss", "q01", "q50", "q99"])


def replaceable(name: str, priors: Priors | None = None) -> Prior:
    """The prior of a parameter with single numbers, which a new one can replace."""
    known = shipped_priors() if priors is None else priors
    if name not in known:
        raise InputError(f"no prior named {name!r}{suggestion(name, known)}")
    if known[name].distribution == "Dirichlet" or (name in SCHEMA and SCHEMA[name].dims):
        raise InputError(f"{name} has several entries: quantiles do not state it; write an overlay file by hand")
    return known[name]


def checked(quantiles: Mapping[float, float]) -> dict[float, float]:
    """Quantiles in order of their probabilities, or what is wrong with them."""
    for q, value in quantiles.items():
        if not 0.0 < q < 1.0:
            raise InputError(f"{q:g} is no probability between 0 and 1: write 0.05 for 5%")
        if not np.isfinite(value):
            raise InputError(f"{q:.4g}: {value} is not a finite number: give one")
    asked = {float(q): float(quantiles[q]) for q in sorted(quantiles)}
    values = list(asked.values())
    if not asked:
        raise InputError("no quantiles: give at least two, such as 0.05 and 0.95")
    if any(a >= b for a, b in pairwise(values)):
        said = ", ".join(f"{q:g}: {x:g}" for q, x in asked.items())
        raise InputError(f"quantiles {said} do not rise with the probability: reorder them")
    return asked


def fitting(old: Prior, asked: Mapping[float, float]) -> list[Prior]:
    """The priors of all families that can hold some quantiles of a parameter."""
    reasons = []
    for ends in ranges(old, asked):
        found = []
        for family in dict.fromkeys((old.distribution, *ORDER)):
            if family not in FAMILIES or not suits(FAMILIES[family], old, asked, ends):
                continue
            try:
                one = solved(old, FAMILIES[family], asked, ends)
            except InputError as fault:
                reasons.append(str(fault))
                continue
            if family == old.distribution or inside(one, ends):
                found.append(one)
        if found:
            return found
    why = reasons[0] if reasons else f"{len(asked)} of them state no family: give at least two, such as 0.05 and 0.95"
    raise InputError(f"{old.name}: no family holds these quantiles: {why}")


def suits(family: Family, old: Prior, asked: Mapping[float, float], ends: Range) -> bool:
    """Whether a family is one to offer: as many free parameters as numbers, and the range of the parameter."""
    if family.free == 0 or (family.free == 1 and len(asked) > 1) or (family.free == 2 and len(asked) < 2):
        return False
    low, high = ends
    if family.name == old.distribution:
        return True
    positive = isinstance(low, float) and low >= 0.0
    return {
        "Normal": (low, high) == (None, None),
        "TruncatedNormal": (low, high) != (None, None),
        "LogNormal": positive and high is None,
        "Gamma": positive and high is None,
        "LogitNormal": (low, high) == (0.0, 1.0),
        "Beta": (low, high) == (0.0, 1.0),
        "Uniform": True,
        "LogUniform": positive,
    }.get(family.name, positive and family.free == 1)


def inside(prior: Prior, ends: Range) -> bool:
    """Whether a prior stays within a range; only hard ends, solved from quantiles, may not."""
    if prior.distribution not in HARD_ENDS:
        return True
    low, high = (shipped_as_of() if end == AS_OF else end for end in ends)
    return (low is None or prior.params["lower"] >= low) and (high is None or prior.params["upper"] <= high)


def ranges(old: Prior, asked: Mapping[float, float]) -> list[Range]:
    """The range of a parameter, and, where its upper end is only a belief, the range without it."""
    ends = parameter_range(old, asked)
    natural = FAMILIES[old.distribution].natural[1] if old.distribution in FAMILIES else np.inf
    cut = ends[1] is not None and ends[1] != natural and old.name not in RANGES
    return [ends, (ends[0], float(natural) if np.isfinite(natural) else None)] if cut else [ends]


def parameter_range(old: Prior, asked: Mapping[float, float]) -> Range:
    """What a parameter can take, as far as its present prior tells, None where it has no end.

    The ends of a uniform or triangular prior and a cut elsewhere than at 0 are beliefs: one gives way where a quantile
    lies beyond it.

    >>> parameter_range(shipped_priors()["depth_exponent"], {0.05: 0.1, 0.95: 0.7})
    (0.0, None)
    """
    first, last = min(asked.values()), max(asked.values())
    bounds = old.bounds or (old.params.get("lower"), old.params.get("upper"))
    if old.name in RANGES:
        low, high, _ = RANGES[old.name]
        cut = bounds[0] if isinstance(bounds[0], float) and low <= bounds[0] < first else low
        return cut, high if np.isfinite(high) else None
    if old.distribution == "fixed" or old.distribution in HARD_ENDS:
        least = old.params["value"] if old.distribution == "fixed" else old.params["lower"]
        return 0.0 if least > 0.0 and first > 0.0 else None, None
    start, stop = (float(x) if np.isfinite(x) else None for x in FAMILIES[old.distribution].natural)
    lower = start if bounds[0] is None or beyond(bounds[0], first) else bounds[0]
    upper = stop if bounds[1] is None or (isinstance(bounds[1], float) and last >= bounds[1]) else bounds[1]
    return lower, upper


def beyond(lower: float | str, value: float) -> bool:
    """Whether a value lies at or below a lower bound that may give way: any but 0 and the data's date."""
    return isinstance(lower, float) and lower != 0.0 and value <= lower


def solved(old: Prior, family: Family, asked: Mapping[float, float], ends: Range) -> Prior:
    """The member of a family with the outer quantiles, and with all of them where there is one."""
    rest = cuts(family, old, ends)
    dated = {key: shipped_as_of() if end == AS_OF and family.bounded else end for key, end in rest.items()}
    try:
        several = len(asked) > max(family.free, 1)
        said = {"quantiles": {f"{q:g}": x for q, x in asked.items()}} if several else outer(family, asked)
        prior = stated(family.name, said | dated)
    except StatementFault:
        if len(asked) <= 2:
            raise
        prior = stated(family.name, outer(family, asked) | dated)
    if dated != rest:  # a solution needs the number; the file says the word, so that it holds at any date
        prior = stated(family.name, {"params": prior.params | rest})
    named = replace(prior, name=old.name, block=old.block, units=old.units, source=(JUDGEMENT,))
    out = out_of_range(old.name, named)
    if out:
        raise InputError(f"{old.name} {out}")
    return named


def outer(family: Family, asked: Mapping[float, float]) -> dict[str, Any]:
    """The statement of the lowest and the highest quantile, as people write it."""
    low, high = min(asked), max(asked)
    first, last = asked[low], asked[high]
    if family.free == 1 and len(asked) == 1:
        return {"upper": first, "mass": low}
    if low < high and abs(low + high - 1.0) < 1e-9:
        return {"interval": [first, last], "mass": round(high - low, 9)}
    return {"quantiles": {f"{q:g}": x for q, x in ((low, first), (high, last))}}


def cuts(family: Family, old: Prior, ends: Range) -> dict[str, Any]:
    """What stands beside the quantiles: the range where the family's own is wider, the old degrees of freedom."""
    if "nu" in family.stated:
        if "nu" not in old.params:
            raise InputError(f"{family.name} needs degrees of freedom that the old prior lacks: take another family")
        return {"nu": old.params["nu"]}
    if family.name in HARD_ENDS or family.free != 2:
        return {}
    named = zip(("lower", "upper"), ends, family.natural, strict=True)
    return {key: end for key, end, natural in named if end is not None and end != natural}


def best(found: Sequence[Prior], old: Prior, asked: Mapping[float, float]) -> Prior:
    """The old family where it fits as well as any, else the one that misses least."""
    misses = {one.distribution: miss(one, asked) for one in found}
    least = max(FITTING, min(misses.values()))
    present = [one for one in found if one.distribution == old.distribution and misses[one.distribution] <= least]
    soft = [one for one in found if one.distribution not in HARD_ENDS] or list(found)
    return (present or sorted(soft, key=lambda one: max(misses[one.distribution], FITTING)))[0]


def miss(prior: Prior, asked: Mapping[float, float]) -> float:
    """Largest difference between the probability asked of a number and the one it has.

    >>> round(miss(elicited("returns", {0.05: 0.5, 0.95: 2.0}), {0.05: 0.5, 0.5: 1.0, 0.95: 2.0}), 9)
    0.0
    """
    found = share_below(prior, np.array(list(asked.values())), shipped_as_of())
    return float(np.max(np.abs(found - np.array(list(asked))), initial=0.0))


def share_below(prior: Prior, values: Array, as_of: float) -> Array:
    """Probability at or below some values; of a fixed one 0 or 1."""
    if prior.distribution == "fixed":
        return np.where(values >= prior.params["value"], 1.0, 0.0)
    return np.asarray(prior.scipy(as_of).cdf(values), dtype=float)


def shipped_as_of() -> float:
    """Decimal year of the shipped date of the data."""
    return decimal_year(load_settings().as_of)
