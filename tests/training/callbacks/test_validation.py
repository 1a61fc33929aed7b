"""Validation while a run trains: what is measured, what is kept, and that training is not changed."""

import json
import math
import os
import signal
from pathlib import Path

import pytest
import torch

from cgan_lightning.data import splits
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.training.callbacks import training_log
from cgan_lightning.utils.errors import Interrupted
from tests.helpers.runs import assert_same_end, state, stop_at
from tests.helpers.validation import measured_again


def validation(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())["validation"]


def test_each_epoch_is_measured_and_the_best_state_kept(train):
    folder = train("trainer.max_epochs=4")
    found = validation(folder)
    assert [(point["updates"], point["images_seen"]) for point in found["curve"]] == [(4, 64), (8, 128), (12, 192), (16, 256)]
    assert found["protocol"]["feature_extractor"] == feature_extractor.load().hash
    last, best = found["curve"][-1], min(found["curve"], key=lambda point: point["fid"])
    assert measured_again(folder, "generator.safetensors")["fid"] == pytest.approx(last["fid"], rel=1e-3)
    assert measured_again(folder, "generator_best.safetensors")["fid"] == pytest.approx(best["fid"], rel=1e-3)
    assert torch.load(folder / "checkpoints/best.ckpt", weights_only=True)["global_step"] == best["updates"]
    metrics = json.loads((folder / "results.json").read_text())["metrics"]
    assert (metrics["fid"], metrics["best_fid"]) == (last["fid"], best["fid"])


def test_measuring_changes_nothing_that_is_trained(train):
    with_validation = train("trainer.max_epochs=2", "run_root=with")
    without = train("trainer.max_epochs=2", "run_root=without", "validation.every_n_epochs=null")
    assert validation(without)["curve"] == []
    for part in ("state_dict", "optimizer_states"):
        torch.testing.assert_close(state(with_validation)[part], state(without)[part], atol=0, rtol=0)
    assert not (without / "generator_best.safetensors").exists()


@pytest.mark.matrix
def test_every_other_epoch_and_the_last(train):
    curve = validation(train("trainer.max_epochs=3", "validation.every_n_epochs=2"))["curve"]
    assert [point["updates"] for point in curve] == [8, 12]


@pytest.mark.matrix
def test_a_stopped_run_has_the_curve_of_one_that_went_through(train, trained):
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    with pytest.raises(Interrupted):
        train("trainer.max_epochs=3", "run_root=stopped", callbacks=[stop_at(6)])
    stopped = train("trainer.max_epochs=3", "run_root=stopped", "resume=auto")
    assert validation(stopped) == validation(whole)


@pytest.mark.matrix
def test_a_validation_is_abandoned_for_a_signal_and_comes_first_when_the_run_resumes(train, monkeypatch, trained):
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    own = sampling.balanced

    def stopped_while_drawing(*arguments, **named):
        os.kill(os.getpid(), signal.SIGTERM)
        return own(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(sampling, "balanced", stopped_while_drawing)
        with pytest.raises(Interrupted, match="after update 4"):
            train("trainer.max_epochs=3", "run_root=stopped")
    (stopped,) = Path("stopped").iterdir()
    saved = next(kept for name, kept in state(stopped)["callbacks"].items() if "Validation" in name)
    assert saved["curve"] == []
    assert train("trainer.max_epochs=3", "run_root=stopped", "resume=auto") == stopped
    assert_same_end(stopped, whole)
    assert validation(stopped) == validation(whole)


@pytest.mark.matrix
def test_values_by_another_feature_extractor_are_dropped_with_a_warning(train, monkeypatch, tmp_path, caplog):
    train("trainer.max_epochs=1")
    other = feature_extractor.load()
    other.network.head.bias.data[0] += 0.01
    feature_extractor.save(other, tmp_path / "feature_extractor.safetensors")
    load = feature_extractor.load
    monkeypatch.setattr(feature_extractor, "load", lambda _, device: load(tmp_path / "feature_extractor.safetensors", device))
    found = validation(train("trainer.max_epochs=2", "resume=auto"))
    assert found["protocol"]["feature_extractor"] == other.hash
    assert [point["updates"] for point in found["curve"]] == [8]
    said = next(record.getMessage() for record in caplog.records if "cannot be compared" in record.getMessage())
    assert said.startswith("FIDs so far were measured as {")
    assert said.index(load().hash) < said.index(", now as {") < said.index(other.hash)
    assert said.endswith("}: they cannot be compared, and are dropped")


def test_few_examples_are_measured_against_all_training_images_of_the_classes(train):
    """By name; a limit on what is learned from is none on what is aimed at."""
    few = ("data.classes=[Dress,Ankle boot]", "data.per_class_limit={Ankle boot: 3}", "validation.samples=100")
    folder = train(*few, "trainer.max_steps=1", "data.limit=200")
    found = validation(folder)
    assert found["protocol"] | {"feature_extractor": ""} == {
        "samples": 100, "training_images": 100, "feature_extractor": "", "classes": ["Dress", "Ankle boot"],
    }  # fmt: skip
    extractor, trained = feature_extractor.load(), generator_file.load(folder)
    pixels, numbers = splits.of_training()
    rows = torch.isin(numbers, torch.tensor([3, 9])).nonzero().flatten()[:200]
    rows = rows[suite.balanced_rows(numbers[rows], 50, seed=0)]
    drawn, labels = sampling.balanced(trained.network, trained.prior, 2, 100, seed=0)
    fake = suite.features_of(extractor, drawn, torch.tensor([3, 9])[labels])
    expected = suite.validate(fake, suite.features_of(extractor, pixels[rows], numbers[rows]))
    assert {name: found["curve"][0][name] for name in expected} == pytest.approx(expected, rel=1e-3)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("images", [2, 9, 16])
def test_a_border_is_cut_off_and_few_images_are_enough(train, images):
    """Also where whole classes are missing."""
    few = (f"data.limit={images}", f"data.batch_size={images}", "validation.samples=100")
    (point,) = validation(train("trainer.max_steps=1", "data.image_size=32", *few))["curve"]
    assert math.isfinite(point["fid"])


def test_validation_takes_no_time_of_the_training(monkeypatch):
    clock = iter([10.0, 17.0, 20.0])  # a look from 10 to 17; the next line of the log at 20
    monkeypatch.setattr(training_log.time, "perf_counter", lambda: next(clock))
    log = training_log.TrainingLog(every_n_updates=1)
    log._mark = (5.0, 0)
    with log.paused():
        pass
    log._measure(100, *log._mark)
    assert (log.seconds, log.images_timed) == (8, 100)
