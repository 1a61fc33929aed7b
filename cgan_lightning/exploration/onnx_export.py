"""A generator as an ONNX file: z and a weight for each class in, a picture out, any number at a time."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import onnx
import onnxscript  # noqa: F401  what torch.onnx needs: its lack is told before anything is written
import torch
from torch import Tensor, nn

from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import without_border


class _Drawn(nn.Module):
    """What is exported: the network, and its pictures cut to `size`."""

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return without_border(self.network(z, labels), self.size)


def write(trained: TrainedGenerator, path: Path, *, size: int) -> None:
    """Inputs `z` (batch, latent) and `labels` (batch, classes), which add up to 1; output `images` (batch, 1, size, size)."""
    example = (torch.zeros(2, trained.latent_dim), torch.full((2, len(trained.class_names)), 1 / len(trained.class_names)))
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            _Drawn(trained.network, size).eval(), example, dynamo=True,
            input_names=["z", "labels"], output_names=["images"], dynamic_shapes=({0: batch}, {0: batch}),
        )  # fmt: skip
    assert program is not None  # noqa: S101  of the exporter that is asked for here
    write_atomically(path, lambda beside: onnx.save_model(program.model_proto, str(beside)))


@contextlib.contextmanager
def _quiet():
    """The exporter prints its steps and warns of PyTorch's own deprecated parts."""
    earlier = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(earlier)
