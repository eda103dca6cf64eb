"""``forecast score`` and ``forecast data template``: what they print and what they refuse."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import Forecast, main
from forecast.cli.score import score
from forecast.observations import SHIPPED
from forecast.runs import save_run

ANSWERS = """variable,date,value,threshold,source,note
log10_training_flop,2027-12-31,27.9,,,
log10_training_flop,2027-12-31,1,27.5,,
year_100,2028-12-31,no,,,
year_100,2031-06-30,2031.2,,,
log10_streams_at_automation,2031-06-30,8,,,
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(Forecast("forecast", commands={"score": score}), ["score", *arguments])


def refused(result: Result, *words: str, code: int = 2) -> None:
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert all(line.startswith("error: ") for line in result.stderr.strip().splitlines()), result.stderr
    for word in words:
        assert word in result.stderr


@pytest.fixture(scope="module")
def file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_run(prior_run, tmp_path_factory.mktemp("score") / "run.nc"))


@pytest.fixture
def answers(tmp_path: Path) -> str:
    path = tmp_path / "answers.csv"
    path.write_text(ANSWERS, encoding="utf-8")
    return str(path)


@pytest.fixture
def figures(tmp_path: Path) -> str:
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "training_runs.csv").write_text(
        (SHIPPED / "training_runs.csv").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return str(folder)


def test_it_says_how_the_figures_came_out_and_marks_draws_of_the_prior(file: str, figures: str) -> None:
    result = call(file, figures)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("*** PRIOR ONLY ***")
    for words in ("lie inside their 90% interval", "training_runs: Grok 4", "dated before as_of", "Expected if right"):
        assert words in result.stdout
    assert "nan" not in result.stdout.lower().split()


def test_json_holds_every_table_and_no_nan(file: str, answers: str) -> None:
    result = call(file, answers, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    tables = {
        "rows",
        "blocks",
        "overall",
        "calibration",
        "pit_bins",
        "events",
        "brier",
        "reliability",
        "unscored",
        "counts",
    }
    assert set(found) == tables | {"marks", "run", "path", "as_of", "notes"}
    assert found["marks"] == ["prior only"]
    assert [row["table"] for row in found["rows"]] == ["log10_training_flop", "year_100", "log10_streams_at_automation"]
    assert found["rows"][1]["q95"] == "inf"
    assert found["rows"][2]["crps"] is None
    assert found["rows"][0]["inside_90"] in (True, False)
    assert found["brier"][0]["n"] == 2


def test_csv_is_one_line_per_figure_and_question(file: str, answers: str) -> None:
    lines = pd.read_csv(io.StringIO(call(file, answers, "--csv").stdout))
    assert lines["kind"].value_counts().to_dict() == {"figure": 3, "question": 2}
    assert {"pit", "crps", "scale_q50", "probability", "happened", "brier"} <= set(lines)


def test_a_folder_gets_every_table_and_both_figures(file: str, figures: str, tmp_path: Path) -> None:
    result = call(file, figures, "-o", str(tmp_path / "out"), "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"rows.csv", "blocks.csv", "calibration.csv", "calibration.svg", "pit.svg"} <= names
    assert len(pd.read_csv(tmp_path / "out" / "rows.csv")) == len(pd.read_csv(SHIPPED / "training_runs.csv"))


def test_what_cannot_be_scored_is_refused(file: str, answers: str, figures: str, tmp_path: Path) -> None:
    refused(call(file, str(tmp_path / "nowhere")), "no such folder", "forecast data template", code=4)
    refused(call(str(tmp_path / "no.nc"), figures), "no such run file", code=4)
    refused(call(file, figures, "--scenario", "software_only"), "are for resolved questions")
    refused(call(file, answers, "--scenario", "fast"), "no scenario named 'fast'")
    refused(call(file, answers, "--json", "--csv"), "exclude each other")
    Path(answers).write_text("variable,date,value\nyear_10,2028-12-31,no\nlayers,soon,3\n", encoding="utf-8")
    refused(call(file, answers), "answers.csv:2: variable", "did you mean 'year_100'", "answers.csv:3: date")
    (Path(figures) / "notes.txt").write_text("x", encoding="utf-8")
    refused(call(file, figures), "notes.txt: is not a table")


def template(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", "template", *arguments])


def test_a_template_on_stdout_is_a_folder_that_can_be_scored(file: str, tmp_path: Path) -> None:
    result = template("fleet_compute")
    assert result.exit_code == 0
    (tmp_path / "fleet_compute.csv").write_text(result.stdout, encoding="utf-8")
    assert "fleet_compute: OpenAI" in call(file, str(tmp_path)).stdout
    assert "fleet_flop_per_second  FLOP/s: peak" in result.stderr
    assert len(result.stderr.splitlines()) == len(next(csv.reader(io.StringIO(result.stdout))))
    assert template("fleet_compute", "--quiet").stderr == ""


def test_a_template_of_answers_can_be_scored_and_lists_of_templates_are_whole(file: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(template("resolutions").stdout, encoding="utf-8")
    assert call(file, str(path)).exit_code == 0
    names = [line.split()[0] for line in template().stdout.splitlines()]
    assert "training_runs" in names and names[-1] == "resolutions"
    refused(template("traning_runs"), "did you mean 'training_runs'")
