"""The command that looks at the installation itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.options import AS_JSON

if TYPE_CHECKING:
    from forecast.installation import Finding

FAULTY = 1
SHORT = 12  # characters of a digest that are printed
MARKS = {"broken": "BROKEN", "look": "LOOK AT"}


@click.command(short_help="Is this installation sound?")
@click.option("--imports", is_flag=True, help="Import the main libraries too, and say how long each takes.")
@AS_JSON
@click.pass_context
def doctor(context: click.Context, imports: bool, as_json: bool) -> None:
    """Is this installation sound? Versions, threads, files that came with it, extras, and what to do if not.

    Exit code 1 where something is broken.

    Example: forecast doctor
    """
    from forecast.installation import findings, imported, installation

    facts = installation() | ({"imports": imported()} if imports else {})
    found = findings(facts)
    broken = [one for one in found if one.severity == "broken"]
    if as_json:
        printing.emit_json({"sound": not broken, "findings": [one._asdict() for one in found]} | facts)
    else:
        click.echo("\n".join([*told(facts), "", *verdict(found)]))
    context.exit(FAULTY if broken else 0)


def told(facts: Mapping[str, Any]) -> list[str]:
    """The facts in lines."""
    from forecast.installation import EXTRAS

    needed = facts["requirements"]
    versions = [
        f"{name} {found or 'missing'}{f' ({needed[name]["needed"]})' if name in needed else ''}"
        for name, found in facts["versions"].items()
    ]
    cores, pools = facts["threads"]["cores"], facts["threads"]["blas"]
    shares = {name: share for name, share in facts["bytecode"]["compiled"].items() if share is not None}
    may = "may be written" if facts["bytecode"]["may_be_written"] else "may not be written (PYTHONDONTWRITEBYTECODE)"
    lines = [
        f"forecast   {facts['forecast'] or 'not installed'}, Python {facts['python']}, {facts['system']}",
        f"libraries  {', '.join(versions[:5])}",
        f"           {', '.join(versions[5:])}",
        f"threads    {cores} cores; " + (", ".join(f"{p['library']} {p['threads']}" for p in pools) or "no BLAS seen"),
        *(f"           {name}={value}" for name, value in facts["threads"]["environment"].items()),
        f"bytecode   {may}; there for " + ", ".join(f"{share:.0%} of {name}" for name, share in shares.items()),
        f"kernels    {'kept' if facts['caches']['kept'] else 'none kept yet'}",
    ]
    for name, one in facts["files"].items():
        lines.append(f"{name:<11}{one['files']} files of the {one['from']}, digest {one['digest'][:SHORT]}")
    for i, (name, found) in enumerate(facts["extras"].items()):
        package, what = EXTRAS[name]
        there = f"{package} {found}" if found else "not installed"
        lines.append(f"{'extras' if i == 0 else '':<11}{name}: {there} ({what})")
    lines.append(f"browser    {facts['chromium'] or 'no Chromium'} (only the tests of report and page need one)")
    for i, (name, one) in enumerate(facts.get("imports", {}).items()):
        lines.append(f"{'imports' if i == 0 else '':<11}{name}: {one['fault'] or f'{one["seconds"]} s'}")
    return lines


def verdict(found: Sequence[Finding]) -> list[str]:
    """What is wrong and what to do, or that nothing is."""
    if not found:
        return ["Nothing is wrong."]
    lines = [line for one in found for line in (f"{MARKS[one.severity]} {one.finding}", f"    {one.remedy}")]
    broken = sum(one.severity == "broken" for one in found)
    rest = len(found) - broken
    return [*lines, f"{broken} broken, {rest} to look at." if broken else f"Nothing is broken; {rest} to look at."]
