"""The exported graph draws what PyTorch draws, for any number of z, with fractional labels too."""

import onnxruntime
import pytest
import torch

from cgan_lightning.config import build, build_model
from cgan_lightning.exploration import onnx_export
from cgan_lightning.exploration.page import axes
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.utils.images import without_border
from tests.helpers.configs import composed

CHOICES = (
    ("model=documented", "conditioning=embedding"),
    ("model=documented", "conditioning=onehot", "noise=uniform", "upsampling=bilinear"),
    ("model=documented", "conditioning=embedding", "generator_normalization=conditional_batch", "upsampling=transposed"),
    ("model=residual", "conditioning=embedding"),
    ("model=convolutional", "conditioning=embedding"),
    ("model=residual", "conditioning=onehot", "generator_normalization=conditional_batch"),
    ("model=documented", "data.image_size=32", "model.stages=3"),
)


def trained(path, *overrides):
    """A generator with what training gives its normalisations: statistics other than 0 and 1."""
    config = composed("model.channels=64", *overrides)
    model_spec = build_model.model_spec(config, build.data(config))
    network = build_model.model(config, model_spec).generator
    network.train()
    with torch.no_grad():
        network(torch.randn(64, network.latent_dim, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 10)
    generator_file.save(path / generator_file.FILE_NAME, model_spec, raw=network, ema=None)
    return generator_file.load(path)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("choices", CHOICES, ids=lambda choices: " ".join(choices))
def test_the_graph_draws_what_pytorch_draws(tmp_path, choices):
    generator = trained(tmp_path, *choices)
    onnx_export.write(generator, tmp_path / "generator.onnx", size=28)
    session = onnxruntime.InferenceSession(str(tmp_path / "generator.onnx"), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["z", "labels"]
    assert [each.name for each in session.get_outputs()] == ["images"]
    for count in (1, 7):
        z = sampling.latents(generator.prior, generator.latent_dim, range(count))
        fractions = torch.rand(count, 10, generator=torch.Generator().manual_seed(count)).softmax(1)
        for labels in (fractions, torch.eye(10)[:count]):
            (found,) = session.run(None, {"z": z.numpy(), "labels": labels.numpy()})
            drawn = without_border(sampling.sample(generator.network, z, labels), 28)
            torch.testing.assert_close(torch.from_numpy(found), drawn, atol=1e-4, rtol=0)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("choices", CHOICES[:4:3], ids=lambda choices: choices[0])
def test_directions_are_unit_vectors_and_the_same_again(tmp_path, choices):
    generator = trained(tmp_path, *choices)
    found, again = axes(generator), axes(generator)
    for name, vectors in found.items():
        assert vectors.shape == (8, generator.latent_dim), name
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(8))
        torch.testing.assert_close(vectors, again[name])


@pytest.mark.long
def test_the_first_sefa_direction_moves_the_first_layer_most(tmp_path):
    generator = trained(tmp_path)
    weights = generator.network.project.weight.detach()[:, : generator.latent_dim]
    moved = (axes(generator)["sefa"] @ weights.T).norm(dim=1)
    assert (moved.diff() <= 1e-5).all()
    assert moved[0] >= (axes(generator)["random"] @ weights.T).norm(dim=1).max()
