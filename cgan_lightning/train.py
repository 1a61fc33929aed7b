"""Trains a conditional GAN: `python -m cgan_lightning.train [group=choice] [key=value]`."""

import logging

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.train")


def train(config: DictConfig) -> float | None:
    """One run, from its config to its results; a finished one is not done again. Returns the metric that is asked for."""
    from cgan_lightning.config import build, identity  # torch takes seconds to import: not for --help or a mistake
    from cgan_lightning.runtime import results

    # Everything that can be wrong with the request shows before the run folder is made.
    build.device_named(config.trainer.accelerator, "trainer.accelerator")
    data = build.data(config)
    recipe = build.recipe(config, data)
    model = build.model(config, recipe)
    run = identity.run_folder(config)

    if not config.rerun and run.is_finished(build.planned_updates(config, data)):
        log.info("This run is finished already; rerun=true does it again.\n%s", run.summary())
        return run.metric(config.objective_metric)
    data.prepare_data()
    record = identity.record(config)
    with run.claim(record, resume=identity.may_resume(config), rerun=config.rerun) as checkpoint:
        run.keep_config(OmegaConf.to_yaml(config, resolve=True))
        training_log = build.training_log(config)
        trainer = build.trainer(config, run, training_log, recipe, checkpoint)
        log.info("%s", build.headline(config, model, data))
        trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
        run.write_results(results.of(trainer, model, training_log, data.batch_size) | {"seed": config.seed})
    log.info("%s", run.summary())
    return run.metric(config.objective_metric)


def main() -> None:
    command.run(train, "train")


if __name__ == "__main__":
    main()
