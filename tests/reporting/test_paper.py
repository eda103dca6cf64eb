"""The PDF is read back: tagged, described, with the numbers of every figure attached; without weasyprint, nothing is done."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import xarray as xr
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject, PdfObject
from synthetic import observation_table, report_content

from forecast import mainjob
from forecast.errors import InputError
from forecast.reporting import ReportContent
from forecast.reporting.outline import outline
from forecast.reporting.paper import pdf
from forecast.schema import PARAMETERS


@pytest.fixture(scope="module")
def content() -> ReportContent:
    whole = report_content(citation="forecast 9.9, run abc", observations=(observation_table(3),))
    block = whole.parameters["block"] == next(iter(PARAMETERS))  # one block of parameters: laying out all takes seconds
    return report_content(citation=whole.citation, observations=whole.observations, parameters=whole.parameters[block])


@pytest.fixture(scope="module")
def reader(content: ReportContent) -> PdfReader:
    return PdfReader(io.BytesIO(pdf(content)))


def structure(node: PdfObject | None) -> list[DictionaryObject]:
    """All elements of the structure tree below a node."""
    held = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(held, list):
        return [one for child in held for one in structure(child)]
    if not isinstance(held, DictionaryObject):
        return []
    return ([held] if "/S" in held else []) + structure(held.get("/K"))


def test_it_is_tagged_and_says_so(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "How many AIs, and how fast a take-off"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_every_figure_has_its_text_alternative_and_every_heading_is_one(
    content: ReportContent, reader: PdfReader
) -> None:
    elements = structure(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
    alternatives = {str(one["/Alt"]) for one in elements if one["/S"] == "/Figure" and "/Alt" in one}
    assert {figure.alt for figure in content.figures} <= alternatives
    kinds = [str(one["/S"]) for one in elements]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") == sum(len(group.sections) for group in outline(content))
    assert "/TH" in kinds and "/TD" in kinds


def test_the_answer_and_the_condition_can_be_read(content: ReportContent, reader: PdfReader) -> None:
    words = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert content.headline.when in words
    assert "How to read a forecast" in words
    assert words.count("Conditional on this model") >= len(reader.pages)


def test_the_numbers_of_every_figure_are_attached(content: ReportContent, reader: PdfReader) -> None:
    attached = {name: parts[0].decode() for name, parts in reader.attachments.items()}
    assert attached == {f"{figure.name}.csv": figure.csv for figure in content.figures}


def test_without_weasyprint_the_extra_is_named_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prior_run: xr.DataTree
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(InputError, match=r"--extra pdf.*forecast\[pdf\]"):
        mainjob.report(prior_run, tmp_path / "out", formats=["html", "pdf"])
    assert not (tmp_path / "out").exists()
