"""The report: one content in frozen dataclasses, printed as a self-contained HTML file, as Markdown and as tagged PDF."""

from forecast.reporting.content import Coherence, Figure, Gate, ReportContent, Table
from forecast.reporting.figures import make_figures, prior_posterior_figure
from forecast.reporting.markdown import markdown
from forecast.reporting.page import render, report
from forecast.reporting.tables import make_tables
from forecast.reporting.writing import report_files, write_files

__all__ = [
    "Coherence",
    "Figure",
    "Gate",
    "ReportContent",
    "Table",
    "make_figures",
    "make_tables",
    "markdown",
    "prior_posterior_figure",
    "render",
    "report",
    "report_files",
    "write_files",
]
