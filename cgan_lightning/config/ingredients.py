"""Types and ranges of what a choice brings with it: the numbers of a pair of networks, a loss, a penalty."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from cgan_lightning import limits
from cgan_lightning.config.fields import number


@dataclass
class Pair:
    latent_dim: int = number(**limits.LATENT_DIM)
    channels: int = number(**limits.CHANNELS)
    stages: int = number(**limits.STAGES)


@dataclass
class DocumentedGenerator:
    _target_: str = "cgan_lightning.networks.generator.Generator"
    bn_eps: float = number(**limits.BN_EPS)


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
    blocks: int = number(**limits.BLOCKS)


@dataclass
class ResidualDiscriminator:
    _target_: str = "cgan_lightning.networks.residual.ResidualDiscriminator"
    channels: int = number(**limits.CHANNELS)
    blocks: int = number(**limits.BLOCKS)


@dataclass
class Residual(Pair):
    generator: ResidualGenerator = field(default_factory=ResidualGenerator)
    discriminator: ResidualDiscriminator = field(default_factory=ResidualDiscriminator)


@dataclass
class EmbeddingEncoder:
    _target_: str = "cgan_lightning.networks.conditioning.Embedding"
    width: int = number(**limits.LABEL_WIDTH)


@dataclass
class Embedding:
    generator: EmbeddingEncoder = field(default_factory=EmbeddingEncoder)
    discriminator: EmbeddingEncoder = field(default_factory=EmbeddingEncoder)


@dataclass
class AuxiliaryHead:
    _target_: str = "cgan_lightning.networks.heads.AuxiliaryClassifier"
    _partial_: bool = True
    weight: float = number(**limits.HEAD_WEIGHT)


@dataclass
class Auxiliary:
    conditioning: Any = MISSING
    head: AuxiliaryHead = field(default_factory=AuxiliaryHead)


@dataclass
class BinaryCrossEntropy:
    _target_: str = "cgan_lightning.losses.adversarial.BinaryCrossEntropy"
    real_label: float = number(above=0.5, at_most=1)


@dataclass
class LeastSquares:
    _target_: str = "cgan_lightning.losses.adversarial.LeastSquares"
    real_label: float = number(above=0.5, at_most=1)


@dataclass
class ZeroCentred:
    _target_: str = "cgan_lightning.losses.penalties.ZeroCentred"
    on_real: bool = MISSING
    on_fake: bool = MISSING
    gamma: float = number(above=0)
    every: int = number(at_least=1, at_most=100)


@dataclass
class GradientPenalty:
    _target_: str = "cgan_lightning.losses.penalties.Gradient"
    gamma: float = number(above=0)
    every: int = number(at_least=1, at_most=100)


@dataclass
class DiffAugment:
    _target_: str = "cgan_lightning.augmentation.DiffAugment"
    brightness: float = number(at_least=0, at_most=1)
    shift: float = number(at_least=0, at_most=0.5)
    cutout: float = number(at_least=0, at_most=1)


NODES = {
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
