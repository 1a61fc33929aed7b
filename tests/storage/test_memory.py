"""Memory that runs out: real allocations under a real limit, and what PyTorch says on a GPU."""

import sys

import pytest
import torch

from cgan_lightning.storage import environment, memory
from cgan_lightning.utils.errors import RunError
from tests.helpers.processes import TIMEOUT_S, Forked, fork_command
from tests.helpers.runs import SMALL

LARGE = (*SMALL, "data.limit=1024", "data.batch_size=512", "model.channels=512", "validation.every_n_epochs=null")


@pytest.mark.matrix
@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: no other system limits an address space")
def test_one_sentence_names_the_key_and_the_last_checkpoint_is_kept(tmp_path):
    begun = fork_command("train", *LARGE, "trainer.max_steps=1", cwd=tmp_path)
    assert begun.returncode == 0, begun.stderr
    (checkpoint,) = tmp_path.glob("runs/*/checkpoints/last.ckpt")
    before = checkpoint.read_bytes()
    limited = Forked("tests.storage.limited", *LARGE, "trainer.max_steps=2", "resume=auto", cwd=tmp_path)
    assert limited.wait(TIMEOUT_S) == 1
    assert limited.stderr.splitlines()[-1] == "Out of memory: lower data.batch_size=512; the last checkpoint is kept"
    assert "Traceback" not in limited.stderr
    assert checkpoint.read_bytes() == before


def capture_ended_behind(error: Exception) -> Exception:
    """What leaves `with torch.cuda.graph(...)` when `error` ended the capture."""
    try:
        try:
            raise error
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
    except RuntimeError as last:
        return last


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.19 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        capture_ended_behind(torch.OutOfMemoryError("CUDA out of memory.")),
    ],
    ids=lambda error: str(error)[:40],
)
def test_a_gpus_memory_is_named(error):
    with pytest.raises(RunError, match=r"^Out of GPU memory: lower batch_size=9$"), memory.advice("lower batch_size=9"):
        raise error


def test_another_error_stays_what_it_is():
    with pytest.raises(RuntimeError, match=r"^shapes do not fit$"), memory.advice("lower batch_size=9"):
        raise RuntimeError("shapes do not fit")


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: no other system counts a process's peak anew")
def test_a_run_counts_its_own_peak():
    """Whatever its process had before: 512 MiB here, given back."""
    cpu = torch.device("cpu")
    taken = torch.ones(2**27)
    with_them = environment.peak_memory_mib(cpu)
    del taken
    memory.count_peak_anew()
    assert environment.peak_memory_mib(cpu) < with_them - 400
