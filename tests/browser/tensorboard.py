"""A real TensorBoard and a real Chromium, for the tests and for the picture in the documentation.

`python -m tests.browser.tensorboard runs docs/tensorboard.png` photographs the images of all runs in a folder.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")


@contextmanager
def serving(runs: Path, patience_s: float = 90) -> Iterator[str]:
    """The address of `make tensorboard` for `runs`, on loopback, once every run's pictures can be had."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        ["make", "-s", "tensorboard", f"LOGDIR={runs}", f"ARGS=--port {port}"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + patience_s
        while not _has_pictures_of_all(address, len(list(runs.glob("*/run.json")))):
            if time.monotonic() > deadline:
                raise TimeoutError(f"TensorBoard shows no images of {runs} after {patience_s} s")
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


def _has_pictures_of_all(address: str, runs: int) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/data/plugin/images/tags", timeout=5) as answer:
            return answer.read().count(b'"samples/overview": ') >= runs
    except OSError:
        return False


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless, from Debian's package or wherever it is on the PATH."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*QUIET])
        yield browser
        browser.close()


def photograph(runs: Path, picture: Path) -> None:
    with serving(runs) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 1080})
        page.goto(f"{address}/#images")
        page.locator("tf-image-loader #main-image-container img").nth(10).wait_for(timeout=60_000)
        page.wait_for_timeout(1000)  # the last cards fade in
        page.screenshot(path=picture)


if __name__ == "__main__":
    photograph(Path(sys.argv[1]), Path(sys.argv[2]))
