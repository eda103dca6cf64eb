"""Files of other versions: run files of every release are read as they were meant, others refused, and nothing is guessed.

The numbers beside a kept run file were written when it was made; `robustness/run_files/keep.py` keeps one at a release.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import forecast as fc
from forecast import shipped
from forecast.cli import main
from forecast.errors import InputError
from forecast.evaluation.backtest_record import RECORD, ROWS, kept_backtests
from forecast.evaluation.sbc_record import kept_results
from forecast.runs import load_draws, load_run
from forecast.schema import SCHEMA_VERSION

HERE = Path(__file__).parent
KEPT = sorted((HERE / "run_files").glob("*.nc.gz"))
READERS = pytest.mark.parametrize("load", [load_run, load_draws])


def unpacked(kept: Path, folder: Path) -> Path:
    path = folder / "run.nc"
    path.write_bytes(gzip.decompress(kept.read_bytes()))
    return path


def noted(kept: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kept.with_suffix("").with_suffix(".json").read_text(encoding="utf-8"))
    return found


def test_there_is_a_small_run_file_of_every_released_version() -> None:
    released = re.findall(r"^## (\d\S*) \(\d{4}-", (HERE.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert released
    assert {path.name.removesuffix(".nc.gz").partition("_")[2] for path in KEPT} >= set(released)
    assert all(path.stat().st_size < 300_000 for path in KEPT)


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
@READERS
def test_a_run_file_of_a_released_version_gives_the_numbers_that_it_gave(
    kept: Path, load: Callable[[Path], xr.DataTree], tmp_path: Path
) -> None:
    run, said = load(unpacked(kept, tmp_path)), noted(kept)
    found = fc.project(run, years=said["years"]).squeeze("scenario")
    for name, quantiles in said["quantiles"].items():
        seen = np.quantile(found[name].values.reshape(-1, len(said["years"])), said["levels"], axis=0).T
        np.testing.assert_allclose(seen, quantiles, rtol=1e-9)


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
def test_a_run_file_of_a_released_version_holds_what_was_forecast_then(kept: Path, tmp_path: Path) -> None:
    """The series that the file has, seven digits of them, are those that it is projected to today."""
    run = load_run(unpacked(kept, tmp_path))
    before = run["forecast/baseline/trend"]["log10_parallel_streams"]
    after = fc.project(run, years=before["year"].values.tolist()).log10_parallel_streams.squeeze("scenario")
    np.testing.assert_allclose(after.transpose(*before.dims).values, before.values, rtol=1e-6)


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
def test_commands_read_a_run_file_of_a_released_version(kept: Path, tmp_path: Path) -> None:
    path, said = unpacked(kept, tmp_path), noted(kept)
    asked = ["project", str(path), "--json", "--years", f"{said['years'][0]}:{said['years'][0]}"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    rows = {row["variable"]: row for row in json.loads(result.stdout) if row["q50"] is not None}
    for name, quantiles in said["quantiles"].items():
        assert rows[name]["q50"] == pytest.approx(quantiles[0][said["levels"].index(0.5)], rel=1e-9)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (SCHEMA_VERSION + 1, "made by a newer forecast: update this one .*, or remake it with: forecast run -o "),
        (10**30, "made by a newer forecast"),
        (SCHEMA_VERSION - 1, "made by an older forecast; remake it with: forecast run -o "),
        (-1, "made by an older forecast"),
        ("1", "damaged .*; remake it with: forecast run -o "),
        (True, "damaged"),
        (1.0, "damaged"),
        (None, "damaged"),
        ([1], "damaged"),
    ],
)
@READERS
def test_another_schema_is_refused_with_what_to_do(
    schema: Any, said: str, load: Callable[[Path], xr.DataTree], tmp_path: Path
) -> None:
    path = unpacked(KEPT[-1], tmp_path)
    with h5py.File(path, "a") as file:
        file.attrs["forecast"] = json.dumps(json.loads(file.attrs["forecast"]) | {"schema": schema})
    with pytest.raises(InputError, match=f"run.nc: .*{said}") as refused:
        load(path)
    assert len(str(refused.value).splitlines()) == 1


def test_a_record_that_a_later_version_added_to_is_read(tmp_path: Path) -> None:
    """The same schema with more in it: attributes, groups and entries that nobody here knows."""
    path, said = unpacked(KEPT[-1], tmp_path), noted(KEPT[-1])
    with h5py.File(path, "a") as file:
        file.attrs["forecast"] = json.dumps(json.loads(file.attrs["forecast"]) | {"later": {"a": 1}})
        file.attrs["later"] = "a"
        file.create_group("later")
    for load in (load_run, load_draws):
        found = fc.project(load(path), years=said["years"])
        middle = np.median(found.log10_parallel_streams.values.reshape(-1, len(said["years"])), axis=0)
        np.testing.assert_allclose(middle, [one[1] for one in said["quantiles"]["log10_parallel_streams"]], rtol=1e-9)


# what the package keeps for itself


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{", '{"today": 3}', '{"today": {"fits": []}}', "\x00"])
def test_a_kept_back_test_of_no_known_form_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text(text)
    (tmp_path / ROWS).write_text("priors,cut\ntoday,2024-01-01\n")
    with pytest.raises(InputError, match=r"backtest\.json: no kept back-test .* make it anew with --keep"):
        kept_backtests(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", '{"format": 2, "models": []}', '{"models": []}', '{"format": 1, "models": [3]}']
)
def test_a_kept_calibration_of_no_known_form_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "sbc.json").write_text(text)
    with pytest.raises(InputError, match=r"sbc\.json: no results of forecast sbc .* make them anew with --keep"):
        kept_results(tmp_path / "sbc.json")


def test_shipped_answers_that_are_damaged_anywhere_are_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are computed anew; a byte that is wrong is found, wherever it is."""
    path = tmp_path / "answers.json.gz"
    whole = gzip.compress(json.dumps({shipped.ANSWERS: "a" * 50, shipped.PRINTED: "b"}).encode(), mtime=0)
    monkeypatch.setattr(shipped, "answers_file", lambda: path)
    path.write_bytes(whole)
    assert shipped.shipped_attributes() == {shipped.ANSWERS: "a" * 50, shipped.PRINTED: "b"}
    counted = [place for place in range(len(whole)) if place not in range(4, 10)]  # date, level and system: notes
    for place in counted:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert shipped.shipped_attributes() == {}, place
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert shipped.shipped_attributes() == {}, end
