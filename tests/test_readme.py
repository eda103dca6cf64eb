"""Every number in the README comes out of a fit with the shipped priors, tables and settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from promises import promises
from readme import backtests, drivers, numbers, questions

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCK = README.split("<!-- numbers:")[1].split("<!-- /numbers -->")[0]
QUESTIONS = README.split("<!-- questions:")[1].split("<!-- /questions -->")[0]
DRIVERS = README.split("<!-- drivers:")[1].split("<!-- /drivers -->")[0]
BACKTESTS = README.split("<!-- backtests:")[1].split("<!-- /backtests -->")[0]
PROMISED = README.split("<!-- promises:")[1].split("<!-- /promises -->")[0]
SCALE = {"": 1.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}


def values(text: str) -> list[float]:
    found = re.findall(r"([\d,.]*\d)\s*(%|thousand|million|billion|trillion)?", text)
    return [float(digits.replace(",", "")) * SCALE.get(unit, 1.0) for digits, unit in found]


def rows() -> list[str]:
    lines = [line for line in BLOCK.splitlines() if line.startswith("| ") and "---" not in line]
    return [line.split("|", 2)[2] for line in lines if not line.startswith(("| question", "| event"))]


def test_the_readme_prints_what_the_model_says(run):
    """Within Monte Carlo error: another processor may draw other chains (counts 40%, years 7%, shares 2.5 points)."""
    computed = numbers(run)
    assert len(rows()) == len(computed)
    for (name, expected), printed in zip(computed.items(), rows(), strict=True):
        shares = name.startswith("p_")
        tolerance = {"abs": 2.5} if shares else {"rel": 0.4 if name in ("streams", "human") else 0.07}
        if name == "year":
            tolerance = {"abs": 1.0}
        assert values(printed) == pytest.approx(values(expected), **tolerance), name


def test_the_further_questions_have_their_numbers(run):
    """Shares to 4 points, the rest to a third: tails of a lognormal over four chains move that much."""
    printed = dict(line.strip("| ").split(" | ", 1) for line in QUESTIONS.splitlines()[3:] if line.startswith("| "))
    computed = questions(run)
    assert list(printed) == list(computed)
    for label, expected in computed.items():
        tolerance = {"abs": 4.0} if "%" in expected else {"rel": 0.35}
        assert values(printed[label]) == pytest.approx(values(expected), **tolerance), label


def test_the_leading_inputs_have_their_shares(run):
    """The same three for each headline, shares to 4 points."""
    printed = dict(line.strip("| ").split(" | ", 1) for line in DRIVERS.splitlines()[3:] if line.startswith("| "))
    computed = drivers(run)
    assert list(printed) == list(computed)
    for label, expected in computed.items():
        assert values(printed[label]) == pytest.approx(values(expected), abs=4.0), label


def test_the_back_tests_are_those_kept():
    printed = dict(line.strip("| ").split(" | ", 1) for line in BACKTESTS.splitlines()[3:] if line.startswith("| "))
    assert printed == backtests()


def test_commands_of_the_readme_exist():
    from click.testing import CliRunner

    from forecast.cli import main

    lines = re.findall(r"^(?:uv run )?forecast ([a-z]+)", README, flags=re.MULTILINE)
    for command in sorted(set(lines)):
        assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0, command


def test_the_notebook_example_runs(run, tmp_path, capsys):
    import forecast as fc

    path = fc.save_run(run, tmp_path / "run.nc")
    code = README.split("```python")[1].split("```")[0].replace("forecast-out/run.nc", str(path))
    exec(compile(code, "README", "exec"), {})
    assert "P(log10_parallel_streams > 8)" in capsys.readouterr().out


def test_the_promises_are_those_of_the_last_slow_run():
    assert [line for line in PROMISED.splitlines() if line.startswith("|")] == promises()
