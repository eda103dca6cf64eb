"""What the joint draws imply beside what others published: read another way, the same figure changes the answer.

Source: MODEL section 3 (conversions of r) and section 4 (asymptotes). Nothing here is an input of the model.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.equations import research, takeoff, trends
from forecast.equations.trends import LN10
from forecast.headlines import REACHED_ONLY
from forecast.priors import Priors
from forecast.quantiles import quantile
from forecast.reporting.plain import readable
from forecast.schema import PRODUCTION, Variable
from forecast.side_draws import drawn
from forecast.words import number

PRIOR_DRAWS = 20_000
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
IMPLIED: dict[str, Variable] = {
    "returns_on_labour_now": Variable(
        "1", "returns to software R&D on cognitive labour alone, compute held fixed, at as_of without AI help"
    ),
    "returns_on_labour_at_automation": Variable("1", f"the same at full automation; {REACHED_ONLY}"),
    "sigma": Variable("1", "elasticity of substitution between cognitive labour and compute in research"),
    "infinite_labour_multiple": Variable("1", "research output with infinite labour, as a multiple of today's"),
    "infinite_compute_multiple": Variable("1", "research output with infinite compute, as a multiple of today's"),
    "tenth_compute_multiple": Variable("1", "research output with a tenth of the compute, as a multiple of today's"),
}


def implied_values(p: Mapping[str, Any], year_100: Any) -> xr.Dataset:
    """Draws (dim draw) of every quantity of `IMPLIED`.

    Parameters
    ----------
    p
        Parameters and constants of a run, as `runs.parameters_of` returns them.
    year_100 : (draw,)
        Decimal year of full automation, +inf where it is not reached: there the returns at automation are NaN.
    """
    share = p["compute_share"]
    rho = research.rho_from_infinite_labour(p["infinite_labour_multiple"], share)
    values = {
        "returns_on_labour_now": research.implied_returns_on_labour(p["returns"], share, rho),
        "returns_on_labour_at_automation": returns_at_automation(p, np.asarray(year_100), rho),
        **production_values(p),
    }
    size = np.shape(year_100)
    return xr.Dataset(
        {
            name: ("draw", np.broadcast_to(values[name], size), {"units": v.units, "definition": v.definition})
            for name, v in IMPLIED.items()
        }
    )


def production_values(p: Mapping[str, Any]) -> dict[str, Any]:
    """Sigma, both asymptotes and what a tenth of the compute leaves, implied by share, asymptote and exponent."""
    share, exponent = p["compute_share"], takeoff.compute_exponent(p)
    rho = research.rho_from_infinite_labour(p["infinite_labour_multiple"], share)
    log_a, log_b = research.log_asymptotes(rho, share)
    return {
        "sigma": research.sigma_from_rho(rho),
        "infinite_labour_multiple": np.exp(log_a),
        "infinite_compute_multiple": np.exp(np.minimum(log_b, 700.0)),  # a share near 1 exceeds any float
        "tenth_compute_multiple": research.ces(1.0, 0.1, share, rho, exponent),
    }


def implied_by_priors(priors: Priors, seed: int = 1) -> xr.Dataset:
    """Draws (dim draw) of what any prior set implies of research production before it has seen a table.

    Examples
    --------
    >>> from forecast.priors import load_priors
    >>> round(float(implied_by_priors(load_priors())["sigma"].median()), 2)
    0.87
    """
    names = ("compute_share", "infinite_labour_multiple", "parallelization_exponent", *PRODUCTION)
    stated = {name: drawn(priors[name], seed, name, PRIOR_DRAWS) for name in names if name in priors}
    values = production_values(stated | research.production(stated))
    known = {name: IMPLIED[name] for name in values}
    return xr.Dataset(
        {name: ("draw", values[name], {"units": v.units, "definition": v.definition}) for name, v in known.items()}
    )


def returns_at_automation(p: Mapping[str, Any], year_100: Any, rho: Any) -> Any:
    """Returns on labour at the labour and compute of each draw's full automation; NaN where it is not reached."""
    reached = np.isfinite(year_100)
    year = np.where(reached, year_100, p["as_of_year"])
    flop_now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = takeoff.milestones(flop_now, p)
    around = takeoff.surroundings(year, p)
    fleet_now = trends.log10_fleet(p["as_of_year"], p)
    then = takeoff.research(at.full, around, takeoff.deployed(at.full, around, at, p), at, fleet_now, p)
    people_now = p["parallelization_exponent"] * trends.log_leader_researchers(p["as_of_year"], p)
    log_compute = LN10 * (around.log10_fleet - fleet_now)
    point = (then.log_labour - people_now, log_compute, takeoff.compute_exponent(p))
    returns = research.implied_returns_on_labour(p["returns"], p["compute_share"], rho, *point)
    return np.where(reached, returns, np.nan)


def implied_table(values: xr.Dataset) -> pd.DataFrame:
    """Median and 90% interval of each implied quantity in words, beside the published figures."""
    rows = []
    for name, variable in IMPLIED.items():
        low, _, median, _, high = quantile(values[name], LEVELS).values.tolist()
        definition = readable(variable.definition)
        rows.append(
            {
                "Quantity": f"{definition[:1].upper()}{definition[1:]}",
                "Implied median": number(median),
                "Implied 90% interval": f"{number(low)} to {number(high)}",
                "Published": "; ".join(_spoken(entry) for entry in published().get(name, [])),
            }
        )
    return pd.DataFrame(rows)


def published() -> dict[str, list[dict[str, Any]]]:
    """The figures of ``published.toml`` by the names of `IMPLIED`."""
    return tomllib.loads(files("forecast.reporting").joinpath("published.toml").read_text(encoding="utf-8"))


def _spoken(entry: Mapping[str, Any]) -> str:
    figure = (
        number(entry["value"], 3) if "value" in entry else f"{number(entry['low'], 3)} to {number(entry['high'], 3)}"
    )
    assumed = "assumed, " if entry["kind"] == "assumption" else ""
    return f"{figure} ({assumed}{entry['what']}: {entry['cite']})"
