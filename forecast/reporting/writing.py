"""The report as files: one content in every format asked for, the figures and their numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from forecast.errors import InputError
from forecast.families import suggestion
from forecast.reporting.content import ReportContent
from forecast.reporting.drawings import standalone
from forecast.reporting.markdown import FOLDER, markdown
from forecast.reporting.page import render
from forecast.reporting.paper import pdf, weasyprint
from forecast.summaries import write_text

FORMATS = ("html", "md", "pdf")
USUAL = ("html", "md")


def checked_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Formats of a report that can be written here, each once, in the order given.

    >>> checked_formats(["md", "html", "md"])
    ('md', 'html')

    Raises
    ------
    InputError
        For an unknown format, none at all, or one that lacks its library.
    """
    chosen = tuple(dict.fromkeys([formats] if isinstance(formats, str) else formats))
    for name in chosen:
        if name not in FORMATS:
            raise InputError(f"no report can be {name!r}{suggestion(name, FORMATS)}")
    if not chosen:
        raise InputError(f"no format of a report is given: take one or more of {', '.join(FORMATS)}")
    if "pdf" in chosen:
        weasyprint()
    return chosen


def report_files(content: ReportContent, formats: Iterable[str] = USUAL) -> dict[str, str | bytes]:
    """Everything a report is, by its path in the folder: the report in each format, figures as CSV and for Markdown SVG."""
    chosen = checked_formats(formats)
    make: dict[str, Callable[[ReportContent], str | bytes]] = {"html": render, "md": markdown, "pdf": pdf}
    files: dict[str, str | bytes] = {f"report.{name}": make[name](content) for name in chosen}
    for figure in content.all_figures:
        if figure.csv:
            files[f"{FOLDER}/{figure.name}.csv"] = figure.csv
        if "md" in chosen:
            files[f"{FOLDER}/{figure.name}.svg"] = standalone(figure.svg)
    return files


def write_files(files: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Write files by their paths in a folder, each in one step."""
    return [write_text(folder / name, text) for name, text in files.items()]
