"""Where an output can be put is found out without putting anything there: also by root, whom permissions don't stop."""

from pathlib import Path

import pytest

from cgan_lightning.storage import writable
from cgan_lightning.utils.errors import UserError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept")
    Path("folder").mkdir()
    yield
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"], "nothing is left behind"
    assert Path("file").read_text() == "kept"


@pytest.mark.parametrize("path", ["new", "file", "folder/new", "a/b/new", "../new"])
def test_a_file_can_be_put_there(here, path):
    writable.file(Path(path), "output=x")


@pytest.mark.parametrize("path", [".", "folder", "new", "a/b", "../new"])
def test_files_can_be_put_into_a_folder(here, path):
    writable.folder(Path(path), "output=x")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("file/new", "Not a directory"),
        ("file/a/new", "Not a directory"),
        ("/proc/new", "No such file or directory"),
        ("folder", "not a regular file"),
        ("/dev/null", "not a regular file"),
        ("n" * 300 + "/new", "File name too long"),
        ("n" * 300, "File name too long"),
    ],
)
def test_no_file_can_be_put_there(here, path, reason):
    with pytest.raises(UserError) as error:
        writable.file(Path(path), f"output={path}")
    assert str(error.value) == f"output={path} cannot be written ({reason})"


@pytest.mark.parametrize(("path", "reason"), [("file", "Not a directory"), ("/proc/new", "No such file or directory")])
def test_no_file_can_be_put_into_that(here, path, reason):
    with pytest.raises(UserError) as error:
        writable.folder(Path(path), f"output={path}")
    assert str(error.value) == f"output={path} cannot be written ({reason})"
