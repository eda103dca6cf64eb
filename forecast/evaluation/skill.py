"""How good the predictions of a back-test were: coverage, bias, and skill against the naive rivals with uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
ALL = "all"
RESAMPLES = 2000


def skill(rows: pd.DataFrame, by: Sequence[str] = ("table",), random_seed: int = 1) -> pd.DataFrame:
    """Counts, coverage, bias, scores and skill of each group of scored rows, and of all.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``Backtest.rows``, or any part of it.
    by : sequence of str
        Columns that make the groups: table, cut, horizon_band, series.
    random_seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        n (rows), figures (distinct ones: a figure that came after two cuts is predicted twice), coverage_50,
        coverage_90, bias (mean PIT less 1/2), log_score, and per rival ``skill_<rival>`` = 1 - CRPS over the rival's,
        ``gain_<rival>`` = mean log score less the rival's (nats), each with ``_low`` and ``_high``, a 90% bootstrap
        interval over figures. Where a group mixes tables, CRPS are ratios to the rival's mean in each table and cut,
        for units differ.

    Rows that a rival could not predict do not enter the comparison with it.

    Examples
    --------
    >>> import forecast as fc
    >>> fc.skill(fc.kept_backtests()["vintage"].rows, ["cut"])["n"].tolist()[0]
    607
    """
    import pandas as pd

    groups = [((ALL,) * len(by), rows)] + [
        (key if isinstance(key, tuple) else (key,), part) for key, part in rows.groupby(list(by), sort=True)
    ]
    records = [dict(zip(by, key, strict=True)) | summary_of(part, random_seed) for key, part in groups]
    return pd.DataFrame(records)


def summary_of(rows: pd.DataFrame, random_seed: int) -> dict[str, float]:
    """Coverage, bias and skill of some rows."""
    found: dict[str, float] = {
        "n": len(rows),
        "figures": len(rows[["table", "row", "date"]].drop_duplicates()),
        "coverage_50": inside(rows["pit"], 0.5),
        "coverage_90": inside(rows["pit"], 0.9),
        "bias": float(rows["pit"].mean() - 0.5),
        "log_score": float(rows["log_score"].mean()),
    }
    for rival in ("last", "line"):
        found |= against(rows, rival, random_seed)
    return found


def inside(pit: pd.Series[float], mass: float) -> float:
    """Share of rows inside the central interval of that mass."""
    return float((np.abs(pit.to_numpy() - 0.5) <= mass / 2.0).mean())


def against(rows: pd.DataFrame, rival: str, random_seed: int) -> dict[str, float]:
    """Skill and gain against one rival, with 90% bootstrap intervals over figures."""
    both = rows[rows[f"{rival}_crps"].notna()]
    names = [f"{kind}_{rival}{end}" for kind in ("skill", "gain") for end in ("", "_low", "_high")]
    if both.empty:
        return dict.fromkeys(names, float("nan"))
    unit = both.groupby(["table", "cut"])[f"{rival}_crps"].transform("mean").to_numpy()
    ours, theirs = both["crps"].to_numpy() / unit, both[f"{rival}_crps"].to_numpy() / unit
    gain = both["log_score"].to_numpy() - both[f"{rival}_log_score"].to_numpy()
    code = both.groupby(["table", "row", "date"]).ngroup().to_numpy()
    skill_of = bootstrap(np.stack([ours, theirs]), code, lambda sums: 1.0 - sums[0] / sums[1], random_seed)
    gain_of = bootstrap(np.stack([gain, np.ones(len(both))]), code, lambda sums: sums[0] / sums[1], random_seed)
    return dict(zip(names, [*skill_of, *gain_of], strict=True))


def bootstrap(
    columns: Array, cluster: npt.NDArray[np.int_], statistic: Callable[[Array], Array], random_seed: int
) -> tuple[float, float, float]:
    """A statistic of column sums, and its 5% and 95% quantiles when whole clusters are resampled.

    Parameters
    ----------
    columns : (column, row)
    cluster : (row,) rows that stand or fall together
    statistic : of sums (column, ...)
    """
    size = int(cluster.max()) + 1
    sums = np.stack([np.bincount(cluster, weights=column, minlength=size) for column in columns])
    rng = np.random.default_rng(random_seed)
    times = rng.multinomial(size, np.full(size, 1.0 / size), size=RESAMPLES)
    low, high = np.quantile(statistic(sums @ times.T), [0.05, 0.95])
    return float(statistic(sums.sum(axis=1))), float(low), float(high)
