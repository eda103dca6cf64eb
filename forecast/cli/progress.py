"""Progress of long work on one line of stderr, with the time left: only on a terminal, and not with --quiet."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import click

from forecast.progress import Progress, silent

FEW = 20  # steps: fewer, and each is of the same kind from the first on; more, and the first includes what comes before
COUNTED = 1_000  # steps, from which on percent say more
ERASE = "\r\x1b[K"


@dataclass
class Clock:
    """When the present piece of work began, and when its first steps were done."""

    wanted: int = -1
    began: float = 0.0
    first: tuple[float, int] | None = None
    live: bool = field(default=False)  # whether an unfinished line is on the terminal


def teller(quiet: bool) -> Progress:
    """What prints progress, or nothing where stderr is no terminal or nobody wants to hear it."""
    if quiet or not sys.stderr.isatty():
        return silent
    clock = Clock()

    def tell(what: str, done: int, wanted: int) -> None:
        now = time.monotonic()
        if wanted != clock.wanted or done == 0 or not clock.live:
            clock.wanted, clock.began, clock.first = wanted, now, None
        if clock.first is None and done > 0:
            clock.first = (now, done)
        ends = 0 < wanted <= done
        clock.live = not ends
        click.echo(f"{ERASE}{line(what, done, wanted, clock, now)}", err=True, nl=ends)

    return tell


def line(what: str, done: int, wanted: int, clock: Clock, now: float) -> str:
    """One line: what is done, how much of it, and the time that it took or will take.

    >>> line("sampling", 2500, 10_000, Clock(10_000, 0.0, (1.0, 500)), 5.0)
    'sampling: 25%, 15 s left'
    >>> line("fit", 2, 12, Clock(12, 0.0, (10.0, 1)), 20.0)
    'fit: 2 of 12, 1 min 40 s left'
    """
    if done == 0 or wanted == 0:
        return what
    much = f"{done / wanted:.0%}" if wanted >= COUNTED else f"{done} of {wanted}"
    if done >= wanted:
        return f"{what}: {much}, took {duration(now - clock.began)}"
    left = seconds_left(done, wanted, clock, now)
    return f"{what}: {much}" + ("" if left is None else f", {duration(left)} left")


def seconds_left(done: int, wanted: int, clock: Clock, now: float) -> float | None:
    """Time left at the pace so far; of many steps those after the first call, which may have waited for a compiler."""
    if wanted < FEW or clock.first is None:
        return (now - clock.began) / done * (wanted - done)
    since, before = clock.first
    return None if done <= before else (now - since) / (done - before) * (wanted - done)


def duration(seconds: float) -> str:
    """A time in seconds, minutes and hours.

    >>> duration(8.4), duration(130.0), duration(7320.0)
    ('8 s', '2 min 10 s', '2 h 2 min')
    """
    whole = max(0, round(seconds))  # a clock that was set back in between
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
