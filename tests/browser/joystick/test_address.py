"""mode=page by its address: what it says, what it is kept to, where it cannot be read."""

import pytest

from tests.browser.joystick import address_of

pytestmark = pytest.mark.slow


def test_an_address_from_anyone_is_kept_to_what_there_is(open_page):
    shown = open_page("#seed=99999&class=-4&directions=nowhere&across=77&up=x&x=Infinity&y=9")
    assert address_of(shown) | {"y": ""} == {
        "seed": "999", "class": "0", "directions": "principal", "across": "8", "up": "2", "x": "0", "y": "",
    }  # fmt: skip


def test_a_seed_that_there_is_not_is_told(open_page):
    """In the address and in the field, whose label has the range; and the next good one ends it."""
    shown = open_page("#seed=99999")
    assert shown.inner_text("#no-seed") == "There is no seed 99999; seeds are 0 to 999. Using 999."
    field = shown.get_by_label("Seed 0–999")
    for asked, seed, said in (
        ("12", "12", ""),
        ("1000", "999", "There is no seed 1000; seeds are 0 to 999. Using 999."),
        ("-3", "0", "There is no seed -3; seeds are 0 to 999. Using 0."),
        ("2.4", "2", "There is no seed 2.4; seeds are 0 to 999. Using 2."),
        ("7", "7", ""),
    ):
        field.fill(asked)
        field.press("Enter")
        assert (field.input_value(), shown.inner_text("#no-seed")) == (seed, said)
        assert address_of(shown)["seed"] == seed
    field.fill("4000")
    shown.click("#random")
    assert shown.inner_text("#no-seed") == ""
    shown.goto(shown.url.partition("#")[0] + "#seed=<b>no</b>")
    assert shown.inner_text("#no-seed") == "There is no seed <b>no</b>; seeds are 0 to 999. Using 0."


def test_the_address_follows_a_drag_when_it_ends(open_page):
    """Browsers refuse more than so many new addresses in a time, one of them by an error."""
    shown = open_page()
    shown.evaluate("""() => {
        const write = history.replaceState.bind(history);
        window.written = 0;
        history.replaceState = (...given) => { window.written++; write(...given); };
    }""")
    box = shown.locator("#ring").bounding_box()
    right, bottom = box["x"] + box["width"] - 10, box["y"] + box["height"] - 10
    shown.mouse.move(right, box["y"] + 10)
    shown.mouse.down()
    shown.mouse.move(right, bottom, steps=100)
    shown.mouse.up()
    assert address_of(shown)["class"] == shown.get_attribute("#handle", "aria-valuenow") == "3.75"
    assert 1 <= shown.evaluate("window.written") < 50


def test_from_a_file_it_says_that_it_needs_a_server(browser, folder):
    shown = browser.new_page()
    shown.goto((folder / "index.html").as_uri())
    shown.get_by_text("Browsers run this page only from a web server").wait_for(state="visible", timeout=30_000)
    shown.close()


def test_served_it_says_no_such_thing(open_page):
    assert open_page().locator("#unserved").count() == 0
