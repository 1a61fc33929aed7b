import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cgan_lightning.utils.images import PAPER, RULE, grid, labelled_grid, normalise, save_png, to_uint8
from cgan_lightning.utils.origin import Origin


@given(st.integers(0, 255))
def test_bytes_survive_the_way_there_and_back(level):
    pixel = torch.tensor([level], dtype=torch.uint8)
    assert -1 <= normalise(pixel).item() <= 1
    assert torch.equal(to_uint8(normalise(pixel)), pixel)


def test_black_is_minus_one_and_white_is_one():
    assert normalise(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]
    assert to_uint8(torch.tensor([-3.0, -1.0, 1.0, 3.0])).tolist() == [0, 0, 255, 255]


def test_a_grid_puts_each_image_in_its_place():
    images = torch.linspace(-1, 1, 6).view(2, 3, 1, 1, 1).expand(2, 3, 1, 28, 28)
    canvas = grid(images, scale=2)
    assert canvas.shape == ((2 * 29 + 1) * 2, (3 * 29 + 1) * 2)
    assert canvas[0, 0] == RULE
    centres = canvas[(1 + 14) * 2 :: 29 * 2, (1 + 14) * 2 :: 29 * 2]
    assert np.array_equal(centres, to_uint8(images[:, :, 0, 0, 0]).numpy())


def test_a_labelled_grid_has_a_margin_with_ink_beside_each_row():
    images = torch.zeros(2, 3, 1, 28, 28)
    canvas, body = labelled_grid(images, ["Dress", "Ankle boot"]), grid(images, scale=3)
    margin = canvas[:, : canvas.shape[1] - body.shape[1]]
    assert np.array_equal(canvas[:, margin.shape[1] :], body)
    for row in range(2):
        band = margin[row * 87 : (row + 1) * 87]
        assert band.min() < 100, "no text"
        assert band[:, 0].min() == PAPER, "text is cut off"


def test_a_title_stands_over_all_in_as_many_lines_as_fit():
    images = torch.zeros(1, 3, 1, 28, 28)
    plain = labelled_grid(images, ["Dress"], heads=["0", "1", "2"])
    short, long = (labelled_grid(images, ["Dress"], heads=["0", "1", "2"], title=title) for title in ("Coat", "Coat " * 20))
    assert plain.shape[1] == short.shape[1] == long.shape[1]
    assert plain.shape[0] < short.shape[0] < long.shape[0]
    for titled in (short, long):
        over = titled[: titled.shape[0] - plain.shape[0]]
        assert np.array_equal(titled[len(over) :], plain)
        assert over.min() < 100, "no text"
        assert over[:, -5:].min() == over[0].min() == over[-1].min() == PAPER, "text is cut off"


def test_a_sheets_file_says_what_it_shows_and_where_it_comes_from(tmp_path):
    sheet = labelled_grid(torch.zeros(1, 1, 1, 28, 28), ["Dress"])
    save_png(tmp_path / "new.png", sheet, title="σ", origin=Origin(["some run"], [3], [None]))
    with Image.open(tmp_path / "new.png") as picture:
        assert np.array_equal(np.asarray(picture), sheet)
        assert picture.info == {"Title": "σ", "Description": "runs: some run; seeds: 3; revisions: None"}
