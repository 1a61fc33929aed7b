"""The documented networks and their training, written out once more and independently, as the reference of tests."""

import torch
from torch import nn
from torch.nn import functional as F


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

    def forward(self, z, y):
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

    def forward(self, x, y):
        """A probability, as in the document."""
        plane = self.labels(y).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
        x = F.leaky_relu(self.conv1(torch.cat((x, plane), 1)), 0.2)
        x = F.leaky_relu(self.bn(self.conv2(x)), 0.2)
        return torch.sigmoid(self.linear(x.flatten(1)))


def copy_in_order(source: nn.Module, target: nn.Module) -> None:
    """Weights and statistics, matched by their order alone; shapes must agree."""
    with torch.no_grad():
        for ours, theirs in zip(source.state_dict().values(), target.state_dict().values(), strict=True):
            assert ours.shape == theirs.shape
            theirs.copy_(ours)


def train(generator, discriminator, batches):
    """Plain updates over (real, labels, z, fake_labels); gives (loss_d, loss_g) of each."""
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bce = nn.BCELoss()
    losses = []
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
        losses.append((loss_d.item(), loss_g.item()))
    return losses
