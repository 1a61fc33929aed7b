"""Names of code in settings: refused wherever they stand, and however they come about."""

import json

import pytest

from cgan_lightning.config import command, trust
from cgan_lightning.config.compose import compose
from cgan_lightning.utils.errors import UserError
from tests.helpers.processes import fork_command

REFUSED = {
    "noise._target_=os.system": "must be cgan_lightning.models.prior.StandardNormal or cgan_lightning.models.prior.Uniform",
    "loss._target_=cgan_lightning.training.losses.Foo": "must be cgan_lightning.training.losses.BinaryCrossEntropy or ",
    "loss._target_=cgan_lightning.models.prior.Uniform": "must be cgan_lightning.training.losses.BinaryCrossEntropy or ",
    "conditioning.generator._target_=os.system": "must be cgan_lightning.models.conditioning.Embedding or ",
    "+upsampling.a.b.c._target_=subprocess.run": "upsampling.a.b.c._target_=subprocess.run: must be left out",
    "+noise.parts=[{_target_: os.system}]": "noise.parts.0._target_=os.system",
    "noise._target_=${oc.env:HOME}": "noise._target_=${oc.env:HOME}",
    "hydra.launcher._target_=os.system": "must be a plugin in hydra_plugins",
    "hydra.sweeper._target_=cgan_lightning.distributed.ranks.os.system": "must be a plugin in hydra_plugins",
    "+hydra.launcher.more._target_=hydra_plugins.cgan_pool._launcher.os.system": "must be left out",
    "+hydra.sweeper.sampler._target_=optuna.samplers.TPESampler": "must be left out",
    "+hydra.callbacks.x._target_=os.system": "must be one of hydra.experimental.callbacks",
    "+hydra.callbacks.x._target_=hydra_plugins.cgan_pool._launcher.subprocess.Popen": "must be one of hydra.experimental",
    "+hydra.callbacks.x='${oc.decode:\"{_target_: os.system}\"}'": "hydra.callbacks.x._target_=os.system",
    "+hydra.callbacks.x='${oc.create:{_target_: os.system}}'": "hydra.callbacks.x._target_=os.system",
    "hydra.job_logging.handlers.console.class=os.system": "must be one of logging or colorlog",
    "hydra.job_logging.handlers.console.class=logging.os.system": "must be one of logging or colorlog",
    "hydra.hydra_logging.handlers.console.class=logging.handlers.os.system": "must be one of logging or colorlog",
    "+hydra.job_logging.handlers.console.queue=os.system": "must be left out",
    "hydra.job_logging.handlers.console.stream=ext://antigravity.x": "must be ext://sys.stdout or ext://sys.stderr",
}


@pytest.mark.parametrize("override", REFUSED)
def test_foreign_code_is_refused(override):
    with pytest.raises(UserError) as error:
        compose(override)
    assert REFUSED[override] in str(error.value)


@pytest.mark.parametrize(
    "override",
    [
        "hydra/launcher=pool",
        "+hydra.callbacks.x._target_=hydra.experimental.callbacks.LogJobReturnCallback",
        "hydra/sweeper=optuna",
        "hydra/job_logging=default",
    ],
)
def test_what_hydra_is_for_goes_on_working(override):
    compose(override)


@pytest.mark.process
@pytest.mark.parametrize(
    ("file", "content", "override", "sentence"),
    [
        ("noise/mine.yaml", "_target_: os.system", "noise=mine",
            "noise._target_=os.system: must be cgan_lightning.models.prior.StandardNormal or "
            "cgan_lightning.models.prior.Uniform"),
        (
            "noise/mine.yaml", "[" * 5000, "noise=mine",
            "the settings are nested too deeply: no valid setting has more than five levels",
        ),
        (
            "hydra/job_logging/mine.yaml", "{version: 1, filters: {x: {(): os.system}}}", "hydra/job_logging=mine",
            "hydra.job_logging.filters.x.()=os.system: must be one of logging or colorlog",
        ),
    ],
)  # fmt: skip
def test_a_folder_of_settings_names_no_code(tmp_path, file, content, override, sentence):
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(content)
    done = fork_command("train", "--config-dir", str(tmp_path), override, cwd=tmp_path)
    located = "" if content.startswith("[") else f"{tmp_path / file}: "
    assert (done.returncode, done.stderr) == (2, f"{located}{sentence}\n")
    done = fork_command("train", f"--config-path={tmp_path}", cwd=tmp_path)
    assert done.returncode == 2
    assert "--config-dir adds a folder" in done.stderr


@pytest.mark.parametrize(
    "overrides",
    [
        ["hydra.launcher.setup=[true]"], ["+hydra.callbacks.x._target_=os.system"], ["++hydra.job.env_set.PATH=here"],
        ["~hydra.launcher"], ["hydra/launcher=slurm"], ["noise@hydra.callbacks.x=randn"], ["experiment=../../evil"],
        ["experiment=/evil"], ["+experiment=[a,../b]"], ["experiment=${oc.env:HOME}"], ["model.channels=(3"],
        "seed=1", [1], None, ["a=" + "[" * 5000],
    ],
)  # fmt: skip
def test_the_settings_of_a_run_are_those_of_a_training(overrides):
    with pytest.raises(UserError, match=r"^resume=folder: its run.json has .{4,200}$"):
        trust.overrides_of_run("folder", {"overrides": overrides})


def test_what_a_run_was_really_asked_for_is_taken(tmp_path):
    asked = ["noise=uniform", "experiment=documented", "data.root=/data", "run_root=/runs", "+model.x=../y", "seed=3"]
    taken = trust.overrides_of_run("folder", {"overrides": asked})
    assert [override.input_line for override in taken] == [word for word in asked if word != "run_root=/runs"]
    record = {"settings": {}, "choices": {}, "place": {}, "overrides": ["hydra.mode=MULTIRUN"]}
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"has hydra.mode=MULTIRUN, which is not a setting"):
        command._with_those_of_the_resumed_run([f"resume.run={tmp_path}"])
