"""The public figures the model learns from: tables read, checked, cut by date and handed over as xarray.

The one thing to know: a row dated after ``as_of`` is never seen (``tests/test_observations.py`` pins it), so a forecast
made as of an earlier day uses only what had been published by then. Undated rows are conventions and always stay.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from forecast.documents import read_document
from forecast.errors import DataMissingError, InputError, clear
from forecast.rows import TABLES, Day, IntervalRow, Row, fault, parse_date, units_of
from forecast.schema import decimal_year
from forecast.table_files import did_you_mean, read_table

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = Path(__file__).parent / "tables"
SETTINGS = "settings.toml"
MOST_DRAWS, MOST_CHAINS = 1_000_000, 1_000
YEAR_COLUMNS = {"date": "year", "start": "start_year", "end": "end_year"}


class Settings(BaseModel):
    """What a run uses unless told otherwise; years are read at 1 July."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    as_of: Day
    first_year: int = Field(ge=1950, le=2100)
    last_year: int = Field(ge=1950, le=2100)
    draws: int = Field(gt=0, le=MOST_DRAWS)
    tune: int = Field(gt=0, le=MOST_DRAWS)
    chains: int = Field(gt=0, le=MOST_CHAINS)
    random_seed: int = Field(ge=0, lt=2**63)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.last_year < self.first_year:
            raise fault(f"{self.last_year} is before first_year = {self.first_year} (swap them)")
        return self


@dataclass(frozen=True, eq=False)
class Observations:
    """The tables as of a day.

    Attributes
    ----------
    as_of
        The day after which nothing is known.
    tables
        One Dataset per table with the one dim ``row``: numbers as floats with ``attrs["units"]`` (blank = NaN), text as
        text, and beside each ``date`` the decimal ``year``.
    digests
        SHA-256 of each table's used rows, in any order.
    origin
        Where each table is from: "shipped" or the folder given.
    uncut
        The tables with the rows after that day, for what has to be chosen even where a table is still empty: the
        centres of regressions, and in a back-test what came later.
    """

    as_of: Date
    tables: dict[str, xr.Dataset]
    digests: dict[str, str]
    origin: dict[str, str]
    uncut: dict[str, xr.Dataset]

    def __getitem__(self, table: str) -> xr.Dataset:
        if table not in self.tables:
            raise InputError(f"{table!r} is not a table ({did_you_mean(table, list(self.tables))})")
        return self.tables[table]

    @property
    def as_of_year(self) -> float:
        """Return ``as_of`` as a decimal year."""
        return decimal_year(self.as_of)

    @property
    def digest(self) -> str:
        """Return one SHA-256 over ``as_of`` and the tables' digests."""
        return _sha256([self.as_of.isoformat(), *(f"{name} {self.digests[name]}" for name in sorted(self.digests))])

    def to_frame(self, table: str) -> pd.DataFrame:
        """Return one table as a pandas DataFrame."""
        return self[table].to_dataframe()


def load_observations(path: str | PathLike[str] | None = None, as_of: str | Date | None = None) -> Observations:
    """Read the tables and drop what was not known on ``as_of``.

    Parameters
    ----------
    path
        A folder with tables of one's own (``<table>.csv``); they replace the shipped ones of the same name.
    as_of
        A date or ``YYYY-MM-DD``; None takes it from ``settings.toml`` (of that folder, else the shipped one).

    Returns
    -------
    Observations
        The tables as xarray with units, and what was cut.

    Raises
    ------
    InputError
        A table, or ``as_of``, cannot be used; the message lists every fault with file, line and column.
    DataMissingError
        There is no such folder.

    Examples
    --------
    >>> observations = load_observations(as_of="2024-06-30")
    >>> float(observations["training_runs"].training_flop.max())
    5e+25
    """
    files = _table_files(path)
    tables, faults = _read_all(files)
    if faults:
        raise InputError("\n".join(faults))
    day = load_settings(path).as_of if as_of is None else _day(as_of)
    used = {name: [row for row in rows if _known(row, day)] for name, rows in tables.items()}
    _refuse_empty(tables, used, day)
    return Observations(
        as_of=day,
        tables={name: _dataset(name, rows) for name, rows in used.items()},
        digests={name: _sha256([row.model_dump_json() for row in rows]) for name, rows in used.items()},
        origin={name: "shipped" if file.parent == SHIPPED else str(file.parent) for name, file in files.items()},
        uncut={name: _dataset(name, rows) for name, rows in tables.items()},
    )


def check_observations(path: str | PathLike[str] | None = None) -> list[str]:
    """Return every fault of the tables as ``file:line: column: what is wrong (remedy)``; empty if there is none.

    Raises
    ------
    InputError
        The folder has no table, or a file that is none.
    DataMissingError
        There is no such folder.

    Examples
    --------
    >>> check_observations()
    []
    """
    return _read_all(_table_files(path))[1]


def load_settings(path: str | PathLike[str] | None = None) -> Settings:
    """Read ``settings.toml`` of the folder, or the shipped one where it has none.

    Examples
    --------
    >>> load_settings().chains
    4
    """
    own = SHIPPED / SETTINGS if path is None else Path(path) / SETTINGS
    faults: list[str] = []
    document = read_document(own if os.path.lexists(own) else SHIPPED / SETTINGS, faults)
    if document is None:
        raise InputError("\n".join(faults))
    try:
        return Settings.model_validate(document.data)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            document.fault("", str(found["loc"][0]) if found["loc"] else "last_year", _settings_fault(found))
        raise InputError("\n".join(faults)) from None


def _settings_fault(found: ErrorDetails) -> str:
    """What pydantic found, with a remedy."""
    if found["type"] == "fault":
        return str(found["ctx"]["problem"])
    if found["type"] == "missing":
        return f"is missing: add it, as in the shipped {SETTINGS}"
    if found["type"] == "extra_forbidden":
        return f"unknown key ({did_you_mean(str(found['loc'][0]), list(Settings.model_fields))})"
    return f"{found['input']!r}: {found['msg'][:1].lower()}{found['msg'][1:]}: write another one"


def _table_files(path: str | PathLike[str] | None) -> dict[str, Path]:
    """Return the file of each table: the folder's own where it has one, else the shipped one."""
    files = {name: SHIPPED / f"{name}.csv" for name in TABLES}
    if path is None:
        return files
    folder = Path(path)
    if not folder.exists():
        raise DataMissingError(f"{folder}: no such folder of tables (give one with <table>.csv files)")
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder (give the folder that holds the tables)")
    own = [file for file in sorted(folder.iterdir()) if file.name not in (SETTINGS, "README.md")]
    own = [file for file in own if not file.name.startswith((".", "_"))]
    known = [f"{name}.csv" for name in TABLES]
    faults = [f"{file}: is not a table ({did_you_mean(file.name, known)})" for file in own if file.name not in known]
    faults += [f"{file}: is a symbolic link (put the file itself there)" for file in own if file.is_symlink()]
    if faults:
        raise InputError("\n".join(map(clear, faults)))
    if not own:
        raise InputError(f"{folder}: holds no table (known: {', '.join(known)})")
    return files | {file.stem: file for file in own}


def _read_all(files: dict[str, Path]) -> tuple[dict[str, list[Row]], list[str]]:
    missing = [f"{file}: no such table (restore it)" for file in files.values() if not file.is_file()]
    if missing:
        raise DataMissingError("\n".join(missing))
    tables: dict[str, list[Row]] = {}
    faults: list[str] = []
    for name, file in files.items():
        tables[name], problems = read_table(file, TABLES[name])
        faults += problems
    return tables, faults


def _day(as_of: str | Date) -> Date:
    if isinstance(as_of, datetime):
        return as_of.date()
    try:
        day = parse_date(as_of)
    except ValueError as error:
        raise InputError(f"as_of: {error}") from None
    if not isinstance(day, Date):
        raise InputError(f"as_of: {as_of!r} is not a date (write YYYY-MM-DD)")
    return day


def _known(row: Row, day: Date) -> bool:
    published = row.published()
    return published is None or published <= day


def _refuse_empty(tables: dict[str, list[Row]], used: dict[str, list[Row]], day: Date) -> None:
    if any(row.published() for rows in used.values() for row in rows):
        return
    first = min(published for rows in tables.values() for row in rows if (published := row.published()))
    raise InputError(f"as_of: nothing was known on {day} (the first row is dated {first}): give a later date")


def _dataset(name: str, rows: Sequence[Row]) -> xr.Dataset:
    model = TABLES[name]
    dataset = xr.Dataset(attrs={"table": name, "title": (model.__doc__ or "").splitlines()[0]})
    # own columns first, then the interval, then the citation
    order = sorted(model.model_fields, key=lambda name: (name in Row.model_fields, name in IntervalRow.model_fields))
    for column in order:
        values = [getattr(row, column) for row in rows]
        units, definition = units_of(model, column), model.model_fields[column].description
        attrs = {"definition": definition} if definition else {}
        if units:
            dataset[column] = ("row", _floats(values), {"units": units, **attrs})
        else:
            texts = np.array(["" if value is None else str(value) for value in values], dtype=str)
            dataset[column] = ("row", texts, attrs)
        if column in YEAR_COLUMNS:
            years = _floats([None if value is None else decimal_year(value) for value in values])
            dataset[YEAR_COLUMNS[column]] = ("row", years, {"units": "yr", "definition": f"{column} as a decimal year"})
    if "year" not in dataset:
        middle = (dataset.start_year + dataset.end_year) / 2
        dataset["year"] = middle.assign_attrs(units="yr", definition="middle of the period as a decimal year")
    return dataset


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _sha256(lines: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(sorted(lines)).encode()).hexdigest()
