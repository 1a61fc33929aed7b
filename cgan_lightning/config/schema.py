"""Types and ranges of every key; their values stand in conf/ alone, beside the reasons for them.

A field made with `number`, `numbers` or `one_of` carries its range, which checks.py applies. OPERATIONAL marks what says
how, where or how long a run goes and not what it computes: that is no part of a run's name.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from cgan_lightning import limits


def number(
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    **marks: Any,
) -> Any:
    bounds = {"at_least": at_least, "above": above, "at_most": at_most, "below": below}
    return field(default=MISSING, metadata={"bounds": {k: v for k, v in bounds.items() if v is not None}, **marks})


def one_of(*choices: str, **marks: Any) -> Any:
    return field(default=MISSING, metadata={"choices": choices, **marks})


def anything(**marks: Any) -> Any:
    return field(default=MISSING, metadata=marks)


OPERATIONAL: dict[str, Any] = {"operational": True}


@dataclass
class Data:
    root: str | None = anything(**OPERATIONAL)
    batch_size: int = number(at_least=2)
    limit: int | None = number(at_least=2)
    image_size: int = number(**limits.IMAGE_SIZE)
    placement: str = one_of("device", "host", **OPERATIONAL)
    workers: int = number(at_least=0, at_most=64, **OPERATIONAL)


@dataclass
class Model:
    channels: int = number(**limits.CHANNELS)
    latent_dim: int = number(**limits.LATENT_DIM)
    stages: int = number(**limits.STAGES)
    generator_bn_eps: float = number(**limits.BN_EPS)


@dataclass
class EmbeddingEncoder:
    _target_: str = "cgan_lightning.networks.conditioning.Embedding"
    width: int = number(**limits.LABEL_WIDTH)


@dataclass
class Embedding:
    generator: EmbeddingEncoder = field(default_factory=EmbeddingEncoder)
    discriminator: EmbeddingEncoder = field(default_factory=EmbeddingEncoder)


@dataclass
class Adam:
    lr: float = number(above=0, at_most=1)
    betas: list[float] = number(at_least=0, below=1, count=2)


@dataclass
class Optimizer:
    generator: Adam = field(default_factory=Adam)
    discriminator: Adam = field(default_factory=Adam)


@dataclass
class Ema:
    halflife_images: float | None = number(above=0)


@dataclass
class Trainer:
    accelerator: str = one_of("auto", "cpu", "gpu", **OPERATIONAL)
    devices: int | None = number(at_least=1, **OPERATIONAL)
    num_nodes: int = number(at_least=1, **OPERATIONAL)
    sync_batchnorm: bool = anything(**OPERATIONAL)
    max_epochs: int = number(at_least=1, **OPERATIONAL)
    max_steps: int | None = number(at_least=1, **OPERATIONAL)
    updates_per_call: int | None = number(at_least=1, at_most=1000, **OPERATIONAL)
    precision: str = one_of("32-true", "64-true", "bf16-mixed")
    deterministic: bool = MISSING


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
    model: Model = field(default_factory=Model)
    conditioning: Any = MISSING
    upsampling: Any = MISSING
    noise: Any = MISSING
    optimizer: Optimizer = field(default_factory=Optimizer)
    ema: Ema = field(default_factory=Ema)
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
    classes: Any = MISSING  # null, one class, or a list
    count: int = number(at_least=1, at_most=100_000)
    seed: int = number(at_least=0, below=2**32)
    output: str = MISSING
    weights: str = one_of("ema", "raw")
    batch_size: int = number(at_least=1)
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


def register() -> None:
    """Puts the types where the files in conf/ name them, as `base_*`."""
    store = ConfigStore.instance()
    store.store(name="base_train", node=Train)
    store.store(name="base_sample", node=Sample)
    store.store(name="base_judge", node=Judge)
    store.store(name="base_evaluate", node=Evaluate)
    store.store(name="base_report", node=Report)
    store.store(name="base_trainer", node=Trainer)
    store.store(name="base_embedding", node=Embedding)
