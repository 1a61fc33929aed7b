"""Directions of z: those of a layer whose singular vectors are known, of activations that are known; files and moves."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from cgan_lightning.config import build, build_model
from cgan_lightning.data import record
from cgan_lightning.models import conditioning, generator, generator_file, layers, normalization, prior
from cgan_lightning.sample import sample
from cgan_lightning.sampling import directions
from cgan_lightning.sampling.class_names import labels
from cgan_lightning.utils import seeding
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed

STRENGTHS = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0, 0.5])
NAMES = ["Boot", "Bag", "Coat"]


def made_up(kind: normalization.Normalization) -> generator_file.TrainedGenerator:
    """A generator whose first layer stretches known directions of z by STRENGTHS, and the label by far more."""
    torch.manual_seed(0)
    encoder = conditioning.Embedding(num_classes=3, width=2)
    network = generator.Generator(
        latent_dim=6, channels=64, conditioning=encoder, upsampling=layers.NearestUpsample, normalization=kind
    ).eval()
    out, of_z = (torch.linalg.qr(torch.randn(rows, 6)).Q for rows in (64 * 49, 6))
    with torch.no_grad():
        weight = torch.cat([out * STRENGTHS @ of_z.T, 30 * torch.randn(64 * 49, 2)], dim=1)
        network.project.weight.copy_(weight)
        network.project.bias.fill_(1000)  # nothing is cut off by the nonlinearity: what follows is linear in z
    trained = generator_file.TrainedGenerator(network, prior.StandardNormal(), NAMES, {}, Path(), record.read(None, NAMES))
    trained.model_spec["true"] = of_z.T
    return trained


@pytest.fixture
def trained():
    return made_up(normalization.Normalization())


def test_random_directions_are_at_right_angles_and_always_the_same():
    drawn = directions.random(6, 4)
    torch.testing.assert_close(drawn @ drawn.T, torch.eye(4))
    assert torch.equal(drawn, directions.random(6, 4))
    spanned = torch.linalg.qr(torch.randn(6, 4, generator=seeding.generator(0, "directions"))).Q
    torch.testing.assert_close(drawn.T @ drawn, spanned @ spanned.T)
    assert directions.random(3, 4).shape == (3, 3), "no more than there can be"


def test_sefa_finds_what_the_first_layer_stretches_most(trained):
    found = directions.sefa(trained.network, 4)
    torch.testing.assert_close((found.vectors @ trained.model_spec["true"].T).abs(), torch.eye(4, 6), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.strengths, (STRENGTHS**2 / (STRENGTHS**2).sum())[:4], atol=1e-4, rtol=0)
    assert (found.vectors.gather(1, found.vectors.abs().argmax(1, keepdim=True)) > 0).all(), "one of the two signs, always"
    assert len(directions.sefa(trained.network, 100).vectors) == 6


def test_sefa_uses_the_effective_weight():
    """Under spectral normalisation the parameter is another, by a factor that follows from power iteration."""
    network = made_up(normalization.Normalization()).network
    plain = directions.sefa(network, 6)
    torch.nn.utils.parametrizations.spectral_norm(network.project).eval()
    normed = directions.sefa(network, 6)
    torch.testing.assert_close(normed.vectors, plain.vectors, atol=1e-3, rtol=0)
    torch.testing.assert_close(normed.strengths, plain.strengths)


def test_principal_components_are_followed_back_to_z(trained):
    """Where activations are linear in z they are the layer's own directions, as far as 600 samples tell; for any class."""
    for classes in (None, ["Bag"]):
        found = directions.principal(trained, 3, labels(classes, NAMES), range(600))
        torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(3))
        alike = (found.vectors * trained.model_spec["true"][:3]).sum(1).abs()
        assert (alike > 0.95).all(), (classes, alike)
        torch.testing.assert_close(found.strengths, (STRENGTHS**2 / (STRENGTHS**2).sum())[:3], atol=0.08, rtol=0)


def test_principal_components_see_what_the_nonlinearity_cuts_off(trained):
    """Half of the outputs never rise above 0: then the direction that feeds them alone is no component, whatever its weight."""
    with torch.no_grad():
        project, half = trained.network.project, 32 * 49
        project.weight[:, :6] = 0
        project.weight[:half, 0], project.weight[half:, 1] = 9, 1
        project.bias[:half] = -1000
    assert directions.sefa(trained.network, 1).vectors[0, 0] == pytest.approx(1)
    assert directions.principal(trained, 1, labels(None, NAMES), range(300)).vectors[0, 1] == pytest.approx(1, abs=0.02)


def test_a_file_gives_back_what_was_saved(tmp_path):
    kept = {"boot_height": torch.nn.functional.normalize(torch.randn(6), dim=0), "Breite": torch.eye(6)[2]}
    directions.save(tmp_path / "some.json", 6, kept)
    found = directions.read(tmp_path / "some.json", 6)
    assert list(found) == list(kept)
    for name, vector in kept.items():
        torch.testing.assert_close(found[name], vector, atol=1e-6, rtol=0)


DEEP = "[" * 100_000
HOSTILE = {
    "": r"^directions=\S+some.json is damaged: it holds no JSON object; explore mode=directions writes a valid one$",
    DEEP: "no JSON object",
    "[1, 2]": "no JSON object",
    "{}": "is for z of length None: this generator's is 2",
    '{"latent_dim": %s}' % ("[" * 900 + "]" * 900): r"is for z of length \[\[\[.*: this generator's is 2",
    '{"latent_dim": 3, "directions": {"a": [1, 2, 3]}}': "is for z of length 3: this generator's is 2",
    '{"latent_dim": 2}': "has no directions",
    '{"latent_dim": 2, "directions": []}': "has no directions",
    '{"latent_dim": 2, "directions": {}}': "has no directions",
    '{"latent_dim": 2, "directions": {"a": [1]}}': r"a is \[1\], and must be 2 numbers at least -1000 and at most 1000",
    '{"latent_dim": 2, "directions": {"a": "12"}}': "a is 12, and must be 2 numbers",
    '{"latent_dim": 2, "directions": {"a": [1, true]}}': "a is .*True.*, and must be 2 numbers",
    '{"latent_dim": 2, "directions": {"a": [1, [2]]}}': "a is .*, and must be 2 numbers",
    '{"latent_dim": 2, "directions": {"a": [1, NaN]}}': "a is .*nan.*, and must be 2 numbers",
    '{"latent_dim": 2, "directions": {"a": [1, 1e999]}}': "a is .*inf.*, and must be 2 numbers",
    '{"latent_dim": 2, "directions": {"a": [1, 1%s]}}' % ("0" * 400): "a is .*, and must be 2 numbers",
    '{"latent_dim": 2, "directions": {"a\\n\\u001b[31m": [1]}}': r"a  ?\[31m is \[1\]",
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_file_with_other_things_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "some.json").write_text(content)
    with pytest.raises(UserError, match=HOSTILE[content]) as refused:
        directions.read(tmp_path / "some.json", 2)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_no_file_and_a_large_one_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"there is no such file; explore mode=directions writes one"):
        directions.read(tmp_path / "none.json", 2)
    (tmp_path / "large.json").write_bytes(b"[" * (directions.FILE_LIMIT + 1))
    with pytest.raises(UserError, match=r"has 4,194,305 bytes: up to 4,194,304 are read"):
        directions.read(tmp_path / "large.json", 2)


def test_moves_add_up():
    there = {"up": torch.tensor([0.0, 1.0]), "7": torch.tensor([1.0, 0.0])}
    moved = directions.moved(torch.zeros(3, 2), {"up": 2.5, 7: -1}, there)
    assert moved.tolist() == [[-1, 2.5]] * 3
    for wrong, said in {
        "up": "as in move=.up: 2.", "": "as in move", 3: "as in move", None: "as in move",
        (("down", 1),): "move: there is no direction down; there are up, 7", (("up", "far"),): "move: up is far",
        (("up", math.inf),): "move: up is inf", (("up", True),): "move: up is True", (("up", 1e4),): "at most 1000",
    }.items():  # fmt: skip
        with pytest.raises(UserError, match=said):
            directions.moved(torch.zeros(3, 2), dict(wrong) if isinstance(wrong, tuple) else wrong, there)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    config = composed("model.channels=64", "model.latent_dim=6")
    model_spec = build_model.model_spec(config, build.data(config))
    path = tmp_path_factory.mktemp("generator") / generator_file.FILE_NAME
    generator_file.save(path, model_spec, raw=build_model.model(config, model_spec).generator, ema=None)
    return path


def drawn(file, place, *words: str) -> dict[str, np.ndarray]:
    sample(composed(f"checkpoint={file}", f"output={place}", "classes=[9]", "count=4", *words, command="sample"))
    with np.load(place) as arrays:
        return dict(arrays)


def test_sample_moves_every_z(file, tmp_path):
    """By nothing: the same pictures. By something: those of the z that are so far along, seeded or given."""
    along = torch.tensor([0.0, 0.6, 0.0, 0.8, 0.0, 0.0])
    directions.save(tmp_path / "some.json", 6, {"boot_height": along})
    asked = f"directions={tmp_path}/some.json"
    plain = drawn(file, tmp_path / "plain.npz")
    still = drawn(file, tmp_path / "still.npz", asked, "move={boot_height: 0}")
    assert np.array_equal(plain["images"], still["images"])
    moved = drawn(file, tmp_path / "moved.npz", asked, "move={boot_height: 2.5}")
    assert not np.array_equal(plain["images"], moved["images"])
    np.testing.assert_allclose(moved["z"] - still["z"], np.tile(2.5 * along.numpy(), (4, 1)), atol=1e-5)
    assert list(moved["seeds"]) == [0, 1, 2, 3]
    np.save(tmp_path / "z.npy", still["z"])
    given = drawn(file, tmp_path / "given.npz", asked, "move={boot_height: 2.5}", f"z={tmp_path}/z.npy")
    assert np.array_equal(given["images"], moved["images"])


def test_half_of_what_a_move_takes_is_refused(file, tmp_path):
    (tmp_path / "some.json").write_text(json.dumps({"latent_dim": 6, "directions": {"up": [1] * 6}}))
    with pytest.raises(UserError, match=r"move=\{'up': 2\}: needs directions=FILE.json"):
        drawn(file, tmp_path / "new.npz", "move={up: 2}")
    with pytest.raises(UserError, match=r"move=None: write how far along which direction, as in move=\{up: 2\}"):
        drawn(file, tmp_path / "new.npz", f"directions={tmp_path}/some.json")
    assert not (tmp_path / "new.npz").exists()
