"""``forecast completion``: the script that lets a shell complete commands, flags and the names that flags take.

One thing to know: a shell asks on every press of the key, so nothing here imports more than click, file names and
``forecast.schema`` (``tests/test_cli_completion.py`` pins it), and a fault completes nothing instead of printing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from forecast.errors import ForecastError
from forecast.places import priors_folder, tables_folder

SHELLS = ("bash", "zsh", "fish")
WIDEST = 72  # characters of what a shell prints beside a name
Items = list[CompletionItem]


@click.command(short_help="The script that makes a shell complete names.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """The script that makes a shell complete commands, flags and names.

    \b
    bash   forecast completion bash > ~/.local/share/bash-completion/completions/forecast
    zsh    forecast completion zsh > a folder of $fpath, as _forecast
    fish   forecast completion fish > ~/.config/fish/completions/forecast.fish

    For this shell only: eval "$(forecast completion bash)"

    Example: forecast completion bash
    """  # noqa: D301 -- click reads the backspace
    script = get_completion_class(shell)
    assert script is not None  # the three are click's own
    click.echo(script(context.find_root().command, {}, "forecast", "_FORECAST_COMPLETE").source(), nl=False)


def complete_scenarios(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of the shipped scenarios."""
    return beginning(incomplete, described("scenarios"))


def complete_views(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of the shipped views, else files."""
    return beginning(incomplete, described(".")) or [CompletionItem(incomplete, type="file")]


def complete_parameters(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Parameters with the sign that stands before their value, ``depth_exponent=``."""
    from forecast.schema import PARAMETERS, PRODUCTION, SIDE_PARAMETERS

    blocks = (*PARAMETERS.values(), *SIDE_PARAMETERS.values(), PRODUCTION)
    return beginning(incomplete, {f"{name}=": v.definition for block in blocks for name, v in block.items()})


def complete_priors(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Parameters and blocks, as ``forecast priors show`` takes them."""
    from forecast.schema import PARAMETERS, SIDE_PARAMETERS

    blocks = dict.fromkeys((*PARAMETERS, *SIDE_PARAMETERS), "all parameters of the block")
    names = {item.value.removesuffix("="): item.help or "" for item in complete_parameters(context, parameter, "")}
    return beginning(incomplete, blocks | names)


def complete_outputs(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Read-outs, events and yearly outputs."""
    from forecast.schema import EVENTS, READOUTS, YEARLY

    known = READOUTS | EVENTS | YEARLY
    return beginning(incomplete, {name: variable.definition for name, variable in known.items()})


def complete_tables(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of the tables."""
    return beginning(incomplete, dict.fromkeys((path.stem for path in sorted(tables_folder().glob("*.csv"))), ""))


def complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Whatever files the shell finds."""
    return [CompletionItem(incomplete, type="file")]


def complete_folders(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Whatever folders the shell finds."""
    return [CompletionItem(incomplete, type="dir")]


def described(folder: str) -> Mapping[str, str]:
    """Names of the overlays in a folder of the shipped priors, each with its description."""
    try:
        return {path.stem: description(path) for path in sorted((priors_folder() / folder).glob("*.toml"))}
    except ForecastError:
        return {}


def description(path: Path) -> str:
    """What an overlay says that it is, in a line; nothing where it cannot be read."""
    import textwrap
    import tomllib

    try:
        said = tomllib.loads(path.read_text(encoding="utf-8")).get("overlay", {}).get("description", "")
    except (OSError, ValueError):
        return ""
    return textwrap.shorten(str(said), WIDEST, placeholder=" …")


def beginning(incomplete: str, names: Mapping[str, str] | Iterable[str]) -> Items:
    """What begins as it is written so far."""
    known = names if isinstance(names, Mapping) else dict.fromkeys(names, "")
    return [CompletionItem(name, help=said or None) for name, said in known.items() if name.startswith(incomplete)]
