"""Fill the templates. All text but the SVG drawn here is escaped; the page asks the network for nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from forecast import words
from forecast.reporting.content import Figure, ReportContent, Table
from forecast.reporting.drawings import bars_on_paper, data_uri, standalone
from forecast.reporting.outline import outline
from forecast.reporting.plain import readable
from forecast.summaries import write_text

BAR_WIDTH, BAR_HEIGHT = 160.0, 22.0
EMPTY = ("", "–")
MIDDLING, LONG = 24, 60  # characters of a cell
NUMBER_WORDS = frozenset(
    {"million", "billion", "trillion", "quadrillion", "e", "inf", "never", "not", "by", "to", "about", "in", "less"}
    | {"more", "than"}
)


def report(content: ReportContent, path: str | Path) -> Path:
    """Write the report; ``path`` is a folder (then ``report.html`` in it) or the file itself. Returns the file."""
    path = Path(path)
    target = path if path.suffix.lower() in (".html", ".htm") else path / "report.html"
    return write_text(target, render(content))


def render(content: ReportContent, paper: bool = False) -> str:
    """The report as one HTML text; the same content gives the same text.

    On ``paper`` figures are images with fixed colours and nothing is folded: what `forecast.reporting.paper` prints.
    """
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            content=content,
            headline=content.headline,
            groups=outline(content),
            blocks=parameter_blocks(content.parameters),
            paper=paper,
        )
    )


@cache
def templates() -> Environment:
    """The templates with everything they call."""
    environment = Environment(
        loader=PackageLoader("forecast.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = {"percent": words.percent, "odds": words.odds, "number": words.number, "value": value, "readable": readable}
    trusted = {
        "svg": Markup,
        "breakable": breakable,
        "coded": coded,
    }  # svg: only what inline_svg and interval_bars return
    environment.filters |= said | trusted
    environment.globals |= {"grid": grid, "csv_link": csv_link, "image": image, "bars_on_paper": bars_on_paper}
    return environment


def csv_link(figure: Figure) -> str:
    """An address that holds the numbers of a figure."""
    return data_uri(figure.csv, "text/csv")


def image(figure: Figure) -> str:
    """An address that holds a figure in the colours of paper."""
    return data_uri(standalone(figure.svg, paper=True), "image/svg+xml")


def coded(text: str) -> Markup:
    """Text whose parts between backticks are code.

    >>> print(coded("see `a < b`"))
    see <code>a &lt; b</code>
    """
    parts = str(text).split("`")
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def value(cell: Any) -> str:
    """One cell as text: plain integers, floats to 6 digits, lists joined, NaN and None empty.

    >>> [value(x) for x in (2027, 2026.4959, 3.8e25, float("nan"), ("a", "b"))]
    ['2027', '2026.5', '3.8e25', '', 'a; b']
    """
    if isinstance(cell, (list, tuple)):
        return "; ".join(str(item) for item in cell)
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return "" if cell is None or cell is pd.NA or cell is pd.NaT else str(cell)
    if math.isnan(cell):
        return ""
    if isinstance(cell, int) or math.isinf(cell):
        return str(cell)
    size = abs(cell)
    return words.power(cell, 6) if size >= 1e6 or 0.0 < size < 1e-4 else f"{cell:.6g}"


def breakable(name: str) -> Markup:
    """A snake_case name that may break after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def grid(table: Table) -> dict[str, Any]:
    """Columns with their alignment, and rows of text, for the template."""
    frame = table.frame
    columns = [[value(cell) for cell in frame.iloc[:, index].tolist()] for index in range(frame.shape[1])]
    classes = ["n" if _numeric(cells) else _text_class(cells) for cells in columns]
    head = list(zip((str(name) for name in frame.columns), classes, strict=True))
    return {"head": head, "rows": [list(zip(row, classes, strict=True)) for row in zip(*columns, strict=True)]}


def parameter_blocks(parameters: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows of the parameter tables by block, blocks in order of appearance."""
    blocks: dict[str, list[dict[str, Any]]] = {}
    for row in parameters.to_dict("records"):
        prior, posterior = _triple(row, "prior"), _triple(row, "posterior")
        blocks.setdefault(str(row["block"]), []).append(
            {
                "name": row["name"],
                "definition": readable(str(row.get("definition", ""))),
                "units": row["units"],
                "prior": _spoken(prior),
                "posterior": _spoken(posterior),
                "bars": interval_bars(prior, posterior),
                "distribution": row["distribution"],
                "source": value(row["source"]),
                "rationale": value(row["rationale"]),
            }
        )
    return list(blocks.items())


def interval_bars(prior: tuple[float, ...], posterior: tuple[float, ...]) -> str:
    """Prior above posterior, each from q05 to q95 with its median, on a scale of their own (log if wide).

    The numbers stand in the cells beside it, so it is hidden from screen readers.
    """
    finite = [x for x in (*prior, *posterior) if math.isfinite(x)]
    if not finite:
        return ""
    log = min(finite) > 0.0 and max(finite) > 20.0 * min(finite)
    low, high = (math.log(min(finite)), math.log(max(finite))) if log else (min(finite), max(finite))

    def place(x: float) -> float:
        share = 0.5 if high == low else ((math.log(x) if log else x) - low) / (high - low)
        return round(4.0 + (BAR_WIDTH - 8.0) * share, 1)

    def bar(name: str, triple: tuple[float, ...], y: int) -> str:
        left, middle, right = (place(x) for x in triple)
        return f'<path class="{name}" d="M{left} {y}H{right}"/><circle class="{name}" cx="{middle}" cy="{y}" r="3.5"/>'

    parts = [
        bar(name, triple, y)
        for name, triple, y in (("pr", prior, 6), ("po", posterior, 16))
        if all(map(math.isfinite, triple))
    ]
    return f'<svg viewBox="0 0 {BAR_WIDTH:g} {BAR_HEIGHT:g}" class="bars" aria-hidden="true">{"".join(parts)}</svg>'


def _triple(row: Mapping[str, Any], group: str) -> tuple[float, ...]:
    return tuple(float("nan") if pd.isna(x := row[f"{group}_q{q}"]) else float(x) for q in ("05", "50", "95"))


def _spoken(triple: tuple[float, ...]) -> tuple[str, str]:
    if any(math.isnan(x) for x in triple):
        return EMPTY
    noise = 1e-12 * max(map(abs, triple))  # a quantile at 0 is rarely exactly 0
    low, median, high = (_short(0.0 if abs(x) < noise else x) for x in triple)
    return median, "" if low == high else f"{low} to {high}"


def _short(x: float) -> str:
    size = abs(x)
    if size >= 1e5 or 0.0 < size < 1e-3:
        return words.power(x, 3)
    return f"{x:.5g}" if size >= 1000.0 else f"{x:.3g}"


def _text_class(cells: list[str]) -> str:
    """Room for a column of text: as much as its longest cell needs to stay under a few lines."""
    longest = max(map(len, cells), default=0)
    return "t" if longest <= MIDDLING else "t mid" if longest <= LONG else "t long"


def _numeric(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell not in EMPTY]
    return bool(filled) and all(set(re.findall(r"[^\W\d_]+", cell)) <= NUMBER_WORDS for cell in filled)
