"""Plugins: classes of a user's own module are options like ours, where a command line names the module, and nowhere else."""

import json
import subprocess
import sys

import pytest

from cgan_lightning import plugins, registry
from cgan_lightning.utils.errors import UserError
from tests.helpers.processes import fork_command, run_command
from tests.plugins.lab import FEW, HEAD, LOSS, said

ALL = ("model=tiny", "conditioning=fixed", "noise=mine", "discriminator_label=mine", "augmentation=mine", "lr_schedule=mine")
REFUSED = {
    '@register("losses", "x")\nclass X:\n    pass': "X: there is no group losses; the groups are augmentation, callbacks, ",
    '@register(GROUP, "x")\nclass X:\n    pass': "X: @register takes a group and a name in quotes, as in @register(",
    '@register("loss", "my-x")\nclass X:\n    pass': "X: the name my-x must consist of letters, digits and _",
    '@register("loss", "hinge")\nclass X:\n    pass':
        "wrong.X: there is a loss hinge already, cgan_lightning.training.losses.Hinge; take another name",
    '@register("loss", "x")\nclass X:\n    def __init__(self, *, margin=1.0): ...':
        'X: its argument margin needs a type, a description and a range: margin: Annotated[float, setting(',
    '@register("loss", "x")\nclass X:\n    def __init__(self, margin: Annotated[float, setting("m")] = 1.0): ...':
        "X: its argument margin must be a keyword argument, after a *",
    '@register("loss", "x")\nclass X:\n    def __init__(self, *, margin: Annotated[str, setting("m")] = "a"): ...':
        "the type must be int or float or bool",
    '@register("loss", "x")\nclass X:\n    def __init__(self, *, margin: Annotated[float, setting("m", **MINE)] = 1.0): ...':
        "which cannot be evaluated without importing the module",
    '@register("loss", "x")\nclass X:\n    def __init__(self, *, margin: Annotated[float, setting("m")] = 1 / 3): ...':
        "X: its argument margin has the default 1 / 3: it must be a plain float",
    '@register("loss", "x")\nclass X(:': "wrong.py, line 4: ",
    '@metric("x", TITLE, "{:.2f}")\ndef x(images, real, *, seed): ...': "x: @metric takes plain values, not TITLE",
    '@metric("x")\ndef x(images, real, *, seed): ...': "x: @metric takes a name, a title and a format (missing a required",
    '@metric("fid", "FID", "{:.2f}")\ndef x(images, real, *, seed): ...': "wrong.x: there is a metric fid already, ",
    '@register("logger", "x")\nclass X:\n    def __init__(self, *, folder): ...':
        "X: its constructor must have the argument done, as that of its base class",
    '@register("data", "x")\nclass X:\n    def __init__(self, *, where): ...': "X: its argument where needs a type, a ",
    "class X:\n    pass": 'it registers nothing: a class needs @register("loss", "my_hinge"), imported from ',
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSED)
def test_a_mistake_in_a_plugin_gets_one_sentence(tmp_path, monkeypatch, source):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wrong.py").write_text(f"{HEAD}{source}\n")
    before = {*registry.components(), *registry.metrics()}
    with pytest.raises(UserError) as error:
        plugins.load("wrong")
    assert str(error.value).startswith("plugins=[wrong]: ")
    assert REFUSED[source] in str(error.value)
    assert "\n" not in str(error.value)
    assert {*registry.components(), *registry.metrics()} == before


@pytest.mark.sampled(3)
@pytest.mark.process
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("plugins=[nowhere]", "plugins=[nowhere]: there is no module nowhere, neither in this folder nor installed"),
        ("plugins=[my_lab.no]", "plugins=[my_lab.no]: there is no module my_lab.no, neither in this folder nor installed"),
        ("plugins=[my_lab/parts.py]", "plugins=[my_lab/parts.py]: give a module as `import` does, as in my_lab.parts"),
        ("plugins=my_lab.parts", "plugins=my_lab.parts: must be a list of modules: plugins=[my_lab.parts]"),
        ("plugins=a,b", "plugins=a,b: all jobs of a sweep have the same plugins: write a list, as in plugins=[a,b]"),
    ],
)  # fmt: skip
def test_a_module_that_is_not_there_gets_one_sentence(lab, given, sentence):
    assert said(fork_command("train", given, cwd=lab)) == sentence


@pytest.mark.process
def test_settings_of_a_plugin_are_checked_and_listed_without_importing_it(lab):
    (lab / "my_lab" / "__init__.py").write_text("raise RuntimeError('imported')")
    given = ("plugins=[my_lab.parts]", "loss=my_hinge")
    assert said(fork_command("train", *given, "loss.margin=0", cwd=lab)) == "loss.margin=0.0: must be a number above 0"
    assert "did you mean loss.margin?" in said(fork_command("train", *given, "loss.margni=2", cwd=lab))
    text = " ".join(fork_command("train", "--help", *given, "callbacks=[default,say]", cwd=lab).stdout.split())
    for shown in ("my_hinge Hinge loss with a free margin.", "loss.margin=1 with my_hinge: logit where D stops",
                  "callbacks=[default,say]", "say Says which update it is.", "callbacks.say.word=7"):  # fmt: skip
        assert shown in text


@pytest.mark.process
@pytest.mark.training
def test_a_run_with_a_plugin_is_resumed_with_it(lab):
    given = (*FEW, "plugins=[my_lab.parts]", "loss=my_hinge", "loss.margin=0.5", "callbacks=[sample_grid,say]")
    done = fork_command("train", *given, "callbacks.sample_grid.columns=2", cwd=lab)
    assert done.returncode == 0, done.stderr
    assert "said 7 at 2" in done.stdout
    (folder,) = (lab / "runs").glob("*-my_hinge-*margin0.5-*")
    assert (folder / "samples.png").is_file()
    settings = json.loads((folder / "run.json").read_text())["settings"]
    assert (settings["loss._target_"], settings["loss.margin"]) == ("my_lab.parts.MyHinge", 0.5)
    assert not [key for key in settings if "plugins" in key or "callbacks" in key]
    assert said(fork_command("train", f"resume={folder}", "trainer.max_steps=4", cwd=lab)) == (
        f"resume={folder}: this run uses a plugin: add plugins=[my_lab.parts], if you trust that code"
    )
    done = fork_command("train", f"resume={folder}", "trainer.max_steps=4", "plugins=[my_lab.parts]", cwd=lab)
    assert done.returncode == 0, done.stderr
    assert "said 7 at 4" in done.stdout
    assert fork_command("sample", f"checkpoint={folder}", "count=1", cwd=lab).returncode == 0, "the generator is one of ours"
    assert "-my_hinge-" in run_command("runs", cwd=lab).stdout


@pytest.mark.matrix
@pytest.mark.process
@pytest.mark.training
def test_networks_and_parts_of_a_plugin_are_saved_with_its_name(lab):
    theirs = ("plugins=[my_lab]", *ALL, "discriminator_normalization=mine", "regularizer=none", "model.generator.hidden=16")
    done = fork_command("train", *FEW, *theirs, "validation.every_n_epochs=1", "validation.samples=100", cwd=lab)
    assert done.returncode == 0, done.stderr
    (folder,) = (lab / "runs").glob("*tiny*")
    generator = folder / "generator.safetensors"
    needs = f"checkpoint={generator}: it needs a plugin: add plugins=[my_lab.nets], if you trust that code"
    assert said(fork_command("sample", f"checkpoint={folder}", cwd=lab)) == needs
    script = f"from cgan_lightning import load_training\nload_training('{folder}')"
    done = subprocess.run([sys.executable, "-c", script], cwd=lab, capture_output=True, text=True)
    assert "it needs a plugin: add plugins=[my_lab.nets], if you trust that code" in done.stderr
    report = fork_command("report", f"runs=[{folder.relative_to(lab)}]", "output=read", cwd=lab)
    assert report.returncode == 0, report.stderr
    assert f"No samples of the one setting: {needs.replace(f'{lab}/', '')}\n" in report.stderr
    assert (lab / "read" / "report.html").is_file()
    for command, *more in (("sample", "count=1"), ("explore", "rows=1", "steps=2")):
        done = fork_command(command, f"checkpoint={folder}", "plugins=[my_lab.nets]", *more, cwd=lab)
        assert done.returncode == 0, done.stderr


@pytest.mark.process
@pytest.mark.training
def test_a_penalty_of_a_plugin_trains(lab):
    done = fork_command("train", *FEW, "plugins=[my_lab.nets]", "regularizer=mine", "generator_normalization=mine", cwd=lab)
    assert done.returncode == 0, done.stderr


@pytest.mark.process
def test_metrics_of_a_plugin_are_measured_and_shown(lab):
    script = (
        "import torch; from cgan_lightning import plugins; plugins.load('my_lab.nets')\n"
        "from cgan_lightning.evaluation import suite, table\n"
        "features = suite.Features(torch.ones(20, 4), torch.eye(10).repeat(2, 1), torch.arange(10).repeat(2))\n"
        "metric = suite.registry.metrics()['feature_norm']\n"
        "print(metric.load()(features, features, seed=0), table.ROWS['feature_norm'].title)\n"
        "print('feature_norm' in suite.measured(100))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=lab, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2.0 mean norm of the features (higher is better)\nTrue"


@pytest.mark.matrix
@pytest.mark.process
def test_a_script_names_plugins_like_a_command_line(lab):
    script = (
        "from cgan_lightning import networks\n"
        "generator, _ = networks('plugins=[my_lab]', 'model=tiny', 'conditioning=fixed', 'trainer=cpu')\n"
        "print(type(generator).__module__, generator.conditioning.width)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=lab, capture_output=True, text=True, check=True)
    assert done.stdout == "my_lab.nets 4\n"


FILES = {
    "a key": "plugins: [my_lab.parts]",
    "an override": 'hydra: {overrides: {task: ["plugins=[my_lab.parts]"]}}',
    "a sweep's parameter": 'hydra: {mode: MULTIRUN, sweeper: {params: {plugins: "[my_lab.parts]"}}}',
}


@pytest.mark.sampled(3)
@pytest.mark.process
@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_cannot_name_a_plugin(lab, content):
    (lab / "my_lab" / "parts.py").write_text("raise RuntimeError\n" + LOSS)
    (lab / "conf" / "experiment").mkdir(parents=True)
    (lab / "conf" / "experiment" / "theirs.yaml").write_text(f"# @package _global_\n{content}\n")
    sentence = said(fork_command("train", "--config-dir", "conf", "experiment=theirs", cwd=lab))
    assert "plugins=[my_lab.parts] is in a file, and only the command line can name a plugin: " in sentence
    done = fork_command("train", "--config-dir", "conf", "-m", "experiment=theirs", "seed=0,1", "hydra/launcher=pool", cwd=lab)
    assert "only the command line can name a plugin" in said(done)
    assert not (lab / "runs").exists()


@pytest.mark.process
def test_a_folder_of_settings_can_choose_and_set_what_a_plugin_adds(lab):
    for name, text in {"experiment/mine": "# @package _global_\ndefaults: [{override /loss: my_hinge}]",
                       "loss/my_hinge": "# Mine.\ndefaults: [/base_loss_my_hinge@_here_]\nmargin: 3.0"}.items():  # fmt: skip
        (lab / "conf" / name).parent.mkdir(parents=True)
        (lab / "conf" / f"{name}.yaml").write_text(text)
    given = ("--config-dir", "conf", "experiment=mine")
    done = fork_command("train", "--cfg", "job", *given, "plugins=[my_lab.parts]", cwd=lab)
    assert "loss:\n  _target_: my_lab.parts.MyHinge\n  margin: 3.0\n" in done.stdout, done.stderr
    assert said(fork_command("train", *given, cwd=lab)) == (
        "conf/loss/my_hinge.yaml: there is no base_loss_my_hinge: name the plugin that has it, as in plugins=[my_lab.parts]"
    )


@pytest.mark.sampled(2)
@pytest.mark.process
@pytest.mark.training
@pytest.mark.parametrize("launcher", ["basic", "pool"])
def test_jobs_of_a_sweep_have_its_plugins(lab, launcher):
    grid = ("-m", *FEW, "plugins=[my_lab.parts]", "loss=hinge,my_hinge", f"hydra/launcher={launcher}")
    done = fork_command("train", *grid, cwd=lab)
    assert done.returncode == 0, done.stderr
    assert "2 jobs: 2 finished" in done.stderr
    assert "cgan_lightning.report runs=runs/sweeps/" in done.stderr
    (folder,) = (lab / "runs" / "sweeps").iterdir()
    assert "2 jobs: 2 finished" in run_command("status", str(folder), cwd=lab).stdout


@pytest.mark.process
@pytest.mark.training
@pytest.mark.matrix
def test_ranks_have_the_plugins_of_the_run(lab):
    done = fork_command("train", *FEW, "trainer=ddp_cpu", "plugins=[my_lab.parts]", "loss=my_hinge", cwd=lab)
    assert done.returncode == 0, done.stderr
