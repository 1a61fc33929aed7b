"""`callbacks=`: what is drawn and logged can be left out, one by one, and results stay what they are."""

import logging

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.helpers.runs import state


def tags(folder) -> dict[str, list[str]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return events.Tags()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("given", "images", "histograms"),
    [("callbacks=none", False, False), ("~callbacks.sample_grid", False, True), ("callbacks=sample_grid", True, False)],
)
def test_what_is_left_out_is_not_there(train, caplog, given, images, histograms):
    caplog.set_level(logging.INFO)
    run = train("trainer.max_epochs=1", given)
    assert (bool(tags(run)["images"]), bool(tags(run)["histograms"])) == (images, histograms)
    assert (run / "samples.png").exists() == images
    assert ("Samples: " in caplog.text) == images


@pytest.mark.matrix
def test_they_change_no_result(trained, train):
    all_of_them = trained("trainer.max_epochs=1")
    none = train("trainer.max_epochs=1", "callbacks=none", "run_root=without")
    torch.testing.assert_close(state(none)["state_dict"], state(all_of_them)["state_dict"], atol=0, rtol=0)
    assert none.name == all_of_them.name
