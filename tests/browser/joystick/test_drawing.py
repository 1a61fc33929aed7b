"""mode=page in a real browser: what is dragged, typed or shared draws what `sample` draws for that z and y."""

import numpy as np
import pytest
import torch
from PIL import Image

from cgan_lightning.exploration import page
from cgan_lightning.exploration.page import axes
from cgan_lightning.sampling import sampling
from cgan_lightning.utils.images import arrays, to_uint8, without_border
from tests.browser.joystick import DRAWN, address_of, drawn, pixels, served, untrained, written
from tests.helpers import own_data

pytestmark = pytest.mark.slow

COLOURS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 32, 32).data]"


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


def test_three_classes_in_colour_of_32_pixels(open_page, tmp_path):
    path = own_data.colour(tmp_path / "shapes.npz")
    generator = untrained(tmp_path, "data=files", f"data.images={path}", "data.image_size=40")
    z = sampling.latents(generator.prior, generator.latent_dim, [3])
    expected = to_uint8(without_border(sampling.sample(generator.network, z, torch.tensor([[0.0, 0.5, 0.5]])), 32))
    with served(written(generator, tmp_path / "page")) as place:
        shown = open_page("#seed=3&class=1.5", place=place)
        values = np.array(shown.locator(DRAWN).evaluate(COLOURS), np.int16).reshape(32, 32, 4)
        assert shown.locator("#thumbnails button").count() == 3
    assert np.abs(values[..., :3] - arrays(expected)[0]).max() <= 1
    assert len(np.unique(values[..., :3].std(2))) > 1, "not grey"


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
