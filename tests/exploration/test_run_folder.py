"""What training leaves is what each mode takes: its folder, not only the file in it."""

from pathlib import Path

import pytest

from cgan_lightning.exploration import directions, onnxruntime_web
from cgan_lightning.explore import MODES, explore
from tests.helpers.configs import composed

LEFT = {"transition": "label.png", "directions": "directions.json", "embeddings": "similarity.csv", "page": "generator.onnx"}


@pytest.fixture(autouse=True)
def _quick(tmp_path, monkeypatch):
    """Fewer samples; and what npm gives is not what is tried here."""
    monkeypatch.setattr(directions, "SAMPLES", 100)
    monkeypatch.setattr(directions, "MEASURED", 10)
    monkeypatch.setattr(onnxruntime_web, "locate", lambda: tmp_path)
    for name in onnxruntime_web.FILES:
        (tmp_path / name).write_text("something")


def test_each_mode_takes_a_run_folder(train):
    folder = train("trainer.max_steps=1", "metrics.every_n_epochs=null")
    assert folder.is_dir()
    for mode in MODES:
        asked = (f"checkpoint={folder}", f"mode={mode}", "rows=1", "steps=2", "count=1", "serve=false", f"output={mode}")
        explore(composed(*asked, command="explore"))
        assert (Path(mode) / LEFT[mode]).stat().st_size > 100
