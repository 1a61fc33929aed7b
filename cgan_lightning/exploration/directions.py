"""Directions of z that a joystick can go along: unit vectors, the one that changes most first."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgan_lightning import seeding
from cgan_lightning.generation import sampling
from cgan_lightning.generation.checkpoint import TrainedGenerator

MOST = 8  # of each kind
LOOKED_AT = 1000  # z, for principal components

Directions = Float[Tensor, "count latent"]


def directions(trained: TrainedGenerator) -> dict[str, Directions]:
    """`random`, `sefa` and `principal`: up to MOST rows each."""
    return {"random": random(trained), "sefa": sefa(trained), "principal": principal(trained)}


def random(trained: TrainedGenerator) -> Directions:
    """At right angles to each other, the same for every generator of this latent_dim."""
    count = min(MOST, trained.latent_dim)
    drawn = torch.randn(trained.latent_dim, count, generator=seeding.generator(0, "directions"))
    return torch.linalg.qr(drawn).Q.T


def sefa(trained: TrainedGenerator) -> Directions:
    """Eigenvectors of WᵀW, W the first layer's weights of z (Shen and Zhou 2021, equation 4), the largest first."""
    weights = trained.network.get_submodule("project").get_parameter("weight").detach()[:, : trained.latent_dim]
    return _signed(torch.linalg.svd(weights.cpu(), full_matrices=False).Vh[:MOST])


@torch.no_grad()
def principal(trained: TrainedGenerator) -> Directions:
    """Principal components of the first layer's maps, and the z that goes with each (Härkönen et al. 2020, section 2.2).

    The label is all classes alike, so that what is found is z's doing.
    """
    z = sampling.latents(trained.prior, trained.latent_dim, range(LOOKED_AT))
    classes = len(trained.class_names)
    maps = _first_maps(trained.network, z, torch.full((len(z), classes), 1 / classes))
    left, sizes, _ = torch.linalg.svd(maps - maps.mean(0), full_matrices=False)
    count = min(MOST, trained.latent_dim)
    shares = (left * sizes)[:, :count] / sizes[0]  # of each component in each map
    return _signed(nn.functional.normalize(torch.linalg.lstsq(shares, z - z.mean(0)).solution, dim=1))


def _first_maps(network: nn.Module, z: Tensor, labels: Tensor) -> Tensor:
    """What goes into the first of the blocks, flattened."""
    found: list[Tensor] = []
    hook = network.get_submodule("blocks").register_forward_pre_hook(lambda _, given: found.append(given[0].flatten(1).cpu()))
    try:
        sampling.sample(network, z, labels)
    finally:
        hook.remove()
    return torch.cat(found)


def _signed(vectors: Tensor) -> Directions:
    """Of v and -v, which are equally good, the one whose largest entry is positive: the same on every machine."""
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    return vectors * largest.sign()
