"""Build the model spec and the Lightning module that trains its networks from a checked config."""

import functools
import math
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from cgan_lightning import registry
from cgan_lightning.config import dataset, sizes
from cgan_lightning.data.module import ImageData
from cgan_lightning.models import spec
from cgan_lightning.training.ema import GeneratorEMA
from cgan_lightning.training.lr_schedule import LearningRate
from cgan_lightning.training.module import ConditionalGAN
from cgan_lightning.utils import seeding
from cgan_lightning.utils.errors import UserError


def model_spec(config: DictConfig, data: ImageData) -> dict[str, Any]:
    """Return the model spec: plain data from which the networks and the prior are built, with the class names.

    It is saved with the weights.
    """
    plain: Any = OmegaConf.to_container(config, resolve=True)
    model, label = plain["model"], plain["discriminator_label"]
    both = {"stages": model["stages"], "image_size": data.image_size, "image_channels": data.spec.channels}
    of_generator = {
        "latent_dim": model["latent_dim"],
        "channels": model["channels"],
        "upsampling": plain["upsampling"],
        "conditioning": plain["conditioning"]["generator"] | {"num_classes": data.num_classes},
        "normalization": plain["generator_normalization"],
    }
    of_discriminator = {
        "conditioning": label["conditioning"] | {"num_classes": data.num_classes},
        "head": label["head"],
        "normalization": plain["discriminator_normalization"],
    }
    return {
        "generator": _with_declared(model["generator"], of_generator | both),
        "discriminator": _with_declared(model["discriminator"], of_discriminator | both),
        "prior": plain["noise"],
        "class_names": list(data.class_names),
        "dataset": data.spec.record(data.classes),
    }


def _with_declared(network: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """`network` with those of the `shared` settings that its class takes; compatibility.py refuses the others."""
    arguments = registry.components()[network["_target_"]].arguments
    return network | {name: value for name, value in shared.items() if name in arguments}


def model(config: DictConfig, model_spec: dict[str, Any]) -> ConditionalGAN:
    """Build the Lightning module; initial weights depend only on the seed and on each network."""
    networks = {network: _network(config, network, model_spec[network]) for network in ("generator", "discriminator")}
    if config.warm_start.freeze:
        _freeze_but_label(networks["generator"])
    return ConditionalGAN(
        **networks,
        prior=spec.build(model_spec["prior"], "noise"),
        num_classes=len(model_spec["class_names"]),
        class_shares=None if dataset.spec(config.data).is_balanced else sizes.images_of_each_class(config),
        generator_optimizer=_adam(config.optimizer.generator),
        discriminator_optimizer=_adam(config.optimizer.discriminator),
        generator_lr=_learning_rate(config, "generator"),
        discriminator_lr=_learning_rate(config, "discriminator"),
        discriminator_updates=config.optimizer.discriminator_updates,
        loss=chosen(config.loss, "loss"),
        penalty=chosen(config.regularizer, "regularizer"),
        augmentation=chosen(config.augmentation, "augmentation"),
        balanced=config.data.balanced,
        ema=_ema(config, networks["generator"]),
        seed=config.seed,
        cuda_graphs=config.trainer.cuda_graphs,
    )


def _network(config: DictConfig, network: str, network_spec: dict[str, Any]) -> Any:
    with seeding.seeded(config.seed, network):
        return spec.build(network_spec, network).to(memory_format=torch.channels_last)


def _freeze_but_label(generator: Any) -> None:
    """Freeze weights and batch-norm statistics, except for the label embedding."""
    generator.requires_grad_(False)
    generator.conditioning.requires_grad_(True)
    generator.eval()


def _ema(config: DictConfig, generator: Any) -> GeneratorEMA | None:
    if config.ema.halflife_images is None:
        return None
    # With a warm start the EMA has no random initialisation to forget, so it needs no ramp-up.
    rampup = {} if config.warm_start.checkpoint is None else {"rampup": math.inf}
    return GeneratorEMA(generator, halflife_images=config.ema.halflife_images, **rampup)


def chosen(settings: DictConfig, group: str, **of_the_run: Any) -> Any:
    """Build the object of `group` that `settings` describe, with what else it takes; None where they name no class."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    if "_target_" not in plain:
        return None
    name = plain.pop("_target_")
    try:
        return registry.of_group(group)[name].load()(**plain, **of_the_run)
    except TypeError as error:  # settings of another option
        raise UserError(f"{name} cannot be built: {error}; choose the group's option, as in loss=hinge") from None


def _adam(settings: DictConfig) -> Any:
    """Return an Adam factory. fused: one kernel for all parameters. lr is a tensor that the module sets before each update."""
    lr = torch.tensor(settings.lr, dtype=torch.float64)
    return functools.partial(torch.optim.Adam, lr=lr, betas=tuple(settings.betas), fused=True)


def _learning_rate(config: DictConfig, network: str) -> LearningRate:
    settings: Any = OmegaConf.to_container(config.optimizer[network])
    return LearningRate(
        decay=chosen(config.lr_schedule, "lr_schedule"), **{key: settings[key] for key in settings if key != "betas"}
    )
