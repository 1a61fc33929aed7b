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

HIDDEN = 64  # width of the layer between z with the label, and gains and biases

Layer = TypeVar("Layer", bound=nn.Module)  # with weights: a convolution or a linear layer


class Normalization:
    """No normalisation; the base class of all others."""

    takes_label = False  # whether the label is an input here
    takes_latent = False  # whether z is one too

    def maps(self, channels: int, *, condition_width: int = 0, eps: float = 1e-5) -> nn.Module:
        """Return the module that follows a layer with `channels` output maps; `condition_width` is that of what it takes."""
        return nn.Identity()

    def layer(self, layer: Layer, *, gain: float = 1.0) -> Layer:
        """Return `layer`, changed; `gain` scales its initial weights, 0 for the last layer of a residual block."""
        return layer


@register("normalization", "batch")
class Batch(Normalization):
    """Batch normalisation (Ioffe and Szegedy 2015): the documented choice for both networks."""

    def maps(self, channels: int, *, condition_width: int = 0, eps: float = 1e-5) -> nn.Module:
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
    """Batch normalisation whose gains and biases are a linear map of the label vector (Brock et al. 2019, appendix B).

    The label is then not concatenated with z.
    """

    takes_label = True

    def maps(self, channels: int, *, condition_width: int = 0, eps: float = 1e-5) -> nn.Module:
        modulation = nn.Linear(condition_width, 2 * channels)
        return ConditionalBatchNorm(channels, _small_at_first(modulation), eps=eps)


@register("normalization", "self_modulated")
class SelfModulated(Normalization):
    """Batch normalisation whose gains and biases are a function of z and the label: self-modulation (Chen et al. 2019).

    Section 2 and table 1 there: a network of one hidden layer for each normalised feature map. z and the label are also the
    input of the generator's first layer.
    """

    takes_label = takes_latent = True

    def maps(self, channels: int, *, condition_width: int = 0, eps: float = 1e-5) -> nn.Module:
        modulation = nn.Sequential(nn.Linear(condition_width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * channels))
        _small_at_first(cast(nn.Linear, modulation[-1]))
        return ConditionalBatchNorm(channels, modulation, eps=eps)


def _small_at_first(layer: nn.Linear) -> nn.Linear:
    """Initialise a layer whose output is added to gains of 1 and biases of 0: images differ by it from the start."""
    nn.init.normal_(layer.weight, std=0.5 * max(layer.in_features, 1) ** -0.5)
    nn.init.zeros_(layer.bias)
    return layer


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


class TakesCondition(nn.Module):
    """The base class of layers called with (maps, condition): the label vector, of z and the label if `takes_latent`."""


class ConditionalBatchNorm(TakesCondition):
    """Batch norm, multiplied by 1 + gain and shifted by bias: `modulation` maps the condition to both (2 × channels)."""

    def __init__(self, channels: int, modulation: nn.Module, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, eps=eps, affine=False)
        self.modulation = modulation

    def forward(
        self, maps: Float[Tensor, "batch channels height width"], condition: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch channels height width"]:
        gain, bias = self.modulation(condition)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(bias, self.norm(maps), 1 + gain)


class Chain(nn.Sequential, TakesCondition):  # pyright: ignore[reportIncompatibleVariableOverride]  untyped in PyTorch
    """A sequence of layers that passes the condition to those that take it."""

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        for layer in self:
            maps = layer(maps, condition) if isinstance(layer, TakesCondition) else layer(maps)
        return maps


BATCH, SCALED = Batch(), ScaledInitialization()  # the defaults of the documented and the residual networks
