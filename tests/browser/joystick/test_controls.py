"""mode=page by finger, by key, by ear, in windows of all sizes."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.joystick import address_of, pixels
from tests.browser.report import DESKTOP, PHONE

pytestmark = pytest.mark.slow


NARROW, ON_ITS_SIDE = {"width": 320, "height": 568}, {"width": 667, "height": 375}
SIZES = {"desktop": DESKTOP, "phone": PHONE, "narrow phone": NARROW, "phone on its side": ON_ITS_SIDE}


@pytest.mark.parametrize("control", ["#pad", "#ring"])
def test_a_finger_on_a_control_moves_it_and_not_the_page(open_page, control):
    shown = open_page("#class=5", PHONE, has_touch=True, is_mobile=True)
    shown.locator(control).scroll_into_view_if_needed()
    before, place = pixels(shown), shown.evaluate("scrollY")
    box = shown.locator(control).bounding_box()
    swipe(shown, box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.75, -150)
    assert np.abs(pixels(shown) - before).max() > 10
    assert shown.evaluate("scrollY") == place
    assert float(address_of(shown)["y"]) > 0 if control == "#pad" else address_of(shown)["class"] != "5"


def test_a_finger_elsewhere_moves_the_page(open_page):
    shown = open_page("", PHONE, has_touch=True, is_mobile=True)
    for part in ("#pad-title", "#pad-help", "#ring-title", "#ring-help", "#others-title"):
        shown.evaluate("scrollTo(0, 0)")
        shown.locator(part).scroll_into_view_if_needed()
        before = shown.evaluate("scrollY")
        box = shown.locator(part).bounding_box()
        swipe(shown, box["x"] + 20, box["y"] + box["height"] / 2, -150 if before < 300 else 150)
        assert abs(shown.evaluate("scrollY") - before) > 100, part
    assert address_of(shown)["x"] == address_of(shown)["y"] == "0"


def swipe(shown, x, y, down):
    """One finger, in steps: Playwright itself can only tap."""
    device = shown.context.new_cdp_session(shown)
    device.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        point = {"x": x, "y": y + down * step / 10}
        device.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    shown.wait_for_timeout(200)  # a scroll that would follow


def test_keys_alone_do_and_a_screen_reader_hears_it(open_page):
    shown = open_page("#seed=1")
    shown.focus("#pad")
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("Shift+ArrowUp")
    state = address_of(shown)
    assert (float(state["x"]), float(state["y"])) == (0.04, 0.2)
    assert shown.get_attribute("#pad", "aria-valuetext") == "0.1 across, 0.6 up"
    shown.keyboard.press("Home")
    assert address_of(shown)["x"] == "0"
    shown.get_by_role("button", name="Bag").press("Enter")
    shown.locator("#spoken", has_text="Bag, seed 1").wait_for(state="attached", timeout=10_000)
    assert shown.get_by_role("slider").count() == 2


def test_tab_comes_to_each_control_and_each_has_a_name(open_page, generator):
    shown = open_page()
    controls = [
        *(("button", name) for name in ("Random", "Reset", "Save PNG")),
        ("slider", "z along two directions"),
        *(("combobox", name) for name in ("Directions", "Across", "Up")),
        ("spinbutton", "Seed 0–999"),
        ("slider", "Class"),
        *(("button", name) for name in generator.class_names),
    ]
    for role, name in controls:
        shown.keyboard.press("Tab")
        expect(shown.get_by_role(role, name=name, exact=True)).to_be_focused()
    assert shown.locator("button, select, input, [tabindex]").count() == len(controls)
    expect(shown.get_by_role("img", name="T-shirt/top, seed 0", exact=True)).to_be_visible()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_it_fits(open_page, size):
    shown = open_page("#class=0.5&seed=123456789012345678901234567890", size)
    assert shown.evaluate("document.documentElement.scrollWidth") == size["width"], "nothing sticks out"
    for part in shown.locator("button, select, input, #pad, #ring text, #no-seed").all():
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        assert part.evaluate("part => part.scrollWidth <= part.clientWidth || part.tagName === 'text'"), "cut off"
    for control in ("#pad", "#ring"):
        box = seen_whole(shown, control)
        for part in (0.1, 0.5, 0.9):
            at = [box["x"] + box["width"] * part, box["y"] + box["height"] * part]
            assert shown.evaluate("([x, y, of]) => document.elementFromPoint(x, y).closest(of) !== null", [*at, control]), (
                "the picture, which stays in sight, doesn't cover it"
            )


def seen_whole(shown, control):
    """As far up as it goes without leaving the window at its lower end."""
    shown.evaluate("of => document.querySelector(of).scrollIntoView({ block: 'end' })", control)
    return shown.locator(control).bounding_box()
