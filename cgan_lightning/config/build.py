"""Build the objects of a training run from a checked config and the data module."""

import logging
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from lightning import Callback, Trainer
from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import build_model, class_selection, dataset
from cgan_lightning.config.identity import displayed_settings
from cgan_lightning.config.sizes import planned_updates
from cgan_lightning.config.this_job import this_job
from cgan_lightning.data.module import ImageData
from cgan_lightning.distributed.ranks import BACKENDS, Alone, Ranks, together
from cgan_lightning.distributed.strategy import GivenRanks, UnwrappedDDP
from cgan_lightning.evaluation import feature_extractor
from cgan_lightning.storage.checkpoint_plugin import AtomicCheckpointIO
from cgan_lightning.storage.environment import describe
from cgan_lightning.storage.results import count
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.run_logger import RunLogger
from cgan_lightning.training.callbacks.checkpoints import Checkpoints, Files
from cgan_lightning.training.callbacks.finite import FiniteLosses
from cgan_lightning.training.callbacks.preemption import Preemption
from cgan_lightning.training.callbacks.progress import Progress
from cgan_lightning.training.callbacks.training_log import TrainingLog
from cgan_lightning.training.callbacks.validation import Validation
from cgan_lightning.training.due import StopRequest
from cgan_lightning.training.module import ConditionalGAN
from cgan_lightning.utils import precision
from cgan_lightning.utils.device import device_named
from cgan_lightning.utils.errors import UserError

_log = logging.getLogger("cgan_lightning")


def ranks(config: DictConfig) -> AbstractContextManager[Alone | Ranks]:
    """Return the ranks of the run, from `trainer.devices` and `trainer.num_nodes`."""
    settings = config.trainer
    on_gpu = device_named(settings.accelerator, "trainer.accelerator").type == "cuda"
    devices = settings.devices or (torch.cuda.device_count() if on_gpu else 1)
    if on_gpu and devices > torch.cuda.device_count():
        raise UserError(f"trainer.devices={devices}: PyTorch finds {torch.cuda.device_count()} GPUs on this machine")
    if settings.sync_batchnorm and devices * settings.num_nodes > 1 and not on_gpu:
        raise UserError(
            "trainer.sync_batchnorm=true: PyTorch supports it only on GPUs; false normalises each rank's images separately"
        )
    size = devices * settings.num_nodes
    if config.data.batch_size % size or config.data.batch_size < 2 * size:  # batch norm cannot use a single 1×1 value
        raise UserError(
            f"data.batch_size={config.data.batch_size} is divided among {size} ranks "
            f"(trainer.devices={devices} × trainer.num_nodes={settings.num_nodes}): take a multiple of {size}, "
            "at least two images for each rank"
        )
    if settings.backend == "nccl" and not on_gpu:
        raise UserError("trainer.backend=nccl works only on GPUs: omit it, or take gloo")
    backend = BACKENDS[settings.backend or ("nccl" if on_gpu else "gloo")]
    setting = f"trainer.devices={devices} × trainer.num_nodes={settings.num_nodes}"
    return together(devices=devices, num_nodes=settings.num_nodes, setting=setting, backend=backend, command=this_job("train"))


def data(config: DictConfig) -> ImageData:
    """Build the data module. Raises UserError for incompatible settings."""
    plain: Any = OmegaConf.to_container(config.data, resolve=True)
    spec = dataset.spec(config.data)
    classes = class_selection.classes(plain.pop("classes"), spec.class_names)
    at_most = class_selection.limits(plain.pop("per_class_limit"), classes, spec.class_names)
    for key in ("dataset", "settings", *dataset.OWN):
        del plain[key]
    return ImageData(
        **plain, spec=spec, classes=classes, at_most=at_most, seed=config.seed,
        updates_per_call=_updates_per_call(config), due_every=config.log_every_n_updates,
    )  # fmt: skip


def _updates_per_call(config: DictConfig) -> int:
    """Return the setting, or by default 64 on a GPU (at most 32,768 images) and 1 on the CPU, where more saves nothing."""
    if config.trainer.updates_per_call is not None:
        return config.trainer.updates_per_call
    on_gpu = device_named(config.trainer.accelerator, "trainer.accelerator").type == "cuda"
    return max(1, min(64, 2**15 // config.data.batch_size)) if on_gpu else 1


def validation(config: DictConfig, run: RunFolder, model_spec: dict[str, Any]) -> Validation:
    checkpoints = Checkpoints(
        last=Files(run.checkpoint, run.generator),
        best=Files(run.best_checkpoint, run.best_generator),
        model_spec=model_spec,
        every_n_epochs=config.checkpoint_every_n_epochs,
    )
    settings: Any = OmegaConf.to_container(config.validation)
    if settings["every_n_epochs"] and (sentence := feature_extractor.missing(dataset.spec(config.data))):
        if config.objective_metric in ("fid", "best_fid", "class_accuracy"):
            raise UserError(f"objective_metric={config.objective_metric} comes from validation, and {sentence}")
        _log.warning("Training without validation: %s", sentence)
        settings["every_n_epochs"] = None
    log = TrainingLog(every_n_updates=config.log_every_n_updates)
    return Validation(training_log=log, checkpoints=checkpoints, stop_request=StopRequest(), **settings)


def trainer(
    config: DictConfig,
    run: RunFolder,
    ranks: Alone | Ranks,
    validation: Validation,
    callbacks: Sequence[Callback] = (),
    *,
    done: int,
    planned: int,
) -> Trainer:
    """Build Lightning's trainer for updates `done` to `planned`; `callbacks` are called before the run's own."""
    settings = config.trainer
    _quieten_lightning()
    precision.use_tf32(settings.tf32)
    local_ranks = ranks.size // settings.num_nodes
    return Trainer(
        accelerator=settings.accelerator,
        devices=local_ranks,
        num_nodes=settings.num_nodes,
        strategy="auto" if ranks.size == 1 else UnwrappedDDP(),
        sync_batchnorm=settings.sync_batchnorm,
        max_epochs=-1,  # Lightning miscounts epochs when stopped at an epoch's end, so max_steps ends the run
        max_steps=planned,
        precision=settings.precision,
        deterministic=settings.deterministic,
        default_root_dir=run.path,
        logger=_loggers(config, run, done) if ranks.rank == 0 else False,
        callbacks=[*callbacks, *_own_callbacks(config, run, validation)],
        plugins=[AtomicCheckpointIO({run.checkpoint: run.previous_checkpoint}), GivenRanks(ranks, local_ranks)],
        enable_progress_bar=False,  # callbacks/progress.py
        enable_model_summary=False,
        limit_val_batches=0,
        log_every_n_steps=1,  # callbacks/training_log.py decides; 1 only silences a warning about short epochs
        use_distributed_sampler=False,  # EpochOrder slices batches by rank
    )


def _loggers(config: DictConfig, run: RunFolder, done: int) -> list[RunLogger]:
    result = [build_model.chosen(settings, "logger", folder=run.path, done=done) for settings in config.logger.values()]
    for logger in result:
        logger.log_settings(displayed_settings(config))
    return result


def headline(config: DictConfig, model: ConditionalGAN, data: ImageData, ranks: int) -> str:
    """Return a summary line: device, updates, batch size and parameter counts."""
    sizes = [f"{name} {count(getattr(model, name)):,}" for name in ("generator", "discriminator")]
    device = describe(device_named(config.trainer.accelerator))["machine"]["device"]
    where = device if ranks == 1 else f"{ranks} ranks, each on {device}"
    updates = planned_updates(config)
    return (
        f"Training on {where}: {updates:,} updates of {data.batch_size} images, "
        f"{data.updates_per_epoch:,} an epoch; parameters: {', '.join(sizes)}"
        + (launches(config, data, ranks) if device_named(config.trainer.accelerator).type == "cuda" else "")
    )


def launches(config: DictConfig, data: ImageData, ranks: int) -> str:
    """Return the headline's part about CUDA graphs."""
    if not config.trainer.cuda_graphs:
        return "; no CUDA graphs (trainer.cuda_graphs=false)"
    if ranks > 1:
        return "; no CUDA graphs (ranks all-reduce gradients during an update)"
    return f"; CUDA graphs, in calls of up to {min(data.updates_per_call or 1, data.due_every)} updates"


def _quieten_lightning() -> None:
    """Suppress tips, device lists and warnings of Lightning and PyTorch that a user cannot act on."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="lightning")  # about its own use of PyTorch
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    warnings.filterwarnings("ignore", message="GPU available but not used")  # trainer=cpu requested it
    warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # intended for a frozen generator


def _own_callbacks(config: DictConfig, run: RunFolder, validation: Validation) -> list[Callback]:
    """Return the callbacks in the order in which they act after an update; Preemption, which stops the run, is last."""
    log, checkpoints = validation.training_log, validation.checkpoints
    return [
        FiniteLosses(every_n_updates=config.log_every_n_updates),
        log,
        validation,
        Progress(log, validation, file=run.progress, batch_size=config.data.batch_size),
        *(build_model.chosen(settings, "callbacks") for settings in config.callbacks.values()),
        checkpoints,
        Preemption(checkpoints, validation.stop_request),
    ]
