"""What commands say where a reader would otherwise be left alone: faults with the right name, terms that are explained."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.evaluation.backtest_words import HEADERS, MEANINGS
from forecast.evaluation.checks_words import terms
from forecast.evaluation.scores_words import legend
from forecast.runs import save_run

RUN_COLUMNS = "model,organisation,date,training_flop,rank,confidence,source,licence,provenance\n"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def refused(result: Result, *said: str, code: int = 2) -> None:
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("error: ")
    for words in said:
        assert words in result.stderr


@pytest.fixture(scope="module")
def run_file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(prior_run, tmp_path_factory.mktemp("run") / "run.nc")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def test_an_answer_that_is_neither_is_offered_both(run_file: Path, answers: Path) -> None:
    answers.write_text("variable,date,value\nyear_100,2028-12-31,maybe\n")
    refused(call("score", str(run_file), str(answers)), "'maybe' is not a number (write yes or no, or the figure)")
    answers.write_text("variable,date,value,threshold\nlog10_task_horizon,2027-12-31,maybe,3.4\n")
    refused(call("score", str(run_file), str(answers)), "write yes or no")
    answers.write_text("variable,date,value\nlog10_task_horizon,2027-12-31,much\n")
    refused(call("score", str(run_file), str(answers)), "write digits")


def test_a_cut_is_called_a_cut() -> None:
    refused(call("backtest", "--cut", "soon"), "cut: 'soon' is not a date")
    refused(call("backtest", "--cut", "2010-01-01"), "cut: nothing was known on 2010-01-01")


def test_a_run_is_not_scored_against_a_run(run_file: Path) -> None:
    refused(call("score", str(run_file), str(run_file)), "is a run file", "forecast diff")


def test_a_folder_is_not_a_run_and_its_run_is_named(run_file: Path, tmp_path: Path) -> None:
    refused(call("check", str(run_file.parent)), "is a folder", f"name its run file, {run_file}", code=4)
    refused(call("takeoff", str(tmp_path)), "is a folder", "forecast run -o", code=4)


def test_a_table_of_a_header_alone_can_be_left_out(run_file: Path, tmp_path: Path) -> None:
    (tmp_path / "training_runs.csv").write_text(RUN_COLUMNS)
    refused(call("score", str(run_file), str(tmp_path)), "has no rows (add one, or delete the file)")


@pytest.mark.parametrize(("figures", "verdict"), [(1, False), (2, False), (3, True)])
def test_one_or_two_figures_are_no_verdict(run_file: Path, answers: Path, figures: int, verdict: bool) -> None:
    rows = [f"log10_training_flop,{2027 + i}-12-31,27.5\n" for i in range(figures)]
    answers.write_text("variable,date,value\n" + "".join(rows))
    said = " ".join(call("score", str(run_file), str(answers)).stdout.split())
    assert ("So few say next to nothing" in said) is not verdict
    assert ("Were the forecast right" in said) is verdict
    assert ("Figures inside" in said) is verdict
    assert "intervals hold" not in said or verdict


def test_one_question_has_no_base_rate(run_file: Path, answers: Path) -> None:
    answers.write_text("variable,date,value\nyear_100,2028-12-31,no\n")
    said = " ".join(call("score", str(run_file), str(answers)).stdout.split())
    assert "The one question did not come true." in said
    assert "0.25 for always saying 50%)" in said


def test_the_columns_of_a_score_are_explained(run_file: Path, answers: Path) -> None:
    answers.write_text("variable,date,value\nlog10_training_flop,2027-12-31,27.5\n")
    said = call("score", str(run_file), str(answers)).stdout
    for head in ("PIT", "CRPS", "Log score", "Mean percentile"):
        assert f"\n{head}: " in said
    assert "Brier:" not in said
    assert legend(iter(["CRPS", "PIT"]))[0].startswith("PIT: ")


def test_the_columns_of_a_back_test_are_explained() -> None:
    heads = {one.split(": ")[0] for one in MEANINGS}
    assert {HEADERS["bias"], HEADERS["gain_line"]} <= heads


def test_terms_are_explained_once_and_only_where_used() -> None:
    found = pd.DataFrame(
        {
            "where": ["time_horizons", "log10_params@2030"],
            "finding": [
                "axis 13 of the random walk alone holds it (Pareto k 0.72)",
                "axis 2 of the random walk (p < 0.001)",
            ],
        }
    )
    said = terms(found)
    assert [one.split(":")[0] for one in said] == ["Pareto k", "axis of the random walk", "p", "@2030"]
    assert terms(found.head(0)) == []


@pytest.mark.parametrize("option", ["--params", "--years"])
def test_units_are_read_and_refused_by_name(run_file: Path, option: str) -> None:
    refused(call("project", str(run_file), option, "3 parsecs"), option)


def test_a_size_may_have_a_word(run_file: Path) -> None:
    few, digits = (
        call("project", str(run_file), "--params", size, "--years", "2030", "--csv").stdout for size in ("70B", "7e10")
    )
    assert few == digits
    assert "log10_parallel_streams" in few


def test_a_latency_may_have_a_unit(run_file: Path) -> None:
    hour, minutes, old = (
        call("speedup", str(run_file), flag, text, "--csv").stdout
        for flag, text in (("--latency", "1h"), ("--latency", "60 min"), ("--latency-hours", "1"))
    )
    assert hour == minutes == old
    assert len(hour.splitlines()) > 3


def test_sensitivity_prints_rows(run_file: Path) -> None:
    done = call("sensitivity", str(run_file), "--method", "shapley", "--output", "takeoff_years", "--csv", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("output,")
    assert len(done.stdout.splitlines()) > 10
    refused(call("sensitivity", str(run_file), "--json", "--csv"), "exclude each other")


def test_a_template_is_described_for_machines() -> None:
    titles = json.loads(call("data", "template", "--json").stdout)
    assert {"table": "resolutions"}.items() <= next(one for one in titles if one["table"] == "resolutions").items()
    columns = json.loads(call("data", "template", "hardware", "--json").stdout)
    assert [one["column"] for one in columns][:2] == ["chip", "date"]


def test_faults_are_a_list_for_machines(tmp_path: Path) -> None:
    assert json.loads(call("priors", "check", "--json").stdout) == {"faults": []}
    (tmp_path / "training_runs.csv").write_text(RUN_COLUMNS)
    done = call("data", "check", str(tmp_path), "--json")
    assert done.exit_code == 2
    (fault,) = json.loads(done.stdout)["faults"]
    assert "has no rows" in fault
