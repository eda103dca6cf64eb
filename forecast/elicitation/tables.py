"""What a new prior implies, beside the one it replaces and the posterior: quantiles, probability by bins, bars of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.elicitation.elicited import replaceable, share_below, shipped_as_of
from forecast.priors import Priors
from forecast.runs import parameters_of, read_provenance
from forecast.statements import Prior
from forecast.words import number

Array = npt.NDArray[np.float64]
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
DECADES = 100.0  # a positive quantity that spans more is shown on a log scale
ROWS, BAR = 14, 20  # of the text histogram


def implied(
    prior: Prior, run: xr.DataTree | None = None, priors: Priors | None = None, levels: Sequence[float] = LEVELS
) -> pd.DataFrame:
    """Quantiles of a new prior beside the one it replaces and, with a run, the posterior.

    Parameters
    ----------
    prior : Prior
        With a name, as `elicited` returns it.
    run : xarray.DataTree, optional
        A fitted run; where its posterior has no draws of the parameter there is no such column.
    priors : Priors, optional
        The set with the prior that is replaced; the shipped one if None.
    levels : sequence of float
        Probabilities.

    Returns
    -------
    pandas.DataFrame
        Columns probability, new, old and, with a run, posterior; in the parameter's units.

    Examples
    --------
    >>> from forecast.elicitation.elicited import elicited
    >>> implied(elicited("returns", {0.05: 0.6, 0.95: 1.7}), levels=(0.05, 0.95)).round(3).values.tolist()
    [[0.05, 0.6, 0.4], [0.95, 1.7, 2.5]]
    """
    old, as_of, wanted = replaceable(prior.name, priors), as_of_year(run), np.asarray(levels, dtype=float)
    columns = {"probability": wanted, "new": prior.quantile(wanted, as_of), "old": old.quantile(wanted, as_of)}
    draws = posterior_draws(run, prior.name)
    if draws is not None:
        columns["posterior"] = np.quantile(draws, wanted)
    return pd.DataFrame(columns)


def histogram(prior: Prior, run: xr.DataTree | None = None, priors: Priors | None = None) -> pd.DataFrame:
    """Probability of equal bins under a new prior, the old one and, with a run, the posterior.

    Bins reach from the 1% to the 99% quantile of all of them and are equal on a log scale where a positive parameter
    spans more than two decades; what lies beyond is in no bin.

    Returns
    -------
    pandas.DataFrame
        Columns low, high (the bin's ends), new, old and, with a run, posterior.

    Examples
    --------
    >>> from forecast.elicitation.elicited import elicited
    >>> found = histogram(elicited("returns", {0.05: 0.6, 0.95: 1.7}))
    >>> len(found), bool(0.97 < found["new"].sum() <= 1.0)
    (14, True)
    """
    old, as_of, draws = replaceable(prior.name, priors), as_of_year(run), posterior_draws(run, prior.name)
    ends = [one.quantile([0.01, 0.99], as_of) for one in (prior, old)]
    ends += [] if draws is None else [np.quantile(draws, [0.01, 0.99])]
    edges = bin_edges(float(np.min(ends)), float(np.max(ends)))
    columns = {"low": edges[:-1], "high": edges[1:]}
    columns |= {label: np.diff(share_below(one, edges, as_of)) for label, one in (("new", prior), ("old", old))}
    if draws is not None:
        columns["posterior"] = np.histogram(draws, edges)[0] / draws.size
    return pd.DataFrame(columns)


def histogram_text(shares: pd.DataFrame) -> str:
    """What `histogram` returns, as bars of text on one scale.

    Examples
    --------
    >>> print(histogram_text(pd.DataFrame({"low": [0.0, 1.0], "high": [1.0, 2.0], "new": [0.2, 0.8]})))
             new
    0 to 1   #####                20%
    1 to 2   #################### 80%
    """
    labels = [
        f"{value_text(low)} to {value_text(high)}" for low, high in zip(shares["low"], shares["high"], strict=True)
    ]
    columns = [str(name) for name in shares if name not in ("low", "high")]
    width, top = max(map(len, labels)), float(shares[columns].to_numpy().max())
    lines = [" " * (width + 3) + "".join(f"{name:<{BAR + 7}}" for name in columns)]
    for label, row in zip(labels, shares[columns].to_numpy(), strict=True):
        bars = ("#" * round(BAR * share / top) for share in row)
        said = (f"{bar:<{BAR}} {100 * share:2.0f}%" for bar, share in zip(bars, row, strict=True))
        lines.append(f"{label:<{width}}   " + "   ".join(said))
    return "\n".join(line.rstrip() for line in lines)


def value_text(value: float) -> str:
    """A value of a parameter in three digits, five between 1,000 and 10,000, where calendar years lie.

    >>> value_text(1.8e10), value_text(0.2346), value_text(2028.52)
    ('18 billion', '0.235', '2028.5')
    """
    return f"{value:.5g}" if 1e3 <= abs(value) < 1e4 else number(value, 3)


def bin_edges(low: float, high: float) -> Array:
    """Ends of equal bins, on a log scale where a positive range is wide.

    >>> bin_edges(1.0, 10.0**14)[:3].tolist()
    [1.0, 10.0, 100.0]
    """
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = (
        np.geomspace(low, high, ROWS + 1) if low > 0.0 and high > DECADES * low else np.linspace(low, high, ROWS + 1)
    )
    return np.asarray(edges, dtype=float)


def posterior_draws(run: xr.DataTree | None, name: str) -> Array | None:
    """Draws of a parameter in a fitted run, or None where there are none."""
    if run is None or read_provenance(run)["kind"] == "prior":
        return None
    draws = np.asarray(parameters_of(run).get(name, 0.0), dtype=float)
    return draws if draws.ndim == 1 and np.ptp(draws) > 0.0 else None


def as_of_year(run: xr.DataTree | None) -> float:
    """Decimal year in which a run stands; without one, the shipped date."""
    return shipped_as_of() if run is None else float(parameters_of(run)["as_of_year"])
