"""FID and KID by Inception-v3, as published: torchmetrics' network, with downloaded weights or those of a file.

The protocol of Lucic et al. 2018, "Are GANs Created Equal?": 10,000 samples against the 10,000 test images, grey in three
channels, resized to 299 × 299 as in TensorFlow 1, without antialiasing.
"""

import http.client
import pickle
import sys
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from tqdm import tqdm

from cgan_lightning.data.sources import cache_folder
from cgan_lightning.distributed import collectives
from cgan_lightning.evaluation import frechet
from cgan_lightning.evaluation.against_test import KID_SUBSET_SIZE, KID_SUBSETS
from cgan_lightning.utils.errors import UserError

ADDRESS = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
MEASURED = ("inception_fid", "inception_kid", "inception_kid_spread")
BATCH_SIZE = 50  # images at a time: each becomes 1 MB


def load(weights: Path | None = None, device: torch.device | str = "cpu") -> nn.Module:
    """Load Inception-v3; `weights` None: torch-fidelity's, downloaded, verified and cached. Raises UserError on failure."""
    try:
        import torch_fidelity  # noqa: F401  torchmetrics' network is built on it
        from torchmetrics.image.fid import NoTrainInceptionV3
    except ModuleNotFoundError as error:
        raise UserError(f"inception=true needs {error.name}: pip install 'cgan-lightning[inception]'") from None
    instead = f"give inception_weights=FILE ({ADDRESS.rpartition('/')[2]} of torch-fidelity), or leave inception=true out"
    weights = weights or _downloaded(instead)
    try:
        torch.load(weights, map_location="cpu", weights_only=True)  # torch-fidelity would execute pickled code in the file
        network = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(weights), antialias=False)
    except OSError as error:
        raise UserError(f"inception_weights={weights} cannot be read ({error.strerror or error}): {instead}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, TypeError, AttributeError, LookupError, ValueError):
        raise UserError(f"inception_weights={weights} are no weights of torch-fidelity's Inception-v3: {instead}") from None
    return network.to(device)


def _downloaded(instead: str) -> Path:
    """Return the file at ADDRESS, from the cache or the network. Its name ends in the first digits of its SHA-256.

    torch.hub writes to a temporary file, verifies these digits, and renames it.
    """
    kept = cache_folder() / "inception" / ADDRESS.rpartition("/")[2]
    try:
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            digits = kept.stem.rpartition("-")[2]
            torch.hub.download_url_to_file(ADDRESS, str(kept), hash_prefix=digits, progress=sys.stderr.isatty())
    except (OSError, http.client.HTTPException) as error:
        raise UserError(
            f"inception_weights cannot be downloaded ({getattr(error, 'strerror', None) or error}): {instead}"
        ) from None
    except RuntimeError:
        raise UserError(f"inception_weights: what {ADDRESS} gives is not what its name promises: {instead}") from None
    return kept


@torch.no_grad()
def features_of(network: nn.Module, pixels: UInt8[Tensor, "count channels size size"]) -> Float[Tensor, "count 2048"]:
    """Return features of any number of images; on several ranks all must call it, and each computes a share."""
    mine = pixels[collectives.rank_slice(len(pixels), BATCH_SIZE)]
    device = next(network.parameters()).device
    batches = tqdm(mine.split(BATCH_SIZE) if len(mine) else (), unit=" batches", leave=False, disable=None)  # on a terminal
    parts = [network(batch.to(device).expand(-1, 3, -1, -1)).cpu() for batch in batches]
    return collectives.all_gather(torch.cat(parts) if parts else torch.empty(0, 2048))


def compare(fake: Float[Tensor, "fakes 2048"], real: Float[Tensor, "reals 2048"], *, seed: int) -> dict[str, float]:
    """Return FID and KID by Inception-v3, whose scale differs from that of the package's feature extractor."""
    subset = min(KID_SUBSET_SIZE, len(fake), len(real))
    mean, spread = frechet.kid(real, fake, subsets=KID_SUBSETS, subset_size=subset, seed=seed)
    return dict(zip(MEASURED, (frechet.fid(real, fake), mean, spread), strict=True))
