"""mode=interpolation: its ends are the pictures that sample draws, what lies between changes little by little."""

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cgan_lightning.config import build, build_model
from cgan_lightning.explore import explore
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import interpolation, sampling
from cgan_lightning.sampling.class_names import labels
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed


@pytest.fixture(scope="module", params=[("embedding", "randn"), ("onehot", "uniform")], ids=lambda choice: "-".join(choice))
def generator(request, tmp_path_factory):
    conditioning, noise = request.param
    config = composed("model.channels=64", f"conditioning={conditioning}", f"noise={noise}")
    model_spec = build_model.model_spec(config, build.data(config))
    model = build_model.model(config, model_spec)
    path = tmp_path_factory.mktemp("generator") / generator_file.FILE_NAME
    generator_file.save(path, model_spec, raw=model.generator, ema=None)
    return path


def test_ends_are_what_sample_draws(generator):
    trained = generator_file.load(generator)
    dress, coat = labels([3, 4], trained.class_names)
    drawn = sampling.sample_grid(trained.network, trained.prior, range(10), range(4))
    by_label = interpolation.along_label(trained, dress, coat, range(3), 5)
    torch.testing.assert_close(by_label[:, [0, -1]], drawn[[3, 4], :3].transpose(0, 1), atol=1e-5, rtol=0)
    by_z = interpolation.along_z(trained, labels(None, trained.class_names), 2, 3, 5)
    torch.testing.assert_close(by_z[:, [0, -1]], drawn[:, [2, 3]], atol=1e-5, rtol=0)
    by_both = interpolation.along_both(trained, dress, coat, [(0, 1), (1, 2)], 5)
    torch.testing.assert_close(by_both[:, 0], drawn[3, [0, 1]], atol=1e-5, rtol=0)
    torch.testing.assert_close(by_both[:, -1], drawn[4, [1, 2]], atol=1e-5, rtol=0)


def test_the_middle_of_labels_is_the_mixture(generator):
    trained = generator_file.load(generator)
    dress, coat, half = labels([3, 4, {3: 0.5, 4: 0.5}], trained.class_names)
    path = interpolation.along_label(trained, dress, coat, [7], 3)
    z = sampling.latents(trained.prior, trained.latent_dim, [7])
    torch.testing.assert_close(
        path[0, 1], sampling.sample(trained.network, z, torch.tensor([half.weights]))[0], atol=1e-5, rtol=0
    )


@pytest.mark.long
def test_random_paths_meet_every_class(generator):
    """A tenth of the paths begins at each class; by z the label stays, and each path goes to the next one's z."""
    trained = generator_file.load(generator)
    drawn = sampling.sample_grid(trained.network, trained.prior, range(10), range(91))
    by_label = interpolation.random_along_label(trained, range(90), 2)
    for seed in (0, 8, 9, 50, 89):
        start, end = divmod(seed, 9)
        end += end >= start
        torch.testing.assert_close(by_label[seed, 0], drawn[start, seed], atol=1e-5, rtol=0)
        torch.testing.assert_close(by_label[seed, 1], drawn[end, seed], atol=1e-5, rtol=0)
    by_z = interpolation.random_along_z(trained, range(90), 2)
    torch.testing.assert_close(by_z[57, 0], drawn[7, 57], atol=1e-5, rtol=0)
    torch.testing.assert_close(by_z[57, 1], drawn[7, 58], atol=1e-5, rtol=0)


def test_the_command_writes_grids_strips_and_moving_pictures(generator, tmp_path):
    asked = (f"checkpoint={generator}", "classes=[bag,{sneaker:0.5,sandal:0.5}]", "rows=3", "steps=6", "seed=4")
    explore(composed(*asked, f"output={tmp_path}/new", command="explore"))
    found = {path.suffix: [] for path in (tmp_path / "new").iterdir()}
    for path in sorted((tmp_path / "new").iterdir()):
        found[path.suffix].append(path.name)
    assert found[".png"] == [f"{name}{part}.png" for name in ("both", "label", "z") for part in ("", "_strip")]
    assert found[".gif"] == ["both.gif", "label.gif", "z.gif"]
    weight = "Weight of Sandal 0.5 Sneaker 0.5, the rest being Bag"
    said = {"label": weight, "z": "From z 4 to z 5: share of the way", "both": f"{weight}; of z, share of the way"}
    for name, rows in (("label", 3), ("z", 10), ("both", 3)):
        with Image.open(tmp_path / "new" / f"{name}.png") as picture:
            above = picture.height - (rows * 29 + 1) * 2
            assert above >= 2 * (29 * 2 // 3), "a title and the weights"
            assert picture.info["Title"] == said[name]
            assert f"runs: {generator.parent.name}; seeds: 4, 5, 6, 7; revisions: " in picture.info["Description"]
        with Image.open(tmp_path / "new" / f"{name}.gif") as moving:
            assert moving.n_frames == 10, "there, and back without its ends twice"
    with Image.open(tmp_path / "new" / "label.png") as picture, Image.open(tmp_path / "new" / "label_strip.png") as strip:
        sheet, row = np.asarray(picture), np.asarray(strip)
        assert (sheet[: row.shape[0] - 2] == row[:-2]).all(), "without the line below"
    events = EventAccumulator(str(tmp_path / "new"), size_guidance={"images": 0}).Reload()
    assert events.Tags()["images"] == ["interpolations/label", "interpolations/z", "interpolations/both"]


def test_other_than_two_classes_are_refused(generator, tmp_path):
    for wrong in ("[Dress]", "Dress", "[1,2,3]"):
        with pytest.raises(UserError, match=r"must be two classes, the start and the end: \[Dress,Coat\]"):
            explore(composed(f"checkpoint={generator}", f"classes={wrong}", f"output={tmp_path}/new", command="explore"))
    assert not (tmp_path / "new").exists()


def test_no_classes_mean_from_dress_to_coat(generator, tmp_path):
    for name, asked in {"null": "null", "given": "[3,4]"}.items():
        asked = (f"checkpoint={generator}", f"classes={asked}", "rows=1", "steps=2", f"output={tmp_path}/{name}")
        explore(composed(*asked, command="explore"))
    assert (tmp_path / "null" / "label.png").read_bytes() == (tmp_path / "given" / "label.png").read_bytes()
