"""Whether a training had its machine to itself."""

import sys
import time

import pytest

from cgan_lightning.training.callbacks.contention import Contention, time_and_waiting
from tests.helpers.training import fit

pytestmark = pytest.mark.training


def trained_with(contention: Contention, **trainer_options) -> Contention:
    trainer, model, data = fit("data.batch_size=16", callbacks=[contention], max_steps=2, **trainer_options)
    trainer.fit(model, datamodule=data)
    return contention


@pytest.mark.parametrize(("share", "alone"), [(0.0, True), (0.04, True), (0.06, False)])
def test_who_waits_for_a_core_is_not_alone(share, alone):
    assert trained_with(Contention(lambda: (time.perf_counter(), share * time.perf_counter()))).alone() is alone


def test_what_the_system_does_not_tell_is_not_known():
    assert trained_with(Contention(lambda: None)).alone() is None


def test_every_sitting_counts():
    contention = trained_with(Contention(lambda: (time.perf_counter(), time.perf_counter())))
    later = Contention(lambda: (time.perf_counter(), 0.0))
    later.load_state_dict(contention.state_dict() | {"seconds": 1e3, "waiting": 1e3})
    assert trained_with(later).alone() is False
    unknown = Contention(lambda: (time.perf_counter(), 0.0))
    unknown.load_state_dict(contention.state_dict() | {"known": False})
    assert trained_with(unknown).alone() is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: no other system counts how long a thread waits for a core")
def test_linux_counts_it():
    first, second = time_and_waiting(), time_and_waiting()
    assert first[0] < second[0]
    assert 0 <= first[1] <= second[1]
