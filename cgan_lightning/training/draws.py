"""The random draws of updates: z, labels and uniform numbers, drawn for a block of updates at a time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.utils import seeding

Prior = Callable[[int, int, torch.Generator], Tensor]  # (count, latent_dim, generator) → z (count, latent_dim)
MOST_UPDATES, MOST_NUMBERS = 64, 2**22  # per block: updates, and numbers in z (16 MiB)


class Drawn(NamedTuple):
    """One row per update, for the batch of all ranks."""

    z: Float[Tensor, "updates batch latent"]
    labels: Int[Tensor, "updates batch"]
    uniform: Float[Tensor, "updates batch draws"]  # on [0, 1)


class Draws:
    """The draws of update u as a function of (seed, u), independent of earlier draws.

    A block of updates is drawn from (seed, block), and u takes its row. `uniforms` numbers are drawn for each image, for
    augmentation and penalties. In `balanced` batches the class counts differ by at most one; in others, labels have
    the frequencies `class_shares`, or are uniform. Draws are float32, and the same on all devices of one kind.
    """

    def __init__(
        self,
        *,
        prior: Prior,
        latent_dim: int,
        num_classes: int,
        uniforms: int = 0,
        balanced: bool = False,
        class_shares: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        self.prior, self.latent_dim, self.num_classes = prior, latent_dim, num_classes
        self.uniforms, self.balanced, self.class_shares, self.seed = uniforms, balanced, class_shares, seed
        self._kept: tuple[tuple[int, int, torch.device], Drawn] | None = None  # the last block

    def __call__(self, updates: range, batch_size: int, device: torch.device) -> Drawn:
        """Return the draws of consecutive `updates`, each with `batch_size` images over all ranks."""
        size = max(1, min(MOST_UPDATES, MOST_NUMBERS // (batch_size * self.latent_dim)))
        parts = []
        for block in range(updates.start // size, (updates.stop - 1) // size + 1):
            start = block * size
            rows = slice(max(updates.start - start, 0), min(updates.stop - start, size))
            parts.append([each[rows] for each in self._block(block, size, batch_size, device)])
        return Drawn(*(torch.cat(of_kind) if len(parts) > 1 else of_kind[0] for of_kind in zip(*parts, strict=True)))

    def _block(self, number: int, size: int, batch_size: int, device: torch.device) -> Drawn:
        which = (number, batch_size, device)
        if self._kept is None or self._kept[0] != which:
            self._kept = which, self._drawn(number, size, batch_size, device)
        return self._kept[1]

    def _drawn(self, number: int, size: int, batch_size: int, device: torch.device) -> Drawn:
        z, labels, uniform = (seeding.generator(self.seed, kind, number, device) for kind in ("noise", "labels", "uniform"))
        return Drawn(
            self.prior(size * batch_size, self.latent_dim, z).view(size, batch_size, self.latent_dim),
            self._labels(size, batch_size, labels),
            torch.rand(size, batch_size, self.uniforms, generator=uniform, device=device, dtype=torch.float32),
        )

    def _labels(self, size: int, batch_size: int, generator: torch.Generator) -> Int[Tensor, "size batch_size"]:
        if not self.balanced and self.class_shares is not None:
            shares = torch.tensor(self.class_shares, dtype=torch.float32, device=generator.device)
            return torch.multinomial(shares, size * batch_size, replacement=True, generator=generator).view(size, batch_size)
        if not self.balanced:
            return torch.randint(self.num_classes, (size, batch_size), generator=generator, device=generator.device)
        order = torch.rand(size, self.num_classes, generator=generator, device=generator.device).argsort(dim=1)
        return order.repeat(1, -(-batch_size // self.num_classes))[:, :batch_size]
