"""The sub-commands of ``forecast calc``: options with units, answers with formula, inputs and sources.

One thing to know: ``calc.toml`` beside this file says which sub-commands there are, what each may be given and where a
default comes from; ``calculations.py`` says which equations answer.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from forecast.cli import printing
from forecast.cli.options import AS_JSON
from forecast.errors import InputError
from forecast.units import quantity, with_unit
from forecast.words import power

if TYPE_CHECKING:
    from forecast.cli.calculations import Answer
    from forecast.priors import Priors

Table = dict[str, Any]
GIVEN = "given"


class Used(NamedTuple):
    """An input of a calculation as it was used: `text` as somebody wrote it, `value` in `unit`, and whose it is."""

    name: str
    symbol: str
    text: str
    value: float
    unit: str
    source: str


@cache
def stated() -> Table:
    """Inputs, calculations and sources, as ``calc.toml`` states them."""
    return tomllib.loads((Path(__file__).parent / "calc.toml").read_text(encoding="utf-8"))


def reader(
    entry: Mapping[str, Any],
) -> Callable[[click.Context, click.Parameter, str | None], tuple[str, float] | None]:
    """What turns the text of an option into that text and its value in the input's unit."""

    def convert(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, float] | None:
        try:
            return None if text is None else (text, read(text, entry))
        except InputError as error:
            raise click.BadParameter(f"{error}.", context, parameter) from error

    return convert


def read(text: str, entry: Mapping[str, Any]) -> float:
    """What `text` says in the unit of an input.

    >>> read("1h", stated()["inputs"]["tokens_per_datapoint"])
    3600.0
    """
    value = seconds_as_tokens(text, entry)
    if value is None:
        value = quantity(text, entry["unit"], working=entry.get("working", False))
    if value <= 0.0:
        raise InputError(f"{text!r} is not above 0: write such as {entry.get('default', '1')}")
    if value > entry.get("most", value):
        raise InputError(
            f"{text!r} is more than {entry['most']:.0%}: write a share such as {entry.get('default', '30%')}"
        )
    return value


def seconds_as_tokens(text: str, entry: Mapping[str, Any]) -> float | None:
    """A time as the tokens thought in it, where an input allows that and `text` has a unit of time."""
    if "tokens_per_second" not in entry:
        return None
    try:
        quantity(text, "tokens")
    except InputError:
        try:
            return quantity(text, "s") * float(entry["tokens_per_second"])
        except InputError:
            return None
    return None


def inputs_of(name: str) -> list[tuple[str, Table, bool]]:
    """Inputs of a calculation: name, entry with the calculation's own default, and whether it may stay out."""
    whole = stated()
    own = whole["calculations"][name].get("defaults", {})
    found = []
    for written in whole["calculations"][name]["inputs"]:
        key = written.removeprefix("?")
        entry = dict(whole["inputs"][key])
        if key in own:
            entry |= {"default": own[key], "source": whole["calculations"][name]["source"]}
        found.append((key, entry, written.startswith("?")))
    return found


def option(name: str, entry: Mapping[str, Any], may_be_missing: bool) -> click.Option:
    """The option of an input."""
    default = entry.get("default") or ("the median of the prior" if "prior" in entry else None)
    said = entry["help"] + (f"  [default: {default}]" if default else "")
    return click.Option(
        [f"--{name.replace('_', '-')}", name],
        callback=reader(entry),
        required=default is None and not may_be_missing,
        metavar="NUMBER" if entry["unit"] == "1" else entry["unit"].upper(),
        help=said,
    )


def command(name: str) -> click.Command:
    """The sub-command of a calculation."""
    entry = stated()["calculations"][name]
    words = f"{entry['help']}\n\n\b\n{entry['formula']}\n\nExample: forecast calc {name} {entry['example']}"
    options: list[click.Parameter] = [option(*one) for one in inputs_of(name)]
    return AS_JSON(click.Command(name, callback=answer(name), params=options, help=words, short_help=entry["help"]))


def answer(name: str) -> Any:
    """What a sub-command does: fill in what was not given, compute, print."""

    def run(as_json: bool, **given: tuple[str, float] | None) -> None:
        from forecast.cli.calculations import CALCULATIONS

        used = used_inputs(name, {key: value for key, value in given.items() if value is not None})
        found = CALCULATIONS[name]({one.name: one.value for one in used})
        if as_json:
            printing.emit_json(as_data(name, used, found))
        else:
            click.echo(as_words(name, used, found))

    return run


def used_inputs(name: str, given: Mapping[str, tuple[str, float]]) -> list[Used]:
    """The inputs of a calculation: as given, else a default, else the median of a prior."""
    replaced = replaced_inputs(name, given)
    used = []
    for key, entry, _ in inputs_of(name):
        if key in given:
            used.append(Used(key, entry["symbol"], *given[key], entry["unit"], GIVEN))
        elif key in replaced:
            continue
        elif "default" in entry:
            text, whose = entry["default"], f"default: {stated()['sources'][entry['source']]['short']}"
            used.append(Used(key, entry["symbol"], text, read(text, entry), entry["unit"], whose))
        elif "prior" in entry:
            used.append(from_prior(key, entry))
    return used


def replaced_inputs(name: str, given: Mapping[str, Any]) -> set[str]:
    """Inputs that another one stands for: `instead` in ``calc.toml``."""
    pairs = stated()["calculations"][name].get("instead", {}).items()
    for key, other in pairs:
        if key in given and other in given:
            one, two = (f"--{word.replace('_', '-')}" for word in (key, other))
            raise click.UsageError(f"{one} and {two} exclude each other: drop one of them.")
    return {other for key, other in pairs if key in given}


def from_prior(key: str, entry: Mapping[str, Any]) -> Used:
    """An input that is the median of a shipped prior."""
    priors, year = shipped_priors()
    prior = priors[entry["prior"]]
    fixed = prior.distribution == "fixed"
    median = float(prior.params["value"] if fixed else prior.scipy(year).ppf(0.5))
    exact = repr(median) if prior.units == "1" else f"{median!r} {prior.units}"
    what = f"{'value' if fixed else 'median'} of a prior: forecast priors show {prior.name}"
    return Used(key, entry["symbol"], with_unit(median, prior.units), read(exact, entry), entry["unit"], what)


@cache
def shipped_priors() -> tuple[Priors, float]:
    """The shipped priors, and the year of `as_of`, which bounds some."""
    from forecast.observations import load_settings
    from forecast.priors import load_priors
    from forecast.schema import decimal_year

    return load_priors(), decimal_year(load_settings().as_of)


def as_data(name: str, used: Sequence[Used], found: Sequence[Answer]) -> Table:
    """What --json prints."""
    entry = stated()["calculations"][name]
    return {
        "calculation": name,
        "results": [one._asdict() for one in found],
        "formula": entry["formula"],
        "equations": [f"forecast.equations.{one}" for one in entry["equation"]],
        "source": stated()["sources"][entry["source"]]["cite"],
        "inputs": [one._asdict() for one in used],
    }


def as_words(name: str, used: Sequence[Used], found: Sequence[Answer]) -> str:
    """Results, then how they come about: formula, inputs, sources."""
    entry = stated()["calculations"][name]
    lines = [f"{one.name}: {said(one.value, one.unit)}" for one in found]
    rows = [(one.symbol, one.name.replace("_", " "), shown(one), one.source) for one in used]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    cells = ([c.ljust(w) for c, w in zip(row, (*widths, 0), strict=True)] for row in rows)
    lines += ["", entry["formula"], *("  " + "  ".join(row).rstrip() for row in cells), ""]
    if entry["equation"]:
        lines.append("In Python: " + ", ".join(f"forecast.equations.{one}" for one in entry["equation"]))
    lines.append(f"Source: {stated()['sources'][entry['source']]['cite']}")
    return "\n".join([*lines, *([entry["note"]] if "note" in entry else [])])


def said(value: float, unit: str) -> str:
    """A result in words, and with six digits where words round it.

    >>> said(22360679.8, "tokens/s"), said(450000.0, "streams")
    ('22.4 million tokens/s (2.23607e7)', '450,000 streams')
    """
    words = with_unit(value, unit)
    exact = f"{value:.6g}" if abs(value) < 1e6 else power(value, 6)
    return words if quantity(words, unit) == float(exact) else f"{words} ({exact})"


def shown(one: Used) -> str:
    """An input as it was written, and what that is in its unit where they differ."""
    value = with_unit(one.value, one.unit, 4)
    if one.unit == "1":
        return one.text
    if re.fullmatch(r"[0-9.,eE+-]+", one.text):
        return value if one.text == "1" else f"{one.text} {one.unit}"
    return value if value.replace(" ", "").startswith(one.text.replace(" ", "")) else f"{one.text} = {value}"
