"""``forecast sbc``: what it prints, writes and keeps, and what it refuses; refits themselves are stood in for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast import calibration_job
from forecast.calibration_plots import plot_held, plot_rank_ecdf
from forecast.cli.sbc import sbc
from forecast.errors import InputError
from forecast.evaluation.calibration import Calibration
from forecast.evaluation.calibration_summary import summary
from forecast.evaluation.replicates import LIKELIHOOD, Replicate, dataset
from forecast.evaluation.sbc_record import kept_results
from forecast.runs import save_run


def call(*arguments: str) -> Result:
    return CliRunner().invoke(sbc, list(arguments))


def made_up(blocks: Sequence[str], replicates: int = 60, biased: bool = False, **_: Any) -> Calibration:
    """A calibration with uniform positions; `biased` puts the truths of the first parameter above their draws."""
    rng = np.random.default_rng(1)
    name = blocks[0] if len(blocks) == 1 else "joint"
    places = rng.random((replicates, 4))
    places[:, 0] = places[:, 0] ** 0.2 if biased else places[:, 0]
    rows = {i: Replicate(row, np.full(4, 300), row * 0.0, row * 0.0, 0, 1.0, 200.0, 1) for i, row in enumerate(places)}
    ranked = dataset(rows, [f"{name}_one", f"{name}_two", "with_elements[a b]", LIKELIHOOD])
    return Calibration(name, "prior", ranked, replicates, {}, {}, {"draws": 300, "replicates": replicates}, 1.0)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the refits; the dict says what they were asked and whether truths are off."""
    asked: dict[str, Any] = {"biased": False, "models": []}

    def instead(priors: Any, observations: Any, blocks: Sequence[str], **settings: Any) -> Calibration:
        asked["models"].append(blocks)
        asked.update(settings)
        return made_up(blocks, settings["replicates"], asked["biased"])

    monkeypatch.setattr(calibration_job, "sbc", instead)
    return asked


def test_it_says_whether_each_block_is_calibrated(stand_in: dict[str, Any]) -> None:
    result = call("compute", "depth_scaling", "--replicates", "60", "--seed", "7")
    assert result.exit_code == 0, result.output
    assert stand_in["models"] == [("depth_scaling",), ("compute",)]
    assert (stand_in["replicates"], stand_in["random_seed"]) == (60, 7)
    said = " ".join(result.stdout.split())
    assert "compute: all 4 quantities within the band over 60 replicates" in said
    assert "All 120 refits settled." in said
    assert "In 90% interval" in result.stdout
    assert result.stderr == ""


def test_without_a_name_it_takes_every_block_and_the_joint_model_where_asked(stand_in: dict[str, Any]) -> None:
    assert call("--replicates", "60").exit_code == 0
    assert len(stand_in["models"]) == 9
    stand_in["models"].clear()
    assert call("--replicates", "60", "--joint").exit_code == 0
    assert len(stand_in["models"]) == 10 and len(stand_in["models"][-1]) == 9
    stand_in["models"].clear()
    assert call("joint", "--replicates", "60").exit_code == 0
    assert [len(blocks) for blocks in stand_in["models"]] == [9]


def test_a_block_that_is_not_calibrated_ends_with_exit_code_3(stand_in: dict[str, Any]) -> None:
    stand_in["biased"] = True
    result = call("compute", "--replicates", "60")
    assert result.exit_code == 3
    assert "1 of 4 quantities are not calibrated" in " ".join(result.stdout.split())
    assert "too low: compute_one" in result.stdout


def test_csv_has_a_row_per_quantity_and_json_every_table(stand_in: dict[str, Any]) -> None:
    frame = pd.read_csv(StringIO(call("compute", "takeoff", "--replicates", "60", "--csv").stdout))
    assert len(frame) == 8
    assert {"model", "parameter", "p_chi_square", "p_ecdf", "p_adjusted", "verdict", "covered_90"} <= set(frame.columns)
    tables = json.loads(call("compute", "--replicates", "60", "--json").stdout)
    assert set(tables) == {"models", "parameters"}
    assert tables["models"][0]["model"] == "compute"


def test_a_folder_gets_every_table_and_figure(stand_in: dict[str, Any], tmp_path: Path) -> None:
    result = call("compute", "--replicates", "60", "-o", str(tmp_path / "new"), "--quiet")
    assert result.exit_code == 0 and result.stderr == ""
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"models.csv", "parameters.csv", "positions.csv", "ranks_compute.svg", "held.svg"}
    positions = pd.read_csv(tmp_path / "new" / "positions.csv")
    assert len(positions) == 240 and positions["position"].between(0.0, 1.0).all()
    ElementTree.parse(tmp_path / "new" / "ranks_compute.svg")


def test_keep_writes_the_results_with_what_they_were_made_from(
    stand_in: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration_job, "keep", lambda found, _: real(found, tmp_path / "sbc.json"))
    from forecast.evaluation.sbc_record import keep as real

    result = call("compute", "--replicates", "60", "--keep")
    assert result.exit_code == 0, result.output
    (kept,) = kept_results(tmp_path / "sbc.json")
    assert kept.summary.model["model"] == "compute"
    assert kept.made["digests"] == calibration_job.shipped_digests()
    assert kept.made["settings"]["replicates"] == 60 and len(kept.made["date"]) == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--keep", "--view", "davidson2023"), "--view cannot be given: --keep is for the shipped ones"),
        (("--recover", "run.nc", "--as-of", "2024-01-01"), "--as-of cannot be given"),
        (("--json", "--csv"), "exclude each other"),
        (("--replicates", "1"), "range"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(arguments: tuple[str, ...], words: str) -> None:
    result = call("compute", *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_an_unknown_block_is_refused_before_anything_is_computed(stand_in: dict[str, Any]) -> None:
    result = call("sunspots")
    assert isinstance(result.exception, InputError)
    assert "unknown block 'sunspots': choose from depth_scaling" in str(result.exception)
    assert stand_in["models"] == []


def test_a_run_of_the_prior_cannot_be_recovered(prior_run: xr.DataTree, tmp_path: Path) -> None:
    result = call("compute", "--recover", str(save_run(prior_run, tmp_path / "run.nc")))
    assert isinstance(result.exception, InputError)
    assert "fitted posterior" in str(result.exception)


def test_what_is_off_is_named_in_the_figure_and_what_is_not_is_grey() -> None:
    fine, off = (plot_rank_ecdf(summary(made_up(("compute",), 200, biased))) for biased in (False, True))
    assert fine.get_legend() is None
    assert [text.get_text() for text in off.get_legend().get_texts()] == ["band", "compute one"]
    assert len(off.lines) == 4
    assert off.lines[0].get_ydata()[0] == off.lines[0].get_ydata()[-1] == 0.0


def test_shares_held_have_a_row_per_model() -> None:
    ax = plot_held([summary(made_up((name,))) for name in ("compute", "depth_scaling")])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["compute", "depth scaling"]
    with pytest.raises(InputError, match="no calibration"):
        plot_held([])
