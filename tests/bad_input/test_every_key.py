"""Every key of every command, from the schema: misspelt, or with a value that it can't have, it gets one sentence.

The key and the value are named, and what would be right. Keys are tried on a config that is composed once; a few real command
lines for each command, and docs/reliability.md's, show that this is what a user sees.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.config import checks, suggestions
from tests.bad_input import values
from tests.helpers import commands

CONFIGS = [
    (command, choice) for command in values.NEEDED for choice in ((), *((c,) for c in values.CHOICES_OF.get(command, ())))
]
MISSPELLINGS = {
    "exchanged": lambda name, at: name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    "dropped": lambda name, at: name[:at] + name[at + 1 :],
}


def fields(command: str, choice: tuple[str, ...]) -> dict:
    """Of a choice: those of its group, which are tried with it."""
    found = values.fields(command, *choice)
    return {key: field for key, field in found.items() if not choice or key.startswith(f"{choice[0].partition('=')[0]}.")}


@pytest.mark.sampled(6)
@pytest.mark.parametrize(("command", "choice"), CONFIGS, ids=lambda each: "".join(each))
def test_no_key_takes_what_it_cannot_be(command, choice):
    for key, field in fields(command, choice).items():
        for value in values.wrong(field):
            said = values.refusal(command, choice, f"{key}={value}")
            assert said is not None, f"{key}={value} is taken"
            assert said.startswith(f"{suggestions.in_short(key)}="), said
            assert said.endswith(f": must be {checks.requirement(field)}"), said
            assert "\n" not in said
            if not value.startswith("["):  # numbers in a list are shown as they were read
                assert said.startswith(f"{suggestions.in_short(key)}={value}: must be"), said


def misspelt(key: str, how: str, at: int) -> str:
    section, dot, name = key.rpartition(".")
    return f"{section}{dot}{MISSPELLINGS[how](name, at)}"


def known(command: str, choice: tuple[str, ...] = ()) -> set[str]:
    keys = values.fields(command, *choice)
    return {*keys, *(key.rsplit(".", 1)[0] for key in keys if "." in key)}


def wrong_name(command: str, choice: tuple[str, ...], key: str) -> str:
    how = "exchanged" if len(key) % 2 else "dropped"
    possible = [*(misspelt(key, how, at) for at in (1, 2)), f"{key}{key[-1]}"]  # the last for keys of one letter
    return next(each for each in possible if each not in known(command, choice))


@pytest.mark.sampled(6)
@pytest.mark.parametrize(("command", "choice"), CONFIGS, ids=lambda each: "".join(each))
def test_a_misspelt_key_is_an_unknown_setting(command, choice):
    for key in fields(command, choice):
        wrong = wrong_name(command, choice, key)
        said = values.refusal(command, choice, f"{wrong}=1")
        assert said is not None, f"{wrong} is taken"
        assert said.startswith(f"{wrong}: unknown setting; ")
        assert "\n" not in said


def mistakes(command: str) -> list[str]:
    """Of each kind one, spread over the command's keys: a wrong type, out of range, null, misspelt."""
    found = {}
    for key, field in values.fields(command).items():
        for kind, value in enumerate(values.wrong(field)):
            found[kind] = f"{key}={value}"
    last = list(values.fields(command))[-1]
    return [*found.values(), f"{wrong_name(command, (), last)}=1"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("command", values.NEEDED)
def test_a_command_line_says_the_same(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for override in mistakes(command):
        needed = [other for other in values.NEEDED[command] if other.partition("=")[0] != override.partition("=")[0]]
        answer = commands.give(command, *needed, override)
        assert answer == commands.Answer(2, f"{values.refusal(command, (), override)}\n")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@given(st.data())
def test_what_was_meant_is_recognised(data):
    """Wherever the letters are: nearly always the one that was meant, and always a real one."""
    command = data.draw(st.sampled_from(sorted(values.NEEDED)))
    keys = list(values.fields(command))
    key, how = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(sorted(MISSPELLINGS)))
    name = key.rpartition(".")[2]
    wrong = misspelt(key, how, data.draw(st.integers(0, max(0, len(name) - 2))))
    if wrong in known(command):
        return
    sentence = suggestions.unknown_key(wrong, keys)
    assert sentence.startswith(f"{wrong}: unknown setting; ")
    if len(name) > 4 and not name.startswith("_"):  # nobody is sent to `_target_`
        assert sentence.partition("did you mean ")[2].removesuffix("?") in known(command)
