"""Build an evaluation and its ranks from a checked config."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import torch
import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cgan_lightning.config import dataset
from cgan_lightning.config.this_job import this_job
from cgan_lightning.data import splits
from cgan_lightning.data.sets import FILES, SETS
from cgan_lightning.data.spec import DatasetSpec
from cgan_lightning.distributed.ranks import BACKENDS, Alone, Ranks, together
from cgan_lightning.evaluation import feature_extractor, inception
from cgan_lightning.evaluation.evaluation import Evaluation
from cgan_lightning.models import generator_file
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.device import device_named
from cgan_lightning.utils.errors import UserError, shown

Pair = tuple[Path, Path]  # a generator, and the JSON file for its results


def ranks(config: DictConfig) -> AbstractContextManager[Alone | Ranks]:
    """Return the ranks of the evaluation, from `devices`."""
    on_gpu = device_named(config.device).type == "cuda"
    if on_gpu and config.devices > torch.cuda.device_count():
        raise UserError(f"devices={config.devices}: PyTorch finds {torch.cuda.device_count()} GPUs on this machine")
    setting = f"devices={config.devices}"
    backend = BACKENDS["nccl" if on_gpu else "gloo"]
    return together(devices=config.devices, num_nodes=1, setting=setting, backend=backend, command=this_job("evaluate"))


def evaluations(config: DictConfig, pairs: Sequence[Pair], *, rank: int) -> list[tuple[Evaluation, list[Pair]]]:
    """Return an evaluation for each data set on which generators were trained, with these (generator, results) pairs."""
    of_data = dict[str, tuple[DatasetSpec, list[Pair]]]()
    for pair in pairs:
        spec = _data_of(config, pair[0])
        of_data.setdefault(spec.hash, (spec, []))[1].append(pair)
    return [(_evaluation(config, spec, rank), those) for spec, those in of_data.values()]


def _data_of(config: DictConfig, checkpoint: Path) -> DatasetSpec:
    """Return the data set that `data=` names, or else that of the generator; its own files are found by the run's config."""
    if config.data.dataset is not None:
        return dataset.spec(config.data)
    trained = generator_file.load(checkpoint)
    known = trained.dataset
    if known.name in SETS:
        return SETS[known.name]
    if known.settings is not None:
        return _of_plugin(config, trained)
    kept, given = RunFolder(checkpoint).config, f"checkpoint={checkpoint} was trained on {known.title}"
    if known.name != FILES or not kept.is_file():
        raise UserError(f"{given}: give data={FILES} and data.images= as in training")
    try:
        section = OmegaConf.load(kept).data
        return dataset.spec(OmegaConf.create({key: section.get(key) for key in ("dataset", "root", *dataset.OWN)}))
    except (ValueError, TypeError, AttributeError, OmegaConfBaseException, yaml.YAMLError, OSError) as error:
        raise UserError(f"{given}, and {kept} does not help ({shown(error)}): give data={FILES} and data.images=") from None


def _of_plugin(config: DictConfig, trained: TrainedGenerator) -> DatasetSpec:
    """Return the data set that a generator file names by a plugin's class. Raises UserError if that is not in use."""
    try:
        generator_file.check_plugins(trained.model_spec, "dataset")
        return dataset.of_plugin(trained.dataset.settings, config.data)
    except UserError as error:
        raise UserError(f"checkpoint={trained.path}: {error}") from None


def _evaluation(config: DictConfig, spec: DatasetSpec, rank: int) -> Evaluation:
    device = device_named(config.device, rank=rank)
    own = Path(config.feature_extractor) if config.feature_extractor else None
    extractor = feature_extractor.of_data(spec, device) if own is None else feature_extractor.load(own, device)
    root = Path(config.data.root) if config.data.root else None
    weights = Path(config.inception_weights) if config.inception_weights else None
    return Evaluation(
        spec=spec,
        extractor=extractor,
        train=splits.of_training(root, spec),
        test=splits.of_test(root, spec),
        samples=config.samples,
        seed=config.seed,
        weights=config.weights,
        accuracy_score=config.accuracy_score,
        inception=inception.load(weights, device) if config.inception else None,
        device=device,
    )
