"""The whole main job with research production stated another way."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from forecast.cli import main

VIEW = """
[overlay]
description = "Another way to state it."

[priors.{name}]
{statement}
units = "1"
source = ["judgement"]
rationale = "A test."
"""


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("infinite_compute_multiple", 'distribution = "LogNormal"\ninterval = [100.0, 1e5]\nlower = 1.1'),
        ("substitution_elasticity", "value = 0.6"),
    ],
)
def test_the_main_job_runs(name: str, statement: str, tmp_path: Path) -> None:
    view = tmp_path / "mine.toml"
    view.write_text(VIEW.format(name=name, statement=statement), encoding="utf-8")
    result = CliRunner().invoke(
        main, ["run", "--prior-only", "--draws", "50", "--view", str(view), "-o", str(tmp_path / "out"), "--quiet"]
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "report.html").stat().st_size > 100_000
