"""Text from files is text on the page: it makes no element, no script and no link there."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from robustness.clients import until
from serving import served

from forecast.explorer import Explorer
from forecast.explorer.page import rendered
from forecast.explorer.server import site


class Markup(HTMLParser):
    """Elements of a page with their attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


HOSTILE_TEXT = (
    '</script><script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
    "<a href='javascript:hacked()'>&\"'{{7*7}}"
)


@pytest.fixture(scope="module")
def hostile(page: Explorer) -> Explorer:
    """The page of a run in which every text from a file is hostile."""
    texts = {"label": HOSTILE_TEXT, "definition": HOSTILE_TEXT, "prior": HOSTILE_TEXT, "source": HOSTILE_TEXT}
    return replace(
        page,
        record={**page.record, "as_of": HOSTILE_TEXT, "digests": {"fit": "</script>'\"x"}},
        marks=(HOSTILE_TEXT,),
        sliders=tuple(replace(slider, **texts) for slider in page.sliders),
        scenarios={name: replace(item, description=HOSTILE_TEXT) for name, item in page.scenarios.items()},
        views={name: replace(view, description=HOSTILE_TEXT) for name, view in page.views.items()},
    )


def test_text_from_files_makes_no_markup(page: Explorer, hostile: Explorer) -> None:
    """The same elements in the same places; only what stands in them differs."""
    clean, found = Markup(rendered(page)).elements, Markup(rendered(hostile)).elements
    assert {tag for tag, _ in found} == {tag for tag, _ in clean}
    assert [about for tag, about in found if tag == "script"] == [
        {"type": "application/json", "id": "setup"},
        {"src": "/explorer.js", "defer": None},
    ]
    assert "img" not in {tag for tag, _ in found}
    for _, about in found:
        assert not [name for name in about if name.startswith("on") or name == "style"]
        assert all((about[name] or "").startswith(("/", "#")) for name in ("src", "href") if name in about)
    assert rendered(hostile).count("window.hacked=1") > 20  # it is there, as text
    assert "49" not in rendered(hostile).split("&#34;&#39;")[1][:8]


@pytest.mark.slow
def test_text_from_files_runs_nothing_in_a_browser(hostile: Explorer) -> None:
    browser = pytest.importorskip("browser", reason="selenium is not installed: uv sync --group dev")
    if browser.absent():
        pytest.skip(str(browser.absent()))
    with served(site(hostile)) as found:
        driver = browser.chromium(1400, 900)
        try:
            driver.get(f"http://127.0.0.1:{found.server_port}/#scenario=<script>window.hacked=1</script>")
            until(lambda: bool(driver.find_element("id", "live").text))
            assert driver.execute_script("return window.hacked") is None
            assert "window.hacked" in driver.find_element("css selector", ".banner").text
            assert browser.errors(driver) == []
        finally:
            driver.quit()
