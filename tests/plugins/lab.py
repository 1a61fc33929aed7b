"""A module of a user's own, as text, and what a refused command says."""

import subprocess

from tests.helpers.runs import SMALL

FEW = (*SMALL, "validation.every_n_epochs=null", "callbacks=none", "trainer.max_steps=2")
HEAD = "from typing import Annotated\nfrom cgan_lightning.registry import given, metric, register, setting\n"
LOSS = '''"""A loss and a callback."""
from typing import Annotated
from lightning import Callback
from cgan_lightning.registry import register, setting
from cgan_lightning.training.losses import Hinge

@register("loss", "my_hinge")
class MyHinge(Hinge):
    """Hinge loss with a free margin."""

    def __init__(self, *, margin: Annotated[float, setting("logit where D stops", above=0)] = 1.0) -> None:
        self.margin = margin

    def d(self, real, fake):
        return (self.margin - real).relu() + (self.margin + fake).relu()

@register("callbacks", "say")
class Say(Callback):
    """Says which update it is."""

    def __init__(self, *, word: Annotated[int, setting("what it says", at_least=1)] = 7) -> None:
        self.word = word

    def on_train_batch_end(self, trainer, *_):
        print(f"said {self.word} at {trainer.global_step}")
'''
PARTS = '''"""A generator, its parts and a metric."""
import torch
from torch import nn
from cgan_lightning.models.conditioning import LabelEncoder
from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.models.heads import Projection
from cgan_lightning.models.normalization import Batch
from cgan_lightning.models.prior import Uniform
from cgan_lightning.registry import Part, given, metric, register, setting
from cgan_lightning.training.augmentation import DiffAugment
from cgan_lightning.training.lr_schedule import Linear
from cgan_lightning.training.penalties import Penalty
from cgan_lightning.utils import limits
from typing import Annotated

@register("generator", "tiny")
class Tiny(ConditionalGenerator):
    """Two linear layers."""

    def __init__(
        self,
        *,
        latent_dim: Annotated[int, given(**limits.LATENT_DIM)],
        conditioning: Annotated[LabelEncoder, Part("conditioning")],
        hidden: Annotated[int, setting("hidden units", at_least=1, at_most=999)] = 32,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
    ) -> None:
        super().__init__()
        self.latent_dim, self.conditioning = latent_dim, conditioning
        self.project = nn.Linear(latent_dim + conditioning.width, hidden)
        self.blocks = nn.Sequential(
            nn.ReLU(), nn.Linear(hidden, image_size**2), nn.Tanh(), nn.Unflatten(1, (1, image_size, image_size))
        )

    def forward(self, z, labels):
        return self.blocks(self.project(torch.cat([z, self.conditioning(labels)], dim=1)))

@register("conditioning", "fixed")
class Fixed(LabelEncoder):
    """Vectors that are not learned."""

    def __init__(
        self,
        *,
        num_classes: Annotated[int, given(**limits.NUM_CLASSES)],
        width: Annotated[int, setting("length", **limits.LABEL_WIDTH)] = 4,
    ) -> None:
        super().__init__()
        self.fix(torch.linspace(-1, 1, num_classes * width, device="cpu").view(num_classes, width))

@register("noise", "mine")
class Mine(Uniform):
    """A prior."""

@register("head", "mine")
class Head(Projection):
    """A head."""

@register("normalization", "mine")
class Normalization(Batch):
    """A normalisation."""

@register("augmentation", "mine")
class Augmentation(DiffAugment):
    """An augmentation."""

    def __init__(self, *, far: Annotated[float, setting("shift", at_least=0, at_most=0.5)] = 0.25) -> None:
        super().__init__(shift=far)

@register("lr_schedule", "mine")
class Decay(Linear):
    """A schedule."""

@register("regularizer", "mine")
class Square(Penalty):
    """The square of the logits at real images."""

    def __init__(self, *, interval: Annotated[int, setting("every so many updates", at_least=1)] = 1) -> None:
        self.interval = interval

    def __call__(self, discriminator, real, fake, mix):
        return real.logits.square()

@metric("feature_norm", "mean norm of the features", "{:.1f}", better="higher")
def feature_norm(images, real, *, seed: int) -> float:
    return float(images.features.norm(dim=1).mean())
'''
SETS = '''"""A data set and a logger."""
import numpy as np
from cgan_lightning.data.own_data import OwnData
from cgan_lightning.registry import register, setting
from cgan_lightning.storage.run_logger import RunLogger
from typing import Annotated

@register("data", "shades")
class Shades(OwnData):
    """Grey squares of three shades."""

    class_names = ("dark", "middle", "bright")

    def __init__(self, *, count: Annotated[int, setting("number of images", at_least=30)] = 300) -> None:
        self.count = count

    def arrays(self, root):
        if root:
            return dict(np.load(root / "other.npz"))
        labels = np.arange(self.count) % 3
        images = np.random.default_rng(0).integers(0, 40, (self.count, 28, 28)) + 80 * labels[:, None, None]
        return {"images": images.astype(np.uint8), "labels": labels}

@register("logger", "lines")
class Lines(RunLogger):
    """A line of text for each value."""

    def __init__(self, *, folder, done, digits: Annotated[int, setting("digits after the point", at_least=1)] = 3) -> None:
        super().__init__(folder=folder, done=done)
        self.digits = digits

    def log_metrics(self, metrics, step=None):
        with (self.folder / "lines.txt").open("a") as file:
            file.writelines(f"{step} {name} {value:.{self.digits}f}\\n" for name, value in metrics.items())

    def log_settings(self, settings):
        self.log_metrics({"seed": settings["seed"]}, self.done)
'''


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a request that was refused."""
    assert done.returncode == 2, done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line != "Loading PyTorch ..."]
    return sentence
