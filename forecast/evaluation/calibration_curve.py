"""Whether probabilities came true: coverage with exact intervals, calibration curve, PIT bins, Brier score, reliability.

The one thing to know: figures of one forecast share its draws, so they hit or miss together, and an interval that takes
them as independent coins is too narrow. Every count therefore stands beside what the forecast itself expects: the range
it would lie in, 9 times in 10, were the forecast right (`ranks_within`: the draws' own PITs, taken jointly).
``tests/evaluation/test_scoring.py`` holds all of it to closed forms and to figures drawn from a forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Array = npt.NDArray[np.float64]
LEVELS = tuple(round(0.1 * k, 1) for k in range(1, 10))  # nominal masses of central intervals
PIT_BINS, PROBABILITY_BINS = 10, 5
MASS = 0.9  # of every interval and range here
TAILS = (0.5 - MASS / 2.0, 0.5 + MASS / 2.0)
ROUNDING = 1e-9


def proportion_interval(count: int, of: int, mass: float = MASS) -> tuple[float, float]:
    """Exact (Clopper-Pearson) equal-tailed interval of a probability, from `count` successes `of` independent trials.

    >>> [round(end, 4) for end in proportion_interval(9, 10)]
    [0.6058, 0.9949]
    >>> proportion_interval(0, 0)
    (0.0, 1.0)
    """
    tail = 0.5 * (1.0 - mass)
    low = float(stats.beta.ppf(tail, count, of - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(1.0 - tail, count + 1, of - count)) if count < of else 1.0
    return low, high


def is_inside(pit: Array, mass: float) -> npt.NDArray[np.bool_]:
    """Which figures lie inside the central interval of that mass, by their PIT.

    >>> is_inside(np.array([0.05, 0.5, 0.96]), 0.9).tolist()
    [True, True, False]
    """
    return np.asarray(np.abs(2.0 * np.asarray(pit) - 1.0) <= mass + ROUNDING)


def ranks_within(samples: Array) -> Array:
    """PIT of every sample within its own column, (draw, row); ties share their mean.

    One row of it is what the PITs would be if that draw were the truth, so that rows hit or miss together as the forecast
    expects them to.

    >>> ranks_within(np.array([[1.0], [3.0], [3.0], [np.inf]])).ravel().tolist()
    [0.125, 0.5, 0.5, 0.875]
    """
    found: Array = (stats.rankdata(samples, axis=0) - 0.5) / max(samples.shape[0], 1)
    return found


def expected_range(statistic: Array) -> tuple[float, float]:
    """Range in which a statistic of the figures lies 9 times in 10 if the forecast is right, from its values by draw."""
    low, high = np.quantile(statistic, TAILS)
    return float(low), float(high)


def calibration_curve(pit: Array, ranks: Array) -> pd.DataFrame:
    """Nominal mass of the central interval against the share of figures inside it.

    Parameters
    ----------
    pit : (row,)
    ranks : (draw, row)
        From `ranks_within`.

    Returns
    -------
    pandas.DataFrame
        level, n, inside, share, low and high (exact 90% interval of the share, rows taken as independent), expected_low
        and expected_high (range of the share, 9 times in 10, were the forecast right). Without figures, no rows.
    """
    rows = [{"level": level} | coverage(pit, ranks, level) for level in LEVELS if pit.size]
    return pd.DataFrame(rows, columns=["level", *coverage(np.full(1, 0.5), np.full((1, 1), 0.5), 0.5)])


def coverage(pit: Array, ranks: Array, mass: float) -> dict[str, float]:
    """Figures inside the central interval of that mass: count, share, exact interval, expected range."""
    count = int(is_inside(pit, mass).sum())
    low, high = proportion_interval(count, pit.size)
    expected = expected_range(is_inside(ranks, mass).mean(axis=1))
    return {
        "n": pit.size,
        "inside": count,
        "share": count / pit.size,
        "low": low,
        "high": high,
        "expected_low": expected[0],
        "expected_high": expected[1],
    }


def pit_bins(pit: Array, ranks: Array, bins: int = PIT_BINS) -> pd.DataFrame:
    """Histogram of the PITs: low, high, count, and the range of the count, 9 times in 10, were the forecast right.

    Without figures, no rows.

    >>> pit_bins(np.array([0.02, 0.51, 0.55]), np.full((2, 3), 0.5), bins=2)["count"].tolist()
    [1, 2]
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.bincount(which(pit, bins), minlength=bins)
    by_draw = np.stack([(which(ranks, bins) == k).sum(axis=1) for k in range(bins)])
    low, high = np.quantile(by_draw, TAILS, axis=1)
    found = pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "count": counts, "expected_low": low, "expected_high": high}
    )
    return found[: bins if pit.size else 0]


def which(share: Array, bins: int) -> npt.NDArray[np.int_]:
    """Number of the equal bin of 0..1 that each share falls into; 1 belongs to the last."""
    found: npt.NDArray[np.int_] = np.minimum((np.asarray(share) * bins).astype(int), bins - 1)
    return found


def group_summary(rows: pd.DataFrame, ranks: Array) -> dict[str, Any]:
    """Coverage, bias and mean scores of some figures.

    Parameters
    ----------
    rows : pandas.DataFrame
        With pit, scale_observed, scale_q50, crps, log_score.
    ranks : (draw, row)

    Returns
    -------
    dict
        n; per mass 50 and 90 inside, coverage, its exact interval (_low, _high) and expected range (_expected_low, ...);
        bias (mean PIT less 1/2) with its expected range; median_error (median of observed less forecast median, on the
        scale); crps and log_score (means over the figures that have one).
    """
    pit = rows["pit"].to_numpy(dtype=float)
    found: dict[str, Any] = {"n": len(rows)}
    for mass in (50, 90):
        part = coverage(pit, ranks, mass / 100.0)
        found |= {f"inside_{mass}": part["inside"], f"coverage_{mass}": part["share"]}
        found |= {f"coverage_{mass}_{end}": part[end] for end in ("low", "high", "expected_low", "expected_high")}
    bias = expected_range(ranks.mean(axis=1) - 0.5)
    error = rows["scale_observed"] - rows["scale_q50"]
    return found | {
        "bias": float(pit.mean() - 0.5),
        "bias_expected_low": bias[0],
        "bias_expected_high": bias[1],
        "median_error": float(error.median()),
        "crps": float(rows["crps"].mean()),
        "log_score": float(rows["log_score"].mean()),
    }


def brier_summary(probability: Array, happened: Array) -> dict[str, float]:
    """Brier score of some questions, beside two rivals.

    Returns
    -------
    dict
        n, happened, mean_probability, brier, brier_half (1/4: always 50%), base_rate (the share that came true),
        brier_base_rate (always saying that share, which nobody knew beforehand: a generous rival) and skill, 1 - brier
        over that; NaN where all came out the same way.

    >>> found = brier_summary(np.array([0.9, 0.2]), np.array([1.0, 0.0]))
    >>> round(found["brier"], 4), found["brier_base_rate"], round(found["skill"], 2)
    (0.025, 0.25, 0.9)
    """
    brier = float(np.mean((probability - happened) ** 2))
    rate = float(np.mean(happened))
    rival = rate * (1.0 - rate)
    return {
        "n": probability.size,
        "happened": int(np.sum(happened)),
        "mean_probability": float(np.mean(probability)),
        "brier": brier,
        "brier_half": 0.25,
        "base_rate": rate,
        "brier_base_rate": rival,
        "skill": 1.0 - brier / rival if rival > 0.0 else float("nan"),
    }


def reliability(probability: Array, happened: Array, bins: int = PROBABILITY_BINS) -> pd.DataFrame:
    """Of the questions given about such a probability, how many came true.

    Returns
    -------
    pandas.DataFrame
        One row per bin that holds a question: low, high, n, probability (their mean), happened, share, and share_low and
        share_high, its exact 90% interval if the questions are independent.

    >>> reliability(np.array([0.1, 0.15, 0.95]), np.array([0.0, 1.0, 1.0]))[["n", "share"]].values.tolist()
    [[2.0, 0.5], [1.0, 1.0]]
    """
    bin_of = which(probability, bins)
    records: list[Mapping[str, float]] = []
    for k in np.unique(bin_of):
        own = bin_of == k
        count, of = int(happened[own].sum()), int(own.sum())
        low, high = proportion_interval(count, of)
        ends = {"low": k / bins, "high": (k + 1) / bins}
        means = {"probability": float(probability[own].mean()), "happened": count, "share": count / of}
        records.append(ends | {"n": of} | means | {"share_low": low, "share_high": high})
    columns = ["low", "high", "n", "probability", "happened", "share", "share_low", "share_high"]
    return pd.DataFrame(records, columns=columns)
