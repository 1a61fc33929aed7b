"""The order of updates: against a plain script, update by update, and against the counter that all else relies on."""

import pytest
import torch
from lightning import Callback, Trainer
from torch._subclasses.fake_tensor import FakeTensorMode

from cgan_lightning.config import build, build_model
from cgan_lightning.config.compose import compose
from cgan_lightning.errors import UserError
from experiments.bench import plain_script
from tests.conftest import copy_in_order


class Rows(Callback):
    """How far each update moves each row of the generator's embedding, in absolute value, and whether its class was drawn."""

    def __init__(self):
        self.moved, self.drawn, self.gradients = [], [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.before = pl_module.generator.conditioning.rows.detach().clone()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        rows = pl_module.generator.conditioning.rows
        _, labels = pl_module.draw(trainer.global_step - 1, batch[0][0])
        self.moved.append((rows.detach() - self.before).abs().mean(1))
        self.gradients.append(rows.grad.abs().mean(1))
        self.drawn.append(torch.isin(torch.arange(len(rows)), labels))


class Recorder(Callback):
    """What went into each update, and what came out."""

    def __init__(self):
        self.inputs, self.losses, self.ticks = [], [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        first = trainer.global_step - len(batch[0])
        for update, (real, labels) in enumerate(zip(*batch, strict=True), first):
            self.inputs.append((real, labels, *pl_module.draw(update, real)))
        self.losses += zip(outputs["loss_d"].tolist(), outputs["loss_g"].tolist(), strict=True)
        self.ticks.append(trainer.global_step)


def fit(*overrides: str, callbacks=(), **trainer_options):
    config = compose("experiment=documented", "data.limit=512", *overrides)
    data = build.data(config)
    model = build_model.model(config, build_model.recipe(config, data))
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=list(callbacks), **trainer_options,
    )  # fmt: skip
    return trainer, model, data


@pytest.mark.parametrize(("precision", "updates", "tolerance"), [("64-true", 20, 1e-9), ("32-true", 5, 1e-4)])
def test_losses_equal_a_plain_scripts(precision, updates, tolerance):
    recorder = Recorder()
    trainer, model, data = fit(callbacks=[recorder], max_steps=updates, precision=precision)
    generator, discriminator = plain_script.Generator(), plain_script.Discriminator()
    copy_in_order(model.generator, generator)
    copy_in_order(model.discriminator, discriminator)
    trainer.fit(model, datamodule=data)

    dtype = next(model.parameters()).dtype
    expected = list(plain_script.updates(generator.to(dtype), discriminator.to(dtype), recorder.inputs))
    assert len(expected) == updates
    torch.testing.assert_close(recorder.losses, expected, atol=tolerance, rtol=0)


def test_one_tick_is_one_update_of_each_network():
    recorder = Recorder()
    trainer, model, data = fit(callbacks=[recorder], max_steps=11, max_epochs=-1)  # 8 updates an epoch
    trainer.fit(model, datamodule=data)
    assert recorder.ticks == list(range(1, 12))
    for optimizer in trainer.optimizers:
        assert {int(state["step"]) for state in optimizer.state.values()} == {11}


def test_each_phase_trains_its_own_network_alone():
    """D's weights get no gradient in G's phase: what D has after an update is what its own phase gave it."""
    trainer, model, data = fit(max_steps=1)
    grads = []

    def record(*_):
        grads.append([parameter.grad.clone() for parameter in model.discriminator.parameters()])

    make = model.optimizers_of["discriminator"]

    def with_hook(parameters):
        optimizer = make(parameters)
        optimizer.register_step_pre_hook(record)
        return optimizer

    model.optimizers_of["discriminator"] = with_hook
    trainer.fit(model, datamodule=data)
    torch.testing.assert_close([parameter.grad for parameter in model.discriminator.parameters()], grads[0])
    assert all(parameter.requires_grad for parameter in model.discriminator.parameters())


@pytest.mark.parametrize(("betas", "share"), [([0.5, 0.999], (0.1, 0.7)), ([0.0, 0.99], (0, 0))])
def test_a_row_without_a_gradient_moves_by_adams_momentum_alone(betas, share):
    """The row of a class that isn't drawn has no gradient. With beta1 = 0.5 it goes on; with 0 it stands still."""
    rows = Rows()
    few = ("data.batch_size=8", "data.limit=400", "data.balanced=false", f"optimizer.generator.betas={betas}")
    trainer, model, data = fit(*few, callbacks=[rows], max_steps=50)
    trainer.fit(model, datamodule=data)
    drawn, moved = torch.stack(rows.drawn), torch.stack(rows.moved)
    assert 100 < (~drawn).sum() < 400, "of 50 updates and 10 classes, four of ten are left out"
    assert torch.stack(rows.gradients)[~drawn].max() == 0 < torch.stack(rows.gradients)[drawn].min()
    ratio = (moved[~drawn].mean() / moved[drawn].mean()).item()
    assert share[0] <= ratio <= share[1], ratio


def test_draws_depend_on_seed_and_update_alone():
    trainer, model, data = fit(max_steps=1)
    trainer.fit(model, datamodule=data)
    like = torch.zeros(64, 1, 28, 28)
    z, labels = model.draw(7, like)
    model.draw(8, like)
    again, labels_again = model.draw(7, like)
    assert torch.equal(z, again)
    assert torch.equal(labels, labels_again)
    assert not torch.equal(z, model.draw(8, like)[0])
    assert labels.unique().tolist() == list(range(10))


def test_updates_done_at_once_are_those_done_one_by_one():
    """19 updates at 8 an epoch, from call to call: 4 4, 4 4, then 2 single ones and what `max_steps` leaves."""
    ends = {}
    for updates_per_call in (1, 4):
        recorder = Recorder()
        overrides = (f"trainer.updates_per_call={updates_per_call}", "log_every_n_updates=4")
        trainer, model, data = fit(*overrides, callbacks=[recorder], max_steps=19, max_epochs=-1)
        trainer.fit(model, datamodule=data)
        ends[updates_per_call] = {**model.state_dict()}, recorder
    assert ends[4][1].ticks == [4, 8, 12, 16, 17, 18, 19]
    assert ends[1][1].losses == ends[4][1].losses
    torch.testing.assert_close(ends[1][0], ends[4][0], atol=0, rtol=0)


RICH = (  # what has turns or random numbers of its own
    *("discriminator_normalization=none", "discriminator_label=projection", "loss=relativistic", "augmentation=diffaugment"),
    *("optimizer.discriminator.decay_images=600", "data.balanced=true"),
)


@pytest.mark.parametrize("penalty", ["r1_r2", "gradient_penalty"])
def test_a_richer_recipes_updates_done_at_once_are_those_done_one_by_one(penalty):
    losses = {}
    for updates_per_call in (1, 4):
        recorder = Recorder()
        overrides = (f"trainer.updates_per_call={updates_per_call}", "log_every_n_updates=4", f"regularizer={penalty}")
        turns = ("regularizer.every=4", "optimizer.discriminator_updates=2")
        trainer, model, data = fit(*overrides, *RICH, *turns, callbacks=[recorder], max_steps=10, max_epochs=-1)
        trainer.fit(model, datamodule=data)
        losses[updates_per_call] = recorder.losses
    assert losses[1] == losses[4]


def test_the_generator_has_its_turn_after_so_many_updates_of_the_discriminator(monkeypatch):
    trainer, model, data = fit("optimizer.discriminator_updates=3", max_steps=7, max_epochs=-1)
    steps, own = [], type(model)._step
    monkeypatch.setattr(type(model), "_step", lambda self, *given: steps.append(given[1]) or own(self, *given))
    trainer.fit(model, datamodule=data)
    d, g = model.discriminator, model.generator
    assert steps == [d, d, d, g, d, d, d, g, d]
    assert trainer.global_step == 7


def test_a_lazy_penalty_comes_at_every_so_many_updates(monkeypatch):
    overrides = ("discriminator_normalization=none", "regularizer=r1", "regularizer.every=3")
    trainer, model, data = fit(*overrides, max_steps=7, max_epochs=-1)
    seen = []
    penalty = model.penalty
    monkeypatch.setattr(type(penalty), "__call__", lambda self, *given: seen.append(trainer.global_step) or torch.zeros(64))
    trainer.fit(model, datamodule=data)
    assert seen == [0, 3, 6]


@pytest.mark.parametrize(
    "paired", [("loss=relativistic",), ("discriminator_normalization=none", "regularizer=gradient_penalty")]
)
def test_pairs_are_of_one_class(paired, monkeypatch):
    trainer, model, data = fit(*paired, max_steps=1)
    seen, own = [], type(model)._judged
    monkeypatch.setattr(type(model), "_judged", lambda self, *given, **more: seen.append(given[1]) or own(self, *given, **more))
    trainer.fit(model, datamodule=data)
    assert all(torch.equal(labels, seen[0]) for labels in seen)


def test_balanced_labels_are_as_many_of_each_class():
    trainer, model, data = fit("data.balanced=true", max_steps=1)
    trainer.fit(model, datamodule=data)
    like = torch.zeros(64, 1, 28, 28)
    assert sorted(model.draw(7, like)[1].bincount(minlength=10).tolist()) == [6] * 6 + [7] * 4
    assert not torch.equal(model.draw(7, like)[1], model.draw(8, like)[1])


def test_learning_rates_fall_each_by_its_own_count():
    """600 images are 9.4 updates: half a cosine from 2e-4 to 1e-5 for D, 2e-4 throughout for G."""
    overrides = ("optimizer.discriminator.decay_images=600", "optimizer.discriminator.final_lr=1e-5")
    trainer, model, data = fit(*overrides, max_steps=12, max_epochs=-1)
    rates = []
    model.on_train_batch_end = lambda *_: rates.append([float(each.param_groups[0]["lr"]) for each in trainer.optimizers])
    trainer.fit(model, datamodule=data)
    generator, discriminator = zip(*rates, strict=True)
    assert set(generator) == {2e-4}
    assert discriminator[0] == 2e-4
    assert list(discriminator[:10]) == sorted(discriminator[:10], reverse=True)
    assert discriminator[10:] == pytest.approx([1e-5, 1e-5])


@pytest.mark.parametrize(("device", "dtype"), [("cpu", torch.float64), ("cuda", torch.float32)])
def test_the_learning_rate_has_the_dtype_that_the_devices_kernel_reads(device, dtype, monkeypatch):
    """Fake tensors have a device without there being one: what `on_train_start` leaves for CUDA is seen on any machine."""
    trainer, model, data = fit(max_steps=1)
    trainer.fit(model, datamodule=data)
    monkeypatch.setattr(type(model), "device", torch.device(device))
    with FakeTensorMode(allow_non_fake_inputs=True):
        model.on_train_start()
    for optimizer in trainer.optimizers:
        (group,) = optimizer.param_groups
        assert (group["lr"].device.type, group["lr"].dtype) == (device, dtype)
        assert group["fused"]
        assert group["capturable"] == (device == "cuda")


def test_turns_that_do_not_fit_into_a_call_are_refused():
    with pytest.raises(UserError, match="must be 1 or a multiple of 6"):
        build.data(
            compose(
                "discriminator_normalization=none", "regularizer=r1", "regularizer.every=2", "log_every_n_updates=8",
                "optimizer.discriminator_updates=3", "trainer.updates_per_call=4",
            )
        )  # fmt: skip
