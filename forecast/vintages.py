"""Vintages: overlays of priors stated as of a past day, ``priors/vintages/<year>.toml``, for back-tests.

A vintage states what could have been written on 1 January of its year from what had been published by then, so that a
back-test is not helped by priors that know what came later. Each extends the one before.
"""

from __future__ import annotations

from datetime import date as Date
from pathlib import Path

from forecast.errors import DataMissingError, InputError
from forecast.places import priors_folder


def vintage_names() -> list[str]:
    """Names of the shipped vintages, the earliest first.

    >>> vintage_names()
    ['2022', '2023', '2024', '2025']
    """
    return sorted(path.stem for path in _folder().glob("*.toml"))


def vintage_path(cut: Date) -> Path:
    """The overlay of the latest vintage that is not after the cut.

    Parameters
    ----------
    cut
        The day after which nothing is known.

    Raises
    ------
    InputError
        If the cut lies before the earliest vintage.

    Examples
    --------
    >>> vintage_path(Date(2023, 6, 30)).name
    '2023.toml'
    """
    names = vintage_names()
    if not names:
        raise DataMissingError(
            "the vintages of priors are missing from this installation of forecast: install it again"
        )
    known = [name for name in names if int(name) <= cut.year]
    if not known:
        raise InputError(
            f"cut: no priors are stated as of {cut}: choose {names[0]}-01-01, the earliest vintage, or later"
        )
    return _folder() / f"{known[-1]}.toml"


def _folder() -> Path:
    return priors_folder() / "vintages"
