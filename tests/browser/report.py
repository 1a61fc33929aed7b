"""`python -m tests.browser.report REPORT_HTML PICTURE.png`: a report's first screens, for the documentation."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.tensorboard import chromium

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def opened(browser: Browser, report: Path, *, size: dict[str, int], scheme: str) -> Page:
    """`report` in a window of `size`; `scheme` is light or dark."""
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto(report.absolute().as_uri())
    return page


if __name__ == "__main__":
    with chromium() as started:
        opened(started, Path(sys.argv[1]), size=DESKTOP | {"height": 1800}, scheme="light").screenshot(path=sys.argv[2])
