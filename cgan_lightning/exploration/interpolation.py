"""mode=interpolation: between two classes, between two z, and both at once."""

from pathlib import Path

from cgan_lightning.exploration.made_from import made_from
from cgan_lightning.exploration.strips import Strips
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import interpolation as paths
from cgan_lightning.sampling.class_names import Label, labels
from cgan_lightning.utils import pasteable


def explore(
    trained: TrainedGenerator, ends: tuple[Label, Label], *, seed: int, rows: int, steps: int, output: Path
) -> list[str]:
    """Three grids, their first rows and their animations, in `output`; a sentence on each.

    label: a row for each of `rows` image seeds from `seed` on, its label turning. z: a row for each class, z going from image
    seed `seed` to the next. both: a row for each two image seeds, `seed` and on, the label and z at once.
    """
    start, end = ends
    seeds = range(seed, seed + rows)
    classes = labels(None, trained.class_names)
    turning = f"{start.title} to {end.title}"
    weight, share = f"Weight of {end.title}, the rest being {start.title}", "share of the way"
    with Strips(output, made_from(trained, range(seed, seed + rows + 1))) as strips:
        by_label = paths.along_label(trained, start, end, seeds, steps)
        strips.write("label", by_label, [f"z {each}" for each in seeds], weights=weight)
        by_z = paths.along_z(trained, classes, seed, seed + 1, steps)
        strips.write("z", by_z, [each.title for each in classes], weights=f"From z {seed} to z {seed + 1}: {share}")
        pairs = [(each, each + 1) for each in seeds]
        by_both = paths.along_both(trained, start, end, pairs, steps)
        strips.write("both", by_both, [f"z {one} to {other}" for one, other in pairs], weights=f"{weight}; of z, {share}")
    return [
        f"{output / 'label.png'}: {turning}, a row a z",
        f"{output / 'z.png'}: z {seed} to z {seed + 1}, a row a class",
        f"{output / 'both.png'}: {turning} while z goes to the next one",
        f"Each also as its first row alone (_strip.png) and moving (.gif). In TensorBoard:\n  {pasteable.tensorboard(output)}",
    ]
