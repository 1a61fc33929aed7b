"""FID and KID by Inception-v3, as they are published: torchmetrics' network, and weights that are downloaded or given.

The protocol of Lucic et al. 2018, "Are GANs Created Equal?": 10,000 samples against the 10,000 test images, grey in three
channels; enlarged to 299 × 299 as TensorFlow did it then, without antialiasing.
"""

import pickle
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from cgan_lightning import collectives
from cgan_lightning.errors import UserError
from cgan_lightning.metrics import frechet
from cgan_lightning.metrics.suite import KID_SUBSET_SIZE, KID_SUBSETS

LOOKED_AT = 50  # images at a time: each becomes 1 MB


def load(weights: Path | None = None, device: torch.device | str = "cpu") -> nn.Module:
    """Raises UserError where the network or its weights can't be had; None: torch-fidelity's, downloaded and cached."""
    try:
        import torch_fidelity  # noqa: F401  torchmetrics' network is built on it
        from torchmetrics.image.fid import NoTrainInceptionV3
    except ModuleNotFoundError as error:
        raise UserError(f"metrics=inception needs {error.name}: pip install 'cgan-lightning[inception]'") from None
    instead = "give inception_weights=FILE (weights-inception-2015-12-05-6726825d.pth of torch-fidelity), or metrics=judge"
    try:
        if weights is not None:
            torch.load(weights, map_location="cpu", weights_only=True)  # torch-fidelity would run what is in the file
        network = NoTrainInceptionV3(
            "inception-v3-compat", ["2048"], None if weights is None else str(weights), antialias=False
        )
    except OSError as error:
        source = " can't be downloaded" if weights is None else f"={weights} can't be read"
        raise UserError(f"inception_weights{source} ({error.strerror or error}): {instead}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, TypeError, AttributeError, LookupError, ValueError):
        raise UserError(f"inception_weights={weights} are no weights of torch-fidelity's Inception-v3: {instead}") from None
    return network.to(device)


@torch.no_grad()
def look(network: nn.Module, pixels: UInt8[Tensor, "count 1 28 28"]) -> Float[Tensor, "count 2048"]:
    """Features of any number of images; where there are several ranks, all must call it: each looks at its part."""
    mine = pixels[collectives.share(len(pixels), LOOKED_AT)]
    device = next(network.parameters()).device
    parts = [network(part.to(device).expand(-1, 3, -1, -1)).cpu() for part in mine.split(LOOKED_AT) if len(part)]
    return collectives.joined(torch.cat(parts) if parts else torch.empty(0, 2048))


def compare(fake: Float[Tensor, "fakes 2048"], real: Float[Tensor, "reals 2048"], *, seed: int) -> dict[str, float]:
    """FID and KID, under names of their own: they are on another scale than the judge's."""
    subset = min(KID_SUBSET_SIZE, len(fake), len(real))
    mean, spread = frechet.kid(real, fake, subsets=KID_SUBSETS, subset_size=subset, seed=seed)
    return {"inception_fid": frechet.fid(real, fake), "inception_kid": mean, "inception_kid_spread": spread}
