"""Mirrors, real servers on loopback: what they give is verified, and what they don't give is not waited for."""

import contextlib
import dataclasses
import functools
import gzip
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cgan_lightning.data import sets, sources, splits
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import IdxFile
from cgan_lightning.utils.errors import UserError

REAL_DOWNLOAD_FROM_MIRROR = sources._download_from_mirror


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
