"""Plugins: classes of a user's own module are options like ours, where a command line names the module, and nowhere else."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cgan_lightning import plugins, registry
from cgan_lightning.config import dataset
from cgan_lightning.utils.errors import UserError
from tests.helpers.processes import fork_command, run_command
from tests.helpers.runs import SMALL

FEW = (*SMALL, "validation.every_n_epochs=null", "callbacks=none", "trainer.max_steps=2")
HEAD = "from typing import Annotated\nfrom cgan_lightning.registry import given, metric, register, setting\n"
LOSS = '''"""A loss and a callback."""
from typing import Annotated
from lightning import Callback
from cgan_lightning.registry import register, setting
from cgan_lightning.training.losses import Hinge

@register("loss", "my_hinge")
class MyHinge(Hinge):
    """Hinge loss with a free margin."""

    def __init__(self, *, margin: Annotated[float, setting("logit where D stops", above=0)] = 1.0) -> None:
        self.margin = margin

    def d(self, real, fake):
        return (self.margin - real).relu() + (self.margin + fake).relu()

@register("callbacks", "say")
class Say(Callback):
    """Says which update it is."""

    def __init__(self, *, word: Annotated[int, setting("what it says", at_least=1)] = 7) -> None:
        self.word = word

    def on_train_batch_end(self, trainer, *_):
        print(f"said {self.word} at {trainer.global_step}")
'''
PARTS = '''"""A generator, its parts and a metric."""
import torch
from torch import nn
from cgan_lightning.models.conditioning import LabelEncoder
from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.models.heads import Projection
from cgan_lightning.models.normalization import Batch
from cgan_lightning.models.prior import Uniform
from cgan_lightning.registry import Part, given, metric, register, setting
from cgan_lightning.training.augmentation import DiffAugment
from cgan_lightning.training.lr_schedule import Linear
from cgan_lightning.training.penalties import Penalty
from cgan_lightning.utils import limits
from typing import Annotated

@register("generator", "tiny")
class Tiny(ConditionalGenerator):
    """Two linear layers."""

    def __init__(
        self,
        *,
        latent_dim: Annotated[int, given(**limits.LATENT_DIM)],
        conditioning: Annotated[LabelEncoder, Part("conditioning")],
        hidden: Annotated[int, setting("hidden units", at_least=1, at_most=999)] = 32,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
    ) -> None:
        super().__init__()
        self.latent_dim, self.conditioning = latent_dim, conditioning
        self.project = nn.Linear(latent_dim + conditioning.width, hidden)
        self.blocks = nn.Sequential(
            nn.ReLU(), nn.Linear(hidden, image_size**2), nn.Tanh(), nn.Unflatten(1, (1, image_size, image_size))
        )

    def forward(self, z, labels):
        return self.blocks(self.project(torch.cat([z, self.conditioning(labels)], dim=1)))

@register("conditioning", "fixed")
class Fixed(LabelEncoder):
    """Vectors that are not learned."""

    def __init__(
        self,
        *,
        num_classes: Annotated[int, given(**limits.NUM_CLASSES)],
        width: Annotated[int, setting("length", **limits.LABEL_WIDTH)] = 4,
    ) -> None:
        super().__init__()
        self.fix(torch.linspace(-1, 1, num_classes * width, device="cpu").view(num_classes, width))

@register("noise", "mine")
class Mine(Uniform):
    """A prior."""

@register("head", "mine")
class Head(Projection):
    """A head."""

@register("normalization", "mine")
class Normalization(Batch):
    """A normalisation."""

@register("augmentation", "mine")
class Augmentation(DiffAugment):
    """An augmentation."""

    def __init__(self, *, far: Annotated[float, setting("shift", at_least=0, at_most=0.5)] = 0.25) -> None:
        super().__init__(shift=far)

@register("lr_schedule", "mine")
class Decay(Linear):
    """A schedule."""

@register("regularizer", "mine")
class Square(Penalty):
    """The square of the logits at real images."""

    def __init__(self, *, interval: Annotated[int, setting("every so many updates", at_least=1)] = 1) -> None:
        self.interval = interval

    def __call__(self, discriminator, real, fake, mix):
        return real.logits.square()

@metric("feature_norm", "mean norm of the features", "{:.1f}", better="higher")
def feature_norm(images, real, *, seed: int) -> float:
    return float(images.features.norm(dim=1).mean())
'''
SETS = '''"""A data set and a logger."""
import numpy as np
from cgan_lightning.data.own_data import OwnData
from cgan_lightning.registry import register, setting
from cgan_lightning.storage.run_logger import RunLogger
from typing import Annotated

@register("data", "shades")
class Shades(OwnData):
    """Grey squares of three shades."""

    class_names = ("dark", "middle", "bright")

    def __init__(self, *, count: Annotated[int, setting("number of images", at_least=30)] = 300) -> None:
        self.count = count

    def arrays(self, root):
        if root:
            return dict(np.load(root / "other.npz"))
        labels = np.arange(self.count) % 3
        images = np.random.default_rng(0).integers(0, 40, (self.count, 28, 28)) + 80 * labels[:, None, None]
        return {"images": images.astype(np.uint8), "labels": labels}

@register("logger", "lines")
class Lines(RunLogger):
    """A line of text for each value."""

    def __init__(self, *, folder, done, digits: Annotated[int, setting("digits after the point", at_least=1)] = 3) -> None:
        super().__init__(folder=folder, done=done)
        self.digits = digits

    def log_metrics(self, metrics, step=None):
        with (self.folder / "lines.txt").open("a") as file:
            file.writelines(f"{step} {name} {value:.{self.digits}f}\\n" for name, value in metrics.items())

    def log_settings(self, settings):
        self.log_metrics({"seed": settings["seed"]}, self.done)
'''
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


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "parts.py").write_text(LOSS)
    (tmp_path / "my_lab" / "nets.py").write_text(PARTS)
    (tmp_path / "my_lab" / "sets.py").write_text(SETS)
    return tmp_path


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a request that was refused."""
    assert done.returncode == 2, done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line != "Loading PyTorch ..."]
    return sentence


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
