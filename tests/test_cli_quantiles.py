"""``forecast quantiles``: very many draws on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.runs import save_run


@pytest.fixture(scope="module")
def file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(prior_run, tmp_path_factory.mktemp("quantiles") / "run.nc")


def said(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["quantiles", *map(str, arguments)])


def test_it_prints_counts_in_words_and_how_exact_they_are() -> None:
    done = said("--draws", "3_000", "--years", "2030", "--view", "finnveden2023", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("*** PRIOR ONLY, FINNVEDEN2023 ***\n")
    row = next(line for line in done.stdout.splitlines() if " human_equivalents " in line)
    assert "2030" in row
    assert "people" in row
    assert any(word in row for word in ("million", "billion"))
    assert "3,000 draws of the prior, seed 1; quantiles are those of the draws themselves." in done.stdout


def test_machines_get_every_row_with_its_error(file: Path) -> None:
    asked = ("--output", "takeoff", "--quantile", "0.01", "--quantile", "0.5", "--scenario", "baseline")
    rows = json.loads(said(file, *asked, "--json").stdout)
    by_name = {row["variable"]: row for row in rows}
    assert by_name["year_100"]["form"] == "section5 (prior only)"
    assert by_name["year_100"]["q50"] == "inf"
    assert by_name["year_100"]["bin_error"] == 0.0
    assert by_name["acceleration"]["q50"] is None
    assert 0.0 < by_name["acceleration"]["probability"] < 1.0
    header = said(file, *asked, "--csv").stdout.splitlines()[0]
    assert header == "scenario,form,variable,year,units,q01,q50,probability,bin_error,bin_error_units,definition"


def test_a_seed_and_workers_are_taken(file: Path) -> None:
    asked = ("--draws", "2000", "--years", "2030", "--variable", "layers", "--json")
    one, same, other = (
        json.loads(said(*asked, *rest).stdout)[0]["q50"] for rest in ((), ("--executor", "threads:2"), ("--seed", "2"))
    )
    assert one == same
    assert not np.isclose(one, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--draws", "many"), "'many' is no number of draws: write a whole number such as 1000000 or 1e8."),
        (("--draws", "1.5"), "'1.5' is no number of draws"),
        (("--draws", "nan"), "'nan' is no number of draws"),
        (("--quantile", "5"), "5 is no quantile: write a share of the draws from 0 to 1"),
        (("--json", "--csv"), "--json and --csv exclude each other."),
        (("RUN", "--seed", "3"), "--seed is for draws of the prior"),
        (("RUN", "--as-of", "2025-01-01"), "--as-of is for draws of the prior"),
        (("RUN", "--draws", "1e6"), "the run has 300, and drawing from these again would only repeat them"),
        (("--variable", "stream"), "no variable named 'stream'"),
        (("--executor", "clouds"), "executor 'clouds'"),
        (("--view", "nobody"), "nobody"),
    ],
)
def test_a_slip_is_one_line_and_exit_code_2(file: Path, arguments: tuple[str, ...], message: str) -> None:
    done = said(*(str(file) if word == "RUN" else word for word in arguments))
    assert done.exit_code == 2
    assert message in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    assert done.stdout == ""


def test_a_missing_run_is_said_to_be_missing(tmp_path: Path) -> None:
    done = said(tmp_path / "run.nc")
    assert done.exit_code == 4
    assert "no such run file" in done.stderr
