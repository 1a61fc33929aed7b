"""Updates kept as CUDA graphs: all kernels of one launched at once, where each is too short to be launched by itself."""

import gc
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

Result = tuple[Tensor, dict[str, Tensor]]  # what every update gives, and what one that is measured gives beside it
Inputs = Sequence[Tensor]


class CUDAGraphs:
    """`update(kind, *inputs)` as a CUDA graph (torch.cuda.graph) for each kind of update.

    The first update of a kind runs as it is, on a stream of its own, which warms up libraries and makes optimizer states; the
    second one is captured, and replayed as all later ones are. Inputs are on the GPU and have the same shapes each time; all
    else that `update` reads and writes must stay where it is in memory. The graphs share their memory: what one leaves there
    holds until the next is replayed.
    """

    def __init__(self, update: Callable[..., Result]) -> None:
        self.update = update
        self._inputs: Packed | None = None  # of all graphs
        self._warm: set[Hashable] = set()
        self._replays: dict[Hashable, Callable[[], Result]] = {}
        self._place: tuple[torch.cuda.Stream, Any] | None = None  # the stream of warm-ups and captures, the pool of memory

    def __call__(self, kinds: Sequence[Hashable], inputs: Inputs) -> Result:
        """One update after another on the rows of `inputs`: what each gave, (updates, ...), and what the last one measured."""
        self._inputs = self._inputs or Packed([each[0] for each in inputs])
        rows, given, measured = Packed.rows(inputs), list[Tensor](), dict[str, Tensor]()
        for number, kind in enumerate(kinds):
            self._inputs.fill(row[number] for row in rows)
            each, measured = self._one(kind, self._inputs.views)
            given.append(each.clone())
        return torch.stack(given), {name: value.clone() for name, value in measured.items()}

    def _one(self, kind: Hashable, inputs: Inputs) -> Result:
        if kind not in self._warm:
            self._warm.add(kind)
            return self._on_own_stream(kind, inputs)
        if kind not in self._replays:
            self._replays[kind] = self._captured(kind, inputs)
        return self._replays[kind]()

    def _captured(self, kind: Hashable, inputs: Inputs) -> Callable[[], Result]:
        graph, (stream, pool) = torch.cuda.CUDAGraph(), self._stream_and_pool()
        with _no_collection(), torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            result = self.update(kind, *inputs)

        def replay() -> Result:
            graph.replay()
            return result

        return replay

    def _on_own_stream(self, kind: Hashable, inputs: Inputs) -> Result:
        usual, (own, _) = torch.cuda.current_stream(), self._stream_and_pool()
        own.wait_stream(usual)
        with torch.cuda.stream(own):
            result = self.update(kind, *inputs)
        usual.wait_stream(own)
        return result

    def _stream_and_pool(self) -> tuple[torch.cuda.Stream, Any]:
        self._place = self._place or (torch.cuda.Stream(), torch.cuda.graph_pool_handle())
        return self._place


@contextmanager
def _no_collection() -> Iterator[None]:
    """A graph of an earlier run that Python's collector destroys during a capture would end it."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Packed:
    """Tensors that lie end to end in one buffer for each type, so that new values come in by one copy a type.

    >>> packed = Packed([torch.zeros(2), torch.zeros((), dtype=torch.long), torch.zeros(1, 1)])
    >>> packed.fill(row[1] for row in Packed.rows([torch.ones(3, 2), torch.arange(3), torch.ones(3, 1, 1)]))
    >>> packed.views
    [tensor([1., 1.]), tensor(1), tensor([[1.]])]
    """

    def __init__(self, tensors: Inputs) -> None:
        self.buffers = [row[0].clone() for row in Packed.rows([tensor[None] for tensor in tensors])]
        ends = {buffer.dtype: 0 for buffer in self.buffers}
        self.views: list[Tensor] = []
        for tensor in tensors:
            (buffer,) = (buffer for buffer in self.buffers if buffer.dtype == tensor.dtype)
            start, ends[tensor.dtype] = ends[tensor.dtype], ends[tensor.dtype] + tensor.numel()
            self.views.append(buffer[start : ends[tensor.dtype]].view(tensor.shape))

    @staticmethod
    def rows(inputs: Inputs) -> list[Tensor]:
        """For each type, (rows, numbers): what the same rows of all `inputs` of that type have, end to end."""
        types = dict.fromkeys(tensor.dtype for tensor in inputs)
        flat = [each.flatten(1) if each.dim() > 1 else each[:, None] for each in inputs]
        return [torch.cat([each for each in flat if each.dtype == dtype], dim=1) for dtype in types]

    def fill(self, rows: Iterable[Tensor]) -> None:
        """New values for all views: a row for each type, in the order of `rows`."""
        for buffer, row in zip(self.buffers, rows, strict=True):
            buffer.copy_(row)
