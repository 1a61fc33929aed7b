import os

import pytest

from cgan_lightning.utils.files import write_atomically, write_json


def test_what_fails_half_way_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"whole": 1})

    def fail(beside):
        beside.write_text('{"ha')
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == '{\n  "whole": 1\n}\n'


def test_the_content_is_on_disk_before_it_has_the_name(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("flush"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("rename"), replace(a, b)))
    write_json(tmp_path / "file.json", {})
    assert order == ["flush", "rename", "flush"]
