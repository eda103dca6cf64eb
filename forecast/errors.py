"""The errors a caller may catch; every message names the place, the fault and the remedy."""

from __future__ import annotations

import re

LONGEST = 1000  # characters of one fault: it is read on a terminal
UNBROKEN = re.compile(r"[^\s'\":,;()]{300,}")  # a number of a million digits, say: its beginning is enough
DAMAGED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)  # raised by a record that is not as we write it
KEPT = 400  # of them before what is left out, where the place stands; the remedy is at the end


def clear(fault: str) -> str:
    r"""A fault on one line, without what a terminal would obey, and no longer than anybody reads.

    What it quotes from a file may hold anything: line breaks, escape sequences, a million digits.

    >>> clear("mine.toml:3: priors.a\x1b[2J: unknown key")
    'mine.toml:3: priors.a\\x1b[2J: unknown key'
    >>> len(clear("x" * 100_000))
    1000
    """
    place, blank, said = fault.partition(" ")
    fault = place + blank + UNBROKEN.sub(lambda run: f"{run[0][:60]}...", said)
    if len(fault) > LONGEST:
        fault = f"{fault[:KEPT]} ... {fault[KEPT + 5 - LONGEST :]}"
    if not fault.isprintable():
        fault = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in fault)
    return fault if len(fault) <= LONGEST else f"{fault[:KEPT]} ... {fault[KEPT + 5 - LONGEST :]}"


class ForecastError(Exception):
    """Base of every error this package raises on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(ForecastError, ValueError):
    """A prior file, table, date, scenario, argument or run file that cannot be used as it is."""

    exit_code = 2


class ConvergenceError(ForecastError, RuntimeError):
    """The sampler did not converge; results are written and marked."""

    exit_code = 3


class DataMissingError(ForecastError, FileNotFoundError):
    """A table, prior set or run that should be there is not, or its digest does not match."""

    exit_code = 4
