"""Reject incompatible choices, each with a one-sentence message."""

import importlib.util

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cgan_lightning import registry
from cgan_lightning.config import dataset
from cgan_lightning.utils.errors import UserError

SHARED = {  # settings that a network need not have, by their keys, with the argument of each network that takes them
    "model.channels": {"generator": "channels"},
    "model.stages": {"generator": "stages", "discriminator": "stages"},
    "upsampling": {"generator": "upsampling"},
    "generator_normalization": {"generator": "normalization"},
    "discriminator_normalization": {"discriminator": "normalization"},
    "discriminator_label": {"discriminator": "head"},
}
OPTIONAL_LOGGERS = ("wandb", "mlflow")  # extras of those names in pyproject.toml, and packages
LABEL_PLANES = 1  # as in conf/conditioning/embedding.yaml; part of every run's hash, even if unused


def _choice(config: DictConfig, group: str) -> str:
    """Return the class name of the option chosen for `group`, with its module if it is a plugin's; "" for none."""
    return _class(config[group])


def _class(settings: DictConfig) -> str:
    target = settings.get("_target_", "")
    return target.rpartition(".")[2] if target.startswith("cgan_lightning.") else target


def check(config: DictConfig) -> None:
    """Raise UserError for the first incompatible choices in `config`."""
    normalization, loss = _choice(config, "discriminator_normalization"), _choice(config, "loss")
    penalty, head = _choice(config, "regularizer"), _class(config.discriminator_label.head)
    if penalty and normalization == "Batch":
        raise UserError(
            "regularizer= needs the discriminator's gradient at each image separately, but discriminator_normalization=batch "
            "couples the images of a batch: take discriminator_normalization=none or spectral, or regularizer=none"
        )
    if penalty == "R1R2Penalty" and not (config.regularizer.on_real or config.regularizer.on_fake):
        raise UserError("regularizer.on_real=false, regularizer.on_fake=false: no penalty is left; take regularizer=none")
    if loss == "Wasserstein" and not penalty and normalization != "Spectral":
        raise UserError(
            "loss=wasserstein: the discriminator is unbounded, so its output would diverge; take "
            "regularizer=gradient_penalty with discriminator_normalization=none, or discriminator_normalization=spectral"
        )
    _check_label_width(config, head)
    if _choice(config.conditioning, "generator") == "Unconditional":
        if head != "Logit":
            label = registry.components()[config.discriminator_label.head._target_].name
            raise UserError(
                f"conditioning=none provides no label for discriminator_label={label}; take discriminator_label=plane"
            )
        if _choice(config, "generator_normalization") == "ConditionalBatch":
            raise UserError("conditioning=none provides no label for generator_normalization=conditional_batch; take batch")


def check_shared(config: DictConfig) -> None:
    """Raises UserError for a setting, given by the user, that neither network takes."""
    for override in HydraConfig.get().overrides.task:
        key = override.partition("=")[0].lstrip("+")
        taken = SHARED.get(key, {})
        names = [registry.components()[config.model[network]._target_] for network in taken]
        if names and not any(argument in each.arguments for each, argument in zip(names, taken.values(), strict=True)):
            networks = " and ".join(f"the {each.group} {each.name}" for each in names)
            raise UserError(f"{override} changes nothing: {networks} has no such argument; leave it out")


def check_colour(config: DictConfig) -> None:
    """Raise UserError for images in colour if a network takes grey ones only."""
    if (channels := dataset.spec(config.data).channels) == 1:
        return
    for network in ("generator", "discriminator"):
        component = registry.components()[config.model[network]._target_]
        if "image_channels" not in component.arguments:
            raise UserError(f"data: the images have {channels} channels, but the {network} {component.name} has only one")


def _check_label_width(config: DictConfig, head: str) -> None:
    """Raise UserError for a label width that no network uses: only label planes have one."""
    width = config.conditioning.discriminator.get("width")
    if head != "Logit" and width not in (None, LABEL_PLANES):
        raise UserError(
            f"conditioning.discriminator.width={width} has no effect: it is the number of label planes, which only "
            "discriminator_label=plane has; omit it"
        )


def check_objective(config: DictConfig) -> None:
    """Raise UserError if the run will not compute `objective_metric`."""
    probability = config.objective_metric in ("d_real", "d_fake")
    if probability and _choice(config, "loss") != "BinaryCrossEntropy":
        raise UserError(
            f"objective_metric={config.objective_metric} is the discriminator's output probability, which only loss=bce "
            "has; take fid, or loss=bce"
        )
    if config.objective_metric in ("fid", "best_fid", "class_accuracy") and config.validation.every_n_epochs is None:
        raise UserError(
            f"objective_metric={config.objective_metric} comes from validation, which validation.every_n_epochs=null turns off"
        )


def check_warm_start(config: DictConfig) -> None:
    """Raise UserError if warm_start.freeze=true leaves nothing useful to train."""
    if not config.warm_start.freeze:
        return
    if config.warm_start.checkpoint is None:
        raise UserError("warm_start.freeze=true would freeze random weights: also give warm_start.checkpoint=RUN_FOLDER")
    if _choice(config.conditioning, "generator") != "Embedding":
        raise UserError(
            "warm_start.freeze=true trains only the generator's label embedding, but it has none; "
            "take conditioning=embedding, or warm_start.freeze=false"
        )


def check_decay(config: DictConfig) -> None:
    """Raise UserError if both decay_share and decay_images of a learning rate are given."""
    given = {override.split("=")[0] for override in HydraConfig.get().overrides.task}
    for network in ("generator", "discriminator"):
        share, images = f"optimizer.{network}.decay_share", f"optimizer.{network}.decay_images"
        settings = config.optimizer[network]
        if {share, images} <= given and None not in (settings.decay_share, settings.decay_images):
            raise UserError(
                f"{share}={settings.decay_share} and {images}={settings.decay_images:g} both set the same decay: give only one"
            )


def check_loggers(config: DictConfig) -> None:
    """Raise UserError for a logger whose package is not installed."""
    for name in config.logger:
        spec = importlib.util.find_spec(str(name)) if name in OPTIONAL_LOGGERS else None
        if name in OPTIONAL_LOGGERS and (spec is None or spec.origin is None):  # a folder of that name is no package
            raise UserError(f"logger={name} needs the package {name}: pip install 'cgan-lightning[{name}]'")
