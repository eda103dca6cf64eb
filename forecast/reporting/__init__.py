"""The report: one self-contained HTML file, filled from values that travel as frozen dataclasses."""

from forecast.reporting.content import Coherence, Figure, Gate, ReportContent, Table
from forecast.reporting.figures import make_figures, prior_posterior_figure
from forecast.reporting.page import render, report
from forecast.reporting.tables import make_tables

__all__ = [
    "Coherence",
    "Figure",
    "Gate",
    "ReportContent",
    "Table",
    "make_figures",
    "make_tables",
    "prior_posterior_figure",
    "render",
    "report",
]
