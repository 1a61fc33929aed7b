"""Parts of sets of images."""

import torch

from cgan_lightning.evaluation import suite


def test_images_of_all_classes_are_not_copied_and_of_some_keep_their_order():
    pixels, labels = torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, 1, 28, 28), torch.tensor([2, 0, 1, 0, 2])
    assert suite.of_classes((pixels, labels), torch.arange(3))[0] is pixels
    some, theirs = suite.of_classes((pixels, labels), torch.tensor([0, 2]))
    assert some[:, 0, 0, 0].tolist() == [0, 1, 3, 4]
    assert theirs.tolist() == [2, 0, 0, 2]
