"""Back-tests: what is cut, what is scored, and that the kept results are those of the shipped priors."""

from __future__ import annotations

import json
from datetime import date as Date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from scipy import stats

from forecast.backtest_job import figures, priors_at_cuts, write_backtest
from forecast.cli import main
from forecast.errors import InputError
from forecast.evaluation import backtest_record as record
from forecast.evaluation.backtest import SCORED, Backtest, backtest, later_rows, only, scored_rows
from forecast.observations import load_observations
from forecast.priors import Priors

CUT = Date(2024, 1, 1)


@pytest.fixture(scope="module")
def rows(prior_run: xr.DataTree) -> pd.DataFrame:
    """Rows after 2024 as the prior predicts them: no fit needed to see how they are scored."""
    known, until = load_observations(as_of=CUT), load_observations()
    return pd.concat(scored_rows(prior_run, known, only(later_rows(until, CUT), ["hardware", "training_runs"])))


@pytest.fixture(scope="module")
def found(priors: Priors) -> Backtest:
    """One real cut with few draws."""
    return backtest(priors, [CUT], draws=200, chains=2, random_seed=3)


def test_what_was_known_and_what_came_later_are_all_rows_once() -> None:
    known, until = load_observations(as_of=CUT), load_observations()
    came = later_rows(until, CUT)
    for table in SCORED:
        sizes = [seen[table].sizes["row"] for seen in (known, came, until)]
        assert sizes[0] + sizes[1] == sizes[2], table
    assert came["training_runs"]["year"].min() > 2024.0
    assert known["training_runs"]["year"].max() <= 2024.0


def test_a_quarter_is_known_when_it_is_over() -> None:
    came = later_rows(load_observations(), Date(2024, 2, 15))
    assert "2024Q1" in came["world_compute"]["quarter"].values


def test_records_are_judged_as_records_by_the_rivals_too(rows: pd.DataFrame) -> None:
    """The straight line of the record runs, by NumPy, through the published figures."""
    table = load_observations(as_of=CUT)["training_runs"]
    record_run = table["rank"].values == 1
    years, flop = table["year"].values[record_run], np.log10(table["training_flop"].values[record_run])
    (slope, start), covariance = np.polyfit(years - 2022.0, flop, 1, cov=True)
    own = rows[rows["series"] == "record run"]
    at = own["date"].to_numpy() - 2022.0
    left = flop - start - slope * (years - 2022.0)
    scatter = np.sqrt(left @ left / (left.size - 2))
    design = np.column_stack([at, np.ones_like(at)])
    spread = np.sqrt(scatter**2 + np.einsum("ij,jk,ik->i", design, covariance, design))
    wanted = stats.t(left.size - 2).cdf((own["observed"] - start - slope * at) / spread)
    np.testing.assert_allclose(own["line_pit"], wanted, rtol=1e-6)


def test_a_prediction_is_scored_where_it_stands(rows: pd.DataFrame) -> None:
    """Order of quantiles and observation says in which part the transform lies, up to the noise of 300 draws."""
    assert (rows["horizon"] > 0.0).all()
    assert rows["q05"].lt(rows["q50"]).all() and rows["q50"].lt(rows["q95"]).all()
    above = rows[rows["observed"] > rows["q95"]]
    assert (above["pit"] > 0.88).all()
    inside = rows[(rows["observed"] > rows["q25"]) & (rows["observed"] < rows["q75"])]
    assert inside["pit"].between(0.15, 0.85).all()


def test_a_cut_sees_nothing_later_and_scores_what_it_can(found: Backtest) -> None:
    assert set(found.rows["table"]) == set(SCORED) - {"training_utilization"} | {"training_utilization"}
    assert (found.rows["date"] > 2024.0).all()
    assert found.unscored.empty
    fit = found.fits.iloc[0]
    assert fit["cut"] == "2024-01-01"
    assert fit["rows_seen"] == sum(load_observations(as_of=CUT)[table].sizes["row"] for table in SCORED)


def test_a_fit_of_2023_foresees_2024_better_than_chance(found: Backtest) -> None:
    """Coverage of a 90% interval over 100 figures, and the order of magnitude of today's record run."""
    assert np.mean(np.abs(found.rows["pit"] - 0.5) < 0.45) > 0.8
    record_run = found.rows[(found.rows["row"] == "GPT-4.5")].iloc[0]
    assert record_run["q05"] < np.log10(3.8e26) < record_run["q95"]


def test_a_table_without_a_row_before_the_cut_is_not_scored(prior_run: xr.DataTree) -> None:
    known = load_observations(as_of="2022-01-01")
    came = only(later_rows(load_observations(), Date(2022, 1, 1)), ["hardware"])
    frames = scored_rows(prior_run, known, came)
    assert [frame["table"].iloc[0] for frame in frames] == ["hardware"]


def test_every_table_and_figure_is_written(found: Backtest, tmp_path: Path) -> None:
    paths = write_backtest(tmp_path, found)
    assert {path.name for path in paths} >= {"rows.csv", "skill_by_table.csv", "coverage.svg", "later_record_run.svg"}
    assert len(pd.read_csv(tmp_path / "rows.csv")) == len(found.rows)
    assert all(path.stat().st_size > 100 for path in paths)


def test_a_back_test_is_kept_whole(found: Backtest, tmp_path: Path) -> None:
    settings = {"draws": 200, "tune": 1000, "chains": 2, "random_seed": 3}
    record.keep(found, record.VINTAGE, settings, Date(2026, 11, 22), tmp_path)
    record.keep(found, record.TODAY, settings, Date(2026, 11, 22), tmp_path)
    kept = record.kept_backtests(tmp_path)
    assert set(kept) == {"today", "vintage"}
    np.testing.assert_allclose(kept["today"].rows["pit"], found.rows["pit"], rtol=1e-3, atol=1e-4)
    assert kept["today"].fits[0]["cut"] == "2024-01-01"
    assert "of these priors" in record.kept_sentence(kept["today"], record.shipped_digests())
    stale = record.shipped_digests() | {"priors": "other"}
    assert "since then the priors changed" in record.kept_sentence(kept["today"], stale)
    (tmp_path / "backtest.json").write_text("{")
    with pytest.raises(InputError, match="no kept back-test"):
        record.kept_backtests(tmp_path)


def test_the_shipped_back_tests_meet_what_was_asked() -> None:
    """90% coverage over all later rows between 80% and 97%, skill against the line not negative, with both priors."""
    from forecast.evaluation.skill import skill

    kept = record.kept_backtests()
    assert set(kept) == {"today", "vintage"}
    for one in kept.values():
        whole = skill(one.rows, ["table"]).iloc[0]
        assert 0.80 <= whole["coverage_90"] <= 0.97
        assert whole["skill_line"] > 0.0
        assert whole["gain_line"] > 0.0, "the log score, too: nothing was just made wider"
        assert {fit["cut"] for fit in one.fits} == {"2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01"}


def test_a_vintage_is_chosen_for_each_cut() -> None:
    chosen = priors_at_cuts(None, [], vintage=True)
    assert callable(chosen)
    early, late = chosen(Date(2022, 1, 1)), chosen(Date(2025, 1, 1))
    assert early["tokens_per_param_2024"].quantile(0.5) < 2.0, "before Chinchilla"
    assert late["tokens_per_param_2024"].quantile(0.5) > 10.0


def test_figures_are_there_for_every_series(rows: pd.DataFrame) -> None:
    assert {"coverage", "coverage_by_table", "skill_by_cut", "later_hardware", "later_record_run"} <= set(figures(rows))
    figures(rows)["later_record_run"]()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cut", "yesterday"], "is not a date"),
        (["--cut", "1990-01-01"], "nothing was known"),
        (["--cut", "2026-10-31"], "no figure came after it"),
        (["--cut", "2024-01-01", "--cut", "2024-01-01"], "given twice"),
        (["--vintage", "--view", "davidson2023"], "--vintage states its own priors"),
        (["--cut", "2021-06-01", "--vintage"], "no priors are stated as of 2021-06-01"),
        (["--keep", "--cut", "2024-01-01"], "--keep is for the shipped"),
        (["--json", "--csv"], "exclude each other"),
        (["--tables", "nowhere"], "no such folder"),
    ],
)
def test_bad_requests_get_one_clear_error(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["backtest", *arguments, "--quiet"])
    assert result.exit_code in (2, 4)
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_the_record_is_json(tmp_path: Path) -> None:
    content = json.loads((record.FOLDER / record.RECORD).read_text())
    assert set(content["today"]["made"]) >= {"date", "versions", "digests"}
