"""docs/extending.md as it stands: its file and its commands, in an empty folder outside the repository."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"

pytestmark = [pytest.mark.process, pytest.mark.training]


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return found


def test_the_page_does_what_it_says(tmp_path):
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "parts.py").write_text(block("python"))
    assert len(block("python").splitlines()) < 45
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    train, sweep, help_ = block("bash").strip().splitlines()

    def run(command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done

    run(train)
    (folder,) = tmp_path.glob("runs/*my_hinge-margin0.5*")
    assert json.loads((folder / "run.json").read_text())["settings"]["loss._target_"] == "my_lab.parts.MyHinge"
    events = b"".join(path.read_bytes() for path in folder.glob("events*"))
    assert b"weights/norm of the generator" in events
    assert b"class vector norms" in events, "the default callbacks are there, too"

    said = run(sweep).stderr
    assert "\n2 jobs: 2 finished\n" in said
    assert "cgan_lightning.report runs=" in said
    assert "loss.margin=1" in run(help_).stdout
