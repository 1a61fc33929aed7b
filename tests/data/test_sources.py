"""The order in which the data is looked for, what is said of it, and eight jobs that start together."""

import contextlib
import dataclasses
import functools
import gzip
import logging
import pwd
import shutil
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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

REAL_DOWNLOAD_FROM_MIRROR = sources._download_from_mirror


@pytest.fixture(scope="module")
def files():
    """The four real files, from wherever this machine has them."""
    return sources.locate()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def unreachable(*_):
    raise UserError("out of reach")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_system_folder", lambda _: tmp_path / "no-such-folder")
    monkeypatch.setattr(sources, "_download_from_mirror", unreachable)
    monkeypatch.setattr(sources, "_download_debian_package", unreachable)


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


@pytest.fixture
def mirror():
    """Returns a data set whose mirror, a real server on loopback, answers with what a handler gives."""
    servers = []

    def serve(handler, spec=FASHION_MNIST):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return dataclasses.replace(spec, mirrors=(f"http://127.0.0.1:{server.server_port}/",))

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.long
def test_the_mirror_fills_the_cache(files, cache, offline, mirror, monkeypatch, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for file in FASHION_MNIST.files:
        with gzip.open(packed / f"{file.name}.gz", "wb", compresslevel=1) as out:
            out.write((files / file.name).read_bytes())
    spec = mirror(functools.partial(Quiet, directory=str(packed)))
    monkeypatch.setattr(sources, "_download_from_mirror", REAL_DOWNLOAD_FROM_MIRROR)
    assert sources.locate(spec=spec) == cache / "fashion-mnist"
    images, _ = splits.of_training(cache / "fashion-mnist")
    assert len(images) == 60_000


def test_a_mirror_that_does_not_answer_is_given_up_in_time(mirror, monkeypatch, tmp_path):
    released = threading.Event()

    class Silent(Quiet):
        def do_GET(self):
            released.wait(30)

    spec = mirror(Silent)
    monkeypatch.setattr(sources, "MIRROR_PATIENCE_S", 0.5)
    with pytest.raises(UserError, match="no answer"):
        sources._download_from_mirror(tmp_path, spec, spec.mirrors[0])
    released.set()


def test_a_mirror_that_stops_in_the_middle_is_given_up_in_time(mirror, monkeypatch, tmp_path):
    released = threading.Event()

    class Stops(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"a beginning")
            self.wfile.flush()
            released.wait(30)

    spec = mirror(Stops)
    monkeypatch.setattr(sources, "MIRROR_PATIENCE_S", 0.5)
    with pytest.raises(UserError, match="no answer"):
        sources._download_from_mirror(tmp_path, spec, spec.mirrors[0])
    assert not released.is_set()
    released.set()


def test_a_name_that_is_never_found_is_given_up_in_time(monkeypatch, tmp_path):
    """The look-up of a name knows no time-out of its own: on a closed network it may hang for minutes."""
    released = threading.Event()

    def hang(*_, **__):
        released.wait(30)
        raise socket.gaierror("never found")

    monkeypatch.setattr(sources, "MIRROR_PATIENCE_S", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(UserError, match=r"no answer \(none in 0.5 s\)"):
        sources._download_from_mirror(tmp_path, FASHION_MNIST, FASHION_MNIST.mirrors[0])
    released.set()


def test_no_more_than_a_file_has_is_read_of_an_answer_without_end(mirror, tmp_path):
    class Endless(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(bytes(1000))

    small = IdxFile("small", (4,))
    spec = mirror(Endless, dataclasses.replace(FASHION_MNIST, files=(small,)))
    REAL_DOWNLOAD_FROM_MIRROR(tmp_path, spec, spec.mirrors[0])
    assert (tmp_path / "small.gz").stat().st_size == small.size


def test_a_mirror_that_lies_is_refused(cache, offline, mirror, monkeypatch):
    class Lies(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(gzip.compress(b"not Fashion-MNIST"))

    spec = mirror(Lies)
    monkeypatch.setattr(sources, "_download_from_mirror", REAL_DOWNLOAD_FROM_MIRROR)
    with pytest.raises(UserError, match=r"the mirror http.*: .* is not the IDX file"):
        sources.locate(spec=spec)
    assert not (cache / "fashion-mnist").exists()


def test_a_file_of_another_md5_is_refused(cache, offline, mirror, monkeypatch):
    class Other(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(gzip.compress(b"not KMNIST"))

    spec = mirror(Other, sets.KMNIST)
    monkeypatch.setattr(sources, "_download_from_mirror", REAL_DOWNLOAD_FROM_MIRROR)
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte.gz differs from KMNIST \(its MD5 does not match\)") as error:
        sources.locate(spec=spec)
    assert "data.root=FOLDER" in str(error.value)
    assert "Debian" not in str(error.value)


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
