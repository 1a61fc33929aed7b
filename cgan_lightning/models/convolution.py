"""Convolutions with a fast second derivative, for penalties on D's gradient.

PyTorch differentiates a convolution's gradient by its weights with a forward convolution whose kernel is as large as the
feature map: on one H200 two such kernels took 279 of an R1 update's 1,510 µs. Here the gradient by the input is an ordinary
transposed convolution, whose own gradients have fast kernels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

_TWICE = ContextVar("_TWICE", default=False)

Maps = Float[Tensor, "batch channels height width"]
Smaller = Float[Tensor, "batch out out_height out_width"]


@contextmanager
def differentiable_twice() -> Iterator[None]:
    """Make the result of `torch.autograd.grad(..., create_graph=True)` fast to differentiate inside this context.

    With `create_graph=True` only the gradient by the input is computed, not that by the weights.
    """
    token = _TWICE.set(True)
    try:
        yield
    finally:
        _TWICE.reset(token)


def convolved(
    input: Maps, weight: Tensor, bias: Tensor | None, *, stride: int = 1, padding: int = 0, groups: int = 1
) -> Smaller:
    """Return `torch.nn.functional.conv2d`, with a fast second derivative inside `differentiable_twice`."""
    if not _TWICE.get():
        return F.conv2d(input, weight, bias, stride, padding, 1, groups)
    kind = input.device.type
    if torch.is_autocast_enabled(kind):  # autocast does not apply to a custom function
        dtype = torch.get_autocast_dtype(kind)
        input, weight, bias = input.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    with torch.autocast(kind, enabled=False):
        return _Convolution.apply(input, weight, bias, stride, padding, groups)  # pyright: ignore[reportReturnType]


class Convolution(nn.Conv2d):
    """A convolution with a square kernel, computed by `convolved`."""

    def forward(self, input: Maps) -> Smaller:
        (stride, _), (padding, _) = self.stride, self.padding
        return convolved(input, self.weight, self.bias, stride=stride, padding=int(padding), groups=self.groups)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, groups: int) -> Tensor:
        ctx.save_for_backward(input, weight)
        ctx.geometry = stride, padding, groups
        return F.conv2d(input, weight, bias, stride, padding, 1, groups)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (input, weight), (stride, padding, groups) = ctx.saved_tensors, ctx.geometry
        if torch.is_grad_enabled():  # create_graph=True
            reached = (gradient.shape[2] - 1) * stride + weight.shape[2] - 2 * padding
            rest = input.shape[2] - reached
            derivative = F.conv_transpose2d(gradient, weight, None, stride, padding, rest, groups)
            return derivative, None, None, None, None, None
        wanted = [*ctx.needs_input_grad[:3]]
        result = torch.ops.aten.convolution_backward(
            gradient, input, weight, [len(weight)], [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups, wanted
        )
        return *result, None, None, None
