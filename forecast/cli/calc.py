"""``forecast calc``: the arithmetic of the documents that this project began with, on numbers of one's own.

One thing to know: ``calc.toml`` beside this file says which sub-commands there are, ``calc_commands.py`` makes one of it
when it is asked for, so that the help of the whole command line stays instant.
"""

from __future__ import annotations

import click


class Calculations(click.Group):
    """A group whose sub-commands are those of ``calc.toml``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the file, that of the argument."""
        from forecast.cli.calc_commands import stated

        return list(stated()["calculations"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command of that name, if there is one."""
        from forecast.cli.calc_commands import command

        return command(cmd_name) if cmd_name in self.list_commands(ctx) else None


@click.group(cls=Calculations)
def calc() -> None:
    """Closed forms on round numbers: no run file, no uncertainty.

    How many AIs a training run leaves room for, how fast they are, what a larger system costs, what bounds a speed-up.
    Every option takes a number with or without its unit: 1e14, 70B, 1y, 90d, 1e21FLOP/s, 10%, $10bn.

    Example: forecast calc tokens-per-second --params 1e14 --training-time 1y
    """
