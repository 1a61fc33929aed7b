"""mode=directions: the strongest directions of z as strips, what each changes as a table, all of them as a file for sample."""

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
SAMPLES = 2000  # z whose activations are taken apart
MEASURED = 200  # z that are moved to see what changes
MEASURES = ("picture", *Silhouette._fields)


@dataclass
class Found:
    """A direction, and what going along it by one changes in a picture: means over pictures, of its classes."""

    kind: str  # sefa or pca
    number: int  # 1: the strongest of its kind
    classes: str  # "" for all
    strength: float
    vector: Float[Tensor, " latent"]
    changes: dict[str, float]  # MEASURES; "picture": by how much light a pixel changes, in 0..1

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
    """`count` directions of each kind of each of `classes`, or of all together; files in `output`, a sentence on each.

    A strip's rows are `rows` image seeds of the class, or all classes of one seed. `names` are kept beside the directions'
    own: see `with_names`. `trained` is the generator at `checkpoint`, with these `weights`.
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
        f"{output / 'directions.csv'}: what each changes; a strip a direction beside it, from {SHIFTS[0]} to {SHIFTS[-1]}",
        f"{output / 'directions.json'}: the directions themselves. To go along one:\n"
        f"  {_to_go_along(next(iter(names or [everything[0].name])), classes, output, checkpoint, weights)}",
    ]


def ranked(result: Iterable[Found]) -> list[Found]:
    """SeFa's, strongest first, then PCA's: the two kinds of strength are shares of different things."""
    return sorted(result, key=lambda each: (KINDS.index(each.kind), -each.strength))


def _to_go_along(name: str, classes: Sequence[Label] | None, output: Path, checkpoint: str, weights: str) -> str:
    """A command that draws along the direction `name`, of the first of `classes` where these are given."""
    given = {"checkpoint": checkpoint, "directions": str(output / "directions.json"), "move": f"{{{name}: 2}}"}
    given |= {} if weights == "ema" else {"weights": weights}
    given |= {"classes": f"[{classes[0].title}]"} if classes and not classes[0].is_mixture else {}
    return pasteable.command("sample", **given)


def _growing(result: Sequence[Found]) -> dict[str, Tensor]:
    """For each measure the direction along which it changes most, turned so that it grows."""
    most = {measure: max(result, key=lambda each: abs(each.changes[measure])) for measure in MEASURES}
    return {name: each.vector * (-1 if each.changes[name] < 0 else 1) for name, each in most.items()}


def _check_names(names: Any, groups: Collection[str], count: int) -> None:
    """What `with_names` refuses is refused before the seconds that finding takes: what will be found has known names."""
    own = [_name(kind, number + 1, group) for kind in KINDS for number in range(count) for group in groups]
    with_names(dict.fromkeys(own, torch.empty(0)), dict.fromkeys(MEASURES, torch.empty(0)), names)


def with_names(result: Mapping[str, Tensor], growing: Mapping[str, Tensor], names: Any) -> dict[str, Tensor]:
    """`result`, and again under new names: {boot_height: sefa3}; or {boot_height: height}, a measure of `growing`.

    Raises UserError for what that doesn't mean.
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
    """MEASURES from one standard deviation of z below to one above, divided by that way; the labels take turns."""
    z, reach = sampling.latents(trained.prior, trained.latent_dim, seeds), trained.prior.scale
    weights = torch.tensor([member.weights for member in members])[torch.arange(len(z)) % len(members)]
    before, after = (sampling.sample(trained.network, z + way * vector, weights) for way in (-reach, reach))
    differences = [(before - after).abs().flatten(1).mean(1) / 2]  # light is half as wide as [-1, 1]
    differences += [last - first for first, last in zip(silhouette(before), silhouette(after), strict=True)]
    return {name: each.mean().item() / (2 * reach) for name, each in zip(MEASURES, differences, strict=True)}


def _find(trained: TrainedGenerator, group: str, members: Sequence[Label], count: int, seed: int) -> list[Found]:
    measured = range(seed, seed + MEASURED)
    pca = directions.principal(trained, count, members, range(seed, seed + SAMPLES))
    kinds = dict(zip(KINDS, (directions.sefa(trained.network, count), pca), strict=True))
    return [
        Found(kind, place + 1, group, strength.item(), vector, changes(trained, vector, members, measured))
        for kind, those in kinds.items()
        for place, (vector, strength) in enumerate(zip(*those, strict=True))
    ]


def _draw(
    strips: Strips, trained: TrainedGenerator, group: str, members: Sequence[Label], result: Sequence[Found], seeds: range
) -> None:
    """A strip a direction, and one with the first row of each."""
    of_classes = len(members) > 1
    z = sampling.latents(trained.prior, trained.latent_dim, seeds[:1] if of_classes else seeds)
    weights = torch.tensor([member.weights for member in members])
    titles = [member.title for member in members] if of_classes else [f"z {each}" for each in seeds]
    heads, firsts = [f"{shift:+d} sd" if shift else "0" for shift in SHIFTS], []  # the font of sheets has no sigma
    of, unit = "all classes" if of_classes else members[0].title, "sd: standard deviations of z"
    for each in result:
        way = torch.tensor(SHIFTS)[:, None] * trained.prior.scale * each.vector
        shifted = (z[:, None] + way).expand(len(titles), -1, -1)  # (rows, shifts, latent)
        labels_of_all = weights[:, None].expand(len(titles), len(SHIFTS), -1)
        images = sampling.sample(trained.network, shifted.flatten(0, 1), labels_of_all.flatten(0, 1))
        paths = images.unflatten(0, shifted.shape[:2])
        title = f"Direction {each.name} of {of}{f', z {seeds[0]}' if of_classes else ''}; {unit}"
        strips.write_sheet(each.name, paths, titles, heads=heads, title=title)
        firsts.append(paths[0])
    name = "_".join(filter(None, ["directions", group]))
    title = f"Directions of {of}{f', in {members[0].title}' if of_classes else ''}, z {seeds[0]}; {unit}"
    strips.write_sheet(name, torch.stack(firsts), [each.name for each in result], heads=heads, title=title)


def _table(result: Sequence[Found]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "kind", "number", "classes", "strength", *MEASURES])
    for each in result:
        numbers = [f"{number:.4g}" for number in (each.strength, *(each.changes[measure] for measure in MEASURES))]
        writer.writerow([each.name, each.kind, each.number, each.classes or "all", *numbers])
    return text.getvalue()


def _most(result: Sequence[Found], measure: str) -> str:
    most = max(result, key=lambda each: abs(each.changes[measure]))
    return f"{most.name}, by {most.changes[measure]:+.3g} a unit"


def _name(kind: str, number: int, classes: str) -> str:
    return "_".join(filter(None, [f"{kind}{number}", classes]))


def _slug(title: str) -> str:
    return re.sub(r"\W+", "_", title).strip("_").lower()
