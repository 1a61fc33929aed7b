"""Normalisations: each is an option of `generator_normalization=` or `discriminator_normalization=`.

A normalisation has two methods: `maps` returns the module that follows a layer, `layer` changes the layer itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cgan_lightning.registry import register

Layer = TypeVar("Layer", bound=nn.Module)  # with weights: a convolution or a linear layer


class Normalization:
    """No normalisation; the base class of all others."""

    takes_label = False  # whether the label is an input here, and not concatenated with z

    def maps(self, channels: int, *, label_width: int = 0, eps: float = 1e-5) -> nn.Module:
        """Return the module that follows a layer with `channels` output maps."""
        return nn.Identity()

    def layer(self, layer: Layer, *, gain: float = 1.0) -> Layer:
        """Return `layer`, changed; `gain` scales its initial weights, 0 for the last layer of a residual block."""
        return layer


@register("normalization", "batch")
class Batch(Normalization):
    """Batch normalisation (Ioffe and Szegedy 2015): the documented choice for both networks."""

    def maps(self, channels: int, *, label_width: int = 0, eps: float = 1e-5) -> nn.Module:
        return BatchNorm(channels, eps=eps)


_BATCHES = ContextVar("_BATCHES", default=1)


@contextmanager
def batches_end_to_end(count: int) -> Iterator[None]:
    """Make `BatchNorm` treat its input as `count` concatenated batches of one size, normalised separately and in order."""
    token = _BATCHES.set(count)
    try:
        yield
    finally:
        _BATCHES.reset(token)


class BatchNorm(nn.BatchNorm2d):
    """PyTorch's batch norm without its batch counter, which costs a kernel per call and is needed only for momentum=None."""

    def forward(self, input: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        batches = input.split(len(input) // _BATCHES.get()) if self.training else (input,)
        return self._normalised(input) if len(batches) == 1 else torch.cat([self._normalised(each) for each in batches])

    def _normalised(self, batch: Tensor) -> Tensor:
        return F.batch_norm(
            batch, self.running_mean, self.running_var, self.weight, self.bias,
            training=self.training, momentum=cast(float, self.momentum), eps=self.eps,
        )  # fmt: skip


@register("normalization", "conditional_batch")
class ConditionalBatch(Normalization):
    """Batch normalisation whose gains and biases depend on the label, which is then not concatenated with z."""

    takes_label = True

    def maps(self, channels: int, *, label_width: int = 0, eps: float = 1e-5) -> nn.Module:
        return ConditionalBatchNorm(channels, label_width, eps=eps)


@register("normalization", "spectral")
class Spectral(Normalization):
    """Each layer's weights divided by their largest singular value (Miyato et al. 2018, section 2.1): D is Lipschitz.

    The value is estimated by one step of power iteration in each training pass.
    """

    def layer(self, layer: Layer, *, gain: float = 1.0) -> Layer:
        return cast(Layer, spectral_norm(layer))


@register("normalization", "none")
class ScaledInitialization(Normalization):
    """No normalisation: initial weights preserve variance (He et al. 2015, equation 14), and residual branches start at zero.

    Zhang et al. 2019 (Fixup, section 3) show that such weights replace normalisation; R3GAN (Huang et al. 2024) uses them.
    """

    @torch.no_grad()
    def layer(self, layer: Layer, *, gain: float = 1.0) -> Layer:
        for part in layer.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                part.weight.normal_(std=gain * (2 / (1 + 0.2**2) / _inputs_of_one_output(part)) ** 0.5)
                if part.bias is not None:
                    part.bias.zero_()
        return layer


def _inputs_of_one_output(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> int:
    """Return the number of products that an output of `layer` sums (the fan-in)."""
    if isinstance(layer, nn.ConvTranspose2d):  # (in, out, ...): with stride 2, a quarter of the taps contribute to an output
        return layer.weight[:, 0].numel() // (layer.stride[0] * layer.stride[1])
    return layer.weight[0].numel()


class TakesLabel(nn.Module):
    """The base class of layers called with (maps, label)."""


class ConditionalBatchNorm(TakesLabel):
    """Gains and biases as a linear map of the label vector (Brock et al. 2019, appendix B), about 1 and 0 at the start."""

    def __init__(self, channels: int, label_width: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, eps=eps, affine=False)
        self.modulation = nn.Linear(label_width, 2 * channels)
        nn.init.normal_(self.modulation.weight, std=0.5 * max(label_width, 1) ** -0.5)  # classes differ from the start
        nn.init.zeros_(self.modulation.bias)

    def forward(
        self, maps: Float[Tensor, "batch channels height width"], label: Float[Tensor, "batch label"]
    ) -> Float[Tensor, "batch channels height width"]:
        gain, bias = self.modulation(label)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(bias, self.norm(maps), 1 + gain)


class Chain(nn.Sequential, TakesLabel):  # pyright: ignore[reportIncompatibleVariableOverride]  untyped in PyTorch
    """A sequence of layers that passes the label to those that take it."""

    def forward(self, maps: Tensor, label: Tensor | None = None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        for layer in self:
            maps = layer(maps, label) if isinstance(layer, TakesLabel) else layer(maps)
        return maps


BATCH, SCALED = Batch(), ScaledInitialization()  # the defaults of the documented and the residual networks
