"""A user's mistake: one sentence that names the key, the value and what would be right; exit code 2, nothing left behind."""

import os
import signal
import subprocess
import sys
import tomllib

import pytest
import torch

from cgan_lightning.config import command
from cgan_lightning.config.compose import compose
from cgan_lightning.config.paths import CONF
from cgan_lightning.train import train
from cgan_lightning.utils.errors import UserError
from tests.helpers import commands
from tests.helpers.processes import fork_command

MISTAKES = {
    "model.chanels=256": "model.chanels: unknown setting; did you mean model.channels?",
    "chanels=256": "chanels: unknown setting; did you mean model.channels?",
    "lattent_dim=10": "did you mean model.latent_dim?",
    "lr=1e-3": "lr: unknown setting; there are optimizer.generator.lr and optimizer.discriminator.lr",
    "optimizer.lr=1e-3": "optimizer.lr: unknown setting; there are optimizer.generator.lr and optimizer.discriminator.lr",
    "learning_rate=1e-3": "there are optimizer.generator.lr and optimizer.discriminator.lr",
    "generator.lr=1e-3": "generator.lr: unknown setting; did you mean optimizer.generator.lr?",
    "max_epochs=5": "max_epochs: unknown setting; did you mean trainer.max_epochs?",
    "channels=64": "channels: unknown setting; did you mean model.channels?",
    "epochs=5": "epochs: unknown setting; did you mean trainer.max_epochs?",
    "launcher=pool": "launcher: unknown setting; did you mean hydra/launcher?",
    "conditioning.generator.widht=3": "did you mean conditioning.generator.width?",
    "nois=uniform": "nois: unknown setting; did you mean noise?",
    "+foo=1": "foo: unknown setting",
    "noise=gausian": "noise=gausian: must be randn or uniform; did you mean randn?",
    "noise=unifrom": "noise=unifrom: must be randn or uniform; did you mean uniform?",
    "loss=lsgan": "did you mean least_squares?",
    "trainer=cuda": "did you mean gpu?",
    "hydra/launcher=pol": "hydra/launcher=pol: must be basic or pool",
    "trainer.precision=bf16": "trainer.precision=bf16: must be 32-true or 64-true or bf16-mixed; did you mean bf16-mixed?",
    "experiment=documentd": "experiment=documentd: must be documented or nine_classes or quick or small or transfer",
    "trainer=tpu": "trainer=tpu: must be auto or cpu or ddp or ddp_cpu or gpu",
    "model.channels=wide": "model.channels=wide: must be a whole number at least 64 and at most 1024",
    "model.channels=3": "model.channels=3: must be a whole number at least 64 and at most 1024",
    "model.channels=": "model.channels=: must be a whole number",
    "trainer.max_epochs=2.5": "trainer.max_epochs=2.5: must be a whole number at least 1",
    "trainer.max_epochs=null": "trainer.max_epochs=null: must be a whole number at least 1",
    "optimizer.generator.lr=nan": "optimizer.generator.lr=nan: must be a number above 0 and at most 1",
    "optimizer.generator.betas=[0.5]": "optimizer.generator.betas=[0.5]: must be 2 numbers, each at least 0 and below 1",
    "optimizer.generator.betas=[0.5,1]": "optimizer.generator.betas=[0.5, 1.0]: must be 2 numbers",
    "data.placement=gpu": "data.placement=gpu: must be device or host",
    "data.limit=many": "data.limit=many: must be a whole number at least 2, or null",
    "rerun=perhaps": "rerun=perhaps: must be true or false",
    "seed=abc": "seed=abc: must be a whole number at least 0 and below 4294967296",
    "seed=-1": "seed=-1: must be a whole number at least 0 and below 4294967296",
    "data=3": "data=3: must be emnist_letters or fashion_mnist or files or kmnist or mnist",
    "ema=3": "ema is a section of settings: set its keys, as in ema.halflife_images=...",
    "model=3": "model=3: must be convolutional or documented or residual",
    "~noise": "noise is missing",
    "model.channels=128,256": "model.channels=128,256 has several values: add -m",
    "model.channels=(3": "model.channels=(3: must be a whole number",
    "data.classes=[Dress": "data.classes=[Dress: cannot parse it; write key=value or group=choice, and text with brackets",
    "run_root=a,b": """or write a list as [a,b], or quote a text with a comma, as in 'run_root="a,b"'""",
    "seed=range(1,3)": "seed=range(1,3) has several values: add -m to run each of them, or write a list as [a,b]",
    "model.channels=${model.nothing}": "model.channels: there is no setting model.nothing for its ${model.nothing}",
    "name=${oc.env:NO_SUCH_NAME}": "name: its interpolation cannot be resolved",
    "name=${": "name=${: not a valid interpolation; write it as ${seed} or ${oc.env:NAME}",
    "seed": "seed: cannot parse it; write key=value or group=choice",
    "resume=true": "resume=true: must be auto or a run folder, or null",
    "run_root=false": "run_root=false: must be a folder",
    "--seed=3": "--seed=3: unknown flag; write seed=3",
    "-lr=3": "-lr=3: unknown flag; write optimizer.generator.lr=3 optimizer.discriminator.lr=3, or one of them",
    "--rerun": "--rerun: unknown flag; write rerun=true",
    "--noise=uniform": "--noise=uniform: unknown flag; write noise=uniform",
    "--max-epochs=5": "--max-epochs=5: unknown flag; write trainer.max_epochs=5",
    "--batch-sise=5": "--batch-sise=5: unknown flag; did you mean data.batch_size=...?",
    "--hepl": "--hepl: unknown flag; did you mean --help?",
    "--multi": "--multi: unknown flag; did you mean --multirun?",
    "--foo": "--foo: unknown flag; --help lists the flags and all settings",
    "--cfg=jobs": "argument --cfg/-c: invalid choice: 'jobs'",
    "resume=3": "resume=3: it contains no run",
    "resume=no-such-run": "resume=no-such-run: it contains no run",
}


@pytest.fixture
def answer(monkeypatch, capsys, tmp_path):
    """What `command.run` says to a command line, and its exit code; the task must not be reached."""
    monkeypatch.chdir(tmp_path)

    def give(*arguments):
        monkeypatch.setattr(sys, "argv", ["train", *arguments])
        with commands.restored(), pytest.raises(SystemExit) as stop:
            command.run(lambda _: pytest.fail("the task was reached"), "train")
        assert list(tmp_path.iterdir()) == []
        return capsys.readouterr().err, stop.value.code

    return give


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_sentence(answer, mistake):
    sentence, code = answer(mistake)
    assert MISTAKES[mistake] in sentence
    assert sentence.count("\n") == 1
    assert code == 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--epochs", "5"], "--epochs 5: unknown flag; write trainer.max_epochs=5"),
        (["seed=3", "--lr", "1e-3", "noise=uniform"], "--lr 1e-3: unknown flag; write optimizer.generator.lr=1e-3 optimizer."),
        (["--rerun", "seed=3"], "--rerun: unknown flag; write rerun=true"),
        (["--seed", "--rerun"], "--seed: unknown flag; write seed=..."),
        (["seed=0,1", "-m", "noise=gausian,randn"], "noise=gausian: must be randn or uniform; did you mean randn?"),
        (
            ["data.per_class_limit={Ankle", "boot:", "9}"],
            "data.per_class_limit={Ankle boot: 9} was split into several words: quote it",
        ),
        (["-m", "model.channels=64,", "128"], "model.channels=64, 128 was split into several words: quote it, as in 'model."),
        (["lr", "=", "3"], "lr = 3 was split into several words: write lr=3"),
        (["seed=1", "seed", "=3"], "seed =3 was split into several words: write seed=3"),
        (["seed=", "3", "noise=uniform"], "seed= 3 was split into several words: write seed=3"),
        (["--cfg", "job", "lr=3"], "lr: unknown setting; there are optimizer.generator.lr and optimizer.discriminator.lr"),
        (["--help", "noise=gausian"], "noise=gausian: must be randn or uniform; did you mean randn?"),
        (
            ["seed=1", "run_root=my", "runs"],
            "runs: cannot parse it; write key=value or group=choice, in quotes where there are",
        ),
    ],
    ids=" ".join,
)
def test_words_that_are_no_settings_get_one_sentence(answer, words, said):
    sentence, code = answer(*words)
    assert said in sentence
    assert sentence.count("\n") == 1
    assert code == 2


@pytest.mark.long
def test_every_value_of_a_sweep_is_checked_before_the_first_job(answer):
    sentence, code = answer("-m", "model.channels=128,256,2560", "noise=randn,uniform")
    assert "model.channels=2560: must be" in sentence
    assert code == 2


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.stages=3", "model.stages=3, data.image_size=28: 28 pixels cannot be halved 3 times"),
        ("data.limit=32", "data.batch_size=64 exceeds the 32 training images"),
        ("trainer=gpu", "trainer.accelerator=gpu: PyTorch finds no GPU"),
        (
            "noise._target_=cgan_lightning.models.prior.torch.load",
            "noise._target_=cgan_lightning.models.prior.torch.load: must be cgan_lightning.models.prior.StandardNormal or ",
        ),
    ],
)
def test_what_only_building_shows_leaves_nothing_behind_either(tmp_path, monkeypatch, override, sentence):
    if override == "trainer=gpu":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        train(compose(override))
    assert str(error.value).startswith(sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    done = fork_command("train", "run_root=file/runs", "experiment=quick", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("cannot be written (Not a directory): set run_root\n")
    assert done.stderr.count("\n") == 1, "one sentence, no traceback"


@pytest.mark.process
def test_help_names_the_groups_and_imports_no_torch(tmp_path):
    program = (
        "import sys, runpy; sys.argv = ['train', '--help']\n"
        "try: runpy.run_module('cgan_lightning.train', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert "noise=randn " in done.stdout
    assert done.stdout.strip().endswith("False")


@pytest.mark.process
@pytest.mark.parametrize("words", [["train", "--version"], ["sample", "seed=1", "--version"], ["status", "--version"]])
def test_the_version_is_ours(tmp_path, words):
    done = fork_command(*words, cwd=tmp_path)
    project = tomllib.loads((CONF.parent / "pyproject.toml").read_text())["project"]
    assert done.stdout.startswith(f"cgan_lightning {project['version']} (Python ")
    assert f"torch {torch.__version__.partition('+')[0]}" in done.stdout
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


@pytest.mark.process
def test_help_ends_quietly_where_its_reader_does(tmp_path):
    command = f"{sys.executable} -m cgan_lightning.train --help | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


@pytest.mark.process
def test_what_is_known_to_fail_is_refused_before_torch_is_imported(tmp_path):
    program = (
        "import sys, runpy; sys.argv = ['train', '-m', 'loss=bce,wasserstein', 'regularizer=none']\n"
        "try: runpy.run_module('cgan_lightning.train', run_name='__main__')\n"
        "except SystemExit as stop: print(stop.code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "2 False\n", done.stderr
    assert done.stderr.startswith("loss=wasserstein: the discriminator is unbounded")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
def test_a_signal_outside_training_ends_a_command_with_a_sentence(monkeypatch, capsys, signum):
    monkeypatch.setattr(sys, "argv", ["sample", "checkpoint=none"])
    before = signal.getsignal(signum)
    with commands.restored(), pytest.raises(SystemExit) as stop:
        command.run(lambda config: os.kill(os.getpid(), signum), "sample")
    assert stop.value.code == 128 + signum
    assert capsys.readouterr().err == f"Stopped by {signal.Signals(signum).name}, with nothing to save\n"
    assert signal.getsignal(signum) == before
