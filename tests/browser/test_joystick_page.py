"""mode=page in a real browser: what is dragged, typed or shared draws what `sample` draws for that z and y."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from cgan_lightning.config import build, build_model
from cgan_lightning.config.compose import compose
from cgan_lightning.data.sources import cache_folder
from cgan_lightning.exploration import onnxruntime_web, page
from cgan_lightning.exploration.page import axes
from cgan_lightning.generation import checkpoint, sampling
from cgan_lightning.images import to_uint8
from tests.browser.joystick import DRAWN, served
from tests.browser.report import DESKTOP, PHONE
from tests.conftest import skip_without

pytestmark = pytest.mark.slow

PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 == 0)"


def untrained(folder, *overrides: str):
    config = compose("model.channels=64", *overrides)
    recipe = build_model.recipe(config, build.data(config))
    checkpoint.save(folder / checkpoint.FILE_NAME, recipe, raw=build_model.model(config, recipe).generator, ema=None)
    return checkpoint.load(folder)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("generator"))


@pytest.fixture(scope="module")
def folder(generator, tmp_path_factory):
    return written(generator, tmp_path_factory.mktemp("page") / "new")


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as place:
        yield place


def written(generator, folder):
    if shutil.which("npm") is None and onnxruntime_web.wrong(cache_folder() / onnxruntime_web.PACKAGE):
        skip_without(f"{onnxruntime_web.PACKAGE}: install Debian's package npm")
    page.write(generator, folder)
    return folder


@pytest.fixture
def open_page(browser, address):
    opened = []

    def go(part="", size=DESKTOP, place=address, **of_device):
        opened.append(browser.new_page(viewport=size, **of_device))
        opened[-1].on("pageerror", lambda error: pytest.fail(str(error)))
        opened[-1].on("request", lambda request: elsewhere(request.url, place))
        opened[-1].goto(place + part)
        opened[-1].locator(DRAWN).wait_for(timeout=120_000)
        return opened[-1]

    def elsewhere(asked, place):
        assert asked.startswith((place, "data:", "blob:")), asked

    yield go
    for each in opened:
        each.close()


def pixels(shown, of="#picture"):
    shown.locator(DRAWN).wait_for(timeout=60_000)
    return np.array(shown.locator(of).first.evaluate(PIXELS), np.int16).reshape(28, 28)


def drawn(generator, seed, shares, moved=0.0, bound=torch.inf):
    labels = torch.zeros(1, 10)
    for place, share in shares.items():
        labels[0, place] = share
    z = (sampling.latents(generator.prior, generator.latent_dim, [seed]) + moved).clamp(-bound, bound)
    return to_uint8(sampling.sample(generator.network, z, labels))[0, 0].numpy().astype(np.int16)


def test_each_picture_is_what_sample_draws(open_page, generator):
    for part, seed, shares in (
        ("", 0, {0: 1}),
        ("#seed=12&class=3.3", 12, {3: 0.7, 4: 0.3}),
        ("#seed=999&class=9.5", 999, {9: 0.5, 0: 0.5}),
    ):
        shown = open_page(part)
        assert np.abs(pixels(shown) - drawn(generator, seed, shares)).max() <= 1, "a rounding apart at most"
        for place in (0, 5, 9):
            thumbnail = pixels(shown, f"#thumbnails button:nth-child({place + 1}) canvas")
            assert np.abs(thumbnail - drawn(generator, seed, {place: 1})).max() <= 1


def test_dragging_the_joystick_moves_z(open_page, generator):
    shown = open_page("#seed=3&class=2&directions=sefa&across=1&up=3")
    before, box = pixels(shown), shown.locator("#pad").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x + box["width"] / 4, y - box["height"] / 8, steps=5)
    shown.mouse.up()
    after, state = pixels(shown), address_of(shown)
    assert np.abs(after - before).max() > 10
    assert float(state["x"]) == pytest.approx(0.5, abs=0.02)
    assert float(state["y"]) == pytest.approx(0.25, abs=0.02)
    moved = along(generator, "sefa", (0, 2), (float(state["x"]), float(state["y"])))
    assert np.abs(after - drawn(generator, 3, {2: 1}, moved)).max() <= 1
    again = open_page(f"#{shown.url.partition('#')[2]}")
    assert (pixels(again) == after).all(), "the address has all of the picture"
    shown.click("#reset")
    assert (pixels(shown) == before).all()


def along(generator, directions, which, shares):
    """How far the joystick moves z there."""
    z = sampling.latents(generator.prior, generator.latent_dim, range(page.SEEDS)).numpy()
    return page.REACH_IN_DEVIATIONS * float(z.std()) * torch.tensor(shares) @ axes(generator)[directions][list(which)]


def test_z_of_a_cube_stays_in_it(open_page, tmp_path):
    """Where the prior is uniform the joystick's corner would lead far out of what a generator has seen."""
    generator = untrained(tmp_path, "noise=uniform")
    moved = along(generator, "principal", (0, 1), (1.0, 1.0))
    inside, outside = (drawn(generator, 3, {2: 1}, moved, bound) for bound in (1, torch.inf))
    assert np.abs(inside - outside).max() > 4
    with served(written(generator, tmp_path / "page")) as place:
        shown = open_page("#seed=3&class=2&x=1&y=1", place=place)
        assert np.abs(pixels(shown) - inside).max() <= 1
        shown.click("#reset")
        assert np.abs(pixels(shown) - drawn(generator, 3, {2: 1})).max() <= 1


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


def test_the_ring_reaches_each_class_by_pointer_and_by_key(open_page, generator):
    shown = open_page("#seed=5&class=9")
    for place, name in enumerate(generator.class_names):
        dot = shown.locator("#ring .dot").nth(place).bounding_box()
        handle = shown.locator("#handle").bounding_box()
        shown.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        shown.mouse.down()
        shown.mouse.move(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2, steps=4)
        shown.mouse.up()
        assert shown.inner_text("#mix") == name
        assert np.abs(pixels(shown) - drawn(generator, 5, {place: 1})).max() <= 1
    shown.focus("#handle")
    for name in generator.class_names:
        shown.keyboard.press("PageUp")
        assert shown.get_attribute("#handle", "aria-valuetext") == name
    shown.keyboard.press("Home")
    for _ in range(3):
        shown.keyboard.press("ArrowRight")
    assert shown.inner_text("#mix") == "T-shirt/top 70%, Trouser 30%"
    assert np.abs(pixels(shown) - drawn(generator, 5, {0: 0.7, 1: 0.3})).max() <= 1


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
        *(("button", name) for name in ("Random", "Reset", "Save as PNG")),
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


def test_random_draws_another_and_the_file_is_the_picture(open_page, tmp_path):
    shown = open_page("#seed=1&class=3.5")
    before = pixels(shown)
    while address_of(shown)["seed"] == "1":
        shown.click("#random")
    assert (pixels(shown) != before).any()
    with shown.expect_download() as waiting:
        shown.click("#download")
    assert waiting.value.suggested_filename.startswith("Dress_50_Coat_50_seed_")
    waiting.value.save_as(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        large = np.asarray(picture.convert("L")).astype(np.int16)
    assert (large == pixels(shown).repeat(16, 0).repeat(16, 1)).all()


NARROW, ON_ITS_SIDE = {"width": 320, "height": 568}, {"width": 667, "height": 375}
SIZES = {"desktop": DESKTOP, "phone": PHONE, "narrow phone": NARROW, "phone on its side": ON_ITS_SIDE}


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


def test_an_address_from_anyone_is_kept_to_what_there_is(open_page):
    shown = open_page("#seed=99999&class=-4&directions=nowhere&across=77&up=x&x=Infinity&y=9")
    assert address_of(shown) | {"y": ""} == {
        "seed": "999", "class": "0", "directions": "principal", "across": "8", "up": "2", "x": "0", "y": "",
    }  # fmt: skip


def test_a_seed_that_there_is_not_is_told(open_page):
    """In the address and in the field, whose label has the range; and the next good one ends it."""
    shown = open_page("#seed=99999")
    assert shown.inner_text("#no-seed") == "There is no seed 99999, but 0 to 999: this is 999."
    field = shown.get_by_label("Seed 0–999")
    for asked, seed, said in (
        ("12", "12", ""),
        ("1000", "999", "There is no seed 1000, but 0 to 999: this is 999."),
        ("-3", "0", "There is no seed -3, but 0 to 999: this is 0."),
        ("2.4", "2", "There is no seed 2.4, but 0 to 999: this is 2."),
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
    assert shown.inner_text("#no-seed") == "There is no seed <b>no</b>, but 0 to 999: this is 0."


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
    shown.get_by_text("Browsers run this page from a server alone").wait_for(state="visible", timeout=30_000)
    shown.close()


def test_served_it_says_no_such_thing(open_page):
    assert open_page().locator("#unserved").count() == 0


def address_of(shown):
    shown.locator(DRAWN).wait_for(timeout=60_000)
    return dict(part.split("=") for part in shown.url.partition("#")[2].split("&"))
