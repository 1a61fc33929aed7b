"""Data sets and loggers of a plugin: checked and listed without an import, trained on, evaluated, swept."""

import json
import shlex

import numpy as np
import pytest

from cgan_lightning.config import dataset
from cgan_lightning.utils.errors import UserError
from tests.helpers.processes import fork_command
from tests.plugins.lab import said

OF_SHADES = ("plugins=[my_lab.sets]", "data=shades", "logger=[csv,lines]")
SHORT = ("trainer=cpu", "data.batch_size=16", "log_every_n_updates=1", "callbacks=none", "trainer.max_steps=2")


@pytest.mark.process
def test_a_data_set_and_a_logger_are_checked_and_listed_without_importing_them(lab):
    (lab / "my_lab" / "__init__.py").write_text("raise RuntimeError('imported')")
    assert said(fork_command("train", *OF_SHADES, "data.settings.count=3", cwd=lab)) == (
        "data.settings.count=3: must be a whole number at least 30"
    )
    assert said(fork_command("train", *OF_SHADES, "logger.lines.digits=0", cwd=lab)) == (
        "logger.lines.digits=0: must be a whole number at least 1"
    )
    assert "did you mean data.settings.count?" in said(fork_command("train", *OF_SHADES, "data.settings.cont=99", cwd=lab))
    text = " ".join(fork_command("train", "--help", *OF_SHADES, cwd=lab).stdout.split())
    for shown in ("shades Grey squares of three shades.", "data.settings.count=300 number of images", "logger=[csv,lines]",
                  "lines A line of text for each value.", "logger.lines.digits=3"):  # fmt: skip
        assert shown in text
    assert text.count("data.settings.count=") == text.count("data.batch_size=") == 1
    other = " ".join(fork_command("train", "--help", OF_SHADES[0], cwd=lab).stdout.split())
    assert "data.settings.count=300 with shades: number of images" in other


@pytest.mark.process
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("data.dataset=mnist",), "data.dataset=mnist: its settings are those of shades; take data=shades"),
        (("data.images=x.npz",), "data.images=x.npz: only data=files has files of your own"),
        (("data=mnist", "data.settings=3"), "data.settings=3: it belongs to a data set of a plugin; leave it out"),
        (("data=mnist", "data.settings={_target_: os.system}"), "data.settings._target_=os.system: must be my_lab.sets.Shades"),
        (("data.root=there",), "data=shades: arrays() returns ['images'], and must return images and labels, or these and "
                               "test_images and test_labels"),
    ],
)  # fmt: skip
def test_what_is_no_setting_of_a_data_set_gets_one_sentence(lab, given, sentence):
    (lab / "there").mkdir()
    np.savez(lab / "there" / "other.npz", images=np.zeros((9, 28, 28), np.uint8))
    assert said(fork_command("train", *OF_SHADES, *given, cwd=lab)) == sentence


@pytest.mark.matrix
@pytest.mark.process
@pytest.mark.training
def test_a_data_set_of_a_plugin_is_trained_on_evaluated_and_resumed_with_it(lab):
    cache = {"CGAN_LIGHTNING_CACHE": str(lab / "cache")}
    done = fork_command("train", *SHORT, *OF_SHADES, "data.settings.count=330", cwd=lab, **cache)
    assert done.returncode == 0, done.stderr
    missing = "there is no feature extractor for shades yet; to train one, in minutes: "
    command = "cgan_lightning.feature_extractor data=shades 'plugins=[my_lab.sets]' data.settings.count=330"
    assert f"{missing}python -m {command}" in done.stderr
    (folder,) = (lab / "runs").glob("*shades*count330*")
    lines = (folder / "lines.txt").read_text().splitlines()
    assert lines[0] == "0 seed 0.000"
    assert any(line.startswith("2 ") for line in lines)
    assert (folder / "metrics.csv").is_file()
    settings = json.loads((folder / "run.json").read_text())["settings"]
    assert (settings["data.settings._target_"], settings["data.settings.count"]) == ("my_lab.sets.Shades", 330)
    assert not [key for key in settings if "logger" in key]
    assert said(fork_command("train", f"resume={folder}", "trainer.max_steps=4", cwd=lab)) == (
        f"resume={folder}: this run uses a plugin: add plugins=[my_lab.sets], if you trust that code"
    )
    longer = (f"resume={folder}", OF_SHADES[0], "trainer.max_steps=4", "logger=lines")
    done = fork_command("train", *longer, cwd=lab, **cache)
    assert done.returncode == 0, done.stderr
    assert (folder / "lines.txt").read_text().splitlines()[-1].startswith("4 ")

    done = fork_command("sample", f"checkpoint={folder}", "count=1", cwd=lab)
    assert done.returncode == 0, "the generator is one of ours"
    assert said(fork_command("evaluate", f"checkpoint={folder}", "samples=100", cwd=lab)) == (
        f"checkpoint={folder}/generator.safetensors: it needs a plugin: add plugins=[my_lab.sets], if you trust that code"
    )
    done = fork_command("feature_extractor", *shlex.split(command)[1:], "epochs=3", cwd=lab, **cache)
    assert done.returncode == 0, done.stderr
    extractor = lab / "cache" / "feature_extractors" / f"{settings['data.hash']}.safetensors"
    assert extractor.is_file()
    done = fork_command("evaluate", f"checkpoint={folder}", "samples=100", OF_SHADES[0], cwd=lab, **cache)
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((folder / "results.json").read_text())["evaluation"]
    assert evaluation["protocol"]["dataset"] == "shades"
    extractor.unlink()
    assert said(fork_command("evaluate", f"checkpoint={folder}", OF_SHADES[0], cwd=lab, **cache)).endswith(command)


@pytest.mark.matrix
@pytest.mark.process
@pytest.mark.training
def test_a_sweep_over_data_sets_and_their_settings(lab):
    done = fork_command("train", "-m", *SHORT, *OF_SHADES, "data.settings.count=90,120", cwd=lab)
    assert done.returncode == 0, done.stderr
    assert "2 jobs: 2 finished" in done.stderr
    hashes = {json.loads(path.read_text())["settings"]["data.hash"] for path in (lab / "runs").glob("*shades*/run.json")}
    assert len(hashes) == 2


@pytest.mark.parametrize(
    "settings",
    ["my_lab.sets.Shades", {"count": 3}, {"_target_": "os.system"}, {"_target_": "cgan_lightning.models.prior.Uniform"}],
)
def test_a_generator_file_cannot_name_other_code_as_its_data_set(settings):
    with pytest.raises(UserError, match=r"data.settings=|none of the classes that a model spec may name"):
        dataset.of_plugin(settings, {"dataset": None, "root": None})
