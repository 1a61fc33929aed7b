"""Export of a generator to ONNX: z and a weight for each class in, images out, with a dynamic batch size."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import onnx
import onnxscript  # noqa: F401  needed by torch.onnx: fail before anything is written if it is missing
import torch
from torch import Tensor, nn

from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import without_border


class _Drawn(nn.Module):
    """The exported module: the network, with images cropped to `size`."""

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return without_border(self.network(z, labels), self.size)


def write(trained: TrainedGenerator, path: Path, *, size: int) -> None:
    """Write an ONNX file with inputs `z` (batch, latent) and `labels` (batch, classes), output `images` (batch,
    channels, size, size). The labels of an image add up to 1.
    """
    example = (torch.zeros(2, trained.latent_dim), torch.full((2, len(trained.class_names)), 1 / len(trained.class_names)))
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            _Drawn(trained.network, size).eval(), example, dynamo=True,
            input_names=["z", "labels"], output_names=["images"], dynamic_shapes=({0: batch}, {0: batch}),
        )  # fmt: skip
    assert program is not None  # noqa: S101  always with dynamo=True
    write_atomically(path, lambda temporary: onnx.save_model(program.model_proto, str(temporary)))


@contextlib.contextmanager
def _quiet():
    """Suppress the exporter's progress output and its warnings about deprecated parts of PyTorch."""
    earlier = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(earlier)
