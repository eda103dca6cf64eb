"""Somebody else's view on a fitted run, in seconds and without a fit.

A view (``priors/<view>.toml``) states what its author believes of some parameters, data included. Those take the view's
distribution, each draw keeping its rank; what the data say of the other parameters *given* those stays: they move along
the regression of the posterior on the parameters of the view, on unconstrained scales. That is exact for a Gaussian
posterior and says nothing where the view lies far outside it; `distance` says how far. ``forecast run --view`` fits anew.
``tests/test_views.py`` pins both: the Gaussian case, and that a view equal to the posterior changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from forecast.equations import trends
from forecast.equations.research import production
from forecast.errors import InputError
from forecast.overlays import AnyOverlay, Overlay
from forecast.priors import read_overlay
from forecast.runs import parameters_of, read_provenance, sample_shape, with_provenance
from forecast.schema import ALTERNATIVES, DERIVED, PRODUCTION, SAMPLE_DIMS, STATED
from forecast.side_draws import recorded_prior
from forecast.statements import Prior

EDGE = 1e-9  # share of a bounded range that keeps values off its ends
SEEN = 5.0  # weakest correlation that is followed, in standard errors of so many draws
REACH = 6.0  # posterior standard deviations beyond which the others follow a view no further
LARGEST = 300.0  # in logs: a parameter that a view drives beyond 1e130 is no number anyone meant
FLAT = 1e-12  # relative spread below which a parameter counts as fixed


def apply_view(run: xr.DataTree, *views: AnyOverlay, only: Iterable[str] | None = None) -> xr.DataTree:
    """The run as it would look to the author of a view; of several the later ones rule.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    *views : str, Path or Overlay
        Names of shipped views, paths of overlay files, or what ``forecast.assignments.assigned`` or
        ``forecast.presets.preset`` returns.
    only : iterable of str, optional
        Take only these parameters from the views: what one of them alone would change.

    Returns
    -------
    xarray.DataTree
        A run with the same draws, changed; its record says ``views``. It can be projected, not reused as a fit.

    Raises
    ------
    InputError
        For an unknown or faulty view, a scenario, a parameter with several entries, or an unknown name in `only`.

    Examples
    --------
    >>> from forecast import load_run
    >>> run = load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> apply_view(run, "davidson2023")  # doctest: +SKIP
    """
    overlays = [read_overlay(view) for view in views]
    for overlay in overlays:
        refuse_scenario(overlay)
    changes = {name: prior for overlay in overlays for name, prior in overlay.entries.items()}
    if only is not None:
        wanted = list(only)
        unknown = [name for name in wanted if name not in changes]
        if unknown:
            raise InputError(f"the view states no {unknown[0]}: it states {', '.join(sorted(changes))}")
        changes = {name: changes[name] for name in wanted}
    return changed(run, changes, overlays)


def refuse_scenario(overlay: Overlay) -> None:
    """A view states parameters; settings are what a scenario asks of the dynamics, and would be lost here."""
    if overlay.settings:
        raise InputError(
            f"{overlay.name!r} sets {', '.join(overlay.settings)}: that is a scenario, give it with --scenario"
        )
    if not overlay.entries:
        raise InputError(f"{overlay.name!r} states no parameter: add a table [priors.name], or give it with --scenario")


def changed(run: xr.DataTree, changes: Mapping[str, Prior], overlays: Iterable[Overlay]) -> xr.DataTree:
    """The run with some parameters replaced, and its record saying so."""
    record, shape = read_provenance(run), sample_shape(run)
    p = parameters_of(run)
    draws = conditioned(
        p,
        changes,
        {name: recorded_prior(record, name) for name in sampled(p) if name in record["priors"]},
        float(p["as_of_year"]),
    )
    posterior = run["posterior"].to_dataset()
    for name, values in draws.items():
        attrs = posterior[name].attrs if name in posterior else {"units": (STATED | DERIVED)[name].units}
        posterior[name] = (SAMPLE_DIMS, values.reshape(shape), attrs)
    tree = run.copy()
    tree["posterior"] = xr.DataTree(
        with_centre(posterior, p | draws, run["constant_data"]["horizon_years"].values, shape)
    )
    said = {name: prior.statement | {"distribution": prior.distribution} for name, prior in changes.items()}
    names = [*record.get("views", ()), *(overlay.label for overlay in overlays)]
    digest = hashlib.sha256(json.dumps([record["digests"]["fit"], names, said], sort_keys=True).encode()).hexdigest()
    record |= {"views": names, "priors": record["priors"] | said, "digests": record["digests"] | {"fit": digest}}
    return with_provenance(tree, record)


def changer(run: xr.DataTree) -> Callable[[Mapping[str, Prior]], dict[str, Any]]:
    """The parameters of all draws as `apply_view` would have them, as a function of what is stated, for many statements."""
    p, record = parameters_of(run), read_provenance(run)
    priors = {name: recorded_prior(record, name) for name in sampled(p) if name in record["priors"]}
    follow, years = conditioner(p, priors, float(p["as_of_year"])), run["constant_data"]["horizon_years"].values

    def parameters(stated: Mapping[str, Prior]) -> dict[str, Any]:
        new = p | follow(stated)
        return new | {"effective_flop_centre": trends.effective_flop_centre(years, new)}

    return parameters


def with_centre(posterior: xr.Dataset, p: Mapping[str, Any], years: Any, shape: tuple[int, int]) -> xr.Dataset:
    """The draws with the centre of the task-horizon regression where these parameters put it."""
    centre = trends.effective_flop_centre(years, p)
    attrs = posterior["effective_flop_centre"].attrs
    return posterior.assign(
        effective_flop_centre=(SAMPLE_DIMS, np.broadcast_to(centre, shape[0] * shape[1]).reshape(shape), attrs)
    )


def sampled(p: Mapping[str, Any]) -> list[str]:
    """Names of the parameters with one number per draw that vary between draws."""
    single = [name for name in STATED if np.ndim(p.get(name, 0.0)) == 1]
    return [name for name in single if np.ptp(p[name]) > FLAT * np.max(np.abs(p[name]))]


def conditioned(
    p: Mapping[str, Any], changes: Mapping[str, Prior], priors: Mapping[str, Prior], as_of: float
) -> dict[str, np.ndarray]:
    """Draws of the changed parameters and of those that follow them.

    Parameters
    ----------
    p : parameters and constants of the run, (draw,) or scalar
    changes : the view's distributions; names outside the joint model are left to `side_draws`
    priors : prior of every sampled parameter, for its range
    as_of : decimal year that a bound may name

    Returns
    -------
    dict
        Name -> (draw,), only of parameters that change.
    """
    return conditioner(p, priors, as_of)(changes)


def conditioner(
    p: Mapping[str, Any], priors: Mapping[str, Prior], as_of: float
) -> Callable[[Mapping[str, Prior]], dict[str, np.ndarray]]:
    """`conditioned` of one run as a function of the changes, for those who try many: the scales are taken once."""
    size, names = max(np.size(p[name]) for name in priors), list(priors)
    ends = {name: support(prior, as_of) for name, prior in priors.items()}
    old = np.stack([unconstrained(p[name], ends[name]) for name in names], axis=1)
    mean, covariance = old.mean(axis=0), np.cov(old, rowvar=False, bias=True)

    def draws(changes: Mapping[str, Prior]) -> dict[str, np.ndarray]:
        new = stated_draws(p, changes, as_of, size)
        moving = [i for i, name in enumerate(names) if name in new]
        rest = [i for i, name in enumerate(names) if name not in new]
        if not moving or not rest:
            return new
        new_v = np.stack([unconstrained(new[names[i]], ends[names[i]]) for i in moving], axis=1)
        reach = REACH * np.sqrt(covariance[moving, moving])
        followed_v = np.clip(new_v, mean[moving] - reach, mean[moving] + reach)
        beta = slopes(covariance, moving, rest, size)
        following = np.flatnonzero(beta.any(axis=0))
        shift = (followed_v - old[:, moving]) @ beta[:, following]
        moved = {rest[k]: shift[:, j] for j, k in enumerate(following) if shift[:, j].any()}
        return new | {names[i]: constrained(old[:, i] + by, ends[names[i]]) for i, by in moved.items()}

    return draws


def stated_draws(p: Mapping[str, Any], changes: Mapping[str, Prior], as_of: float, size: int) -> dict[str, np.ndarray]:
    """Draws of the changed parameters of the joint model, and of what follows from those of research production."""
    stated = {name: prior for name, prior in changes.items() if name in STATED}
    several = [name for name in stated if STATED[name].dims]
    if several:
        raise InputError(
            f"{several[0]} has several entries: a view cannot replace it in a run; fit it with forecast run --view"
        )
    new = {name: ranked(p.get(ALTERNATIVES.get(name, name), 0.0), prior, as_of, size) for name, prior in stated.items()}
    if any(name in PRODUCTION for name in new):
        new |= production({name: p[name] for name in ("compute_share", "infinite_labour_multiple")} | new)
    return new


def slopes(covariance: np.ndarray, v: list[int], u: list[int], size: int) -> np.ndarray:
    """Regression of the columns `u` on the columns `v`, (v, u), without those that correlate with none of them.

    One below `SEEN` standard errors of `size` draws is noise, and a view far away would blow it up.
    """
    between = covariance[np.ix_(v, u)]
    beta: np.ndarray = np.linalg.pinv(covariance[np.ix_(v, v)], hermitian=True) @ between
    variance = np.diag(covariance)
    correlation = np.abs(between) / np.maximum(np.sqrt(np.outer(variance[v], variance[u])), 1e-300)
    return np.where(correlation.max(axis=0) >= SEEN / np.sqrt(size), beta, 0.0)


def ranked(old: Any, prior: Prior, as_of: float, size: int) -> np.ndarray:
    """The view's quantiles in the order of the old draws: dependence on other parameters and noise are kept."""
    values = np.broadcast_to(np.asarray(old, dtype=float), size)
    level = (rankdata(values, method="ordinal") - 0.5) / size
    result: np.ndarray = np.broadcast_to(np.asarray(prior.quantile(level, as_of), dtype=float), size).copy()
    return result


def distance(run: xr.DataTree, view: AnyOverlay) -> dict[str, float]:
    """How far a view lies from the posterior: difference of medians in posterior standard deviations, unconstrained.

    Parameters that the run holds fixed, and those outside the joint model, have none.
    """
    record, p = read_provenance(run), parameters_of(run)
    as_of, varying = float(p["as_of_year"]), sampled(p)
    found = {}
    for name, prior in read_overlay(view).entries.items():
        if name in varying and name in read_provenance(run)["priors"]:
            ends = support(recorded_prior(record, name), as_of)
            old = unconstrained(p[name], ends)
            there = unconstrained(np.asarray(prior.quantile(0.5, as_of)), ends)
            found[name] = float((there - np.median(old)) / np.std(old))
    return found


def support(prior: Prior, as_of: float) -> tuple[float, float]:
    """Ends of a prior's range."""
    low, high = (float(prior.quantile(q, as_of)) for q in (0.0, 1.0))
    return low, high


def unconstrained(values: Any, ends: tuple[float, float]) -> np.ndarray:
    """Values on the whole line: logit between two ends, log from one, themselves without any."""
    low, high = ends
    x = np.asarray(values, dtype=float)
    if np.isfinite(low) and np.isfinite(high):
        share = np.clip((x - low) / (high - low), EDGE, 1.0 - EDGE)
        return np.log(share) - np.log1p(-share)
    if np.isfinite(low):
        return np.log(np.maximum(x - low, 1e-300))
    return -np.log(np.maximum(high - x, 1e-300)) if np.isfinite(high) else x


def constrained(values: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """The inverse of `unconstrained`."""
    low, high = ends
    if np.isfinite(low) or np.isfinite(high):
        values = np.clip(values, -LARGEST, LARGEST)
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) / (1.0 + np.exp(-values))
    if np.isfinite(low):
        return low + np.exp(values)
    return high - np.exp(-values) if np.isfinite(high) else values
