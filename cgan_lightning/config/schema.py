"""Types and ranges of every command's keys; their values stand in conf/ alone, beside the reasons for them."""

import functools
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from cgan_lightning import limits
from cgan_lightning.config import ingredients
from cgan_lightning.config.fields import OPERATIONAL, anything, as_before, number, one_of


@dataclass
class Data:
    root: str | None = anything(**OPERATIONAL)
    batch_size: int = number(at_least=2)
    limit: int | None = number(at_least=2)
    classes: Any = anything(**as_before(None))  # null, one class, or a list
    per_class_limit: Any = anything(**as_before(None))  # null, a whole number, or {class: whole number}
    balanced: bool = MISSING
    image_size: int = number(**limits.IMAGE_SIZE)
    placement: str = one_of("device", "host", **OPERATIONAL)
    workers: int = number(at_least=0, at_most=64, **OPERATIONAL)


@dataclass
class Adam:
    lr: float = number(above=0, at_most=1)
    betas: list[float] = number(at_least=0, below=1, count=2)
    decay_images: float | None = number(above=0)
    decay_share: float | None = number(above=0, at_most=1, **as_before(None))
    final_lr: float = number(at_least=0, at_most=1)


@dataclass
class Optimizer:
    generator: Adam = field(default_factory=Adam)
    discriminator: Adam = field(default_factory=Adam)
    discriminator_updates: int = number(at_least=1, at_most=100)


@dataclass
class Ema:
    halflife_images: float | None = number(above=0)


@dataclass
class WarmStart:
    checkpoint: str | None = anything(**as_before(None))
    freeze: bool = anything(**as_before(False))


@dataclass
class Trainer:
    accelerator: str = one_of("auto", "cpu", "gpu", **OPERATIONAL)
    devices: int | None = number(at_least=1, **OPERATIONAL)
    num_nodes: int = number(at_least=1, **OPERATIONAL)
    sync_batchnorm: bool = anything(**OPERATIONAL)
    max_epochs: int = number(at_least=1, **OPERATIONAL)
    max_steps: int | None = number(at_least=1, **OPERATIONAL)
    updates_per_call: int | None = number(at_least=1, at_most=1000, **OPERATIONAL)
    cuda_graphs: bool = anything(**OPERATIONAL)
    precision: str = one_of("32-true", "64-true", "bf16-mixed")
    tf32: bool = anything(**as_before(True))
    deterministic: bool = MISSING
    backend: str | None = one_of("nccl", "gloo", **OPERATIONAL)


@dataclass
class Samples:
    columns: int = number(at_least=1, at_most=100, **OPERATIONAL)
    every_n_epochs: int = number(at_least=1, **OPERATIONAL)


@dataclass
class Metrics:
    every_n_epochs: int | None = number(at_least=1, **OPERATIONAL)
    samples: int = number(at_least=100, at_most=10_000, **OPERATIONAL)


@dataclass
class Resume:
    run: str | None = anything(**OPERATIONAL)
    allow_changes: bool = anything(**OPERATIONAL)


@dataclass
class Train:
    seed: int = number(at_least=0, below=2**32)
    data: Data = field(default_factory=Data)
    model: Any = MISSING
    conditioning: Any = MISSING
    generator_normalization: Any = MISSING
    discriminator_normalization: Any = MISSING
    discriminator_label: Any = MISSING
    upsampling: Any = MISSING
    noise: Any = MISSING
    loss: Any = MISSING
    regularizer: Any = MISSING
    augmentation: Any = MISSING
    optimizer: Optimizer = field(default_factory=Optimizer)
    ema: Ema = field(default_factory=Ema)
    warm_start: WarmStart = field(default_factory=WarmStart)
    trainer: Any = MISSING
    samples: Samples = field(default_factory=Samples)
    metrics: Metrics = field(default_factory=Metrics)
    checkpoint_every_n_epochs: int = number(at_least=1, **OPERATIONAL)
    log_every_n_updates: int = number(at_least=1, **OPERATIONAL)
    objective_metric: str | None = one_of(
        *("fid", "best_fid", "class_accuracy", "loss_d", "loss_g", "d_real", "d_fake", "images_per_second"), **OPERATIONAL
    )
    run_root: str = anything(**OPERATIONAL)
    resume: Resume = field(default_factory=Resume)
    rerun: bool = anything(**OPERATIONAL)


@dataclass
class Sample:
    checkpoint: str = anything(example="RUN_FOLDER")
    classes: Any = MISSING  # null, one class or mixture, or a list
    z: str | None = MISSING
    directions: str | None = MISSING
    move: Any = MISSING  # null, or {direction: how far}
    count: int = number(at_least=1, at_most=100_000)
    seed: int = number(at_least=0, below=2**32)
    output: str = MISSING
    weights: str = one_of("ema", "raw")
    batch_size: int = number(at_least=1)
    device: str = one_of("auto", "cpu", "gpu")


@dataclass
class Explore:
    checkpoint: str = anything(example="RUN_FOLDER")
    mode: str = one_of("transition", "directions", "embeddings", "training", "page")
    classes: Any = MISSING  # null, or classes and mixtures: in mode=transition two
    seed: int = number(at_least=0, below=2**32 - 1001)
    rows: int = number(at_least=1, at_most=1000)
    steps: int = number(at_least=2, at_most=1000)
    count: int = number(at_least=1, at_most=100)
    names: Any = MISSING  # null, or {new name: direction}
    serve: bool = MISSING
    port: int = number(at_least=0, at_most=65535)
    output: str | None = MISSING
    weights: str = one_of("ema", "raw")
    device: str = one_of("auto", "cpu", "gpu")


@dataclass
class Judge:
    epochs: int = number(at_least=1, at_most=1000)
    seed: int = number(at_least=0, below=2**32)
    threads: int = number(at_least=1, at_most=1024)
    limit: int | None = number(at_least=256)
    root: str | None = MISSING
    device: str = one_of("auto", "cpu", "gpu")
    output: str = MISSING


@dataclass
class Evaluate:
    checkpoint: str = anything(example="RUN_FOLDER")
    samples: int = number(at_least=100, at_most=10_000)
    seed: int = number(at_least=0, below=2**32)
    weights: str = one_of("ema", "raw")
    accuracy_score: bool = MISSING
    metrics: str = one_of("judge", "inception")
    judge: str | None = MISSING
    inception_weights: str | None = MISSING
    output: str | None = MISSING
    root: str | None = MISSING
    device: str = one_of("auto", "cpu", "gpu")
    devices: int = number(at_least=1, at_most=64)


@dataclass
class Report:
    runs: str = anything(example="SWEEP_FOLDER")
    metric: str | None = MISSING
    threshold: float | None = number(above=0)
    output: str | None = MISSING


NODES = {
    "train": Train,
    "sample": Sample,
    "explore": Explore,
    "judge": Judge,
    "evaluate": Evaluate,
    "report": Report,
    "trainer": Trainer,
    **ingredients.NODES,
}


@functools.cache
def register() -> None:
    """Puts the types where the files in conf/ name them, as `base_*`."""
    store = ConfigStore.instance()
    for name, node in NODES.items():
        store.store(name=f"base_{name}", node=node)
