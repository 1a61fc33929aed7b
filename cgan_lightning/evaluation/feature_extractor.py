"""The feature extractor: a trained classifier whose penultimate features and predictions the metrics use."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from cgan_lightning.data.record import DataRecord
from cgan_lightning.data.sets import FASHION_MNIST, FILES
from cgan_lightning.data.sources import cache_folder
from cgan_lightning.data.spec import DatasetSpec, UserFiles
from cgan_lightning.evaluation.classifier import Classifier, outputs
from cgan_lightning.utils import limits, pasteable, safetensors_file
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import normalise

DEFAULT = Path(__file__).with_name("feature_extractor.safetensors")  # of Fashion-MNIST; the others are in the cache
FORMAT = "cgan_lightning judge 2"  # the original name, kept for existing files


@dataclass
class FeatureExtractor:
    """A classifier in eval mode with its metadata; metrics of extractors with different `hash` are not comparable."""

    network: Classifier
    about: dict[str, Any]  # accuracy, accuracy_per_class (on the real test set), seed, epochs, dataset

    @property
    def hash(self) -> str:
        return hash_of(self.network)


def hash_of(network: nn.Module) -> str:
    """Return the first twelve hex digits of the SHA-256 of the weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def tested(
    network: Classifier, pixels: UInt8[Tensor, "count channels size size"], labels: Int[Tensor, " count"], **about: Any
) -> FeatureExtractor:
    """Return a feature extractor with its accuracy on real images that it was not trained on."""
    correct = outputs(network, normalise(pixels))[1].argmax(1) == labels
    per_class = [correct[labels == label].float().mean().item() for label in range(int(labels.max()) + 1)]
    return FeatureExtractor(network, {"accuracy": correct.float().mean().item(), "accuracy_per_class": per_class, **about})


def save(extractor: FeatureExtractor, path: Path) -> None:
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in extractor.network.state_dict().items()}
    content = safetensors.torch.save(state, {"format": FORMAT, "about": json.dumps(extractor.about)})
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def load(path: Path = DEFAULT, device: torch.device | str = "cpu") -> FeatureExtractor:
    """Load a feature extractor. Raises UserError if the file is missing or invalid."""
    if not path.is_file():
        raise UserError(f"feature_extractor={path}: there is no such file; leave it out for that of the data set")
    try:
        with safetensors_file.opened(path, "feature extractor") as file:
            if (result := (file.metadata() or {}).get("format")) != FORMAT:
                raise UserError(f"its format is {shown(result)}, and this version's {FORMAT!r}")
            with torch.device("meta"):  # no weights are initialised: loading does not change any random state
                network = Classifier(_classes(file), _channels(file))
            extractor = FeatureExtractor(network, safetensors_file.metadata(file, "about"))
            network.load_state_dict(safetensors_file.read(file, network), assign=True)
    except UserError as error:
        raise UserError(
            f"feature_extractor={path}: {error}; make one with python -m cgan_lightning.feature_extractor"
        ) from None
    network.to(device).to(memory_format=torch.channels_last).eval()
    return extractor


def path_of(data_hash: str) -> Path:
    """Return where the feature extractor of the data with this hash is, or would be."""
    return DEFAULT if data_hash == FASHION_MNIST.hash else cache_folder() / "feature_extractors" / f"{data_hash}.safetensors"


def missing(data: DatasetSpec | DataRecord) -> str | None:
    """Return how to make the feature extractor of `data`; None if there is one."""
    if path_of(data.hash).is_file():
        return None
    given = {"data": data.name}
    source = data.source if isinstance(data, DatasetSpec) else None
    if isinstance(source, UserFiles):
        given |= {f"data.{key}": str(path) for key, path in vars(source).items() if path is not None}
    elif source is not None:
        given |= pasteable.plugins([source.module]) | ({"data.root": str(source.root)} if source.root else {})
        given |= {f"data.settings.{key}": str(value).lower() for key, value in source.settings if key != "_target_"}
    elif data.name == FILES:
        given["data.images"] = "FILE"
    command = pasteable.command("feature_extractor", **given)
    return f"there is no feature extractor for {data.title} yet; to train one, in minutes: {command}"


def of_data(data: DatasetSpec | DataRecord, device: torch.device | str = "cpu") -> FeatureExtractor:
    """Load the feature extractor of `data`. Raises UserError if there is none."""
    if sentence := missing(data):
        raise UserError(sentence)
    return load(path_of(data.hash), device)


def _channels(file: Any) -> int:
    shape = file.get_slice("body.0.weight").get_shape() if "body.0.weight" in file.keys() else ()  # noqa: SIM118
    if len(shape) != 4 or shape[1] not in limits.DATA_CHANNELS:
        raise UserError(f"its body.0.weight has shape {shown(tuple(shape))}: it must take images of 1 or 3 channels")
    return shape[1]


def _classes(file: Any) -> int:
    shape = file.get_slice("head.bias").get_shape() if "head.bias" in file.keys() else ()  # noqa: SIM118  no dictionary
    if len(shape) != 1 or not limits.within(shape[0], limits.NUM_CLASSES):
        raise UserError(
            f"its head.bias has shape {shown(tuple(shape))}: a number of classes {limits.bounds_text(limits.NUM_CLASSES)}"
        )
    return shape[0]
