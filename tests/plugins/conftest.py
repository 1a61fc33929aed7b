"""A folder with a user's own modules."""

from pathlib import Path

import pytest

from tests.plugins.lab import LOSS, PARTS, SETS


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "parts.py").write_text(LOSS)
    (tmp_path / "my_lab" / "nets.py").write_text(PARTS)
    (tmp_path / "my_lab" / "sets.py").write_text(SETS)
    return tmp_path
