"""A function on tensors, kept as one CUDA graph: the whole of it launched at once, where each kernel is too short to launch."""

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[..., dict[str, Tensor]]


class Captured:
    """`function`, replayed as a CUDA graph (torch.cuda.graph) from its second call on.

    Every call must have inputs of the same shapes, on the GPU; all else that `function` reads and writes must stay where it is
    in memory. The first call runs as it is, on a stream of its own, which warms up libraries and makes optimizer states; the
    second is captured. Outputs are overwritten by the next call.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.warm = False
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, *inputs: Tensor) -> dict[str, Tensor]:
        if not self.warm:
            self.warm = True
            return self._beside(*inputs)
        if self.graph is None:
            self.inputs = [tensor.clone() for tensor in inputs]
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):  # others may pin memory meanwhile
                self.outputs = self.function(*self.inputs)
        for ours, given in zip(self.inputs, inputs, strict=True):
            ours.copy_(given)
        self.graph.replay()
        return self.outputs

    def _beside(self, *inputs: Tensor) -> dict[str, Tensor]:
        usual, own = torch.cuda.current_stream(), torch.cuda.Stream()
        own.wait_stream(usual)
        with torch.cuda.stream(own):
            outputs = self.function(*inputs)
        usual.wait_stream(own)
        return outputs
