"""Priors to and from PreliZ, for those who draw them in a notebook; only these two functions need the extra `elicit`.

PreliZ names families as PyMC does, and so do prior files. ``tests/elicitation/test_preliz_priors.py`` checks both ways.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from forecast.elicitation.elicited import replaceable
from forecast.errors import InputError
from forecast.families import FAMILIES, suggestion
from forecast.prior_files import JUDGEMENT, out_of_range
from forecast.priors import Priors
from forecast.statements import AS_OF, Prior, stated

RENAMED = {"Dirichlet": {"a": "alpha"}}  # PyMC's name -> PreliZ's, where they differ
CUT = "Truncated"


def to_preliz(prior: Prior, as_of: float | None = None) -> Any:
    """The PreliZ distribution of a prior, to look at (``plot_pdf``, ``summary``) or to compare.

    Parameters
    ----------
    prior : Prior
        Of any family but LogUniform, which PreliZ lacks.
    as_of : float, optional
        Decimal year of the data's date; needed where a bound is "as_of".

    Returns
    -------
    preliz.distributions.distributions.Distribution

    Raises
    ------
    InputError
        Where PreliZ is not installed, has no such family, or the prior is a fixed value.

    Examples
    --------
    >>> from forecast.priors import load_priors
    >>> to_preliz(load_priors()["depth_exponent"]).ppf(0.5).round(2)
    np.float64(0.25)
    """
    preliz = installed()
    family = getattr(preliz, prior.distribution, None)
    if family is None:
        what = "holds one value" if prior.distribution == "fixed" else f"is {prior.distribution}, which PreliZ lacks"
        raise InputError(f"{prior.name or 'this prior'} {what}: plot it with forecast.plots instead")
    names = RENAMED.get(prior.distribution, {})
    found = family(**{names.get(key, key): dated(prior, value, as_of) for key, value in prior.params.items()})
    if prior.bounds is None:
        return found
    ends = zip(("lower", "upper"), prior.bounds, strict=True)
    return getattr(preliz, CUT)(found, **{key: dated(prior, end, as_of) for key, end in ends if end is not None})


def from_preliz(distribution: Any, name: str, priors: Priors | None = None) -> Prior:
    """The prior of a parameter that a PreliZ distribution states, ``Truncated`` included.

    Parameters
    ----------
    distribution : preliz.distributions.distributions.Distribution
        With its parameters set, by hand or by ``preliz.maxent``, ``preliz.quartile`` and the like.
    name : str
        The parameter, as for `elicited`.
    priors : Priors, optional
        The set whose prior is to be replaced; the shipped one if None.

    Returns
    -------
    Prior
        Named, with block and units of the one that it is to replace and source "judgement".

    Raises
    ------
    InputError
        For a family that prior files do not know, a distribution without parameters, or an unknown name.

    Examples
    --------
    >>> import preliz
    >>> from_preliz(preliz.LogNormal(0.0, 0.5), "returns").statement
    {'params': {'mu': 0.0, 'sigma': 0.5}}
    """
    cut = type(distribution).__name__ == CUT
    inner = distribution.dist if cut else distribution
    family = FAMILIES.get(type(inner).__name__)
    if family is None:
        raise InputError(f"a prior file knows no {type(inner).__name__}{suggestion(type(inner).__name__, FAMILIES)}")
    names = RENAMED.get(family.name, {})
    given = {key: getattr(inner, names.get(key, key), None) for key in family.required + family.optional}
    if any(given[key] is None for key in family.required):
        raise InputError(f"this {family.name} has no parameters yet: give them, or let preliz.maxent find them")
    statement: dict[str, Any] = {"params": {key: plain(x) for key, x in given.items() if finite(x)}}
    if cut:
        statement |= {key: plain(x) for key in ("lower", "upper") if finite(x := getattr(distribution, key))}
    old = replaceable(name, priors)
    prior = replace(
        stated(family.name, statement), name=old.name, block=old.block, units=old.units, source=(JUDGEMENT,)
    )
    out = out_of_range(name, prior)
    if out:
        raise InputError(f"{name} {out}")
    return prior


def installed() -> Any:
    """The module preliz.

    Raises
    ------
    InputError
        Where it is not installed.
    """
    try:
        import preliz
    except ImportError as error:
        raise InputError(
            "PreliZ is not installed: pip install 'forecast[elicit]', or uv sync --extra elicit"
        ) from error
    return preliz


def dated(prior: Prior, value: Any, as_of: float | None) -> Any:
    """A parameter with "as_of" replaced by its decimal year."""
    if value == AS_OF and as_of is None:
        raise InputError(f"{prior.name} is bounded by the data's date: pass as_of, a decimal year such as 2026.83")
    return as_of if value == AS_OF else value


def finite(value: Any) -> bool:
    """Whether it is a bound at all: None and infinity are none."""
    return value is not None and bool(np.all(np.isfinite(value)))


def plain(value: Any) -> Any:
    """A number or list of numbers without NumPy's types."""
    return np.asarray(value, dtype=float).tolist()
