"""mode=page: a folder with a static page that samples in the browser, with a joystick for z and a ring of classes."""

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
SEEDS = 1000  # image seeds whose z are written out: JavaScript can't reproduce PyTorch's random numbers
DIRECTIONS = 8  # of each kind, for the joystick's two axes
REACH_IN_DEVIATIONS = 3  # the joystick's range

TITLES = {
    "random": "Random",
    "sefa": "SeFa (the first layer's weights)",
    "principal": "Principal components",
}


def write(trained: TrainedGenerator, output: Path) -> list[str]:
    """Write the page and all files that it needs to `output`; return a message. `trained` must be on the CPU."""
    runtime = onnxruntime_web.locate()
    output.mkdir(parents=True, exist_ok=True)
    onnx_export.write(trained, output / "generator.onnx", size=trained.dataset.image_size)
    z = sampling.latents(trained.prior, trained.latent_dim, range(SEEDS)).numpy()
    write_atomically(output / "z.bin", lambda path: path.write_bytes(z.astype("<f4").tobytes()))
    described = json.dumps(_description(trained, z))
    write_atomically(output / "page.json", lambda path: path.write_text(described))
    for source in (*sorted(ASSETS.iterdir()), *(runtime / name for name in onnxruntime_web.FILES)):
        write_atomically(output / source.name, lambda path, source=source: shutil.copyfile(source, path))
    serve = shlex.join(["python", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(output)])
    return [f"{output}: index.html and the files that it needs. Any static web server can serve it, such as\n  {serve}"]


def _description(trained: TrainedGenerator, z: np.ndarray) -> dict[str, Any]:
    """Return the content of page.json, which page.js reads."""
    return {
        "classes": trained.class_names,
        "latent": trained.latent_dim,
        "size": trained.dataset.image_size,
        "seeds": SEEDS,
        "reach": REACH_IN_DEVIATIONS * float(z.std()),
        "bound": trained.prior.bound,
        "directions": [
            {"name": name, "title": TITLES[name], "vectors": vectors.tolist()}
            for name, vectors in axes(trained).items()
        ],
    }  # fmt: skip


def axes(trained: TrainedGenerator) -> dict[str, Float[Tensor, "count latent"]]:
    """Return the directions that the joystick's axes can have, by kind: unit vectors of z."""
    return {
        "random": directions.random(trained.latent_dim, DIRECTIONS),
        "sefa": directions.sefa(trained.network, DIRECTIONS).vectors,
        "principal": directions.principal(trained, DIRECTIONS, labels(None, trained.class_names), range(SEEDS)).vectors,
    }
