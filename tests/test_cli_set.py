"""``--set`` and ``--preset``: on which commands, what they print and record, and what they refuse."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.reporting.assembly import facts
from forecast.runs import load_run, read_provenance, save_run

SETTABLE = ("run", "fit", "project", "takeoff", "organisations", "speedup", "leap", "forms", "compare", "watch")
PRESETTABLE = ("project", "takeoff", "organisations", "speedup", "leap", "forms", "compare")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_run(prior_run, tmp_path_factory.mktemp("set") / "run.nc"))


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


def flags(command: click.Command) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts}


# where they are


def test_every_command_with_a_view_takes_values_of_ones_own() -> None:
    for name, command in main.commands.items():
        if "--view" in flags(command) and name != "serve":
            assert "--set" in flags(command), name
    assert all("--set" in flags(main.commands[name]) for name in (*SETTABLE, "sbc", "backtest"))
    assert {name for name, command in main.commands.items() if "--preset" in flags(command)} >= set(PRESETTABLE)


def test_the_help_says_what_a_preset_is_not() -> None:
    text = " ".join(said("takeoff", "--help").split())
    assert "A set of inputs: low is not the 10th percentile of the answer." in text
    assert '"depth_exponent=Normal(0.1..0.3)" (its 90% interval)' in text


# on a run file


def test_what_is_set_marks_every_number(file: str) -> None:
    rows = json.loads(said("project", file, "--set", "depth_exponent=0.15", "--years", "2030", "--json"))
    assert {row["form"] for row in rows} == {"trend (prior only, set depth_exponent=0.15)"}
    text = said("leap", file, "--view", "davidson2023", "--set", "depth_exponent=0.15", "--set", "returns=1")
    assert text.startswith("*** PRIOR ONLY, VIEW DAVIDSON2023, SET DEPTH_EXPONENT=0.15; RETURNS=1 ***")


def test_values_of_ones_own_come_after_the_views(file: str) -> None:
    """Finnveden's 1.118e13 parameters follow from his 20 tokens per parameter: four times fewer make them twice as many."""
    text = ("project", file, "--view", "finnveden2023", "--set", "tokens_per_param_2024=5", "--years", "2027", "--json")
    params = next(row["q50"] for row in json.loads(said(*text)) if row["variable"] == "log10_params")
    assert 10.0**params == pytest.approx(2.0 * 1.118e13, rel=1e-3)


def test_a_preset_says_what_it_fixes_beside_the_data(file: str) -> None:
    result = call("takeoff", file, "--preset", "high", "--scenario", "baseline", "--json")
    assert result.exit_code == 0, result.output
    assert {row["form"] for row in json.loads(result.stdout)} == {"section5 (prior only, preset high)"}
    assert result.stderr.startswith("Preset high: where it goes with more AIs in 2031, ")
    assert "percentile); all else follows and keeps its spread." in " ".join(result.stderr.split())


def test_a_comparison_has_a_column_for_each(file: str) -> None:
    text = ("compare", file, "--set", "returns=2", "--preset", "low", "--preset", "high", "--json")
    assert [row["view"] for row in json.loads(said(*text))] == [
        "this posterior",
        "set returns=2",
        "set returns=2 low",
        "set returns=2 high",
    ]
    words = said("compare", file, "--preset", "low")
    assert "preset low" in words
    assert "Preset low: where it goes with fewer AIs in 2031" in words


def test_what_makes_ones_own_values_differ_is_said_with_the_flags_that_fit_them(file: str) -> None:
    text = " ".join(said("compare", file, "--set", "taste_slope=LogNormal(20..40)").split())
    assert "forecast run --set 'taste_slope=LogNormal(20..40)'" in text


# on a run of its own


def test_a_run_says_what_was_set_and_how_to_make_it_again(tmp_path: Path) -> None:
    texts = ("depth_exponent=0.15", "training_days=LogNormal(60d..120d)")
    job = ("fit", "--prior-only", "--draws", "20", "--quiet", "-o", str(tmp_path))
    assert call(*job, "--set", texts[0], "--set", texts[1]).exit_code == 0
    record = read_provenance(load_run(tmp_path / "run.nc"))
    assert facts(record)["Overlays of the priors"] == f"Set on the command line: {'; '.join(texts)}."
    assert record["priors"]["depth_exponent"] == {"value": 0.15, "distribution": "fixed"}
    stated = {entry["name"]: entry for entry in record["parameters"]}
    assert stated["training_days"]["rationale"] == "set on the command line"
    *_, command = shlex.split(record["command"])[:4]
    again = main.commands[command].make_context(command, shlex.split(record["command"])[4:])
    assert again.params["assignments"] == texts


def test_another_value_is_another_fit(tmp_path: Path) -> None:
    digests = set()
    for i, extra in enumerate(((), ("--set", "returns=1"), ("--set", "returns=1.1"))):
        folder = tmp_path / str(i)
        assert call("fit", "--prior-only", "--draws", "20", *extra, "-o", str(folder), "--quiet").exit_code == 0
        digests.add(read_provenance(load_run(folder / "run.nc"))["digests"]["fit"])
    assert len(digests) == 3


def test_priors_are_shown_as_set() -> None:
    text = said("priors", "show", "depth_exponent", "--set", "depth_exponent=Normal(0.1..0.3)")
    assert "Normal, 90% interval 0.1 to 0.3" in text
    assert "why: set on the command line" in text


# what is refused


def test_every_fault_is_told_with_the_others_and_nothing_is_written(tmp_path: Path) -> None:
    wrong = ("--set", "depth_exponnt=0.2", "--set", "returns=-1", "--scenario", "nope")
    result = call("run", *wrong, "-o", str(tmp_path / "out"))
    refused(result, "did you mean 'depth_exponent'?", "returns cannot be fixed at -1", "no scenario named 'nope'")
    assert not (tmp_path / "out").exists()


def test_a_preset_has_three_names(file: str) -> None:
    refused(call("project", file, "--preset", "middle"), "--preset", "low", "central", "high")


def test_a_size_that_nobody_could_train_is_refused(file: str) -> None:
    refused(call("project", file, "--params", "1e30"), "1e+30 is no size that anybody could train", "such as 1e14")


def test_what_states_its_own_priors_takes_no_values(file: str) -> None:
    refused(call("backtest", "--vintage", "--set", "returns=1"), "drop --priors, --view and --set")
    refused(call("backtest", "--keep", "--set", "returns=1"), "--keep is for the shipped priors")
    refused(call("sbc", "--recover", file, "--set", "returns=1"), "--set cannot be given")
    refused(call("compare", file, "--disagreement", "--set", "returns=1"), "are about two views")


def test_a_backtest_names_the_priors_it_is_of() -> None:
    from forecast.assignments import with_assigned
    from forecast.backtest_job import stated_marks

    assert stated_marks("mine", with_assigned(["davidson2023"], ["returns=1"])) == [
        "priors mine",
        "view davidson2023",
        "set returns=1",
    ]
    assert stated_marks(None, []) == []
