"""The order in which the data is looked for, what is said of it, and eight jobs that start together."""

import dataclasses
import logging
import pwd
import shutil
from pathlib import Path

import numpy as np
import pytest

from cgan_lightning.data import sets, sources, splits
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import IdxFile
from cgan_lightning.utils.errors import UserError
from tests.helpers import own_data
from tests.helpers.needs import skip_without
from tests.helpers.processes import TIMEOUT_S, Forked


def test_the_users_folder_is_used_in_place(files, cache, offline, monkeypatch):
    assert sources.locate(files) == files
    monkeypatch.setenv("HOME", str(files.parent))
    assert sources.locate(Path("~", files.name)) == files
    assert not cache.exists()


@pytest.mark.parametrize("key", ["data.root", "root"])
def test_a_folder_that_was_named_must_be_right_and_nothing_else_is_taken(files, cache, monkeypatch, tmp_path, key):
    monkeypatch.setattr(sources, "_system_folder", lambda _: files)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for root, fault in {
        "none": "there is no folder none;",
        ".": "train-images-idx3-ubyte[.gz] is missing;",
        "file": "there is no folder file;",
        "~no-such-user": "there is no folder ~no-such-user;",
    }.items():
        with pytest.raises(UserError) as error:
            sources.locate(Path(root), key=key)
        assert str(error.value).startswith(f"{key}={root}: {fault}")
        assert str(error.value).endswith(f"correct it, or leave {key} out: the data is then found or fetched")
    assert not cache.exists()


def test_the_system_folder_fills_the_cache_once(files, cache, offline, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sources, "_system_folder", lambda _: files)
    assert sources.locate() == cache / "fashion-mnist"
    assert f"from {files}, saved to" in caplog.text
    assert sorted(path.name for path in (cache / "fashion-mnist").iterdir()) == sorted(f.name for f in FASHION_MNIST.files)
    monkeypatch.setattr(sources, "_system_folder", lambda _: Path("gone"))
    assert sources.locate() == cache / "fashion-mnist"


def test_each_failure_is_reported_and_the_next_source_tried(files, cache, offline, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sources, "_download_debian_package", lambda *_: files)
    assert sources.locate() == cache / "fashion-mnist"
    for reported in ("no-such-folder", "out of reach", "Debian's package"):
        assert reported in caplog.text


def test_when_nothing_works_one_error_says_all_that_was_tried_and_three_ways_out(cache, offline):
    with pytest.raises(UserError) as error:
        sources.locate()
    sentence = str(error.value)
    tried = ["no-such-folder: ", "amazonaws.com/: out of reach", "dataset-fashion-mnist: out of reach"]
    assert [text for text in tried if text not in sentence] == []
    assert sentence.index(tried[0]) < sentence.index(tried[1]) < sentence.index(tried[2])
    for way_out in ("data.root=FOLDER", "install Debian's package", "network connection"):
        assert way_out in sentence


def test_a_damaged_cache_is_fetched_anew(files, cache, offline, monkeypatch, caplog):
    monkeypatch.setattr(sources, "_system_folder", lambda _: files)
    sources.locate()
    damaged = sources.locate() / FASHION_MNIST.test[1].name  # verified once, and again when it has changed
    right = damaged.read_bytes()
    damaged.write_bytes(right[:-1] + bytes([9 - right[-1]]))
    splits.of_training()
    assert f"The cache is damaged ({damaged}" in caplog.text
    assert damaged.read_bytes() == right


def test_the_cache_is_where_it_is_asked_for_or_among_the_users_others(monkeypatch, tmp_path):
    for name in (sources.CACHE_VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sources.cache_folder() == tmp_path / ".cache" / "cgan_lightning"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "others"))
    assert sources.cache_folder() == tmp_path / "others" / "cgan_lightning"
    monkeypatch.setenv(sources.CACHE_VARIABLE, "here")
    assert sources.cache_folder() == Path("here")


def test_without_a_home_folder_the_variable_is_named(monkeypatch):
    """In a container, for a user whom it doesn't know."""

    def unknown(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in (sources.CACHE_VARIABLE, "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(UserError, match=f"no home folder.*{sources.CACHE_VARIABLE}"):
        sources.cache_folder()


def test_an_unwritable_cache_names_the_variable(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=sources.CACHE_VARIABLE):
        sources.locate()


@pytest.mark.matrix
def test_eight_jobs_that_start_together_fetch_once(files, tmp_path):
    """Real processes: one fetches, seven wait and read what it has put there."""
    jobs = [
        Forked("tests.data.fetching", str(files), cwd=tmp_path, **{sources.CACHE_VARIABLE: str(tmp_path)}) for _ in range(8)
    ]
    assert [job.wait(TIMEOUT_S) for job in jobs] == [0] * 8, [job.stderr for job in jobs]
    assert {job.stdout.strip() for job in jobs} == {str(tmp_path / "fashion-mnist")}
    assert sum("saved to" in job.stderr for job in jobs) == 1
    assert not list(tmp_path.glob("fetching-*"))


@pytest.mark.sampled(2)
@pytest.mark.process
@pytest.mark.parametrize("lists", ["the machine's", "its own"])
def test_the_debian_package_is_unpacked_without_being_installed(tmp_path, monkeypatch, lists):
    if not shutil.which("apt-get"):
        skip_without("Debian's apt-get")
    run = sources._run

    def without_the_machines_lists(folder, program, *arguments):
        if arguments == ("download", FASHION_MNIST.debian_package):
            raise UserError("E: Unable to locate package")
        run(folder, program, *arguments)

    if lists == "its own":
        monkeypatch.setattr(sources, "_run", without_the_machines_lists)
    try:
        folder = sources._download_debian_package(tmp_path)
    except UserError as error:
        skip_without(f"Debian's packages, which cannot be reached: {error}")
    sources._verify(folder)
    assert folder.is_relative_to(tmp_path)


@pytest.mark.process
def test_a_program_that_fails_is_quoted_by_its_last_error(tmp_path):
    with pytest.raises(UserError, match=r"^E: three$"):
        sources._run(tmp_path, "sh", "-c", "printf 'E: one\\nE: two\\nE: three\\nW: four\\n' >&2; exit 100")
    with pytest.raises(UserError, match=r"^sh exited with 3$"):
        sources._run(tmp_path, "sh", "-c", "echo out of the way; exit 3")


def test_other_data_is_not_told_to_be_mended(files, cache):
    with pytest.raises(
        UserError, match=r"differs from MNIST \(its SHA-256 does not match\); give data=files for data of your own"
    ):
        sources.locate(files, sets.MNIST)


def test_letters_are_turned_and_counted_from_one(tmp_path):
    images, labels = np.random.default_rng(0).integers(0, 255, (3, 28, 28), np.uint8), np.array([1, 2, 1])
    shapes = {"letters.images": images.shape, "letters.labels": labels.shape}
    pair = tuple(IdxFile(name, shape) for name, shape in shapes.items())
    spec = dataclasses.replace(sets.EMNIST_LETTERS, class_names=("A", "B"), counts=(2, 1), files=(*pair, *pair))
    own_data.idx(tmp_path / "letters.images", images)
    own_data.idx(tmp_path / "letters.labels", labels)
    read, classes = splits.of_training(tmp_path, spec)
    assert (read[:, 0].numpy() == images.swapaxes(1, 2)).all()
    assert classes.tolist() == [0, 1, 0]
    own_data.idx(tmp_path / "letters.labels", np.array([1, 2, 2]))
    with pytest.raises(UserError, match=r"differs from EMNIST letters \(its numbers of images per class\)"):
        splits.of_training(tmp_path, spec)
