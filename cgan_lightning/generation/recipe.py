"""Networks rebuilt from plain data: nested dictionaries that name our own classes and their arguments, nothing else.

A recipe may come from anyone. Each argument has its kind and its range, so that nothing is built that is out of all
proportion, and a recipe can be no deeper than a network and its parts.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from cgan_lightning import limits, noise
from cgan_lightning.errors import UserError, shown
from cgan_lightning.networks import conditioning, discriminator, generator, heads, layers, normalization, residual

PRIORS = (noise.StandardNormal, noise.Uniform)
ENCODERS = (conditioning.Embedding, conditioning.OneHot, conditioning.Integer, conditioning.Unconditional)
UPSAMPLINGS = (layers.NearestUpsample, layers.TransposedUpsample, layers.BilinearUpsample)
HEADS = (heads.Logit, heads.Projection, heads.AuxiliaryClassifier)
NORMALIZATIONS = (
    *(normalization.Batch, normalization.ConditionalBatch),
    *(normalization.Spectral, normalization.ScaledInitialization),
)
GENERATORS = (generator.Generator, residual.ResidualGenerator)
DISCRIMINATORS = (discriminator.Discriminator, residual.ResidualDiscriminator)
CLASSES = {
    f"{cls.__module__}.{cls.__qualname__}": cls
    for cls in (*GENERATORS, *DISCRIMINATORS, *ENCODERS, *UPSAMPLINGS, *HEADS, *NORMALIZATIONS, *PRIORS)
}
FACTORIES = (*UPSAMPLINGS, *HEADS)  # what a network calls with the sizes that it finds

# Arguments that are recipes themselves.
PARTS = {"conditioning": ENCODERS, "upsampling": UPSAMPLINGS, "head": HEADS, "normalization": NORMALIZATIONS}
NUMBERS: dict[str, tuple[type, Mapping[str, float]]] = {
    "latent_dim": (int, limits.LATENT_DIM),
    "channels": (int, limits.CHANNELS),
    "stages": (int, limits.STAGES),
    "blocks": (int, limits.BLOCKS),
    "image_size": (int, limits.IMAGE_SIZE),
    "bn_eps": (float, limits.BN_EPS),
    "num_classes": (int, limits.NUM_CLASSES),
    "width": (int, limits.LABEL_WIDTH),
    "weight": (float, limits.HEAD_WEIGHT),
}


def build(recipe: Any, classes: tuple[type, ...] = tuple(CLASSES.values())) -> Any:
    """The object that `recipe` describes: `_target_` is one of `classes`, the other keys are its arguments.

    `_partial_: true`, which upsamplings and heads have, gives a factory in place of the object, as in Hydra. Raises UserError
    for
    another class, and for an argument that it doesn't take or that is out of its range.
    """
    if not isinstance(recipe, dict):
        raise UserError(f"{shown(recipe)} is no recipe: give _target_ and the arguments of that class")
    name = recipe.get("_target_")
    allowed = {known: cls for known, cls in CLASSES.items() if cls in classes}
    if not isinstance(name, str) or name not in allowed:
        raise UserError(f"_target_: {shown(name)} is none of the classes that a recipe may name ({', '.join(allowed)})")
    partial = allowed[name] in FACTORIES
    if recipe.get("_partial_", False) is not partial:
        raise UserError(f"{name}: _partial_ must be {str(partial).lower()}, not {shown(recipe.get('_partial_'))}")
    arguments = {key: _argument(key, value) for key, value in recipe.items() if key not in ("_target_", "_partial_")}
    try:
        inspect.signature(allowed[name]).bind_partial(**arguments)
        return functools.partial(allowed[name], **arguments) if partial else allowed[name](**arguments)
    except TypeError as error:
        raise UserError(f"{name} can't be built: {error}") from None


def _argument(key: str, value: Any) -> Any:
    if key in PARTS:
        return build(value, PARTS[key])
    if key not in NUMBERS:
        raise UserError(f"{shown(key)} is no argument that a recipe may give ({', '.join([*PARTS, *NUMBERS])})")
    kind, bounds = NUMBERS[key]
    if type(value) not in (int, kind) or not limits.within(value, bounds):  # true is no 1
        word = "a whole number" if kind is int else "a number"
        raise UserError(f"{key}={shown(value)}: must be {word} {limits.in_words(bounds)}")
    return value
