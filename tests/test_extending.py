"""docs/extending.md as it stands: its files and commands, on 256 images, with the wheel, outside the repository."""

import json

import pytest

from tests.helpers.wheel import ROOT, Installed, blocks

pytestmark = [pytest.mark.process, pytest.mark.training, pytest.mark.slow]
PAGE = ROOT / "docs" / "extending.md"
FEW = "data.limit=256"


def test_the_page_does_what_it_says(site, tmp_path):
    parts, sets = blocks(PAGE, "python")
    assert len(parts.splitlines()) <= 30
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "parts.py").write_text(parts)
    (tmp_path / "my_lab" / "sets.py").write_text(sets)
    installed = Installed(site, tmp_path)
    (train, sweep, help_), (on_shades,) = (block.splitlines() for block in blocks(PAGE, "bash"))

    installed.run(f"{train} {FEW}")
    (folder,) = tmp_path.glob("runs/*my_hinge-margin0.5*")
    assert json.loads((folder / "run.json").read_text())["settings"]["loss._target_"] == "my_lab.parts.MyHinge"
    events = b"".join(path.read_bytes() for path in folder.glob("events*"))
    assert b"weights/norm of the generator" in events
    assert b"class vector norms" in events, "the default callbacks are there, too"

    said = installed.run(f"{sweep} {FEW}").stderr
    assert "\n2 jobs: 2 finished\n" in said
    assert "cgan_lightning.report runs=" in said
    assert "loss.margin=1" in installed.run(help_).stdout

    installed.run(on_shades)
    (folder,) = tmp_path.glob("runs/*quick-shades*")
    assert json.loads((folder / "run.json").read_text())["settings"]["data.settings._target_"] == "my_lab.sets.Shades"
    assert (folder / "samples.png").is_file()
