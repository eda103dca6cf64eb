"""Is each table calibrated: where every row falls in what all the others predict for it, and a test of uniformity.

The values should be uniform. `smooth_test` looks for four departures at once, with a p-value from simulated uniforms, so
that three rows are as valid as two hundred; ``tests/evaluation/test_loo_pit.py`` pins its rates. Values of a fitted table
push each other apart a little, which makes the test milder than stated, never harsher.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import eval_legendre

from forecast.evaluation.loo import LeaveOneOut, unreliable
from forecast.evaluation.predictive import Predictions, pit, some

Array = npt.NDArray[np.float64]
ORDER = 4
REFERENCE = 10_000  # simulated tables that a p-value is read from
STREAM = 0x706974  # "pit"
COMPONENTS = ("shift", "width", "lopsided", "tails")
# what a component says when it is negative or positive: of the rows, or of the predictions
VERDICTS = {
    "shift": ("predictions lie too high", "predictions lie too low"),
    "width": ("predictions are too wide", "predictions are too narrow"),
    "lopsided": ("rows stretch further below than above", "rows stretch further above than below"),
    "tails": ("rows fall into two heaps", "rows crowd the middle and the ends"),
}


def components(values: Array) -> Array:
    """Departures from uniformity, (..., 4): scaled means of the Legendre polynomials of degree 1 to 4.

    Each is standard normal, and the four nearly independent, for uniform `values` (..., row). Neyman 1937.

    >>> components(np.array([0.5, 0.5, 0.5])).round(3).tolist()
    [0.0, -1.936, 0.0, 1.949]
    """
    degree = np.arange(1, ORDER + 1)
    found = eval_legendre(degree[:, None], 2.0 * np.asarray(values)[..., None, :] - 1.0)
    return np.asarray(np.sqrt(2.0 * degree + 1.0) * found.sum(axis=-1) / np.sqrt(np.shape(values)[-1]))


def smooth_test(values: Array, seed: int = 1) -> tuple[float, Array]:
    """Neyman's smooth test of uniformity: p-value and `components` of `values` (row,).

    The statistic is the sum of the squared components; the p-value is the share of `REFERENCE` simulated sets of as many
    uniform values that have a larger one.
    """
    found = components(values)
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM, values.size)))
    larger = 0
    for _ in range(10):  # in parts: 200 rows x 10,000 sets x 4 components at once would take 65 megabytes
        others = components(generator.random((REFERENCE // 10, values.size)))
        larger += int(((others**2).sum(axis=-1) >= (found**2).sum()).sum())
    return (larger + 1.0) / (REFERENCE + 1.0), found


def surprise(values: Array) -> float:
    """p-value of the row furthest out: twice its tail probability times the number of rows (Bonferroni), at most 1.

    Valid however the rows depend on each other.

    >>> round(surprise(np.array([0.001, 0.5])), 6)
    0.004
    """
    return float(min(1.0, 2.0 * values.size * np.minimum(values, 1.0 - values).min()))


def verdict(found: Array) -> str:
    """The strongest of the four departures in words.

    >>> verdict(np.array([0.3, 2.5, 0.0, 1.0]))
    'predictions are too narrow'
    """
    strongest = int(np.abs(found).argmax())
    return VERDICTS[COMPONENTS[strongest]][int(found[strongest] > 0.0)]


def pit_frame(
    judged: Mapping[str, Predictions],
    found: Mapping[str, LeaveOneOut],
    labels: Mapping[str, Sequence[str]],
    seed: int = 1,
) -> pd.DataFrame:
    """A row per table: LOO-PIT tested for uniformity, the row furthest out, and the strongest departure in words.

    Rows whose leave-one-out is unreliable are left out; a table of such rows alone has no p-value.
    """
    rows = [pit_row(one, found[table], labels[table], seed) for table, one in judged.items()]
    return pd.DataFrame(rows)


def pit_row(one: Predictions, found: LeaveOneOut, labels: Sequence[str], seed: int) -> dict[str, Any]:
    """The row of one table."""
    keep = np.flatnonzero(~unreliable(found))
    said: dict[str, Any] = {"table": one.table, "rows": keep.size}
    if not keep.size:
        return said | dict.fromkeys(("p_value", *COMPONENTS, "p_extreme", "pit"), np.nan) | {"verdict": "", "row": ""}
    values = pit(some(one, keep), found.log_weights[:, keep])
    values = np.clip(values, 0.0, 1.0)
    p_value, parts = smooth_test(values, seed)
    far = int(np.abs(values - 0.5).argmax())
    return (
        said
        | {"p_value": p_value}
        | dict(zip(COMPONENTS, parts.tolist(), strict=True))
        | {"p_extreme": surprise(values), "pit": float(values[far])}
        | {"verdict": verdict(parts), "row": labels[keep[far]]}
    )
