"""A report in a real browser: on a desk and on a phone, by day and by night."""

from pathlib import Path

import pytest

from tests.browser.report import DESKTOP, PHONE, opened
from tests.helpers.processes import run_command
from tests.helpers.runs import SMALL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    here = tmp_path_factory.mktemp("report")
    swept = ("model.channels=64,128", "noise=randn,uniform", "seed=0,1", "trainer.max_epochs=2")
    done = run_command("train", "-m", *SMALL, *swept, cwd=here)
    assert done.returncode == 0, done.stderr
    (sweep,) = (here / "runs/sweeps").iterdir()
    done = run_command("report", f"runs={sweep.relative_to(here)}", cwd=here)
    assert done.returncode == 0, done.stderr
    assert "channels 128 instead of 64" in done.stderr + done.stdout
    return sweep / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_and_can_be_read(browser, report, size, scheme):
    page = opened(browser, report, size=size, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"], "nothing sticks out"
    for picture in page.locator("figure svg, figure img").all():
        box = picture.bounding_box()
        assert box["width"] > 250
        assert box["x"] + box["width"] <= size["width"]
    assert page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 100)")
    ink, paper, drawn = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('figure svg text')).fill]"
    )
    assert drawn == ink, "figures take the page's colour"
    assert abs(brightness(ink) - brightness(paper)) > 150
    assert (brightness(paper) < 80) == (scheme == "dark")


def brightness(colour: str) -> float:
    """Of "rgb(r, g, b)", 0 to 255."""
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 3
