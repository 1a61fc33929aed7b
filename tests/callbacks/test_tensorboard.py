"""What a run leaves for TensorBoard, read back by TensorBoard's own reader."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from cgan_lightning.data.facts import CLASS_NAMES
from cgan_lightning.errors import Interrupted
from cgan_lightning.generation import checkpoint, sampling
from cgan_lightning.images import grid
from cgan_lightning.runtime import checkpoint_io
from tests.helpers.runs import stop_at

TAGS = {"loss/discriminator", "loss/generator", "discriminator/D(x)", "discriminator/D(G(z))", "images_per_second"}
TAGS |= {"gradient norm/discriminator", "gradient norm/generator", "images_seen"}
TAGS |= {"quality/FID to training images", "quality/class accuracy"}


def read(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "histograms": 0})
    events.Reload()
    return events


def pixels(event) -> np.ndarray:
    with Image.open(io.BytesIO(event.encoded_image_string)) as image:
        return np.asarray(image)


@pytest.fixture
def events(trained) -> EventAccumulator:
    return read(trained("trainer.max_epochs=3", "samples.columns=4", "noise=uniform"))


def test_each_class_has_a_tag_and_there_is_an_overview(events):
    classes = [f"samples/{label} {name}" for label, name in enumerate(CLASS_NAMES)]
    assert sorted(events.Tags()["images"]) == sorted([*classes, "samples/overview"])
    for tag in classes:
        pictures = events.Images(tag)
        assert [picture.step for picture in pictures] == [0, 4, 8, 12], "before the first update, then every epoch"
        assert pixels(pictures[0]).shape[:2] == (30 * 4, (4 * 29 + 1) * 4)
        assert not np.array_equal(pixels(pictures[0]), pixels(pictures[-1]))


def test_a_column_is_the_same_image_seed_in_every_picture(events):
    """The last picture of a class is what `sample` draws for those seeds."""
    (folder,) = Path("runs").iterdir()
    trained = checkpoint.load(folder)
    images = sampling.sample_grid(trained.network, trained.prior, [3], range(4))
    shown = pixels(events.Images("samples/3 Dress")[-1])
    assert np.array_equal(shown[..., 0] if shown.ndim == 3 else shown, grid(images))


def test_scalars_count_updates(events):
    assert set(events.Tags()["scalars"]) == TAGS
    assert [event.step for event in events.Scalars("loss/generator")] == list(range(1, 13))
    assert [event.value for event in events.Scalars("images_seen")] == [16.0 * update for update in range(1, 13)]
    for tag in ("quality/FID to training images", "quality/class accuracy"):
        assert [event.step for event in events.Scalars(tag)] == [4, 8, 12], "after every epoch"
    for tag in ("discriminator/D(x)", "discriminator/D(G(z))"):
        assert all(0 <= event.value <= 1 for event in events.Scalars(tag))


def test_every_third_update_and_the_last_are_logged(train):
    shown = read(train("trainer.max_epochs=2", "log_every_n_updates=3", "metrics.every_n_epochs=null"))
    assert [event.step for event in shown.Scalars("loss/generator")] == [3, 6, 8]


def test_the_norms_of_class_vectors_are_histograms(events):
    (folder,) = Path("runs").iterdir()
    assert set(events.Tags()["histograms"]) == {f"class vectors/{name} norms" for name in ("generator", "discriminator")}
    state = checkpoint_io.read(folder / "checkpoints" / "last.ckpt")["state_dict"]
    for name, vectors in (("generator", "conditioning.rows"), ("discriminator", "head.classes.weight")):
        found = events.Histograms(f"class vectors/{name} norms")
        assert [each.step for each in found] == [0, 4, 8, 12], "before the first update, then every epoch"
        norms = state[f"{name}.{vectors}"].norm(dim=1)
        last = found[-1].histogram_value
        assert last.num == 10
        assert (last.min, last.max, last.sum) == pytest.approx((norms.min().item(), norms.max().item(), norms.sum().item()))


def test_the_hparams_tab_has_settings_and_real_metrics(events):
    summaries = events.summary_metadata
    assert "hp_metric" not in events.Tags()["scalars"]
    experiment = plugin_data_pb2.HParamsPluginData.FromString(
        summaries["_hparams_/experiment"].plugin_data.content
    ).experiment  # fmt: skip
    settings = {info.name for info in experiment.hparam_infos}
    assert {"noise", "conditioning", "model.channels", "model.latent_dim", "seed"} <= settings
    metrics = {info.name.tag for info in experiment.metric_infos}
    assert metrics <= TAGS
    session = plugin_data_pb2.HParamsPluginData.FromString(
        summaries["_hparams_/session_start_info"].plugin_data.content
    ).session_start_info  # fmt: skip
    assert session.hparams["noise"].string_value == "uniform"
    assert session.hparams["model.channels"].number_value == 128


def test_a_run_that_goes_on_shows_each_update_once(train):
    """The stop comes after update 6; its events and those of the second sitting make one curve."""
    with pytest.raises(Interrupted):
        train("trainer.max_epochs=3", callbacks=[stop_at(6)])
    (folder,) = Path("runs").iterdir()
    train("trainer.max_epochs=3", "resume=auto")
    events = read(folder)
    assert len(list(folder.glob("events.*"))) == 2
    assert [event.step for event in events.Scalars("loss/generator")] == list(range(1, 13))
    assert [event.step for event in events.Images("samples/overview")] == [0, 4, 8, 12]
