"""A mixture over the forms of the take-off, and how much of its spread is structure and how much parameters.

With form m of weight w_m, a quantity's variance is E[Var(x|m)] within forms (parameters) plus Var(E[x|m]) between them
(structure). One form with a long tail can hold nearly all of a variance, so the same split is given for ranks: the place
of each draw in the mixture, 0 to 1, which no tail can stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics.forms import CURRENCY, MIXED
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.schema import EVENTS, SAMPLE_DIMS
from forecast.side_draws import parameters_with

Array = Any  # NumPy array
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
GAINS = tuple(name for name in CURRENCY if name not in EVENTS)


def form_weights(run: xr.DataTree) -> dict[str, float]:
    """The weight of every form by the run's priors ``form_weight_*``, the mean over draws if they are uncertain; sum 1.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.

    Returns
    -------
    dict
        Weight by label of the form, as `all_forms` has it.

    Raises
    ------
    InputError
        If a weight is negative or none is above 0.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> round(sum(fc.form_weights(run).values()), 12)
    1.0
    """
    p = parameters_with(run, "rival_forms")
    drawn = np.stack([p[f"form_weight_{form}"] for form in MIXED])
    if (drawn < 0.0).any() or (drawn.sum(axis=0) <= 0.0).any():
        raise InputError("form_weight_*: a weight is negative or all are 0; give each form one of at least 0")
    return dict(zip(MIXED, (drawn / drawn.sum(axis=0)).mean(axis=1).tolist(), strict=True))


def mixture(comparison: xr.Dataset, weights: Mapping[str, float], levels: Sequence[float] = LEVELS) -> xr.Dataset:
    """The common currency over a weighted mixture of forms.

    Parameters
    ----------
    comparison
        What `compare_forms` returns.
    weights
        By labels of its dim form, for instance of `form_weights`; any sum above 0.
    levels
        Of the quantiles.

    Returns
    -------
    xarray.Dataset
        ``weight`` (form), normalised; each gain as quantiles (quantile), the smallest draw that holds so much of the
        mixture; the share of its variance and of the variance of its ranks that lies between forms
        (``<gain>_structure_share``, ``<gain>_structure_share_of_ranks``); each event as a probability.

    Raises
    ------
    InputError
        For a label that the comparison lacks and weights that are negative or sum to 0.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> mixed = fc.mixture(fc.all_forms(run), fc.form_weights(run))
    >>> 0.0 <= float(mixed.best_year_gain_structure_share_of_ranks) <= 1.0
    True
    """
    labels, weight = _normalised(weights, [str(name) for name in comparison.coords["form"].values])
    chosen = comparison.sel(form=labels)
    data: dict[str, Any] = {
        "weight": ("form", weight, {"units": "1", "definition": "weight of each form in the mixture"})
    }
    for name, variable in CURRENCY.items():
        values = chosen[name].transpose("form", *SAMPLE_DIMS).values.reshape(len(labels), -1)
        said = f"{variable.definition}, over the mixture of forms"
        if name in EVENTS:
            data[name] = ((), float(weight @ values.mean(axis=1)), {"units": "1", "definition": said})
            continue
        data[name] = (
            "quantile",
            weighted_quantiles(values, weight, levels),
            {"units": variable.units, "definition": said},
        )
        for suffix, of, x in (("", "variance", values), ("_of_ranks", "variance of ranks", ranks(values, weight))):
            text = f"share of the mixture's {of} of {name} that lies between forms"
            data[f"{name}_structure_share{suffix}"] = (
                (),
                structure_share(x, weight),
                {"units": "1", "definition": text},
            )
    return xr.Dataset(data, coords={"form": labels, "quantile": list(levels)})


def structure_share(values: Array, weight: Array) -> float:
    """Var(E[x|m]) / Var(x) over forms m: what share of the variance would go if the form were known, 0 to 1.

    `values` is (form, draw), finite; `weight` (form,) sums to 1. 0 where nothing varies.

    >>> structure_share(np.array([[0.0, 2.0], [4.0, 6.0]]), np.array([0.5, 0.5]))  # between 4, within 1
    0.8
    """
    means = values.mean(axis=1)
    between = weight @ (means - weight @ means) ** 2
    within = weight @ values.var(axis=1)
    return float(between / (between + within)) if between + within > 0.0 else 0.0


def ranks(values: Array, weight: Array) -> Array:
    """Each draw's place in the mixture: weight below it plus half of the weight that equals it, (form, draw) in 0..1.

    >>> ranks(np.array([[1.0, 1.0], [5.0, 7.0]]), np.array([0.5, 0.5])).tolist()
    [[0.25, 0.25], [0.625, 0.875]]
    """
    each = np.repeat(weight / values.shape[1], values.shape[1])
    _, place = np.unique(values.ravel(), return_inverse=True)
    mass = np.bincount(place.ravel(), weights=each)
    result: Array = (np.cumsum(mass) - 0.5 * mass)[place].reshape(values.shape)
    return result


def weighted_quantiles(values: Array, weight: Array, levels: Sequence[float]) -> Array:
    """Smallest value that at least `level` of the mixture does not exceed; +inf is an ordinary value, (quantile,).

    >>> weighted_quantiles(np.array([[1.0, 2.0], [3.0, np.inf]]), np.array([0.9, 0.1]), [0.45, 0.5, 0.99])
    array([ 1.,  2., inf])
    """
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    held = np.cumsum(np.repeat(weight / values.shape[1], values.shape[1])[order])
    place = np.searchsorted(held, np.asarray(levels) * held[-1] * (1.0 - 1e-12))
    result: Array = flat[order][np.minimum(place, flat.size - 1)]
    return result


def _normalised(weights: Mapping[str, float], known: Sequence[str]) -> tuple[list[str], Array]:
    unknown = [name for name in weights if name not in known]
    if unknown:
        raise InputError(f"the comparison has no form {unknown[0]!r}{suggestion(unknown[0], known)}")
    values = np.array(list(weights.values()), dtype=float)
    if not (np.isfinite(values).all() and (values >= 0.0).all() and values.sum() > 0.0):
        raise InputError(f"weights of forms are {dict(weights)}: give numbers of at least 0 with one above 0")
    return list(weights), values / values.sum()
