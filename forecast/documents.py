"""One TOML document: its text, what it holds, and the list that its faults go to, each with its place.

Whatever stands there, reading it ends in a document or in one more fault; nothing else is raised.
``tests/robustness/test_bad_inputs.py`` pins it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import clear

LARGEST = 2**22  # bytes of a document; the largest that comes with the package has 20 kB
DEEPEST = 100  # tables and lists within each other; ours have five, and Python prints some hundreds
DEEP = "is nested too deeply: write it as plain tables"
MOST = 50  # faults of one document that are told one by one

_ANY_HEADER = re.compile(r"\s*\[+\s*[A-Za-z_][^\]=]*\]+\s*(#.*)?$")  # not a line of an array


@dataclass(frozen=True)
class Document:
    """A parsed file with its text, and the list that its faults go to."""

    path: Path
    text: str
    data: dict[str, Any]
    faults: list[str]

    def fault(self, table: str, key: str, message: str) -> None:
        """Add one fault at the key under its table (at the table's header where the key is absent)."""
        if self.full:
            return
        name = ".".join(part for part in (table, key) if part)
        place = f"{shown(self.path)}:{line_of(self.text, table, key)}"
        self.faults.append(clear(f"{place}: {name}: {message}"))
        if len(self.faults) == MOST:
            last = max(self.text.count("\n"), 1)
            self.faults.append(f"{shown(self.path)}:{last}: file: may have more faults than these: correct these first")

    @property
    def full(self) -> bool:
        """Whether enough faults are told."""
        return len(self.faults) > MOST


def shown(path: Path) -> str:
    """The path relative to the working folder when it lies inside, with forward slashes."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def line_told(fault: str) -> int:
    """The line that a fault names."""
    match = re.search(r":(\d+): ", fault)
    return int(match[1]) if match else 0


def line_of(text: str, table: str, key: str = "") -> int:
    r"""Line of the first match of a key under its table's header; no TOML reader tells it.

    Falls back to the sub-table ``[table.key]``, to the header, then to line 1.

    >>> line_of('[priors.x]\nunits = "1"\nvalue = 2', "priors.x", "value")
    3
    """
    if not table or not key:
        name = table or key
        return _header(text, name) or _first_key(text, name)
    start = _header(text, table)
    entry = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
    for number, line in enumerate(text.splitlines()[start:] if start else (), start=start + 1):
        if _ANY_HEADER.match(line):
            break
        if entry.match(line):
            return number
    return _header(text, f"{table}.{key}") or start or _first_key(text, table)


def _header(text: str, table: str) -> int:
    """Line of ``[table]``, 0 where there is none."""
    path = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in table.split("."))
    header = re.compile(rf"\s*\[\s*{path}\s*\]")
    return next((n for n, line in enumerate(text.splitlines(), start=1) if header.match(line)), 0)


def _first_key(text: str, name: str) -> int:
    """A top-level key, or the first longer header that begins with this name; 1 where there is none."""
    word = re.escape(name)
    key, header = re.compile(rf"\s*{word}\s*[=.]"), re.compile(rf"\s*\[+\s*{word}\s*[.\]]")
    top = True
    for number, line in enumerate(text.splitlines(), start=1):
        top = top and not _ANY_HEADER.match(line)
        if header.match(line) or (top and key.match(line)):
            return number
    return 1


def read_document(path: Path, faults: list[str]) -> Document | None:
    """Parse one file, or add the reason why it cannot be parsed."""
    place = shown(path)
    if path.is_symlink():
        faults.append(f"{place}:1: file: is a symbolic link: put the file itself there")
        return None
    if path.exists() and not path.is_file():  # a pipe would be waited for
        faults.append(f"{place}:1: file: is no file of text: give one")
        return None
    try:
        if path.stat().st_size > LARGEST:
            faults.append(f"{place}:1: file: is larger than {LARGEST // 2**20} MB: give a file of plain TOML")
            return None
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        data = tomllib.loads(text)
        if not too_deep(data):
            return Document(path, text, data, faults)
        faults.append(f"{place}:1: file: {DEEP}")
    except OSError as error:
        faults.append(f"{place}:1: file: cannot be read ({error.strerror}): check the path and its permissions")
    except UnicodeDecodeError:
        faults.append(f"{place}:1: file: is not UTF-8 text: save it as UTF-8")
    except (RecursionError, MemoryError):
        faults.append(f"{place}:1: file: {DEEP}")
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        line = at.group(1) if at else max(len(text.splitlines()), 1)
        faults.append(clear(f"{place}:{line}: syntax: {error}: correct the TOML of this line"))
    except ValueError:  # a whole number of more than 4300 digits
        faults.append(f"{place}:{_longest(text)}: syntax: has a number of too many digits: write it as 1e30")
    return None


def too_deep(data: Any) -> bool:
    """Whether tables and lists lie deeper within each other than anybody writes them, or than Python can print.

    >>> too_deep({"a": [{"b": 1}]})
    False
    """
    level = [data]
    for _ in range(DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [value for values in inner for value in values]
    return bool(level)


def _longest(text: str) -> int:
    """The first line with a run of digits that Python reads as no number."""
    digits = re.compile(r"[\d_]{4300}")
    return next((n for n, line in enumerate(text.splitlines(), start=1) if digits.search(line)), 1)
