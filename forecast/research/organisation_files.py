"""Organisations of one's own from a TOML file, every fault with its line.

```toml
[organisations.MyCorp]
researchers = 500            # or { interval = [300, 800] }, or any statement of a prior file
h100 = 1e6
years = 0.5                  # or weeks, or days
quality = 0.8                # 1 unless given: output of a researcher relative to one of NormalCorp
serial_speed = 1             # 1 unless given: human = 1
automated = false            # false unless given: AIs have the ideas and adapt at their own speed
source = "our plan for 2027"
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from forecast.documents import Document, read_document
from forecast.equations.organisations import DAYS_PER_YEAR, Organisation
from forecast.errors import InputError
from forecast.families import suggestion
from forecast.side_draws import drawn
from forecast.statements import AS_OF, STATEMENT_KEYS, Prior, stated

YEARS_IN = {"years": 1.0, "weeks": 7.0 / DAYS_PER_YEAR, "days": 1.0 / DAYS_PER_YEAR}
NUMBERS = ("researchers", "h100", *YEARS_IN, "quality", "serial_speed")
NEEDED = ("researchers", "h100")
KEYS = (*NUMBERS, "automated", "source")
TABLE = "organisations"
LARGEST = 1e30  # beyond it a unit is wrong, and squares overflow
TAIL = 1e-9  # a distribution must lie within bounds up to this probability


def read_organisations(
    file: str | PathLike[str], seed: int, size: int, taken: Iterable[str] = ()
) -> dict[str, Organisation]:
    """The organisations of a file by name, each number drawn `size` times from a stream of its own.

    Parameters
    ----------
    seed
        The run's seed; a number's draws depend on it and on the names of organisation and key only.
    taken
        Names that the file cannot use.

    Raises
    ------
    InputError
        With one line ``path:line: organisations.Name.key: fault: remedy`` for each fault.
    """
    faults: list[str] = []
    document = read_document(Path(file), faults)
    found = _tables(document, tuple(taken)) if document is not None else {}
    read = {name: _read(document, name, table) for name, table in found.items()} if document is not None else {}
    if faults:
        raise InputError("\n".join(faults))
    return {name: _drawn(name, priors, found[name], seed, size) for name, priors in read.items()}


def _tables(document: Document, taken: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The table of each organisation."""
    for key in document.data:
        if key != TABLE:
            document.fault("", key, f"unknown table{suggestion(key, [TABLE])}: write [{TABLE}.Name]")
    group = document.data.get(TABLE)
    if not isinstance(group, dict) or not group:
        document.fault("", TABLE, f"holds no organisation: add a table [{TABLE}.Name]")
        return {}
    for name, table in group.items():
        if not isinstance(table, dict):
            document.fault(TABLE, name, f"is not a table: write [{TABLE}.{name}]")
        elif name in taken:
            document.fault(TABLE, name, "is the name of a shipped organisation: choose another")
    return {name: table for name, table in group.items() if isinstance(table, dict)}


def _read(document: Document, name: str, table: Mapping[str, Any]) -> dict[str, Prior]:
    """The prior of each number of an organisation; faults are added to the document's."""
    where = f"{TABLE}.{name}"
    for key in table:
        if key not in KEYS:
            document.fault(where, key, f"unknown key{suggestion(key, KEYS)}")
    for key in NEEDED:
        if key not in table:
            document.fault(where, key, f"is missing: add {key} = ...")
    times = [key for key in YEARS_IN if key in table]
    if not times:
        document.fault(where, "years", "is missing: add years, weeks or days = ...")
    for key in times[1:]:
        document.fault(where, key, f"states the time again beside {times[0]}: keep one of them")
    source = table.get("source", "")
    if not isinstance(source, str) or not source.strip():
        document.fault(where, "source", 'is missing: add source = "where the numbers come from"')
    if not isinstance(table.get("automated", False), bool):
        document.fault(where, "automated", f"{table['automated']!r} cannot be used: write true or false")
    priors = {key: _quantity(document, where, key, table[key]) for key in NUMBERS if key in table}
    return {key: prior for key, prior in priors.items() if prior is not None}


def _quantity(document: Document, where: str, key: str, said: Any) -> Prior | None:
    """A positive number: fixed, or a statement as in a prior file (LogNormal unless it names another family)."""
    statement = said if isinstance(said, dict) else {"value": said}
    unknown = [word for word in statement if word not in ("distribution", *STATEMENT_KEYS)]
    try:
        if unknown:
            known = ("distribution", *STATEMENT_KEYS)
            raise InputError(f"{unknown[0]!r} is no part of a statement{suggestion(unknown[0], known)}")
        default = None if "value" in statement else "LogNormal"
        rest = {word: value for word, value in statement.items() if word != "distribution"}
        prior = stated(statement.get("distribution", default), rest)
        _check_positive(prior)
    except InputError as fault:
        document.fault(where, key, str(fault))
        return None
    return prior


def _check_positive(prior: Prior) -> None:
    if prior.distribution == "Dirichlet":
        raise InputError("Dirichlet does not fit a single number: give a number or an interval")
    if AS_OF in (*prior.params.values(), *(prior.bounds or ())):
        raise InputError("as_of is a date, not a bound of this number: give a number")
    lowest, least, most = (float(prior.quantile(q)) for q in (0.0, TAIL, 1.0 - TAIL))
    if lowest < 0.0 or least <= 0.0:
        remedy = "give a positive number" if prior.distribution == "fixed" else "take LogNormal, or a lower bound"
        raise InputError(f"{min(lowest, least):g} is not above 0: {remedy}")
    if most > LARGEST:
        raise InputError(f"{most:g} is above {LARGEST:g}: check its unit")


def _drawn(name: str, priors: Mapping[str, Prior], table: Mapping[str, Any], seed: int, size: int) -> Organisation:
    """An organisation with one entry per draw."""
    values = {key: drawn(prior, seed, f"{TABLE}.{name}.{key}", size) for key, prior in priors.items()}
    (time,) = (key for key in YEARS_IN if key in values)
    one = np.ones(size)
    return Organisation(
        name=name,
        researchers=values["researchers"],
        h100=values["h100"],
        years=values[time] * YEARS_IN[time],
        quality=values.get("quality", one),
        serial_speed=values.get("serial_speed", one),
        automated=table.get("automated", False),
        source=table["source"].strip(),
    )
