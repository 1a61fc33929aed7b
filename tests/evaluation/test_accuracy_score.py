"""The classification accuracy score: what a classifier knows of real images that has seen samples alone."""

import pytest
import torch

from cgan_lightning.data import splits
from cgan_lightning.evaluation import classifier, suite
from cgan_lightning.evaluation.classification import class_accuracy
from cgan_lightning.utils.images import normalise


@pytest.mark.training
def test_it_is_the_accuracy_of_classifiers_that_learn_from_samples_and_from_as_many_real_images():
    train, test = splits.of_training(), splits.of_test()
    test = suite.part(test, 20, seed=0)
    drawn = suite.part(train, 6, seed=5)
    found = suite.accuracy_scores((drawn[0], drawn[1].flip(0)), train, test, seed=3)  # samples of the wrong classes
    rows = suite.balanced_rows(train[1], 6, seed=3)
    network = classifier.fit(train[0][rows], train[1][rows], epochs=suite.SCORE_EPOCHS, seed=3)
    _, logits = classifier.outputs(network, normalise(test[0]))
    assert found["real_baseline"] == class_accuracy(logits, test[1])
    assert found["samples"] < 0.25 < 0.4 < found["real_baseline"]
    assert torch.equal(drawn[1].bincount(), torch.full((10,), 6))
