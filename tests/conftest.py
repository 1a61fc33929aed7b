"""Shapes are checked everywhere in the package; runs are composed as the command line would."""

from jaxtyping import install_import_hook

ROOMS_WITH_TENSORS = (
    *("networks", "losses", "noise", "ema", "augmentation", "learning_rate"),
    *("images", "data", "generation", "metrics", "module"),
)
install_import_hook([f"cgan_lightning.{room}" for room in ROOMS_WITH_TENSORS], "beartype.beartype")  # before any import

import logging  # noqa: E402
import os  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NoReturn  # noqa: E402

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from cgan_lightning.config.compose import compose  # noqa: E402

hypothesis.settings.register_profile("untimed", deadline=None)  # no test asserts on time
hypothesis.settings.load_profile("untimed")

SMALL = ("trainer=cpu", "data.limit=64", "data.batch_size=16", "samples.columns=2", "log_every_n_updates=1")


def pytest_configure(config: pytest.Config) -> None:
    """Tests of the CPU, and the processes that they start, are the same on a machine with a GPU: they don't see it."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def copy_in_order(source: torch.nn.Module, target: torch.nn.Module) -> None:
    """Weights and statistics, matched by their order alone; shapes must agree."""
    with torch.no_grad():
        for ours, theirs in zip(source.state_dict().values(), target.state_dict().values(), strict=True):
            assert ours.shape == theirs.shape
            theirs.copy_(ours)


def skip_without(what: str) -> NoReturn:
    """Skips on a machine that lacks `what`; fails where CI is set: there everything is installed, and a skip would hide."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")


def run_command(module: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m cgan_lightning.MODULE` in a process of its own, without the shape checks."""
    return subprocess.run(
        [sys.executable, "-m", f"cgan_lightning.{module}", *arguments],
        cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Trains in this process, 4 updates an epoch on real images unless told otherwise, and gives the run's folder."""
    monkeypatch.chdir(tmp_path)
    logging.getLogger("cgan_lightning").setLevel(logging.DEBUG)  # as conf/hydra/job_logging/plain.yaml does
    from cgan_lightning.config import identity
    from cgan_lightning.train import train as train_command

    def run(*overrides: str) -> Path:
        config = compose(*SMALL, *overrides)
        train_command(config)
        return identity.run_folder(config).path

    return run
