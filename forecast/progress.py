"""How long work tells of its progress: a function that is called, and that prints, draws or forgets.

Nothing in this package prints progress; whoever calls passes `progress`, as the command line does on a terminal.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # what is done now, steps done, steps wanted (0: nobody knows)


def silent(what: str, done: int, wanted: int) -> None:
    """Progress that nobody wants to hear of.

    >>> silent("sampling", 1, 2)
    """
