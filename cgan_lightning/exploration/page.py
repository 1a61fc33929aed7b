"""mode=page: a folder with one static page that draws in the browser: a joystick over z and a ring of classes."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.exploration import onnx_export, onnxruntime_web
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import directions, sampling
from cgan_lightning.sampling.class_names import labels
from cgan_lightning.utils.files import write_atomically

ASSETS = Path(__file__).with_name("assets")
SEEDS = 1000  # image seeds whose z the page has: JavaScript can't draw what PyTorch draws
DIRECTIONS = 8  # of each kind, which the joystick's two axes can be
SIZE = 28  # of the pictures shown, without a border
REACH_IN_DEVIATIONS = 3  # how far the joystick goes

TITLES = {
    "random": "Random",
    "sefa": "SeFa (the first layer's weights)",
    "principal": "Principal components",
}


def write(trained: TrainedGenerator, output: Path) -> list[str]:
    """The page in `output`, all that it needs beside it; a sentence on it. `trained` is on the CPU."""
    runtime = onnxruntime_web.locate()
    output.mkdir(parents=True, exist_ok=True)
    onnx_export.write(trained, output / "generator.onnx", size=SIZE)
    z = sampling.latents(trained.prior, trained.latent_dim, range(SEEDS)).numpy()
    write_atomically(output / "z.bin", lambda path: path.write_bytes(z.astype("<f4").tobytes()))
    described = json.dumps(_description(trained, z))
    write_atomically(output / "page.json", lambda path: path.write_text(described))
    for source in (*sorted(ASSETS.iterdir()), *(runtime / name for name in onnxruntime_web.FILES)):
        write_atomically(output / source.name, lambda path, source=source: shutil.copyfile(source, path))
    serve = shlex.join(["python", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(output)])
    return [f"{output}: index.html and what it needs. Any static host can serve it, or\n  {serve}"]


def _description(trained: TrainedGenerator, z: np.ndarray) -> dict[str, Any]:
    """What page.js asks for."""
    return {
        "classes": trained.class_names,
        "latent": trained.latent_dim,
        "size": SIZE,
        "seeds": SEEDS,
        "reach": REACH_IN_DEVIATIONS * float(z.std()),
        "bound": trained.prior.bound,
        "directions": [
            {"name": name, "title": TITLES[name], "vectors": vectors.tolist()}
            for name, vectors in axes(trained).items()
        ],
    }  # fmt: skip


def axes(trained: TrainedGenerator) -> dict[str, Float[Tensor, "count latent"]]:
    """What either axis of the joystick can be, by kind: directions of z of length 1."""
    return {
        "random": directions.random(trained.latent_dim, DIRECTIONS),
        "sefa": directions.sefa(trained.network, DIRECTIONS).vectors,
        "principal": directions.principal(trained, DIRECTIONS, labels(None, trained.class_names), range(SEEDS)).vectors,
    }
