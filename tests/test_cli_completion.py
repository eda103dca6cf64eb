"""Shell completion: the three scripts, the names that complete, and nothing heavy on a press of the key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
import pytest
from click.testing import CliRunner

from forecast.cli import main
from forecast.cli.completion import (
    complete_files,
    complete_folders,
    complete_outputs,
    complete_parameters,
    complete_priors,
    complete_scenarios,
    complete_tables,
    complete_views,
)
from forecast.overlays import scenario_names
from forecast.priors import load_priors

HEAVY = {"numpy", "scipy", "pandas", "xarray", "pymc", "pydantic"}


def offered(complete: Callable[..., Any], incomplete: str = "") -> list[str]:
    context = click.Context(main)
    return [item.value for item in complete(context, click.Option(["--x"]), incomplete)]


def pressed(words: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """What bash would be offered for the last word of a line."""
    asked = {
        "_FORECAST_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from forecast.cli import main; main(prog_name='forecast')"],
        env=os.environ | asked | dict(environment or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_of_its_own(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_FORECAST_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_is_one_that_its_shell_understands(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_shell_that_is_not_known_is_refused() -> None:
    done = CliRunner().invoke(main, ["completion", "powershell"])
    assert done.exit_code == 2
    assert "bash" in done.stderr


def test_names_come_from_the_files_that_the_commands_read() -> None:
    assert offered(complete_scenarios) == scenario_names()
    assert "davidson2023" in offered(complete_views)
    assert offered(complete_views, "david") == ["davidson2023", "davidson_houlden2025"]
    assert "training_runs" in offered(complete_tables)
    assert "log10_parallel_streams" in offered(complete_outputs, "log10_par")


def test_every_parameter_of_the_shipped_priors_can_be_set() -> None:
    names = {name.removesuffix("=") for name in offered(complete_parameters)}
    assert set(load_priors()) <= names
    assert all(name.endswith("=") for name in offered(complete_parameters))
    assert offered(complete_parameters, "depth_exp") == ["depth_exponent="]
    assert {"compute", "depth_exponent"} <= set(offered(complete_priors))


def test_what_no_name_begins_with_may_be_a_file() -> None:
    (item,) = complete_views(click.Context(main), click.Option(["--x"]), "mine")
    assert (item.value, item.type) == ("mine", "file")
    assert complete_files(click.Context(main), click.Option(["--x"]), "a")[0].type == "file"
    assert complete_folders(click.Context(main), click.Option(["--x"]), "a")[0].type == "dir"


def test_broken_files_complete_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "broken.toml").write_text("[overlay\n")
    monkeypatch.setattr(sys.modules["forecast.cli.completion"], "priors_folder", lambda: tmp_path)
    (item,) = complete_views(click.Context(main), click.Option(["--x"]), "b")
    assert (item.value, item.help) == ("broken", None)


def test_commands_and_sub_commands_complete() -> None:
    assert "plain,takeoff" in pressed("forecast ta")
    assert "plain,tokens-per-second" in pressed("forecast calc tokens-per-s")


def test_a_press_of_the_key_loads_nothing_heavy() -> None:
    program = (
        "import click, sys; from forecast.cli import main; c = sys.modules['forecast.cli.completion']\n"
        "x = click.Context(main), click.Option(['--x']), ''\n"
        "[f(*x) for f in (c.complete_scenarios, c.complete_views, c.complete_parameters, c.complete_tables)]\n"
        "print(*sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(told.stdout.split())
