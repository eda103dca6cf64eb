"""The report as tagged PDF (extra ``pdf``): the page's own HTML on paper, with the CSV of every figure attached."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from forecast.errors import InputError
from forecast.reporting.content import ReportContent
from forecast.reporting.page import render

VARIANT = "pdf/ua-1"
REMEDY = "take the extra: uv run --extra pdf forecast report RUN --format pdf, or pip install 'forecast[pdf]'"


def weasyprint() -> Any:
    """The library that lays the pages out.

    Raises
    ------
    InputError
        If it, or what it needs of the system, is not installed.
    """
    try:
        return import_module("weasyprint")
    except ImportError as error:
        raise InputError(f"a report as pdf needs weasyprint, which is not installed: {REMEDY}") from error
    except OSError as error:  # installed, without Pango
        reason = str(error).splitlines()[0]
        raise InputError(
            f"a report as pdf needs Pango, which weasyprint does not find ({reason}): "
            "install it (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0), or take --format html"
        ) from error


def pdf(content: ReportContent) -> bytes:
    """The report as PDF/UA-1: tagged, with text alternatives; the same content gives the same pages.

    Raises
    ------
    InputError
        As `weasyprint`.
    """
    library = weasyprint()
    attached = [
        library.Attachment(string=one.csv, name=f"{one.name}.csv", description=one.caption, relationship="Data")
        for one in content.all_figures
        if one.csv
    ]
    held = library.urls.URLFetcher(allowed_protocols=("data",))  # asks the network and the disk for nothing
    document = library.HTML(string=render(content, paper=True), url_fetcher=held)
    written: bytes = document.write_pdf(pdf_variant=VARIANT, attachments=attached)
    return written
