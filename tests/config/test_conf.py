"""Every file in conf/ composes, passes its own checks and trains; every key of the schema has a value there."""

import dataclasses

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from cgan_lightning.config import build, build_model, checks, components, drawing, identity, schema
from cgan_lightning.config.compose import compose
from cgan_lightning.config.paths import CONF
from cgan_lightning.data.sets import FASHION_MNIST
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


@pytest.mark.sampled(3)
@pytest.mark.parametrize("chosen", compositions(), ids=lambda chosen: " ".join(chosen))
def test_every_choice_composes_and_passes_its_checks(chosen):
    config = compose(*chosen, check=False)  # not all of them make sense together: test_compatibility.py
    checks.check(config)
    picked = HydraConfig.get().runtime.choices
    assert {f"{group}={picked[group]}" for group, _, _ in (choice.partition("=") for choice in chosen)} == {*chosen}


# The other groups are in test_compatibility.py; the data sets, which must be downloaded, in tests/data.
OF_HOW = [choice for choice in CHOICES if choice.partition("=")[0] not in (*identity.CHOICES, "data")]


ELSEWHERE = ("trainer=gpu", "trainer=ddp", "trainer=ddp_cpu")
RANKS = pytest.param("trainer=ddp_cpu", marks=pytest.mark.matrix)  # two processes


@pytest.mark.sampled(6)
@pytest.mark.parametrize("choice", [RANKS, *(each for each in OF_HOW if each not in ELSEWHERE)])
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


@pytest.mark.parametrize("experiment", ["quick", "[documented,quick]"])
def test_a_run_records_its_experiments(experiment):
    """Hydra has no choice of a group with several options."""
    record = identity.record(composed(f"experiment={experiment}"), ranks=1, device="cpu")
    assert record["choices"]["experiment"] == experiment


def test_the_documented_recipe_is_pinned():
    """Whatever the defaults are: runs that were begun before these moved on have the same name."""
    assert identity.run_name(composed("experiment=documented")).endswith("-59492593")
    assert identity.run_name(composed()) != identity.run_name(composed("experiment=documented"))


STUDY = CONF.parent / "experiments" / "recipe" / "conf"


@pytest.mark.sampled(4)
@pytest.mark.parametrize("file", sorted(STUDY.glob("*/*.yaml")), ids=lambda file: file.stem)
def test_the_recipes_study_can_be_built(file):
    """Each variant of `small` is another run than the default, which is one of the files."""
    variant = composed(f"{file.parent.name}={file.stem}", f"hydra.searchpath=[file://{STUDY}]")
    same = identity.first_name(variant) == identity.first_name(composed())
    assert same == (file.stem in ("default", "comparison"))
    build_model.model(variant, build_model.model_spec(variant, build.data(variant)))


@pytest.mark.long
def test_a_runs_name_says_what_differs_from_the_default():
    def middle(*overrides: str) -> str:
        return (
            identity.run_name(composed(*overrides))
            .removeprefix("channels256-latent24-randn-embedding")
            .rpartition("-seed0-")[0]
        )

    assert middle() == middle("loss=bce", "noise=randn", "model.channels=256") == ""
    assert middle("loss=hinge", "regularizer.gamma=0.1") == "-hinge-gamma0.1"
    assert middle("discriminator_normalization=none", "regularizer=none") == "-regularizer_none"
    assert middle("experiment=nine_classes") == "-nine_classes"
    assert middle("data.classes=[Dress,Ankle boot]") == "-classes_Dress_Ankle_boot"
    assert len(middle(f"data.classes=[{','.join(FASHION_MNIST.class_names)}]")) == 1 + identity.MOST_DIFFERENCES
    name = identity.run_name(composed("name='my first run!'", "loss=hinge"))
    assert name.startswith("my_first_run-channels256-latent24-randn-embedding-hinge-seed0-")


def test_a_run_is_found_whatever_it_was_named(tmp_path):
    """Names had less in them once, and `name=` is for people: what tells runs apart is the hash."""
    config = composed("loss=hinge", f"run_root={tmp_path}")
    (tmp_path / identity.first_name(config)).mkdir()
    assert identity.run_folder(config).path.name == identity.first_name(config)
    assert identity.run_folder(composed("loss=hinge", "name=other", f"run_root={tmp_path}")).path.parent == tmp_path
    assert identity.run_folder(composed("loss=hinge", "name=other", f"run_root={tmp_path}")).path.name.startswith("channels256")
    assert identity.run_folder(composed("loss=hinge", "seed=1", f"run_root={tmp_path}")).path.name.endswith(
        identity.run_name(composed("loss=hinge", "seed=1"))
    )


@pytest.mark.long
def test_a_runs_name_follows_from_what_its_result_depends_on():
    name = identity.run_name(composed())
    assert name.startswith("channels256-latent24-randn-embedding-seed0-")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    for same in ("trainer.max_epochs=3", "trainer.max_steps=7", "trainer=ddp_cpu", "log_every_n_updates=3", "data.workers=0",
                 "data.placement=host", "data.root=/data", "run_root=there", "callbacks.sample_grid.columns=3",
                 "callbacks=none", "rerun=true"):  # fmt: skip
        assert identity.run_name(composed(same)) == name, same
    others = ["seed=1", "model.channels=128", "noise=uniform", "conditioning=onehot", "upsampling=transposed", "data.limit=99",
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
    always = {"model.channels": 256, "noise": "uniform", "seed": 0}
    assert shown == always | {"data.limit": 99, "upsampling": "transposed"}
    assert identity.displayed_settings(composed()) == always | {"noise": "randn"}


def test_values_stand_in_conf_alone():
    """A number that had a default in the schema too would have two homes."""
    sections = [getattr(module, name) for module in (schema, drawing) for name in dir(module)]
    for section in {*components.nodes().values(), *(section for section in sections if dataclasses.is_dataclass(section))}:
        defaults = OmegaConf.structured(section)
        values = {key for key in defaults if not OmegaConf.is_missing(defaults, key) and not OmegaConf.is_config(defaults[key])}
        assert values <= {"_target_", "_partial_", "settings"}, section
