"""Types, ranges and descriptions of each option's keys: registered components, and the sections that contain them."""

import functools
from dataclasses import dataclass, field, make_dataclass
from typing import Any

from omegaconf import MISSING

from cgan_lightning import registry
from cgan_lightning.config.schema_fields import OPERATIONAL, anything, neutral, number, one_of
from cgan_lightning.utils import limits

WITHOUT_EFFECT_ON_RESULTS = ("callbacks", "logger")  # groups whose options are no part of a run's name


@dataclass
class Pair:
    latent_dim: int = number("length of the latent vector z", **limits.LATENT_DIM)
    channels: int = number("feature maps of the generator's first layer", **limits.CHANNELS)
    stages: int = number("doublings from the generator's first feature map to the image size: 7 → 14 → 28", **limits.STAGES)
    generator: Any = MISSING
    discriminator: Any = MISSING


@dataclass
class Conditioning:
    generator: Any = MISSING
    discriminator: Any = MISSING


@dataclass
class DiscriminatorLabel:
    conditioning: Any = MISSING
    head: Any = MISSING


@dataclass
class Trainer:
    accelerator: str = one_of("auto: a GPU if there is one", "auto", "cpu", "gpu", **OPERATIONAL)
    devices: int | None = number(
        "processes (ranks) per machine, one device each; null: all GPUs, or one process on the CPU", at_least=1, **OPERATIONAL
    )
    num_nodes: int = number("number of machines", at_least=1, **OPERATIONAL)
    sync_batchnorm: bool = anything(
        "on GPUs: batch-norm statistics over the images of all ranks; false: of each rank", **OPERATIONAL
    )
    max_epochs: int = number("training length in epochs", at_least=1, **OPERATIONAL)
    max_steps: int | None = number(
        "maximum training length in updates; null: only max_epochs counts", at_least=1, **OPERATIONAL
    )
    updates_per_call: int | None = number(
        "maximum number of updates in one Lightning training step; does not change results; null: 64 on a GPU, fewer for large "
        "batches, 1 on the CPU", at_least=1, at_most=1000, **OPERATIONAL,
    )  # fmt: skip
    cuda_graphs: bool = anything(
        "on one GPU, launch each update as one CUDA graph: the same results, many times faster", **OPERATIONAL
    )
    precision: str = one_of(
        "bf16-mixed: convolutions and matrix products in bfloat16, if the device supports it",
        "32-true",
        "64-true",
        "bf16-mixed",
    )
    tf32: bool = anything("on a GPU with 32-true: round products to TF32; false: float32 throughout", **neutral(True))
    deterministic: bool = anything("true: use only deterministic kernels on a GPU; those of the CPU are")
    backend: str | None = one_of(
        "how ranks communicate; null: nccl between GPUs, gloo between CPUs", "nccl", "gloo", **OPERATIONAL
    )


@functools.cache
def nodes() -> dict[str, type]:
    """Return each part of the schema by the name that files in conf/ use: `base_loss_bce`, without `base_`."""
    parts = {"model": Pair, "conditioning": Conditioning, "discriminator_label": DiscriminatorLabel, "trainer": Trainer}
    return parts | {f"{each.group}_{each.name}": node(each) for each in registry.components().values()}


def node(component: registry.Component) -> type:
    """Return the schema node of a component: its settings, and the class that it names."""
    marks = OPERATIONAL if component.group in WITHOUT_EFFECT_ON_RESULTS else {}
    settings = [
        (name, each.kind, number(each.about, **each.bounds, **each.marks, **marks)) for name, each in component.settings.items()
    ]
    target = [("_target_", str, field(default=component.target, metadata=marks))]
    partial = [("_partial_", bool, True)] if component.is_factory else []
    return make_dataclass(component.target.rpartition(".")[2], [*target, *partial, *settings])
