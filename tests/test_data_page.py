"""docs/data.md as it stands: its commands, for two epochs, with the wheel, outside the repository."""

import json

import numpy as np
import pytest

from tests.helpers import own_data
from tests.helpers.wheel import ROOT, Installed, blocks

pytestmark = [pytest.mark.process, pytest.mark.training, pytest.mark.slow]
PAGE = ROOT / "docs" / "data.md"
SHORT = "trainer.max_epochs=2"


def test_the_page_does_what_it_says(site, tmp_path):
    with np.load(own_data.colour(tmp_path / "test.npz", counts=(10, 10, 10), size=28)) as test:
        split = {f"test_{name}": test[name] for name in ("images", "labels")}
    own_data.colour(tmp_path / "shapes.npz", counts=(22, 22, 20), size=28, **split)
    (tmp_path / "digits").mkdir()
    draws = np.random.default_rng(0)
    own_data.idx(tmp_path / "digits" / "images.idx", draws.integers(0, 256, (80, 28, 28)))
    own_data.idx(tmp_path / "digits" / "labels.idx", np.arange(80) % 2)
    installed = Installed(site, tmp_path, CGAN_LIGHTNING_CACHE=str(tmp_path / "cache"))
    (of_npz, of_idx), (extractor,) = (block.splitlines() for block in blocks(PAGE, "bash"))

    installed.run(f"{of_npz} {SHORT}")
    (folder,) = tmp_path.glob("runs/*class_names_square_stripes_ring*")
    assert (folder / "samples.png").is_file()
    installed.run(f"{of_idx} {SHORT}")
    assert len([*tmp_path.glob("runs/*-files-*/generator.safetensors")]) == 2

    installed.run(extractor)
    installed.run(f"python -m cgan_lightning.evaluate 'checkpoint={folder}' samples=100")
    evaluation = json.loads((folder / "results.json").read_text())["evaluation"]
    (stored,) = tmp_path.glob("cache/feature_extractors/*.safetensors")
    assert stored.stem == json.loads((folder / "run.json").read_text())["settings"]["data.hash"]
    assert evaluation["protocol"]["dataset"] == "shapes.npz"
