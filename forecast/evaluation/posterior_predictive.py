"""What a table would look like if its block were right, and where it does not: outliers, trends, growing scatter, clusters.

A row's distance from its mean in spreads is pure noise under the draw that is true. So each statistic of those distances,
taken in every draw, is compared with the same statistic of simulated noise, and the p-value is the mean over the draws
(a realised discrepancy: Gelman, Meng & Stern 1996). The noise is the same whatever the draw, so one set of replicates
serves all of them. Such a p-value is below alpha at most twice as often as alpha (Meng 1994, Annals of Statistics 22),
and seldom that often, because a fit bends towards its rows. ``tests/evaluation/test_posterior_predictive.py`` pins its rates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.evaluation.predictive import Predictions, row_years, standard
from forecast.observations import Observations

Array = npt.NDArray[np.float64]
STREAM = 0x707063  # "ppc"
REPLICATES = 10_000
FAR = 2.0  # spreads
FEWEST_ROWS = 8  # for a statistic beyond the largest distance
FEWEST_VALUES = 4  # distinct times or sizes for a bend
GROUPS = ("organisation", "family", "model", "lab", "hardware", "setting", "confidence", "source")
NAMED_BY = ("run", "chip", "model")  # where no column says who made it, the first word of the name does
COVARIATES: dict[str, tuple[str, ...]] = {
    "architectures": ("params",),
    "chinchilla_losses": ("params", "tokens"),
    "tokens_per_param": ("training_flop",),
    "run_durations": ("training_flop",),
    "inference_speed": ("layers", "active_params"),
}
COLUMNS = (
    *("table", "statistic", "about", "rows", "observed", "expected", "low", "high", "p_value"),
    *("effect", "effect_units", "culprit", "culprit_mean", "culprit_rows"),
)


class Statistic(NamedTuple):
    """A statistic of the distances (..., row) of one table.

    Attributes
    ----------
    name : str
    about : what it is taken over: a column, "year", or nothing
    of : the function of distances (..., row) -> (...)
    effect : size of what it found in `effect_units`, from distances (..., row); nan where `observed` says it all
    groups : (row,) the group of each row, "" for none, where it is about groups
    one_sided : whether only large values are a fault
    """

    name: str
    about: str
    of: Callable[[Array], Array]
    effect: Callable[[Array], Any] = lambda z: np.nan
    effect_units: str = ""
    groups: npt.NDArray[Any] | None = None
    one_sided: bool = False


def pull(z: Array, nu: float | None) -> Array:
    """How hard a row pulls its mean, (nu + 1) z/(nu + z^2), scaled to variance 1; z itself for normal scatter.

    It is the score of the likelihood: a statistic built on it weighs a far row as little as the fit does.

    >>> pull(np.array([1.0]), None).tolist()
    [1.0]
    """
    if nu is None:
        return z
    return np.asarray((nu + 1.0) * z / (nu + z**2) * np.sqrt((nu + 3.0) / (nu + 1.0)))


def excess(z: Array, nu: float | None) -> Array:
    """How hard a row pulls its spread upwards, z score(z) - 1, scaled to variance 1."""
    if nu is None:
        return np.asarray((z**2 - 1.0) / np.sqrt(2.0))
    return np.asarray(((nu + 1.0) * z**2 / (nu + z**2) - 1.0) * np.sqrt((nu + 3.0) / (2.0 * nu)))


def contrast(x: Array, degree: int) -> Array:
    """Weights (row,) of length 1 that pick up a slope (degree 1) or a bend (2) along x and nothing of lower degree.

    >>> contrast(np.array([0.0, 1.0, 2.0]), 2).round(3).tolist()
    [0.408, -0.816, 0.408]
    """
    centred = (x - x.mean()) / np.std(x)
    found = np.linalg.qr(np.vander(centred, degree + 1, increasing=True))[0][:, degree]
    return np.asarray(found * np.sign(found @ centred**degree))


def share_between(z: Array, groups: npt.NDArray[Any]) -> Array:
    """Share of the variance of (..., row) that lies between groups, over rows whose group has at least two.

    >>> share_between(np.array([1.0, 1.0, -1.0, -1.0]), np.array(["a", "a", "b", "b"])).tolist()
    1.0
    """
    kept, index, count = in_groups(groups)
    one = z[..., kept]
    centred = one - one.mean(axis=-1, keepdims=True)
    sums = centred @ (index[:, None] == np.arange(count.size))
    return np.asarray((sums**2 / count).sum(axis=-1) / (centred**2).sum(axis=-1))


def in_groups(groups: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Positions of the rows whose group has at least two, the group's number of each, and the groups' sizes."""
    names, index, count = np.unique(groups, return_inverse=True, return_counts=True)
    real = (count > 1) & (names != "")
    kept = np.flatnonzero(real[index])
    _, number = np.unique(index[kept], return_inverse=True)
    return kept, number, count[real]


def tail_statistics(size: int) -> list[Statistic]:
    """The row furthest out, and the share beyond two spreads."""
    furthest = Statistic("largest distance", "", lambda z: np.abs(z).max(axis=-1))
    beyond = Statistic("share beyond 2 spreads", "", lambda z: (np.abs(z) > FAR).mean(axis=-1))
    return [furthest] if size < FEWEST_ROWS else [furthest, beyond]


def course_statistics(x: Array, about: str, unit: str, nu: float | None) -> list[Statistic]:
    """Slope, bend and growing scatter of the distances along x (years, or log10 of a size)."""
    distinct = np.unique(x).size
    if x.size < FEWEST_ROWS or distinct < 3:
        return []
    line, curve = contrast(x, 1), contrast(x, 2)
    length = float(np.sqrt(((x - x.mean()) ** 2).sum()))
    found = [
        Statistic(
            "trend", about, lambda z: pull(z, nu) @ line, lambda z: float((z @ line).mean()) / length, f"spreads/{unit}"
        ),
        Statistic(
            "scatter grows", about, lambda z: excess(z, nu) @ line, lambda z: growth(z, nu, line) / length, f"ln/{unit}"
        ),
    ]
    bend = Statistic("bend", about, lambda z: pull(z, nu) @ curve)
    return [*found, bend] if distinct >= FEWEST_VALUES else found


def growth(z: Array, nu: float | None, line: Array) -> float:
    """Estimate of d ln(spread) along a contrast of length 1, one step of Fisher scoring from no growth."""
    information = np.sqrt(2.0) if nu is None else np.sqrt(2.0 * nu / (nu + 3.0))
    return float((excess(z, nu) @ line).mean() / information)


def group_statistic(groups: npt.NDArray[Any], about: str, nu: float | None) -> list[Statistic]:
    """Clusters: the share of variance between groups, where at least two groups have at least two rows."""
    kept, _, count = in_groups(groups)
    if count.size < 2 or kept.size < FEWEST_ROWS:
        return []
    of = lambda z: share_between(pull(z, nu), groups)  # noqa: E731
    return [Statistic("clusters", about, of, groups=groups, one_sided=True)]


def statistics_of(found: Predictions, observations: Observations) -> list[Statistic]:
    """The statistics that a table's columns allow."""
    chosen = tail_statistics(found.observed.size)
    if found.axes or found.table not in observations.tables or found.observed.size < FEWEST_ROWS:
        return chosen
    table = observations[found.table]
    chosen += course_statistics(row_years(observations, found), "year", "year", found.nu)
    for column in COVARIATES.get(found.table, ()):
        size = np.log10(table[column].values[found.rows].astype(float))
        chosen += course_statistics(size, column, "OOM", found.nu)
    for about, groups in groups_of(table, found.rows):
        chosen += group_statistic(groups, about, found.nu)
    return chosen


def groups_of(table: Any, rows: npt.NDArray[np.int_]) -> Iterable[tuple[str, npt.NDArray[Any]]]:
    """Columns that group the rows of a table; the first word of the name where none says who made what."""
    for column in GROUPS:
        if column in table:
            yield column, table[column].values[rows]
    if "organisation" not in table:
        name = next((column for column in NAMED_BY if column in table), None)
        if name is not None:
            yield "first word of name", np.array([first_word(str(text)) for text in table[name].values[rows]])


def first_word(name: str) -> str:
    """The first word of a model's or chip's name, which tells its family.

    >>> [first_word(name) for name in ("gpt_4o", "Llama-2-7B", "o3", "NVIDIA H100")]
    ['gpt', 'llama', 'o', 'nvidia']
    """
    match = re.match(r"[^\W\d_]+", name)
    return match[0].lower() if match else ""


def noise(found: Predictions, seed: int, replicates: int = REPLICATES) -> Array:
    """Replicated distances of a table's rows from their means, in spreads, (replicate, row)."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM, found.observed.size)))
    return np.asarray(standard(found).rvs((replicates, found.observed.size), random_state=generator), dtype=float)


def predictive_p_value(observed: Array, replicated: Array, one_sided: bool = False) -> float:
    """P(replicated at least, or at most, as large as observed), (draw,) against (replicate,); twice the smaller side.

    >>> predictive_p_value(np.array([5.0]), np.arange(9.0), one_sided=True)  # 5, 6, 7 and 8 of 9, and itself
    0.5
    """
    ordered = np.sort(replicated)
    size = ordered.size + 1.0
    above = float((size - np.searchsorted(ordered, observed, side="left")).mean()) / size
    below = float((1.0 + np.searchsorted(ordered, observed, side="right")).mean()) / size
    return above if one_sided else min(1.0, 2.0 * min(above, below))


def predictive_frame(
    judged: Mapping[str, Predictions],
    observations: Observations,
    labels: Mapping[str, Sequence[str]],
    seed: int = 1,
) -> pd.DataFrame:
    """A row per table and statistic: mean over the draws, what noise gives, two-sided p-value, and who is behind it.

    ``observed`` is comparable with ``expected`` (median) and ``low`` to ``high`` (95%) of replicated tables; slopes and
    bends are in standard deviations of what noise alone would show. ``effect`` says a slope in spreads per year or OOM.
    """
    rows = []
    for table, one in judged.items():
        z, replicated = (one.observed - one.mean) / one.spread, noise(one, seed)
        rows += [
            predictive_row(table, statistic, z, replicated, labels[table])
            for statistic in statistics_of(one, observations)
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def predictive_row(
    table: str, statistic: Statistic, z: Array, replicated: Array, labels: Sequence[str]
) -> dict[str, Any]:
    """The row of one statistic."""
    observed, expected = statistic.of(z), statistic.of(replicated)
    low, middle, high = np.quantile(expected, (0.025, 0.5, 0.975))
    return {
        "table": table,
        "statistic": statistic.name,
        "about": statistic.about,
        "rows": z.shape[-1],
        "observed": float(observed.mean()),
        "expected": float(middle),
        "low": float(low),
        "high": float(high),
        "p_value": predictive_p_value(observed, expected, statistic.one_sided),
        "effect": statistic.effect(z),
        "effect_units": statistic.effect_units,
        **culprit(statistic, z.mean(axis=0), labels),
    }


def culprit(statistic: Statistic, z: Array, labels: Sequence[str]) -> dict[str, Any]:
    """The row furthest out, or the group whose mean is furthest for its size; `z` (row,) is the mean over the draws."""
    if statistic.groups is None:
        far = int(np.abs(z).argmax())
        return {"culprit": labels[far], "culprit_mean": float(z[far]), "culprit_rows": 1}
    kept, index, count = in_groups(statistic.groups)
    means = np.bincount(index, weights=z[kept]) / count
    far = int(np.abs(means * np.sqrt(count)).argmax())
    name = str(statistic.groups[kept][index == far][0])
    return {"culprit": name, "culprit_mean": float(means[far]), "culprit_rows": int(count[far])}
