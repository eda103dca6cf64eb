"""Each statistic against its closed form, at its nominal rate on noise, and flagged on data that have what it looks for."""

from __future__ import annotations

from datetime import date as Date

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from forecast.evaluation.posterior_predictive import (
    contrast,
    noise,
    normal_scores,
    predictive_frame,
    predictive_p_value,
    share_between,
    step_weights,
)
from forecast.evaluation.predictive import Predictions
from forecast.observations import Observations

ROWS, DRAWS = 60, 200
NU = 5.0


def observations(table: xr.Dataset) -> Observations:
    tables = {"architectures": table}
    return Observations(Date(2026, 1, 1), tables, {}, {}, tables)


def columns(rows: int = ROWS, seed: int = 1) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    return xr.Dataset(
        {
            "year": ("row", np.sort(rng.uniform(2018.0, 2026.0, rows))),
            "params": ("row", 10.0 ** rng.uniform(8.0, 12.0, rows)),
            "organisation": ("row", rng.choice(list("vwxyz"), rows)),
            "family": ("row", rng.choice(list("abcdefgh"), rows)),
        }
    )


def judged(observed: np.ndarray, nu: float | None = NU, mean: float = 0.0) -> Predictions:
    """Rows with a known mean of 0 and spread of 1, the same in all draws."""
    shape = (DRAWS, observed.size)
    return Predictions("architectures", np.arange(observed.size), np.full(shape, mean), np.ones(shape), observed, nu)


def frame_of(one: Predictions, table: xr.Dataset) -> pd.DataFrame:
    labels = {"architectures": [f"row {i}" for i in one.rows]}
    found = predictive_frame({"architectures": one}, observations(table), labels)
    return found.set_index(["statistic", "about"]).sort_index()


def right(seed: int, rows: int = ROWS) -> np.ndarray:
    return np.asarray(stats.t(NU).rvs(rows, random_state=seed))


# Closed forms


def test_scores_of_student_t_noise_are_standard_normal() -> None:
    scores = normal_scores(judged(right(1, 4000)))[0]
    assert stats.kstest(scores, "norm").pvalue > 0.01
    assert normal_scores(judged(np.array([stats.t(NU).ppf(0.2)])))[0, 0] == pytest.approx(stats.norm.ppf(0.2))


def test_scores_of_normal_scatter_are_distances_in_spreads() -> None:
    one = judged(np.array([1.5]), nu=None, mean=0.5)._replace(spread=np.full((DRAWS, 1), 2.0))
    assert normal_scores(one)[0, 0] == 0.5


def test_a_contrast_sees_its_degree_alone() -> None:
    x = np.random.default_rng(2).uniform(2018.0, 2026.0, 30)
    line, curve = contrast(x, 1), contrast(x, 2)
    assert line @ np.ones(30) == pytest.approx(0.0, abs=1e-12)
    assert curve @ np.stack([np.ones(30), x], axis=1) == pytest.approx(0.0, abs=1e-9)
    assert line @ line == pytest.approx(1.0)
    assert line @ x > 0.0 and curve @ (x - x.mean()) ** 2 > 0.0


def test_the_share_between_groups_is_that_of_the_analysis_of_variance() -> None:
    rng = np.random.default_rng(3)
    groups, values = rng.choice(list("abcd"), 40), rng.standard_normal(40)
    share = float(share_between(values, groups))
    statistic = stats.f_oneway(*(values[groups == name] for name in "abcd")).statistic
    assert (share / 3.0) / ((1.0 - share) / 36.0) == pytest.approx(statistic)


def test_a_group_of_one_row_says_nothing() -> None:
    values = np.array([1.0, 1.2, -1.0, -0.9, 50.0])
    assert share_between(values, np.array(list("aabbc"))) == pytest.approx(
        float(share_between(values[:4], np.array(list("aabb"))))
    )


def test_step_weights_are_the_two_sample_statistic() -> None:
    x, y = np.arange(10.0), np.random.default_rng(4).standard_normal(10)
    weights = step_weights(x)
    assert weights.shape == (10, 5)  # 3 to 7 rows on one side
    expected = (y[3:].mean() - y[:3].mean()) / np.sqrt(1.0 / 7.0 + 1.0 / 3.0)
    assert y @ weights[:, 0] == pytest.approx(expected)


def test_the_p_value_of_a_trend_is_that_of_a_normal_slope() -> None:
    y, table = np.random.default_rng(5).standard_normal(ROWS) + np.linspace(-0.3, 0.3, ROWS), columns()
    found = frame_of(judged(y, nu=None), table).loc[("trend", "year")]
    slope = y @ contrast(table["year"].values, 1)
    assert found["observed"] == pytest.approx(slope)
    assert found["p_value"] == pytest.approx(2.0 * stats.norm.sf(abs(slope)), abs=0.02)


def test_the_p_value_of_the_furthest_row_is_that_of_the_largest_of_so_many() -> None:
    y = right(6)
    found = frame_of(judged(y), columns()).loc[("largest distance", "")]
    beyond = 1.0 - (1.0 - 2.0 * stats.t(NU).sf(np.abs(y).max())) ** ROWS
    assert found["p_value"] == pytest.approx(2.0 * min(beyond, 1.0 - beyond), abs=0.02)


def test_a_p_value_is_the_mean_over_the_draws_of_those_of_each_draw() -> None:
    observed, replicated = np.array([0.5, 1.5, 2.5]), noise(1, 1)[:, 0]
    each = [predictive_p_value(np.array([x]), replicated, one_sided=True) for x in observed]
    assert predictive_p_value(observed, replicated, one_sided=True) == pytest.approx(np.mean(each))
    np.testing.assert_allclose(each, stats.norm.sf(observed), atol=0.01)


# Rates


def test_known_noise_is_flagged_at_the_nominal_rate() -> None:
    found = np.concatenate([frame_of(judged(right(seed)), columns(seed=seed))["p_value"] for seed in range(25)])
    assert (found <= 0.05).mean() == pytest.approx(0.05, abs=0.025)
    assert (found <= 0.2).mean() == pytest.approx(0.2, abs=0.05)


def test_a_well_specified_fit_is_flagged_less_often_than_that() -> None:
    found = np.concatenate([frame_of(*regression(seed))["p_value"] for seed in range(25)])
    assert (found <= 0.05).mean() <= 0.025


def regression(seed: int, rows: int = 30) -> tuple[Predictions, xr.Dataset]:
    """A straight line in time fitted to such data with a flat prior: exact draws of its posterior."""
    rng = np.random.default_rng(seed)
    table = columns(rows, seed)
    design = np.stack([np.ones(rows), table["year"].values - 2022.0], axis=1)
    y = design @ [1.0, 0.3] + 0.5 * rng.standard_normal(rows)
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ design.T @ y
    variance = ((y - design @ fitted) ** 2).sum() / rng.chisquare(rows - 2, DRAWS)
    noise_of = rng.standard_normal((DRAWS, 2)) @ np.linalg.cholesky(inverse).T
    slopes = fitted + np.sqrt(variance)[:, None] * noise_of
    spread = np.broadcast_to(np.sqrt(variance)[:, None], (DRAWS, rows))
    return Predictions("architectures", np.arange(rows), slopes @ design.T, spread, y, None), table


# Power


def test_a_row_far_out_is_found() -> None:
    y = right(7)
    y[11] = 25.0
    found = frame_of(judged(y), columns()).loc[("largest distance", "")]
    assert found["p_value"] < 0.01
    assert (found["culprit"], found["culprit_rows"]) == ("row 11", 1)


def test_tails_heavier_than_said_are_found() -> None:
    y = np.asarray(stats.t(NU).rvs(ROWS, random_state=8)) * 1.8
    assert frame_of(judged(y), columns()).loc[("share in the tails", ""), "p_value"] < 0.01


def test_a_trend_is_found_with_its_size() -> None:
    table = columns()
    year = table["year"].values
    found = frame_of(judged(right(9) + 0.4 * (year - 2022.0)), table).loc[("trend", "year")]
    assert found["p_value"] < 0.01
    assert found["effect"] == pytest.approx(0.4 * np.ptp(year), rel=0.35)


def test_a_bend_is_found_where_there_is_no_trend() -> None:
    table = columns()
    year = table["year"].values
    found = frame_of(judged(right(10) + 0.2 * (year - year.mean()) ** 2 - 1.0), table)
    assert found.loc[("bend", "year"), "p_value"] < 0.01
    assert found.loc[("bend", "params"), "p_value"] > 0.05


def test_a_step_is_found_with_the_rows_beyond_it() -> None:
    table = columns()
    large = table["params"].values > 2e11
    y = np.random.default_rng(11).standard_normal(ROWS) + 2.5 * large
    found = frame_of(judged(y, nu=None), table).loc[("step", "params")]
    assert found["p_value"] < 0.01
    assert found["culprit_rows"] == pytest.approx(large.sum(), abs=2)
    assert found["culprit"].startswith("above") and found["culprit_mean"] > 1.0


def test_a_scatter_that_grows_with_size_is_found_with_its_factor() -> None:
    table = columns(400)
    size = np.log10(table["params"].values)
    found = frame_of(judged(right(12, 400) * 10.0 ** (0.1 * (size - 10.0))), table).loc[("scatter grows", "params")]
    assert found["p_value"] < 0.01
    assert found["effect"] == pytest.approx(10.0**0.4, rel=0.35)


def test_clusters_are_found_with_the_group_furthest_out() -> None:
    table = columns()
    shift = np.where(table["organisation"].values == "w", 2.5, 0.0)
    found = frame_of(judged(right(13) + shift), table)
    assert found.loc[("clusters", "organisation"), "p_value"] < 0.01
    assert found.loc[("clusters", "organisation"), "culprit"] == "w"
    assert found.loc[("clusters", "family"), "p_value"] > 0.05


def test_few_rows_get_the_furthest_row_alone() -> None:
    table = columns(5)
    assert frame_of(judged(right(14, 5)), table).index.to_list() == [("largest distance", "")]


def test_axes_have_no_course_in_time() -> None:
    found = frame_of(judged(right(15))._replace(axes=True), columns())
    assert set(found.index.get_level_values("about")) == {""}


def test_names_that_stand_once_each_group_by_their_first_word() -> None:
    table = columns(16).drop_vars(["organisation", "family"])
    names = np.array([f"{maker}-{i}" for i in range(8) for maker in ("Llama", "Qwen")])
    found = frame_of(judged(right(16, 16)), table.assign(model=("row", names)))
    assert ("clusters", "first word of model") in found.index


def test_the_same_seed_gives_the_same_numbers() -> None:
    pd.testing.assert_frame_equal(frame_of(judged(right(17)), columns()), frame_of(judged(right(17)), columns()))
