"""The four files of Fashion-MNIST, a cache of a test's own, and no network."""

from pathlib import Path

import pytest

from cgan_lightning.data import sources
from cgan_lightning.utils.errors import UserError


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
