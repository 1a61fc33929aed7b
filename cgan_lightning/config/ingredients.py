"""Types, ranges and descriptions of what a choice brings with it: numbers of networks, a loss, a penalty, a trainer."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from cgan_lightning import limits
from cgan_lightning.config.fields import OPERATIONAL, anything, as_before, number, one_of


@dataclass
class Pair:
    latent_dim: int = number("length of z", **limits.LATENT_DIM)
    channels: int = number("feature maps of the generator's first layer", **limits.CHANNELS)
    stages: int = number("doublings from the generator's first feature map to the image: 7 → 14 → 28", **limits.STAGES)


@dataclass
class DocumentedGenerator:
    _target_: str = "cgan_lightning.networks.generator.Generator"
    bn_eps: float = number("eps of the batch norm after the first convolution; usually 1e-5", **limits.BN_EPS)


@dataclass
class DocumentedDiscriminator:
    _target_: str = "cgan_lightning.networks.discriminator.Discriminator"


@dataclass
class Documented(Pair):
    generator: DocumentedGenerator = field(default_factory=DocumentedGenerator)
    discriminator: DocumentedDiscriminator = field(default_factory=DocumentedDiscriminator)


@dataclass
class ResidualGenerator:
    _target_: str = "cgan_lightning.networks.residual.ResidualGenerator"
    blocks: int = number("residual blocks at each size", **limits.BLOCKS)


@dataclass
class ResidualDiscriminator:
    _target_: str = "cgan_lightning.networks.residual.ResidualDiscriminator"
    channels: int = number("feature maps at the smallest size", **limits.CHANNELS)
    blocks: int = number("residual blocks at each size", **limits.BLOCKS)


@dataclass
class Residual(Pair):
    generator: ResidualGenerator = field(default_factory=ResidualGenerator)
    discriminator: ResidualDiscriminator = field(default_factory=ResidualDiscriminator)


@dataclass
class EmbeddingEncoder:
    _target_: str = "cgan_lightning.networks.conditioning.Embedding"
    width: int = number("length of the vector, or how many planes", **limits.LABEL_WIDTH)


@dataclass
class Embedding:
    generator: EmbeddingEncoder = field(default_factory=EmbeddingEncoder)
    discriminator: EmbeddingEncoder = field(default_factory=EmbeddingEncoder)


@dataclass
class AuxiliaryHead:
    _target_: str = "cgan_lightning.networks.heads.AuxiliaryClassifier"
    _partial_: bool = True
    weight: float = number("weight of the classifier's cross-entropy beside the adversarial loss", **limits.HEAD_WEIGHT)


@dataclass
class Auxiliary:
    conditioning: Any = MISSING
    head: AuxiliaryHead = field(default_factory=AuxiliaryHead)


@dataclass
class BinaryCrossEntropy:
    _target_: str = "cgan_lightning.losses.adversarial.BinaryCrossEntropy"
    real_label: float = number("target for real images; below 1: smoothed (Salimans et al. 2016)", above=0.5, at_most=1)


@dataclass
class LeastSquares:
    _target_: str = "cgan_lightning.losses.adversarial.LeastSquares"
    real_label: float = number("target for real images; below 1: smoothed (Salimans et al. 2016)", above=0.5, at_most=1)


@dataclass
class ZeroCentred:
    _target_: str = "cgan_lightning.losses.penalties.ZeroCentred"
    on_real: bool = anything("whether real images are penalised")
    on_fake: bool = anything("whether fake images are penalised")
    gamma: float = number("weight of the penalty", above=0)
    every: int = number("at every so many updates, as many times as strong", at_least=1, at_most=100)


@dataclass
class GradientPenalty:
    _target_: str = "cgan_lightning.losses.penalties.Gradient"
    gamma: float = number("weight of the penalty", above=0)
    every: int = number("at every so many updates, as many times as strong", at_least=1, at_most=100)


@dataclass
class DiffAugment:
    _target_: str = "cgan_lightning.augmentation.DiffAugment"
    brightness: float = number("an image's light is changed by up to this share", at_least=0, at_most=1)
    shift: float = number("each image is moved by up to this share of its side, in whole pixels", at_least=0, at_most=0.5)
    cutout: float = number("side of a black square, as a share of the image's", at_least=0, at_most=1)


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
    tf32: bool = anything("on a GPU with 32-true: products are rounded to TF32; false: float32 throughout", **as_before(True))
    deterministic: bool = anything("true: only deterministic kernels on a GPU; the CPU's are")
    backend: str | None = one_of(
        "how ranks communicate; null: nccl between GPUs, gloo between CPUs", "nccl", "gloo", **OPERATIONAL
    )


NODES = {
    "trainer": Trainer,
    "documented": Documented,
    "residual": Residual,
    "embedding": Embedding,
    "auxiliary": Auxiliary,
    "bce": BinaryCrossEntropy,
    "least_squares": LeastSquares,
    "zero_centred": ZeroCentred,
    "gradient_penalty": GradientPenalty,
    "diffaugment": DiffAugment,
}
