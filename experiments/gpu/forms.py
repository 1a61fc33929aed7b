"""Layers with an optimised form: the time of both forms, forward and backward."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cgan_lightning.models.layers import HalvingConvolution, NearestUpsample

Layer = Callable[[Tensor], Tensor]


def as_blocks(layer: HalvingConvolution, maps: Tensor) -> Tensor:
    """Compute a `HalvingConvolution` as on a CPU."""
    blocks = F.pixel_unshuffle(F.pad(maps, (1, 1, 1, 1)), 2)
    return F.conv2d(blocks, F.pixel_unshuffle(F.pad(layer.weight, (0, 1, 0, 1)), 2), layer.bias)


def compared(device: torch.device) -> Iterator[dict[str, Any]]:
    """Yield the microseconds of one forward and backward pass by layer, form and batch size."""
    first = HalvingConvolution(1, 64)
    wide, last = NearestUpsample(128, 64), NearestUpsample(64, 1)
    layers: dict[str, tuple[nn.Module, tuple[int, int], dict[str, Layer]]] = {
        "D's first": (first, (1, 28), {"plain": lambda x: F.conv2d(x, first.weight, first.bias, 2, 1),
                                       "blocks": lambda x: as_blocks(first, x)}),
        "G's first ×2": (wide, (128, 7), {"plain": lambda x: nn.Sequential.forward(wide, x), "fold": wide}),
        "G's last ×2": (last, (64, 14), {"plain": lambda x: nn.Sequential.forward(last, x), "fold": last}),
    }  # fmt: skip
    for batch_size in (64, 512) if device.type == "cuda" else (64,):
        for name, (layer, (channels, size), computed) in layers.items():
            layer.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            maps = torch.randn(batch_size, channels, size, size, device=device).to(memory_format=torch.channels_last)
            for form, run in computed.items():
                us = microseconds(run, maps, [*layer.parameters()])
                yield {"layer": name, "form": form, "batch_size": batch_size, "us": round(us, 1)}


def microseconds(run: Layer, maps: Tensor, parameters: list[nn.Parameter], repeats: int = 50) -> float:
    maps.requires_grad_()

    def forward_backward() -> None:
        output = run(maps)
        torch.autograd.grad(output, [maps, *parameters], torch.ones_like(output))

    if not maps.is_cuda:
        forward_backward()
        begun = time.perf_counter()
        for _ in range(5):
            forward_backward()
        return (time.perf_counter() - begun) / 5 * 1e6
    own = torch.cuda.Stream()
    with torch.cuda.stream(own):
        for _ in range(3):
            forward_backward()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        forward_backward()
    graph.replay()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(repeats):
        graph.replay()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) / repeats * 1e6
