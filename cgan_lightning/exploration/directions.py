"""mode=directions: the strongest directions of z as strips, their effects as a table, and a file of them for `sample`."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.exploration.made_from import made_from
from cgan_lightning.exploration.silhouette import Silhouette, silhouette
from cgan_lightning.exploration.strips import Strips
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import directions, sampling
from cgan_lightning.sampling.class_names import Label, labels
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.files import write_atomically

KINDS = ("sefa", "pca")
SHIFTS = (-3, -2, -1, 0, 1, 2, 3)  # of a strip's columns, in standard deviations of z
SAMPLES = 2000  # z for the principal components
MEASURED = 200  # z for measuring the effect of a direction
MEASURES = ("picture", *Silhouette._fields)


@dataclass
class MeasuredDirection:
    """A direction and its mean effect per unit on images of its classes."""

    kind: str  # sefa or pca
    number: int  # 1: the strongest of its kind
    classes: str  # "" for all
    strength: float
    vector: Float[Tensor, " latent"]
    changes: dict[str, float]  # MEASURES; "picture": mean absolute change of a pixel's intensity, in 0..1

    @property
    def name(self) -> str:
        return _name(self.kind, self.number, self.classes)


def explore(
    trained: TrainedGenerator,
    classes: Sequence[Label] | None,
    *,
    seed: int,
    rows: int,
    count: int,
    names: Any,
    output: Path,
    checkpoint: str,
    weights: str,
) -> list[str]:
    """Write `count` directions of each kind for each of `classes`, or for all together, to `output`; return messages.

    The rows of a strip are `rows` image seeds of the class, or all classes of one seed. `names` are additional names of
    directions, see `with_names`. `trained` is the generator at `checkpoint`, with these `weights`.
    """
    groups = {_slug(each.title): [each] for each in classes} if classes else {"": labels(None, trained.class_names)}
    _check_names(names, groups, min(count, trained.latent_dim))
    result = {group: _find(trained, group, members, count, seed) for group, members in groups.items()}
    everything = ranked(each for of_group in result.values() for each in of_group)
    kept = with_names({each.name: each.vector for each in everything}, _growing(everything), names)
    with Strips(output, made_from(trained, range(seed, seed + rows))) as strips:
        for group, members in groups.items():
            _draw(strips, trained, group, members, result[group], range(seed, seed + rows))
    directions.save(output / "directions.json", trained.latent_dim, kept)
    table = _table(everything)
    write_atomically(output / "directions.csv", lambda path: path.write_text(table))
    return [
        *(f"{measure} changes most along {_most(everything, measure)}" for measure in MEASURES),
        f"{output / 'directions.csv'}: the effect of each; beside it a strip for each, from {SHIFTS[0]} to {SHIFTS[-1]}",
        f"{output / 'directions.json'}: the directions themselves. To move z along one:\n"
        f"  {_sample_command(next(iter(names or [everything[0].name])), classes, output, checkpoint, weights)}",
    ]


def ranked(result: Iterable[MeasuredDirection]) -> list[MeasuredDirection]:
    """Sort SeFa's directions before PCA's, each strongest first: the strengths of the two kinds are not comparable."""
    return sorted(result, key=lambda each: (KINDS.index(each.kind), -each.strength))


def _sample_command(name: str, classes: Sequence[Label] | None, output: Path, checkpoint: str, weights: str) -> str:
    """Return a command that samples along the direction `name`, with the first of `classes` if given."""
    overrides = {"checkpoint": checkpoint, "directions": str(output / "directions.json"), "move": f"{{{name}: 2}}"}
    overrides |= {} if weights == "ema" else {"weights": weights}
    overrides |= {"classes": f"[{classes[0].title}]"} if classes and not classes[0].is_mixture else {}
    return pasteable.command("sample", **overrides)


def _growing(result: Sequence[MeasuredDirection]) -> dict[str, Tensor]:
    """Return for each measure the direction with the largest change, with the sign that increases it."""
    most = {measure: max(result, key=lambda each: abs(each.changes[measure])) for measure in MEASURES}
    return {name: each.vector * (-1 if each.changes[name] < 0 else 1) for name, each in most.items()}


def _check_names(names: Any, groups: Collection[str], count: int) -> None:
    """Check `names` as `with_names` does, but before directions are computed, which takes seconds."""
    own = [_name(kind, number + 1, group) for kind in KINDS for number in range(count) for group in groups]
    with_names(dict.fromkeys(own, torch.empty(0)), dict.fromkeys(MEASURES, torch.empty(0)), names)


def with_names(result: Mapping[str, Tensor], growing: Mapping[str, Tensor], names: Any) -> dict[str, Tensor]:
    """Return `result` with additional names: {boot_height: sefa3}, or {boot_height: height} for a measure in `growing`.

    Raises UserError for invalid names.
    """
    if names is not None and not isinstance(names, Mapping):
        raise UserError(
            f"names={shown(names)}: write new names for directions, as in names={{boot_height: {next(iter(result))}}}"
        )
    if taken := [str(new) for new in names or {} if str(new) in result]:
        raise UserError(f"names: there is a direction {taken[0]} already; take another name")
    known = {**result, **growing}
    return {**result, **{str(new): directions.named(str(old), known, "names") for new, old in (names or {}).items()}}


def changes(trained: TrainedGenerator, vector: Tensor, members: Sequence[Label], seeds: Sequence[int]) -> dict[str, float]:
    """Return the change of MEASURES per unit, from one standard deviation of z below to one above; labels alternate."""
    z, reach = sampling.latents(trained.prior, trained.latent_dim, seeds), trained.prior.scale
    weights = torch.tensor([member.weights for member in members])[torch.arange(len(z)) % len(members)]
    before, after = (sampling.sample(trained.network, z + shift * vector, weights) for shift in (-reach, reach))
    differences = [(before - after).abs().flatten(1).mean(1) / 2]  # from [-1, 1] to intensity in 0..1
    differences += [last - first for first, last in zip(silhouette(before), silhouette(after), strict=True)]
    return {name: each.mean().item() / (2 * reach) for name, each in zip(MEASURES, differences, strict=True)}


def _find(trained: TrainedGenerator, group: str, members: Sequence[Label], count: int, seed: int) -> list[MeasuredDirection]:
    measured = range(seed, seed + MEASURED)
    pca = directions.principal(trained, count, members, range(seed, seed + SAMPLES))
    kinds = dict(zip(KINDS, (directions.sefa(trained.network, count), pca), strict=True))
    return [
        MeasuredDirection(kind, index + 1, group, strength.item(), vector, changes(trained, vector, members, measured))
        for kind, those in kinds.items()
        for index, (vector, strength) in enumerate(zip(*those, strict=True))
    ]


def _draw(
    strips: Strips,
    trained: TrainedGenerator,
    group: str,
    members: Sequence[Label],
    result: Sequence[MeasuredDirection],
    seeds: range,
) -> None:
    """Draw a strip for each direction, and one with the first row of each."""
    of_classes = len(members) > 1
    z = sampling.latents(trained.prior, trained.latent_dim, seeds[:1] if of_classes else seeds)
    weights = torch.tensor([member.weights for member in members])
    titles = [member.title for member in members] if of_classes else [f"z {each}" for each in seeds]
    heads, firsts = [f"{shift:+d} sd" if shift else "0" for shift in SHIFTS], []  # the font has no sigma
    of, unit = "all classes" if of_classes else members[0].title, "sd: standard deviations of z"
    for each in result:
        shifts = torch.tensor(SHIFTS)[:, None] * trained.prior.scale * each.vector
        shifted = (z[:, None] + shifts).expand(len(titles), -1, -1)  # (rows, shifts, latent)
        labels_of_all = weights[:, None].expand(len(titles), len(SHIFTS), -1)
        images = sampling.sample(trained.network, shifted.flatten(0, 1), labels_of_all.flatten(0, 1))
        paths = images.unflatten(0, shifted.shape[:2])
        title = f"Direction {each.name} of {of}{f', z {seeds[0]}' if of_classes else ''}; {unit}"
        strips.write_sheet(each.name, paths, titles, heads=heads, title=title)
        firsts.append(paths[0])
    name = "_".join(filter(None, ["directions", group]))
    title = f"Directions of {of}{f', in {members[0].title}' if of_classes else ''}, z {seeds[0]}; {unit}"
    strips.write_sheet(name, torch.stack(firsts), [each.name for each in result], heads=heads, title=title)


def _table(result: Sequence[MeasuredDirection]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "kind", "number", "classes", "strength", *MEASURES])
    for each in result:
        numbers = [f"{number:.4g}" for number in (each.strength, *(each.changes[measure] for measure in MEASURES))]
        writer.writerow([each.name, each.kind, each.number, each.classes or "all", *numbers])
    return text.getvalue()


def _most(result: Sequence[MeasuredDirection], measure: str) -> str:
    most = max(result, key=lambda each: abs(each.changes[measure]))
    return f"{most.name}, by {most.changes[measure]:+.3g} a unit"


def _name(kind: str, number: int, classes: str) -> str:
    return "_".join(filter(None, [f"{kind}{number}", classes]))


def _slug(title: str) -> str:
    return re.sub(r"\W+", "_", title).strip("_").lower()
