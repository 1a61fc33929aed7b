"""A folder is held by one process at a time, and by none that has ended."""

import errno
import fcntl
import os
import signal
import time

import pytest

from cgan_lightning.storage import lock
from cgan_lightning.utils.errors import UserError
from tests.helpers.processes import TIMEOUT_S, Forked


def test_a_folder_has_one_holder_until_that_one_lets_go(tmp_path):
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        with lock.hold(folder, whose="a test"):
            assert lock.is_held(folder)
            with pytest.raises(UserError, match="in use: another process runs these settings right now"):
                lock.hold(folder, whose="these settings").__enter__()
            assert lock.is_held(folder)
        assert not lock.is_held(folder)


def test_asking_neither_writes_nor_is_taken_for_holding(tmp_path):
    assert not lock.is_held(tmp_path / "nowhere")
    assert not lock.is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with lock.hold(tmp_path, whose="a test"):
        pass
    with (tmp_path / lock.NAME).open() as another:
        fcntl.flock(another, fcntl.LOCK_SH)
        assert not lock.is_held(tmp_path)


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    """Lustre may be mounted so. A file in the lock's place would outlive a killed run, and keep it from going on."""

    def missing(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(UserError, match=r"cannot be written \(Function not implemented\): set run_root"):
        lock.hold(tmp_path, whose="a test").__enter__()


@pytest.mark.process
def test_a_killed_holders_workers_do_not_hold_its_folder(tmp_path):
    holder = Forked("tests.storage.holding", str(tmp_path), cwd=tmp_path)
    deadline = time.monotonic() + TIMEOUT_S
    while not (tmp_path / "worker").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    worker = int((tmp_path / "worker").read_text())
    try:
        assert lock.is_held(tmp_path)
        holder.kill()
        holder.wait(TIMEOUT_S)
        os.kill(worker, 0)
        assert not lock.is_held(tmp_path)
    finally:
        os.kill(worker, signal.SIGKILL)
