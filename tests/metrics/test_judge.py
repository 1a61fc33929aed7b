"""The judge knows the clothes, comes with the package, and can be made again."""

import json

import pytest
import torch

from cgan_lightning.config.compose import compose
from cgan_lightning.data import fashion_mnist, sources
from cgan_lightning.errors import UserError
from cgan_lightning.images import normalise
from cgan_lightning.judge import judge as judge_command
from cgan_lightning.metrics import classifier, judge


@pytest.fixture(scope="module")
def test_split():
    return fashion_mnist.tensors(sources.locate(None), *fashion_mnist.TEST)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_packages_judge_is_good_and_small(test_split):
    ours = judge.load()
    assert judge.OURS.stat().st_size < 1_000_000
    measured = judge.examined(ours.network, *test_split).about
    assert measured["accuracy"] >= 0.935
    assert measured["accuracy"] == pytest.approx(ours.about["accuracy"], abs=5e-4), "elsewhere: other last bits"
    assert len(ours.about["accuracy_per_class"]) == 10
    assert len(ours.hash) == 12


def test_it_sees_through_features(test_split):
    ours, images = judge.load(), normalise(test_split[0][:700])
    features, logits = classifier.outputs(ours.network, images)
    assert features.shape == (700, classifier.FEATURES)
    torch.testing.assert_close(ours.network.head(features), logits)


@pytest.mark.usefixtures("threads")
def test_made_again_it_is_the_same(tmp_path, caplog):
    config = compose("limit=2048", "epochs=2", f"output={tmp_path}/judge.safetensors", command="judge")
    hashes = set()
    for _ in range(2):
        judge_command(config)
        hashes.add(judge.load(tmp_path / "judge.safetensors").hash)
    assert len(hashes) == 1
    other = compose("limit=2048", "epochs=2", "seed=1", f"output={tmp_path}/other.safetensors", command="judge")
    judge_command(other)
    assert judge.load(tmp_path / "other.safetensors").hash not in hashes


@pytest.mark.parametrize("content", [None, b"text", b"", json.dumps({"a": 1}).encode()])
def test_what_is_no_judge_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "judge.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"judge=.*judge\.safetensors"):
        judge.load(path)
