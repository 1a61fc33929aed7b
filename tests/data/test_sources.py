"""The order in which the data is looked for, what is said of it, and eight jobs that start together."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cgan_lightning.data import fashion_mnist, sources
from cgan_lightning.errors import UserError


@pytest.fixture(scope="module")
def files():
    """The four real files, from wherever this machine has them."""
    return sources.locate()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def unreachable(_folder):
    raise UserError("out of reach")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", tmp_path / "no-such-folder")
    monkeypatch.setattr(sources, "_download_from_mirror", unreachable)
    monkeypatch.setattr(sources, "_download_debian_package", unreachable)


def test_the_users_folder_comes_first_and_is_used_in_place(files, cache, offline):
    assert sources.locate(files) == files
    assert not cache.exists()


def test_the_system_folder_fills_the_cache_once(files, cache, offline, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", files)
    assert sources.locate() == cache / "fashion-mnist"
    assert f"from {files}, kept in" in caplog.text
    assert sorted(path.name for path in (cache / "fashion-mnist").iterdir()) == sorted(f.name for f in fashion_mnist.FILES)
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", Path("gone"))
    assert sources.locate() == cache / "fashion-mnist"


def test_each_failure_is_reported_and_the_next_source_tried(files, cache, offline, monkeypatch, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sources, "_download_debian_package", lambda _: files)
    assert sources.locate(tmp_path) == cache / "fashion-mnist"
    for reported in (f"data.root={tmp_path}", "no-such-folder", "torchvision's mirror: out of reach", "Debian's package"):
        assert reported in caplog.text


def test_when_nothing_works_one_error_says_all_that_was_tried_and_three_ways_out(cache, offline, tmp_path):
    with pytest.raises(UserError) as error:
        sources.locate(tmp_path)
    sentence = str(error.value)
    tried = [f"data.root={tmp_path}: ", "no-such-folder: ", "mirror: out of reach", "dataset-fashion-mnist: out of reach"]
    assert [text for text in tried if text not in sentence] == []
    assert sentence.index(tried[0]) < sentence.index(tried[1]) < sentence.index(tried[2]) < sentence.index(tried[3])
    for way_out in ("data.root=FOLDER", "install Debian's package", "network connection"):
        assert way_out in sentence


def test_a_damaged_cache_is_fetched_anew(files, cache, offline, monkeypatch, caplog):
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", files)
    damaged = sources.locate() / fashion_mnist.TEST_LABELS.name
    damaged.write_bytes(b"\x00" * 100)
    fashion_mnist.tensors(sources.locate())
    assert "The cache is damaged" in caplog.text
    assert damaged.stat().st_size == fashion_mnist.TEST_LABELS.size


def test_an_unwritable_cache_names_the_variable(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=sources.CACHE_VARIABLE):
        sources.locate()


def test_eight_jobs_that_start_together_fetch_once(files, tmp_path):
    """Real processes: one fetches, seven wait and read what it has put there."""
    program = (
        "import logging, sys; from pathlib import Path; from cgan_lightning.data import sources; "
        "logging.basicConfig(level=logging.INFO); sources.SYSTEM_FOLDER = Path(sys.argv[1]); print(sources.locate())"
    )
    environment = os.environ | {sources.CACHE_VARIABLE: str(tmp_path)}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(files)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(8)
    ]  # fmt: skip
    answers = [job.communicate(timeout=120) for job in jobs]
    assert {job.returncode for job in jobs} == {0}, answers
    assert {output.strip() for output, _ in answers} == {str(tmp_path / "fashion-mnist")}
    assert sum("kept in" in errors for _, errors in answers) == 1
    assert not list(tmp_path.glob("fetching-*"))


@pytest.mark.skipif(not shutil.which("apt-get"), reason="needs Debian's apt-get")
def test_the_debian_package_is_unpacked_without_being_installed(tmp_path):
    try:
        folder = sources._download_debian_package(tmp_path)
    except UserError as error:
        pytest.skip(f"Debian's packages can't be reached: {error}")
    sources._verify(folder)
    assert folder.is_relative_to(tmp_path)
