"""All metrics by their names, and parts of sets of images."""

import torch

from cgan_lightning.evaluation import suite


def test_images_of_all_classes_are_not_copied_and_of_some_keep_their_order():
    pixels, labels = torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, 1, 28, 28), torch.tensor([2, 0, 1, 0, 2])
    assert suite.of_classes((pixels, labels), torch.arange(3))[0] is pixels
    some, theirs = suite.of_classes((pixels, labels), torch.tensor([0, 2]))
    assert some[:, 0, 0, 0].tolist() == [0, 1, 3, 4]
    assert theirs.tolist() == [2, 0, 0, 2]


def test_the_metrics_have_the_names_that_the_protocol_lists():
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(2).repeat(40)
    fake, train, test = (
        suite.Features(torch.randn(80, 5, generator=draws), torch.randn(80, 2, generator=draws), labels) for _ in range(3)
    )
    assert {*suite.measure(fake, train, test, seed=0)} == {*suite.measured(80)}
