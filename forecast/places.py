"""Where the files that come with the package are; nothing heavy is imported, for shell completion and `forecast doctor`."""

from __future__ import annotations

from pathlib import Path

from forecast.errors import DataMissingError


def priors_folder() -> Path:
    """Where the prior files are: ``forecast/_priors`` in a wheel, ``priors`` beside the package in a checkout.

    >>> (priors_folder() / "baseline" / "compute.toml").is_file()
    True
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_priors", package.parent / "priors"):
        if (folder / "baseline").is_dir():
            return folder
    raise DataMissingError("the prior files are missing from this installation of forecast: install it again")


def tables_folder() -> Path:
    """Where the tables are, one CSV file each, with ``settings.toml``.

    >>> (tables_folder() / "training_runs.csv").is_file()
    True
    """
    return Path(__file__).resolve().parent / "tables"
