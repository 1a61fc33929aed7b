"""The documented conditional GAN as a plain script: the reference for tests and for `make bench`.

Independent of the package: networks with a sigmoid in D, a DataLoader with transforms, `.item()` in each update.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import datasets, transforms

from cgan_lightning.data import idx, sources
from cgan_lightning.data.sets import FASHION_MNIST


class Generator(nn.Module):
    def __init__(self, channels: int = 128, latent_dim: int = 100) -> None:
        super().__init__()
        self.channels = channels
        self.labels = nn.Embedding(10, 10)
        self.linear = nn.Linear(latent_dim + 10, channels * 7 * 7)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 64, 3, stride=1, padding=1)
        self.bn2 = nn.BatchNorm2d(64, 0.8)
        self.conv2 = nn.Conv2d(64, 1, 3, stride=1, padding=1)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        x = F.relu(self.linear(torch.cat((z, self.labels(y)), -1)))
        x = self.bn1(x.view(-1, self.channels, 7, 7))
        x = F.relu(self.bn2(self.conv1(F.interpolate(x, scale_factor=2.0))))
        return torch.tanh(self.conv2(F.interpolate(x, scale_factor=2.0)))


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.labels = nn.Embedding(10, 1)
        self.conv1 = nn.Conv2d(2, 64, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(64, 128, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(128)
        self.linear = nn.Linear(128 * 7 * 7, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        plane = self.labels(y).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
        x = F.leaky_relu(self.conv1(torch.cat((x, plane), 1)), 0.2)
        x = F.leaky_relu(self.bn(self.conv2(x)), 0.2)
        return torch.sigmoid(self.linear(x.flatten(1)))


def updates(
    generator: nn.Module, discriminator: nn.Module, batches: Iterable[tuple[Tensor, Tensor, Tensor, Tensor]], lr: float = 2e-4
) -> Iterator[tuple[float, float]]:
    """Run an update on each (real, labels, z, fake labels) and yield its two losses."""
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))
    bce = nn.BCELoss()
    for real, labels, z, fake_labels in batches:
        ones, zeros = torch.ones(len(real), 1).to(real), torch.zeros(len(real), 1).to(real)
        fake = generator(z, fake_labels)
        d_optimizer.zero_grad()
        loss_d = bce(discriminator(real, labels), ones) + bce(discriminator(fake.detach(), fake_labels), zeros)
        loss_d.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        loss_g = bce(discriminator(fake, fake_labels), ones)
        loss_g.backward()
        g_optimizer.step()
        yield loss_d.item(), loss_g.item()


def lay_out_data(folder: Path) -> None:
    """Write the data to `folder`, unpacked, as torchvision expects it."""
    raw, result = folder / "FashionMNIST" / "raw", sources.locate()
    raw.mkdir(parents=True)
    for file in FASHION_MNIST.files:
        (raw / file.name).write_bytes(idx.read(result, file))


def images_per_second(folder: Path, *, channels: int, batch_size: int, timed: int, device: torch.device) -> float:
    """Return the speed of `timed` updates after the first one, on the data that `lay_out_data` wrote to `folder`."""
    to_tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])
    dataset = datasets.FashionMNIST(str(folder), train=True, transform=to_tensor)
    loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)
    generator, discriminator = Generator(channels).to(device), Discriminator().to(device)

    def batches() -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        while True:
            for images, labels in loader:
                z, fake_labels = torch.randn(len(images), 100), torch.randint(10, (len(images),))
                yield images.to(device), labels.to(device), z.to(device), fake_labels.to(device)

    steps = updates(generator, discriminator, batches())
    next(steps)
    start = time.perf_counter()
    for _ in range(timed):
        next(steps)
    return timed * batch_size / (time.perf_counter() - start)
