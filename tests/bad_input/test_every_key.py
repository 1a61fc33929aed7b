"""Every key of every command, from the schema: misspelt, or with a value that it can't have, it gets one sentence.

The key and the value are named, and what would be right; the exit code is 2, and nothing is left behind.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.config import checks
from tests import commands
from tests.bad_input import values

FIELDS = {command: values.fields(command) for command in values.NEEDED}
OF_CHOICES = values.fields_of_choices()
FIELDS["train"] |= {key: field for key, (_, field) in OF_CHOICES.items()}
KEYS = [(command, key) for command, fields in FIELDS.items() for key in fields]
MISSPELLINGS = {
    "exchanged": lambda name, at: name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    "dropped": lambda name, at: name[:at] + name[at + 1 :],
}


def refused(tmp_path, monkeypatch, command: str, key: str, override: str) -> str:
    monkeypatch.chdir(tmp_path)
    needed = [other for other in values.NEEDED[command] if not other.startswith(f"{key}=")]
    choice = [OF_CHOICES[key][0]] if key in OF_CHOICES else []
    answer = commands.give(command, *needed, *choice, override)
    assert answer.code == 2
    assert answer.said.count("\n") == 1, answer.said
    assert list(tmp_path.iterdir()) == []
    return answer.said


@pytest.mark.parametrize(("command", "key"), KEYS)
def test_no_key_takes_what_it_cannot_be(tmp_path, monkeypatch, command, key):
    field = FIELDS[command][key]
    for value in values.wrong(field):
        said = refused(tmp_path, monkeypatch, command, key, f"{key}={value}")
        assert said.startswith(f"{key}="), said
        assert said.endswith(f": must be {checks.requirement(field)}\n"), said
        if not value.startswith("["):  # numbers in a list are shown as they were read
            assert said.startswith(f"{key}={value}: must be"), said


def misspelt(key: str, how: str, at: int) -> str:
    section, dot, name = key.rpartition(".")
    return f"{section}{dot}{MISSPELLINGS[how](name, at)}"


def known(command: str) -> set[str]:
    return {*FIELDS[command], *(key.rsplit(".", 1)[0] for key in FIELDS[command] if "." in key)}


@pytest.mark.parametrize(("command", "key"), KEYS)
def test_a_misspelt_key_is_no_setting(tmp_path, monkeypatch, command, key):
    how = "exchanged" if len(key) % 2 else "dropped"
    possible = [*(misspelt(key, how, at) for at in (1, 2)), f"{key}{key[-1]}"]  # the last for keys of one letter
    wrong = next(each for each in possible if each not in known(command))
    said = refused(tmp_path, monkeypatch, command, key, f"{wrong}=1")
    assert said.startswith(f"{wrong} is no setting; ")


@given(st.sampled_from(KEYS), st.sampled_from(sorted(MISSPELLINGS)), st.data())
def test_what_was_meant_is_recognised(entry, how, data):
    """Wherever the letters are: nearly always the one that was meant, and always a real one."""
    command, key = entry
    name = key.rpartition(".")[2]
    wrong = misspelt(key, how, data.draw(st.integers(0, max(0, len(name) - 2))))
    if wrong in known(command):
        return
    sentence = checks.unknown_key(wrong, list(FIELDS[command]))
    assert sentence.startswith(f"{wrong} is no setting; ")
    if len(name) > 4:
        assert sentence.partition("did you mean ")[2].removesuffix("?") in known(command)
