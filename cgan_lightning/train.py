"""Train a conditional GAN: `python -m cgan_lightning.train [group=choice] [key=value]`."""

import functools
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import checks, command, identity, sizes
from cgan_lightning.distributed import rank_info
from cgan_lightning.storage import sweep_folder
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import Interrupted, UserError

log = logging.getLogger("cgan_lightning.train")


def train(config: DictConfig, *, callbacks: Sequence[Any] = ()) -> float | None:
    """Train one run, unless it is already finished, and return the metric named by `objective_metric`.

    `callbacks` (Lightning callbacks) are called before the run's own.
    """
    run = identity.run_folder(config)
    if end := _known(run, config):
        return _summary(end, config)
    with command.loading():
        from cgan_lightning.utils.device import device_named  # torch takes seconds to import: not for --help or errors

        device = device_named(config.trainer.accelerator, "trainer.accelerator").type
        from cgan_lightning.config import build, build_model  # Lightning takes longer; a missing device is reported first
        from cgan_lightning.storage import memory, results
        from cgan_lightning.training.callbacks.contention import Contention

    memory.keep_freed()
    memory.count_peak_anew()
    lower = f"lower data.batch_size={config.data.batch_size}; the last checkpoint is kept"
    with build.ranks(config) as ranks, memory.advice(lower):
        # Everything that can be wrong with the settings is reported before the run folder is created.
        data = build.data(config)
        model_spec = build_model.model_spec(config, data)
        model = build_model.model(config, model_spec)
        planned = sizes.planned_updates(config)

        begun = functools.partial(_begun, config, run, data, model, ranks.size, device)
        with ranks.decided_by_zero(begun) as (end, checkpoint, done), _resumable(run, config.plugins):
            if end is None:
                with ranks.process_group(logs=run.path):
                    contention = Contention()
                    validation = build.validation(config, run, model_spec)
                    first = [*callbacks, contention]
                    trainer = build.trainer(config, run, ranks, validation, first, done=done, planned=planned)
                    log.info("%s", build.headline(config, model, data, ranks.size))
                    trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
                if ranks.rank == 0:
                    ended = results.of(trainer, model, validation, data, alone=contention.alone())
                    run.write_results(ended | {"seed": config.seed})
    return _summary(run if end is None else RunFolder(Path(end)), config) if ranks.rank == 0 else None


@contextmanager
def _begun(
    config: DictConfig, run: RunFolder, data: Any, model: Any, ranks: int, device: str
) -> Iterator[tuple[str | None, str | None, int]]:
    """Yield (folder with the results, None, 0) if the run is already finished.

    Otherwise lock the run folder inside the context and yield (None, checkpoint to resume from or None, its update).
    """
    from cgan_lightning.storage import checkpoint_io, warm_start

    if not config.rerun and (end := _end(run, config)):
        yield str(end.path), None, 0
        return
    data.prepare_data()
    if config.warm_start.checkpoint is not None and (config.rerun or not run.has_checkpoint):  # a resumed run has weights
        warm_start.begin(model, data.class_names, config.warm_start.checkpoint, frozen=config.warm_start.freeze)
    earlier = max(run.ends(), default=None)
    with run.claim(
        identity.record(config, ranks=ranks, device=device),
        resume=identity.may_resume(config),
        rerun=config.rerun,
        allow_changes=config.resume.allow_changes,
        planned=sizes.planned_updates(config),
        examine=lambda checkpoint: checkpoint_io.examine(checkpoint, model),
    ) as result:
        if earlier is not None:
            _log_earlier_results(run, earlier, sweep_folder.using(run.path, earlier))
        run.keep_config(OmegaConf.to_yaml(config, resolve=True))
        yield (None, None, 0) if result is None else (None, str(result[0]), result[1])


def _known(run: RunFolder, config: DictConfig) -> RunFolder | None:
    """Return what `_end` returns, before PyTorch is imported; with several ranks, rank zero decides once they are connected.

    Also raises UserError for an unfinished run when neither resuming nor starting over was requested.
    """
    if rank_info.given(os.environ) is not None or config.rerun:
        return None
    if end := _end(run, config):
        return end
    run.refuse_unrequested(list(HydraConfig.get().overrides.task), resume=identity.may_resume(config))
    return None


def _end(run: RunFolder, config: DictConfig) -> RunFolder | None:
    """Return the folder with the requested results, if they exist. Raises UserError if they cannot be produced."""
    if not run.identity.is_file():
        return None
    changed = run.check_settings(checks.result_settings(config), allow_changes=config.resume.allow_changes)
    end = run.end(sizes.planned_updates(config))
    if changed and end:
        keys = ", ".join(key for key in changed if key.rpartition(".")[0] not in changed)
        raise UserError(
            f"{end.path} is finished, and was trained with other settings ({keys}): "
            "give a higher trainer.max_epochs to continue with these, or omit resume= to train them as a separate run"
        )
    if end:
        log.info("This run is already finished; rerun=true starts it over.")
    return end


def _summary(run: RunFolder, config: DictConfig) -> float | None:
    """Log where the results are, and return the metric named by `objective_metric`."""
    log.info("%s", run.summary())
    return run.metric(config.objective_metric)


def _log_earlier_results(run: RunFolder, updates: int, sweeps: Sequence[Path]) -> None:
    """Log what happens to the earlier results at `updates`: kept if the run is extended, deleted if it starts over."""
    users = f", which {', '.join(map(str, sweeps))} use{'s' if len(sweeps) == 1 else ''}," if sweeps else ""
    if kept := run.ends().get(updates):
        log.info(
            "Extending a run that was finished at update %s; its results at that point%s are kept in %s",
            f"{updates:,}", users, kept.path,
        )  # fmt: skip
    else:
        log.warning("Starting a finished run over: its results%s are deleted", users)


@contextmanager
def _resumable(run: RunFolder, plugins: Sequence[str]) -> Iterator[None]:
    """Add the command that resumes the run to the message of an interrupt."""
    try:
        yield
    except Interrupted as stop:
        resume = pasteable.command("train", resume=str(run.path), **pasteable.plugins(plugins))
        raise Interrupted(stop.signum, f"{stop}; to resume: {resume}" if run.has_checkpoint else str(stop)) from None


def main() -> None:
    command.run(train, "train")


if __name__ == "__main__":
    main()
