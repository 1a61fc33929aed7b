"""What a run leaves for TensorBoard, read back by TensorBoard's own reader."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.hparams.backend_context import Context

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.storage import checkpoint_io
from cgan_lightning.utils.errors import Interrupted
from cgan_lightning.utils.images import grid
from tests.helpers.runs import NARROW, stop_at, wait_for_another_second

NETWORKS = ("generator", "discriminator")
SCALARS = {
    *("Val/FID to training images", "Val/class accuracy"),
    *("loss/discriminator", "loss/generator", "loss/penalty"),
    *("score/D(x)", "score/D(G(z))", "score/real", "score/fake"),
    *(f"training/{what} of the {network}" for what in ("gradient norm", "learning rate") for network in NETWORKS),
    *("training/images per second", "training/images seen"),
}


def read(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "histograms": 0})
    events.Reload()
    return events


def pixels(event) -> np.ndarray:
    with Image.open(io.BytesIO(event.encoded_image_string)) as image:
        return np.asarray(image)


@pytest.fixture
def events(trained) -> EventAccumulator:
    return read(trained("trainer.max_epochs=3", "callbacks.sample_grid.columns=4", "noise=uniform"))


def test_each_class_has_a_tag_and_there_is_an_overview(events):
    classes = [f"samples/{label} {name}" for label, name in enumerate(FASHION_MNIST.class_names)]
    assert sorted(events.Tags()["images"]) == sorted([*classes, "samples/overview"])
    for tag in classes:
        pictures = events.Images(tag)
        assert [picture.step for picture in pictures] == [0, 4, 8, 12], "before the first update, then every epoch"
        assert pixels(pictures[0]).shape[:2] == (30 * 4, (4 * 29 + 1) * 4)
        assert not np.array_equal(pixels(pictures[0]), pixels(pictures[-1]))


def test_images_of_a_class_are_in_rows_of_five_where_they_can_be(train):
    shown = read(train("trainer.max_steps=1", "validation.every_n_epochs=null", "callbacks.sample_grid.columns=10"))
    assert pixels(shown.Images("samples/3 Dress")[0]).shape[:2] == ((2 * 29 + 1) * 4, (5 * 29 + 1) * 4)


def test_a_column_is_the_same_image_seed_in_every_picture(events):
    """The last picture of a class is what `sample` draws for those seeds."""
    (folder,) = Path("runs").iterdir()
    trained = generator_file.load(folder)
    images = sampling.sample_grid(trained.network, trained.prior, [3], range(4))
    shown = pixels(events.Images("samples/3 Dress")[-1])
    assert np.array_equal(shown[..., 0] if shown.ndim == 3 else shown, grid(images))


def test_scalars_count_updates(events):
    assert set(events.Tags()["scalars"]) == SCALARS
    assert [event.step for event in events.Scalars("loss/generator")] == list(range(1, 13))
    assert [event.value for event in events.Scalars("training/images seen")] == [16.0 * update for update in range(1, 13)]
    for tag in ("Val/FID to training images", "Val/class accuracy"):
        assert [event.step for event in events.Scalars(tag)] == [4, 8, 12], "after every epoch"
    for tag in ("score/D(x)", "score/D(G(z))"):
        assert all(0 <= event.value <= 1 for event in events.Scalars(tag))


def test_validation_comes_first_and_histograms_last(events):
    """TensorBoard sorts groups of tags by name."""
    tags = events.Tags()
    groups = {tag.partition("/")[0]: kind for kind in ("scalars", "images", "histograms") for tag in tags[kind]}
    assert [(group, groups[group]) for group in sorted(groups)] == [
        *(("Val", "scalars"), ("loss", "scalars"), ("samples", "images"), ("score", "scalars")),
        *(("training", "scalars"), ("weights", "histograms")),
    ]


def test_scores_are_raw_and_no_probabilities_where_the_loss_makes_none(train):
    """What a critic loses is a difference of its scores, where nothing else is added."""
    critic = ("loss=wasserstein", "regularizer=none", "discriminator_normalization=spectral")
    shown = read(train(*critic, "trainer.max_epochs=1", "validation.every_n_epochs=null"))
    assert {tag for tag in shown.Tags()["scalars"] if tag.startswith("score/")} == {"score/real", "score/fake"}
    real, fake, loss = (
        np.array([event.value for event in shown.Scalars(tag)]) for tag in ("score/real", "score/fake", "loss/discriminator")
    )
    assert loss == pytest.approx(fake - real, abs=1e-5)


@pytest.mark.matrix
def test_learning_rates_fall_as_planned(train):
    """Linearly over 64 images, which are 4 updates."""
    decay = [f"optimizer.{network}.decay_images=64" for network in NETWORKS]
    shown = read(train("trainer.max_epochs=2", *decay, "optimizer.generator.lr=2e-3", "validation.every_n_epochs=null"))
    share = [1 - min(1, seen / 64) for seen in range(0, 128, 16)]
    for network, lr in {"generator": 2e-3, "discriminator": 1e-3}.items():
        rates = [event.value for event in shown.Scalars(f"training/learning rate of the {network}")]
        assert rates == pytest.approx([1e-4 + (lr - 1e-4) * part for part in share])


@pytest.mark.matrix
def test_a_lazy_penalty_is_the_latest_one_and_not_as_many_times_as_strong(train):
    """It is at updates 1 and 5. Weights are the same at the first: so is the penalty."""
    found = {}
    for every in (1, 4):
        options = (f"regularizer.interval={every}", f"run_root=every{every}", "validation.every_n_epochs=null")
        events = read(train("trainer.max_steps=6", "trainer.max_epochs=2", *options))
        found[every] = [event.value for event in events.Scalars("loss/penalty")]
    assert found[4][0] == pytest.approx(found[1][0])
    assert found[4] == [found[4][0]] * 4 + [found[4][4]] * 2
    assert len({*found[1]}) == 6


def test_a_run_that_goes_on_has_the_penalty_that_it_had(train):
    """Stopped after update 6, its next penalty is at update 9."""
    with pytest.raises(Interrupted):
        train("trainer.max_epochs=2", callbacks=[stop_at(6)])
    (folder,) = Path("runs").iterdir()
    wait_for_another_second()
    train("trainer.max_epochs=2", "resume=auto")
    penalties = [event.value for event in read(folder).Scalars("loss/penalty")]
    assert penalties[4] == penalties[5] == penalties[6] == penalties[7] != penalties[3]


def test_every_third_update_and_the_last_are_logged(train):
    shown = read(train("trainer.max_epochs=2", "log_every_n_updates=3", "validation.every_n_epochs=null"))
    assert [event.step for event in shown.Scalars("loss/generator")] == [3, 6, 8]


def test_the_norms_of_class_vectors_are_histograms(events):
    (folder,) = Path("runs").iterdir()
    assert set(events.Tags()["histograms"]) == {f"weights/class vector norms of the {name}" for name in NETWORKS}
    state = checkpoint_io.read(folder / "checkpoints" / "last.ckpt")["state_dict"]
    for name, vectors in (("generator", "conditioning.rows"), ("discriminator", "head.classes.weight")):
        found = events.Histograms(f"weights/class vector norms of the {name}")
        assert [each.step for each in found] == [0, 4, 8, 12], "before the first update, then every epoch"
        norms = state[f"{name}.{vectors}"].norm(dim=1)
        last = found[-1].histogram_value
        assert last.num == 10
        assert (last.min, last.max, last.sum) == pytest.approx((norms.min().item(), norms.max().item(), norms.sum().item()))


@pytest.mark.matrix
def test_the_hparams_tab_opens_with_what_was_swept_and_with_fid(train):
    """By TensorBoard's own account of two runs: five settings and five metrics are shown unasked."""
    for noise in ("uniform", "randn"):
        train("trainer.max_epochs=1", "data.limit=32", "validation.samples=100", f"noise={noise}")
    experiment = hparams_of(Path("runs"))
    settings = [info.name for info in experiment.hparam_infos]
    assert settings[0] == "noise"
    narrow = {word.partition("=")[0] for word in NARROW}
    assert set(settings) <= {"noise", "model.channels", "seed", "data.limit", "data.batch_size"} | narrow
    metrics = [info.name.tag for info in experiment.metric_infos]
    assert metrics[:2] == ["Val/FID to training images", "Val/class accuracy"]
    assert "hp_metric" not in metrics


def test_the_hparams_tab_has_a_runs_settings(events):
    session = plugin_data_pb2.HParamsPluginData.FromString(
        events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    ).session_start_info  # fmt: skip
    assert session.hparams["noise"].string_value == "uniform"
    assert session.hparams["model.channels"].number_value == 256


def hparams_of(folder: Path):
    """What TensorBoard's server answers of the runs in `folder`."""
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(folder))
    server = Context(TBContext(data_provider=provider))
    ctx = RequestContext()
    return server.experiment_from_metadata(ctx, "", True, server.hparams_metadata(ctx, ""), None)


def test_a_run_that_goes_on_shows_each_update_once(train):
    """The stop comes after update 6; its events and those of the second sitting make one curve."""
    with pytest.raises(Interrupted):
        train("trainer.max_epochs=3", callbacks=[stop_at(6)])
    (folder,) = Path("runs").iterdir()
    wait_for_another_second()
    train("trainer.max_epochs=3", "resume=auto")
    events = read(folder)
    assert len(list(folder.glob("events.*"))) == 2
    assert [event.step for event in events.Scalars("loss/generator")] == list(range(1, 13))
    assert [event.step for event in events.Images("samples/overview")] == [0, 4, 8, 12]
