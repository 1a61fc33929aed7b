"""Types, ranges and descriptions of every command's keys; values stand in conf/ alone, beside the reasons for them."""

import functools
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

from cgan_lightning.config import components, drawing
from cgan_lightning.config.schema_fields import OPERATIONAL, anything, device, neutral, number, of_one, one_of, seed, weights
from cgan_lightning.utils import limits

COSINE = {"_target_": "cgan_lightning.training.lr_schedule.Cosine"}
CLASSES = "a class or a list of classes, by name or number, or null"
SAMPLES = {"at_least": 100, "at_most": 10_000}
BESIDE_KEYS = {  # groups that only set what other keys are, and Hydra's own
    "experiment": "a named recipe",
    "sweep": "a named grid; values given beside it count",
    "hydra/launcher": "where a sweep's jobs run",
    "hydra/sweeper": "which jobs a sweep has",
}


@dataclass
class Data:
    root: str | None = anything(
        "the four IDX files, gzipped or not; null: found or fetched, then cached", must_be="a folder", **OPERATIONAL
    )
    batch_size: int = number("images in a batch, of all devices together", at_least=2)
    limit: int | None = number("only the first so many images, for a quick look; null: all", at_least=2)
    classes: Any = anything("what to train on, as in [Dress, 9]; null: all ten", must_be=CLASSES, **neutral(None))
    per_class_limit: Any = anything(
        "only the first so many images of each class, or of some: {Ankle boot: 100}; null: all 6,000",
        must_be="a whole number at least 1, or one for some classes, or null", **neutral(None),
    )  # fmt: skip
    balanced: bool = anything("whether each batch, real and fake, has equally many images of each class")
    image_size: int = number("height and width; a larger even number than 28 adds a black border", **limits.IMAGE_SIZE)
    placement: str = one_of(
        "device: all images stay on the training device; host: worker processes prepare batches",
        "device", "host", **OPERATIONAL,
    )  # fmt: skip
    workers: int = number("worker processes, for data.placement=host", at_least=0, at_most=64, **OPERATIONAL)


@dataclass
class Adam:
    lr: float = number("learning rate of Adam at the first update", above=0, at_most=1)
    betas: list[float] = number("decay rates of Adam's two moment estimates", at_least=0, below=1, count=2)
    decay_images: float | None = number(
        "lr falls to final_lr over so many images, as lr_schedule= says; null: lr throughout", above=0
    )
    decay_share: float | None = number(
        "the same over so large a part of trainer.max_epochs, in place of decay_images", above=0, at_most=1, **neutral(None)
    )
    final_lr: float = number("learning rate once it has fallen", at_least=0, at_most=1)


@dataclass
class Optimizer:
    generator: Adam = field(default_factory=Adam)
    discriminator: Adam = field(default_factory=Adam)
    discriminator_updates: int = number("updates of the discriminator for each of the generator", at_least=1, at_most=100)


@dataclass
class Ema:
    halflife_images: float | None = number(
        "half-life of the generator's moving average, which samples are drawn from; null: no average", above=0
    )


@dataclass
class WarmStart:
    checkpoint: str | None = anything(
        "whose weights are the first ones, those of classes by name; null: random ones",
        must_be="a run folder", **of_one("run"), **neutral(None),
    )  # fmt: skip
    freeze: bool = anything("true: only the generator's label embedding is trained", **neutral(False))


@dataclass
class Samples:
    columns: int = number("pictures of each class in samples.png and TensorBoard", at_least=1, at_most=100, **OPERATIONAL)
    every_n_epochs: int = number("how often they are drawn", at_least=1, **OPERATIONAL)


@dataclass
class Validation:
    every_n_epochs: int | None = number(
        "how often FID and class accuracy are measured against training images; null: never", at_least=1, **OPERATIONAL
    )
    samples: int = number("drawn for that, and as many real images: about 7 s on one core", **SAMPLES, **OPERATIONAL)


@dataclass
class Resume:
    run: str | None = anything(
        "auto: go on with this run if it was begun, in a sweep the default; a run folder: go on with that one",
        must_be="auto or a run folder", **of_one("run"), **OPERATIONAL,
    )  # fmt: skip
    allow_changes: bool = anything("true: also with other settings than the run was begun with", **OPERATIONAL)


@dataclass
class Train:
    """Trains a conditional GAN on Fashion-MNIST."""

    seed: int = seed("decides the first weights, every z, every label and the order of the data")
    data: Data = field(default_factory=Data)
    model: Any = anything("the pair of networks")
    conditioning: Any = anything("what a label becomes, in the generator and as planes in the discriminator")
    generator_normalization: Any = anything("of the generator's feature maps")
    discriminator_normalization: Any = anything("of the discriminator's feature maps or weights")
    discriminator_label: Any = anything("how the discriminator is given the label")
    upsampling: Any = anything("how the generator doubles height and width")
    noise: Any = anything("the distribution of z")
    loss: Any = anything("the adversarial objective")
    regularizer: Any = anything("a penalty on the discriminator's gradient with respect to its input")
    augmentation: Any = anything("of what the discriminator sees, real and fake")
    lr_schedule: Any = anything("how learning rates fall from lr to final_lr", **neutral(COSINE))
    optimizer: Optimizer = field(default_factory=Optimizer)
    ema: Ema = field(default_factory=Ema)
    warm_start: WarmStart = field(default_factory=WarmStart)
    trainer: Any = anything("what it runs on: one process, or several that share each batch")
    samples: Samples = field(default_factory=Samples)
    validation: Validation = field(default_factory=Validation)
    checkpoint_every_n_epochs: int = number("how often the whole training state is saved", at_least=1, **OPERATIONAL)
    log_every_n_updates: int = number("how often losses go to TensorBoard and the log", at_least=1, **OPERATIONAL)
    objective_metric: str | None = one_of(
        "what a job returns to a sweeper that searches",
        *("fid", "best_fid", "class_accuracy", "loss_d", "loss_g", "d_real", "d_fake", "images_per_second"), **OPERATIONAL,
    )  # fmt: skip
    run_root: str = anything("where run folders are made", must_be="a folder", **OPERATIONAL)
    resume: Resume = field(default_factory=Resume)
    rerun: bool = anything("true: forget what this run's folder holds and start anew", **OPERATIONAL)
    name: str | None = anything("for people: the run folder's name begins with it, and lists show it", **OPERATIONAL)
    tags: list[str] = anything("for people: lists show them", must_be="a list of words", **OPERATIONAL)


@dataclass
class FeatureExtractor:
    """Trains the classifier that the metrics use, from scratch."""

    epochs: int = number("how long to train, in passes over the images", at_least=1, at_most=1000)
    seed: int = seed("decides the first weights and the order of the data")
    threads: int = number("of the CPU; another number gives other last bits, and another hash", at_least=1, at_most=1024)
    limit: int | None = number("only the first so many images, for a quick look; null: all", at_least=256)
    root: str | None = anything("the data's four files; null: found or fetched, then cached", must_be="a folder")
    device: str = device()
    output: str = anything("where the classifier is written; an existing file is replaced", must_be="a file")


@dataclass
class Evaluate:
    """Measures how good a trained generator is."""

    checkpoint: str = anything(
        "which generator, or all of a sweep's finished runs",
        must_be="a run folder, its generator.safetensors or a sweep's folder", **of_one("run", "sweep"),
    )  # fmt: skip
    samples: int = number("pictures drawn, as many of each class", **SAMPLES)
    seed: int = seed("image seed of the first picture, and of what metrics draw")
    weights: str = weights()
    accuracy_score: bool = anything("true: also train classifiers on samples and on real images, which takes minutes")
    inception: bool = anything("true: also FID and KID by Inception-v3, as published; hours without a GPU")
    feature_extractor: str | None = anything(
        "one that cgan_lightning.feature_extractor has made; null: the package's own", must_be="a file"
    )
    inception_weights: str | None = anything("Inception-v3's; null: downloaded (91 MB) and cached", must_be="a file")
    output: str | None = anything("where the result is kept; null: results.json of the run", must_be="a .json file")
    root: str | None = anything("the data's four files; null: found or fetched, then cached", must_be="a folder")
    device: str = device()
    devices: int = number("processes of this machine that share the work, each with its device", at_least=1, at_most=64)


@dataclass
class Report:
    """Compares runs: a page, figures, a CSV file and tables."""

    runs: Any = anything(
        "which runs: a sweep, run folders, or a pattern of them",
        must_be="a folder in runs/sweeps/, a list as [runs/A,runs/B], or 'runs/*seed0*'",
        **of_one("sweep", example="SWEEP_FOLDER"),
    )  # fmt: skip
    metric: str | None = anything(
        "what conclusions are drawn from; null: fid on the test set where all runs were evaluated, else val_best_fid",
        must_be="a metric of results.json",
    )
    threshold: float | None = number(
        "FID in training to which time is measured; null: the best that every run reached", above=0
    )
    output: str | None = anything(
        "where it is written; null: the sweep's own, or one in reports/ beside the runs", must_be="a folder"
    )


NODES = {
    "train": Train,
    "sample": drawing.Sample,
    "explore": drawing.Explore,
    "feature_extractor": FeatureExtractor,
    "evaluate": Evaluate,
    "report": Report,
    **components.nodes(),
}


@functools.cache
def register() -> None:
    """Puts the types where the files in conf/ name them, as `base_*`."""
    store = ConfigStore.instance()
    for name, node in NODES.items():
        store.store(name=f"base_{name}", node=node)
