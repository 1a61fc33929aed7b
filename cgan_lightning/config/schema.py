"""Types, ranges and descriptions of every command's keys; default values are in conf/."""

import functools
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

from cgan_lightning.config import components, drawing, search_space
from cgan_lightning.config.data_schema import Data, Dataset
from cgan_lightning.config.schema_fields import (
    OPERATIONAL,
    anything,
    device,
    neutral,
    number,
    of_one,
    one_of,
    plugins,
    seed,
    weights,
)

COSINE = {"_target_": "cgan_lightning.training.lr_schedule.Cosine"}
SAMPLES = {"at_least": 100, "at_most": 10_000}
BESIDE_KEYS = {  # groups that only set other keys, and Hydra's own groups
    "data": "the data set; its keys are below",
    "experiment": "a named recipe",
    "sweep": "a named grid; overrides given as well take precedence",
    "hydra/launcher": "where the jobs of a sweep run",
    "hydra/sweeper": "how the jobs of a sweep are chosen",
}


@dataclass
class Adam:
    lr: float = number("initial learning rate of Adam", above=0, at_most=1)
    betas: list[float] = number("decay rates of Adam's two moment estimates", at_least=0, below=1, count=2)
    decay_images: float | None = number(
        "images over which lr decays to final_lr, along lr_schedule=; null: constant lr", above=0
    )
    decay_share: float | None = number(
        "the same as a share of trainer.max_epochs, instead of decay_images", above=0, at_most=1, **neutral(None)
    )
    final_lr: float = number("learning rate after the decay", at_least=0, at_most=1)


@dataclass
class Optimizer:
    generator: Adam = field(default_factory=Adam)
    discriminator: Adam = field(default_factory=Adam)
    discriminator_updates: int = number("discriminator updates per generator update", at_least=1, at_most=100)


@dataclass
class Ema:
    halflife_images: float | None = number(
        "half-life in images of the generator's EMA, which samples are drawn from; null: no EMA", above=0
    )


@dataclass
class WarmStart:
    checkpoint: str | None = anything(
        "run whose weights initialise this one, classes matched by name; null: random initialisation",
        must_be="a run folder", **of_one("run"), **neutral(None),
    )  # fmt: skip
    freeze: bool = anything("true: only the generator's label embedding is trained", **neutral(False))


@dataclass
class Validation:
    every_n_epochs: int | None = number(
        "epochs between measurements of FID and class accuracy, against training images; null: never", at_least=1, **OPERATIONAL
    )
    samples: int = number("number of samples for that, and of real images: about 7 s on one core", **SAMPLES, **OPERATIONAL)


@dataclass
class Resume:
    run: str | None = anything(
        "auto: resume this run if it exists (the default in a sweep); a run folder: resume that run",
        must_be="auto or a run folder", **of_one("run"), **OPERATIONAL,
    )  # fmt: skip
    allow_changes: bool = anything("true: resume even if settings differ from those the run was started with", **OPERATIONAL)


@dataclass
class Train:
    """Train a conditional GAN on Fashion-MNIST, or on another data set."""

    seed: int = seed("determines the initial weights, every z, every label and the order of the data")
    data: Data = field(default_factory=Data)
    model: Any = anything("the generator and discriminator networks")
    conditioning: Any = anything("how a label is encoded, for the generator and as label planes for the discriminator")
    generator_normalization: Any = anything("normalisation of the generator's feature maps")
    discriminator_normalization: Any = anything("normalisation of the discriminator's feature maps or weights")
    discriminator_label: Any = anything("how the discriminator is conditioned on the label")
    upsampling: Any = anything("how the generator doubles height and width")
    noise: Any = anything("the distribution of z")
    loss: Any = anything("the adversarial objective")
    regularizer: Any = anything("a penalty on the discriminator's gradient with respect to its input")
    augmentation: Any = anything("augmentation of the discriminator's input, real and fake")
    lr_schedule: Any = anything("how learning rates decay from lr to final_lr", **neutral(COSINE))
    callbacks: Any = anything("what is drawn and logged during training", **OPERATIONAL)
    logger: Any = anything("where scalars, settings and images are logged; several as in [tensorboard,csv]", **OPERATIONAL)
    optimizer: Optimizer = field(default_factory=Optimizer)
    ema: Ema = field(default_factory=Ema)
    warm_start: WarmStart = field(default_factory=WarmStart)
    trainer: Any = anything("the hardware: one process, or several that share each batch")
    validation: Validation = field(default_factory=Validation)
    checkpoint_every_n_epochs: int = number("epochs between checkpoints of the training state", at_least=1, **OPERATIONAL)
    log_every_n_updates: int = number("updates between entries in the loggers and the log", at_least=1, **OPERATIONAL)
    objective_metric: str | None = one_of(
        "metric that a job returns to an optimising sweeper",
        *("fid", "best_fid", "class_accuracy", "loss_d", "loss_g", "d_real", "d_fake", "images_per_second"), **OPERATIONAL,
    )  # fmt: skip
    run_root: str = anything("folder in which run folders are created", must_be="a folder", **OPERATIONAL)
    resume: Resume = field(default_factory=Resume)
    rerun: bool = anything("true: delete the run folder's content and start over", **OPERATIONAL)
    name: str | None = anything("label for people: prefix of the run folder's name, shown in lists", **OPERATIONAL)
    tags: list[str] = anything("labels for people, shown in lists", must_be="a list of words", **OPERATIONAL)
    plugins: list[str] = plugins()


@dataclass
class FeatureExtractor:
    """Train the feature extractor (a classifier) of the metrics for a data set."""

    data: Dataset = field(default_factory=Dataset)
    epochs: int | None = number(
        "training length in epochs; null: 16, or more for few images, so that there are 1,000 updates", at_least=1, at_most=1000
    )
    seed: int = seed("determines the initial weights and the order of the data")
    threads: int = number("number of CPU threads; it affects the last bits and so the hash", at_least=1, at_most=1024)
    limit: int | None = number("use only the first N images, for a quick test; null: all", at_least=256)
    device: str = device()
    output: str | None = anything(
        "output file; an existing one is replaced; null: the cache, where validation and evaluate find it by the data, or, for "
        "Fashion-MNIST, whose own comes with the package, feature_extractor.safetensors", must_be="a file",
    )  # fmt: skip
    plugins: list[str] = plugins()


@dataclass
class Evaluate:
    """Evaluate a trained generator."""

    checkpoint: str = anything(
        "the trained generator, or all finished runs of a sweep",
        must_be="a run folder, its generator.safetensors or a sweep's folder", **of_one("run", "sweep"),
    )  # fmt: skip
    data: Dataset = field(default_factory=Dataset)
    samples: int = number("number of samples, equally many of each class", **SAMPLES)
    seed: int = seed("image seed of the first sample, and seed of the metrics")
    weights: str = weights()
    accuracy_score: bool = anything("true: also train classifiers on samples and on real images; takes minutes")
    inception: bool = anything("true: also FID and KID with Inception-v3, as published; takes hours without a GPU")
    feature_extractor: str | None = anything(
        "file written by cgan_lightning.feature_extractor; null: that of the data set", must_be="a file"
    )
    inception_weights: str | None = anything("weights of Inception-v3; null: download (91 MB) and cache", must_be="a file")
    output: str | None = anything("output file; null: results.json of the run", must_be="a .json file")
    device: str = device()
    devices: int = number("number of processes on this machine that share the work, one device each", at_least=1, at_most=64)
    plugins: list[str] = plugins()


NODES = {
    "train": Train,
    "sample": drawing.Sample,
    "explore": drawing.Explore,
    "feature_extractor": FeatureExtractor,
    "evaluate": Evaluate,
    "report": drawing.Report,
    "optuna": search_space.Optuna,
    **components.nodes(),
}


@functools.cache
def register() -> None:
    """Register the types in Hydra's ConfigStore as `base_*`, the names used in conf/."""
    for name, node in NODES.items():
        ConfigStore.instance().store(name=f"base_{name}", node=node)
