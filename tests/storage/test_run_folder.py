"""A run folder's claim."""

import errno
import threading
from collections.abc import Callable

import pytest

from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.errors import RunError

IDENTITY = {"settings": {}, "choices": {}, "place": {}, "overrides": []}


def test_files_have_the_names_that_the_documentation_says(tmp_path):
    run = RunFolder(tmp_path)
    names = {"generator": "generator.safetensors", "best_generator": "generator_best.safetensors", "results": "results.json"}
    names |= {"samples": "samples.png", "checkpoint": "checkpoints/last.ckpt", "best_checkpoint": "checkpoints/best.ckpt"}
    assert {name: str(getattr(run, name).relative_to(tmp_path)) for name in names} == names


def test_a_metric_is_that_of_its_name(tmp_path):
    run = RunFolder(tmp_path)
    run.results.write_text('{"metrics": {"loss_g": 1.5}}')
    assert [run.metric(name) for name in ("loss_g", "loss_d", None)] == [1.5, None, None]


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def broken() -> None:
    raise OSError(errno.EIO, "Input/output error")


def write_until_full(folder: RunFolder, target: Callable[[], None]) -> None:
    with folder.claim(IDENTITY, resume=False, rerun=False, allow_changes=False, planned=1, examine=lambda _: 0):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
        full()  # as TensorBoard does with its thread's error at the next event


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("target", "prints"), [(full, False), (broken, True)])
def test_a_full_disk_in_a_writers_thread_is_reported_once(tmp_path, monkeypatch, target, prints):
    heard = []
    monkeypatch.setattr(threading, "excepthook", lambda raised: heard.append(raised.exc_value))
    with pytest.raises(RunError, match=r"No disk space for .*nothing was saved yet"):
        write_until_full(RunFolder(tmp_path / "run"), target)
    assert bool(heard) is prints
