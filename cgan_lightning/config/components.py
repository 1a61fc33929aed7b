"""Types, ranges and descriptions of what a choice brings with it: its components, as declared, and the places for them."""

import functools
from dataclasses import dataclass, make_dataclass
from typing import Any

from omegaconf import MISSING

from cgan_lightning import registry
from cgan_lightning.config.schema_fields import OPERATIONAL, anything, neutral, number, one_of
from cgan_lightning.utils import limits


@dataclass
class Pair:
    latent_dim: int = number("length of z", **limits.LATENT_DIM)
    channels: int = number("feature maps of the generator's first layer", **limits.CHANNELS)
    stages: int = number("doublings from the generator's first feature map to the image: 7 → 14 → 28", **limits.STAGES)
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
    accelerator: str = one_of("auto: a GPU where there is one", "auto", "cpu", "gpu", **OPERATIONAL)
    devices: int | None = number(
        "processes (ranks) on each machine, each with its device; null: all GPUs, or one on the CPU", at_least=1, **OPERATIONAL
    )
    num_nodes: int = number("machines", at_least=1, **OPERATIONAL)
    sync_batchnorm: bool = anything("batch norm over all ranks' images, on GPUs; false: each rank's own", **OPERATIONAL)
    max_epochs: int = number("how long to train, in passes over the images", at_least=1, **OPERATIONAL)
    max_steps: int | None = number("how long at most, in updates; null: as max_epochs says", at_least=1, **OPERATIONAL)
    updates_per_call: int | None = number(
        "at most so many updates in one call of Lightning's, which changes no number; null: 64 on a GPU, fewer of large "
        "batches, and 1 on the CPU", at_least=1, at_most=1000, **OPERATIONAL,
    )  # fmt: skip
    cuda_graphs: bool = anything("on one GPU, launch each update at once: the same numbers, many times faster", **OPERATIONAL)
    precision: str = one_of(
        "bf16-mixed: convolutions and matrix products in bfloat16, where the device has it", "32-true", "64-true", "bf16-mixed"
    )
    tf32: bool = anything("on a GPU with 32-true: products are rounded to TF32; false: float32 throughout", **neutral(True))
    deterministic: bool = anything("true: only deterministic kernels on a GPU; the CPU's are")
    backend: str | None = one_of(
        "how ranks communicate; null: nccl between GPUs, gloo between CPUs", "nccl", "gloo", **OPERATIONAL
    )


@functools.cache
def nodes() -> dict[str, type]:
    """Each part of the schema by the name that files in conf/ begin with: `base_loss_bce`, without `base_`."""
    places = {"model": Pair, "conditioning": Conditioning, "discriminator_label": DiscriminatorLabel, "trainer": Trainer}
    return places | {f"{each.group}_{each.name}": _node(each) for each in registry.components().values()}


def _node(component: registry.Component) -> type:
    settings = [(name, each.kind, number(each.about, **each.bounds, **each.marks)) for name, each in component.settings.items()]
    partial = [("_partial_", bool, True)] if component.is_factory else []
    return make_dataclass(component.target.rpartition(".")[2], [("_target_", str, component.target), *partial, *settings])
