"""`forecast priors elicit`: asked on a terminal, told by flags, and never half a file."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr
from click.testing import CliRunner, Result
from interrupts import interruptible

from forecast.cli import elicit as command
from forecast.cli import main
from forecast.priors import read_overlay
from forecast.runs import save_run

NUMBERS = ("--quantiles", "0.05=0.6", "0.5=1", "0.95=1.7")
FILE = "mine.toml"


@pytest.fixture(scope="module")
def run_file(prior_run: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_run(prior_run, tmp_path_factory.mktemp("run") / "run.nc"))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["forecast.cli.elicit"], "at_terminal", lambda: True)


def told(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, ["priors", "elicit", *arguments], input=answers)


def files() -> list[str]:
    return sorted(os.listdir())


def test_the_numbers_as_flags_show_what_follows_and_save_nothing() -> None:
    """The 90% interval of the shipped prior is 0.4 to 2.5, the new one's is as asked."""
    result = told("returns", *NUMBERS)
    assert result.exit_code == 0, result.output
    assert "LogNormal, 90% interval 0.6 to 1.7" in result.stdout
    rows = {
        line.split()[0]: line.split()[1:]
        for line in result.stdout.splitlines()
        if line.endswith(("1.7    2.5", "0.6    0.4"))
    }
    assert rows == {"5%": ["0.6", "0.4"], "95%": ["1.7", "2.5"]}
    assert "Nothing is saved: add -o" in result.stdout
    assert files() == []


@pytest.mark.parametrize(
    "numbers",
    [
        ("--quantiles", "5%=30d 50%=2mo,95%=0.25y"),
        ("0.05=30", "0.95=0.25y", "0.5=2 months"),
        ("--quantiles", "0.05=30", "--quantiles", "0.95=91.3125", "0.5=60.875"),
    ],
)
def test_quantiles_are_read_with_units_however_they_are_strung(numbers: tuple[str, ...]) -> None:
    arguments = [text.replace("2 months", "2mo") for text in numbers]
    result = told("training_days", *arguments, "--family", "Gamma", "--json")
    assert json.loads(result.stdout)["statement"]["interval"] == [30.0, 91.3125]


def test_a_saved_prior_is_an_overlay_that_a_run_takes() -> None:
    result = told("returns", *NUMBERS, "-o", FILE, "--rationale", 'Own data, "checked".')
    assert result.exit_code == 0, result.output
    assert "Next: forecast run --view mine.toml -o mine-out" in result.stdout
    prior = read_overlay(FILE).entries["returns"]
    assert (prior.statement, prior.rationale) == ({"interval": [0.6, 1.7], "mass": 0.9}, 'Own data, "checked".')
    assert files() == [FILE]


def test_with_a_run_the_headline_is_shown_under_both_readings(run_file: str) -> None:
    result = told("automation_gap", "0.05=2", "0.95=6", "--run", run_file)
    assert result.exit_code == 0, result.output
    assert "parallel streams at full automation" in result.stdout
    assert "as a view" in result.stdout


def test_json_is_one_value_and_nothing_else(run_file: str) -> None:
    result = told("automation_gap", "0.05=2", "0.95=6", "--run", run_file, "--json", "-o", FILE, "--rationale", "Why.")
    found = json.loads(result.stdout)
    assert result.stderr == ""
    assert [row["new"] for row in found["quantiles"]][1::4] == pytest.approx([2.0, 6.0])
    assert found["weights"]["draws"] == 300
    assert {row["reading"] for row in found["effect"]} == {"run", "prior", "view"}
    assert found["file"] == FILE and files() == [FILE]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("returns",), "no terminal to ask at: give --quantiles"),
        (("retruns", *NUMBERS), "did you mean 'returns'"),
        (("returns", "0.05=2", "0.95=1"), "do not rise with the probability"),
        (("returns", "0.05"), "'0.05' is no quantile"),
        (("returns", "0.05=1", "5%=2"), "is given twice"),
        (("returns", "0.05=many", "0.95=2"), "'many'"),
        (("training_days", "0.05=1e25FLOP", "0.95=2d"), "is an amount of compute"),
        (("returns", *NUMBERS, "--family", "Norml"), "did you mean 'Normal'"),
        (("returns", *NUMBERS, "-o", FILE), "-o needs --rationale"),
        (("returns", *NUMBERS, "-o", "mine.txt", "--rationale", "Why."), "ends in .toml"),
        (("returns", *NUMBERS, "-o", FILE, "--rationale", " "), "needs its reason"),
        (("loss_shares", *NUMBERS), "has several entries"),
    ],
)
def test_a_fault_of_the_flags_is_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    result = told(*arguments)
    assert result.exit_code == 2, result.output
    faults = [line for line in result.stderr.splitlines() if line]
    assert len(faults) == 1 and faults[0].startswith("error: ") and said in faults[0]
    assert files() == []


def test_a_run_file_that_is_missing_is_data_missing() -> None:
    result = told("returns", *NUMBERS, "--run", "nowhere.nc")
    assert (result.exit_code, "no such run file" in result.stderr) == (4, True)


@pytest.mark.usefixtures("terminal")
def test_the_walk_asks_again_until_it_can_be_read() -> None:
    """Wrong word, wrong order, an empty answer, then numbers, a family, a yes, a reason and the file as offered."""
    answers = ["few", "2", "1", "", "", "0.6", "1.7", "1", "", "y", "", "A guess.", ""]
    result = told("returns", answers="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    faults = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    said = ["'few'", "do not rise with the probability", "an answer is needed", "an answer is needed"]
    assert len(faults) == len(said)
    assert all(part in fault for part, fault in zip(said, faults, strict=True))
    assert read_overlay(FILE).entries["returns"].statement["interval"] == [0.6, 1.7]


@pytest.mark.usefixtures("terminal")
def test_other_numbers_can_be_stated_after_a_look_and_another_family_chosen() -> None:
    answers = ["0.6", "1.7", "", "LogNormal", "a", "0.5", "2", "", "Gamma", "y", "Second thoughts.", "other.toml"]
    result = told("returns", answers="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    prior = read_overlay("other.toml").entries["returns"]
    assert (prior.distribution, prior.statement["interval"]) == ("Gamma", [0.5, 2.0])


@pytest.mark.usefixtures("terminal")
def test_a_file_that_states_it_already_is_kept_and_another_asked_for() -> None:
    assert told("returns", *NUMBERS, "-o", FILE, "--rationale", "First.").exit_code == 0
    before = Path(FILE).read_bytes()
    result = told("returns", answers="\n".join(["1", "2", "", "", "y", "Second.", "", "two.toml"]) + "\n")
    assert "states returns already" in result.stderr
    assert Path(FILE).read_bytes() == before
    assert files() == [FILE, "two.toml"]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("answers", "code"), [("0.6\n1.7\n\n\nn\n", 0), ("0.6\n1.7\n\n\ny\nWhy.\n", 130), ("0.6\n", 130)]
)
def test_no_and_an_end_of_the_input_save_nothing(answers: str, code: int) -> None:
    result = told("returns", answers=answers)
    assert result.exit_code == code, result.output
    assert files() == []


def test_it_talks_on_a_real_terminal_and_ctrl_c_leaves_nothing() -> None:
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    try:
        with interruptible("priors", "elicit", "returns", **streams) as process:
            said = shown_until(ours, "that it is below:")
            os.write(ours, b"0.6\n")
            said += shown_until(ours, "that it is above:")
            said += shown_until(ours, "nothing was written", lambda: process.send_signal(signal.SIGINT))
            code = process.wait(timeout=60.0)
    finally:
        os.close(theirs)
        os.close(ours)
    assert "LogNormal, 90% interval 0.4 to 2.5" in said
    assert (code, files()) == (130, [])


def shown_until(screen: int, words: str, press: Callable[[], None] = lambda: None) -> str:
    """What a pseudo-terminal shows up to some words, which must come within a minute.

    `press` is done at once and every five seconds: Python may miss a Ctrl-C in the moment before it waits for a line.
    """
    said, start, pressed = "", time.monotonic(), 0
    while words not in said:
        waited = time.monotonic() - start
        assert waited < 60.0, said
        if waited >= 5.0 * pressed:
            press()
            pressed += 1
        if select.select([screen], [], [], 0.2)[0]:
            said += os.read(screen, 4096).decode()
    return said


def test_the_help_shows_how() -> None:
    result = told("--help")
    assert "Example: forecast priors elicit automation_gap --run forecast-out/run.nc" in result.stdout
    assert command.name == "elicit"
