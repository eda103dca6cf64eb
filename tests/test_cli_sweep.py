"""``forecast sweep`` and ``--executor``: what they print and write, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main

TEXT = """
run = "run.nc"
[settings]
years = "2026:2030"
[grid]
views = ["", "davidson2023"]
forms = ["trend", "ai2027"]
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def folder(sweep_folder: Callable[[str], Path]) -> Path:
    return sweep_folder(TEXT)


def test_the_template_runs_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.toml").write_text(call("sweep", "--template").stdout)
    result = call("sweep", "sweep.toml", "-o", "out")
    assert result.exit_code == 0, result.output
    assert "8 cases: 0 were there already, 8 computed" in result.stderr
    assert result.stdout.startswith("*** PRIOR ONLY ***")
    assert len([line for line in result.stdout.splitlines() if "section5 (prior only)" in line]) == 8
    assert result.stdout.rstrip().endswith("Files: out/sweep.csv, out/sweep.nc")


def test_the_table_is_printed_written_and_given_as_json(folder: Path) -> None:
    arguments = ("sweep", str(folder / "sweep.toml"), "-o", str(folder / "out"))
    printed = call(*arguments, "--csv", "--quiet")
    assert printed.exit_code == 0 and printed.stderr == ""
    table = pd.read_csv(StringIO(printed.stdout), keep_default_na=False)
    pd.testing.assert_frame_equal(
        table[["case", "view", "form", "variable"]],
        pd.read_csv(folder / "out" / "sweep.csv", keep_default_na=False)[["case", "view", "form", "variable"]],
    )
    said = json.loads(call(*arguments, "--json").stdout)
    assert said["cases"] == {"computed": 0, "kept": 4} and said["damaged"] == []
    assert said["marks"] == ["prior only"] and len(said["rows"]) == len(table)


def test_people_read_a_line_per_case(folder: Path) -> None:
    result = call("sweep", str(folder / "sweep.toml"), "-o", str(folder / "out"))
    head, *lines = result.stdout.splitlines()[2:7]
    assert head.split("  ")[0] == "View" and "AIs in 2028" in head and "Best year, OOM" in head
    assert sum("davidson2023" in line for line in lines) == 2 and sum("ai2027" in line for line in lines) == 2


def test_a_damaged_part_is_said(folder: Path) -> None:
    arguments = ("sweep", str(folder / "sweep.toml"), "-o", str(folder / "damaged"))
    call(*arguments)
    part = sorted((folder / "damaged" / "parts").iterdir())[0]
    part.write_bytes(part.read_bytes()[:100])
    result = call(*arguments)
    assert f"{part}: damaged, done again" in result.stderr
    assert "4 cases: 3 were there already, 1 computed" in result.stderr


def test_all_faults_of_a_file_are_one_line_each(folder: Path) -> None:
    (folder / "bad.toml").write_text('run = 1\n[grid]\nviews = ["davidson2032"]\nforms = ["kwa2027"]')
    result = call("sweep", str(folder / "bad.toml"), "-o", str(folder / "never"))
    assert result.exit_code == 2 and result.stdout == ""
    assert [line.startswith("error: ") for line in result.stderr.splitlines()] == [True] * 3
    assert not (folder / "never").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sweep"], "name a SWEEP.toml; --template prints one."),
        (["sweep", "none.toml"], "none.toml:1: file: cannot be read"),
        (["sweep", "x.toml", "--json", "--csv"], "exclude each other"),
        (
            ["sbc", "compute", "--workers", "2", "--executor", "threads:2"],
            "--workers and --executor exclude each other",
        ),
    ],
)
def test_what_is_refused_has_a_remedy(arguments: list[str], said: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2 and said in result.stderr


@pytest.mark.parametrize("command", ["backtest", "sbc", "sensitivity", "sweep"])
def test_an_executor_that_is_none_is_refused_by_every_heavy_command(command: str, folder: Path) -> None:
    own = {"sensitivity": [str(folder / "run.nc")], "sweep": [str(folder / "sweep.toml"), "-o", str(folder / "new")]}
    result = call(command, *own.get(command, []), "--executor", "machines:4")
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines()[-1] == (
        "error: executor 'machines:4': write processes:4, threads:4 or dask:tcp://HOST:PORT, or leave it out for this "
        "process alone"
    )
