"""--help lists every setting of every command with its default, what it is for and what it must be."""

import dataclasses
import re

import pytest

from cgan_lightning.config import checks, components, help_text, schema, suggestions
from cgan_lightning.config.paths import CONF
from tests.bad_input import values
from tests.helpers.configs import composed

COMMANDS = sorted(values.NEEDED)


def printed(command: str, *overrides: str) -> str:
    return help_text.text(composed(*overrides, command=command, check=False), command)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def described(node: type) -> dict[str, str | None]:
    """What each field of a part of the schema is for: sections, classes that choices name and what is made of them left out."""
    fields = [field for field in dataclasses.fields(node) if not dataclasses.is_dataclass(field.type)]
    return {field.name: field.metadata.get("about") for field in fields if not field.name.startswith("_")}


def parts(node: type) -> list[type]:
    nested = [field.type for field in dataclasses.fields(node) if dataclasses.is_dataclass(field.type)]
    return [node, *(part for each in nested for part in parts(each))]


@pytest.mark.parametrize("name", sorted(schema.NODES))
def test_every_key_says_what_it_is_for(name):
    for part in parts(schema.NODES[name]):
        for key, about in described(part).items():
            places = (components.Pair, components.Conditioning, components.DiscriminatorLabel)
            if part in places and key not in (
                "latent_dim",
                "channels",
                "stages",
            ):
                continue  # no setting: a place for a component
            assert about, f"{part.__name__}.{key} has no description"
            assert not about.endswith("."), f"{part.__name__}.{key}: a phrase has no full stop"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_it_does(command):
    about = schema.NODES[command].__doc__
    assert about.endswith(".")
    assert not about.startswith(f"{schema.NODES[command].__name__}("), "a dataclass's own"
    assert about in printed(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_key_is_listed_with_what_it_must_be(command):
    text = in_one_line(printed(command))
    for choices in values.all_choices(command):
        for key, field in values.fields(command, *choices).items():
            if "about" in field.metadata:
                must_be = "" if key in values.GROUPS else f" ({checks.requirement(field)})"
                assert f" {suggestions.in_short(key)}=" in text, key
                assert f"{field.metadata['about']}{must_be}" in text, key


def test_defaults_are_those_of_the_command_line():
    text = in_one_line(printed("train"))
    for shown in ("seed=0", "optimizer.generator.betas=[0, 0.99]", "data.root=null", "trainer.max_epochs=25", "loss=bce"):
        assert f" {shown} " in text
    changed = in_one_line(printed("train", "model=residual", "model.channels=256", "seed=3"))
    for shown in ("model=residual", "model.channels=256", "seed=3", "model.discriminator.channels=256"):
        assert f" {shown} " in changed


def test_a_key_is_listed_once():
    keys = re.findall(r"^  ([a-z_.]+=\S+) +(?:with ([\w, ]+):)?", printed("train"), re.MULTILINE)
    assert len(keys) == len({*keys})


def test_every_choice_is_listed_with_what_its_file_says():
    text = in_one_line(printed("train"))
    for file in CONF.glob("[!h]*/*.yaml"):
        about = suggestions.about(file.parent.name, file.stem)
        assert f" {file.stem} {re.split('[.?] ', about)[0][:40]}" in text, file


def test_launchers_and_sweepers_are_those_that_are_there(monkeypatch):
    sweeps = in_one_line(printed("train")).partition(" Sweeps: ")[2]
    for shown in ("hydra/launcher=basic", "hydra/sweeper=basic", " pool Run several jobs", " slurm Submit each job"):
        assert shown in sweeps
    plain = lambda self, group: ["basic.yaml"]  # noqa: E731  without the extra slurm
    monkeypatch.setattr("hydra.core.config_store.ConfigStore.list", plain)
    assert " slurm " not in in_one_line(printed("train")).partition(" Sweeps: ")[2]


@pytest.mark.parametrize(("columns", "width"), [(80, 80), (100, 100), (300, 100), (20, 60)])
@pytest.mark.parametrize("command", COMMANDS)
def test_it_fits_the_terminal(monkeypatch, command, columns, width):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = printed(command).splitlines()
    assert width - 15 < max(map(len, lines)) <= width
    assert not [line for line in lines if line != line.rstrip()]


def test_a_sweeper_that_is_chosen_has_its_settings_listed():
    said = printed("train", "hydra/sweeper=optuna")
    assert "hydra.sweeper.n_trials=20" in said
    assert "hydra.sweeper.sampler=tpe" in said
