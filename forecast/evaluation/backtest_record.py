"""The kept back-tests of the shipped priors, ``backtest.csv`` and ``backtest.json``, with date, versions and digests.

Refitting at four cuts with two sets of priors takes minutes, so the report shows what was kept; ``forecast backtest
--keep`` and ``forecast backtest --vintage --keep`` make it anew.
"""

from __future__ import annotations

import json
from datetime import date as Date
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from forecast.errors import InputError
from forecast.evaluation.backtest import Backtest
from forecast.evaluation.sbc_record import WHAT, digests_of, stamp
from forecast.observations import load_observations
from forecast.priors import load_priors
from forecast.summaries import write_text

FOLDER = Path(__file__).parent
ROWS, RECORD = "backtest.csv", "backtest.json"
TODAY, VINTAGE = "today", "vintage"


class Kept(NamedTuple):
    """Rows of a kept back-test, its fits, and what they were made from: date, versions, settings, digests."""

    rows: pd.DataFrame
    fits: list[dict[str, Any]]
    made: dict[str, Any]


def shipped_digests() -> dict[str, str]:
    """Digests of the shipped priors and tables and of the model."""
    seen = load_observations()
    return digests_of(load_priors().digest, seen.as_of.isoformat(), seen.digests)


def kept_backtests(folder: Path = FOLDER) -> dict[str, Kept]:
    """The kept back-tests by the priors they used, ``today`` and ``vintage``; none where there is no file.

    Parameters
    ----------
    folder : Path
        Where the files lie; those of the package by default.

    Returns
    -------
    dict
        `Kept` by the priors used: rows, fits and what made them.

    Raises
    ------
    InputError
        If a file cannot be read.

    Examples
    --------
    >>> import forecast as fc
    >>> sorted(fc.kept_backtests())
    ['today', 'vintage']
    """
    if not (folder / RECORD).is_file():
        return {}
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        rows = pd.read_csv(folder / ROWS)
        return {
            name: Kept(
                rows[rows["priors"] == name].drop(columns="priors").reset_index(drop=True), one["fits"], one["made"]
            )
            for name, one in record.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InputError(f"{folder / RECORD}: no kept back-test ({error}): make it anew with --keep") from error


def keep(found: Backtest, name: str, settings: dict[str, int], date: Date, folder: Path = FOLDER) -> Path:
    """Keep a back-test of the shipped priors in place of the one with the same set of priors."""
    known = kept_backtests(folder)
    digests = shipped_digests()
    made = stamp(settings, load_observations().as_of.isoformat(), digests, date)
    known[name] = Kept(found.rows, found.fits.to_dict("records"), made)
    rows = pd.concat([one.rows.assign(priors=key) for key, one in sorted(known.items())], ignore_index=True)
    text = StringIO()
    rows.to_csv(text, index=False, float_format="%.5g", lineterminator="\n")
    write_text(folder / ROWS, text.getvalue())
    record = {key: {"made": one.made, "fits": one.fits} for key, one in sorted(known.items())}
    return write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")


def kept_sentence(kept: Kept, now: dict[str, str]) -> str:
    """When a back-test was made, and whether the shipped priors, tables and equations are still those."""
    changed = [said for name, said in WHAT.items() if kept.made["digests"][name] != now[name]]
    said = f"Back-test of {kept.made['date']}, with PyMC {kept.made['versions']['pymc']}"
    if not changed:
        return f"{said}, of these priors, tables and equations."
    return f"{said}; since then {' and '.join(changed)} changed: make it anew with forecast backtest --keep."
