"""Directions of z: compute them from a generator, save them as JSON, and move z along them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import sampling
from cgan_lightning.sampling.class_names import Label
from cgan_lightning.utils import limits, seeding
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.files import read_json, write_json

FILE_LIMIT = 2**22  # bytes; parsed JSON can take thirty times as much memory
DIGITS = 6  # decimal places in the file


class Directions(NamedTuple):
    """Unit vectors, the strongest first, with positive largest coordinate; strengths are shares of the total, in 0..1."""

    vectors: Float[Tensor, "count latent"]
    strengths: Float[Tensor, " count"]


def random(latent_dim: int, count: int) -> Float[Tensor, "count latent"]:
    """Return at most latent_dim orthonormal directions, the same for every generator with this latent_dim."""
    drawn = torch.randn(latent_dim, min(count, latent_dim), generator=seeding.generator(0, "directions"))
    return torch.linalg.qr(drawn).Q.T


def sefa(network: ConditionalGenerator, count: int) -> Directions:
    """SeFa: eigenvectors of WᵀW (Shen and Zhou 2021, section 3), with W the first layer's weights for z.

    They need no samples and are the same for every class. Returns at most latent_dim directions.
    """
    weight = network.project.weight  # after spectral normalisation, if any
    of_z = weight[:, : network.latent_dim].detach().double().cpu()
    eigenvalues, eigenvectors = torch.linalg.eigh(of_z.T @ of_z)
    return _strongest(eigenvalues, eigenvectors.T, min(count, len(eigenvalues)))


def principal(trained: TrainedGenerator, count: int, labels: Sequence[Label], seeds: Sequence[int]) -> Directions:
    """GANSpace: principal components of the first layer's activations, mapped to z (Härkönen et al. 2020, section 2.2).

    Activations are taken after normalisation and nonlinearity, at the z of `seeds`, with alternating labels. The mean of each
    label is subtracted, because differences between classes are not due to z. Returns at most latent_dim directions.
    """
    z = sampling.latents(trained.prior, trained.latent_dim, seeds)
    turns = torch.arange(len(z)) % len(labels)
    activations = _first_activations(trained.network, z, torch.tensor([label.weights for label in labels])[turns])
    for turn in range(len(labels)):
        for each in (activations, z):
            each[turns == turn] -= each[turns == turn].mean(0)
    variances, components = torch.linalg.eigh((activations @ activations.T).double())  # fewer samples than activations
    # Components are uncorrelated, so that least squares from them to z is one product for each.
    return _strongest(variances, components.T @ z.double(), min(count, trained.latent_dim))


def _strongest(values: Tensor, vectors: Tensor, count: int) -> Directions:
    """Return the `count` directions with the largest values, which eigh sorts in ascending order."""
    vectors, values = F.normalize(vectors.flip(0)[:count], dim=1), values.clamp(min=0).flip(0)
    signs = vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()
    return Directions((vectors * signs).float(), (values[:count] / values.sum()).float())


def _first_activations(
    network: ConditionalGenerator, z: Float[Tensor, "count latent"], labels: Float[Tensor, "count classes"]
) -> Float[Tensor, "count activations"]:
    parts: list[Tensor] = []
    hook = network.blocks[0].register_forward_hook(
        lambda _module, _inputs, output: parts.append(output.flatten(1).float().cpu())
    )
    try:
        sampling.sample(network, z, labels)
    finally:
        hook.remove()
    return torch.cat(parts)


def save(path: Path, latent_dim: int, directions: Mapping[str, Float[Tensor, " latent"]]) -> None:
    vectors = {name: [round(number, DIGITS) for number in vector.tolist()] for name, vector in directions.items()}
    write_json(path, {"latent_dim": latent_dim, "directions": vectors})


def read(path: Path, latent_dim: int) -> dict[str, Float[Tensor, " latent"]]:
    """Read directions written by `save`. Raises UserError for an invalid (untrusted) file or another length of z."""
    setting = f"directions={path}"
    if not path.is_file():
        raise UserError(f"{setting}: there is no such file; explore mode=directions writes one")
    if path.stat().st_size > FILE_LIMIT:
        raise UserError(f"{setting} has {path.stat().st_size:,} bytes: up to {FILE_LIMIT:,} are read")
    try:
        content = read_json(path)
    except UserError as error:
        raise UserError(f"directions={error}; explore mode=directions writes a valid one") from None
    if content.get("latent_dim") != latent_dim:
        raise UserError(f"{setting} is for z of length {shown(content.get('latent_dim'))}: this generator's is {latent_dim}")
    result = content.get("directions")
    if not isinstance(result, dict) or not result:
        raise UserError(f"{setting} has no directions: it must name some, each {latent_dim} numbers")
    for name, vector in result.items():
        if not isinstance(vector, list) or len(vector) != latent_dim or not all(map(_is_coordinate, vector)):
            expected = f"{latent_dim} numbers {limits.bounds_text(limits.COORDINATE)}"
            raise UserError(f"{setting}: {shown(name)} is {shown(vector)}, and must be {expected}")
    return {name: torch.tensor(vector, dtype=torch.float32) for name, vector in result.items()}


def moved(
    z: Float[Tensor, "count latent"], moves: Any, directions: Mapping[str, Float[Tensor, " latent"]]
) -> Float[Tensor, "count latent"]:
    """Return each z + amount × direction for all `moves` {name: amount}. Raises UserError for an invalid move."""
    if not isinstance(moves, Mapping) or not moves:
        raise UserError(f"move={shown(moves)}: write how far along which direction, as in move={{{next(iter(directions))}: 2}}")
    for name, amount in moves.items():
        if not _is_coordinate(amount):
            raise UserError(
                f"move: {shown(name)} is {shown(amount)}, and must be a number {limits.bounds_text(limits.COORDINATE)}"
            )
        z = z + amount * named(str(name), directions, "move")
    return z


def named(name: str, directions: Mapping[str, Tensor], key: str) -> Float[Tensor, " latent"]:
    """Return the direction `name`. Raises UserError, which names `key` and the known ones, if it is unknown."""
    if name not in directions:
        raise UserError(f"{key}: there is no direction {shown(name)}; there are {shown(', '.join(directions))}")
    return directions[name]


def _is_coordinate(value: Any) -> bool:
    return type(value) in (int, float) and limits.within(value, limits.COORDINATE)
