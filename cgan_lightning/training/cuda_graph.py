"""Updates as CUDA graphs: all kernels of an update are launched at once, because they are too short to launch one by one."""

import gc
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

Result = tuple[Tensor, dict[str, Tensor]]  # of every update, and of a measured update in addition
Inputs = Sequence[Tensor]


class CUDAGraphs:
    """Run `update(kind, *inputs)` as a CUDA graph (torch.cuda.graph), one for each kind of update.

    The first update of a kind runs eagerly on a separate stream, which warms up libraries and creates optimizer states; the
    second one is captured and, like all later ones, replayed. Inputs are on the GPU and have the same shapes each time;
    everything else that `update` reads and writes must stay at its address. The graphs share a memory pool: the outputs of
    one are valid until the next is replayed.
    """

    def __init__(self, update: Callable[..., Result]) -> None:
        self.update = update
        self._inputs: Packed | None = None  # of all graphs
        self._warm: set[Hashable] = set()
        self._replays: dict[Hashable, Callable[[], Result]] = {}
        self._place: tuple[torch.cuda.Stream, Any] | None = None  # the stream of warm-ups and captures, the memory pool

    def __call__(self, kinds: Sequence[Hashable], inputs: Inputs) -> Result:
        """Run one update per row of `inputs`; return their outputs, (updates, ...), and what the last one measured."""
        self._inputs = self._inputs or Packed([each[0] for each in inputs])
        rows, outputs, measured = Packed.rows(inputs), list[Tensor](), dict[str, Tensor]()
        for number, kind in enumerate(kinds):
            self._inputs.fill(row[number] for row in rows)
            output, measured = self._one(kind, self._inputs.views)
            outputs.append(output.clone())
        return torch.stack(outputs), {name: value.clone() for name, value in measured.items()}

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
        current, (own, _) = torch.cuda.current_stream(), self._stream_and_pool()
        own.wait_stream(current)
        with torch.cuda.stream(own):
            result = self.update(kind, *inputs)
        current.wait_stream(own)
        return result

    def _stream_and_pool(self) -> tuple[torch.cuda.Stream, Any]:
        self._place = self._place or (torch.cuda.Stream(), torch.cuda.graph_pool_handle())
        return self._place


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable garbage collection: destroying an earlier run's graph during a capture would abort the capture."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Packed:
    """Tensors stored in one contiguous buffer per dtype, so that new values need one copy per dtype.

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
        """Return (rows, numbers) for each dtype: the rows of all `inputs` of that dtype, concatenated."""
        types = dict.fromkeys(tensor.dtype for tensor in inputs)
        flat = [each.flatten(1) if each.dim() > 1 else each[:, None] for each in inputs]
        return [torch.cat([each for each in flat if each.dtype == dtype], dim=1) for dtype in types]

    def fill(self, rows: Iterable[Tensor]) -> None:
        """Set the values of all views from one row per dtype, in the order of `rows`."""
        for buffer, row in zip(self.buffers, rows, strict=True):
            buffer.copy_(row)
