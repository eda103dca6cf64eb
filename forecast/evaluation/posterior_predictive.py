"""What a table would look like if its block were right, and where it does not: outliers, trends, growing scatter, clusters.

The one thing to know: a row's distance from its mean, said as a normal score, is standard normal noise under the draw that
is true, whatever its block. So each statistic of the scores, taken in every draw, is compared with the same statistic of
simulated noise, and the p-value is the mean over the draws (a realised discrepancy: Gelman, Meng & Stern 1996, Statistica
Sinica 6). One set of replicates serves all draws. Such a p-value is below alpha at most twice as often as alpha (Meng 1994,
Annals of Statistics 22), and in fact less often than that, because a fit bends towards its rows.
``tests/evaluation/test_posterior_predictive.py`` pins its rates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from forecast.evaluation.predictive import Predictions, row_years
from forecast.observations import Observations
from forecast.words import number

Array = npt.NDArray[np.float64]
STREAM = 0x707063  # "ppc"
REPLICATES = 10_000
OUTER = 0.1  # probability of the two tails together
FEWEST_ROWS = 8  # for a statistic beyond the largest distance
FEWEST_VALUES = 4  # distinct times or sizes for a bend or a step
FEWEST_IN_STEP = 3  # rows on either side of a step: two could be chance outliers
GROUPS = ("organisation", "family", "lab", "hardware", "setting", "rank", "confidence", "source")
NAMED_BY = ("model", "chip")  # where no column says who made it; the first word of names that stand once each
COVARIATES: dict[str, tuple[str, ...]] = {
    "architectures": ("params",),
    "chinchilla_losses": ("params", "tokens"),
    "tokens_per_param": ("training_flop",),
    "run_durations": ("training_flop",),
    "inference_speed": ("layers", "active_params"),
}
COLUMNS = (
    *("table", "statistic", "about", "rows", "observed", "expected", "low", "high", "p_value"),
    *("effect", "culprit", "culprit_mean", "culprit_rows"),
)


class Culprit(NamedTuple):
    """Who is behind a statistic: a row or some rows by name, how many, and their mean normal score."""

    culprit: str
    culprit_mean: float
    culprit_rows: int


class Statistic(NamedTuple):
    """A statistic of the normal scores (..., row) of one table.

    Attributes
    ----------
    name : str
    about : what it is taken over: a column, "year", or nothing
    of : the function of scores (..., row) -> (...)
    who : the culprit, from the rows' mean scores (row,), the side (1 or -1) on which the statistic lies, and their names
    effect : size of what it found, from scores (draw, row); nan where `observed` says it all
    one_sided : whether only large values are a fault
    """

    name: str
    about: str
    of: Callable[[Array], Array]
    who: Callable[[Array, float, Sequence[str]], Culprit]
    effect: Callable[[Array], float] = lambda w: np.nan
    one_sided: bool = False


def normal_scores(found: Predictions) -> Array:
    """The normal quantile of each row's place in its distribution, (draw, row): standard normal under the true draw.

    For normal scatter it is the distance from the mean in spreads; for Student-t a far row counts less than its distance.
    """
    z = (found.observed - found.mean) / found.spread
    if found.nu is None:
        return np.asarray(z)
    return np.asarray(np.sign(z) * -special.ndtri(special.stdtr(found.nu, -np.abs(z))))


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
    """The row furthest out, and the share in the outer tenth."""
    edge, far = -float(special.ndtri(OUTER / 2.0)), row_that_adds(lambda w, side: np.abs(w))
    furthest = Statistic("largest distance", "", lambda w: np.abs(w).max(axis=-1), far)
    beyond = Statistic("share in the tails", "", lambda w: (np.abs(w) > edge).mean(axis=-1), far)
    return [furthest] if size < FEWEST_ROWS else [furthest, beyond]


def course_statistics(x: Array, about: str) -> list[Statistic]:
    """Slope, growing scatter, bend and step of the scores along x (years, or log10 of a size)."""
    if x.size < FEWEST_ROWS or np.unique(x).size < FEWEST_VALUES:
        return []
    line, curve, steps = contrast(x, 1), contrast(x, 2), step_weights(x)
    over = float(np.ptp(line))
    found = [
        Statistic(
            *("trend", about, lambda w: w @ line, row_that_adds(lambda w, side: side * w * line)),
            effect=lambda w: float((w @ line).mean()) * over,
        ),
        Statistic(
            *("scatter grows", about, lambda w: (w**2 - 1.0) @ line / np.sqrt(2.0)),
            who=row_that_adds(lambda w, side: side * w**2 * line),
            effect=lambda w: float(np.exp(((w**2 - 1.0) @ line).mean() / 2.0 * over)),
        ),
        Statistic("bend", about, lambda w: w @ curve, row_that_adds(lambda w, side: side * w * curve)),
    ]
    if not steps.shape[1]:
        return found
    of = lambda w: np.abs(w @ steps).max(axis=-1)  # noqa: E731
    return [*found, Statistic("step", about, of, rows_beyond(steps, x, about), one_sided=True)]


def step_weights(x: Array) -> Array:
    """Weights (row, step) of length 1: the mean of the rows above a value of x less that of those up to it.

    Every value with at least `FEWEST_IN_STEP` rows on either side is a step.

    >>> step_weights(np.array([0.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0])).shape
    (7, 1)
    """
    above = x[:, None] > np.unique(x)[:-1]
    count = above.sum(axis=0)
    above = above[:, (count >= FEWEST_IN_STEP) & (x.size - count >= FEWEST_IN_STEP)]
    centred = above - above.mean(axis=0)
    return np.asarray(centred / np.sqrt((centred**2).sum(axis=0)))


def group_statistic(groups: npt.NDArray[Any], about: str) -> list[Statistic]:
    """Clusters: the share of variance between groups, where at least two groups have at least two rows."""
    kept, _, count = in_groups(groups)
    if count.size < 2 or kept.size < FEWEST_ROWS:
        return []
    return [Statistic("clusters", about, lambda w: share_between(w, groups), group_furthest(groups), one_sided=True)]


def row_that_adds(part: Callable[[Array, float], Array]) -> Callable[[Array, float, Sequence[str]], Culprit]:
    """Names the row with the largest part, a function of scores (row,) and side."""

    def who(w: Array, side: float, labels: Sequence[str]) -> Culprit:
        far = int(part(w, side).argmax())
        return Culprit(labels[far], float(w[far]), 1)

    return who


def group_furthest(groups: npt.NDArray[Any]) -> Callable[[Array, float, Sequence[str]], Culprit]:
    """Names the group whose mean score is furthest from 0 for its size."""

    def who(w: Array, side: float, labels: Sequence[str]) -> Culprit:
        kept, index, count = in_groups(groups)
        means = np.bincount(index, weights=w[kept]) / count
        far = int(np.abs(means * np.sqrt(count)).argmax())
        return Culprit(str(groups[kept][index == far][0]), float(means[far]), int(count[far]))

    return who


def rows_beyond(steps: Array, x: Array, about: str) -> Callable[[Array, float, Sequence[str]], Culprit]:
    """Names the fewer rows on one side of the strongest step."""

    def who(w: Array, side: float, labels: Sequence[str]) -> Culprit:
        after = steps[:, np.abs(w @ steps).argmax()] > 0.0
        few = after if 2 * after.sum() <= after.size else ~after
        edge = float(x[~after].max() if few is after else x[after].min())
        shown = f"{edge:.1f}" if about == "year" else number(10.0**edge)
        sides = ("after", "before") if about == "year" else ("above", "below")
        return Culprit(f"{sides[int(few is not after)]} {shown}", float(w[few].mean()), int(few.sum()))

    return who


def statistics_of(found: Predictions, observations: Observations) -> list[Statistic]:
    """The statistics that a table's columns allow."""
    chosen = tail_statistics(found.observed.size)
    if found.axes or found.table not in observations.tables or found.observed.size < FEWEST_ROWS:
        return chosen
    table = observations[found.table]
    chosen += course_statistics(row_years(observations, found), "year")
    for column in COVARIATES.get(found.table, ()):
        size = np.log10(table[column].values[found.rows].astype(float))
        chosen += course_statistics(size, column)
    for about, groups in groups_of(table, found.rows):
        chosen += group_statistic(groups, about)
    return chosen


def groups_of(table: Any, rows: npt.NDArray[np.int_]) -> Iterable[tuple[str, npt.NDArray[Any]]]:
    """Columns that group the rows of a table; its names where none says who made what."""
    for column in GROUPS:
        if column in table:
            yield column, table[column].values[rows].astype(str)
    name = next((column for column in NAMED_BY if column in table), None)
    if name is not None and "organisation" not in table:
        names = table[name].values[rows]
        if np.unique(names).size < names.size:
            yield name, names
        else:
            yield f"first word of {name}", np.array([first_word(str(text)) for text in names])


def first_word(name: str) -> str:
    """The first word of a model's or chip's name, which tells its family.

    >>> [first_word(name) for name in ("gpt_4o", "Llama-2-7B", "o3", "NVIDIA H100")]
    ['gpt', 'llama', 'o', 'nvidia']
    """
    match = re.match(r"[^\W\d_]+", name)
    return match[0].lower() if match else ""


def noise(size: int, seed: int, replicates: int = REPLICATES) -> Array:
    """Replicated normal scores of so many rows, (replicate, row)."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM, size)))
    return generator.standard_normal((replicates, size))


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

    ``observed`` is comparable with ``expected`` (median) and ``low`` to ``high`` (95%) of replicated tables; slopes, bends
    and steps are in standard deviations of what noise alone would show. ``effect`` is, of a trend, the change of the scores
    over the range of what it is about; of a scatter, the factor over that range. ``culprit`` is the row that adds most, the
    group furthest out, or the rows beyond a step; ``culprit_mean`` is their mean score.
    """
    rows = []
    for table, one in judged.items():
        scores, replicated = normal_scores(one), noise(one.observed.size, seed)
        rows += [
            predictive_row(table, statistic, scores, replicated, labels[table])
            for statistic in statistics_of(one, observations)
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def predictive_row(
    table: str, statistic: Statistic, scores: Array, replicated: Array, labels: Sequence[str]
) -> dict[str, Any]:
    """The row of one statistic."""
    observed, expected = statistic.of(scores), statistic.of(replicated)
    low, middle, high = np.quantile(expected, (0.025, 0.5, 0.975))
    return {
        "table": table,
        "statistic": statistic.name,
        "about": statistic.about,
        "rows": scores.shape[-1],
        "observed": float(observed.mean()),
        "expected": float(middle),
        "low": float(low),
        "high": float(high),
        "p_value": predictive_p_value(observed, expected, statistic.one_sided),
        "effect": statistic.effect(scores),
        **statistic.who(scores.mean(axis=0), float(np.sign(observed.mean() - middle)), labels)._asdict(),
    }
