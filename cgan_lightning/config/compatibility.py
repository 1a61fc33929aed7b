"""Choices that make no sense together, each refused in one sentence."""

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cgan_lightning import registry
from cgan_lightning.utils.errors import UserError

SHARED = {  # settings that a network need not have, by their keys, with the argument of each network that takes them
    "model.channels": {"generator": "channels"},
    "model.stages": {"generator": "stages", "discriminator": "stages"},
    "upsampling": {"generator": "upsampling"},
    "generator_normalization": {"generator": "normalization"},
    "discriminator_normalization": {"discriminator": "normalization"},
    "discriminator_label": {"discriminator": "head"},
}
LABEL_PLANES = 1  # conf/conditioning/embedding.yaml's: part of each run's name, used or not


def _choice(config: DictConfig, group: str) -> str:
    """The class that a group's choice names, without its module; "" for none."""
    return config[group].get("_target_", "").rpartition(".")[2]


def check(config: DictConfig) -> None:
    """Raises UserError for the first two choices of `config` that don't go together."""
    normalization, loss = _choice(config, "discriminator_normalization"), _choice(config, "loss")
    penalty, head = _choice(config, "regularizer"), config.discriminator_label.head._target_.rpartition(".")[2]
    if penalty and normalization == "Batch":
        raise UserError(
            "regularizer= needs the discriminator's gradient at each image by itself, and discriminator_normalization=batch "
            "mixes a batch's pictures: take discriminator_normalization=none or spectral, or regularizer=none"
        )
    if penalty == "R1R2Penalty" and not (config.regularizer.on_real or config.regularizer.on_fake):
        raise UserError(
            "regularizer.on_real=false, regularizer.on_fake=false: nothing is left to penalise; take regularizer=none"
        )
    if loss == "Wasserstein" and not penalty and normalization != "Spectral":
        raise UserError(
            "loss=wasserstein: nothing bounds the discriminator, whose output would grow for ever; take "
            "regularizer=gradient_penalty with discriminator_normalization=none, or discriminator_normalization=spectral"
        )
    _check_label_width(config, head)
    if not _has_label(config):
        if head != "Logit":
            label = registry.components()[config.discriminator_label.head._target_].name
            raise UserError(
                f"conditioning=none leaves no label for discriminator_label={label}; take discriminator_label=plane"
            )
        if _choice(config, "generator_normalization") == "ConditionalBatch":
            raise UserError("conditioning=none leaves no label for generator_normalization=conditional_batch; take batch")


def check_shared(config: DictConfig) -> None:
    """Raises UserError for a setting, given by the user, that neither network takes."""
    for override in HydraConfig.get().overrides.task:
        key = override.partition("=")[0].lstrip("+")
        taken = SHARED.get(key, {})
        names = [registry.components()[config.model[network]._target_] for network in taken]
        if names and not any(argument in each.arguments for each, argument in zip(names, taken.values(), strict=True)):
            networks = " and ".join(f"the {each.group} {each.name}" for each in names)
            raise UserError(f"{override} changes nothing: {networks} has no such argument; leave it out")


def _check_label_width(config: DictConfig, head: str) -> None:
    """A width that no network has: only planes beside the image have one."""
    width = config.conditioning.discriminator.get("width")
    if head != "Logit" and width not in (None, LABEL_PLANES):
        raise UserError(
            f"conditioning.discriminator.width={width} changes nothing: it is that of the planes beside the image, which "
            "discriminator_label=plane alone has; leave it out"
        )


def check_objective(config: DictConfig) -> None:
    """Raises UserError for a metric that the run will not have."""
    probability = config.objective_metric in ("d_real", "d_fake")
    if probability and _choice(config, "loss") != "BinaryCrossEntropy":
        raise UserError(
            f"objective_metric={config.objective_metric} is the probability that the discriminator gives: loss=bce alone has "
            "one; take fid, or loss=bce"
        )
    if config.objective_metric in ("fid", "best_fid", "class_accuracy") and config.validation.every_n_epochs is None:
        raise UserError(
            f"objective_metric={config.objective_metric} comes from validation, which validation.every_n_epochs=null turns off"
        )


def check_warm_start(config: DictConfig) -> None:
    """Raises UserError where freezing leaves nothing that makes sense to train."""
    if not config.warm_start.freeze:
        return
    if config.warm_start.checkpoint is None:
        raise UserError("warm_start.freeze=true would keep random weights: give warm_start.checkpoint=RUN_FOLDER, whose stay")
    if _choice(config.conditioning, "generator") != "Embedding":
        raise UserError(
            "warm_start.freeze=true trains the generator's label embedding alone, and there is none; "
            "take conditioning=embedding, or warm_start.freeze=false"
        )


def check_decay(config: DictConfig) -> None:
    """Raises UserError where both lengths of a learning rate's fall are asked for."""
    asked_for = {override.split("=")[0] for override in HydraConfig.get().overrides.task}
    for network in ("generator", "discriminator"):
        share, images = f"optimizer.{network}.decay_share", f"optimizer.{network}.decay_images"
        settings = config.optimizer[network]
        if {share, images} <= asked_for and None not in (settings.decay_share, settings.decay_images):
            raise UserError(
                f"{share}={settings.decay_share} and {images}={settings.decay_images:g} are two lengths of one fall: give one"
            )


def _has_label(config: DictConfig) -> bool:
    return _choice(config.conditioning, "generator") != "Unconditional"
