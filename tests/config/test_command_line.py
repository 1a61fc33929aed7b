"""What a real shell makes of unquoted braces and spaces is answered with the quotes that it needs."""

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.config import command_line
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import UserError
from tests.helpers.needs import skip_without

pytestmark = pytest.mark.process
UNQUOTED = [
    "classes={Dress: 0.7, Coat: 0.3}",
    "classes={Dress:0.7,Coat:0.3}",
    "classes=[Dress,{Dress:0.7,Coat:0.3}]",
    "classes=[Dress, Coat]",
    "data.per_class_limit={Ankle boot: 100}",
    "model.channels=64, 128",
]


def bash(line: str) -> list[str]:
    if shutil.which("bash") is None:
        skip_without("bash")
    done = subprocess.run(["bash", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("typed", UNQUOTED)
def test_an_unquoted_value_is_answered_with_quotes(typed):
    words = bash(f"count=3 {typed} seed=1")
    assert len(words) > 3
    with pytest.raises(UserError) as error:
        command_line.parse(words)
    quoted = str(error.value).partition(", as in ")[2]
    assert quoted
    assert bash(quoted) == [typed]
    assert len(command_line.parse(bash(f"count=3 {quoted} seed=1"))) == 3


PATHS = [
    "epoch=3-step=5.safetensors",
    "新加卷/g.safetensors",
    "my runs (2)/g.safetensors",
    "a#b&c!@.pt",
    "it's",
    "C:\\x (1)\\",
    "a%b",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_taken_as_it_was_typed(path):
    words = bash(f"count=3 {shlex.quote(f'checkpoint={path}')} seed=1")
    assert [override.value() for override in command_line.parse(words)] == [3, path, 1]


CHARACTERS = st.characters(exclude_characters=",\\'\"", exclude_categories=["Cs", "C", "Z"]) | st.just(" ")


@given(st.text(CHARACTERS).map(str.strip).filter(bool))
def test_any_path_is_taken_or_answered_with_quotes(path):
    """It may also be a number, a list or null; it is never another text."""
    (quoted,) = command_line.parse([f"checkpoint={pasteable.quoted(path)}"])
    assert quoted.value() == path
    try:
        (typed,) = command_line.parse([f"checkpoint={path}"])
    except UserError as error:
        assert "quote it" in str(error) or "text with brackets or quotes as 'checkpoint=\"TEXT\"'" in str(error)  # noqa: PT017
    else:
        assert not isinstance(typed.value(), str) or typed.value() == path


def test_flags_may_stand_anywhere_and_are_written_in_full():
    arguments, unknown = command_line.read(["seed=0,1", "-m", "noise=uniform", "--config-dir", "there", "--multi"])
    assert arguments.multirun
    assert arguments.config_dir == "there"
    assert arguments.overrides == ["seed=0,1", "noise=uniform"]
    assert unknown == ["--multi"]
