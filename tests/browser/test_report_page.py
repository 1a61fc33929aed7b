"""A report in a real browser: on a desk and on a phone, by day and by night; its tables sorted and scrolled."""

from pathlib import Path

import pytest

from cgan_lightning.reporting import page
from tests.browser.report import DESKTOP, PHONE, opened
from tests.helpers import studies, sweeps
from tests.helpers.processes import fork_command

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(swept, tmp_path_factory) -> Path:
    here = tmp_path_factory.mktemp("report")
    sweep = sweeps.copied(swept, here)
    done = fork_command("report", f"runs={sweep.relative_to(here)}", cwd=here)
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


@pytest.fixture(scope="module")
def made_up(tmp_path_factory) -> Path:
    """Of 14 settings."""
    folder = tmp_path_factory.mktemp("made_up")
    study = studies.study(folder)
    study.runs.loc[study.runs.index[-1], ["state", "fid"]] = ["failed", float("nan")]
    page.write(study, page.find(study, "fid", None), folder)
    return folder / "report.html"


def column(table, place: int) -> list[str]:
    return table.locator(f"tbody tr:not(.group) td:nth-child({place})").all_inner_texts()


def test_a_click_on_a_column_sorts_by_its_numbers_and_again_the_other_way(browser, made_up):
    every_run = opened(browser, made_up, size=DESKTOP, scheme="light").locator("table").last
    before = column(every_run, 3)
    every_run.get_by_role("button", name="FID").click()
    upward = column(every_run, 3)
    assert upward == [*sorted(upward[:-1], key=float), "–"] != before
    every_run.get_by_role("button", name="FID").click()
    assert column(every_run, 3) == [*sorted(upward[:-1], key=float, reverse=True), "–"], "what has no value stays last"
    assert every_run.locator("th[aria-sort=descending]").all_inner_texts() == ["FID"]
    every_run.get_by_role("button", name="setting").click()
    assert column(every_run, 1)[0].startswith("channels 64"), "64 comes before 128"
    assert every_run.locator("th[aria-sort]").count() == 1


def test_each_metrics_comparisons_are_sorted_among_themselves(browser, made_up):
    effects = opened(browser, made_up, size=DESKTOP, scheme="light").locator("table").nth(1)
    effects.get_by_role("button", name="difference").click()
    groups = effects.locator("tbody").all()
    assert len(groups) == len(studies.METRICS)
    for group in groups:
        first, *rows = group.locator("tr").all()
        assert first.get_attribute("class") == "group"
        differences = [float(row.locator("td").nth(1).inner_text().replace("−", "-")) for row in rows]
        assert differences == sorted(differences)


def test_on_a_phone_the_first_column_stays_and_difference_and_p_are_seen_first(browser, made_up):
    opened_page = opened(browser, made_up, size=PHONE, scheme="light")
    assert opened_page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    effects, settings = opened_page.locator("table").nth(1), opened_page.locator("table").nth(0)
    for name in ("difference", "p, corrected"):
        box = effects.get_by_role("button", name=name).bounding_box()
        assert box["x"] + box["width"] <= PHONE["width"], name
    first = settings.locator("tbody td").first
    first.scroll_into_view_if_needed()
    before = first.bounding_box()
    settings.evaluate("each => each.parentElement.scrollLeft = 400")
    assert first.bounding_box()["x"] == before["x"]
    assert before["width"] < PHONE["width"] / 2
    in_front = "each => document.elementFromPoint(each.getBoundingClientRect().x + 20, each.getBoundingClientRect().y + 5)"
    assert first.evaluate(f"{in_front} === each"), "nothing shines through it"


def brightness(colour: str) -> float:
    """Of "rgb(r, g, b)", 0 to 255."""
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 3
