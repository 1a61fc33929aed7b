"""Data that is not Fashion-MNIST from training to report: a small set in colour, and clothes under other labels."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgan_lightning.data import sets
from cgan_lightning.data.sources import CACHE_VARIABLE
from cgan_lightning.evaluation import feature_extractor
from cgan_lightning.models import generator_file
from tests.helpers import commands, own_data
from tests.helpers.runs import SMALL, SMALL_GRID, small

NAMES = ["square", "stripes", "ring"]
SHAPES = ("data=files", "data.images=shapes.npz", f"data.class_names=[{','.join(NAMES)}]")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty folder with the shapes and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    own_data.colour(tmp_path / "shapes.npz")
    return tmp_path


def given(command: str, *words: str) -> str:
    answer = commands.give(command, *words)
    assert answer.code == 0, answer.said
    return answer.said


def trained(*overrides: str) -> tuple[Path, str]:
    said = given("train", *small(SMALL_GRID, "trainer.max_steps=2", "validation.samples=100", *overrides))
    return Path(said.split("Run folder: ")[1].splitlines()[0]), said


@pytest.mark.matrix
@pytest.mark.training
def test_images_in_colour_from_training_to_report(folder):
    run, said = trained(*SHAPES, "augmentation=diffaugment")
    command = "python -m cgan_lightning.feature_extractor data=files data.images=shapes.npz"
    assert (
        f"Training without validation: there is no feature extractor for shapes.npz yet; to train one, in minutes: {command}"
        in said
    )
    assert json.loads((run / "results.json").read_text())["validation"]["curve"] == []
    refused = commands.give("train", *SMALL, *SHAPES, "objective_metric=fid", "seed=2")
    assert "objective_metric=fid comes from validation, and there is no feature extractor for shapes.npz" in refused.said
    refused = commands.give("evaluate", f"checkpoint={run}")
    assert refused.code == 2
    assert refused.said.splitlines()[-1].endswith(command)

    given("feature_extractor", "data=files", "data.images=shapes.npz", "epochs=20")  # whatever the classes are called
    trained_generator = generator_file.load(run)
    assert trained_generator.dataset.channels == 3
    assert trained_generator.dataset.image_size == 32
    extractor = feature_extractor.of_data(trained_generator.dataset)
    assert extractor.about["accuracy"] > 0.9
    assert feature_extractor.path_of(trained_generator.dataset.hash).is_relative_to(folder / "cache")

    run, said = trained(*SHAPES, "seed=1")
    assert "FID" in said
    validation = json.loads((run / "results.json").read_text())["validation"]
    assert validation["protocol"]["feature_extractor"] == extractor.hash
    assert validation["protocol"]["dataset"] == "shapes.npz"
    said = given("evaluate", f"checkpoint={run}", "samples=100")
    assert f"Feature extractor: {extractor.hash}, of shapes.npz" in said
    evaluation = json.loads((run / "results.json").read_text())["evaluation"]
    assert evaluation["protocol"]["samples"] == 33, "the smallest class has 11 test images"
    assert all(name in said for name in NAMES)
    _explored(run)
    given("report", f"runs=[{run}]", "output=report")
    assert "shapes.npz" in (folder / "report" / "report.html").read_text()
    with Image.open("report/samples.png") as picture:
        assert picture.mode == "RGB"


def _explored(run: Path) -> None:
    """Sample and explore, in every mode but the page."""
    for mode in ("interpolation", "directions", "embeddings", "training"):
        given("explore", f"checkpoint={run}", f"mode={mode}", f"output={mode}", "rows=2", "steps=3", "count=1")
    for file in ("interpolation/label.png", "directions/sefa1.png", run / "samples.png", run / "closest_pairs.png"):
        with Image.open(file) as picture:
            assert picture.mode == "RGB", file
    with Image.open("training/training.gif") as picture:
        assert picture.n_frames >= 2
    given("sample", f"checkpoint={run}", "output=some.npz", "classes={ring: 0.5, square: 0.5}", "count=3")
    given("sample", f"checkpoint={run}", "output=some", "classes=[ring]", "count=1")
    with np.load("some.npz") as file:
        assert file["images"].shape == (3, 32, 32, 3)
        assert file["class_names"].tolist() == NAMES
    with Image.open("some/2-ring-seed0.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (32, 32))


@pytest.mark.matrix
@pytest.mark.training
def test_clothes_under_other_labels_and_of_some_classes(folder):
    overrides = own_data.clothes(folder, per_class=120)
    given("feature_extractor", *overrides, "epochs=15")
    run, said = trained(*overrides, "data.classes=[5,1]", "model=convolutional", "data.image_size=32", "data.balanced=false")
    assert "FID" in said
    trained_generator = generator_file.load(run)
    assert trained_generator.class_names == ["1", "5"]
    assert trained_generator.dataset.classes == (0, 2)
    given("evaluate", f"checkpoint={run}", "samples=100")
    assert json.loads((run / "results.json").read_text())["evaluation"]["protocol"]["classes"] == ["1", "5"]
    (run / "config.yaml").unlink()
    refused = commands.give("evaluate", f"checkpoint={run}", "samples=100")
    assert "was trained on clothes.images: give data=files and data.images= as in training" in refused.said
    given("evaluate", f"checkpoint={run}", "samples=100", *overrides)
    refused = commands.give("evaluate", f"checkpoint={run}", "data=files", "data.images=shapes.npz")
    assert "there is no feature extractor for shapes.npz yet" in refused.said


@pytest.mark.training
def test_one_class_trains_and_has_no_feature_extractor(folder):
    own_data.colour(folder / "one.npz", counts=(80,))
    run, _ = trained("data=files", "data.images=one.npz", "data.limit=64")
    assert (run / "samples.png").is_file()
    refused = commands.give("feature_extractor", "data=files", "data.images=one.npz")
    assert refused.said.splitlines()[-1].startswith("one.npz has one class: a classifier")
    few = own_data.colour(folder / "few.npz", counts=(40, 5))
    refused = commands.give("feature_extractor", "data=files", f"data.images={few}")
    assert "few.npz has test images of 1 of its 2 classes: each needs some" in refused.said


@pytest.mark.training
def test_the_generator_of_fashion_mnist_says_so(train):
    record = generator_file.load(train("trainer.max_steps=1", "data.classes=[Dress,Bag]")).dataset
    assert (record.name, record.hash, record.classes) == ("fashion_mnist", sets.FASHION_MNIST.hash, (3, 8))


@pytest.mark.long
def test_data_that_cannot_be_downloaded_says_which_files_belong_where(folder, caplog):
    caplog.set_level(logging.INFO)
    refused = commands.give("train", "data=emnist_letters", *SMALL)
    assert refused.code == 2
    assert refused.said.splitlines()[-1].startswith(
        "data=emnist_letters cannot be downloaded: put emnist-letters-train-images-idx3-ubyte[.gz], "
    )
    assert "in a folder and give data.root=FOLDER; they are in gzip.zip" in refused.said
