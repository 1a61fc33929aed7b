"""mode=directions: what a direction changes is measured on made pictures, and the command's files say the same things."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cgan_lightning.config import build, build_model
from cgan_lightning.exploration import directions
from cgan_lightning.exploration.silhouette import silhouette
from cgan_lightning.explore import explore
from cgan_lightning.models import generator_file
from cgan_lightning.sample import sample
from cgan_lightning.sampling import directions as kept
from cgan_lightning.sampling.class_names import labels
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import labelled_grid
from tests.helpers.configs import composed

COUNT = 3


def box(top: int, left: int, height: int, width: int, light: float = 1.0) -> torch.Tensor:
    """A box of so much light on black, of 28×28 in [-1, 1]."""
    picture = torch.full((1, 28, 28), -1.0)
    picture[:, top : top + height, left : left + width] = 2 * light - 1
    return picture


def test_a_silhouette_is_as_tall_and_wide_and_bright_as_what_is_drawn():
    found = silhouette(torch.stack([box(4, 14, 10, 6), box(0, 0, 28, 28, 0.5), box(2, 10, 5, 8, 0.05), box(0, 7, 3, 14)]))
    assert found.height.tolist() == [10, 28, 0, 3], "what is nearly black is background"
    assert found.width.tolist() == [6, 28, 0, 14]
    torch.testing.assert_close(found.brightness, torch.tensor([60 / 784, 0.5, 2 / 784, 42 / 784]), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.balance, torch.tensor([1, 0, 0, 0.0]), atol=1e-5, rtol=0)
    assert silhouette(box(0, 0, 0, 0)[None]).balance.item() == 0, "all black has no side"


class Boxes(nn.Module):
    """A box that z[0] makes taller, at 2 rows for each 1, and z[1] brighter, at a tenth of the light; z[2] does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_dim = 3
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.stack([box(0, 14, round(14 + 2 * each[0].item()), 10, 0.5 + 0.1 * each[1].item()) for each in z])


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_what_a_direction_changes_is_measured_by_the_unit(scale):
    def still(count: int, latent_dim: int, generator: torch.Generator) -> torch.Tensor:
        return torch.zeros(count, latent_dim)

    still.scale = scale
    trained = SimpleNamespace(network=Boxes(), latent_dim=3, prior=still)
    taller, brighter, nothing = (
        directions.changes(trained, each, labels(None, ["Boot", "Bag"]), range(4)) for each in torch.eye(3)
    )
    assert taller["height"] == pytest.approx(2)
    assert taller["width"] == taller["balance"] == 0
    assert (taller["brightness"], taller["picture"]) == pytest.approx((2 * 10 * 0.5 / 784, 2 * 10 * 0.5 / 784))
    assert brighter["height"] == 0
    assert (brighter["brightness"], brighter["picture"]) == pytest.approx((0.1 * 14 * 10 / 784, 0.1 * 14 * 10 / 784))
    assert not any(nothing.values())


@pytest.fixture(
    scope="module",
    params=[("documented", "randn"), ("residual", "uniform"), ("convolutional", "randn")],
    ids=lambda choice: choice[0],
)
def generator(request, tmp_path_factory):
    model, prior = request.param
    config = composed(f"model={model}", "model.channels=64", f"noise={prior}")
    model_spec = build_model.model_spec(config, build.data(config))
    path = tmp_path_factory.mktemp("generator") / generator_file.FILE_NAME
    generator_file.save(path, model_spec, raw=build_model.model(config, model_spec).generator, ema=None)
    return path


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch):
    monkeypatch.setattr(directions, "SAMPLES", 100)
    monkeypatch.setattr(directions, "MEASURED", 10)


def explored(generator, output, *words: str) -> None:
    asked = (f"checkpoint={generator}", "mode=directions", f"count={COUNT}", "rows=2", f"output={output}", *words)
    explore(composed(*asked, command="explore"))


@pytest.mark.sampled(3)
def test_the_command_writes_a_table_a_file_and_a_strip_for_each(generator, tmp_path):
    explored(generator, tmp_path, "names={boot_height: sefa2}")
    with (tmp_path / "directions.csv").open() as file:
        rows = list(csv.DictReader(file))
    own = [f"{kind}{number}" for kind in ("sefa", "pca") for number in range(1, COUNT + 1)]
    assert [row["name"] for row in rows] == own, "each kind by itself"
    for kind in ("sefa", "pca"):
        strengths = [float(row["strength"]) for row in rows if row["kind"] == kind]
        assert strengths == sorted(strengths, reverse=True)
    assert {row["classes"] for row in rows} == {"all"}
    assert all(float(row["picture"]) > 0 for row in rows)
    trained = generator_file.load(generator)
    found = kept.read(tmp_path / "directions.json", trained.latent_dim)
    assert set(found) == {*own, "boot_height"}
    assert torch.equal(found["boot_height"], found["sefa2"])
    unit = "sd: standard deviations of z"
    titles = {name: f"Direction {name} of all classes, z 0; {unit}" for name in own}
    titles["directions"] = f"Directions of all classes, in T-shirt/top, z 0; {unit}"
    found = {}
    for path in tmp_path.glob("*.png"):
        with Image.open(path) as picture:
            found[path.stem] = picture.info["Title"]
            assert picture.info["Description"].startswith(f"runs: {generator.parent.name}; seeds: 0, 1; revisions: ")
    assert found == titles


def test_the_strongest_of_several_classes_comes_first_of_its_kind():
    def one(kind: str, number: int, group: str, strength: float) -> directions.MeasuredDirection:
        return directions.MeasuredDirection(kind, number, group, strength, torch.zeros(2), {})

    some = [one("pca", 1, "bag", 0.9), one("sefa", 1, "bag", 0.1), one("pca", 1, "coat", 0.95), one("sefa", 2, "bag", 0.05)]
    assert [each.name for each in directions.ranked(some)] == ["sefa1_bag", "sefa2_bag", "pca1_coat", "pca1_bag"]


@pytest.mark.sampled(3)
def test_the_direction_that_makes_boots_lighter_is_found_in_any_generator(generator, tmp_path):
    """By the measure, and turned so that more of it is lighter. (These haven't learned: all is as tall as the picture.)"""
    explored(generator, tmp_path, "classes=Ankle boot", "names={boot_light: brightness}")
    with (tmp_path / "directions.csv").open() as file:
        lighter = {row["name"]: float(row["brightness"]) for row in csv.DictReader(file)}
    trained = generator_file.load(generator)
    found = kept.read(tmp_path / "directions.json", trained.latent_dim)
    strongest = max(lighter, key=lambda name: abs(lighter[name]))
    sign = -1 if lighter[strongest] < 0 else 1
    assert torch.equal(found["boot_light"], sign * found[strongest])
    (boot,) = labels(["Ankle boot"], trained.class_names)
    grown = directions.changes(trained, found["boot_light"], [boot], range(directions.MEASURED))["brightness"]
    assert grown == pytest.approx(abs(lighter[strongest]), rel=0.02, abs=1e-6)
    assert grown > 0


@pytest.mark.long
def test_the_middle_of_a_strip_is_what_sample_draws_and_its_end_what_move_draws(generator, tmp_path):
    """Of a class by itself: a row an image seed, three of the prior's standard deviations either way."""
    explored(generator, tmp_path / "new", "classes=Ankle boot", "seed=5")
    with Image.open(tmp_path / "new" / "sefa1_ankle_boot.png") as picture:
        strip = np.asarray(picture)
    scale = generator_file.load(generator).prior.scale
    for column, shift in ((3, 0), (6, 3)):
        moved = (f"directions={tmp_path}/new/directions.json", f"move={{sefa1_ankle_boot: {shift * scale}}}")
        place = f"output={tmp_path}/{column}.npz"
        sample(composed(f"checkpoint={generator}", "classes=[9]", "count=2", "seed=5", *moved, place, command="sample"))
        with np.load(tmp_path / f"{column}.npz") as arrays:
            expected = arrays["images"].repeat(2, 1).repeat(2, 2)
        left = strip.shape[1] - (7 * 29 + 1) * 2 + (column * 29 + 1) * 2
        top = strip.shape[0] - (2 * 29 + 1) * 2
        for row in range(2):
            shown = strip[top + (row * 29 + 1) * 2 :][:56, left : left + 56]
            assert np.abs(shown.astype(int) - expected[row]).max() <= 1, (column, row)


def test_each_class_has_its_own(generator, tmp_path):
    explored(generator, tmp_path, "classes=[Bag, {3: 0.5, 4: 0.5}]", "count=1")
    assert {path.stem for path in tmp_path.glob("*.png")} == {
        f"{name}_{group}" for name in ("sefa1", "pca1", "directions") for group in ("bag", "dress_0_5_coat_0_5")
    }


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("boot", "names=boot: write new names for directions, as in names="),
        ("{boot: sefa9}", "names: there is no direction sefa9; there are .*sefa1"),
        ("{pca1: sefa1}", "names: there is a direction pca1 already"),
    ],
)
def test_names_that_mean_nothing_are_refused(generator, tmp_path, monkeypatch, names, said):
    monkeypatch.setattr(kept, "sefa", None)  # before anything is found
    with pytest.raises(UserError, match=said):
        explored(generator, tmp_path / "new", f"names={names}")
    assert not (tmp_path / "new").exists()


def test_heads_stand_above_their_columns():
    blank = torch.full((1, 3, 1, 28, 28), -1.0)
    plain, headed = labelled_grid(blank, ["some"]), labelled_grid(blank, ["some"], heads=["", "+1", ""])
    above = headed[: headed.shape[0] - plain.shape[0]]
    assert np.array_equal(headed[len(above) :], plain)
    (columns,) = (above < 255).any(0).nonzero()
    left = plain.shape[1] - (3 * 29 + 1) * 3
    assert left + 29 * 3 < columns.min() <= columns.max() < left + 2 * 29 * 3
