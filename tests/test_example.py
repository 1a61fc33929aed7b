"""The generator that comes with the repository: good pictures for who hasn't trained anything."""

import json

import pytest
import safetensors

from cgan_lightning.evaluate import evaluate
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.evaluation.classification import class_accuracy
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.utils.errors import UserError
from experiments.recipe import example
from tests.helpers.configs import composed


def scores(path):
    with safetensors.safe_open(path, "pt") as file:
        return json.loads(file.metadata()["scores"])


@pytest.mark.long
def test_it_draws_what_it_is_asked_for():
    trained = generator_file.load(example.EXAMPLE)
    images, labels = sampling.balanced(trained.network, trained.prior, 10, 1000, seed=0, batch_size=50)
    seen = suite.features_of(feature_extractor.load(), images, labels)
    told = scores(example.EXAMPLE)["samples"]["class_accuracy"]
    assert class_accuracy(seen.logits, seen.labels) == pytest.approx(told, abs=0.03), "as its scores say, of ten times as many"
    assert example.EXAMPLE.stat().st_size < 4_000_000


@pytest.mark.matrix
def test_an_example_is_a_runs_generator_with_its_scores(train, tmp_path):
    run = train("trainer.max_steps=1")
    with pytest.raises(UserError, match="was never evaluated"):
        example.keep(run, tmp_path / "example.safetensors")
    evaluate(composed(f"checkpoint={run}", "samples=100", "device=cpu", command="evaluate"))
    example.keep(run, tmp_path / "example.safetensors")
    told = scores(tmp_path / "example.safetensors")
    assert told["images_seen"] == 16
    assert told["samples"]["fid"] == json.loads((run / "results.json").read_text())["evaluation"]["samples"]["fid"]
    ours = generator_file.load(tmp_path / "example.safetensors").network.state_dict()
    theirs = generator_file.load(run).network.state_dict()
    assert all((ours[name] == theirs[name]).all() for name in theirs)
