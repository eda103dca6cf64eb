"""Headless Chromium for the tests of the report and of the page: start it, emulate a reader's screen, hear what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import axe_core_python
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # CI runs as root, where Chromium's sandbox refuses to start
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",  # nothing of the browser's own in the log of requests
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)
LOGS = {"performance": "ALL", "browser": "ALL"}
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
AT_ONCE = "data:", "blob:", "about:", "chrome:"  # schemes that reach nothing outside


def absent() -> str | None:
    """Why there can be no browser here, for ``pytest.skip``; None where there can."""
    missing = [] if browser_path() else ["chromium"]
    missing += [] if shutil.which("chromedriver") else ["chromedriver"]
    return (
        f"no {' and no '.join(missing)} on this machine: apt-get install chromium chromium-driver" if missing else None
    )


def browser_path() -> str | None:
    """The first of the known browsers on the path."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def chromium(width: int = 1600, height: int = 1000) -> webdriver.Chrome:
    """A new headless browser with a profile of its own; the caller quits it."""
    options = webdriver.ChromeOptions()
    options.binary_location = browser_path() or "chromium"
    for flag in (*FLAGS, f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", LOGS)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    screen(driver, width, height)
    return driver


def screen(driver: webdriver.Chrome, width: int, height: int = 1000, scheme: str = "light") -> None:
    """A screen of that many CSS pixels whose reader prefers a colour scheme, "light" or "dark"."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wish = {"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wish)


def errors(driver: webdriver.Chrome) -> list[str]:
    """What the console has said since it was last asked, but for mere notes; a refused request or policy is among it."""
    said = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in said if entry["level"] in ("SEVERE", "WARNING")]


def requests(driver: webdriver.Chrome) -> list[str]:
    """Addresses that pages have asked for since this was last asked, without those that reach nothing."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]  # type: ignore[no-untyped-call]
    sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith(AT_ONCE)]


def overflow(driver: webdriver.Chrome) -> int:
    """Pixels by which the page is wider than its screen: what a reader would have to scroll sideways."""
    return int(driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth"))


def violations(driver: webdriver.Chrome, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """Findings of axe-core of the given impact, each with the elements it is about.

    The script is run through the browser's own debugger, which no content security policy of the page forbids.
    """
    source = AXE.read_text(encoding="utf-8")
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": f"{source};0"})
    asked = {"expression": "axe.run().then(JSON.stringify)", "awaitPromise": True, "returnByValue": True}
    answer: dict[str, Any] = driver.execute_cdp_cmd("Runtime.evaluate", asked)
    if "exceptionDetails" in answer:
        raise AssertionError(f"axe-core failed: {answer['exceptionDetails']}")
    found = json.loads(answer["result"]["value"])["violations"]
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:4]]}"
        for one in found
        if one["impact"] in impacts
    ]
