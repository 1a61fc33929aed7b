"""Build an evaluation and its ranks from a checked config."""

from contextlib import AbstractContextManager
from pathlib import Path

import torch
from omegaconf import DictConfig

from cgan_lightning.config.this_job import this_job
from cgan_lightning.data import fashion_mnist, sources
from cgan_lightning.distributed.ranks import BACKENDS, Alone, Ranks, together
from cgan_lightning.evaluation import feature_extractor, inception
from cgan_lightning.evaluation.evaluation import Evaluation
from cgan_lightning.utils.device import device_named
from cgan_lightning.utils.errors import UserError


def ranks(config: DictConfig) -> AbstractContextManager[Alone | Ranks]:
    """Return the ranks of the evaluation, from `devices`."""
    on_gpu = device_named(config.device).type == "cuda"
    if on_gpu and config.devices > torch.cuda.device_count():
        raise UserError(f"devices={config.devices}: PyTorch finds {torch.cuda.device_count()} GPUs on this machine")
    setting = f"devices={config.devices}"
    backend = BACKENDS["nccl" if on_gpu else "gloo"]
    return together(devices=config.devices, num_nodes=1, setting=setting, backend=backend, command=this_job("evaluate"))


def evaluation(config: DictConfig, *, rank: int) -> Evaluation:
    device = device_named(config.device, rank=rank)
    folder = sources.locate(Path(config.root) if config.root else None, key="root")
    weights = Path(config.inception_weights) if config.inception_weights else None
    return Evaluation(
        extractor=feature_extractor.load(Path(config.feature_extractor or feature_extractor.DEFAULT), device),
        train=fashion_mnist.tensors(folder, *fashion_mnist.TRAIN),
        test=fashion_mnist.tensors(folder, *fashion_mnist.TEST),
        samples=config.samples,
        seed=config.seed,
        weights=config.weights,
        accuracy_score=config.accuracy_score,
        inception=inception.load(weights, device) if config.inception else None,
        device=device,
    )
