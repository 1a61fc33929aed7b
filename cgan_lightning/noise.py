"""The prior of z: what the generator's noise vector is drawn from. A choice of `noise=`.

Draws are float32 whatever the default type is: in double precision a run has the same z, widened.
"""

import torch
from jaxtyping import Float
from torch import Tensor


class StandardNormal:
    """z ~ N(0, I): values crowd around 0, and |z| around sqrt(latent_dim)."""

    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        return torch.randn(count, latent_dim, generator=generator, device=generator.device, dtype=torch.float32)


class Uniform:
    """z ~ U[-1, 1] in each coordinate: bounded, with no typical value; its standard deviation is 0.577."""

    def __call__(self, count: int, latent_dim: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        unit = torch.rand(count, latent_dim, generator=generator, device=generator.device, dtype=torch.float32)
        return unit * 2 - 1
