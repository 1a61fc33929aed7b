"""mode=interpolation: interpolation between two classes, between two z, and both at once."""

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
    """Write three grids, their first rows and animations to `output`; return messages.

    label: a row for each of `rows` image seeds from `seed`, with a changing label. z: a row for each class, with z from image
    seed `seed` to the next one. both: a row for each pair of successive image seeds, with a changing label and z.
    """
    start, end = ends
    seeds = range(seed, seed + rows)
    classes = labels(None, trained.class_names)
    change = f"{start.title} to {end.title}"
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
        f"{output / 'label.png'}: {change}, one row per z",
        f"{output / 'z.png'}: z {seed} to z {seed + 1}, one row per class",
        f"{output / 'both.png'}: {change} and each z to the next one",
        f"First rows are in *_strip.png, animations in *.gif. In TensorBoard:\n  {pasteable.tensorboard(output)}",
    ]
