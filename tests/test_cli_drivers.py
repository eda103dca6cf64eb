"""``forecast sensitivity``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.runs import save_run

EVENT = "year_100<2031"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sensitivity", *arguments])


@pytest.fixture(scope="module")
def file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_run(prior_run, tmp_path_factory.mktemp("drivers") / "run.nc"))


def refused(result: Result, *words: str, code: int = 2) -> None:
    """One fault a line on stderr, nothing on stdout."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert all(line.startswith("error: ") for line in result.stderr.strip().splitlines()), result.stderr
    for word in words:
        assert word in result.stderr


def test_it_names_what_leads_and_marks_draws_of_the_prior(file: str) -> None:
    result = call(file, "--method", "shapley", "--output", "takeoff_years", "--top", "4")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("*** PRIOR ONLY ***")
    for words in ("Of what is uncertain about takeoff_years", "By block:", "Shapley effect", "10th percentile"):
        assert words in result.stdout
    assert "nan" not in result.stdout.lower().split()


def test_a_folder_gets_every_table_and_every_figure(file: str, tmp_path: Path) -> None:
    result = call(file, "--method", "shapley", "--output", EVENT, "-o", str(tmp_path / "new"), "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"outputs.csv", "blocks.csv", "inputs.csv", "worth.csv", "tornado.csv"} <= names
    assert {f"{kind}_year_100_below_2031.svg" for kind in ("inputs", "blocks", "tornado")} <= names
    worth = pd.read_csv(tmp_path / "new" / "worth.csv")
    assert worth["bits"].notna().all()


def test_json_is_the_tables_by_name_and_nothing_else(file: str) -> None:
    result = call(file, "--method", "shapley", "--output", "not_automated", "--json", "--quiet")
    tables = json.loads(result.stdout)
    assert tables.pop("marks") == ["prior only"]
    assert set(tables) == {"outputs", "blocks", "inputs", "worth", "tornado", "scaling"}
    assert sum(row["share"] for row in tables["blocks"]) == pytest.approx(1.0)


def test_sobol_indices_of_the_prior_need_no_posterior(file: str) -> None:
    result = call(file, "--method", "sobol", "--output", "takeoff_years", "--top", "2", "--quiet")
    assert result.exit_code == 0, result.output
    assert "Under the prior, before any data, takeoff_years varies most with" in result.stdout


def test_sobol_indices_of_a_posterior_are_refused_with_the_right_method(file: str) -> None:
    refused(
        call(file, "--method", "sobol", "--on", "posterior"), "noise", "Shapley effects", "forecast sensitivity RUN"
    )


def test_draws_of_the_prior_have_seen_no_data(file: str) -> None:
    result = call(file, "--method", "shapley", "--output", "takeoff_years", "--data", "--quiet")
    refused(result, "have seen no data", "forecast run")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--output", "takeof_years"), "did you mean 'takeoff_years'"),
        (("--output", "log10_parallel_streams"), "write log10_parallel_streams@2031"),
        (("--output", "log10_parallel_streams@2050"), "from 2026 to 2045"),
        (("--output", "year_100<soon"), "write a name"),
        (("--output", "year_100<1900", "--method", "shapley"), "is the same in all draws"),
        (("--scenario", "base"), "no scenario named 'base'"),
        (("--scenario", "hardware_leap"), "choose another scenario"),
        (("--on", "posterior"), "draws of the prior only"),
        (("--tables", "mine"), "add --data"),
        (("--data", "--on", "prior"), "about the posterior"),
        (("--top", "0"), "--top"),
        (("--method", "tornado"), "--method"),
        (("--years", "2045:2026"), "runs backwards"),
    ],
)
def test_a_bad_request_is_one_clear_error(file: str, arguments: tuple[str, ...], words: str) -> None:
    refused(call(file, *arguments), words)


def test_a_folder_that_is_a_file_and_a_missing_run_are_refused(file: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    refused(call(file, "-o", str(tmp_path / "taken")), "cannot be written")
    refused(call(str(tmp_path / "none.nc")), "no such run file", code=4)
