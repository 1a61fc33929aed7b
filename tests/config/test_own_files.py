"""Mistakes in a user's own files (--config-dir): one sentence that names the file, the key and what would be right."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bad_input import values
from tests.helpers import commands

HEADER = "# @package _global_\n"
FILES = {  # content of conf/experiment/mine.yaml → what is said about it
    HEADER + "model: {chanels: 128}": "model.chanels: unknown setting; did you mean model.channels?",
    HEADER + "chanels: 128": "chanels: unknown setting; did you mean model.channels?",
    HEADER + "model: {channels: wide}": "model.channels=wide: must be a whole number at least 64 and at most 1024",
    HEADER + "model: {channels: 3}": "model.channels=3: must be a whole number at least 64 and at most 1024",
    HEADER + "data: {batch_size: 100000}": "data.batch_size=100000 exceeds the 60,000 training images",
    HEADER + "model: 3": "model is a section of settings: set its keys, as in model.latent_dim=...",
    HEADER + "loss: {_target_: os.system}": "loss._target_=os.system: must be cgan_lightning.training.losses.…",
    HEADER + "defaults: [override /loss: hinge]\nloss: {margn: 3}": "loss.margn: unknown setting; …",
    HEADER + "defaults: [override /losss: hinge]": "defaults: there is no group losss; did you mean /loss?",
    HEADER + "defaults: [losss: hinge]": "defaults: there is no group losss; did you mean /loss?",
    HEADER + "defaults: [loss: hinge]": "its defaults need the group with a slash: `override /loss: hinge`",
    HEADER + "defaults: [override hydra/launcher: pool]": "its defaults need the group with a slash: `override /hydra/…`",
    HEADER + "defaults: [override /loss: hing]": "loss=hing: must be bce or hinge or …; did you mean hinge?",
    HEADER + "defaults: [/loss: hinge]": "loss= has an option already; write `override /loss: hinge`",
    HEADER + "defaults: [nothing]": "experiment=nothing: must be documented or …",
    HEADER + "defaults: 3": "Invalid defaults list in …",
    HEADER + "model: {channels: 128": "invalid YAML in line 2: expected ',' or '}', but got '<stream end>'",
    HEADER + "model:\n\tchannels: 128": "invalid YAML in line 3: found character …",
    HEADER + "seed: 1\nseed: 2": "invalid YAML in line 3: found duplicate key seed",
    HEADER + "name: !!python/object/apply:os.getcwd []": "invalid YAML in line 2: could not determine a constructor …",
    HEADER + "name: \0": "invalid YAML: special characters are not allowed",
    HEADER + "model: {channels: '${model.no}'}": "model.channels: there is no setting model.no for its ${model.no}",
    HEADER + "name: '${oc.env:NO_SUCH_NAME}'": "name: its interpolation cannot be resolved (…NO_SUCH_NAME…)",
    HEADER + "name: '${'": "name=${: not a valid interpolation; …",
    "model: {channels: 128}": "its first line must be `# @package _global_`, so that its keys are settings",
    "# @package _gobal_\nmodel: {channels: 128}": "its first line must be `# @package _global_`, so that its keys are settings",
    "- a\n- b": "it must contain settings as `key: value`",
    "": "it must contain settings as `key: value`",
}
FOLDERS = {  # (--config-dir, override) → what is said
    ("nowhere", "seed=1"): "--config-dir=nowhere: there is no such folder; give one with files such as experiment/NAME.yaml",
    ("conf/loss", "experiment=mine"): "experiment=mine: must be …; --config-dir=conf/loss contains no folder experiment",
    ("conf/experiment", "experiment=other"): "--config-dir=conf/experiment: give the folder that contains experiment/, conf",
    ("conf", "experiment=yml"): "conf/experiment/yml.yml: its name must end in .yaml",
    ("conf", "experiment=quick"): "conf/experiment/quick.yaml is never read: experiment=quick is an option already; give …",
    ("conf", "experiment=folder"): "conf/experiment/folder.yaml cannot be read: it is a folder, or a link to a file that …",
    ("conf", "experiment=inherits"): "conf/experiment/typo.yaml: model.chanels: unknown setting; did you mean model.channels?",
    ("conf", "experiment=latin"): "conf/experiment/latin.yaml: not UTF-8; save it in this encoding",
    ("conf", "loss=mine"): "conf/loss/mine.yaml: loss.margn: unknown setting; …",
    ("conf", "sweep=typo"): "conf/sweep/typo.yaml: model.chanels: unknown setting; did you mean model.channels?",
    ("conf", "sweep=wide"): "conf/sweep/wide.yaml: model.channels=2560: must be a whole number at least 64 and at most 1024",
    ("my conf (v2)", "experiment=typo"): "my conf (v2)/experiment/typo.yaml: model.chanels: unknown setting; did you mean …",
}  # fmt: skip
SWEEP = "hydra: {mode: MULTIRUN, sweeper: {params: {%s: '128,2560'}}}"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def assert_said(answer: commands.Answer, expected: str) -> None:
    start, *others = expected.split("…")
    assert answer.said.startswith(start), answer.said
    assert all(part in answer.said for part in others), answer.said
    assert (answer.code, answer.said.count("\n")) == (2, 1), answer.said


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.sampled(3)
@pytest.mark.parametrize("content", FILES)
def test_a_mistake_in_a_file_gets_one_sentence(empty, content):
    write(empty, {"conf/experiment/mine.yaml": content})
    answer = commands.give("train", "--config-dir", "conf", "experiment=mine")
    assert_said(answer, f"conf/experiment/mine.yaml: {FILES[content]}")
    assert [path.name for path in empty.iterdir()] == ["conf"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("folder", "override"), FOLDERS)
def test_a_mistake_next_to_a_file_gets_one_sentence(empty, folder, override):
    typo, other = HEADER + "model: {chanels: 128}", HEADER + "seed: 3"
    files = {"typo.yaml": typo, "other.yaml": other, "yml.yml": other, "quick.yaml": other}
    write(empty, {f"conf/experiment/{name}": content for name, content in files.items()})
    write(empty, {"conf/experiment/inherits.yaml": HEADER + "defaults: [typo]", "my conf (v2)/experiment/typo.yaml": typo})
    write(empty, {"conf/loss/mine.yaml": "defaults: [/base_loss_bce@_here_]\nreal_label: 1\nmargn: 2"})
    write(empty, {f"conf/sweep/{name}.yaml": HEADER + SWEEP % key for name, key in
                  {"typo": "model.chanels", "wide": "model.channels"}.items()})  # fmt: skip
    (empty / "conf/experiment/folder.yaml").mkdir()
    (empty / "conf/experiment/latin.yaml").write_bytes((HEADER + "name: été").encode("latin-1"))
    assert_said(commands.give("train", "--config-dir", folder, override), FOLDERS[folder, override])
    assert sorted(path.name for path in empty.iterdir()) == ["conf", "my conf (v2)"]


def test_the_command_line_takes_precedence_and_is_then_what_is_named(empty):
    write(empty, {"conf/experiment/mine.yaml": HEADER + "model: {channels: 3}"})
    answer = commands.give("train", "--config-dir", "conf", "experiment=mine", "model.channels=4")
    assert_said(answer, "model.channels=4: must be a whole number")


def test_a_right_file_is_taken_from_any_folder(empty, capsys):
    write(empty, {"my conf (v2), 新/experiment/mine.yaml": HEADER + "model: {channels: 192}"})
    commands.give("train", "--config-dir", "my conf (v2), 新", "experiment=mine", "--help")
    assert "model.channels=192" in capsys.readouterr().out


MISTAKES = [(key, value) for key, field in values.fields("train").items() for value in values.wrong(field)]


@pytest.mark.matrix
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MISTAKES))
def test_any_wrong_value_is_refused_as_on_the_command_line(tmp_path_factory, mistake):
    """Of any key; where the file and the command line write a value differently, the key and the requirement count."""
    key, value = mistake
    folder = tmp_path_factory.mktemp("conf")
    content = "".join(f"{'  ' * depth}{name}:\n" for depth, name in enumerate(key.split("."))).removesuffix("\n")
    write(folder, {"experiment/mine.yaml": f"{HEADER}{content} {value}"})
    answer = commands.give("train", "--config-dir", str(folder), "experiment=mine")
    said = values.refusal("train", (), f"{key}={value}")
    assert said is not None
    assert answer.said.startswith(f"{folder}/experiment/mine.yaml: {said.partition('=')[0]}="), answer.said
    assert answer.said.endswith(f"{said.partition(': ')[2]}\n"), answer.said
    assert answer.code == 2


@pytest.mark.process
def test_it_is_said_before_torch_is_imported(empty):
    write(empty, {"conf/experiment/typo.yaml": HEADER + "model: {chanels: 128}"})
    program = (
        "import sys, runpy; sys.argv = ['train', '--config-dir', 'conf', 'experiment=typo']\n"
        "try: runpy.run_module('cgan_lightning.train', run_name='__main__')\n"
        "except SystemExit as stop: print(stop.code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "2 False\n", done.stderr
