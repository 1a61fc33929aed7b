"""Every file in conf/ composes, passes its own checks and trains; every key of the schema has a value there."""

import dataclasses

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from cgan_lightning.config import checks, identity, ingredients, schema
from cgan_lightning.config.compose import compose
from cgan_lightning.config.paths import CONF
from tests.helpers.configs import composed

GROUPS = sorted(path for path in CONF.iterdir() if path.is_dir() and path.name != "hydra")
CHOICES = [f"{group.name}={file.stem}" for group in GROUPS for file in sorted(group.glob("*.yaml"))]


ALONE = ("experiment", "sweep")  # these set what other groups' files set
TOGETHER = [group for group in GROUPS if group.name not in ALONE]


def compositions() -> list[tuple[str, ...]]:
    """Every file is in one: each of ALONE by itself, of the others as many at a time as can be."""
    alone = [(choice,) for choice in CHOICES if choice.partition("=")[0] in ALONE]
    files = {group.name: sorted(file.stem for file in group.glob("*.yaml")) for group in TOGETHER}
    together = [
        tuple(f"{group}={names[index % len(names)]}" for group, names in files.items())
        for index in range(max(map(len, files.values())))
    ]
    assert {*CHOICES} == {choice for chosen in [*alone, *together] for choice in chosen}
    return [*alone, *together]


@pytest.mark.parametrize("chosen", compositions(), ids=lambda chosen: " ".join(chosen))
def test_every_choice_composes_and_passes_its_checks(chosen):
    config = compose(*chosen)
    checks.check(config)
    picked = HydraConfig.get().runtime.choices
    assert {f"{group}={picked[group]}" for group, _, _ in (choice.partition("=") for choice in chosen)} == {*chosen}


OF_HOW = [choice for choice in CHOICES if choice.partition("=")[0] not in identity.CHOICES]  # the others: test_combinations.py


@pytest.mark.parametrize("choice", [choice for choice in OF_HOW if choice not in ("trainer=gpu", "trainer=ddp")])
def test_every_choice_trains(train, choice):
    assert (
        train(choice, *(["trainer=cpu"] if "trainer" not in choice else []), "trainer.max_steps=2") / "results.json"
    ).exists()


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("sample", "checkpoint=runs/some"),
        ("evaluate", "checkpoint=runs/some"),
        ("report", "runs=some"),
        ("explore", "checkpoint=runs/some"),
    ],
)
def test_the_configs_of_what_is_trained_compose(command, needed):
    checks.check(compose(needed, command=command))


def test_the_documented_recipe_is_pinned():
    """Whatever the defaults are: runs that were begun before these moved on have the same name."""
    assert identity.run_name(composed("experiment=documented")).endswith("-59492593")
    assert identity.run_name(composed()) != identity.run_name(composed("experiment=documented"))


STUDY = CONF.parent / "experiments" / "recipe" / "conf"


@pytest.mark.parametrize("file", sorted(STUDY.glob("*/*.yaml")), ids=lambda file: file.stem)
def test_the_recipes_study_composes(file):
    """Each variant of the default is another run, but for the one that is the default itself."""
    variant = composed(f"{file.parent.name}={file.stem}", f"hydra.searchpath=[file://{STUDY}]")
    same = identity.run_name(variant) == identity.run_name(composed())
    assert same == (file.stem in ("default", "comparison"))


def test_a_runs_name_follows_from_what_its_result_depends_on():
    name = identity.run_name(composed())
    assert name.startswith("channels128-latent16-randn-embedding-seed0-")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    for same in ("trainer.max_epochs=3", "trainer.max_steps=7", "trainer=ddp_cpu", "log_every_n_updates=3", "data.workers=0",
                 "data.placement=host", "data.root=/data", "run_root=there", "samples.columns=3", "rerun=true"):  # fmt: skip
        assert identity.run_name(composed(same)) == name, same
    others = ["seed=1", "model.channels=256", "noise=uniform", "conditioning=onehot", "upsampling=transposed", "data.limit=99",
              "ema.halflife_images=null", "model=residual", "loss=hinge", "data.balanced=false", "augmentation=diffaugment",
              "discriminator_normalization=spectral", "discriminator_label=plane", "optimizer.generator.lr=1e-4",
              "trainer.precision=64-true"]  # fmt: skip
    assert len({name, *(identity.run_name(composed(other)) for other in others)}) == 1 + len(others)


def test_a_runs_length_is_part_of_its_name_where_the_rates_follow_from_it():
    share = "optimizer.generator.decay_share=1"
    names = {identity.run_name(composed(share, length)) for length in ("trainer.max_epochs=3", "trainer.max_epochs=4")}
    assert len({*names, identity.run_name(composed())}) == 3
    assert identity.run_name(composed("optimizer.generator.decay_share=null")) == identity.run_name(composed())


def test_the_hparams_tab_shows_little_and_what_was_asked_for():
    shown = identity.displayed_settings(composed("noise=uniform", "data.limit=99", "upsampling=transposed", "trainer=cpu"))
    always = {"model.channels": 128, "noise": "uniform", "seed": 0}
    assert shown == always | {"data.limit": 99, "upsampling": "transposed"}
    assert identity.displayed_settings(composed()) == always | {"noise": "randn"}


def test_values_stand_in_conf_alone():
    """A number that had a default in the schema too would have two homes."""
    sections = [getattr(module, name) for module in (schema, ingredients) for name in dir(module)]
    for section in {section for section in sections if dataclasses.is_dataclass(section)}:
        defaults = OmegaConf.structured(section)
        values = {key for key in defaults if not OmegaConf.is_missing(defaults, key) and not OmegaConf.is_config(defaults[key])}
        assert values <= {"_target_", "_partial_"}, section
