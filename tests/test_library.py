"""The project as a library: the public functions, and its parts in a Trainer of the user's own."""

import csv
from pathlib import Path

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import cgan_lightning
from cgan_lightning import ConditionalGAN, ImageData, build_training, load_generator, load_training, networks, sample
from cgan_lightning.training.callbacks.sample_grid import SampleGrid
from cgan_lightning.utils.errors import UserError
from tests.helpers.runs import small, state

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore")]  # Lightning's advice
FEW = ("data.limit=64", "data.batch_size=16", "model.channels=64")
QUIET = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False, "log_every_n_steps": 1}


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A Trainer writes into the current folder."""
    monkeypatch.chdir(tmp_path)


class Recorder(Callback):
    """The labels of each batch."""

    def __init__(self) -> None:
        self.labels: list[list[int]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.labels.append(batch[1].tolist())


class Linear(LightningModule):
    """A module of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.shapes = torch.nn.Linear(28 * 28, 10), set()

    def training_step(self, batch, batch_idx):
        images, labels = batch
        self.shapes.add((tuple(images.shape), tuple(labels.shape)))
        return torch.nn.functional.cross_entropy(self.layer(images.flatten(1)), labels)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_losses_are_logged_and_can_be_monitored(tmp_path):
    module, data = build_training(*FEW)
    best = ModelCheckpoint(tmp_path, monitor="loss_d")
    trainer = Trainer(max_epochs=2, logger=CSVLogger(tmp_path), callbacks=[EarlyStopping("loss_g", patience=9), best], **QUIET)
    trainer.fit(module, datamodule=data)
    assert {"loss_d", "loss_g", "score_real", "score_fake"} <= trainer.callback_metrics.keys()
    assert Path(best.best_model_path).is_file()
    (file,) = tmp_path.rglob("metrics.csv")
    losses = [float(row["loss_d"]) for row in csv.DictReader(file.open()) if row["loss_d"]]
    assert len(losses) == trainer.global_step == 8
    assert len(set(losses)) > 1


def test_a_run_of_train_logs_them_once(trained):
    events = EventAccumulator(str(trained("trainer.max_epochs=1")))
    events.Reload()
    assert not {"loss_d", "loss_g"} & {*events.Tags()["scalars"]}


def test_overfitting_batches_takes_the_same_ones(tmp_path):
    module, data = build_training(*FEW)
    recorder = Recorder()
    Trainer(max_epochs=3, overfit_batches=1, logger=False, enable_checkpointing=False, callbacks=[recorder], **QUIET).fit(
        module, datamodule=data
    )
    assert len(recorder.labels) == 3
    assert recorder.labels[0] == recorder.labels[1] == recorder.labels[2]


def test_callbacks_count_the_epochs_of_another_trainer(tmp_path):
    module, data = build_training(*FEW)
    logger = TensorBoardLogger(tmp_path)
    trainer = Trainer(max_epochs=2, logger=logger, callbacks=[SampleGrid(columns=1, every_n_epochs=1)], **QUIET)
    trainer.fit(module, datamodule=data)
    events = EventAccumulator(logger.log_dir)
    events.Reload()
    assert [event.step for event in events.Images("samples/overview")] == [0, 4, 8]


def test_a_callback_without_the_data_module_says_what_it_needs(tmp_path):
    module, data = build_training(*FEW)
    trainer = Trainer(max_steps=1, logger=False, callbacks=[SampleGrid(columns=1, every_n_epochs=1)], **QUIET)
    with pytest.raises(UserError, match=r"give trainer\.fit an ImageData as datamodule="):
        trainer.fit(module, train_dataloaders=data.train_dataloader())


@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_data_serves_a_module_of_another_kind(tmp_path, accumulated):
    """Every image once an epoch, in another order each time, however many batches make a step."""
    module, recorder = Linear(), Recorder()
    data = ImageData(batch_size=16, limit=64)
    settings = {"accumulate_grad_batches": accumulated, "logger": False, "enable_checkpointing": False, "callbacks": [recorder]}
    Trainer(max_epochs=2, **settings, **QUIET).fit(module, datamodule=data)
    assert module.shapes == {((16, 1, 28, 28), (16,))}
    first, second = ([label for batch in recorder.labels[part] for label in batch] for part in (slice(4), slice(4, None)))
    assert sorted(first) == sorted(second) == sorted(data.labels.tolist())
    assert first != second


@pytest.mark.parametrize("placement", ["device", "host"])
def test_the_data_needs_no_trainer(placement):
    loader = ImageData(batch_size=16, limit=64, placement=placement).train_dataloader()
    images, labels = next(iter(loader))
    assert (images.shape, labels.shape, len(loader)) == ((16, 1, 28, 28), (16,), 4)
    assert images.min() >= -1
    assert images.max() <= 1


def test_what_is_not_supported_says_so(tmp_path):
    module, data = build_training(*FEW)
    with pytest.raises(UserError, match=r"^strategy=DDPStrategy: .* trainer=ddp"):
        Trainer(max_steps=1, strategy="ddp", devices=1, logger=False, **QUIET).fit(module, datamodule=data)
    torch.distributed.destroy_process_group()  # Lightning's
    with pytest.raises(UserError, match="load_training"):
        ConditionalGAN.load_from_checkpoint("last.ckpt")


def test_a_run_from_python(tmp_path, monkeypatch, caplog):
    """While a Hydra of the user's own is initialised."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(tmp_path / "conf")):
        theirs = GlobalHydra.instance().hydra
        run = cgan_lightning.train(*small("trainer.max_epochs=1", "validation.samples=100"))
        assert GlobalHydra.instance().hydra is theirs
        assert cgan_lightning.train(*small("trainer.max_epochs=1", "validation.samples=100")) == run, "not trained again"
        results = cgan_lightning.evaluate(run, "samples=100")
    assert results is not None
    assert results["samples"]["fid"] > results["real_baseline"]["fid"]
    generator, training = load_generator(run), load_training(run)
    images = sample(generator, ["Dress", {"Bag": 0.5, "Shirt": 0.5}], count=3)
    assert images.shape == (2, 3, 1, 28, 28)
    assert training.updates == 4
    weights = state(run)["state_dict"]
    for prefix, network in (
        ("generator.", training.generator), ("discriminator.", training.discriminator), ("ema.generator.", training.ema),
    ):  # fmt: skip
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, weights[prefix + name])
    assert torch.equal(
        generator.network(torch.zeros(1, 24), torch.tensor([3])), training.ema(torch.zeros(1, 24), torch.tensor([3]))
    )


def test_networks_by_their_names():
    generator, discriminator = networks("model=residual", "model.channels=64")
    images = generator(torch.zeros(2, 24), torch.tensor([0, 9]))
    assert images.shape == (2, 1, 28, 28)
    assert discriminator(images, torch.tensor([0, 9])).shape == (2,)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no .*last.ckpt; give a run folder"):
        load_training(tmp_path)
