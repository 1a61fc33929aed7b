"""Files that were written before classes had the names that they have now."""

import json
import shutil
from pathlib import Path

import pytest

from cgan_lightning.config import identity
from cgan_lightning.models import generator_file
from cgan_lightning.reporting import listing
from cgan_lightning.storage.run_folder import RunFolder
from tests.helpers.configs import composed
from tests.helpers.runs import state

RUNS = Path(__file__).parent / "old_files" / "runs"
ASKED = (
    *("model.channels=64", "model.latent_dim=4", "data.limit=256", "validation.samples=100", "callbacks.sample_grid.columns=1"),
    *("trainer=cpu", "noise=uniform", "loss=hinge"),
    # defaults then
    *("model=documented", "discriminator_label=projection", "upsampling=nearest", "lr_schedule=cosine"),
    *("optimizer.discriminator.lr=2e-3", "ema.halflife_images=10_000"),
)


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    shutil.copytree(RUNS, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    (folder,) = Path("runs").iterdir()
    return folder


def test_a_run_is_found_by_its_settings(run):
    assert identity.run_folder(composed(*ASKED)).path == run
    assert identity.run_name(composed(*ASKED)).rpartition("-")[2] == run.name.rpartition("-")[2]


def test_the_settings_of_a_run_have_current_names(run):
    assert "validation.samples=100" in RunFolder(run).begun()["overrides"]


def test_a_generator_draws(run):
    trained = generator_file.load(run)
    assert (trained.latent_dim, len(trained.class_names)) == (4, 10)
    assert type(trained.prior).__module__ == "cgan_lightning.models.prior"


def test_a_run_goes_on_from_its_checkpoint(run, train):
    assert json.loads((run / "results.json").read_text())["updates"] == 4
    assert train(*ASKED, "data.batch_size=64", "trainer.max_epochs=2", "resume=auto", "run_root=runs") == run
    assert state(run)["global_step"] == 8
    validation = json.loads((run / "results.json").read_text())["validation"]
    assert [point["updates"] for point in validation["curve"]] == [4, 8], "the callback's state is its own by another name"
    assert list(validation["protocol"]) == ["samples", "training_images", "feature_extractor"]
    assert (run / "ends" / "00000004" / "results.json").is_file()


def test_runs_are_listed_and_compared_by_what_their_settings_mean(run, train):
    train(*ASKED, "data.batch_size=64", "loss=bce", "run_root=runs", "trainer.max_epochs=1")
    listed = listing.listed(Path("runs"), "run")
    assert "loss" in listed.columns
    assert not any("_target_" in column or "real_label" in column for column in listed.columns)
