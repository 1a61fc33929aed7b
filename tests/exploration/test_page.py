"""mode=page without a browser: what it serves and to whom, and the sentences where something is missing."""

import shutil
import stat
import sys
import tarfile
import threading
import urllib.request

import pytest

from cgan_lightning import exploration
from cgan_lightning.config import build, build_model
from cgan_lightning.exploration import onnxruntime_web, server
from cgan_lightning.explore import explore
from cgan_lightning.models import generator_file
from cgan_lightning.utils.errors import Interrupted, UserError
from tests.helpers.configs import composed


def test_the_folder_is_served_on_loopback_with_the_types_that_browsers_insist_on(tmp_path):
    for name in ("index.html", "page.js", "ort.mjs", "ort.wasm", "generator.onnx", "page.json"):
        (tmp_path / name).write_text("x")
    with server.bound(tmp_path, 0) as serving:
        assert serving.server_address[0] == "127.0.0.1"
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        types = {}
        for path in tmp_path.iterdir():
            with urllib.request.urlopen(server.address(serving) + path.name) as answer:
                types[path.name] = answer.headers["Content-Type"]
        serving.shutdown()
    assert types == {
        "index.html": "text/html",
        "page.js": "text/javascript",
        "ort.mjs": "text/javascript",
        "ort.wasm": "application/wasm",
        "generator.onnx": "application/octet-stream",
        "page.json": "application/json",
    }


def test_a_taken_port_is_told_before_any_work(tmp_path):
    with server.bound(tmp_path, 0) as serving:
        port = serving.server_port
        asked = ("checkpoint=nowhere", "mode=page", f"port={port}", f"output={tmp_path}/new")
        with pytest.raises(UserError, match=rf"^port={port} is in use \(.*\): give another, 0 for any, or serve=false$"):
            explore(composed(*asked, command="explore"))
    assert not (tmp_path / "new").exists()


def test_a_signal_ends_it_with_a_sentence(tmp_path, monkeypatch):
    def signalled(_thread):
        raise Interrupted(2, "Stopped by SIGINT")

    with server.bound(tmp_path, 0) as serving:
        monkeypatch.setattr(threading.Thread, "join", signalled)
        with pytest.raises(Interrupted, match=f"^Stopped serving; the page stays in {tmp_path}$"):
            server.until_stopped(serving, tmp_path)


def npm(folder, monkeypatch, script):
    """A program of that name, first on the PATH; and an empty cache."""
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(stat.S_IRWXU)
    monkeypatch.setattr(shutil, "which", lambda _: str(folder / "npm"))
    monkeypatch.setenv("CGAN_LIGHTNING_CACHE", str(folder / "cache"))


def test_without_npm_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("CGAN_LIGHTNING_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match=r"^mode=page needs npm once, .*: install Debian's package npm, or Node.js$"):
        onnxruntime_web.locate()


@pytest.mark.process
def test_npm_that_fails_is_quoted(tmp_path, monkeypatch):
    npm(tmp_path, monkeypatch, "echo 'npm error network' >&2; exit 1")
    with pytest.raises(UserError, match=r"failed \(npm error network\); it needs a network connection once$"):
        onnxruntime_web.locate()
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.process
def test_other_files_than_the_known_ones_are_not_taken(tmp_path, monkeypatch):
    for name in onnxruntime_web.FILES:
        (tmp_path / name).write_text("something else")
    with tarfile.open(tmp_path / "some.tgz", "w:gz") as archive:
        for name in onnxruntime_web.FILES:
            archive.add(tmp_path / name, f"package/dist/{name}")
    npm(tmp_path, monkeypatch, f'cp {tmp_path}/some.tgz "$4"')
    with pytest.raises(UserError, match=r"npm gave another .* than this version was made for$"):
        onnxruntime_web.locate()
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_the_cache_has_is_not_asked_for_again(tmp_path, monkeypatch):
    npm(tmp_path, monkeypatch, "exit 1")
    monkeypatch.setattr(onnxruntime_web, "wrong", lambda _: [])
    assert onnxruntime_web.locate() == tmp_path / "cache" / onnxruntime_web.PACKAGE


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_a_package_of_the_extra_a_sentence_says_what_to_install(tmp_path, monkeypatch, package):
    """Before npm is asked and anything is written."""
    config = composed("model.channels=64")
    model_spec = build_model.model_spec(config, build.data(config))
    generator_file.save(
        tmp_path / generator_file.FILE_NAME, model_spec, raw=build_model.model(config, model_spec).generator, ema=None
    )
    monkeypatch.setitem(sys.modules, package, None)
    for name in ("page", "onnx_export"):  # imported by other tests, which had the package
        monkeypatch.delitem(sys.modules, f"cgan_lightning.exploration.{name}", raising=False)
        monkeypatch.delattr(exploration, name, raising=False)
    asked = (f"checkpoint={tmp_path}", "mode=page", "serve=false", f"output={tmp_path}/new")
    with pytest.raises(UserError, match=rf"^mode=page needs {package}: pip install 'cgan-lightning\[page\]'$"):
        explore(composed(*asked, command="explore"))
    assert not (tmp_path / "new").exists()
