"""Resolved questions: what a row may say, and what the draws of a run said of it."""

from __future__ import annotations

from datetime import date as Date
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.dynamics import takeoff, takeoff_with_years
from forecast.errors import InputError
from forecast.evaluation.answered import log_density
from forecast.evaluation.resolutions import Answer, read_resolutions
from forecast.evaluation.scored_rows import BEFORE
from forecast.evaluation.scores_words import events_words, figures_words, score_sentences, unscored_lines
from forecast.evaluation.scoring import Scores, score
from forecast.evaluation.templates import EXAMPLES, models, template, template_columns
from forecast.rows import TABLES
from forecast.schema import decimal_year
from forecast.table_files import read_table

DAY = Date(2028, 7, 1)
HEADER = "variable,date,value,threshold\n"


def written(folder: Path, *rows: str) -> Path:
    path = folder / "answers.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def scored(run: xr.DataTree, folder: Path, *rows: str) -> Scores:
    return score(run, written(folder, *rows))


def fault_of(folder: Path, row: str) -> str:
    with pytest.raises(InputError) as caught:
        read_resolutions(written(folder, row))
    return str(caught.value)


@pytest.fixture(scope="module")
def paths(prior_run: xr.DataTree) -> xr.Dataset:
    """Read-outs and the years 2028 and 2031, each at 1 July, by the public functions."""
    readouts, series = takeoff_with_years(prior_run, "baseline", range(2027, 2046))
    return readouts.merge(series.sel(year=[2028, 2031])).sel(scenario="baseline")


def draws(paths: xr.Dataset, name: str, year: int | None = None) -> np.ndarray:
    values = paths[name] if year is None else paths[name].sel(year=year)
    return values.values.ravel().astype(float)


# Against the draws themselves


@pytest.mark.parametrize("name", ["log10_training_flop", "log10_task_horizon", "layers", "log10_parallel_streams"])
def test_a_variable_on_a_day_has_the_distribution_of_the_take_off(
    prior_run: xr.DataTree, paths: xr.Dataset, name: str, tmp_path: Path
) -> None:
    own = draws(paths, name, 2028)
    value = float(np.sort(own)[90])
    row = scored(prior_run, tmp_path, f"{name},2028-07-01,{value!r},").rows.iloc[0]
    assert row["pit"] == pytest.approx(90.5 / own.size)  # the truth is one of the draws: it ties with itself
    assert row["q50"] == pytest.approx(np.median(own))
    assert row["q95"] == pytest.approx(np.quantile(own, 0.95))
    assert row["horizon"] == pytest.approx(decimal_year(Answer(name, DAY, value).date) - 2026.8329, abs=0.01)


def test_answers_that_one_draw_gives_have_that_draws_ranks(
    prior_run: xr.DataTree, paths: xr.Dataset, tmp_path: Path
) -> None:
    names = ["log10_training_flop", "log10_software", "stream_tokens_per_second", "deployment_utilization"]
    truth = {name: float(draws(paths, name, 2031)[17]) for name in names}
    found = scored(prior_run, tmp_path, *(f"{name},2031-07-01,{value!r}," for name, value in truth.items()))
    ranks = [(stats.rankdata(draws(paths, name, 2031))[17] - 0.5) / 300.0 for name in names]
    assert found.rows["pit"].tolist() == pytest.approx(ranks)
    assert found.rows["scale"].tolist() == ["log10 FLOP", "OOM", "ln tokens/s", "logit"]
    assert found.blocks["n"].tolist() == [1, 1, 1, 1]


def test_probabilities_are_shares_of_the_draws(prior_run: xr.DataTree, paths: xr.Dataset, tmp_path: Path) -> None:
    found = scored(
        prior_run,
        tmp_path,
        "year_100,2030-12-31,no,",
        "year_100<2035,2035-01-02,1,",
        "log10_training_flop,2028-07-01,0,28",
        "log10_training_flop,2028-07-01,28.4,28.2",
        "takeoff_years,2033-01-01,no,3",
        "acceleration,2033-01-01,yes,",
    )
    full, flop = draws(paths, "year_100"), draws(paths, "log10_training_flop", 2028)
    expected = [
        (full <= decimal_year(Answer("year_100", DAY.replace(2030, 12, 31), 0.0).date)).mean(),
        (full < 2035).mean(),
        (flop >= 28).mean(),
        (flop >= 28.2).mean(),
        (draws(paths, "takeoff_years") >= 3).mean(),
        draws(paths, "acceleration").mean(),
    ]
    by_question = dict(zip(found.events["question"], found.events["probability"], strict=True))
    asked = [
        "year_100 by 2030-12-31",
        "year_100 < 2035",
        "log10_training_flop >= 28 on 2028-07-01",
        "log10_training_flop >= 28.2 on 2028-07-01",
        "takeoff_years >= 3",
        "acceleration",
    ]
    assert [by_question[question] for question in asked] == pytest.approx(expected)
    happened = dict(zip(found.events["question"], found.events["happened"], strict=True))
    assert [happened[question] for question in asked] == [0, 1, 0, 1, 0, 1]
    brier = np.mean((np.array(expected) - [0, 1, 0, 1, 0, 1]) ** 2)
    assert found.brier.iloc[0]["brier"] == pytest.approx(brier)
    assert found.reliability["n"].sum() == 6


def test_a_time_that_some_draws_never_reach_is_capped_at_the_window_in_the_crps(
    prior_run: xr.DataTree, paths: xr.Dataset, tmp_path: Path
) -> None:
    found = scored(prior_run, tmp_path, "year_100,2031-08-01,2031.4,", "takeoff_years,2031-08-01,4,")
    full = draws(paths, "year_100")
    assert np.isposinf(full).any()
    x = np.minimum(full, 2046.0)
    spread = np.abs(x[:, None] - x).sum() / (x.size * (x.size - 1.0))
    row = found.rows.iloc[0]
    assert row["crps"] == pytest.approx(np.abs(x - 2031.4).mean() - 0.5 * spread)
    assert row["pit"] == pytest.approx((full <= 2031.4).mean())
    assert "never in" in row["note"] and "2046 in CRPS" in row["note"]
    assert np.isposinf(row["q95"]) and "not in the window" in figures_words(found)["Forecast (90% interval)"].iloc[0]
    assert any("proper" in note for note in found.notes)
    assert np.isfinite(found.rows["crps"]).all()


def test_a_number_that_some_draws_lack_has_a_pit_and_no_crps(
    prior_run: xr.DataTree, paths: xr.Dataset, tmp_path: Path
) -> None:
    row = scored(prior_run, tmp_path, "log10_streams_at_automation,2031-08-01,8,").rows.iloc[0]
    own = draws(paths, "log10_streams_at_automation")
    assert np.isnan(own).any()
    assert row["pit"] == pytest.approx((~(own > 8.0)).mean())  # those without any count as less
    assert np.isnan(row["crps"]) and "no CRPS" in row["note"]
    assert np.isfinite(row["log_score"])


def test_a_value_that_many_draws_share_lies_in_the_middle_of_them(
    prior_run: xr.DataTree, paths: xr.Dataset, tmp_path: Path
) -> None:
    own = draws(paths, "automated_share", 2031)
    assert (own == 1.0).mean() > 0.05
    row = scored(prior_run, tmp_path, "automated_share,2031-07-01,1,").rows.iloc[0]
    assert row["pit"] == pytest.approx(1.0 - 0.5 * (own == 1.0).mean())
    assert np.isnan(row["log_score"]) and row["note"] == "no log score: ties"


def test_the_log_score_of_normal_draws_is_the_normal_density() -> None:
    normal = np.random.default_rng(1).normal(2.0, 3.0, 20_000)
    assert log_density(normal, 3.0) == pytest.approx(stats.norm.logpdf(3.0, 2.0, 3.0), abs=0.03)
    half = np.where(np.arange(normal.size) % 2 == 0, normal, np.inf)
    assert log_density(half, 3.0) == pytest.approx(np.log(0.5) + stats.norm.logpdf(3.0, 2.0, 3.0), abs=0.05)
    assert np.isnan(log_density(np.full(50, np.inf), 1.0))


def test_a_scenario_changes_what_is_predicted(prior_run: xr.DataTree, tmp_path: Path) -> None:
    path = written(tmp_path, "log10_training_flop,2035-07-01,30,")
    slow, fast = (score(prior_run, path, name).rows["q50"].iloc[0] for name in ("baseline", "no_slowdown"))
    assert fast > slow
    with pytest.raises(InputError, match="no scenario named"):
        score(prior_run, path, "fastest")


def test_what_has_no_forecast_is_named_with_the_reason(prior_run: xr.DataTree, tmp_path: Path) -> None:
    found = scored(
        prior_run,
        tmp_path,
        "log10_params,2025-12-31,12,",
        "log10_params,2060-12-31,12,",
        "year_100,2060-12-31,no,",
        "not_automated,2028-12-31,yes,",
        "log10_params,2028-12-31,12,",
        "year_20,2024-06-30,no,",
    )
    assert found.rows["date"].tolist() == ["2028-12-31"]
    assert found.events["note"].tolist() == [BEFORE]
    said = "\n".join(unscored_lines(found))
    for words in ("before the run's as_of", "give more --years", "about the whole window"):
        assert words in said
    assert len(found.unscored) == 4
    longer = score(prior_run, tmp_path / "answers.csv", years=range(2026, 2066))
    assert len(longer.unscored) == 2


def test_that_outputs_are_scored_without_error_of_measurement_is_said(prior_run: xr.DataTree, tmp_path: Path) -> None:
    found = scored(prior_run, tmp_path, "year_100,2030-12-31,no,")
    assert found.rows.empty and found.overall.empty and found.calibration.empty and found.pit_bins.empty
    said = score_sentences(found)
    assert said[0].startswith("The one question did not come true")
    assert any("without error of measurement" in note for note in said)
    assert events_words(found)["Came true"].tolist() == ["no"]


# The file


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("log10_training_flops,2027-12-31,27,", "variable", "did you mean 'log10_training_flop'"),
        ("training_compute_growth,2027-12-31,0.6,", "variable", "is a parameter"),
        ("log10_training_flop@2027,2027-12-31,27,", "variable", "drop @2027"),
        ("year 100,2027-12-31,no,", "variable", "is no output"),
        ("year_100<soon,2027-12-31,no,", "variable", "is no output"),
        ("log10_training_flop,31/12/2027,27,", "date", "write YYYY-MM-DD"),
        ("log10_training_flop,2027-12-31,lots,", "value", "is not a number"),
        ("log10_training_flop,2027-12-31,inf,", "value", "is not finite"),
        ("log10_training_flop,2027-12-31,5e26,", "value", "is no log10 (write 26.7)"),
        ("log10_training_flop,2027-12-31,yes,", "value", "give a threshold or the figure"),
        ("log10_training_flop,2027-12-31,yes,5e26", "threshold", "write 26.7"),
        ("year_100<2031,2031-12-31,no,2030", "threshold", "drop one"),
        ("acceleration,2031-12-31,0.4,", "value", "write 1 or 0"),
        ("acceleration,2031-12-31,1,2", "threshold", "an event already"),
        ("year_100,2028-12-31,2029.5,", "value", "lies after 2028-12-31"),
        ("year_100,2028-12-31,2.5,", "value", "is no year"),
        ("year_100<2031,2028-12-31,no,", "date", "too early to know"),
        ("layers,2028-12-31,-3,", "value", "above 0 needed"),
        ("training_utilization,2028-12-31,38,", "value", "no share between 0 and 1"),
        ("layers,,120,", "date", "is empty"),
        ("layers,2028-12-31,,", "value", "is empty"),
        ("layers,2028-12-31,120,,,", "threshold", "6 cells for 4 columns"),
    ],
)
def test_a_faulty_row_is_named_by_file_line_and_column(row: str, column: str, words: str, tmp_path: Path) -> None:
    said = fault_of(tmp_path, row)
    assert said.startswith(f"{tmp_path}/answers.csv:2: {column}: ")
    assert words in said


def test_all_faults_are_named_at_once_and_a_repeat_is_one(tmp_path: Path) -> None:
    same = "layers,2028-12-31,120,"
    with pytest.raises(InputError) as caught:
        read_resolutions(written(tmp_path, same, "layer,2028-12-31,120,", same))
    assert [line.split(": ")[0][-2:] for line in str(caught.value).splitlines()] == [":3", ":4"]


def test_a_table_given_as_a_file_is_told_from_answers(tmp_path: Path) -> None:
    path = tmp_path / "training_runs.csv"
    path.write_text(template("training_runs"), encoding="utf-8")
    with pytest.raises(InputError, match="give the folder"):
        read_resolutions(path)


def test_a_value_answers_by_yes_or_by_itself(tmp_path: Path) -> None:
    rows = [
        "layers,2028-12-31,1,100",
        "layers,2028-12-31,99,100.5",
        "layers,2028-12-31,No,101",
        "layers,2028-12-31,99,",
    ]
    found = read_resolutions(written(tmp_path, *rows))
    assert [answer.happened for answer in found] == [True, False, False, None]
    assert found[3].value == 99.0
    (when,) = read_resolutions(written(tmp_path, "year_100,2029-09-01,2029-07-02,"))
    assert when.value == pytest.approx(2029.4986, abs=1e-3)


# Templates


@pytest.mark.parametrize("name", list(models()))
def test_a_template_is_a_valid_table_of_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_text(template(name), encoding="utf-8")
    rows, faults = read_table(path, models()[name])
    assert faults == []
    assert len(rows) == {"resolutions": len(EXAMPLES), "conditions": 8}.get(name, 1)
    columns = template_columns(name)
    assert set(columns["column"]) == set(path.read_text(encoding="utf-8").splitlines()[0].split(","))
    assert (columns["unit"] != "").all()


def test_every_table_has_a_template() -> None:
    assert set(models()) == {*TABLES, "resolutions"}
    with pytest.raises(InputError, match="did you mean 'hardware'"):
        template("hardwear")


def test_the_readout_of_a_whole_take_off_needs_no_year(prior_run: xr.DataTree, tmp_path: Path) -> None:
    found = scored(prior_run, tmp_path, "first_year_gain,2033-01-01,1.5,")
    direct = takeoff(prior_run, "baseline")["first_year_gain"].values.ravel()
    assert found.rows["pit"].iloc[0] == pytest.approx((~(direct > 1.5)).mean())
