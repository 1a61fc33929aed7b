"""Every pair of files trains together, or is refused in one sentence for a reason that is written here."""

import copy
import dataclasses
import functools
import itertools

import pytest
import torch
from lightning import Trainer
from omegaconf import OmegaConf

from cgan_lightning import registry
from cgan_lightning.config import build, build_model, compatibility
from cgan_lightning.config.compose import with_hydras_part
from cgan_lightning.config.identity import CHOICES
from cgan_lightning.config.paths import CONF
from cgan_lightning.training.callbacks.finite import FiniteLosses
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed
from tests.helpers.runs import SMALL

FILES = {group: sorted(path.stem for path in (CONF / group).glob("*.yaml")) for group in CHOICES}


class Settings(dict):
    """What OmegaConf gives of plain settings, in a hundredth of the time: every recipe that there could be is looked at."""

    __getattr__ = dict.__getitem__


def plain(node: object) -> object:
    return Settings({key: plain(value) for key, value in node.items()}) if isinstance(node, dict) else node


def parts() -> dict[tuple[str, str], object]:
    """Each group's part of a config, with each of its files: as many configs as the largest group has files."""
    found = {}
    for index in range(max(map(len, FILES.values()))):
        chosen = {group: FILES[group][index % len(FILES[group])] for group in CHOICES}
        config = with_hydras_part(*(f"{group}={file}" for group, file in chosen.items()))
        found |= {(group, file): plain(OmegaConf.to_container(config[group])) for group, file in chosen.items()}
    return found


PARTS = parts()
PAIRS = {
    frozenset({(one, a), (other, b)})
    for one, other in itertools.combinations(CHOICES, 2)
    for a, b in itertools.product(FILES[one], FILES[other])
}
NONSENSE = {
    *(
        frozenset({("regularizer", file), ("discriminator_normalization", "batch")})
        for file in FILES["regularizer"]
        if file != "none"
    ),
    frozenset({("loss", "wasserstein"), ("discriminator_normalization", "batch")}),
    frozenset({("conditioning", "none"), ("discriminator_label", "projection")}),
    frozenset({("conditioning", "none"), ("discriminator_label", "auxiliary")}),
    frozenset({("conditioning", "none"), ("discriminator_label", "hidden_projection")}),
    frozenset({("conditioning", "none"), ("generator_normalization", "conditional_batch")}),
}


def makes_sense(chosen: dict[str, str]) -> bool:
    """Whether `compatibility.check` accepts these files."""
    try:
        compatibility.check(Settings({group: PARTS[group, file] for group, file in chosen.items()}))
    except UserError:
        return False
    return True


def pairs_of(chosen: dict[str, str]) -> set[frozenset]:
    return {frozenset(pair) for pair in itertools.combinations(chosen.items(), 2)}


FREE = [group for group in CHOICES if not any(group == part for pair in NONSENSE for part, _ in pair)]


def sensible() -> list[dict[str, str]]:
    """Every recipe that makes sense, of one file for each group that nothing depends on."""
    files = FILES | {group: FILES[group][:1] for group in FREE}
    recipes = (dict(zip(CHOICES, chosen, strict=True)) for chosen in itertools.product(*(files[group] for group in CHOICES)))
    return [recipe for recipe in recipes if makes_sense(recipe)]


def covering() -> tuple[list[dict[str, str]], set[frozenset]]:
    """A few whole recipes that have every pair between them, and the pairs that no recipe can have."""
    bits = {pair: 1 << index for index, pair in enumerate(sorted(PAIRS, key=sorted))}
    candidates = [(recipe, sum(bits[pair] for pair in pairs_of(recipe))) for recipe in sensible()]
    possible = functools.reduce(int.__or__, (pairs for _, pairs in candidates))
    impossible = {pair for pair in PAIRS if not any(part in FREE for part, _ in pair) and not possible & bits[pair]}
    wanted, recipes = PAIRS - impossible, []
    while wanted:
        one = dict(min(wanted, key=sorted))
        fixed = {group: file for group, file in one.items() if group not in FREE}.items()
        fitting = [each for each in candidates if fixed <= each[0].items()]
        missing = sum(bits[pair] for pair in wanted)
        recipe = max(fitting, key=lambda each: (each[1] & missing).bit_count())[0] | one
        for group in (group for group in FREE if group not in one):
            recipe[group] = max(FILES[group], key=lambda file: len(pairs_of(recipe | {group: file}) & wanted))
        recipes.append(recipe)
        wanted -= pairs_of(recipe)
    return recipes, impossible


RECIPES, IMPOSSIBLE = covering()


def test_only_nonsense_is_refused():
    assert IMPOSSIBLE == NONSENSE


@pytest.mark.sampled(6)
@pytest.mark.training
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: "-".join(recipe.values()))
def test_every_sensible_pair_trains(recipe):
    config = composed(*(f"{group}={file}" for group, file in recipe.items()), *SMALL, "model.channels=64")
    data = build.data(config)
    model = build_model.model(config, build_model.model_spec(config, data))
    before = copy.deepcopy(model.state_dict())
    trainer = Trainer(
        accelerator="cpu", max_steps=2, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[FiniteLosses(every_n_updates=1)],
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    for network in ("generator", "discriminator"):
        for name, weights in getattr(model, network).named_parameters(prefix=network):
            if weights.dim() > 1:  # a logit's bias moves nothing where the loss knows differences alone
                assert not torch.equal(weights, before[name]), name


def test_the_width_that_is_taken_everywhere_is_the_one_in_conf():
    assert composed().conditioning.discriminator.width == compatibility.LABEL_PLANES


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["discriminator_normalization=batch"], "discriminator_normalization=batch couples the images of a batch"),
        (["loss=wasserstein", "regularizer=none"], "the discriminator is unbounded"),
        (["loss=wasserstein", "discriminator_normalization=batch", "regularizer=none"], "the discriminator is unbounded"),
        (["conditioning=none", "discriminator_label=projection"], "provides no label for discriminator_label=projection"),
        (["conditioning=none", "discriminator_label=auxiliary"], "provides no label for discriminator_label=auxiliary"),
        (
            ["conditioning=none", "discriminator_label=plane", "generator_normalization=conditional_batch"],
            "provides no label for generator_normalization",
        ),
        (["objective_metric=d_real", "loss=hinge"], "only loss=bce has; take"),
        (["regularizer.on_real=false"], "no penalty is left"),
        (["conditioning.discriminator.width=2"], r"conditioning.discriminator.width=2 has no effect: .*omit it"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(overrides, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        composed(*overrides)
    assert "\n" not in str(error.value)
    assert "; " in str(error.value) or ": take" in str(error.value), "it says what would be right"


def test_a_rate_falls_over_images_or_over_a_share():
    share, images = "optimizer.discriminator.decay_share=0.5", "optimizer.discriminator.decay_images=1000"
    with pytest.raises(UserError, match=rf"^{share} and {images} both set the same decay: give only one$"):
        compatibility.check_decay(composed(share, images))
    none = "optimizer.discriminator.decay_images=null"
    for fine in ([share], [images], [share, none], [images, "optimizer.generator.decay_share=1"]):
        compatibility.check_decay(composed(*fine))


@pytest.mark.parametrize(
    ("key", "networks"),
    [
        ("model.channels=128", ["generator"]),
        ("upsampling=nearest", ["generator"]),
        ("model.stages=2", ["generator", "discriminator"]),
    ],
)
def test_what_a_network_does_not_take_is_refused_where_it_is_given(monkeypatch, key, networks):
    """As of a network that declares fewer arguments than ours do."""
    argument = key.partition("=")[0].rpartition(".")[2]
    known = dict(registry.components())
    for network in networks:
        target = composed().model[network]._target_
        left = {name: each for name, each in known[target].arguments.items() if name != argument}
        known[target] = dataclasses.replace(known[target], arguments=left)
    monkeypatch.setattr(registry, "components", lambda: known)
    config = composed()
    model_spec = build_model.model_spec(config, build.data(config))
    for network in ("generator", "discriminator"):
        assert (argument in model_spec[network]) is (argument in known[config.model[network]._target_].arguments)
    with pytest.raises(UserError, match=rf"^{key} changes nothing: the {networks[0]} convolutional .*has no such argument"):
        composed(key)
