"""What pictures of a generator were made from, for their files' metadata."""

from collections.abc import Sequence

from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.storage.environment import git_revision
from cgan_lightning.utils.origin import Origin


def made_from(trained: TrainedGenerator, seeds: Sequence[int]) -> Origin:
    """The generator's run, the image seeds, and the revision of the code that draws."""
    return Origin([trained.name], seeds, [git_revision()])
