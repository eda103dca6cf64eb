"""The commands that ask a run further questions: what they print, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.runs import save_run

COMMANDS = ("organisations", "speedup", "leap", "forms", "watch")
ORGANISATIONS = """
[organisations.MyCorp]
researchers = 500
h100 = 1e6
weeks = 26
source = "A test"
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_run(prior_run, tmp_path_factory.mktemp("side") / "run.nc"))


def said(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(result: Result, *words: str) -> None:
    """One fault a line on stderr, exit code 2, nothing on stdout."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert all(line.startswith("error: ") for line in result.stderr.strip().splitlines()), result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_speaks_and_prints_tables(command: str, file: str) -> None:
    text = said(command, file)
    assert len(text.splitlines()) > 8
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("forms", "watch")])
def test_json_is_one_list_of_rows_of_the_summary(command: str, file: str) -> None:
    rows = json.loads(said(command, file, "--json"))
    assert {row["form"] for row in rows} == {f"{command} (prior only)"}
    assert all(row["units"] and row["definition"] for row in rows)
    assert all(row["probability"] is not None or row["q50"] is not None or row["q95"] is None for row in rows)


def test_csv_has_the_columns_of_the_summary(file: str) -> None:
    rows = list(csv.DictReader(io.StringIO(said("leap", file, "--csv"))))
    assert {"scenario", "form", "variable", "q05", "q50", "q95", "probability"} <= rows[0].keys()
    assert any(row["variable"] == "log10_fleet_multiple (month 12)" for row in rows)


def test_the_seed_of_2023_comes_out_of_the_commands(file: str) -> None:
    """p = 1.118e13, 2.24e7 tokens/s, 447,214 streams; 1e14 parameters give 2e8 tokens/s on the training cluster."""
    own = {
        row["variable"]: row
        for row in json.loads(said("project", file, "--view", "finnveden2023", "--years", "2027", "--json"))
    }
    assert 10 ** own["log10_params"]["q50"] == pytest.approx(1.118e13, rel=1e-3)
    assert 10 ** own["log10_world_bound_tokens_per_second"]["q50"] == pytest.approx(2.24e7, rel=2e-3)
    assert 10 ** own["log10_parallel_streams"]["q50"] == pytest.approx(450_000, rel=0.01)
    given = said("project", file, "--view", "finnveden2023", "--params", "1e14", "--years", "2027", "--json")
    cluster = {row["variable"]: row for row in json.loads(given)}["log10_training_cluster_tokens_per_second"]
    assert 10 ** cluster["q50"] == pytest.approx(2e8, rel=1e-6)


def test_every_row_says_whose_view_it_is(file: str) -> None:
    rows = json.loads(said("takeoff", file, "--view", "davidson2023", "--json"))
    assert all("view davidson2023" in row["form"] for row in rows)


def test_views_are_compared_with_what_makes_the_difference(file: str, tmp_path: Path) -> None:
    picture = tmp_path / "views.svg"
    text = said(
        "compare", file, "--view", "compute_bottlenecked", "--scenario", "software_only", "--figure", str(picture)
    )
    assert text.splitlines()[0] == "*** PRIOR ONLY ***"
    assert text.splitlines()[2].split()[0] == "View"
    assert re.search(r"compute_bottlenecked (differs mostly through|hardly differs)", text)
    assert "Taken from the view" in text
    assert picture.read_text(encoding="utf-8").startswith("<?xml")


def test_an_organisation_of_ones_own(file: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(ORGANISATIONS, encoding="utf-8")
    assert "MyCorp" in said("organisations", file, "--file", str(mine))


@pytest.mark.parametrize("form", ["davidson_houlden2025", "ai2027", "kwa2026"])
def test_a_rival_form_is_an_argument(form: str, file: str) -> None:
    rows = json.loads(said("takeoff", file, "--form", form, "--json"))
    assert any(row["variable"] == "best_year_gain" and row["form"].startswith(form) for row in rows)


def test_superexponential_horizons_never_come_later(file: str) -> None:
    medians = []
    for form in ("exponential", "superexponential"):
        rows = json.loads(said("takeoff", file, "--horizon-form", form, "--years", "2026:2060", "--json"))
        medians.append(next(row["probability"] for row in rows if row["variable"] == "not_automated"))
    assert medians[1] < medians[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("leap", "--factor", "0.5"), ("leap factor 0.5", "1 or more")),
        (("leap", "--factor", "nan"), ("'--factor': 'nan'", "write such as")),
        (("leap", "--start", "1999"), ("leap start 1999", "as_of")),
        (("leap", "--view", "nobody"), ("no scenario or view named 'nobody'", "known:")),
        (("takeoff", "--form", "kwa2025"), ("no rival form named 'kwa2025'", "kwa2026")),
        (("takeoff", "--form", "kwa2026", "--scenario", "baseline"), ("knows no scenarios",)),
        (("project", "--params", "0"), ("params = 0", "1e14")),
        (("speedup", "--latency-hours", "-1"), ("-1",)),
        (("speedup", "--year", "1990"), ("1990",)),
        (("compare", "--view", "davidson2024"), ("davidson2023",)),
        (("compare", "--figure", "views.xyz", "--no-differences"), ("views.xyz", ".svg")),
        (("compare", "--scenario", "hardware_lep"), ("hardware_leap",)),
        (("organisations", "--file", "missing.toml"), ("missing.toml",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_bad_input_gives_one_clear_message(arguments: tuple[str, ...], words: tuple[str, ...], file: str) -> None:
    command, *rest = arguments
    refused(call(command, file, *rest), *words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("researchers = 500", "researchers = 0", ("organisations.MyCorp.researchers", "mine.toml:3")),
        ("h100 = 1e6", "h100 = -2", ("organisations.MyCorp.h100",)),
        ("weeks = 26", "", ("organisations.MyCorp", "weeks")),
        ("researchers = 500", "reserchers = 500", ("did you mean 'researchers'",)),
        ("[organisations.MyCorp]", "[organisations.MyCorp", ("syntax",)),
    ],
)
def test_an_organisation_that_makes_no_sense(
    old: str, new: str, words: tuple[str, ...], file: str, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(ORGANISATIONS.replace(old, new), encoding="utf-8")
    refused(call("organisations", file, "--file", str(mine)), *words)
