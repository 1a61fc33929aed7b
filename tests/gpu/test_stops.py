"""A signal in mid-call, going on to the bit, and what is no number: as on a CPU."""

from pathlib import Path

import pytest
import torch

from cgan_lightning.utils.errors import Interrupted, RunError
from tests.gpu.conftest import ON, only_gpu
from tests.helpers.runs import At, assert_same_end, state, stop_at

LONG = (f"trainer={ON}", "trainer.deterministic=true", "trainer.max_epochs=4", "validation.samples=100")
CALLS = ("data.limit=320", "log_every_n_updates=7", "trainer.updates_per_call=64")  # 20 updates an epoch


def stopped_at(train, update, *overrides):
    """A run whose call that has `update` gets SIGTERM when it begins, and the update after which it stopped."""
    with pytest.raises(Interrupted, match="Stopped by SIGTERM after update"):
        train(*LONG, *CALLS, *overrides, "run_root=stopped", callbacks=[stop_at(update)])
    (folder,) = Path("stopped").iterdir()
    return folder


@pytest.mark.parametrize(("call", "saved"), [(22, 28), (15, 20), (50, 56)])
def test_a_call_is_finished_and_the_run_goes_on_to_the_bit(train, call, saved):
    whole = train(*LONG, *CALLS, "run_root=whole")
    folder = stopped_at(train, call)
    assert state(folder)["global_step"] == saved
    train(*LONG, *CALLS, "run_root=stopped", "resume=auto")
    assert_same_end(folder, whole)


def test_a_run_goes_on_on_the_cpu_and_back(train):
    folder = stopped_at(train, 22)
    for accelerator, epochs in (("cpu", 2), (ON, 3)):
        train(*LONG, *CALLS, f"trainer={accelerator}", f"trainer.max_epochs={epochs}", "run_root=stopped", "resume=auto")
        assert state(folder)["global_step"] == 20 * epochs


def test_what_is_no_number_is_named_with_its_update(train):
    """In the calls of updates 1 to 7, 8 to 14, ...: weights are spoilt before update 15, the third call's first."""

    def spoil(_, module):
        with torch.no_grad():
            module.generator.project.weight[0, 0] = float("nan")

    with pytest.raises(RunError, match="NaN or infinite at update 15:"):
        train(*LONG, *CALLS, callbacks=[At(15, spoil)])
    (folder,) = Path("runs").iterdir()
    assert not (folder / "checkpoints" / "last.ckpt").exists(), "no epoch had ended"


@only_gpu
def test_memory_that_runs_out_is_said_and_the_last_checkpoint_stays(train):
    small = (*LONG, "data.limit=8192", "data.batch_size=4096", "model.channels=1024", "trainer.max_epochs=1")
    folder = train(*small)
    before = (folder / "checkpoints" / "last.ckpt").read_bytes()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(torch.cuda.memory_allocated() / total + 2**30 / total)
    try:
        with pytest.raises(RunError, match=r"^Out of GPU memory: lower data\.batch_size=4096; the last checkpoint is kept$"):
            train(*small, "trainer.max_epochs=2", "resume=auto")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert (folder / "checkpoints" / "last.ckpt").read_bytes() == before
    train(*small, "trainer.max_epochs=2", "resume=auto")
