"""How long a picture takes to be put into a page, and the page to be drawn by a headless Chromium."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.render.lineage_page import lineage_page
from tests.support.browser import chromium, missing_browser
from tests.support.pictures import large_picture

TIMES = 7


@dataclass(frozen=True, slots=True)
class PageFigures:
    """Of one page."""

    written: float
    """Seconds to make the text from the picture."""
    size: float
    """MiB."""
    rendered: float
    """Seconds from navigation to the frame after the drawing, the median of seven openings."""
    first: float
    """The same, of the first opening: the browser has compiled nothing yet."""
    computed: float
    """Seconds that the page's thread computed for it, the median: the time that others take is left out."""


def measure_page(things: int = 2000) -> PageFigures | str:
    """Measure, or answer what the machine lacks."""
    if missing := missing_browser():
        return missing
    picture = large_picture(things)
    began = time.perf_counter()
    text = lineage_page(picture)
    written = time.perf_counter() - began
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, chromium(Path(folder) / "profile") as browser:
        page = Path(folder) / "page.html"
        page.write_text(text, encoding="utf-8")
        drawn, computed = [], []
        for _ in range(TIMES):
            browser.driver.get("about:blank")
            before = browser.busy()
            drawn.append(browser.open(page) / 1000)
            computed.append(browser.busy() - before)
    size = len(text.encode()) / 2**20
    return PageFigures(written, size, statistics.median(drawn), drawn[0], statistics.median(computed))


if __name__ == "__main__":
    for count in (20, 500, 2000, 8000):
        print(count, measure_page(count))  # noqa: T201
