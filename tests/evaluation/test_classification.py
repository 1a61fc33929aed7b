"""Rows are what was asked for, columns what was seen; accuracy is the diagonal's share."""

import pytest
import torch
from torch.nn.functional import one_hot
from torchmetrics.functional.classification import multiclass_accuracy

from cgan_lightning.evaluation.classification import class_accuracy, confusion
from cgan_lightning.utils.errors import UserError


def seen_as(classes: list[int], of: int) -> torch.Tensor:
    """Logits of a classifier that sees these classes."""
    return one_hot(torch.tensor(classes), of).float()


def test_confusion_has_a_row_for_each_requested_class_and_a_column_for_each_predicted_one():
    matrix = confusion(seen_as([0, 0, 2, 2, 1], 4), torch.tensor([0, 1, 1, 2, 1]), 4)
    assert matrix.tolist() == [[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_a_shuffle_of_the_labels_shows_in_the_matrix():
    labels = torch.arange(5).repeat(7)
    shuffle = [2, 0, 3, 1, 4]
    matrix = confusion(seen_as([shuffle[label] for label in labels.tolist()], 5), labels, 5)
    assert torch.equal(matrix, 7 * one_hot(torch.tensor(shuffle), 5))


def test_accuracy_is_the_share_classified_as_requested():
    draws = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(300, 10, generator=draws), torch.randint(10, (300,), generator=draws)
    assert class_accuracy(logits, labels) == (logits.argmax(1) == labels).double().mean().item()
    assert class_accuracy(logits, labels) == pytest.approx(multiclass_accuracy(logits, labels, 10, average="micro").item())
    assert class_accuracy(logits, labels) == pytest.approx(0.1, abs=0.06), "chance"


def test_accuracy_goes_from_none_to_all():
    labels = torch.arange(3)
    assert class_accuracy(seen_as([0, 1, 2], 3), labels) == 1
    assert class_accuracy(seen_as([1, 2, 0], 3), labels) == 0
    assert class_accuracy(seen_as([0, 0, 0], 3), labels) == 1 / 3


def test_no_samples_have_no_accuracy():
    with pytest.raises(UserError, match=r"^Class accuracy needs at least 1 sample, not 0$"):
        class_accuracy(torch.zeros(0, 10), torch.zeros(0, dtype=torch.long))
