"""Samples: a seed is a picture, whatever it is drawn beside; classes as people name them; files by their ending."""

import numpy as np
import pytest
import torch
from PIL import Image

from cgan_lightning.config import build, build_model
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.models.prior import StandardNormal
from cgan_lightning.sampling import output, sampling
from cgan_lightning.sampling.class_names import labels, resolve
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed
from tests.helpers.processes import fork_command, run_command

CLASS_NAMES = FASHION_MNIST.class_names


@pytest.fixture(scope="module")
def model():
    config = composed()
    return build_model.model(config, build_model.model_spec(config, build.data(config)))


@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_a_seed_is_a_picture_whatever_the_batch_and_the_classes(model, batch_size):
    whole = sampling.sample_grid(model.generator, model.prior, range(10), range(8))
    part = sampling.sample_grid(model.generator, model.prior, [9, 3], range(2, 5), batch_size=batch_size)
    torch.testing.assert_close(part, whole[[9, 3], 2:5], atol=1e-5, rtol=0)


def test_sampling_leaves_the_network_and_the_random_state_alone(model):
    model.generator.train()
    before = {key: value.clone() for key, value in model.generator.state_dict().items()}
    state = torch.get_rng_state()
    sampling.sample_grid(model.generator, model.prior, range(10), range(4))
    assert model.generator.training
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(model.generator.state_dict(), before, atol=0, rtol=0)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("Dress", 3), ("dress", 3), ("t-shirt/top", 0), ("T shirt top", 0), ("tshirt", 0), ("ANKLE_BOOT", 9), (9, 9), ("0", 0)],
)
def test_names_are_forgiven_their_case_and_punctuation(wanted, index):
    assert resolve([wanted], CLASS_NAMES) == [index]


@pytest.mark.parametrize("wanted", ["Drss", "", "s", 10, -1, "1.5", 1.5, True, None, [1]])
def test_an_unknown_class_gets_all_ten_names(wanted):
    with pytest.raises(UserError) as error:
        resolve([wanted], CLASS_NAMES)
    assert all(name in str(error.value) for name in CLASS_NAMES)


@pytest.mark.parametrize("wanted", [[], {}, {"Dress": 1}, 1.5])
def test_what_names_no_class_gets_all_ten_names(wanted):
    with pytest.raises(UserError, match=r"names no class: give some of 0 T-shirt/top, .*9 Ankle boot, or null for all"):
        resolve(wanted, CLASS_NAMES)


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (None, list(CLASS_NAMES)),
        ("dress", ["Dress"]),
        ({"Dress": 0.7, 4: 0.3}, ["Dress 0.7 Coat 0.3"]),
        (["bag", {"sneaker": 1}, {"Dress": 1.5, "Coat": -0.5}], ["Bag", "Sneaker 1", "Dress 1.5 Coat -0.5"]),
    ],
)
def test_labels_are_classes_and_mixtures(wanted, titles):
    found = labels(wanted, CLASS_NAMES)
    assert [label.title for label in found] == titles
    assert all(sum(label.weights) == pytest.approx(1) for label in found)


def test_a_generator_of_few_classes_has_only_these():
    with pytest.raises(UserError, match=r"classes=Coat: no such class; the only one is 0 Dress$"):
        resolve("Coat", ["Dress"])
    with pytest.raises(UserError, match=r"classes=Coat: no such class; the 2 are 0 Dress, 1 Shirt$"):
        resolve("Coat", ["Dress", "Shirt"])


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"Dress": 0.7}, r"its weights add up to 0.7, and must add up to 1"),
        ({"Dress": 0.7, "Coat": 0.7}, r"add up to 1.4"),
        ({"Dress": "half", "Coat": 0.5}, "the weight of Dress must be a number"),
        ({"Dress": float("nan"), "Coat": 0.5}, "must be a number"),
        ({"Drss": 0.5, "Coat": 0.5}, r"no such class; did you mean Dress\?"),
        ([{}], "add up to 0"),
    ],
)
def test_a_mixture_that_is_none_is_refused(wanted, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        labels(wanted, CLASS_NAMES)
    assert "\n" not in str(error.value)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("conditioning", ["embedding", "onehot", "integer"])
@pytest.mark.parametrize("network", ["documented", "residual", "convolutional"])
def test_a_whole_weight_is_its_class_and_a_mixture_is_in_between(network, conditioning):
    config = composed(f"model={network}", f"conditioning={conditioning}", "model.channels=64", "model.latent_dim=8")
    model = build_model.model(config, build_model.model_spec(config, build.data(config)))
    z = sampling.latents(model.prior, 8, range(4))
    by_index = sampling.sample(model.generator, z, torch.tensor([3] * 4))
    weights = torch.tensor([label.weights for label in labels([3, 4, {3: 0.5, 4: 0.5}], CLASS_NAMES)])
    dress, coat, between = sampling.every_pair(model.generator, z, weights)
    assert torch.equal(dress, by_index)
    assert all(((between - end).abs() < (coat - dress).abs().max()).all() for end in (dress, coat))
    assert not torch.equal(between, dress)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 7)), r"has shape \(3, 7\): this generator takes \(count, 8\)"),
        (np.zeros((1, 3, 8)), r"has shape \(1, 3, 8\)"),
        (np.zeros((0, 8)), r"has shape \(0, 8\)"),
        (np.full((1, 8), np.nan), "must hold numbers"),
        (np.array([["a"] * 8]), "must hold numbers"),
        (np.array([{}] * 8), "is no .npy file"),
    ],
)
def test_a_z_that_is_none_is_refused(tmp_path, array, sentence):
    np.save(tmp_path / "z.npy", array)
    with pytest.raises(UserError, match=sentence):
        sampling.read_latents(tmp_path / "z.npy", 8)
    (tmp_path / "z.npy").write_text("no array")
    with pytest.raises(UserError, match=r"is no .npy file; numpy.save writes one, of shape \(count, 8\)"):
        sampling.read_latents(tmp_path / "z.npy", 8)
    with pytest.raises(UserError, match="there is no such file"):
        sampling.read_latents(tmp_path / "other.npy", 8)


def test_a_near_miss_is_recognised():
    with pytest.raises(UserError, match=r"did you mean Sneaker\?"):
        resolve(["Sneakers"], CLASS_NAMES)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def unpacked(path):
    with np.load(path) as arrays:
        return dict(arrays)


def test_files_by_their_ending(tmp_path):
    images = torch.linspace(-1, 1, 4).view(2, 2, 1, 1, 1).expand(2, 2, 1, 28, 28)
    arguments = (images, labels([3, 9], CLASS_NAMES), {"seeds": np.array([5, 6])}, CLASS_NAMES)
    output.write(tmp_path / "grid.png", *arguments)
    assert pixels(tmp_path / "grid.png").shape[0] == (2 * 29 + 1) * 3

    output.write(tmp_path / "arrays.npz", *arguments)
    arrays = unpacked(tmp_path / "arrays.npz")
    assert arrays["images"].shape == (4, 28, 28)
    assert arrays["images"][:, 0, 0].tolist() == [0, 85, 170, 255]
    assert arrays["labels"].tolist() == [3, 3, 9, 9]
    assert arrays["seeds"].tolist() == [5, 6, 5, 6]
    assert arrays["class_names"].tolist() == list(CLASS_NAMES)
    assert "label_weights" not in arrays

    output.write(tmp_path / "folder", *arguments)
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [
        "3-dress-seed5.png", "3-dress-seed6.png", "9-ankle-boot-seed5.png", "9-ankle-boot-seed6.png",
    ]  # fmt: skip
    assert pixels(tmp_path / "folder" / "9-ankle-boot-seed6.png").tolist() == [[255] * 28] * 28

    mixed = (images, labels([3, {"dress": 0.7, "coat": 0.3}], CLASS_NAMES), {"z": np.zeros((2, 5))}, CLASS_NAMES)
    output.write(tmp_path / "mixed.npz", *mixed)
    arrays = unpacked(tmp_path / "mixed.npz")
    assert arrays["labels"].tolist() == [3] * 4
    assert arrays["label_weights"][2].tolist() == [0, 0, 0, 0.7, 0.3, 0, 0, 0, 0, 0]
    assert arrays["z"].shape == (4, 5)
    output.write(tmp_path / "mixed", *mixed)
    assert "dress-0-7-coat-0-3-z1.png" in [path.name for path in (tmp_path / "mixed").iterdir()]

    output.write(tmp_path / "folder", *arguments)  # where there is one already, its files are written anew

    with pytest.raises(UserError, match=r"end it in .png for a grid"):
        output.check_ending(tmp_path / "grid.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        output.write(tmp_path / "file" / "grid.png", *arguments)


def test_no_classes_are_none_to_draw():
    with pytest.raises(UserError, match=r"^classes=\[\] names no class: give some of "):
        labels([], CLASS_NAMES)


@pytest.mark.process
def test_the_command_draws_from_a_run_folder(train, tmp_path):
    folder = train("trainer.max_steps=2", "noise=uniform", "conditioning=onehot")
    done = run_command(
        "sample", f"checkpoint={folder}", "classes=[Dress,9]", "count=3", "seed=4", "output=new/dress.npz", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "Loading PyTorch ...\nWrote 6 images to new/dress.npz\n"
    arrays = unpacked(tmp_path / "new" / "dress.npz")
    assert arrays["seeds"].tolist() == [4, 5, 6] * 2
    np.save(tmp_path / "z.npy", sampling.latents(StandardNormal(), 24, [4, 5]).numpy())
    mixed = fork_command(
        *("sample", f"checkpoint={folder}", "classes={Dress:0.7,Coat:0.3}", "z=z.npy", "output=mixed.npz"), cwd=tmp_path
    )
    assert mixed.returncode == 0, mixed.stderr
    assert unpacked(tmp_path / "mixed.npz")["images"].shape == (2, 28, 28)
    refused = fork_command("sample", f"checkpoint={folder}", "classes=[Drss]", cwd=tmp_path)
    assert refused.returncode == 2
    assert "no such class; did you mean Dress?" in refused.stderr
