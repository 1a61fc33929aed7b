"""The prior of z: what the generator's noise vector is drawn from. A choice of `noise=`.

Draws are float32 whatever the default type is: in double precision a run has the same z, widened.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cgan_lightning.registry import register

Latents = Float[Tensor, "count latent"]


class Prior(ABC):
    """The distribution of z, each of whose coordinates is like any other."""

    scale: float  # the standard deviation of a coordinate, and along any direction of length 1
    bound: float | None  # of a coordinate, either way

    @abstractmethod
    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        """So many z, by the random numbers of `generator`."""

    @abstractmethod
    def interpolate(self, start: Latents, end: Latents, share: Float[Tensor, "steps 1"]) -> Float[Tensor, "count steps latent"]:
        """What lies between each two z; `share` is 0 at the start and 1 at the end."""


@register("noise", "randn")
class StandardNormal(Prior):
    """z ~ N(0, I): values crowd around 0, and |z| around sqrt(latent_dim)."""

    scale = 1.0
    bound = None

    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        return torch.randn(count, latent_dim, generator=generator, device=generator.device, dtype=torch.float32)

    def interpolate(self, start: Latents, end: Latents, share: Float[Tensor, "steps 1"]) -> Float[Tensor, "count steps latent"]:
        """Along the great circle (White 2016, section 2.1), as long as the prior's own z: a straight line would leave them.

        `share` is 0 at the start and 1 at the end; lengths go from one to the other in equal steps.
        """
        lengths = torch.lerp(start.norm(dim=1)[:, None, None], end.norm(dim=1)[:, None, None], share)
        start, end = (F.normalize(each, dim=1)[:, None] for each in (start, end))
        angle = (start * end).sum(2, keepdim=True).clamp(-1, 1).acos().clamp(min=1e-4)  # of equal ones: no division by 0
        turned = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin().clamp(min=1e-4)
        return lengths * turned


@register("noise", "uniform")
class Uniform(Prior):
    """z ~ U[-1, 1] in each coordinate: bounded, with no typical value; its standard deviation is 0.577."""

    scale = 3**-0.5
    bound = 1.0

    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        unit = torch.rand(count, latent_dim, generator=generator, device=generator.device, dtype=torch.float32)
        return unit * 2 - 1

    def interpolate(self, start: Latents, end: Latents, share: Float[Tensor, "steps 1"]) -> Float[Tensor, "count steps latent"]:
        """Straight: all that lies between two points of a cube is in it. `share` is 0 at the start and 1 at the end."""
        return torch.lerp(start[:, None], end[:, None], share)
