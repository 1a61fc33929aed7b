"""The order of updates: against a plain script, update by update, and against the counter that all else relies on."""

import pytest
import torch
from lightning import Callback
from torch._subclasses.fake_tensor import FakeTensorMode

from experiments.bench import plain_script
from tests.helpers.training import Recorder, copy_in_order, drawn, fit, trained

pytestmark = pytest.mark.training


class Rows(Callback):
    """How far each update moves each row of the generator's embedding, in absolute value, and whether its class was drawn."""

    def __init__(self):
        self.moved, self.drawn, self.gradients = [], [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.before = pl_module.generator.conditioning.rows.detach().clone()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        rows = pl_module.generator.conditioning.rows
        labels = drawn(pl_module, trainer.global_step - 1, batch[1][0]).labels[0]
        self.moved.append((rows.detach() - self.before).abs().mean(1))
        self.gradients.append(rows.grad.abs().mean(1))
        self.drawn.append(torch.isin(torch.arange(len(rows)), labels))


@pytest.mark.parametrize(("precision", "updates", "tolerance"), [("64-true", 20, 1e-9), ("32-true", 5, 1e-4)])
def test_losses_equal_a_plain_scripts(precision, updates, tolerance):
    recorder = Recorder()
    trainer, model, data = fit("data.batch_size=16", callbacks=[recorder], max_steps=updates, precision=precision)
    generator, discriminator = plain_script.Generator(), plain_script.Discriminator()
    copy_in_order(model.generator, generator)
    copy_in_order(model.discriminator, discriminator)
    trainer.fit(model, datamodule=data)

    dtype = next(model.parameters()).dtype
    expected = list(plain_script.updates(generator.to(dtype), discriminator.to(dtype), recorder.inputs))
    assert len(expected) == updates
    torch.testing.assert_close(recorder.losses, expected, atol=tolerance, rtol=0)


def test_inputs_have_the_precision_of_the_networks(train):
    """Here z is alone in its layer: nothing else makes it double."""
    train(
        "trainer.precision=64-true",
        "generator_normalization=conditional_batch",
        "trainer.max_steps=1",
        "validation.every_n_epochs=null",
    )


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


@pytest.mark.sampled(2)
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


PENALTIES = ["r1_r2", *(pytest.param(name, marks=pytest.mark.matrix) for name in ("r1", "gradient_penalty"))]


@pytest.fixture(scope="module", params=PENALTIES)
def one_by_one(request, tmp_path_factory):
    penalty = f"regularizer={request.param}"
    return penalty, *trained(tmp_path_factory.mktemp("one_by_one"), penalty)


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("updates_per_call", "interval", "stops", "ticks"),
    [
        (4, 6, (), [4, 6, 8, 12, 16, 18, 19]),
        (64, 6, (), [6, 8, 12, 16, 18, 19]),
        (64, 1, (), [*range(1, 20)]),
        (64, 50, (), [8, 16, 19]),
        (3, 50, (1, 10, 14), [1, 4, 7, 8, 10, 13, 14, 16, 19]),
        (64, 7, (5,), [5, 7, 8, 14, 16, 19]),
    ],
)
def test_however_updates_are_called_and_wherever_they_stop_they_are_the_same(
    one_by_one, updates_per_call, interval, stops, ticks, tmp_path
):
    """To the bit: a call may start at any update, and ends where something is logged, at an epoch's end and at the run's."""
    penalty, expected, weights = one_by_one
    overrides = (penalty, f"log_every_n_updates={interval}")
    recorder, ends = trained(tmp_path, *overrides, stops=stops, updates_per_call=updates_per_call)
    assert expected.ticks == [*range(1, 20)]
    assert recorder.ticks == ticks
    assert recorder.losses == expected.losses
    torch.testing.assert_close(ends, weights, atol=0, rtol=0)


def test_what_is_measured_is_of_a_calls_last_update():
    measured = {}
    for updates_per_call in (1, 4):
        recorder, outputs = Recorder(), []
        recorder.on_train_batch_end = lambda trainer, module, output, *_, kept=outputs: kept.append(output)
        trainer, model, data = fit(f"trainer.updates_per_call={updates_per_call}", callbacks=[recorder], max_steps=4)
        trainer.fit(model, datamodule=data)
        measured[updates_per_call] = {name: value[-1].item() for name, value in outputs[-1].items()}
    assert len(outputs) == 1
    losses, scores = {"loss_d", "loss_g"}, {"d_real", "d_fake", "score_real", "score_fake"}
    assert set(measured[4]) == losses | scores | {"gradient_d", "gradient_g"}
    assert measured[1] == measured[4]


def test_the_generator_has_its_turn_after_so_many_updates_of_the_discriminator(monkeypatch):
    trainer, model, data = fit("optimizer.discriminator_updates=3", max_steps=7, max_epochs=-1)
    steps, own = [], type(model)._step
    monkeypatch.setattr(type(model), "_step", lambda self, *given: steps.append(given[1]) or own(self, *given))
    trainer.fit(model, datamodule=data)
    d, g = model.discriminator, model.generator
    assert steps == [d, d, d, g, d, d, d, g, d]
    assert trainer.global_step == 7


def test_a_lazy_penalty_comes_at_every_so_many_updates(monkeypatch):
    overrides = ("discriminator_normalization=none", "regularizer=r1", "regularizer.interval=3")
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
    seen, own = [], type(model)._discriminate
    monkeypatch.setattr(
        type(model), "_discriminate", lambda self, inputs, **more: seen.append(inputs[1]) or own(self, inputs, **more)
    )
    trainer.fit(model, datamodule=data)
    assert len(seen) > 1
    assert all(torch.equal(part, seen[0][: len(part)]) for labels in seen for part in labels.split(64))


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
