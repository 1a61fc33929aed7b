"""mode=embeddings: the figures' numbers are those of the networks, and the comparison finds what was put there."""

import csv
import re
import sys

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import projector_config_pb2

from cgan_lightning import exploration
from cgan_lightning.config import build, build_model
from cgan_lightning.data import record
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.exploration import class_figures, embeddings
from cgan_lightning.explore import explore
from cgan_lightning.models import generator_file
from cgan_lightning.models.class_vectors import class_vectors
from cgan_lightning.sampling import sampling
from cgan_lightning.storage import checkpoint_io
from cgan_lightning.utils import plots
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import to_uint8
from cgan_lightning.utils.origin import Origin
from tests.helpers.configs import composed


def alone(folder, *overrides: str):
    """An untrained generator's file, and its discriminator."""
    config = composed("model.channels=64", *overrides)
    model_spec = build_model.model_spec(config, build.data(config))
    model = build_model.model(config, model_spec)
    generator_file.save(folder / generator_file.FILE_NAME, model_spec, raw=model.generator, ema=None)
    return folder / generator_file.FILE_NAME, model.discriminator


def run(checkpoint, output, *overrides: str) -> None:
    explore(composed(f"checkpoint={checkpoint}", "mode=embeddings", f"output={output}", *overrides, command="explore"))


@pytest.mark.parametrize(
    ("overrides", "width"),
    [
        (["discriminator_label=projection"], 128 * 49),
        (["discriminator_label=auxiliary"], 128 * 49),
        (["discriminator_label=plane"], 1),
        (["discriminator_label=projection", "discriminator_normalization=spectral", "regularizer=none"], 128 * 49),
        (["discriminator_label=plane", "conditioning=onehot"], None),
    ],
)
def test_class_vectors_are_found_wherever_a_network_keeps_them(tmp_path, overrides, width):
    _, discriminator = alone(tmp_path, *overrides)
    found = class_vectors(discriminator.state_dict())
    assert (found is None) if width is None else (found is not None and found.shape == (10, width))


def test_cosines_of_known_vectors():
    found = embeddings.cosines(torch.tensor([[3.0, 0], [0, 2], [-1, 0], [5, 5]]))
    np.testing.assert_allclose(found[0], [1, 0, -1, 0.5**0.5], atol=1e-9)
    np.testing.assert_allclose(found, found.T)


def test_rank_correlation_is_certain_of_the_same_order_and_unsure_of_none():
    draws = np.random.default_rng(0)
    one = draws.normal(size=(10, 10))
    one += one.T
    assert embeddings.rank_correlation(one, np.exp(one)) == (pytest.approx(1), pytest.approx(1e-4))
    assert embeddings.rank_correlation(one, -one) == (pytest.approx(-1), pytest.approx(1e-4))
    chances = []
    for _ in range(8):
        other = draws.normal(size=(10, 10))
        rho, p = embeddings.rank_correlation(one, other + other.T)
        assert abs(rho) < 0.7
        chances.append(p)
    assert 0.2 < np.mean(chances) < 0.8, "by chance alone, p is anything between 0 and 1"
    assert all(np.isnan(embeddings.rank_correlation(one, np.eye(10))))


def test_alike_classes_stand_together():
    vectors = torch.eye(3)[[0, 1, 2, 0, 1, 2]] + 0.1 * torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    order = class_figures.leaves(embeddings.cosines(vectors))
    assert sorted(order) == list(range(6))
    assert all(order[place] % 3 == order[place + 1] % 3 for place in (0, 2, 4))


def test_the_matrix_has_a_scale_and_nothing_is_minus_zero(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "KINDS", {"svg": plots.KINDS["svg"]})
    cosines = np.array([[1, -0.001, 0.25], [-0.001, 1, -0.04], [0.25, -0.04, 1]])
    class_figures.matrices(
        tmp_path, {"generator": cosines}, np.eye(3), ["A", "B", "C"], [0, 2, 1], origin=Origin(["some run"], [0], [None])
    )
    shown = re.findall(r"<text[^>]*>([^<]*)", (tmp_path / "similarity.svg").read_text())
    cells = {"1.00", "0.00", "0.25", "-0.04", "100"}
    assert cells | {"cosine", "samples, %", "\u22121.00", "A", "B", "C"} <= set(shown)
    assert not {"-0.00", "+0.00", "\u22120.00"} & set(shown)


@pytest.mark.matrix
def test_the_command_compares_both_networks_of_a_run(train, tmp_path, caplog):
    folder = train(
        "experiment=documented", "discriminator_label=projection", "trainer.max_epochs=1", "validation.every_n_epochs=null"
    )
    caplog.set_level("INFO")
    run(folder, tmp_path / "new", "seed=3")
    trained = generator_file.load(folder)
    state = checkpoint_io.read(folder / "checkpoints" / "last.ckpt")["state_dict"]
    vectors = {"generator": trained.network.state_dict()["conditioning.rows"]}
    vectors["discriminator"] = state["discriminator.head.classes.weight"]
    with (tmp_path / "new" / "similarity.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["class"], row["other"]) for row in rows[:2]] == [("T-shirt/top", "Trouser"), ("T-shirt/top", "Pullover")]
    for network, each in vectors.items():
        expected = torch.corrcoef(torch.cat([each, -each], dim=1))  # centred by its mirror: a correlation is a cosine then
        found = torch.tensor([float(row[f"cosine in the {network}"]) for row in rows])
        torch.testing.assert_close(found, expected[*torch.triu_indices(10, 10, 1)], atol=1e-4, rtol=0)
        assert f"{network}: most alike" in caplog.text
    mistaken = embeddings.mistaken_for(trained, seed=3)
    assert float(rows[0]["mistaken"]) == pytest.approx((mistaken[0, 1] + mistaken[1, 0]) / 2, abs=1e-4)
    for name in ("similarity", "dendrogram"):
        with Image.open(tmp_path / "new" / f"{name}.png") as picture:
            assert min(picture.size) > 900
            assert picture.info["Description"].startswith(f"runs: {folder.name}; seeds: 3; revisions: ")
        assert all((tmp_path / "new" / f"{name}.{kind}").is_file() for kind in ("svg", "pdf"))

    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse((tmp_path / "new" / "projector_config.pbtxt").read_text(), config)
    assert [each.tensor_name.split(":")[0] for each in config.embeddings] == ["generator", "discriminator"]
    for each in config.embeddings:
        network = each.tensor_name.split(":")[0]
        shown = np.loadtxt(tmp_path / "new" / each.tensor_path, delimiter="\t")
        np.testing.assert_allclose(shown, vectors[network].numpy(), atol=1e-5)
        assert (tmp_path / "new" / each.metadata_path).read_text().splitlines() == list(FASHION_MNIST.class_names)
    drawn = to_uint8(sampling.sample_grid(trained.network, trained.prior, [0, 5], [3]))[:, 0, 0]
    with Image.open(tmp_path / "new" / config.embeddings[0].sprite.image_path) as picture:
        sprite = np.asarray(picture.convert("L")).astype(int)
    for place, (top, left) in enumerate(((0, 0), (28, 28))):  # four a row
        assert np.abs(sprite[top : top + 28, left : left + 28] - drawn[place].numpy()).max() <= 1


@pytest.mark.matrix
def test_a_file_alone_has_the_generators_vectors_and_says_so(tmp_path, caplog):
    path, _ = alone(tmp_path)
    caplog.set_level("INFO")
    run(path, tmp_path / "new")
    assert "The discriminator is kept by a run folder's checkpoint alone" in caplog.text
    assert "cosine in the discriminator" not in (tmp_path / "new" / "similarity.csv").read_text()


def test_labels_that_are_not_learned_leave_nothing_to_compare(train, tmp_path):
    settings = ("experiment=documented", "conditioning=onehot", "trainer.max_steps=1", "validation.every_n_epochs=null")
    folder = train(*settings)
    with pytest.raises(
        UserError, match=r"nothing to compare\. The generator has no learned .* The discriminator has no learned"
    ):
        run(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("classes", ["[Dress]", "[Dress,Coat]"])
def test_one_pair_of_classes_is_nothing_to_compare(tmp_path, classes):
    path, _ = alone(tmp_path, f"data.classes={classes}")
    count = classes.count(",") + 1
    with pytest.raises(UserError, match=f"mode=embeddings compares 3 classes or more, and this generator has {count}"):
        run(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.matrix
def test_three_classes_are_compared(tmp_path, caplog):
    path, _ = alone(tmp_path, "data.classes=[Dress,Coat,Bag]")
    caplog.set_level("INFO")
    run(path, tmp_path / "new")
    assert len((tmp_path / "new" / "similarity.csv").read_text().splitlines()) == 4
    assert "generator: most alike" in caplog.text


def test_a_damaged_checkpoint_is_refused(train, tmp_path):
    folder = train("trainer.max_steps=1", "validation.every_n_epochs=null")
    file = folder / "checkpoints" / "last.ckpt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"last\.ckpt is damaged"):
        run(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_data_set_without_a_feature_extractor_is_refused(tmp_path):
    path, _ = alone(tmp_path)
    trained = generator_file.load(path)
    trained.dataset = record.read(None, [*trained.class_names[:-1], "Hat"])
    with pytest.raises(UserError, match=r"an unknown data set"):
        embeddings.explore(trained, None, seed=0, output=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_without_its_extra_the_command_says_what_to_install(tmp_path, monkeypatch):
    path, _ = alone(tmp_path)
    monkeypatch.delitem(sys.modules, "cgan_lightning.exploration.embeddings")
    monkeypatch.delattr(exploration, "embeddings")
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(UserError, match=r"mode=embeddings needs scipy: pip install 'cgan-lightning\[report\]'"):
        run(path, tmp_path / "new")
