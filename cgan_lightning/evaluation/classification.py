"""Class accuracy and the confusion matrix of samples."""

from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.utils.errors import UserError


def class_accuracy(logits: Float[Tensor, "count classes"], labels: Int[Tensor, " count"]) -> float:
    """Return the share of samples that are classified as the requested class, in 0..1; higher is better.

    For real images this is the classifier's accuracy; samples more typical than real images exceed it. It does not measure
    diversity: one good image per class gives 1.
    """
    if not len(labels):
        raise UserError("Class accuracy needs at least 1 sample, not 0")
    return int(confusion(logits, labels, logits.shape[1]).trace()) / len(labels)


def confusion(
    logits: Float[Tensor, "count classes"], labels: Int[Tensor, " count"], classes: int
) -> Int[Tensor, "classes classes"]:
    """Return counts of samples: rows are requested classes, columns are predicted classes."""
    from torchmetrics.functional.classification import multiclass_confusion_matrix  # takes seconds

    return multiclass_confusion_matrix(logits, labels, classes)
