"""Reading one CSV table: every fault is found, each as ``file:line: column: what is wrong (remedy)``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from forecast.errors import clear
from forecast.rows import Row

LARGEST = 2**26  # bytes of a table; the largest that comes with the package has 30 kB
MOST = 50  # faults of one table that are told one by one


def did_you_mean(word: str, known: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Return the remedy for a misspelt word: the nearest known one, else all of them.

    >>> did_you_mean("layer", ["layers", "params"])
    "did you mean 'layers'?"
    """
    known = list(known)
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def read_table(path: Path, model: type[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows of a table and its faults; rows with faults are left out.

    Parameters
    ----------
    path
        A UTF-8 CSV file with a header.
    model
        The row model, from ``forecast.rows.TABLES``.
    """
    rows, faults = _read(path, model)
    told = faults[:MOST] + (
        [f"{path}:1: table: has more faults than these (correct these first)"] if faults[MOST:] else []
    )
    return rows, [clear(fault) for fault in told]


def _read(path: Path, model: type[Row]) -> tuple[list[Row], list[str]]:
    records, faults = _records(path)
    if not records:
        return [], faults or [f"{path}:1: table: is empty (give a header and at least one row)"]
    header = [name if name.isprintable() else repr(name) for name in (cell.strip() for cell in records[0][1])]
    faults += [f"{path}:{records[0][0]}: {problem}" for problem in _header_problems(header, model)]
    if len(records) == 1:
        faults.append(f"{path}:{records[0][0]}: table: has no rows (add one, or delete the file)")
    rows: list[Row] = []
    seen: dict[tuple[object, ...], int] = {}
    for line, cells in records[1:]:
        row, problems = _row(cells, header, model)
        if row is not None:
            problems = _repeat(row, line, seen)
            rows.append(row)
        faults += [f"{path}:{line}: {problem}" for problem in problems]
    if not faults:  # else a needed row may be there, with a fault
        present = {row.identity()[0] for row in rows}
        last = records[-1][0]
        faults += [
            f"{path}:{last}: {model.unique[0]}: {name!r} is missing (add its row)"
            for name in model.needed
            if name not in present
        ]
    return rows, faults


def _records(path: Path) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Return the non-blank records with the line each begins on."""
    try:
        if path.stat().st_size > LARGEST:
            return [], [f"{path}:1: table: is larger than {LARGEST // 2**20} MB (give plain CSV)"]
        data = path.read_bytes()
    except OSError as error:
        return [], [f"{path}:1: table: cannot be read: {error.strerror} (check the path and its permissions)"]
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return [], [f"{path}:{line}: table: byte 0x{data[error.start]:02x} is not UTF-8 (save the table as UTF-8)"]
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    begin = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((begin, cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        return [], [f"{path}:{begin}: table: is not CSV: {error} (close the quotes)"]
    return records, []


def _header_problems(header: list[str], model: type[Row]) -> Iterator[str]:
    known = model.model_fields
    for name in dict.fromkeys(header):
        if name not in known:
            yield f"{name or '(unnamed)'}: is not a column of this table ({did_you_mean(name, list(known))})"
        elif header.count(name) > 1:
            yield f"{name}: stands twice in the header (keep one)"
    for name, info in known.items():
        if info.is_required() and name not in header:
            yield f"{name}: is missing from the header (add {info.description or 'the column'})"


def _row(cells: list[str], header: list[str], model: type[Row]) -> tuple[Row | None, list[str]]:
    if len(cells) > len(header):
        return None, [f"{header[-1]}: {len(cells)} cells for {len(header)} columns (quote text that has a comma)"]
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    try:
        return model.model_validate({name: cell for name, cell in given.items() if name in model.model_fields}), []
    except ValidationError as error:
        found = (_problem(detail, header, model) for detail in error.errors(include_url=False))
        return None, [problem for problem in found if problem]


def _repeat(row: Row, line: int, seen: dict[tuple[object, ...], int]) -> list[str]:
    first = seen.setdefault(row.identity(), line)
    if first == line:
        return []
    columns = row.unique or (next(name for name in type(row).model_fields if name not in Row.model_fields),)
    return [f"{', '.join(columns)}: repeats line {first} (keep one)"]


def _problem(detail: ErrorDetails, header: list[str], model: type[Row]) -> str:
    """Say in one line what pydantic found; empty where the header's fault has said it already."""
    context = detail.get("ctx", {})
    column = str(detail["loc"][0]) if detail["loc"] else str(context.get("column", "row"))
    if detail["type"] == "missing":
        what = model.model_fields[column].description or "a value"
        return f"{column}: is empty (give {what})" if column in header else ""
    return f"{column}: {_wording(detail, context)}"


def _wording(detail: ErrorDetails, context: dict[str, object]) -> str:
    value, kind = detail["input"], detail["type"]
    if kind == "fault":
        return str(context["problem"])
    if kind in ("int_parsing", "int_from_float", "int_type", "int_parsing_size"):
        return f"{value!r} is not a whole number (write digits, such as 96)"
    if kind in ("float_parsing", "float_type"):
        return f"{value!r} is not a number (write digits, such as 250 or 1.5e24, without units)"
    if kind == "finite_number":
        return f"{value!r} is not finite (give a number, or leave out the row)"
    if kind == "literal_error":
        known = re.findall(r"'(\w+)'", str(context["expected"]))
        return f"{value!r} is not one of the words allowed ({did_you_mean(str(value), known)})"
    return _bound(str(value), context)


def _bound(value: str, context: dict[str, object]) -> str:
    upper = context.get("lt", context.get("le"))
    if upper is None:
        return f"{value} is too small: {'above' if 'gt' in context else 'at least'} {_limit(context)} needed (check it)"
    if upper == 1.0 and "lt" in context and 1 < float(value) < 100:
        return f"{value} is not below 1 (give a share: {float(value) / 100:g})"
    return f"{value} is too large: {'below' if 'lt' in context else 'at most'} {upper:g} needed (check it)"


def _limit(context: dict[str, object]) -> str:
    return f"{context.get('gt', context.get('ge')):g}"
