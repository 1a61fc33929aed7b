"""Networks rebuilt from plain data: nested dictionaries that name our own classes and their arguments, nothing else."""

import functools
import inspect
from typing import Any

from cgan_lightning import noise
from cgan_lightning.errors import UserError
from cgan_lightning.networks import conditioning, discriminator, generator, layers

CLASSES = {
    f"{cls.__module__}.{cls.__qualname__}": cls
    for cls in (
        generator.Generator, discriminator.Discriminator,
        conditioning.Embedding, conditioning.OneHot, conditioning.Integer, conditioning.Unconditional,
        layers.NearestUpsample, layers.TransposedUpsample,
        noise.StandardNormal, noise.Uniform,
    )
}  # fmt: skip


def build(recipe: Any) -> Any:
    """The object that `recipe` describes: `_target_` is one of CLASSES, the other keys are its arguments.

    `_partial_: true` gives a factory in place of the object, as in Hydra. What is no recipe is returned as it is. Raises
    UserError for an unknown class or an argument that it doesn't take.
    """
    if not isinstance(recipe, dict) or "_target_" not in recipe:
        return recipe
    name, partial = recipe["_target_"], recipe.get("_partial_", False)
    if name not in CLASSES:
        raise UserError(f"_target_: {name} is none of the classes that a recipe may name ({', '.join(CLASSES)})")
    arguments = {key: build(value) for key, value in recipe.items() if key not in ("_target_", "_partial_")}
    try:
        inspect.signature(CLASSES[name]).bind_partial(**arguments)
        return functools.partial(CLASSES[name], **arguments) if partial else CLASSES[name](**arguments)
    except TypeError as error:
        raise UserError(f"{name} can't be built: {error}") from None
