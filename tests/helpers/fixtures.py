"""What tests share: fixtures, checks of shapes everywhere in the package, and repeatable examples of Hypothesis."""

import gc

gc.disable()  # until all is imported and collected: a sixth of that time

from jaxtyping import install_import_hook  # noqa: E402

PACKAGES_WITH_TENSORS = ("models", "data", "sampling", "evaluation", "training", "utils.images")
install_import_hook(
    [f"cgan_lightning.{package}" for package in PACKAGES_WITH_TENSORS], "beartype.beartype"
)  # before any import

import ctypes  # noqa: E402
import functools  # noqa: E402
import itertools  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from filelock import FileLock  # noqa: E402
from torch import distributed  # noqa: E402

from cgan_lightning.config import command  # noqa: E402
from cgan_lightning.storage import environment  # noqa: E402
from cgan_lightning.train import train as train_command  # noqa: E402
from tests.helpers import commands, runs, sweeps, wheel  # noqa: E402

# No test asserts on time; the same revision has the same examples everywhere, so that a suite that passed passes again.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.register_profile("searching", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What `make test-quick` leaves out by its marks, it doesn't do. What is imported now is no garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()
    environment.git_revision()  # asks git, once in a process
    if "not training" in session.config.option.markexpr:
        sys.addaudithook(_refuse_processes)


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # extensions complain of what is left over


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What a test draws without a seed of its own is the same in each run of the suite."""
    torch.manual_seed(0)


COLLECTIONS = itertools.count(1)
LIBRARIES = ctypes.CDLL(None)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """A Trainer, its module, its data and its callbacks refer to each other: gigabytes of them, where nobody collects.

    What a collection leaves (caches, shared runs) mostly stays and need not be looked at again: only now and then.
    """
    yield
    assert not distributed.is_initialized(), "what comes next would take itself for one of several ranks"
    if next(COLLECTIONS) % 100 == 0:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    if hasattr(LIBRARIES, "malloc_trim"):  # glibc
        LIBRARIES.malloc_trim(0)


def _refuse_processes(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("subprocess.Popen", "os.posix_spawn", "os.fork") and "PYTEST_CURRENT_TEST" in os.environ:
        raise AssertionError(f"a test that starts a process ({arguments[:2]}) needs the mark `process`")


@pytest.fixture(autouse=True, scope="session")
def freed() -> Iterator[None]:
    """A worker trains many networks of many sizes: what one has freed goes back to the system."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cgan_lightning.storage.memory.keep_freed", lambda: None)
        yield


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Trains in this process, 4 updates an epoch on real images unless told otherwise, and gives the run's folder."""
    monkeypatch.chdir(tmp_path)
    logging.getLogger("cgan_lightning").setLevel(logging.DEBUG)  # as conf/hydra/job_logging/plain.yaml does
    return runs.train


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a folder of this name that `make(folder)` has filled, once for all workers of a test run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def filled(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / name
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                unfinished = Path(tempfile.mkdtemp(prefix=name, dir=shared))
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return filled


@pytest.fixture(scope="session")
def swept(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The folder of a finished sweep, which no test changes: see sweeps.make."""
    (folder,) = (once("swept", sweeps.make) / "runs/sweeps").iterdir()
    return folder


@pytest.fixture(scope="session")
def site(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A folder with the wheel of this checkout."""
    return once("site", wheel.install)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> runs.Shelf:
    """Runs that several tests look at, each trained once."""
    return runs.Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def trained(train: Callable[..., Path], shelf: runs.Shelf, tmp_path: Path) -> Callable[..., Path]:
    """As `train`, by a copy of a run that was trained once: to look at, or to go on from."""
    return lambda *overrides: shelf.copied(tmp_path, *overrides)


@pytest.fixture
def multirun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str]]:
    """`python -m cgan_lightning.train ARGUMENTS` in this process: its exit code and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, callbacks=()) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["train", *arguments[:1], *runs.small(*arguments[1:])])
        try:
            with commands.restored():
                command.run(functools.partial(train_command, callbacks=callbacks), "train")
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, capsys.readouterr().err

    return run
