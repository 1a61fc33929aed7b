"""The notebook in examples/ runs as it stands, but for fewer images, with the wheel, in a folder of its own."""

import shutil

import pytest

from experiments.recipe import example
from tests.helpers.wheel import ROOT, Installed

MANY, FEW = "data.limit=6000", "data.limit=600"


@pytest.mark.slow
def test_the_notebook_runs(site, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    (tmp_path / "examples").mkdir()
    (tmp_path / "experiments" / "recipe").mkdir(parents=True)
    shutil.copy(example.EXAMPLE, tmp_path / "experiments" / "recipe")
    written = (ROOT / "examples" / "first_steps.ipynb").read_text()
    assert MANY in written
    notebook = nbformat.reads(written.replace(MANY, FEW), as_version=4)
    installed = Installed(site, tmp_path / "examples")
    monkeypatch.setenv("PYTHONPATH", installed.environment["PYTHONPATH"])
    resources = {"metadata": {"path": str(tmp_path / "examples")}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    pictures = [each for cell in notebook.cells for each in cell.get("outputs", []) if "image/png" in each.get("data", {})]
    assert len(pictures) == 3
    (run,) = (tmp_path / "examples" / "runs").iterdir()
    assert (run / "results.json").is_file()
