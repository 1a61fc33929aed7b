"""`evaluate` on real images and a real run: what it says, where it keeps it, and that it says the same again."""

import dataclasses
import json
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from cgan_lightning.config import build_evaluation
from cgan_lightning.data import splits
from cgan_lightning.evaluate import evaluate
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import to_uint8
from tests.helpers.configs import composed


@pytest.fixture(scope="module")
def real_images():
    train, test = splits.of_training(), splits.of_test()
    return [(pixels[:5000], labels[:5000]) for pixels, labels in (train, test)]


def without_files(results: dict) -> dict:
    return {side: results["evaluation"][side] for side in ("samples", "real_baseline", "protocol")}


def test_a_run_is_measured_and_the_result_kept_beside_its_others(train, caplog):
    folder = train("trainer.max_steps=2", "ema.halflife_images=null")
    caplog.set_level("INFO")
    evaluate(composed(f"checkpoint={folder}", "samples=200", command="evaluate"))
    results = json.loads((folder / "results.json").read_text())
    assert results["updates"] == 2
    protocol = results["evaluation"]["protocol"]
    assert (protocol["samples"], protocol["feature_extractor"]) == (200, feature_extractor.load().hash)
    assert results["evaluation"]["samples"]["fid"] > 10 * results["evaluation"]["real_baseline"]["fid"], "hardly trained"
    assert sum(map(sum, results["evaluation"]["samples"]["confusion"])) == 200
    assert (folder / "closest_pairs.png").stat().st_size > 1000
    *steps, _, _ = [record.getMessage() for record in caplog.records if record.name.startswith("cgan_lightning")]
    assert [step.split()[0] for step in steps[-5:]] == ["Real", f"{folder}:", "Measuring", "Comparing", "Comparing"], (
        "each as it begins"
    )
    evaluate(composed(f"checkpoint={folder}", "samples=200", f"output={folder}/again.json", command="evaluate"))
    again = json.loads((folder / "again.json").read_text())
    assert without_files(again) == without_files(results)


@pytest.mark.matrix
def test_a_generator_of_some_classes_is_measured_against_these(train):
    """By name: its fourth class is the feature extractor's last."""
    folder = train("data.classes=[Trouser,Dress,Bag,Ankle boot]", "trainer.max_steps=2")
    evaluate(composed(f"checkpoint={folder}", "samples=200", "accuracy_score=false", command="evaluate"))
    found = json.loads((folder / "results.json").read_text())["evaluation"]
    classes = ["Trouser", "Dress", "Bag", "Ankle boot"]
    assert (found["protocol"]["samples"], found["protocol"]["classes"]) == (80, classes), "20 of each, as of ten classes"
    for side in ("samples", "real_baseline"):
        assert len(found[side]["class_fids"]) == 4
        assert [(len(row), sum(row)) for row in found[side]["confusion"]] == [(10, 20)] * 4
    for row, number in zip(found["real_baseline"]["confusion"], (1, 3, 8, 9), strict=True):
        assert row[number] >= 18, "real images are seen as what they are"
    assert found["real_baseline"]["class_accuracy"] > 0.9


@pytest.mark.matrix
def test_a_generator_of_one_class_has_no_way_along_the_label(train, caplog):
    folder = train("data.classes=[Dress]", "trainer.max_steps=2")
    caplog.set_level("INFO")
    evaluate(composed(f"checkpoint={folder}", "samples=200", command="evaluate"))
    samples = json.loads((folder / "results.json").read_text())["evaluation"]["samples"]
    assert samples["path_length_along_z"] > 0
    assert not [key for key in samples if key.endswith("along_label")]
    assert "path length along z" in caplog.text
    assert "along the label" not in caplog.text


def test_fewer_samples_have_fewer_paths(train):
    config = composed(f"checkpoint={train('trainer.max_steps=1')}", command="evaluate")
    ((evaluation, _),) = build_evaluation.evaluations(config, [(Path(config.checkpoint), Path())], rank=0)
    few = dataclasses.replace(evaluation, samples=1000)
    assert (evaluation.paths, few.paths, dataclasses.replace(evaluation, samples=100).paths) == (180, 29, 10)
    assert few.protocol(torch.arange(10))["paths"] == 29
    assert "paths" not in evaluation.protocol(torch.arange(10)), "as it was before there could be fewer"


@pytest.mark.matrix
def test_a_generators_ten_classes_are_measured_as_ever(train):
    folder = train("trainer.max_steps=1")
    evaluate(composed(f"checkpoint={folder}", "samples=100", command="evaluate"))
    evaluation = json.loads((folder / "results.json").read_text())["evaluation"]
    entries = ["samples", "seed", "weights", "feature_extractor", "reference", "pixels", "paths", "metrics"]
    assert list(evaluation["protocol"]) == entries
    assert evaluation["protocol"]["metrics"] == sorted(evaluation["samples"])


def test_a_class_that_the_feature_extractor_does_not_know_is_named(train, tmp_path):
    folder = train("trainer.max_steps=1", "data.classes=[Dress,Coat]")
    with safetensors.safe_open(folder / "generator.safetensors", "pt") as file:
        metadata = file.metadata()
    model_spec = json.loads(metadata["model_spec"]) | {"class_names": ["Dress", "Hat"]}
    weights = safetensors.torch.load_file(folder / "generator.safetensors")
    safetensors.torch.save_file(weights, tmp_path / "hats.safetensors", metadata | {"model_spec": json.dumps(model_spec)})
    with pytest.raises(UserError, match=r"Hat is not a class of Fashion-MNIST; its classes are T-shirt/top, "):
        evaluate(composed(f"checkpoint={tmp_path}/hats.safetensors", "output=hats.json", command="evaluate"))


def test_a_generator_without_a_run_needs_a_place_for_its_result(train, tmp_path):
    folder = train("trainer.max_steps=1")
    with pytest.raises(UserError, match=r"not the folder of a finished run: give output=FILE\.json"):
        evaluate(composed(f"checkpoint={folder}/generator.safetensors", command="evaluate"))


@pytest.mark.matrix
def test_metrics_have_the_order_that_they_must_have(real_images):
    """Real images, real images under wrong labels, few of them again and again, and noise."""
    train, test = (tuple(each[:10_000] for each in split) for split in real_images)
    rows = suite.balanced_rows(train[1], 100, seed=1)
    pixels, labels = train[0][rows], train[1][rows]
    repeated = torch.cat([rows[labels == label][:5].repeat(20) for label in range(10)])
    noise = to_uint8(torch.rand(1000, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    sets = {
        "real": (pixels, labels),
        "wrong labels": (pixels, (labels + 1) % 10),
        "collapsed": (train[0][repeated], train[1][repeated]),
        "noise": (noise, labels),
    }
    before = torch.random.get_rng_state()
    extractor = feature_extractor.load()
    real = [suite.features_of_real(extractor, *split) for split in (train, test)]
    found = {name: suite.measure(suite.features_of(extractor, *drawn), *real, seed=0) for name, drawn in sets.items()}
    assert torch.equal(torch.random.get_rng_state(), before), "measuring changes nothing that follows"
    for metric in ("fid", "kid"):
        assert max(found, key=lambda name: found[name][metric]) == "noise", metric
    assert found["real"]["fid"] == pytest.approx(found["wrong labels"]["fid"]), "it doesn't see labels,"
    assert found["wrong labels"]["class_fid_mean"] > 10 * found["real"]["class_fid_mean"], "but this does"
    assert found["wrong labels"]["class_accuracy"] < 0.1 < 0.9 < found["real"]["class_accuracy"]
    assert found["collapsed"]["recall"] < 0.5 * found["real"]["recall"]
    assert found["collapsed"]["coverage"] < 0.5 * found["real"]["coverage"]
    assert found["collapsed"]["precision"] > 0.8 * found["real"]["precision"]
    assert found["noise"]["precision"] < 0.5 * found["real"]["precision"], "large balls of outliers let some noise in,"
    assert found["noise"]["density"] < 0.1 * found["real"]["density"], "which density is made for"
    assert found["real"]["nearest_train_ratio"] < 0.01, "training images themselves"
    assert found["noise"]["nearest_train_ratio"] > 1.5
