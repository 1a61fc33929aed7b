"""mode=page in a real browser: what is dragged, typed or shared draws what `sample` draws for that z and y."""

import shutil
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from cgan_lightning.config import build, build_model
from cgan_lightning.config.compose import compose
from cgan_lightning.data.sources import cache_folder
from cgan_lightning.exploration import onnxruntime_web, page, server
from cgan_lightning.exploration.page import axes
from cgan_lightning.generation import checkpoint, sampling
from cgan_lightning.images import to_uint8
from tests.browser.report import DESKTOP, PHONE
from tests.conftest import skip_without

pytestmark = pytest.mark.slow

DRAWN = "#picture[aria-busy=false]"
PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 == 0)"


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    config = compose("model.channels=64")
    recipe = build_model.recipe(config, build.data(config))
    path = tmp_path_factory.mktemp("generator") / checkpoint.FILE_NAME
    checkpoint.save(path, recipe, raw=build_model.model(config, recipe).generator, ema=None)
    return checkpoint.load(path)


@pytest.fixture(scope="module")
def address(generator, tmp_path_factory):
    if shutil.which("npm") is None and onnxruntime_web.wrong(cache_folder() / onnxruntime_web.PACKAGE):
        skip_without(f"{onnxruntime_web.PACKAGE}: install Debian's package npm")
    folder = tmp_path_factory.mktemp("page") / "new"
    page.write(generator, folder)
    with server.bound(folder, 0) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield server.address(serving)
        serving.shutdown()


@pytest.fixture
def open_page(browser, address):
    opened = []

    def go(part="", size=DESKTOP):
        opened.append(browser.new_page(viewport=size))
        opened[-1].on("pageerror", lambda error: pytest.fail(str(error)))
        opened[-1].on("request", lambda request: elsewhere(request.url))
        opened[-1].goto(address + part)
        opened[-1].locator(DRAWN).wait_for(timeout=120_000)
        return opened[-1]

    def elsewhere(asked):
        assert asked.startswith((address, "data:", "blob:")), asked

    yield go
    for each in opened:
        each.close()


def pixels(shown, of="#picture"):
    shown.locator(DRAWN).wait_for(timeout=60_000)
    return np.array(shown.locator(of).first.evaluate(PIXELS), np.int16).reshape(28, 28)


def drawn(generator, seed, shares, moved=0.0):
    labels = torch.zeros(1, 10)
    for place, share in shares.items():
        labels[0, place] = share
    z = sampling.latents(generator.prior, generator.latent_dim, [seed]) + moved
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
    z = sampling.latents(generator.prior, generator.latent_dim, range(page.SEEDS)).numpy()
    across, up = axes(generator)["sefa"][[0, 2]]
    moved = page.REACH_IN_DEVIATIONS * float(z.std()) * (float(state["x"]) * across + float(state["y"]) * up)
    assert np.abs(after - drawn(generator, 3, {2: 1}, moved)).max() <= 1
    again = open_page(f"#{shown.url.partition('#')[2]}")
    assert (pixels(again) == after).all(), "the address has all of the picture"
    shown.click("#reset")
    assert (pixels(shown) == before).all()


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


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits(open_page, size):
    shown = open_page("#class=0.5", size)
    assert shown.evaluate("document.documentElement.scrollWidth") == size["width"], "nothing sticks out"
    for part in shown.locator("button, select, input, #pad, #ring text").all():
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]


def test_an_address_from_anyone_is_kept_to_what_there_is(open_page):
    shown = open_page("#seed=99999&class=-4&directions=nowhere&across=77&up=x&x=Infinity&y=9")
    assert address_of(shown) | {"y": ""} == {
        "seed": "999", "class": "0", "directions": "principal", "across": "8", "up": "2", "x": "0", "y": "",
    }  # fmt: skip


def address_of(shown):
    return dict(part.split("=") for part in shown.url.partition("#")[2].split("&"))
