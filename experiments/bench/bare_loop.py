"""The documented conditional GAN's updates with nothing around them: the package's networks, images in memory, no Lightning.

What `train` could reach at best: no callbacks, no log, no progress, no checkpoints. On a GPU `UPDATES_PER_CALL` updates are one
CUDA graph.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import softplus

from cgan_lightning.config import build, build_model
from cgan_lightning.config.compose import compose
from cgan_lightning.cuda_graph import Captured
from cgan_lightning.data import fashion_mnist
from cgan_lightning.images import normalise
from cgan_lightning.runtime import memory

UPDATES_PER_CALL = 10


def update(*, channels: int, batch_size: int, device: torch.device) -> Callable[..., Tensor]:
    """One update of each network and of the average, from (real, labels, z, fake labels, the average's weight)."""
    config = compose("experiment=documented", f"model.channels={channels}", f"data.batch_size={batch_size}")
    model = build_model.model(config, build_model.recipe(config, build.data(config))).to(device)
    generator, discriminator, ema = model.generator, model.discriminator, model.ema
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True, capturable=device.type == "cuda")
        for network in (generator, discriminator)
    )

    def run(real: Tensor, labels: Tensor, z: Tensor, fake_labels: Tensor, weight: Tensor) -> Tensor:
        fake = generator(z, fake_labels)
        d_optimizer.zero_grad()
        real_logits, fake_logits = discriminator(real, labels), discriminator(fake.detach(), fake_labels)
        loss_d = (softplus(-real_logits) + softplus(fake_logits)).mean()
        loss_d.backward()
        d_optimizer.step()
        discriminator.requires_grad_(False)
        g_optimizer.zero_grad()
        loss_g = softplus(-discriminator(fake, fake_labels)).mean()
        loss_g.backward()
        discriminator.requires_grad_(True)
        g_optimizer.step()
        ema.update(generator, weight)  # pyright: ignore[reportOptionalMemberAccess]  the documented run has an average
        return torch.stack([loss_d.detach(), loss_g.detach()])

    return run


def images_per_second(folder: Path, *, channels: int, batch_size: int, timed: int, device: torch.device) -> float:
    """Speed of `timed` updates after the first ones."""
    memory.keep_freed()
    pixels, classes = (part.to(device) for part in fashion_mnist.tensors(folder / "FashionMNIST" / "raw"))
    one = update(channels=channels, batch_size=batch_size, device=device)
    at_once = UPDATES_PER_CALL if device.type == "cuda" else 1

    def several(*inputs: Tensor) -> dict[str, Tensor]:
        return {"losses": torch.stack([one(*each) for each in zip(*inputs, strict=True)])}

    call = Captured(several) if device.type == "cuda" else several
    weights = torch.full((at_once,), 0.004, device=device)

    def updates(count: int) -> None:
        order = torch.randperm(len(pixels), device=device)
        for done in range(0, count, at_once):
            start = done * batch_size % (len(pixels) - at_once * batch_size)
            rows = order[start : start + at_once * batch_size].view(at_once, batch_size)
            z = torch.randn(at_once, batch_size, 100, device=device)
            fake_labels = torch.randint(10, (at_once, batch_size), device=device)
            last = call(normalise(pixels[rows]), classes[rows], z, fake_labels, weights)["losses"]
            if done + at_once >= count:
                last.sum().item()  # waits for the device

    updates(2 * at_once)
    start = time.perf_counter()
    updates(timed)
    return timed * batch_size / (time.perf_counter() - start)
