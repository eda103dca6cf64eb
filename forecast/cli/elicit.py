"""The command that asks for a prior: quantiles, family, what follows from them, and then a file.

Questions go to stderr and answers come from a terminal; with the numbers as flags nothing is asked, and no file is written
without ``-o`` and a rationale. ``tests/test_cli_elicit.py`` drives it on a pseudo-terminal.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from forecast.cli import printing
from forecast.cli.options import AS_JSON

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.elicitation.effects import Effect
    from forecast.statements import Prior

FILE = "mine.toml"
SAVE, AGAIN, LEAVE = "y", "a", "n"
LONGEST = 100  # characters of a number with its unit
OFF = 0.005  # a probability that is off by less is met
QUESTIONS = (  # the ends first: a middle number named first draws them in
    (0.05, "Low: 5% chance that it is below"),
    (0.95, "High: 5% chance that it is above"),
    (0.5, "Middle: as likely above as below (Enter leaves it open)"),
)


@click.command()
@click.argument("name")
@click.argument("numbers", nargs=-1, metavar="[Q=VALUE]...")
@click.option("--quantiles", multiple=True, metavar="Q=VALUE", help="Probability and value, 0.05=0.1; repeatable.")
@click.option("--family", metavar="NAME", help="PyMC class name; the one that fits if not given.")
@click.option("--run", "run_file", metavar="RUN", help="Show the posterior and what the prior does to the headline.")
@click.option("-o", "--output", "file", metavar="FILE", help="Overlay file to write, or to add the parameter to.")
@click.option("--rationale", metavar="TEXT", help="Why: a judgement needs its reason in one sentence.")
@AS_JSON
def elicit(
    name: str,
    numbers: Sequence[str],
    quantiles: Sequence[str],
    family: str | None,
    run_file: str | None,
    file: str | None,
    rationale: str | None,
    as_json: bool,
) -> None:
    """A prior of your own for the parameter NAME: quantiles, the distribution they imply, what it does, and a file.

    Asks on a terminal for whatever is not given; nothing is written before you say so.

    Example: forecast priors elicit automation_gap --run forecast-out/run.nc

    Example: forecast priors elicit returns --quantiles 0.05=0.6 0.5=1 0.95=1.7 -o mine.toml --rationale "Own data."
    """
    from forecast.elicitation.elicited import elicited, replaceable
    from forecast.runs import load_draws

    old = replaceable(name)
    given = stated_quantiles(name, [*quantiles, *numbers])
    asking = at_terminal() and not as_json
    if not given and not asking:
        raise click.UsageError("no terminal to ask at: give --quantiles 0.05=LOW 0.95=HIGH.")
    if file is not None and rationale is None and not asking:
        raise click.UsageError("-o needs --rationale: a judgement needs its reason in one sentence.")
    run = None if run_file is None else load_draws(run_file)
    if not as_json:
        click.echo(opening(old, run) + "\n")
    while True:
        asked = given or asked_quantiles(name)
        prior = elicited(name, asked, family) if given else asked_prior(name, asked, family)
        if prior is None:
            continue
        effect = None if run is None else effect_of(run, prior)
        if as_json:
            saved = None if file is None or rationale is None else save(prior, file, rationale)
            printing.emit_json(result(prior, run, effect, saved))
            return
        click.echo(shown(prior, asked, run, effect, file or FILE))
        if file is not None and rationale is not None and given:
            click.echo("\n" + saved_words(save(prior, file, rationale), run_file))
            return
        if not asking:
            click.echo("\nNothing is saved: add -o mine.toml --rationale TEXT.")
            return
        click.echo("", err=True)
        answer = choice("Save it? y: yes, a: state other numbers, n: leave", (SAVE, AGAIN, LEAVE))
        if answer == AGAIN:
            given = {}
            continue
        click.echo("\n" + (asked_save(prior, file, rationale, run_file) if answer == SAVE else "Nothing is saved."))
        return


def at_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def stated_quantiles(name: str, texts: Sequence[str]) -> dict[float, float]:
    """Value by probability from texts such as ``0.05=0.1`` or ``5%=90d``, several of them in one text if you like.

    >>> stated_quantiles("training_days", ["5%=30d,50%=0.25y"])
    {0.05: 30.0, 0.5: 91.3125}
    """
    from forecast.errors import InputError

    found: dict[float, float] = {}
    for text in (part for one in texts for part in one.replace(",", " ").split()):
        left, sign, right = text.partition("=")
        if not (left and sign and right) or len(text) > LONGEST:
            raise InputError(
                f"{text[:LONGEST]!r} is no quantile: write the probability, = and the value, such as 0.05=0.1"
            )
        probability = number(left, "1")
        if probability in found:
            raise InputError(f"{text!r}: {left} is given twice")
        found[probability] = value_of(name, right)
    return found


def value_of(name: str, text: str) -> float:
    """A value of a parameter, with or without a unit."""
    from forecast import assignments
    from forecast.prior_files import SCHEMA

    return assignments.number(name, text, SCHEMA[name]) if name in SCHEMA else number(text, "1")


def number(text: str, unit: str) -> float:
    """A quantity in the unit asked for."""
    from forecast.units import quantity

    return quantity(text, unit)


def asked_quantiles(name: str) -> dict[float, float]:
    """Three numbers from the terminal, the middle one if there is one."""
    found = {}
    for probability, question in QUESTIONS:
        value = asked_for(question, lambda text: value_of(name, text), blank=probability == 0.5)
        if value is not None:
            found[probability] = value
    return found


def asked_prior(name: str, asked: dict[float, float], family: str | None) -> Prior | None:
    """The prior of the family that is chosen; None where the numbers can have none, which is said."""
    from forecast.elicitation.elicited import candidates, elicited
    from forecast.errors import InputError

    try:
        found = candidates(name, asked)
        names = found["family"].tolist()
        if family is None and len(names) > 1:
            click.echo("\n" + printing.aligned(family_table(found)) + "\n", err=True)
            family = choice("Family", names, names[0])
        return elicited(name, asked, family)
    except InputError as fault:
        click.echo(f"error: {fault}", err=True)
        return None


def family_table(found: pd.DataFrame) -> pd.DataFrame:
    """Candidates as they are shown: where families with the same interval differ."""
    from forecast.elicitation.tables import value_text

    table = found[["family", "q01", "q50", "q99"]].map(lambda x: x if isinstance(x, str) else value_text(x))
    return table.rename(columns={"q01": "1%", "q50": "50%", "q99": "99%"})


def asked_save(prior: Prior, file: str | None, rationale: str | None, run_file: str | None) -> str:
    """Ask for the reason and the file, and write it."""
    from forecast.errors import InputError

    why = rationale or asked_for("Why? One sentence that a reader could dispute", str)
    while True:
        target = file or asked_for(f"File [{FILE}]", str, blank=True) or FILE
        try:
            return saved_words(save(prior, target, str(why)), run_file)
        except InputError as fault:
            click.echo(f"error: {fault}", err=True)
            file = None


def asked_for(question: str, read: Callable[[str], Any], blank: bool = False) -> Any:
    """An answer that can be read, asked again until it can; None for an empty one where that is allowed."""
    from forecast.errors import InputError

    while True:
        text = click.prompt(question, default="", show_default=False, err=True).strip()
        if not text and blank:
            return None
        try:
            if not text:
                raise InputError("an answer is needed; Ctrl-C leaves, and nothing is saved")
            return read(text)
        except InputError as fault:
            click.echo(f"error: {fault}", err=True)


def choice(question: str, known: Sequence[str], default: str | None = None) -> str:
    """One of some words."""
    answer: str = click.prompt(
        question, type=click.Choice(known, case_sensitive=False), default=default, show_choices=False, err=True
    )
    return answer


def effect_of(run: xr.DataTree, prior: Prior) -> Effect:
    """What the prior does to the headline."""
    from forecast.elicitation.effects import effect_on_headline

    return effect_on_headline(run, prior)


def save(prior: Prior, file: str, rationale: str) -> str:
    """Write the overlay; the path as text."""
    from forecast.elicitation.saving import save_overlay

    return str(save_overlay(prior, file, rationale))


def saved_words(file: str, run_file: str | None) -> str:
    """What to do next with a saved overlay."""
    folder = file.removesuffix(".toml") + "-out"
    lines = [f"Saved to {file}. Next: {shlex.join(['forecast', 'run', '--view', file, '-o', folder])}"]
    if run_file is not None:
        lines.append(f"Then what moved: {shlex.join(['forecast', 'diff', run_file, folder + '/run.nc'])}")
    return "\n".join(lines)


def opening(old: Prior, run: xr.DataTree | None) -> str:
    """The parameter, what is believed of it now and why."""
    from forecast.elicitation.tables import as_of_year, posterior_draws
    from forecast.prior_files import SCHEMA
    from forecast.records import statement

    meaning = SCHEMA[old.name].definition if old.name in SCHEMA else ""
    lines = [
        f"{old.name}: {meaning} (in {old.units}; block {old.block})".replace("(in 1;", "(a plain number;"),
        f"  prior now: {statement(old)}: {spread(old.quantile([0.05, 0.5, 0.95], as_of_year(run)))}",
        f"  because: {old.rationale or 'see forecast priors show ' + old.name}",
    ]
    draws = posterior_draws(run, old.name)
    if draws is not None:
        import numpy as np

        lines.append(f"  after the data: {spread(np.quantile(draws, [0.05, 0.5, 0.95]))}")
    return "\n".join(lines)


def spread(values: Any) -> str:
    """Median and 90% interval in words."""
    from forecast.elicitation.tables import value_text

    low, median, high = (value_text(float(x)) for x in values)
    return f"median {median}, 90% interval {low} to {high}"


def shown(prior: Prior, asked: dict[float, float], run: xr.DataTree | None, effect: Effect | None, file: str) -> str:
    """What the prior implies, where it departs from the numbers, and what it does to the headline."""
    from forecast.elicitation.effects import effect_words
    from forecast.elicitation.tables import histogram, histogram_text, implied, value_text
    from forecast.records import statement

    table = implied(prior, run)
    cells = table.drop(columns="probability").map(value_text)
    cells.insert(0, "quantile", [f"{q:.0%}" for q in table["probability"]])
    parts = [
        statement(prior),
        *missed(prior, asked),
        printing.aligned(cells),
        histogram_text(histogram(prior, run)),
        *([] if effect is None else [wrapped(effect_words(effect, file))]),
    ]
    return "\n" + "\n\n".join(parts)


def missed(prior: Prior, asked: dict[float, float]) -> list[str]:
    """The numbers that this distribution does not have, in one sentence."""
    import numpy as np

    from forecast.elicitation.elicited import share_below, shipped_as_of

    found = share_below(prior, np.array(list(asked.values())), shipped_as_of())
    off = [
        f"{value:g} is its {100 * share:.3g}% quantile, not the {100 * q:.3g}% one"
        for (q, value), share in zip(asked.items(), found, strict=True)
        if abs(share - q) > OFF
    ]
    return [f"Not met: {'; '.join(off)}. The outer numbers bind; another family may come closer."] if off else []


def result(prior: Prior, run: xr.DataTree | None, effect: Effect | None, saved: str | None) -> dict[str, Any]:
    """What --json prints."""
    from forecast.elicitation.tables import implied

    told: dict[str, Any] = {
        "name": prior.name,
        "distribution": prior.distribution,
        "statement": prior.statement,
        "units": prior.units,
    }
    told |= {"quantiles": printing.records(implied(prior, run)), "file": saved}
    if effect is None:
        return told
    weights = {"draws": effect.draws, "effective_draws": effect.effective_draws, "doubt": effect.doubt}
    return told | {"effect": printing.records(effect.to_frame()), "weights": weights}


def wrapped(text: str) -> str:
    """Sentences broken into lines; tables stay as they are."""
    return "\n\n".join(part if "\n" in part else click.wrap_text(part, width=100) for part in text.split("\n\n"))
