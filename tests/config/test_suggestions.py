"""What was meant is named: from the schema, each key by its last part alone, as a flag; each choice with a letter left out."""

import pytest

from cgan_lightning.config import suggestions
from cgan_lightning.config.paths import CONF
from tests.bad_input import values

FIELDS = values.fields("train")
KEYS = [key for key in FIELDS if "." in key and not key.rpartition(".")[2].startswith("_")]
OPTIONS = [(group.name, file.stem) for group in CONF.iterdir() for file in group.glob("*.yaml")]


def options(group: str) -> list[str]:
    return sorted(option for each, option in OPTIONS if each == group)


@pytest.mark.parametrize("key", KEYS)
def test_the_last_part_names_the_key(key):
    last = key.rpartition(".")[2]
    assert key in suggestions.meant(last, [*FIELDS])
    assert all(each.endswith(f".{last}") for each in suggestions.meant(last, [*FIELDS]))


@pytest.mark.parametrize("key", [key for key in KEYS if key != "resume.run"])  # --run is Hydra's
def test_a_flag_names_the_setting(key):
    flag = f"--{key.rpartition('.')[2]}".replace("_", "-")
    for word, following in ((flag, "5"), (f"{flag}=5", "seed=3")):
        said = suggestions.flag(word, following, fields=FIELDS, groups=[], flags=["--help"])
        told = f"{word} 5" if following == "5" else word
        assert said.startswith(f"{told}: unknown flag; write ")
        assert f"{suggestions.in_short(key)}=5" in said.replace(",", "").split()


def test_resume_is_written_in_short():
    said = suggestions.flag("--resume", "auto", fields=FIELDS, groups=[], flags=["--help"])
    assert said == "--resume auto: unknown flag; write resume=auto"


@pytest.mark.parametrize("name", suggestions.OTHER_NAMES)
def test_other_programs_names_lead_to_a_setting(name):
    """A key that is renamed takes them along."""
    known = [*FIELDS, "loss", "hydra/launcher", "hydra/sweeper"]
    assert suggestions.OTHER_NAMES[name] in {key.rpartition(".")[2] for key in known}
    assert suggestions.meant(name, known)


@pytest.mark.parametrize(("group", "option"), [each for each in OPTIONS if len(each[1]) > 5])
def test_a_misspelt_choice_is_recognised(group, option):
    wrong = option[:2] + option[3:]
    assert suggestions.choice(group, wrong, options(group)).endswith(f"; did you mean {option}?")


@pytest.mark.parametrize(
    ("group", "value", "meant"),
    [
        ("noise", "gaussian", "randn"), ("noise", "Normal", "randn"), ("loss", "wgan", "wasserstein"),
        ("loss", "entropy", "bce"), ("augmentation", "nothing-like-it", None), ("regularizer", "wgan-gp", None),
    ],
)  # fmt: skip
def test_a_choice_is_recognised_by_what_it_is(group, value, meant):
    said = suggestions.choice(group, value, options(group))
    assert said.startswith(f"{group}={value}: must be {options(group)[0]} or ")
    assert said.partition("; did you mean ")[2] == (f"{meant}?" if meant else "")


def test_where_nothing_is_near_the_help_is_named():
    assert suggestions.unknown_key("zzzzzz", [*FIELDS]) == "zzzzzz: unknown setting; --help lists them all"
