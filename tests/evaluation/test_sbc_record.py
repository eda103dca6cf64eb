"""The kept results: what goes in comes out, what they were made from is said, and nothing stale passes for fresh."""

from __future__ import annotations

import json
from datetime import date as Date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.calibration_summary import Summary
from forecast.evaluation.ranks import BINS, rank_table
from forecast.evaluation.sbc_record import (
    RECORD,
    Kept,
    changes_since,
    digests_of,
    keep,
    kept_results,
    kept_sentence,
    stamp,
)
from forecast.schema import BLOCKS

NOW = {"priors": "p", "tables": "t", "model": "m"}


def result(model: str, truths: str = "prior", day: int = 22, seed: int = 1) -> Kept:
    """A result of three quantities with positions at random."""
    names = ["a", "b[one]", "log likelihood"]
    counts = np.random.default_rng(seed).multinomial(200, np.full(BINS, 1.0 / BINS), 3)
    parameters = rank_table(names, counts).assign(error=0.0, error_spread=1.0, contraction=0.123456789, draws=300.0)
    row = {"model": model, "truths": truths, "parameters": 3, "not_calibrated": 0, "replicates": 200, "held_90": 0.9}
    made = stamp({"draws": 300}, "2026-11-01", NOW, Date(2026, 11, day))
    return Kept(Summary(row, parameters, counts), made)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    path = keep([result("compute")], tmp_path / "sbc.json")
    (back,) = kept_results(path)
    there = result("compute")
    np.testing.assert_array_equal(back.summary.counts, there.summary.counts)
    pd.testing.assert_frame_equal(back.summary.parameters, there.summary.parameters, rtol=1e-3)
    assert back.summary.model == there.summary.model
    assert back.made == there.made
    again = rank_table(back.summary.parameters["parameter"].tolist(), back.summary.counts)
    np.testing.assert_allclose(again["p_ecdf"], back.summary.parameters["p_ecdf"], rtol=1e-3)


def test_a_model_replaces_itself_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "sbc.json"
    keep([result("joint"), result("compute"), result("compute", "posterior")], path)
    keep([result("compute", day=23, seed=2), result("depth_scaling")], path)
    found = [
        (one.summary.model["model"], one.summary.model["truths"], one.made["date"][-2:]) for one in kept_results(path)
    ]
    assert found == [
        ("depth_scaling", "prior", "22"),
        ("compute", "prior", "23"),
        ("joint", "prior", "22"),
        ("compute", "posterior", "22"),
    ]


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    assert kept_results(tmp_path / "none.json") == []
    assert "has not been run" in kept_sentence([], NOW)


@pytest.mark.parametrize("text", ["{", '{"format": 2, "models": []}', '{"format": 1}', '{"format": 1, "models": [3]}'])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sbc.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"sbc\.json: no results of forecast sbc .*--keep"):
        kept_results(path)


def test_what_changed_since_is_said() -> None:
    kept = result("compute")
    assert changes_since(kept, NOW) == []
    said = kept_sentence([kept], NOW)
    assert said.startswith("Simulation-based calibration of 2026-11-22, with PyMC") and said.endswith("equations.")
    other = NOW | {"priors": "other", "model": "other"}
    assert changes_since(kept, other) == ["the priors", "the model's equations"]
    assert "since then the priors and the model's equations changed" in kept_sentence([kept], other)


def test_a_table_or_another_date_makes_another_digest() -> None:
    tables = {"a": "1", "b": "2"}
    first = digests_of("p", "2026-11-01", tables)
    assert first == digests_of("p", "2026-11-01", dict(reversed(tables.items())))
    assert first["tables"] != digests_of("p", "2026-11-02", tables)["tables"]
    assert first["tables"] != digests_of("p", "2026-11-01", tables | {"b": "3"})["tables"]


def test_the_file_has_a_line_per_parameter_and_plain_numbers(tmp_path: Path) -> None:
    path = keep([result("compute")], tmp_path / "sbc.json")
    lines = path.read_text().splitlines()
    assert sum(line.startswith('{"parameter"') for line in lines) == 3
    assert '"contraction": 0.1235' in path.read_text()
    assert json.loads(path.read_text())["format"] == 1


def test_the_shipped_results_are_of_every_block() -> None:
    found = [one for one in kept_results(RECORD) if one.summary.model["truths"] == "prior"]
    assert [one.summary.model["model"] for one in found if one.summary.model["model"] != "joint"] == [*BLOCKS]
    for one in found:
        assert one.summary.counts.sum(axis=1).tolist() == [one.summary.model["replicates"]] * len(one.summary.counts)
        assert set(one.made["digests"]) == set(NOW)
