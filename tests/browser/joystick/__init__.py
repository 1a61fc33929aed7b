"""mode=page served, and what its tests ask of a picture on it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from cgan_lightning.config import build, build_model
from cgan_lightning.data.sources import cache_folder
from cgan_lightning.exploration import onnxruntime_web, page, server
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.utils.images import to_uint8
from tests.helpers.configs import composed
from tests.helpers.needs import skip_without

DRAWN = "#picture[aria-busy=false]"
PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 == 0)"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder that page.write has made, on loopback."""
    with server.bound(folder, 0) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield server.address(serving)
        serving.shutdown()


def untrained(folder, *overrides: str):
    config = composed("experiment=small", "model.channels=64", *overrides)  # untrained, its images depend more on z
    model_spec = build_model.model_spec(config, build.data(config))
    generator_file.save(
        folder / generator_file.FILE_NAME, model_spec, raw=build_model.model(config, model_spec).generator, ema=None
    )
    return generator_file.load(folder)


def written(generator, folder):
    if shutil.which("npm") is None and onnxruntime_web.wrong(cache_folder() / onnxruntime_web.PACKAGE):
        skip_without(f"{onnxruntime_web.PACKAGE}: install Debian's package npm")
    page.write(generator, folder)
    return folder


def pixels(shown, of="#picture"):
    shown.locator(DRAWN).wait_for(timeout=60_000)
    return np.array(shown.locator(of).first.evaluate(PIXELS), np.int16).reshape(28, 28)


def drawn(generator, seed, shares, moved=0.0, bound=torch.inf):
    labels = torch.zeros(1, 10)
    for place, share in shares.items():
        labels[0, place] = share
    z = (sampling.latents(generator.prior, generator.latent_dim, [seed]) + moved).clamp(-bound, bound)
    return to_uint8(sampling.sample(generator.network, z, labels))[0, 0].numpy().astype(np.int16)


def address_of(shown):
    shown.locator(DRAWN).wait_for(timeout=60_000)
    return dict(part.split("=") for part in shown.url.partition("#")[2].split("&"))
