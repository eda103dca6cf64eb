"""The report in headless Chromium: readable on a phone and on a wide screen, light and dark, printed, and without a mouse."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
from pypdf import PdfReader
from selenium import webdriver
from selenium.webdriver.common.by import By
from synthetic import report_content

from forecast.reporting import Gate, ReportContent, Table, render
from forecast.reporting.content import Section

pytestmark = pytest.mark.skipif(browser.absent() is not None, reason=str(browser.absent()))
SCREENS = [(375, "light"), (375, "dark"), (1600, "light"), (1600, "dark")]
IN_VIEW = "const box = arguments[0].getBoundingClientRect(); return [box.left, box.right, box.height];"
REACHED = """
const link = document.querySelector('nav a[href="#method"]');
link.focus();
return document.activeElement === link && link.checkVisibility() && link.getBoundingClientRect().height > 10;
"""
DRAWN = """
const wide = document.documentElement.clientWidth;
return [...document.querySelectorAll('figure > svg text')].map(t => t.getBoundingClientRect())
  .filter(box => box.left < -1 || box.right > wide + 1).length;
"""


@pytest.fixture(scope="module")
def content() -> ReportContent:
    """With a section of a further question and every mark, so that all templates are on the page."""
    whole = report_content(citation="forecast 9.9, public figures up to 2026-11-01, run abc, conditional on its model")
    further = Section(
        "drivers",
        "What drives the answer",
        "An intro with a long_name_of_a_parameter_that_may_not_break_anywhere_at_all.",
        ("A sentence.",),
        (),
        (Table("folded", "A folded table", whole.implied, folded=True),),
    )
    few = whole.parameters.groupby("block").head(2).reset_index(drop=True)
    failed = (*whole.gate, Gate("largest R-hat (some_parameter)", 1.3, "at most 1.01", False))
    return report_content(citation=whole.citation, sections=(further,), parameters=few, gate=failed)


@pytest.fixture(scope="module")
def page(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(content), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    driver = browser.chromium()
    yield driver
    driver.quit()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nothing_is_said_fetched_or_cut_off(chromium: webdriver.Chrome, page: str, width: int, scheme: str) -> None:
    browser.screen(chromium, width, 900, scheme)
    browser.errors(chromium), browser.requests(chromium)  # what came before
    chromium.get(page)
    assert browser.errors(chromium) == []
    assert browser.requests(chromium) == [page]
    assert browser.overflow(chromium) <= 0
    assert chromium.execute_script(DRAWN) == 0
    background = chromium.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 26)")


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1600, "dark")])
def test_axe_finds_nothing_serious(chromium: webdriver.Chrome, page: str, width: int, scheme: str) -> None:
    """Names, roles, contrast, keyboard: the rules of axe-core, in both schemes and layouts."""
    browser.screen(chromium, width, 900, scheme)
    chromium.get(page)
    assert browser.violations(chromium) == []


def test_the_contents_stand_beside_a_wide_page_and_fold_on_a_phone(chromium: webdriver.Chrome, page: str) -> None:
    for width, shown in ((1600, True), (375, False)):
        browser.screen(chromium, width)
        chromium.get(page)
        assert chromium.execute_script(REACHED) is shown
    chromium.find_element(By.CSS_SELECTOR, "nav summary").click()
    assert chromium.execute_script(REACHED)


def test_a_wide_table_scrolls_in_its_own_box_with_the_keyboard(chromium: webdriver.Chrome, page: str) -> None:
    browser.screen(chromium, 375)
    chromium.get(page)
    boxes = chromium.find_elements(By.CSS_SELECTOR, "section > .scroll")
    wide = [box for box in boxes if chromium.execute_script("return arguments[0].scrollWidth > 380", box)]
    assert wide
    assert all(box.get_attribute("tabindex") == "0" for box in wide)
    assert all(chromium.execute_script(IN_VIEW, box)[1] <= 376 for box in wide)


def test_the_numbers_of_a_figure_can_be_saved_from_the_page_alone(
    chromium: webdriver.Chrome, page: str, content: ReportContent, tmp_path: Path
) -> None:
    chromium.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.screen(chromium, 1600)
    chromium.get(page)
    chromium.find_element(By.CSS_SELECTOR, 'a[download="streams.csv"]').click()
    saved = tmp_path / "streams.csv"
    until = time.monotonic() + 20.0
    while not saved.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert saved.read_text(encoding="utf-8") == content.figures[0].csv
    assert browser.errors(chromium) == []


def test_printing_opens_what_is_folded_and_leaves_the_contents_out(chromium: webdriver.Chrome, page: str) -> None:
    browser.screen(chromium, 1600)
    chromium.get(page)
    printed = chromium.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    reader = PdfReader(io.BytesIO(base64.b64decode(printed["data"])))
    words = " ".join(" ".join(one.extract_text() for one in reader.pages).split())
    assert "How to read a forecast" in words
    assert "Somebody 2024, a paper with a long title" in words  # of a folded table
    assert "Convergence gate failed" in words
    assert words.count("Method and versions") == 1
