"""The origin of a generator's images, for the metadata of their files."""

from collections.abc import Sequence

from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.storage.environment import git_revision
from cgan_lightning.utils.origin import Origin


def made_from(trained: TrainedGenerator, seeds: Sequence[int]) -> Origin:
    """Return the generator's run, the image seeds, and the code revision."""
    return Origin([trained.name], seeds, [git_revision()])
