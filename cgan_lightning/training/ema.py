"""An exponential moving average of the generator's weights (Yazici et al. 2019; Karras et al. 2020, appendix B)."""

import copy

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class GeneratorEMA(nn.Module):
    """A copy of the generator that follows it with a half-life counted in images, so that batch size doesn't change it.

    Early on the half-life is at most `rampup` of the images seen, or the average would remember its random start for
    epochs. Floating-point buffers (batch norm's statistics) are averaged like weights.
    """

    def __init__(self, generator: nn.Module, *, halflife_images: float, rampup: float = 0.05) -> None:
        super().__init__()
        self.halflife_images = halflife_images
        self.rampup = rampup
        self.generator = copy.deepcopy(generator).requires_grad_(False)

    def weights(self, images_seen: Int[Tensor, " updates"], *, batch_size: int) -> Float[Tensor, " updates"]:
        """How far each update moves the average; `images_seen` counts the update's own batch too. In double precision."""
        halflife = (self.rampup * images_seen.double()).clamp(max=self.halflife_images)
        return 1 - 0.5 ** (batch_size / halflife)

    @torch.no_grad()
    def update(self, generator: nn.Module, weight: Float[Tensor, ""]) -> None:
        """One step towards `generator`. The weight is a tensor, so that a captured update can take another each time."""
        average = _floats(self.generator)
        # A kernel for each step and not for each tensor; `_foreach_lerp_` has one for each where the weight is a tensor.
        steps = torch._foreach_sub(_floats(generator), average)
        torch._foreach_mul_(steps, weight)
        torch._foreach_add_(average, steps)


def _floats(network: nn.Module) -> list[Tensor]:
    return [tensor for tensor in network.state_dict(keep_vars=True).values() if tensor.is_floating_point()]
