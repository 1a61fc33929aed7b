"""Whether a classifier recognises samples as the requested class."""

from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.utils.errors import UserError


def class_accuracy(logits: Float[Tensor, "count classes"], labels: Int[Tensor, " count"]) -> float:
    """Share of samples that get the class they were asked for, in 0..1; higher is better.

    Real images have the classifier's own accuracy, and samples that are more typical than they are exceed it. It says
    nothing of variety: one good image a class gives 1.
    """
    if not len(labels):
        raise UserError("Class accuracy needs at least 1 sample, not 0")
    return int(confusion(logits, labels, logits.shape[1]).trace()) / len(labels)


def confusion(
    logits: Float[Tensor, "count classes"], labels: Int[Tensor, " count"], classes: int
) -> Int[Tensor, "classes classes"]:
    """Counts of samples: a row for the class that was asked for, a column for the class that the classifier sees."""
    from torchmetrics.functional.classification import multiclass_confusion_matrix  # takes seconds

    return multiclass_confusion_matrix(logits, labels, classes)
