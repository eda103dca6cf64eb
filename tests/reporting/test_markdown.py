"""Markdown is parsed back: what was text is text again, whatever it holds, and the figures lie where the links say."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd  # type: ignore[import-untyped]
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from synthetic import parameter_frame, report_content

from forecast import mainjob
from forecast.errors import InputError
from forecast.reporting import Figure, ReportContent, Table, markdown, render, report_files, write_files
from forecast.reporting.drawings import standalone
from forecast.reporting.markdown import escaped, pipes
from forecast.summaries import csv_text

PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
EVIL = "<b>a</b> | `x` [l](javascript:y) *z* ~~s~~ _u_ &amp; $m$ \\"


@pytest.fixture(scope="module")
def content() -> ReportContent:
    return report_content(citation="forecast 9.9, run abc")


@pytest.fixture(scope="module")
def text(content: ReportContent) -> str:
    return markdown(content)


def plain(source: str) -> str:
    """What a reader sees of some Markdown, and nothing if any of it was markup."""
    tokens = PARSER.parse(source)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], source
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}, source
    return "".join(child.content for child in children)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).filter(str.strip))
def test_any_text_is_text_again(words: str) -> None:
    assert plain(escaped(words)) == " ".join(words.split())


@pytest.mark.parametrize(
    "words", [EVIL, "# a", "> a", "1. a", "12) a", "- a", "+ a", "=== a", "a_b_c", "---", "    a", ":-- a"]
)
def test_what_would_be_markup_is_text(words: str) -> None:
    assert plain(escaped(words)) == " ".join(words.split())


@given(st.lists(st.text("ab|\\`*_<>[]()#-:~$& ", max_size=12), min_size=2, max_size=4))
def test_cells_stay_cells(cells: list[str]) -> None:
    tokens = PARSER.parse("\n".join(pipes(["x"] * len(cells), [cells], [False] * len(cells))))
    body = tokens[[token.type for token in tokens].index("tbody_open") :]
    said = [body[i + 1] for i, token in enumerate(body) if token.type == "td_open"]
    assert ["".join(c.content for c in token.children or []) for token in said] == [" ".join(c.split()) for c in cells]


def tokens_of(source: str) -> list[Any]:
    return [child for token in PARSER.parse(source) for child in (token, *(token.children or []))]


def test_the_same_sections_come_in_the_same_order_as_on_the_page(content: ReportContent, text: str) -> None:
    found = re.findall(r'<a id="([\w-]+)"></a>', text)
    assert found == re.findall(r'<h2 id="([\w-]+)">', render(content))


def test_both_answers_and_every_parameter_are_in_it(content: ReportContent, text: str) -> None:
    for sentence in content.headline.sentences:
        assert sentence in text
    for name in content.parameters["name"]:
        assert f"| {name} |" in text


def test_text_from_files_is_escaped_everywhere(content: ReportContent) -> None:
    frame = parameter_frame()
    frame[["name", "block", "units", "definition", "distribution", "rationale"]] = EVIL
    frame["source"] = [(EVIL,)] * len(frame)
    rows = pd.DataFrame({EVIL: [EVIL], "source": [EVIL]})
    hostile = replace(
        content,
        title=EVIL,
        as_of=EVIL,
        parameters=frame,
        implied=rows,
        observations=(Table("t", EVIL, rows),),
        provenance={EVIL: EVIL},
        command=f"{EVIL}\n```",
        citation=EVIL,
    )
    tokens = tokens_of(markdown(hostile))
    allowed = re.compile(r'<a id="[a-z]+">|</a>')
    assert all(allowed.fullmatch(token.content) for token in tokens if token.type.startswith("html"))
    links = {token.attrs["href"] for token in tokens if token.type == "link_open"}
    assert all(re.fullmatch(r"#[a-z]+|figures/[\w-]+\.csv", link) for link in links)
    assert not [token for token in tokens if token.type in ("em_open", "s_open")]
    assert sum(token.type == "fence" for token in tokens) == 1


def test_a_failed_gate_is_said_first_and_with_every_figure_and_table(content: ReportContent) -> None:
    text = markdown(replace(content, prior_only=True))
    assert "> **Prior only.** No observation was used" in text.split("## ")[0]
    captions = [line for line in text.splitlines() if re.match(r"\*\*(?!Con|Coh)", line)]
    assert captions
    assert all("**(prior only)**" in line for line in captions)


def test_links_lead_to_the_files_beside_it(content: ReportContent, text: str, tmp_path: Path) -> None:
    written = write_files(report_files(content, ["md"]), tmp_path)
    assert written[0] == tmp_path / "report.md"
    linked = set(re.findall(r"\]\((figures/[^)]+)\)", text))
    assert len(linked) == 2 * len(content.figures)
    assert {str(path.relative_to(tmp_path)) for path in written[1:]} == linked
    for figure in content.figures:
        assert (tmp_path / "figures" / f"{figure.name}.csv").read_text() == figure.csv


def test_a_figure_stands_alone(content: ReportContent) -> None:
    for figure in content.figures:
        for paper in (False, True):
            drawing = ElementTree.fromstring(standalone(figure.svg, paper))
            assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
            assert float(drawing.attrib["width"]) > 100
            assert "var(" not in ElementTree.tostring(drawing, encoding="unicode")
            assert figure.alt == drawing[0].text


def test_text_that_a_spreadsheet_would_run_is_kept_from_it_and_numbers_are_left_alone() -> None:
    frame = pd.DataFrame({"=head": ["=1+1", "+x", "-y", "@z", "fine"], "x": [-1.5, 2, -3, 4, float("inf")]})
    text = csv_text(frame)
    assert text.splitlines() == ["'=head,x", "'=1+1,-1.5", "'+x,2", "'-y,-3", "'@z,4", "fine,inf"]
    assert pd.read_csv(io.StringIO(text))["x"].tolist() == [-1.5, 2, -3, 4, float("inf")]


@pytest.mark.parametrize(
    ("formats", "said"), [(["htm"], "did you mean 'html'"), ([], "no format"), (["doc"], "known: html")]
)
def test_a_format_that_does_not_exist_is_refused(content: ReportContent, formats: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        report_files(content, formats)


def test_a_figure_without_numbers_has_no_link(content: ReportContent) -> None:
    bare = replace(content.figures[0], csv="")
    assert isinstance(bare, Figure)
    one = replace(content, figures=(bare,))
    assert ".csv" not in "".join(report_files(one, ["html", "md"]))
    assert "[CSV]" not in markdown(one)


def test_a_file_where_the_figures_go_is_said_before_anything_is_written(prior_run: xr.DataTree, tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("mine")
    with pytest.raises(InputError, match=r"figures: cannot be written \(.*is a file\)"):
        mainjob.report(prior_run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]
