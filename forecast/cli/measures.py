"""Options that take a number with or without its unit: 70B, 60 min, 90d."""

from __future__ import annotations

from collections.abc import Callable

import click

from forecast.errors import InputError


def in_unit(unit: str) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """What turns the text of an option into a number of `unit`; for the callback of an option."""

    def convert(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
        from forecast.units import quantity

        try:
            return None if text is None else quantity(text, unit)
        except InputError as error:
            raise click.BadParameter(f"{error}.", context, parameter) from error

    return convert
