"""What commands print: aligned tables, JSON that every reader accepts, and the headline block."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from forecast.reporting import Coherence, ReportContent

WIDEST = 48  # characters of a cell; --csv and --json have it whole


def speaker(quiet: bool) -> Callable[[str], None]:
    """A function that prints progress to stderr, or nothing."""

    def say(message: str) -> None:
        if not quiet:
            click.echo(message, err=True)

    return say


def emit_json(value: Any) -> None:
    """Print one JSON value: infinite numbers as "inf", missing ones as null."""
    narrow = not (sys.stdout.encoding or "").lower().startswith("utf")  # then only JSON's own escapes can be read back
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=narrow, allow_nan=False))


def plain(value: Any) -> Any:
    """The value in JSON's own types.

    >>> plain({"a": (1.0, math.inf, math.nan)})
    {'a': [1.0, 'inf', None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return None if type(value).__name__ in ("NAType", "NaTType") else str(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as plain records."""
    rows: list[dict[str, Any]] = plain(frame.astype(object).to_dict("records"))
    return rows


def emit_frame(frame: pd.DataFrame, as_json: bool, as_csv: bool, shown: pd.DataFrame | None = None) -> None:
    """Print a frame whole as JSON or CSV, or `shown` (by default all of it) as an aligned table."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if as_json:
        emit_json(records(frame))
    elif as_csv:
        from forecast.summaries import full_csv

        click.echo(full_csv(frame), nl=False)
    else:
        click.echo(aligned(frame if shown is None else shown))


def aligned(frame: pd.DataFrame) -> str:
    """A frame as text in columns: numbers to the right with four digits, long text cut short."""
    columns = [[cell(value) for value in frame[name].tolist()] for name in frame.columns]
    numeric = [all(isinstance(v, (int, float)) or v is None for v in frame[name].tolist()) for name in frame.columns]
    heads = [str(name) for name in frame.columns]
    widths = [max([len(head), *map(len, cells)]) for head, cells in zip(heads, columns, strict=True)]
    rows = [heads, *map(list, zip(*columns, strict=True))]
    sides = [str.rjust if right else str.ljust for right in numeric]
    lines = ("  ".join(side(c, w) for side, c, w in zip(sides, row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def cell(value: Any) -> str:
    """One cell as text on one line."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        value = " ".join(f"{item:.4g}" if isinstance(item, float) else str(item) for item in value)
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def gate_sentence(content: ReportContent) -> str:
    """The convergence verdict in a line."""
    if content.prior_only:
        return "Convergence: does not apply, these are draws of the prior."
    failed = [f"{row.name} {cell(row.value)} ({row.threshold} needed)" for row in content.gate if not row.passed]
    if failed:
        remedy = "Do not use these numbers: sample again with another --seed or more --draws"
        return f"Convergence: FAILED: {'; '.join(failed)}. {remedy}; if that fails too, the priors and the data are at odds."
    return "Convergence: passed (" + ", ".join(f"{row.name} {cell(row.value)}" for row in content.gate) + ")."


def coherence_sentence(rows: Sequence[Coherence]) -> str:
    """The coherence verdict in a line: what failed, or the largest share."""
    from forecast.words import percent

    failed = [f"P({row.name}) = {100 * row.probability:.2g}%" for row in rows if not row.passed]
    if failed:
        return f"Coherence: FAILED: {'; '.join(failed)} (each must be under {percent(rows[0].limit)})."
    worst = max(rows, key=lambda row: row.probability)
    return f"Coherence: passed (largest: P({worst.name}) = {percent(worst.probability)}, limit {percent(worst.limit)})."


def headline_block(content: ReportContent) -> str:
    """Marks, headline sentences and verdicts as the terminal prints them."""
    marks = [f"*** {', '.join(content.marks).upper()} ***"] if content.marks else []
    spoken = [*content.headline.sentences, gate_sentence(content), coherence_sentence(content.coherence)]
    return "\n\n".join([*marks, *(click.wrap_text(sentence, width=100) for sentence in spoken)])
