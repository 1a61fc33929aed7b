"""20 documented updates against the plain script, in double precision on the device."""

import pytest
import torch

from experiments.bench import plain_script
from tests.gpu.conftest import ON
from tests.helpers.training import Recorder, copy_in_order, fit


@pytest.mark.parametrize("updates_per_call", [1, 64])
def test_losses_equal_a_plain_scripts(updates_per_call):
    recorder = Recorder()
    trainer, model, data = fit(
        f"trainer.updates_per_call={updates_per_call}", "trainer.cuda_graphs=" + ("false" if updates_per_call == 1 else "true"),
        callbacks=[recorder], accelerator=ON, max_steps=20, precision="64-true",
    )  # fmt: skip
    generator, discriminator = plain_script.Generator(), plain_script.Discriminator()
    copy_in_order(model.generator, generator)
    copy_in_order(model.discriminator, discriminator)
    trainer.fit(model, datamodule=data)

    device = recorder.inputs[0][0].device
    rate = torch.tensor(2e-4).item() if ON == "gpu" else 2e-4  # fused Adam on CUDA takes a float32
    expected = plain_script.updates(
        generator.to(device, torch.float64), discriminator.to(device, torch.float64), recorder.inputs, lr=rate
    )
    torch.testing.assert_close(recorder.losses, list(expected), atol=1e-9, rtol=0)
