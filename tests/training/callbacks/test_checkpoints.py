"""What a run keeps of its generator."""

import pytest
import safetensors.torch
import torch

from tests.helpers.runs import state


@pytest.mark.parametrize("name", ["generator.safetensors", "generator_best.safetensors"])
def test_both_weights_of_the_generator_are_kept(trained, name):
    """The raw ones and their average; after one look, the best state is the last one."""
    folder = trained("trainer.max_epochs=1", "run_root=kept")
    kept, module = safetensors.torch.load_file(folder / name), state(folder)["state_dict"]
    expected = {
        f"{weights}.{key.removeprefix(prefix)}": tensor
        for weights, prefix in (("raw", "generator."), ("ema", "ema.generator."))
        for key, tensor in module.items()
        if key.startswith(prefix)
    }
    torch.testing.assert_close(kept, expected, atol=0, rtol=0)
    assert not torch.equal(kept["raw.project.weight"], kept["ema.project.weight"])
