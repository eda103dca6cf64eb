"""A run file as a file: sealed with its own digest, and held to be plain numbers in one file before they are read.

One thing to know: HDF5 can point at other files, at itself, and declare more numbers than any memory holds; nothing of
the kind is in a file that this package writes, so whatever has it is refused (``tests/robustness/test_run_files.py``).
The seal is a last line after the HDF5 data, which readers of HDF5 do not see. It finds damage, not forgery.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from datetime import date as Date
from pathlib import Path
from typing import Any

import xarray as xr

from forecast.errors import InputError, clear
from forecast.schema import ALTERNATIVES, PRODUCTION, SCHEMA_VERSION, STATED

SEAL = b"\nforecast sha256 "
SEALED = re.compile(re.escape(SEAL) + rb"([0-9a-f]{64})\n")
LENGTH = len(SEAL) + 64 + 1
STEP = 2**20
DEEPEST = 6  # groups in groups; ours have three
MOST = 20_000  # groups and arrays of one file; ours have hundreds
PLAIN = "biufSU"  # kinds of numbers and of text
SPARE, DENSEST = 2**26, 20  # bytes that any file may declare, and how many for each that it has
RECORD = {"kind": str, "settings": dict, "as_of": str, "priors": dict, "digests": dict, "versions": dict}
OPTIONAL = {
    "overlays": list,
    "scenarios": list,
    "years": list,
    "parameters": list,
    "observations": dict,
    "command": str,
}
OPTIONAL |= {"views": list, "gate": dict, "origin": dict}
ENTRY = {"name": str, "block": str, "units": str, "definition": str, "prior": list, "distribution": str, "source": list}
GATE = {"passed": bool, "failures": list, "max_rhat": float, "min_ess_bulk": float, "min_ess_tail": float}
KINDS = ("posterior", "prior")
EITHER = {*ALTERNATIVES, *ALTERNATIVES.values(), *PRODUCTION}  # stated in one way or in another
NEEDED = tuple(name for name in STATED if name not in EITHER)
CONSTANTS = ("as_of_year", "horizon_years")


def check_file(file: Path) -> None:
    """Refuse a file that was damaged after it was written, or that is more than numbers in one file; little is read.

    Raises
    ------
    InputError
    """
    remake = f"remake it with: forecast run -o {file.parent}"
    try:
        if seal_broken(file):
            raise InputError(f"{file}: damaged: its content is not what was written; {remake}")
        checked_record(root_record(file), file)  # another schema may have what is foreign to this one
        strange = foreign(file)
    except InputError:
        raise
    except Exception as error:  # whatever HDF5 makes of a damaged file
        raise unreadable(file, error) from error
    if strange:
        raise InputError(clear(f"{file}: no run file: it {strange}; {remake}"))


def unreadable(file: Path, error: Exception) -> InputError:
    """The refusal of a file that is no netCDF file, or is cut short."""
    said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    reason = "no netCDF file at all" if "file signature not found" in said else said
    return InputError(
        clear(f"{file}: not a readable run file ({reason}); remake it with: forecast run -o {file.parent}")
    )


def root_record(file: Path) -> Any:
    """What a file says of itself, None if nothing."""
    import h5py

    with h5py.File(file) as content:
        return content.attrs.get("forecast")


def check_run(run: xr.DataTree, file: Path) -> None:
    """Refuse a file that is not a complete run of this schema.

    Raises
    ------
    InputError
    """
    remake = f"remake it with: forecast run -o {file.parent}"
    record = checked_record(run.attrs.get("forecast"), file)
    missing = [group for group in ("prior", "posterior", "constant_data") if group not in run.children]
    if missing:
        raise InputError(f"{file}: group {missing[0]!r} is missing, the file is incomplete; {remake}")
    wrong = wrong_record(record)
    if wrong:
        raise InputError(clear(f"{file}: its attribute 'forecast' is damaged: {wrong}; {remake}"))
    wrong = wrong_draws(run)
    if wrong:
        raise InputError(clear(f"{file}: {wrong}; {remake}"))


def checked_record(text: Any, file: Path) -> dict[str, Any]:
    """The record of a run of this schema.

    Raises
    ------
    InputError
        If it is none, or of another schema.
    """
    remake = f"remake it with: forecast run -o {file.parent}"
    if not isinstance(text, str):
        raise InputError(f"{file}: a netCDF file, but not a run of forecast (no attribute 'forecast'); {remake}")
    try:
        record: dict[str, Any] = json.loads(text)
        schema = record["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file}: its attribute 'forecast' is damaged; {remake}") from error
    if type(schema) is not int:
        raise InputError(f"{file}: its attribute 'forecast' is damaged (schema version {schema!r:.40}); {remake}")
    if schema != SCHEMA_VERSION:
        other = f"{file}: schema version {schema}, this package reads {SCHEMA_VERSION}: made by"
        if schema > SCHEMA_VERSION:
            raise InputError(f"{other} a newer forecast: update this one (pip install -U forecast), or {remake}")
        raise InputError(f"{other} an older forecast; {remake}")
    return record


def wrong_draws(run: xr.DataTree) -> str:
    """What keeps the draws of a run from being projected; empty if nothing does."""
    draws, constants = run["posterior"].to_dataset(), run["constant_data"].to_dataset()
    if not (draws.sizes.get("chain") and draws.sizes.get("draw")):
        return "group 'posterior' has no draws, the file is incomplete"
    numbers = {str(name): array for group in (draws, constants) for name, array in group.data_vars.items()}
    text = [name for name, array in numbers.items() if array.dtype.kind not in "iuf"]
    if text:
        return f"{text[0]!r} holds no numbers"
    flat = [str(name) for name, array in draws.data_vars.items() if array.dims[:2] != ("chain", "draw")]
    if flat:
        return f"{flat[0]!r} is not by chain and draw"
    lacking = [name for name in (*NEEDED, *CONSTANTS) if name not in numbers]
    if lacking:
        return f"{lacking[0]!r} is missing, the file is incomplete or older than this package"
    wide = [name for name, value in STATED.items() if name in draws and draws[name].ndim != 2 + len(value.dims)]
    return f"{wide[0]!r} has other dims than a run has" if wide else ""


def seal(file: str | os.PathLike[str]) -> None:
    """Add the digest of a file to its end."""
    found = digest(Path(file), os.path.getsize(file))
    with open(file, "ab") as stream:
        stream.write(SEAL + found.encode() + b"\n")


def seal_broken(file: Path) -> bool:
    """Whether a file has a seal that is not its own; one without a seal is cut short there, or is no file of ours."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(max(size - LENGTH, 0))
        found = SEALED.fullmatch(stream.read())
    return found is not None and found[1].decode() != digest(file, size - LENGTH)


def digest(file: Path, size: int) -> str:
    """SHA-256 of the first bytes of a file."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while size > 0 and (part := stream.read(min(STEP, size))):
            found.update(part)
            size -= len(part)
    return found.hexdigest()


def foreign(file: Path) -> str:
    """What an HDF5 file has that no run file has; empty where there is nothing.

    Raises
    ------
    OSError, ValueError, KeyError, RuntimeError
        If it is no HDF5 file, or a damaged one.
    """
    import h5py

    with h5py.File(file) as content:
        found = _walked(content)
        if isinstance(found, str):
            return found
        size = file.stat().st_size
        if found > max(SPARE, DENSEST * size):
            return f"declares {found / 1e9:.3g} GB of numbers and has {size / 1e6:.3g} MB"
    return ""


def _walked(root: Any) -> str | int:
    """Bytes that all arrays of a file declare, or what is wrong with one of them; nothing is read, no link followed."""
    import h5py

    declared, waiting, seen = 0, [(root, 0)], set[int]()
    while waiting:
        group, depth = waiting.pop()
        at = h5py.h5o.get_info(group.id).addr
        if depth > DEEPEST or at in seen or len(seen) > MOST:
            return "has groups within groups without end"
        seen.add(at)
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                return f"links {name!r} to another place"
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append((item, depth + 1))
                continue
            wrong = _strange(item)
            if wrong:
                return f"{name!r} {wrong}"
            declared += max(item.size, math.prod(item.chunks or ())) * max(item.dtype.itemsize, 1)
    return declared


def _strange(item: Any) -> str:
    """What is wrong with an array; empty if nothing is."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return "is neither a group nor an array"
    if item.external or item.is_virtual:
        return "has its numbers in another file"
    if item.dtype.kind not in PLAIN and h5py.check_string_dtype(item.dtype) is None:
        return "holds neither numbers nor text"
    return "has no shape" if item.shape is None else ""


def wrong_record(record: Any) -> str:
    """What is wrong with the record of a run, as JSON gave it; empty if nothing is.

    >>> wrong_record({"kind": "posterior"})
    "'settings' is missing"
    """
    if not isinstance(record, dict):
        return "it is no table"
    for name, kind in RECORD.items():
        if name not in record:
            return f"{name!r} is missing"
        if not isinstance(record[name], kind):
            return f"{name!r} cannot be read"
    given = {name: record[name] for name in OPTIONAL if record.get(name) is not None}
    odd = [name for name, value in given.items() if not isinstance(value, OPTIONAL[name])]
    if odd or record["kind"] not in KINDS:
        return f"{odd[0] if odd else 'kind'!r} cannot be read"
    return _wrong_values(record)


def _wrong_values(record: dict[str, Any]) -> str:
    """The same of what stands in the tables of a record."""
    try:
        Date.fromisoformat(record["as_of"])
    except ValueError:
        return "'as_of' is no date"
    digests = record["digests"]
    if not all(isinstance(digests.get(name), str) for name in ("fit", "priors")) or not isinstance(
        digests.get("tables"), dict
    ):
        return "'digests' cannot be read"
    if not all(
        isinstance(said, dict) and isinstance(said.get("distribution"), str) for said in record["priors"].values()
    ):
        return "'priors' cannot be read"
    entries = record.get("parameters") or ()
    if not all(isinstance(e, dict) and all(isinstance(e.get(k), t) for k, t in ENTRY.items()) for e in entries):
        return "'parameters' cannot be read"
    texts = [text for name in ("scenarios", "views", "overlays") for text in record.get(name) or ()]
    whole = [
        *(record.get("years") or ()),
        *(record["settings"].get(name, 1) for name in ("chains", "draws", "random_seed")),
    ]
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in whole):
        return "'settings' cannot be read"
    gate = record.get("gate")
    if gate is not None and not all(isinstance(gate.get(name), kind) for name, kind in GATE.items()):
        return "'gate' cannot be read"
    tables = (record.get("observations") or {}).values()
    if not all(isinstance(t, dict) and _is_table(t.get("columns"), t.get("rows")) for t in tables):
        return "'observations' cannot be read"
    return ""


def _is_table(columns: Any, rows: Any) -> bool:
    """Whether rows are as long as there are columns."""
    if not (isinstance(columns, list) and isinstance(rows, list) and all(isinstance(name, str) for name in columns)):
        return False
    return all(isinstance(row, list) and len(row) == len(columns) for row in rows)
