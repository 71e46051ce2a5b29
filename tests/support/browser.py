"""A headless Chromium that looks at one page: what it shows, what it complains of, what it asks the network for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT = 60
"""Seconds; a loaded machine is slow, and a page that is broken says so otherwise."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1500,950",
)


class Browser:
    """The words in which the tests of a page speak."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, page: Path) -> int:
        """Open a page from its file and wait until it is drawn; answers the milliseconds from navigation to drawing."""
        self.complaints(), self.requests()  # what earlier pages left behind
        self.driver.get(page.as_uri())
        self.until("return document.documentElement.dataset.rendered !== undefined")
        return int(self.run("return document.documentElement.dataset.rendered"))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str, *arguments: Any) -> None:
        WebDriverWait(self.driver, WAIT, poll_frequency=0.05).until(lambda _: self.run(script, *arguments))

    def element(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return str(self.element(selector).get_attribute("innerText"))

    def keys(self, *keys: str) -> None:
        """Type into whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def click_at(self, x: float, y: float) -> None:
        actions = ActionChains(self.driver)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.w3c_actions.pointer_action.click()
        actions.perform()

    def prefer(self, scheme: str) -> None:
        """Ask for `dark` or `light`, as a desktop would."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def busy(self) -> float:
        """Answer the seconds that the page's thread has computed so far, waiting for the processor left out."""
        self.driver.execute_cdp_cmd("Performance.enable", {})
        found = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(float(each["value"]) for each in found if each["name"] == "ThreadTime")

    def complaints(self) -> list[str]:
        """Answer what the console said since it was last asked; a policy that was broken is among it."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Answer the addresses that pages asked for since it was last asked, those that a policy refused included."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [
            str(each["params"]["request"]["url"]) for each in messages if each["method"] == "Network.requestWillBeSent"
        ]


def missing_browser() -> str:
    """Answer what the machine lacks to drive Chromium; empty if nothing."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not found: apt-get install chromium chromium-driver" if lacking else ""


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start a browser with a fresh profile in the given folder."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(executable_path=shutil.which("chromedriver")))
    driver.get("about:blank")
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def require_chromium() -> None:
    """Skip where there is no Chromium, or fail where ORGCTL_REQUIRE_BROWSER asks for one."""
    if reason := missing_browser():
        if os.environ.get("ORGCTL_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


__all__ = ["Browser", "Keys", "chromium", "missing_browser", "require_chromium"]
