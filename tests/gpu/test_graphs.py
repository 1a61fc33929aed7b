"""Updates as CUDA graphs against the same ones launched kernel by kernel, to the bit, for every choice that is part of them."""

import pytest
import torch

from cgan_lightning.config.paths import CONF
from cgan_lightning.sampling import sampling
from tests.gpu.conftest import ON
from tests.helpers.training import Recorder, fit

GROUPS = (
    *("loss", "regularizer", "discriminator_label", "generator_normalization", "discriminator_normalization"),
    *("augmentation", "upsampling", "conditioning", "model", "noise"),
)
NEEDED = {  # what a choice can't do without, beside the default recipe
    "loss=wasserstein": ("regularizer=gradient_penalty",),
    "discriminator_normalization=batch": ("regularizer=none",),
    "conditioning=none": ("discriminator_label=plane",),
}
CHOICES = [f"{group}={file.stem}" for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]
FEW = ("data.batch_size=16", "data.limit=160")  # 10 updates an epoch


def updates(*overrides, graphs, count=23, **more):
    """Losses and weights after `count` updates: each kind of update is warmed up, captured and replayed by then."""
    recorder = Recorder()
    given = (*FEW, f"trainer.cuda_graphs={str(graphs).lower()}", f"trainer.updates_per_call={64 if graphs else 1}", *overrides)
    trainer, model, data = fit(*given, callbacks=[recorder], accelerator=ON, max_steps=count, max_epochs=-1, **more)
    captured = []
    recorder.on_train_end = lambda *_: captured.extend(model._as_graphs._replays)
    trainer.fit(model, datamodule=data)
    assert bool(captured) == (graphs and ON == "gpu")
    return recorder.losses, {name: value.cpu() for name, value in model.state_dict().items()}


def assert_same(*overrides, **more):
    losses, weights = updates(*overrides, graphs=True, **more)
    losses_one_by_one, weights_one_by_one = updates(*overrides, graphs=False, **more)
    assert losses == losses_one_by_one
    torch.testing.assert_close(weights, weights_one_by_one, atol=0, rtol=0)


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("choice", CHOICES)
def test_of_every_choice(choice):
    assert_same(choice, *NEEDED.get(choice, ()), recipe=())


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("interval", [1, 7, 50])
def test_of_the_documented_recipe_with_several_logging_intervals(interval):
    assert_same(f"log_every_n_updates={interval}")


@pytest.mark.usefixtures("deterministic")
def test_of_turns_that_never_come_together():
    assert_same("optimizer.discriminator_updates=3", "regularizer.interval=4", "log_every_n_updates=5", recipe=(), count=41)


@pytest.mark.usefixtures("deterministic")
def test_of_host_placement():
    assert_same("data.placement=host", "data.workers=0")


def test_in_half_precision_parameters_and_outputs_are_finite():
    trainer, model, data = fit(*FEW, accelerator=ON, recipe=(), max_steps=23, max_epochs=-1, precision="bf16-mixed")
    trainer.fit(model, datamodule=data)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    images = sampling.sample_grid(model.best_generator, model.prior, range(10), range(4))
    assert images.isfinite().all()
    assert images.std() > 0.01


@pytest.mark.usefixtures("deterministic")
def test_in_half_precision_too():
    assert_same(recipe=(), precision="bf16-mixed")
