"""The report is parsed, not trusted: one file, nothing fetched, everything escaped, every figure described."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import click
import matplotlib as mpl
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
import xarray as xr
from synthetic import observation_table, parameter_frame, readout_draws, report_content, yearly_draws

import forecast.cli
from forecast import schema
from forecast.errors import InputError
from forecast.reporting import (
    Coherence,
    Gate,
    ReportContent,
    Table,
    make_figures,
    make_tables,
    prior_posterior_figure,
    render,
    report,
)
from forecast.reporting.content import Section
from forecast.reporting.outline import outline
from forecast.reporting.page import grid, interval_bars, value
from forecast.words import number, percent

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr", "col"}
Attributes = list[tuple[str, str | None]]


class Page(HTMLParser):
    """Elements, ids and text of a page; fails on a tag closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.elements.append((tag, {key: text or "" for key, text in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.elements.append((tag, {key: text or "" for key, text in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def content() -> ReportContent:
    return report_content()


@pytest.fixture(scope="module")
def html(content: ReportContent) -> str:
    return render(content)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_it_is_one_well_formed_page(page: Page) -> None:
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_is_fetched(html: str, page: Page) -> None:
    for tag, attributes in page.elements:
        for key in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            held = ("#", "data:text/csv") if tag == "a" and "download" in attributes else "#"
            assert attributes.get(key, "#").startswith(held), (tag, key)
    assert not {"script", "link", "iframe", "img", "object", "base"} & {tag for tag, _ in page.elements}
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_every_link_inside_the_page_arrives(page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = [attributes["href"] for _, attributes in page.elements if "href" in attributes]
    targets = {href[1:] for href in links if href.startswith("#")}
    named = {
        name for _, a in page.elements for key in ("aria-labelledby", "clip-path") for name in a.get(key, "").split()
    }
    assert targets <= ids
    assert {name.removeprefix("url(#").removesuffix(")") for name in named} <= ids


def test_the_table_of_contents_follows_the_page(content: ReportContent, html: str, page: Page) -> None:
    contents = re.findall(r'<a href="#([\w-]+)">', html[html.index("<nav") : html.index("</nav>")])
    assert contents == [a["id"] for a in page.all("h2")]
    assert contents == [section.name for group in outline(content) for section in group.sections]


def test_every_figure_has_a_text_alternative(content: ReportContent, html: str, page: Page) -> None:
    drawn = [attributes for attributes in page.all("svg") if "aria-hidden" not in attributes]
    assert len(drawn) == len(content.figures) == len(page.all("figure"))
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"] for attributes in drawn)
    for figure in content.figures:
        title = re.search(rf'<title id="{figure.name}-title">([^<]+)</title>', html)
        assert title is not None
        assert len(title[1]) > 60


def test_the_alternative_text_gives_the_numbers(content: ReportContent) -> None:
    median = np.median(10.0 ** yearly_draws().log10_parallel_streams.sel(scenario="baseline", year=2045).values)
    assert f"2045: {number(float(median))}" in content.figures[0].alt


def test_sections_come_as_a_reader_asks(content: ReportContent) -> None:
    """The answer, what drives it, rivals, further questions, data and trust, parameters, limits, method."""
    names = [
        "trust",
        "watch",
        "leap",
        "organisations",
        "views",
        "somebodys",
        "drivers",
        "forms",
        "implementers",
        "evidence",
    ]
    further = tuple(Section(name, name) for name in names)
    page = Page(render(replace(content, sections=further)))
    assert [a["id"] for a in page.all("h2")] == [
        *("headline", "gates", "count", "takeoff"),
        *("drivers", "evidence", "watch"),
        *("forms", "views"),
        *("organisations", "implementers", "leap", "somebodys"),
        *("trust", "observations"),
        *("parameters", "implied"),
        *("reading", "limits", "method"),
    ]


def test_every_figure_has_its_numbers_and_its_citation_beside_it(content: ReportContent) -> None:
    cited = replace(content, citation="forecast 9.9, run abc")
    html = render(cited)
    beside = re.findall(
        r'<p class="cite"><a download="([^"]+)" href="([^"]+)" aria-label="CSV: [^"]+">CSV</a> ([^<]+)<', html
    )
    assert [name for name, _, _ in beside] == [f"{figure.name}.csv" for figure in content.figures]
    for (_, address, said), figure in zip(beside, content.figures, strict=True):
        assert said == "forecast 9.9, run abc"
        assert base64.b64decode(address.removeprefix("data:text/csv;charset=utf-8;base64,")).decode() == figure.csv


def test_the_csv_of_a_fan_has_the_quantiles_of_the_draws(content: ReportContent) -> None:
    frame = pd.read_csv(io.StringIO(content.figures[0].csv)).set_index(["scenario", "year"])
    draws = 10.0 ** yearly_draws().log10_parallel_streams.sel(scenario="software_only", year=2040).values
    expected = np.quantile(draws, [0.05, 0.25, 0.5, 0.75, 0.95])
    found = frame.loc[("software_only", 2040), ["q05", "q25", "q50", "q75", "q95"]].astype(float)
    np.testing.assert_allclose(found, expected, rtol=1e-3)  # of log10 and of the count: interpolated apart
    assert set(frame["units"]) == {"streams"}


def test_years_compressed_into_one_are_a_share_of_all_draws(content: ReportContent) -> None:
    (figure,) = (figure for figure in content.figures if figure.name == "years-compressed")
    frame = pd.read_csv(io.StringIO(figure.csv)).set_index(["scenario", "at_least"])
    gains = readout_draws().best_year_gain_human_years.sel(scenario="baseline").values
    assert frame.loc[("baseline", 3.0), "probability"] == pytest.approx(float((gains >= 3.0).mean()))


def test_a_forecast_can_be_read_with_one_page_of_help(content: ReportContent, page: Page) -> None:
    sections = {section.name: section for group in outline(content) for section in group.sections}
    words = " ".join(f"{term} {text}" for term, text in sections["reading"].points)
    for subject in (
        "median",
        "interval",
        "Log axis",
        "censored",
        "posterior",
        "stream",
        "Conditional",
        "--set",
        "--view",
    ):
        assert subject in words, subject
    assert len(words.split()) < 600  # a page
    assert percent(content.headline.not_automated) in words
    for term, _ in sections["reading"].points:
        assert term in page.text


def test_commands_in_the_help_for_reading_are_commands(content: ReportContent) -> None:
    points = next(one for group in outline(content) for one in group.sections if one.name == "reading").points
    commands = re.findall(r"`uv run forecast ([^`]+)`", " ".join(text for _, text in points))
    assert len(commands) >= 4
    for words in map(str.split, commands):
        command: click.Command = forecast.cli.main
        while isinstance(command, click.Group) and words:
            command = command.commands[words.pop(0)]
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= flags


def test_headline_sentences_are_printed(content: ReportContent, page: Page) -> None:
    for sentence in content.headline.sentences:
        assert sentence in page.text
    assert "conditional on this model" in page.text


def test_the_same_content_gives_the_same_bytes(html: str) -> None:
    assert render(report_content()) == html


def test_the_users_matplotlib_settings_do_not_reach_it(content: ReportContent) -> None:
    with mpl.rc_context({"axes.linewidth": 5, "xtick.major.size": 20, "svg.fonttype": "path"}):
        styled = make_figures(yearly_draws(), readout_draws())
    assert [figure.svg for figure in styled] == [figure.svg for figure in content.figures]


def test_figures_take_the_colours_of_the_page(content: ReportContent) -> None:
    for figure in content.figures:
        assert "var(--ink-soft, #767676)" in figure.svg
        assert not re.search(r"(fill|stroke): #(?!000)[0-9a-f]{6}", figure.svg)
        assert "font-family" not in figure.svg
        assert "http" not in figure.svg


def test_light_dark_and_print_are_styled(html: str) -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in html
    assert "@media print" in html
    assert "color-scheme: light dark" in html


EVIL = '<script>alert("x")</script>'


def test_text_from_files_is_escaped_everywhere(content: ReportContent) -> None:
    frame = parameter_frame()
    frame[["name", "block", "units", "definition", "distribution", "rationale"]] = EVIL
    frame["source"] = [(EVIL,)] * len(frame)
    rows = pd.DataFrame({EVIL: [EVIL], "source": [EVIL]})
    yearly = yearly_draws().assign_coords(scenario=[EVIL, "other"])
    readouts = readout_draws().assign_coords(scenario=[EVIL, "other"])
    hostile = replace(
        content,
        title=EVIL,
        as_of=EVIL,
        gate=(Gate(EVIL, EVIL, EVIL, True),),
        coherence=(Coherence(EVIL, 0.0, 0.01, True),),
        figures=(
            *make_figures(yearly, readouts),
            prior_posterior_figure(readouts.year_20, None, EVIL, EVIL),
        ),
        tables=(*make_tables(yearly, readouts), Table(EVIL, EVIL, rows, "count")),
        parameters=frame,
        implied=rows,
        observations=(Table(EVIL, EVIL, rows),),
        provenance={EVIL: EVIL},
        command=EVIL,
        notes=(EVIL,),
    )
    page = Page(render(hostile))
    assert page.all("script") == []
    assert page.text.count("alert(") > 100


def test_a_failed_gate_is_marked_everywhere(content: ReportContent) -> None:
    failed = replace(content, gate=(Gate("largest R-hat", 1.3, "<= 1.01", False),), prior_only=True)
    html = render(failed)
    page = Page(html)
    assert "(prior only) (convergence gate failed)</title>" in html
    assert "The sampler did not converge" in page.text
    assert "FAILED" in page.text
    for tag in ("figcaption", "caption"):
        marked = re.findall(rf"<{tag}>[^\n]*?</{tag}>", html)
        results = [text for text in marked if "Convergence:" not in text and "Coherence:" not in text]
        assert results
        assert all("convergence gate failed" in text and "prior only" in text for text in results)


def test_incoherent_draws_are_marked_too(content: ReportContent) -> None:
    failed = replace(content, coherence=(Coherence("fleet > world", 0.05, 0.01, False),))
    assert failed.marks == ("coherence gate failed",)
    assert "Too many draws contradict themselves" in render(failed)


def test_a_result_that_stands_has_no_marks(content: ReportContent, page: Page) -> None:
    assert content.marks == ()
    assert [a for a in page.all("span") if a.get("class") == "mark"] == []
    assert [a for a in page.all("div") if a.get("role") == "alert"] == []


def test_every_parameter_has_prior_posterior_source_and_rationale(content: ReportContent, page: Page) -> None:
    bars = [a for a in page.all("svg") if a.get("class") == "bars"]
    names = [name for block in schema.PARAMETERS.values() for name in block]
    assert len(bars) == len(names)
    assert all(name in page.text for name in names)
    assert page.text.count(content.parameters.rationale[0]) == len(names)
    assert page.text.count(content.parameters.source[0][0]) == len(names)


def test_bars_lie_where_the_numbers_are() -> None:
    svg = interval_bars((0.0, 5.0, 10.0), (2.5, 5.0, 7.5))
    assert 'class="pr" d="M4.0 6H156.0"' in svg
    assert 'class="po" d="M42.0 16H118.0"' in svg
    decades = interval_bars((1.0, 100.0, 10_000.0), (10.0, 100.0, 1000.0))
    assert 'class="po" d="M42.0 16H118.0"' in decades
    assert 'class="po"' not in interval_bars((1.0, 2.0, 3.0), (np.nan,) * 3)
    assert interval_bars((np.nan,) * 3, (np.nan,) * 3) == ""


def test_a_prior_only_report_has_no_posterior(content: ReportContent) -> None:
    frame = parameter_frame().assign(posterior_q05=np.nan, posterior_q50=np.nan, posterior_q95=np.nan)
    html = render(replace(content, parameters=frame, prior_only=True, gate=(), observations=()))
    assert 'class="po" d=' not in html
    assert "No convergence test applies" in html
    assert "no observation table was used" in html


def test_a_parameter_frame_without_a_column_is_refused(content: ReportContent) -> None:
    with pytest.raises(InputError, match="parameters: no column rationale"):
        replace(content, parameters=parameter_frame().drop(columns="rationale"))


def test_observations_stand_folded_with_their_source(html: str, page: Page) -> None:
    assert "<details><summary>architectures (30 rows)</summary>" in html
    assert page.text.count("Somebody 2024, a paper with a long title") == 30
    assert "2024.5" in page.text


def test_tables_scroll_inside_their_own_container(html: str, page: Page) -> None:
    regions = [a for a in page.all("div") if a.get("role") == "region"]
    assert len(regions) == len(page.all("table")) == len(re.findall(r"<div class=\"scroll[^>]*>\s*<table", html))
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in regions)


def test_a_thousand_observations_stay_small(content: ReportContent) -> None:
    tables = tuple(observation_table(400) for _ in range(6))
    assert len(render(replace(content, observations=tables)).encode()) < 1_500_000


def test_tables_print_what_was_counted(content: ReportContent) -> None:
    readouts = readout_draws()
    tables = {table.name: table.frame for table in content.tables}
    events = tables["events"].set_index("Event")
    share = float(readouts.already_20.sel(scenario="software_only").mean())
    assert events.loc["20% automation is already past at the as-of date", "software only"].startswith(
        f"{percent(share)}, "
    )
    rows = tables["readouts"].set_index("Read-out")
    six = readouts.years_to_6_oom.sel(scenario="baseline")
    row = rows.loc["Years from 100% to +6 OOM of software, yr"]
    assert row["baseline, by 2045"] == percent(float(np.isfinite(six).mean()))
    assert "to not by 2045)" in row["baseline"]
    date = int(np.median(readouts.year_100.sel(scenario="baseline")))
    assert rows.loc["When AIs can do 100% of AI R&D tasks", "baseline"].startswith(f"{date} (")


def test_one_scenario_without_the_dim_works_too() -> None:
    yearly, readouts = (data.isel(scenario=0) for data in (yearly_draws(), readout_draws()))
    assert next(figure.name for figure in make_figures(yearly, readouts)) == "streams"
    assert make_tables(yearly, readouts)[2].frame.shape[1] == 3


def test_cells_are_aligned_by_what_they_hold() -> None:
    frame = pd.DataFrame(
        {"a": ["1.2 million", "not by 2045"], "b": ["2.58 (one study)", "3"], "c": [1.5, np.nan], "d": [True, False]}
    )
    cells = grid(Table("t", "t", frame))
    assert [css for _, css in cells["head"]] == ["n", "t", "n", "t"]
    assert [text for text, _ in cells["rows"][1]] == ["not by 2045", "3", "", "False"]
    assert value(None) == value(pd.NA) == ""
    assert value(np.float64(2026.4959)) == "2026.5"


def test_the_file_is_written_in_a_folder_or_by_name(tmp_path: Path, content: ReportContent, html: str) -> None:
    assert report(content, tmp_path / "out") == tmp_path / "out" / "report.html"
    assert report(content, tmp_path / "mine.html").read_text(encoding="utf-8") == html
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.html", "out"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, content: ReportContent) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"report\.html: cannot be written"):
        report(content, tmp_path / "file")


def test_a_dollar_sign_in_a_name_is_no_formula() -> None:
    draws = xr.DataArray(np.arange(1.0, 11.0), dims="draw")
    assert "a $x$ b" in prior_posterior_figure(draws, draws, "a $x$ b", "1").svg
