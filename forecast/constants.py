"""What the equations need besides parameters and that only the tables can give: centres and reference covariates."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.errors import InputError
from forecast.observations import Observations

NEEDED = ("chinchilla_losses", "inference_speed", "time_horizons")


def constants(data: Observations) -> dict[str, Any]:
    """Numbers derived from the tables, by the names that the equations read.

    Returns
    -------
    dict
        ``as_of_year``; the geometric centres of the loss data (params, tokens); the stream's reference point: median
        utilization of the decode rows and median weight-reading seconds of the production rows; the decimal years of
        the task horizons, whose mean effective compute centres the regression. A table that is still empty at `as_of`
        gives the centres of its later rows.
    """
    losses, speeds = rows(data, "chinchilla_losses"), rows(data, "inference_speed")
    read = weight_read_seconds(speeds)
    production = speeds["setting"].values == "production"
    return {
        "as_of_year": data.as_of_year,
        "loss_params_centre": float(np.exp(np.log(losses["params"].values).mean())),
        "loss_tokens_centre": float(np.exp(np.log(losses["tokens"].values).mean())),
        "stream_reference_utilization": float(np.nanmedian(speeds["utilization"].values)),
        "stream_reference_read_seconds": float(np.median(read[production] if production.any() else read)),
        "horizon_years": horizon_years(data),
    }


def horizon_years(data: Observations) -> np.ndarray:
    """Decimal years of the task horizons; `as_of` where none is known yet."""
    years: np.ndarray = data["time_horizons"]["year"].values.astype(float)
    return years if years.size else np.array([data.as_of_year])


def weight_read_seconds(table: Any) -> np.ndarray:
    """Seconds that each deployment of the table inference_speed takes to read its active weights once."""
    seconds = table["active_params"] * table["bytes_per_param"] / (table["chips"] * table["memory_bandwidth"])
    result: np.ndarray = seconds.values
    return result


def coords(data: Observations) -> dict[str, list[str]]:
    """Labels of the dims that parameters have."""
    return {
        "loss_term": ["irreducible", "params", "tokens"],
        "family": sorted(set(data["architectures"]["family"].values.tolist())),
    }


def rows(data: Observations, name: str) -> Any:
    """The table; with its later rows where none is known yet, for a centre has to be somewhere."""
    table = data[name] if data[name].sizes["row"] else data.uncut[name]
    if table.sizes["row"] == 0:
        raise InputError(f"table {name} has no row: supply one")
    return table


def refuse_empty(data: Observations) -> None:
    """Raise InputError where a block has nothing to learn from at `as_of`: its prior would pass for a forecast."""
    for name in NEEDED:
        if data[name].sizes["row"] == 0:
            raise InputError(
                f"table {name} has no row up to {data.as_of}: choose a later --as-of or supply rows of your own"
            )


def staff_growth(data: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Growth of each lab's staff (ln per year) and its standard error, by least squares with one pooled residual.

    A lab is one study in the meta-analysis of staff growth: a line per lab inside the graph says the same with nine more
    parameters and a funnel that nutpie could not sample (ESS 230 of 4000).
    """
    table = data["research_staff"]
    lab, year, staff = table["lab"].values, table["year"].values, np.log(table["staff"].values)
    labs = [name for name in np.unique(lab) if (lab == name).sum() > 2]
    slopes, spreads, squares, freedom = [], [], 0.0, 0
    for name in labs:
        t, y = year[lab == name] - year[lab == name].mean(), staff[lab == name] - staff[lab == name].mean()
        slopes.append((t @ y) / (t @ t))
        spreads.append(t @ t)
        squares += float(((y - slopes[-1] * t) ** 2).sum())
        freedom += t.size - 2
    residual = np.sqrt(squares / max(freedom, 1))
    return np.array(slopes), residual / np.sqrt(np.array(spreads))
