"""What is logged of a GPU is read one interval later: the same values at the same updates."""

import json
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cgan_lightning.training.callbacks.finite import FiniteLosses
from cgan_lightning.training.callbacks.later import Later
from cgan_lightning.training.callbacks.training_log import SPEED_TAG, TAGS, TrainingLog
from cgan_lightning.utils.errors import RunError
from tests.helpers.runs import At, state

RUN = ("trainer.max_epochs=3", "data.limit=160", "log_every_n_updates=3", "validation.every_n_epochs=null")  # 10 an epoch


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """The callbacks as they are on a GPU, but for the device's own part."""
    start = TrainingLog.on_train_start

    def on_train_start(self, *given):
        start(self, *given)
        self._on_gpu, self._untimed = True, 2

    monkeypatch.setattr(TrainingLog, "on_train_start", on_train_start)
    begin = FiniteLosses.on_train_start

    def begin_behind(self, *given):
        begin(self, *given)
        self._behind = True

    monkeypatch.setattr(FiniteLosses, "on_train_start", begin_behind)


def logged(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in TAGS.values()}


def test_a_value_is_what_it_was_when_it_was_asked_for():
    numbers = torch.tensor([1.0, 2.0])
    later = Later(numbers)
    numbers += 1
    assert later.read() == [1.0, 2.0]


@pytest.mark.matrix
def test_the_same_is_logged(train, request):
    expected = train(*RUN, "run_root=now")
    request.getfixturevalue("as_on_a_gpu")
    ours = train(*RUN, "run_root=later")
    assert [step for step, _ in logged(expected)["loss/generator"]] == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]
    assert logged(ours) == logged(expected)
    metrics = [json.loads((folder / "results.json").read_text())["metrics"] for folder in (ours, expected)]
    assert [{name: each[name] for name in TAGS} for each in metrics] == [{name: metrics[0][name] for name in TAGS}] * 2


def test_values_that_are_read_together_have_one_speed(train, as_on_a_gpu):
    """Between two reads at once lies no training: the speed at the later one is that since the last read before."""
    events = EventAccumulator(str(train(*RUN)))
    events.Reload()
    steps = [event.step for event in events.Scalars(SPEED_TAG)]
    assert steps[-1] == 30
    assert 27 not in steps
    assert {3, 6, 12, 15} & {*steps}


def test_a_checkpoint_has_what_is_unread(train, as_on_a_gpu):
    folder = train(*RUN, "trainer.max_steps=9")
    (log,) = (part for key, part in state(folder)["callbacks"].items() if key.startswith("TrainingLog"))
    assert log["latest"].keys() >= set(TAGS)


def test_what_is_no_number_is_named_with_its_update_an_interval_later(train, as_on_a_gpu):
    updates = []

    def spoil(trainer, module):
        with torch.no_grad():
            module.generator.project.weight[0, 0] = float("nan")
        module.on_train_batch_end = lambda *_: updates.append(trainer.global_step)

    with pytest.raises(RunError, match="NaN or infinite at update 2:"):
        train(*RUN, callbacks=[At(2, spoil)])
    assert updates == [2, 3, 4, 5], "noted at update 3, read at update 6, before the module's own hook"
