"""Valid files, and Hypothesis strategies that damage them: what a slip, a broken disk or a stranger makes of a file.

A document is damaged where it means something (a value, a key, a cell) or as bytes (cut short, a bit turned over, a mark of
another encoding). Nothing here says what must come of it: ``test_bad_inputs.py`` does.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from hypothesis import strategies as st

from forecast.observations import SHIPPED
from forecast.places import priors_folder

type Tree = dict[str, Any]

OVERLAY: Tree = {
    "overlay": {"description": "Mine.", "references": ["me2026"]},
    "priors": {
        "depth_exponent": {
            "distribution": "TruncatedNormal",
            "params": {"mu": 0.25, "sigma": 0.1, "lower": 0.0, "upper": 0.6},
            "units": "1",
            "source": ["me2026", "judgement"],
            "rationale": "A guess.",
        },
        "returns": {
            "distribution": "LogNormal",
            "interval": [0.5, 2.0],
            "mass": 0.9,
            "units": "1",
            "source": ["me2026"],
        },
        "training_days": {
            "distribution": "LogNormal",
            "quantiles": {"0.05": 60.0, "0.95": 120.0},
            "units": "days",
            "source": ["me2026"],
        },
        "text_epochs": {"value": 4.0, "units": "1", "source": ["judgement"], "rationale": "One number."},
    },
    "sources": {"me2026": {"cite": "Me 2026, A paper", "locator": "p. 3"}},
}
SCENARIO: Tree = {
    "overlay": {"description": "A leap."},
    "settings": {"freeze_compute": False, "compute_slowdown": True, "hardware_leap_factor": 10.0},
}
ORGANISATIONS: Tree = {
    "organisations": {
        "MyCorp": {"researchers": 500, "h100": 1e6, "years": 0.5, "quality": 0.8, "source": "our plan"},
        "Other": {
            "researchers": {"interval": [300.0, 800.0], "mass": 0.8},
            "h100": {"distribution": "LogNormal", "params": {"mu": 10.0, "sigma": 1.0}},
            "weeks": 3,
            "automated": True,
            "serial_speed": 10,
            "source": "a friend",
        },
    }
}
GRID: Tree = {
    "prior": {"draws": 20, "chains": 2, "seed": 1},
    "settings": {"years": "2026:2030", "levels": [0.05, 0.5, 0.95], "horizon_form": "exponential"},
    "grid": {
        "scenarios": ["baseline"],
        "views": ["", "davidson2023"],
        "sets": ["", "depth_exponent=0.15"],
        "forms": ["section5", "trend"],
    },
}
CASES: Tree = {
    "run": "run.nc",
    "case": [
        {"scenario": "software_only", "view": "davidson2023"},
        {"set": ["returns=1.2"], "preset": "low", "form": "trend"},
    ],
}
SETTINGS: Tree = {
    "as_of": "2026-11-01",
    "first_year": 2026,
    "last_year": 2045,
    "draws": 1000,
    "tune": 1000,
    "chains": 4,
    "random_seed": 1,
}
RESOLUTIONS = """variable,date,value,threshold,source,note
log10_training_flop,2027-12-31,27.9,,Epoch,a figure
log10_task_horizon,2027-12-31,1,3.4,METR,"a question, yes or no"
year_100,2028-12-31,no,,,
year_100<2031,2031-01-31,no,,,
year_100,2029-06-01,2029.2,,,
acceleration,2032-01-01,yes,,,
"""
ASSIGNMENTS = (
    "depth_exponent=0.15",
    "training_days=90d",
    "depth_exponent=Normal(0.1..0.3, lower=0)",
    "returns = LogNormal(0.5..2, mass=50%)",
    "log10_training_flop_2024=5e25FLOP",
    "log10_tokens_per_datapoint=HalfNormal(..2)",
    "returns=LogNormal(mu=0, sigma=0.5)",
)
ELICITED = ("0.05=0.6", "0.5=1", "0.95=1.7", "5%=0.6", "0.05=0.6,0.95=1.7")
LINKS = (
    "scenario=software_only&returns=1.2",
    "view=davidson2023&form=trend",
    "run=6f1a&scenario=baseline&depth_exponent=0.2",
)

NASTY_TEXT = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\x1b[2J\x1b[31mred",
        "a\nb",
        "a\u2028b",
        "\u202egnp.exe",
        "x" * 5000,
        "{0.__class__}",
        "{x!r:>{y}}",
        "%s%n%(a)s",
        "{{ 7*7 }}{% for x in y %}",
        "<script>alert(1)</script>",
        "javascript:alert(1)",
        "=cmd|' /C calc'!A0",
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "nan",
        "inf",
        "-1",
        "1e999",
        "٣",
        "１",
        "NaN",
        "as_of",
        "Dirichlet",
        "Normal",
        "null",
        "🙂",
        "e\u0301",
        "1_000",
        "0x10",
        "1,5",
    ]
)
NUMBERS = st.one_of(
    st.sampled_from(
        [0, -1, 1, 2**31, 2**63, 2**64, -(2**70), 10**30, 10**400, 0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]
    ),
    st.sampled_from([5e-324, 1e-300, 1e-12, 1e12, 1e154, 1e300, 1.7976931348623157e308, -1e308, 0.5, 1 - 1e-16]),
    st.floats(),
    st.integers(),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, NASTY_TEXT, st.booleans(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(NASTY_TEXT, st.text(max_size=8)), inner, max_size=3)
    ),
    max_leaves=6,
)
ODD_CELLS = (
    *("2026-13-01", "2026-02-30", "20260101", "0001-01-01", "9999-12-31", "1 Jan 2024", "2024-01-01T00:00:00"),
    *("-5", "0", "+1", "1e308", "1e-320", "5e-324", "1e5000", "-inf", "Infinity", "-0.0", ".5", "5.", "1__0", " 7 "),
    *("9" * 400, "9" * 5000, "12,5", "5%", "$5", '"', '""', "a,b", 'a"b', "a\r\nb", "yes", "TRUE", "None"),
)
CELLS = st.one_of(
    NASTY_TEXT, st.sampled_from(ODD_CELLS), st.floats().map(repr), st.integers().map(str), st.text(max_size=12)
)


def toml_text(value: Any) -> str:
    """A value as TOML; what TOML cannot say (a dict with odd keys) is quoted as it can be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_text, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml_text(item)}" for key, item in value.items()) + " }"
    return str(value) if abs(value) < 10**4000 else "9" * 5000


def document(tree: Tree) -> str:
    """A tree as a TOML file, tables under headers as people write them."""
    lines: list[str] = []

    def write(table: Tree, path: tuple[str, ...]) -> None:
        plain = {k: v for k, v in table.items() if not (isinstance(v, dict) and len(path) < 2) and not listed(v)}
        if path and (plain or not table):
            lines.append(f"[{'.'.join(k if k.isidentifier() and k.isascii() else json.dumps(k) for k in path)}]")
        lines.extend(
            f"{k if k.isidentifier() and k.isascii() else json.dumps(k)} = {toml_text(v)}" for k, v in plain.items()
        )
        for key, value in table.items():
            if key in plain:
                continue
            if listed(value):
                for one in value:
                    lines.append(f"[[{key}]]")
                    lines.extend(f"{k} = {toml_text(v)}" for k, v in one.items())
            else:
                write(value, (*path, key))

    write(tree, ())
    return "\n".join(lines) + "\n"


def listed(value: Any) -> bool:
    """Whether a value is written as ``[[case]]``."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below the root."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in inside for found in [(*path, key), *places(value, (*path, key))]]


@st.composite
def damaged_tree(draw: st.DrawFn, tree: Tree) -> Tree:
    """A tree in which one to three values or keys are other ones."""
    found: Tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, 3))):
        paths = places(found)
        if not paths:
            break
        *above, last = draw(st.sampled_from(paths))
        parent: Any = found
        for key in above:
            parent = parent[key]
        action = draw(st.sampled_from(["value", "value", "value", "drop", "rename", "add"]))
        if action == "drop":
            del parent[last]
        elif action == "value" or not isinstance(parent, dict):
            parent[last] = draw(VALUES)
        elif action == "rename":
            parent[draw(st.one_of(NASTY_TEXT, st.just(f"{last}x")))] = parent.pop(last)
        else:
            names = ["lower", "upper", "nu", "mass", "value", "extends", "case", "run", "interval", "quantiles"]
            parent[draw(st.one_of(NASTY_TEXT, st.sampled_from(names)))] = draw(VALUES)
    return found


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Content cut short, overwritten, repeated, in another encoding, or with something put in."""
    at = draw(st.integers(0, max(len(content) - 1, 0)))
    action = draw(st.sampled_from(["cut", "flip", "insert", "bom", "utf16", "latin", "zero", "repeat", "crlf", "cr"]))
    if action == "cut":
        return content[:at]
    if action == "flip":
        return content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]
    if action == "insert":
        marks = [b"\x00", b"\xff", b"\xed\xa0\x80", b"[", b"]", b'"', b"'''", b"=", b"\n", b"\x1b", b"[" * 3000]
        return content[:at] + draw(st.sampled_from([*marks, b"9" * 5000, b"a." * 2000, b"\xe2\x80\xa8"])) + content[at:]
    if action == "repeat":
        end = min(len(content), at + draw(st.integers(1, 200)))
        return content[:end] + content[at:]
    return {
        "bom": b"\xef\xbb\xbf" + content,
        "utf16": content.decode().encode("utf-16"),
        "latin": content[:at] + b"\xe9" + content[at:],
        "zero": b"",
        "crlf": content.replace(b"\n", b"\r\n"),
        "cr": content.replace(b"\n", b"\r"),
    }[action]


def bad_toml(tree: Tree) -> st.SearchStrategy[bytes]:
    """A TOML file with other values, or with other bytes."""
    whole = damaged_tree(tree).map(lambda found: document(found).encode("utf-8", "surrogatepass"))
    return st.one_of(whole, whole, damaged_bytes(document(tree).encode()))


@st.composite
def bad_csv(draw: st.DrawFn, text: str) -> bytes:
    """A table with other cells, rows or columns, or with other bytes."""
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged_bytes(text.encode()))
    rows = list(csv.reader(io.StringIO(text)))
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, max(len(rows[row]) - 1, 0)))
        action = draw(st.sampled_from(["cell", "cell", "cell", "ragged", "short", "twice", "column", "double"]))
        if action == "cell" and rows[row]:
            rows[row][column] = draw(CELLS)
        elif action == "ragged":
            rows[row] = [*rows[row], draw(CELLS)]
        elif action == "short":
            rows[row] = rows[row][:column]
        elif action == "twice":
            rows.insert(row, list(rows[row]))
        elif action == "column":
            rows = [one[:column] + one[column + 1 :] for one in rows]
        else:
            rows = [one[: column + 1] + one[column:] for one in rows]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


@st.composite
def bad_text(draw: st.DrawFn, known: tuple[str, ...]) -> str:
    """A short text such as one of those known, damaged."""
    text = draw(st.sampled_from(known))
    at = draw(st.integers(0, len(text)))
    action = draw(st.sampled_from(["value", "value", "cut", "put", "any", "swap"]))
    if action == "value":
        left, sign, _ = text.partition("=")
        return left + sign + draw(CELLS)
    if action == "cut":
        return text[:at]
    if action == "put":
        return (
            text[:at]
            + draw(st.one_of(CELLS, st.sampled_from(["=", "..", "(", ")", ",", "%", "@", "&", "+"])))
            + text[at:]
        )
    if action == "swap":
        end = draw(st.integers(at, len(text)))
        return text[at:end] + text[:at] + text[end:]
    return draw(st.one_of(CELLS, st.text(max_size=30)))


def shipped_table(name: str) -> str:
    """The text of a shipped table, its first rows if it is long: damage shall hit something."""
    lines = (SHIPPED / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines if name == "conditions" else lines[:12])


def shipped_block(name: str) -> str:
    """The text of one file of the baseline set."""
    return (priors_folder() / "baseline" / f"{name}.toml").read_text(encoding="utf-8")
