"""The page in a browser, as its reader uses it: by keyboard, by link, on a telephone, faster than the answers come."""

from __future__ import annotations

import csv
import io
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: uv sync --group dev")

from browser import absent, chromium, errors, overflow, requests, screen, violations
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from forecast.explorer import Explorer, State, answer
from forecast.explorer.server import Server, address

pytestmark = pytest.mark.skipif(absent() is not None, reason=str(absent()))
SECONDS = 120.0  # of a busy machine


class Reader:
    """What a reader sees and does."""

    def __init__(self, driver: Any, home: str, page: Explorer) -> None:
        self.driver, self.home, self.page = driver, home, page

    def open(self, fragment: str = "") -> None:
        self.driver.get("about:blank")
        self.driver.get(self.home + fragment)
        self.settled()

    def find(self, css: str) -> WebElement:
        found: WebElement = self.driver.find_element("css selector", css)
        return found

    def text(self, css: str) -> str:
        return str(self.find(css).get_property("textContent"))

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def until(self, condition: Callable[[], bool]) -> None:
        WebDriverWait(self.driver, SECONDS, poll_frequency=0.05).until(lambda _: condition())

    def settled(self) -> None:
        """Every question has its answer."""
        self.until(lambda: self.find("#live").get_attribute("aria-busy") != "true" and bool(self.text("#live")))

    def slider(self, index: int) -> WebElement:
        return self.find(f"#s-{self.page.sliders[index].name}")

    def press(self, index: int, *keys: str) -> None:
        self.slider(index).send_keys(*keys)
        self.settled()

    def headline(self, *fixed: tuple[str, float], **chosen: str) -> str:
        return str(answer(self.page, State(fixed=fixed, **chosen))["now"]["live"])

    def fragment(self) -> str:
        return str(self.run("return location.hash"))


@pytest.fixture(scope="module")
def reader(server: Server, page: Explorer) -> Iterator[Reader]:
    driver = chromium(1400, 900)
    yield Reader(driver, address(server), page)
    driver.quit()


@pytest.fixture(autouse=True)
def quiet(reader: Reader) -> Iterator[None]:
    """No test may leave an error in the console or have asked another host for anything."""
    screen(reader.driver, 1400, 900)
    yield
    assert errors(reader.driver) == []
    assert [url for url in requests(reader.driver) if not url.startswith(reader.home)] == []


def test_a_key_on_a_slider_changes_the_headline(reader: Reader) -> None:
    reader.open()
    before = reader.text("#live")
    assert before == reader.headline()
    assert reader.text("#said") == "The run as it is: nothing is fixed."
    slider = reader.page.sliders[0]
    reader.press(0, Keys.HOME)
    assert reader.text("#live") == reader.headline((slider.name, slider.values[0]))
    reader.press(0, Keys.ARROW_RIGHT, Keys.PAGE_UP)
    index = int(str(reader.slider(0).get_property("value")))
    assert index > 1
    assert reader.text("#live") == reader.headline((slider.name, slider.values[index])) != before
    assert slider.words(slider.values[index]) in reader.text("#said")
    assert reader.find(".reference h3").is_displayed()
    assert reader.text("#sentences-reference") != reader.text("#sentences")


def test_an_untouched_slider_stands_at_its_median_and_says_it_is_free(reader: Reader) -> None:
    reader.open()
    for index, slider in enumerate(reader.page.sliders):
        value = slider.values[int(str(reader.slider(index).get_property("value")))]
        assert abs(slider.place(value) - slider.place(slider.quantiles[1])) < 1.0
        assert str(reader.slider(index).get_attribute("aria-valuetext")).endswith(", not fixed")


def test_reset_frees_one_slider_or_all(reader: Reader) -> None:
    reader.open()
    before = reader.text("#live")
    assert reader.find("#reset").get_property("disabled")
    reader.press(0, Keys.END)
    reader.press(1, Keys.HOME)
    first, second = reader.page.sliders[:2]
    undo = reader.find(f"[data-name={first.name}] .undo")
    assert undo.is_displayed()
    undo.click()
    reader.settled()
    assert not undo.is_displayed()
    assert reader.driver.switch_to.active_element == reader.slider(0)
    assert reader.text("#live") == reader.headline((second.name, second.values[0]))
    reader.find("#reset").click()
    reader.settled()
    assert (reader.text("#live"), reader.fragment()) == (before, "")
    assert not reader.find(".reference h3").is_displayed()


def test_a_link_restores_scenario_view_sliders_and_figure(reader: Reader) -> None:
    reader.open()
    for name, value in (("scenario", "software_only"), ("view", "davidson2023")):
        reader.find(f"#{name} option[value={value}]").click()
        reader.settled()
    reader.press(2, Keys.PAGE_UP)
    reader.find("[name=show][value=log10_human_equivalents] + span").click()
    link, shown, rows = reader.fragment(), reader.text("#live"), reader.text("#rows")
    position = reader.slider(2).get_property("value")
    assert f"run={reader.page.digest}" in link
    reader.open(link)
    assert (reader.fragment(), reader.text("#live"), reader.text("#rows")) == (link, shown, rows)
    assert reader.find("#scenario").get_property("value") == "software_only"
    assert reader.find("#view").get_property("value") == "davidson2023"
    assert reader.slider(2).get_property("value") == position


def test_a_value_between_the_steps_is_kept_exactly(reader: Reader) -> None:
    slider = reader.page.sliders[0]
    value = 0.37 * slider.values[40] + 0.63 * slider.values[41]
    reader.open(f"#{slider.name}={value!r}")
    assert reader.text("#live") == reader.headline((slider.name, value))
    assert float(reader.fragment().split(f"{slider.name}=")[1]) == value


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("#telepathy=1", "no choice or slider named telepathy"),
        ("#scenario=utopia", "no scenario named utopia"),
        ("#run=0000", "made for another run"),
        ("#form=<img src=x onerror=alert(1)>", "no form named <img src=x onerror=alert(1)>"),
        ("#{slider}=1e300", "outside the slider's range"),
        ("#{slider}=", "outside the slider's range"),
    ],
)
def test_a_link_that_holds_no_state_is_refused_in_words(reader: Reader, link: str, said: str) -> None:
    reader.open(link.format(slider=reader.page.sliders[0].name))
    assert said in reader.text("#problem") and reader.find("#problem").is_displayed()
    assert reader.text("#live") == reader.headline()
    reader.press(0, Keys.HOME)
    assert not reader.find("#problem").is_displayed()


def test_a_link_pasted_over_another_one_is_opened(reader: Reader) -> None:
    reader.open()
    reader.run("location.hash = '#scenario=software_only'")
    reader.until(lambda: reader.find("#scenario").get_property("value") == "software_only")
    reader.settled()
    assert "software_only" in reader.fragment()


DELAY = """
  const real = window.fetch.bind(window);
  let count = 0;
  window.sent = [];
  window.fetch = async (url, options) => {
    const own = count++;
    window.sent.push(url);
    const response = await real(url, options);
    await new Promise((done) => setTimeout(done, own === 0 ? 2500 : 0));
    window.came = own;
    return response;
  };
"""


def test_a_late_answer_overwrites_nothing(reader: Reader) -> None:
    reader.open()
    reader.run(DELAY)
    reader.slider(0).send_keys(Keys.HOME)  # its answer is kept back
    reader.until(lambda: len(reader.run("return window.sent")) == 1)
    reader.slider(1).send_keys(Keys.HOME)
    wanted = reader.headline(*((slider.name, slider.values[0]) for slider in reader.page.sliders[:2]))
    reader.until(lambda: reader.text("#live") == wanted)
    reader.until(lambda: reader.run("return window.came") == 0)
    reader.settled()
    assert len(reader.run("return window.sent")) == 2
    assert reader.text("#live") == wanted


def test_many_steps_at_once_are_few_questions(reader: Reader) -> None:
    reader.open()
    reader.run(DELAY)
    reader.slider(0).send_keys(*[Keys.ARROW_LEFT] * 40)
    reader.settled()
    slider = reader.page.sliders[0]
    index = int(str(reader.slider(0).get_property("value")))
    assert reader.text("#live") == reader.headline((slider.name, slider.values[index]))
    assert len(reader.run("return window.sent")) < 20


def test_a_server_that_has_gone_is_said(reader: Reader) -> None:
    reader.open()
    reader.run("window.fetch = () => Promise.reject(new TypeError('gone'))")
    reader.press(0, Keys.HOME)
    assert reader.text("#problem") == "No answer came: is forecast serve still running?"
    assert reader.text("#live") == reader.headline()


@pytest.mark.parametrize("form", ["davidson_houlden2025", "ai2027", "kwa2026"])
def test_a_rival_s_page_says_what_it_does_not_define(reader: Reader, form: str) -> None:
    reader.open(f"#form={form}")
    assert reader.text("#live") == reader.headline(form=form)
    assert "says nothing about the number of AIs" in reader.text("#fan-note")
    assert reader.find("#fan .borrowed") is not None
    assert reader.find("#lengths-note").is_displayed() == (form != "kwa2026")


def test_figures_say_in_words_what_they_show(reader: Reader) -> None:
    reader.open()
    now = answer(reader.page, State())["now"]
    last = now["fan"]["words"]["log10_parallel_streams"][-1]
    assert f"{reader.page.years[-1]}: {last[1]}" in str(reader.find("#fan").get_attribute("aria-label"))
    assert now["lengths"]["words"][3] in str(reader.find("#lengths").get_attribute("aria-label"))
    assert len(reader.driver.find_elements("css selector", "#rows tr")) == len(reader.page.years)
    ticks = [element.text for element in reader.driver.find_elements("css selector", "#fan text")]
    assert {"1 million", "1 billion"} & set(ticks)


def test_the_numbers_of_the_state_can_be_taken_away(reader: Reader) -> None:
    slider = reader.page.sliders[0]
    reader.open(f"#{slider.name}={slider.values[5]!r}&scenario=software_only")
    with urllib.request.urlopen(str(reader.find("#csv").get_property("href")), timeout=60) as response:
        rows = list(csv.DictReader(io.TextIOWrapper(response, encoding="utf-8")))
    assert {row["fixed"] for row in rows} == {f"{slider.name}={slider.values[5]!r}"}
    assert {row["scenario"] for row in rows} == {"software_only"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1600])
def test_it_fits_every_screen_and_every_reader(reader: Reader, width: int, scheme: str) -> None:
    screen(reader.driver, width, 900, scheme)
    reader.open(f"#{reader.page.sliders[0].name}={reader.page.sliders[0].values[5]!r}")
    reader.find(".ask").click()
    reader.find(".table summary").click()
    assert overflow(reader.driver) <= 0
    assert violations(reader.driver) == []


def test_the_first_stop_of_the_keyboard_leads_to_the_forecast(reader: Reader) -> None:
    reader.open()
    reader.find("body").send_keys(Keys.TAB)
    stop = reader.driver.switch_to.active_element
    assert stop.text == "Skip to the forecast" and stop.is_displayed()
    stop.send_keys(Keys.ENTER)
    assert reader.run("return document.activeElement.id") == "results"
