import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.images import PAPER, RULE, grid, labelled_grid, normalise, to_uint8


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
