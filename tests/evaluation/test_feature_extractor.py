"""The feature extractor recognises the clothes, comes with the package, and can be made again."""

import json

import pytest
import safetensors.torch
import torch

from cgan_lightning.data import splits
from cgan_lightning.evaluation import classifier, feature_extractor
from cgan_lightning.feature_extractor import train as train_command
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import normalise
from tests.helpers.configs import composed


@pytest.fixture(scope="module")
def test_split():
    return splits.of_test()


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.long
def test_the_packages_feature_extractor_is_good_and_small(test_split):
    extractor = feature_extractor.load()
    assert feature_extractor.DEFAULT.stat().st_size < 1_000_000
    measured = feature_extractor.tested(extractor.network, *test_split).about
    assert measured["accuracy"] >= 0.935
    assert measured["accuracy"] == pytest.approx(extractor.about["accuracy"], abs=5e-4), "elsewhere: other last bits"
    assert len(extractor.about["accuracy_per_class"]) == 10
    assert len(extractor.hash) == 12


def test_it_sees_through_features(test_split):
    extractor, images = feature_extractor.load(), normalise(test_split[0][:700])
    features, logits = classifier.outputs(extractor.network, images)
    assert features.shape == (700, classifier.FEATURES)
    torch.testing.assert_close(extractor.network.head(features), logits)


def test_what_is_saved_is_loaded(tmp_path):
    extractor = feature_extractor.load()
    feature_extractor.save(extractor, tmp_path / "saved.safetensors")
    saved = feature_extractor.load(tmp_path / "saved.safetensors")
    assert (saved.hash, saved.about) == (extractor.hash, extractor.about)


@pytest.mark.matrix
@pytest.mark.usefixtures("threads")
def test_made_again_it_is_the_same(tmp_path, caplog):
    config = composed("limit=512", "epochs=2", f"output={tmp_path}/feature_extractor.safetensors", command="feature_extractor")
    hashes = set()
    for _ in range(2):
        train_command(config)
        hashes.add(feature_extractor.load(tmp_path / "feature_extractor.safetensors").hash)
    assert len(hashes) == 1
    other = composed("limit=512", "epochs=2", "seed=1", f"output={tmp_path}/other.safetensors", command="feature_extractor")
    train_command(other)
    assert feature_extractor.load(tmp_path / "other.safetensors").hash not in hashes


@pytest.mark.parametrize("content", [None, b"text", b"", json.dumps({"a": 1}).encode()])
def test_what_is_no_feature_extractor_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "feature_extractor.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"feature_extractor=.*feature_extractor\.safetensors"):
        feature_extractor.load(path)


@pytest.mark.parametrize(
    ("metadata", "tensors", "sentence"),
    [
        ({"format": "1"}, {}, "its format is 1, and this version's"),
        ({"about": "[" * 100_000}, {}, "its about is too deeply nested"),
        ({}, {"head.bias": torch.zeros(2_000)}, "at least 1 and at most 1000"),
        ({}, {"head.bias": torch.zeros(2, 2)}, "its head.bias has shape"),
        ({}, {"head.weight": torch.zeros(10, 1)}, "head.weight has shape"),
        ({}, {"more": torch.zeros(1)}, "it has more"),
    ],
)
def test_a_feature_extractor_that_lies_is_refused_before_its_weights_are_read(tmp_path, metadata, tensors, sentence):
    path = tmp_path / "feature_extractor.safetensors"
    with safetensors.safe_open(feature_extractor.DEFAULT, "pt") as file:
        metadata = file.metadata() | metadata
    path.write_bytes(safetensors.torch.save(safetensors.torch.load_file(feature_extractor.DEFAULT) | tensors, metadata))
    with pytest.raises(UserError) as error:
        feature_extractor.load(path)
    assert sentence in str(error.value)
