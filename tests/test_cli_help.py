"""The help of every command: an example that parses, one line on every flag, --json or --csv where it prints tables."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from forecast.cli import main
from forecast.cli.options import AS_CSV, AS_JSON, QUIET

NO_TABLES = {  # commands that print a page, a file or a verdict, and not rows
    *("completion", "report", "serve"),
}
WORK = {
    "backtest",
    "check",
    "fit",
    "quantiles",
    "report",
    "run",
    "sbc",
    "score",
    "sensitivity",
    "serve",
    "sweep",
}  # longer than a few seconds


def commands(command: click.Command = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command and group below one, by what is typed after ``forecast``."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            whole = f"{path} {name}".strip()
            yield whole, below
            yield from commands(below, whole)


ALL = dict(commands())
LEAVES = {path: command for path, command in ALL.items() if not isinstance(command, click.Group)}


def examples(command: click.Command) -> list[str]:
    return re.findall(r"Example: (forecast .*)", command.help or "")


def flags(command: click.Command) -> set[str]:
    return {name for one in command.params if isinstance(one, click.Option) for name in one.opts}


def test_the_commands_are_found() -> None:
    assert {"run", "priors show", "calc tokens-per-second", "doctor", "completion"} <= set(ALL)


@pytest.mark.parametrize("path", ["", *ALL])
def test_every_help_has_an_example_of_that_command(path: str) -> None:
    command = ALL.get(path, main)
    shown = examples(command)
    assert shown, path
    assert all(line.startswith(f"forecast {path}".strip()) for line in shown)
    assert "Example: forecast" in CliRunner().invoke(main, [*path.split(), "--help"]).output


@pytest.mark.parametrize("path", LEAVES)
def test_every_example_parses(path: str) -> None:
    for line in examples(ALL[path]):
        words = shlex.split(line.split(" > ")[0])
        assert words[0] == "forecast"
        arguments = words[1 + len(path.split()) :]
        context = LEAVES[path].make_context(path, arguments)
        assert not context.resilient_parsing
        assert not context.args


@pytest.mark.parametrize("path", LEAVES)
def test_every_flag_is_explained(path: str) -> None:
    for parameter in LEAVES[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, (path, parameter.name)
            assert parameter.help.rstrip().endswith((".", "?", "]", ")")), (path, parameter.name, parameter.help)


def test_flags_of_one_name_say_one_thing() -> None:
    for name, stated in (("--json", AS_JSON), ("--csv", AS_CSV), ("--quiet", QUIET)):
        probe = stated(click.Command("probe"))
        (known,) = probe.params
        assert isinstance(known, click.Option)
        for path, command in LEAVES.items():
            said = {one.help for one in command.params if isinstance(one, click.Option) and name in one.opts}
            assert said <= {known.help}, (path, name)


@pytest.mark.parametrize("path", sorted(set(LEAVES) - NO_TABLES))
def test_what_prints_tables_prints_them_for_machines_too(path: str) -> None:
    assert "--json" in flags(LEAVES[path])


@pytest.mark.parametrize("path", sorted(WORK))
def test_long_work_can_be_silenced(path: str) -> None:
    assert "--quiet" in flags(LEAVES[path])


def test_help_fits_the_terminal_and_needs_nothing_heavy() -> None:
    program = (
        "import sys; from forecast.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not {"numpy", "pandas", "pymc", "tomllib", "forecast.units"} & set(done.stderr.split())


def test_no_command_of_the_list_is_cut_short() -> None:
    mine = set(ALL) - {"priors elicit", "report", "serve"}
    for group in ("", "priors", "data", "calc"):
        shown = CliRunner().invoke(main, [*group.split(), "--help"]).output.split("Commands:")[1]
        cut = {f"{group} {line.split()[0]}".strip() for line in shown.splitlines() if line.endswith("...")}
        assert not cut & mine
