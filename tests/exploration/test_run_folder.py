"""What training leaves is what each mode takes: its folder, not only the file in it."""

import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from cgan_lightning.exploration import directions, onnxruntime_web
from cgan_lightning.explore import MODES, _folder, explore
from cgan_lightning.utils.errors import UserError
from tests.helpers import commands
from tests.helpers.configs import composed

LEFT = {"interpolation": "label.png", "directions": "directions.json", "embeddings": "similarity.csv", "page": "generator.onnx"}
LEFT["training"] = "training.gif"


@pytest.fixture(autouse=True)
def _quick(tmp_path, monkeypatch):
    """Fewer samples; and what npm gives is not what is tried here."""
    monkeypatch.setattr(directions, "SAMPLES", 100)
    monkeypatch.setattr(directions, "MEASURED", 10)
    monkeypatch.setattr(onnxruntime_web, "locate", lambda: tmp_path)
    for name in onnxruntime_web.FILES:
        (tmp_path / name).write_text("something")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", MODES)
def test_every_command_that_a_mode_prints_can_be_pasted(train, caplog, mode):
    """In the folder that explore was started from; the run's name needs quotation marks."""
    folder = train("trainer.max_steps=1", "validation.every_n_epochs=null", "run_root='my runs'")
    caplog.set_level("INFO", "cgan_lightning")
    caplog.clear()
    given = (f"checkpoint='{folder}'", f"mode={mode}", "rows=1", "steps=2", "count=1", "serve=false", "classes=[Bag,Dress]")
    explore(composed(*given, command="explore"))
    place = Path("explore") / folder.name / mode
    assert (place / LEFT[mode]).is_file()
    assert str(folder) in caplog.messages[0], "which generator it is"
    pasted = [shlex.split(line) for message in caplog.messages for line in message.splitlines() if line.startswith("  python")]
    assert len(pasted) == (0 if mode == "training" else 1)
    for python, option, module, *words in pasted:
        assert (python, option) == ("python", "-m")
        if module == "http.server":
            _assert_served(words, place)
        elif module == "tensorboard.main":
            command = [sys.executable, "-m", module, *words, "--inspect"]
            said = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
            assert "Processing event files... (this can take a few minutes)" in said
            assert "No event files found" not in said
        else:
            answer = commands.give(module.removeprefix("cgan_lightning."), *words)
            assert answer.code == 0, answer.said


def _assert_served(words: list[str], place: Path) -> None:
    served = subprocess.Popen([sys.executable, "-u", "-m", "http.server", *words, "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = re.search(r"port (\d+)", served.stdout.readline())[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/page.json", timeout=60) as answer:
            assert answer.read() == (place / "page.json").read_bytes()
    finally:
        served.kill()
        served.communicate()


def test_training_is_a_frame_for_each_sample_grid(train):
    folder = train("trainer.max_epochs=2", "validation.every_n_epochs=null")
    explore(composed(f"checkpoint={folder}", "mode=training", "output=moving", command="explore"))
    with Image.open("moving/training.gif") as moving, Image.open(folder / "samples.png") as last:
        assert moving.n_frames == 3, "before the first update, and after each epoch"
        sheets = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(moving)]
        expected = np.asarray(last)
    assert np.array_equal(sheets[-1][-expected.shape[0] :], expected), "below its title"
    assert not np.array_equal(sheets[0], sheets[-1])


@pytest.mark.parametrize("given", ["generator.safetensors", "nothing"])
def test_without_events_there_is_no_training_to_see(train, given):
    folder = train("trainer.max_steps=1", "validation.every_n_epochs=null")
    Path("nothing").mkdir()
    checkpoint = "nothing" if given == "nothing" else f"{folder}/{given}"
    with pytest.raises(
        UserError, match=rf"^checkpoint={checkpoint}: mode=training needs a run folder with TensorBoard events of sample grids"
    ):
        explore(composed(f"checkpoint={checkpoint}", "mode=training", "output=moving", command="explore"))
    assert not Path("moving").exists()


def test_generators_and_modes_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {
        str(_folder(composed(f"checkpoint={checkpoint}", *more, command="explore")))
        for checkpoint in ("runs/one", "runs/one/", "runs/one/generator.safetensors", "runs/one/generator_best.safetensors")
        for more in (("mode=page",), ("mode=directions",), ("mode=page", "weights=raw"))
    }
    assert found == {f"explore/{name}/{mode}" for name in ("one", "one-generator_best") for mode in ("page", "directions")} | {
        "explore/one-raw/page",
        "explore/one-generator_best-raw/page",
    }


@pytest.mark.matrix
def test_each_mode_takes_a_run_folder(train):
    folder = train("trainer.max_steps=1", "validation.every_n_epochs=null")
    assert folder.is_dir()
    for mode in MODES:
        asked = (f"checkpoint={folder}", f"mode={mode}", "rows=1", "steps=2", "count=1", "serve=false", f"output={mode}")
        explore(composed(*asked, command="explore"))
        assert (Path(mode) / LEFT[mode]).stat().st_size > 100
