"""The prior of z, the generator's noise vector: each is an option of `noise=`.

z is always drawn in float32: a run in double precision has the same z, converted.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cgan_lightning.registry import register

Latents = Float[Tensor, "count latent"]


class Prior(ABC):
    """The distribution of z, whose coordinates are identically distributed."""

    scale: float  # the standard deviation of a coordinate, and along any unit vector
    bound: float | None  # of a coordinate's absolute value

    @abstractmethod
    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        """Draw `count` z with `generator`."""

    @abstractmethod
    def interpolate(self, start: Latents, end: Latents, share: Float[Tensor, "steps 1"]) -> Float[Tensor, "count steps latent"]:
        """Interpolate between each pair of z; `share` is 0 at the start and 1 at the end."""


@register("noise", "randn")
class StandardNormal(Prior):
    """z ~ N(0, I): |z| is concentrated around sqrt(latent_dim)."""

    scale = 1.0
    bound = None

    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        return torch.randn(count, latent_dim, generator=generator, device=generator.device, dtype=torch.float32)

    def interpolate(self, start: Latents, end: Latents, share: Float[Tensor, "steps 1"]) -> Float[Tensor, "count steps latent"]:
        """Interpolate along the great circle (White 2016, section 2.1): a straight line would give z that are too short.

        `share` is 0 at the start and 1 at the end; the norm is interpolated linearly.
        """
        lengths = torch.lerp(start.norm(dim=1)[:, None, None], end.norm(dim=1)[:, None, None], share)
        start, end = (F.normalize(each, dim=1)[:, None] for each in (start, end))
        angle = (start * end).sum(2, keepdim=True).clamp(-1, 1).acos().clamp(min=1e-4)  # no division by 0 for equal z
        turned = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin().clamp(min=1e-4)
        return lengths * turned


@register("noise", "uniform")
class Uniform(Prior):
    """z ~ U[-1, 1] in each coordinate, with standard deviation 0.577."""

    scale = 3**-0.5
    bound = 1.0

    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        unit = torch.rand(count, latent_dim, generator=generator, device=generator.device, dtype=torch.float32)
        return unit * 2 - 1

    def interpolate(self, start: Latents, end: Latents, share: Float[Tensor, "steps 1"]) -> Float[Tensor, "count steps latent"]:
        """Interpolate linearly, which stays in the cube of the prior. `share` is 0 at the start and 1 at the end."""
        return torch.lerp(start[:, None], end[:, None], share)
