"""The updates of `train` in a bare loop: the package's networks, images in memory, no Lightning.

An upper bound for `train`: no callbacks, log, progress or checkpoints. On a GPU each update is a CUDA graph.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import softplus

from cgan_lightning.config import build, build_model
from cgan_lightning.config.compose import compose
from cgan_lightning.data import splits
from cgan_lightning.models.convolution import differentiable_twice
from cgan_lightning.models.normalization import batches_end_to_end
from cgan_lightning.storage import memory
from cgan_lightning.training.cuda_graph import CUDAGraphs, Result
from cgan_lightning.training.penalties import DOutput
from cgan_lightning.utils.images import normalise
from experiments.bench.recipes import RECIPES

AT_ONCE = 64  # updates whose inputs are drawn together, on a GPU


def update(recipe: str, *, channels: int, batch_size: int, device: torch.device) -> tuple[Callable[..., Result], int]:
    """Return a function that updates both networks and the EMA, from (penalised, real, labels, z, fake labels, EMA weight), and
    the interval of penalised updates, 0 for never.
    """
    config = compose(*RECIPES[recipe], f"model.channels={channels}", f"data.batch_size={batch_size}")
    model = build_model.model(config, build_model.model_spec(config, build.data(config))).to(device)
    generator, discriminator, ema, penalty = model.generator, model.discriminator, model.ema, model.penalty
    settings = (config.optimizer.generator, config.optimizer.discriminator)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), lr=of.lr, betas=tuple(of.betas), fused=True, capturable=device.type == "cuda")
        for network, of in zip((generator, discriminator), settings, strict=True)
    )

    def loss_d(real: Tensor, labels: Tensor, fake: Tensor, fake_labels: Tensor, penalised: bool) -> Tensor:
        if not penalised:
            with batches_end_to_end(2):
                logits = discriminator(torch.cat([real, fake]), torch.cat([labels, fake_labels]))
            return (softplus(-logits[: len(real)]) + softplus(logits[len(real) :])).mean()
        with differentiable_twice():
            real = real.requires_grad_()
            real_logits, fake_logits = discriminator(real, labels), discriminator(fake, fake_labels)
            loss = (softplus(-real_logits) + softplus(fake_logits)).mean()
            outputs = (
                DOutput(real, labels, real_logits, None),
                DOutput(fake, fake_labels, fake_logits, None),
            )
            assert penalty is not None  # noqa: S101
            return loss + penalty(discriminator, *outputs, real[:, 0, 0, :0]).mean()

    def run(penalised: bool, real: Tensor, labels: Tensor, z: Tensor, fake_labels: Tensor, weight: Tensor) -> Result:
        fake = generator(z, fake_labels)
        d_optimizer.zero_grad()
        of_d = loss_d(real.detach(), labels, fake.detach(), fake_labels, penalised)
        of_d.backward(inputs=[*discriminator.parameters()])
        d_optimizer.step()
        g_optimizer.zero_grad()
        of_g = softplus(-discriminator(fake, fake_labels)).mean()
        of_g.backward(inputs=[*generator.parameters()])
        g_optimizer.step()
        ema.update(generator, weight)  # pyright: ignore[reportOptionalMemberAccess]  both recipes have EMA
        return torch.stack([of_d.detach(), of_g.detach()]), {}

    return run, penalty.interval if penalty else 0


def images_per_second(folder: Path, *, recipe: str, channels: int, batch_size: int, timed: int, device: torch.device) -> float:
    """Return the speed of `timed` updates after warm-up."""
    memory.keep_freed()
    pixels, classes = (part.to(device) for part in splits.of_training(folder / "FashionMNIST" / "raw"))
    one, every = update(recipe, channels=channels, batch_size=batch_size, device=device)
    latent_dim = compose(*RECIPES[recipe]).model.latent_dim
    at_once = AT_ONCE if device.type == "cuda" else 1
    graphs = CUDAGraphs(one)

    def updates(first: int, count: int) -> None:
        order = torch.randperm(len(pixels), device=device)
        for done in range(0, count, at_once):
            rows = order[torch.arange(done * batch_size, (done + at_once) * batch_size, device=device) % len(pixels)]
            rows = rows.view(at_once, batch_size)
            z = torch.randn(at_once, batch_size, latent_dim, device=device)
            fake_labels = torch.randint(10, (at_once, batch_size), device=device)
            inputs = normalise(pixels[rows]), classes[rows], z, fake_labels, torch.full((at_once,), 0.004, device=device)
            kinds = [bool(every) and (first + done + each) % every == 0 for each in range(at_once)]
            if device.type == "cuda":
                graphs(kinds, inputs)
            else:
                one(kinds[0], *(each[0] for each in inputs))
        if device.type == "cuda":
            torch.cuda.synchronize()

    updates(0, 2 * max(at_once, every))  # each kind of update is captured the second time
    start = time.perf_counter()
    updates(0, timed)
    return timed * batch_size / (time.perf_counter() - start)
