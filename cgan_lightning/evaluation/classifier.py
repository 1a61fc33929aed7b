"""A small classifier of images of 28 to 64 pixels, used as the feature extractor and for the classification accuracy score."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from cgan_lightning.utils import seeding
from cgan_lightning.utils.images import normalise

FEATURES = 128  # width of the penultimate layer
BATCH_SIZE, PEAK_LR, WEIGHT_DECAY, LABEL_SMOOTHING = 256, 0.01, 0.02, 0.05


class Classifier(nn.Module):
    """Images (batch, channels, size, size) in [-1, 1] to logits; `features` returns the last layer's input. 209,000 weights."""

    def __init__(self, classes: int = 10, channels: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_block(channels, 32), nn.MaxPool2d(2),  # (batch, 32, 14, 14) of 28 pixels
            *_block(32, 48), *_block(48, 64), nn.MaxPool2d(2),  # (batch, 64, 7, 7)
            *_block(64, 96), nn.MaxPool2d(2),  # (batch, 96, 3, 3)
            *_block(96, FEATURES),  # (batch, 128, 3, 3)
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, classes)

    def features(self, images: Float[Tensor, "batch channels size size"]) -> Float[Tensor, "batch width"]:
        return self.body(images).mean((2, 3))

    def forward(self, images: Float[Tensor, "batch channels size size"]) -> Float[Tensor, "batch classes"]:
        return self.head(self.features(images))


def fit(
    pixels: UInt8[Tensor, "count channels size size"],
    labels: Int[Tensor, " count"],
    *,
    epochs: int,
    seed: int,
    classes: int | None = None,
    mirrored: bool = True,
    device: torch.device | str = "cpu",
    report: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Classifier:
    """Train a classifier and return it in eval mode: AdamW, a one-cycle learning rate; `mirrored`: random
    horizontal flips.

    Initial weights and draws are functions of the seed, and so is the result on one kind of machine with a fixed number of
    threads. `report` is called at the end of each epoch with the epoch and its last loss.
    """
    with seeding.seeded(seed, "classifier"):
        network = Classifier(classes or int(labels.max()) + 1, pixels.shape[1]).to(device).to(memory_format=torch.channels_last)
    pixels, labels = pixels.to(device), labels.to(device)
    batch_size = min(BATCH_SIZE, len(pixels))
    updates = epochs * (len(pixels) // batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_LR, weight_decay=WEIGHT_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: _one_cycle(update / updates))
    loss = torch.zeros(())
    for epoch in range(epochs):
        draws = seeding.generator(seed, "classifier epoch", epoch)
        order = torch.randperm(len(pixels), generator=draws)
        for rows in order.split(batch_size)[: len(pixels) // batch_size]:
            images = _mirrored(normalise(pixels[rows]), draws) if mirrored else normalise(pixels[rows])
            images = images.contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(network(images), labels[rows], label_smoothing=LABEL_SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        report(epoch + 1, loss.item())
    return network.eval()


@torch.no_grad()
def outputs(
    network: Classifier, images: Float[Tensor, "count channels size size"], *, batch_size: int = 500
) -> tuple[Float[Tensor, "count width"], Float[Tensor, "count classes"]]:
    """Return features and logits of any number of images, on the CPU."""
    device = network.head.weight.device
    features = [network.features(batch.to(device)) for batch in images.split(batch_size)]
    return torch.cat(features).cpu(), torch.cat([network.head(part) for part in features]).cpu()


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _one_cycle(done: float) -> float:
    """Return the one-cycle factor: linearly up to 1 over the first fifth, then a cosine to 0 (after Smith and Topin 2018)."""
    return done / 0.2 if done < 0.2 else (1 + math.cos(math.pi * (done - 0.2) / 0.8)) / 2


def _mirrored(
    images: Float[Tensor, "batch channels size size"], draws: torch.Generator
) -> Float[Tensor, "batch channels size size"]:
    """Flip each image horizontally with probability 1/2, drawn from `draws`."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=draws).to(images.device) < 0.5
    return torch.where(mirrored, images.flip(3), images)
