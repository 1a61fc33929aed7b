"""A synthetic study with a given number of settings, whose values are functions of setting and seed."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from cgan_lightning.config import build, build_model
from cgan_lightning.models import generator_file
from cgan_lightning.reporting.collect import Study
from tests.helpers.configs import composed

LOSSES = ("bce", "least_squares", "hinge", "wasserstein", "relativistic", "bce_saturating", "softplus")
METRICS = {
    "fid": 0.4, "class_fid_mean": 1.1, "class_fid_max": 2.7, "fid_to_train": 0.3, "kid": 0.0004, "precision": 0.7,
    "recall": 0.6, "density": 0.9, "coverage": 0.8, "class_accuracy": 0.7, "val_fid": 0.5, "val_best_fid": 0.45,
}  # fmt: skip
RISING = ("precision", "recall", "density", "coverage", "class_accuracy")  # higher is better
IMAGES = 60_000  # between two validations


def study(folder: Path, *, losses: int = 7, seeds: int = 3, validations: int = 10) -> Study:
    """Return a study with twice as many settings as `losses`; all runs share a generator, written to `folder`."""
    config = composed("model.channels=64")
    model_spec = build_model.model_spec(config, build.data(config))
    generator_file.save(
        folder / generator_file.FILE_NAME, model_spec, raw=build_model.model(config, model_spec).generator, ema=None
    )
    rows, curves = [], {}
    for channels, place, seed in itertools.product((64, 128), range(losses), range(seeds)):
        noise = np.random.default_rng([channels, place, seed]).normal()
        worse = 1 + 0.12 * place - 0.15 * (channels == 128) + 0.03 * noise
        speed = (900 if channels == 64 else 500) * (1 + 0.03 * place)
        run = {
            "name": f"channels{channels}-{LOSSES[place]}-seed{seed}", "state": "finished", "detail": "", "path": str(folder),
            "seed": seed, "channels": channels, "loss": LOSSES[place],
            **{metric: value / worse if metric in RISING else value * worse for metric, value in METRICS.items()},
            "images_seen": validations * IMAGES, "images_per_second": speed, "seconds": validations * IMAGES / speed,
            "parameters": 450_000 * channels / 64 + 1_000 * place, "peak_memory_mib": 900 + 2 * channels + place,
        }  # fmt: skip
        rows.append(run)
        falls = 0.45 * worse * (1 + 6 / np.arange(1, validations + 1) ** 1.3)
        curves[run["name"]] = [{"images_seen": IMAGES * (look + 1), "fid": float(fid)} for look, fid in enumerate(falls)]
    return Study(
        folder=folder,
        command="python -m cgan_lightning.train -m ...",
        factors={"channels": [64, 128], "loss": list(LOSSES[:losses])},
        runs=pd.DataFrame(rows),
        curves=curves,
        origins={"revision": ["481fbbb"], "machine": ["a made-up one"], "versions": [], "feature_extractor": ["none"]},
        remarks=["These numbers are made up"],
        protocols={"evaluation": "10,000 samples against nothing"},
        unequal=None,
        time_problem=None,
    )
