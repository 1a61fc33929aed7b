"""Trains a conditional GAN: `python -m cgan_lightning.train [group=choice] [key=value]`."""

import functools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.train")


def train(config: DictConfig, *, callbacks: Sequence[Any] = ()) -> float | None:
    """One run, from its config to its results; a finished one is not done again. Returns the metric that is asked for.

    `callbacks`, Lightning's, act before the run's own.
    """
    from cgan_lightning.device import device_named  # torch takes seconds to import: not for --help or a mistake

    device = device_named(config.trainer.accelerator, "trainer.accelerator").type
    from cgan_lightning.config import build, build_model, identity  # Lightning takes more: not where there is no such device
    from cgan_lightning.runtime import memory, results

    memory.keep_freed()
    memory.count_peak_anew()
    lower = f"lower data.batch_size={config.data.batch_size}; the last checkpoint is kept"
    with build.ranks(config) as ranks, memory.advice(lower):
        # Everything that can be wrong with the request shows before the run folder is made.
        data = build.data(config)
        recipe = build_model.recipe(config, data)
        model = build_model.model(config, recipe)
        run = identity.run_folder(config)
        planned = build.planned_updates(config, data)

        begun = functools.partial(_begun, config, run, data, model, ranks.size, device)
        with ranks.decided_by_zero(begun) as (finished, checkpoint, done):
            if not finished:
                with ranks.joined(logs=run.path):
                    training_log = build.training_log(config)
                    quality = build.quality(config, run, training_log, recipe)
                    trainer = build.trainer(config, run, ranks, quality, callbacks, done=done, planned=planned)
                    log.info("%s", build.headline(config, model, data, ranks.size))
                    trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
                if ranks.rank == 0:
                    run.write_results(results.of(trainer, model, quality, data) | {"seed": config.seed})
    log.info("%s", run.summary())
    return run.metric(config.objective_metric) if ranks.rank == 0 else None


@contextmanager
def _begun(
    config: DictConfig, run: Any, data: Any, model: Any, ranks: int, device: str
) -> Iterator[tuple[bool, str | None, int]]:
    """Whether the run is finished already; if not, its folder is held, and it goes on from a checkpoint, after some updates."""
    from cgan_lightning.config import build, identity
    from cgan_lightning.runtime import checkpoint_io, warm_start

    if not config.rerun and run.is_finished(build.planned_updates(config, data)):
        log.info("This run is finished already; rerun=true does it again.")
        yield True, None, 0
        return
    data.prepare_data()
    if config.warm_start.checkpoint is not None and (config.rerun or not run.has_checkpoint):  # else it has weights of its own
        warm_start.begin(model, data.class_names, config.warm_start.checkpoint, frozen=config.warm_start.freeze)
    with run.claim(
        identity.record(config, ranks=ranks, device=device),
        resume=identity.may_resume(config),
        rerun=config.rerun,
        allow_changes=config.resume.allow_changes,
        examine=lambda checkpoint: checkpoint_io.examine(checkpoint, model),
    ) as found:
        run.keep_config(OmegaConf.to_yaml(config, resolve=True))
        yield (False, None, 0) if found is None else (False, str(found[0]), found[1])


def main() -> None:
    command.run(train, "train")


if __name__ == "__main__":
    main()
