"""What is around CUDA graphs: kinds of update, inputs in one place, results copied. What a GPU does is in tests/gpu."""

import pytest
import torch

from cgan_lightning.training.cuda_graph import CUDAGraphs
from cgan_lightning.training.module import ConditionalGAN
from tests.helpers.training import fit, trained

pytestmark = pytest.mark.training


class OnCPU(CUDAGraphs):
    """Runs what a GPU would replay: the same function on the same tensors."""

    def __init__(self, update):
        super().__init__(update)
        self.done = []

    def _on_own_stream(self, kind, inputs):
        self.done.append(("warmed up", kind))
        return self.update(kind, *inputs)

    def _captured(self, kind, inputs):
        self.done.append(("captured", kind))
        places = [each.data_ptr() for each in inputs]

        def replay():
            self.done.append(("replayed", kind))
            assert [each.data_ptr() for each in self._inputs.views] == places, "a graph's inputs stay where they are"
            return self.update(kind, *inputs)

        return replay


@pytest.fixture
def as_graphs(monkeypatch):
    """All updates go through graphs: those of each fit."""
    made = []

    def run(module, kinds, inputs):
        if not isinstance(module._as_graphs, OnCPU):
            module._as_graphs = OnCPU(module.update)
            made.append(module._as_graphs)
        return module._as_graphs(kinds, inputs)

    monkeypatch.setattr(ConditionalGAN, "_one_by_one", run)
    return made


@pytest.mark.sampled(2)
@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty"])
def test_updates_through_graphs_are_those_done_one_by_one(penalty, tmp_path, request):
    recorder, weights = trained(tmp_path, f"regularizer={penalty}")
    request.getfixturevalue("as_graphs")
    ours, ends = trained(tmp_path, f"regularizer={penalty}", updates_per_call=64)
    assert ours.losses == recorder.losses
    torch.testing.assert_close(ends, weights, atol=0, rtol=0)


def test_each_kind_is_warmed_up_then_captured_and_replayed(as_graphs):
    turns = ("discriminator_normalization=none", "regularizer=r1", "regularizer.interval=2", "log_every_n_updates=3")
    trainer, model, data = fit(*turns, "trainer.updates_per_call=8", max_steps=8, max_epochs=-1)
    trainer.fit(model, datamodule=data)
    assert not isinstance(model._as_graphs, OnCPU), "a finished run keeps none"
    (graphs,) = as_graphs
    done = [(what, kind.penalised, kind.measured) for what, kind in graphs.done]
    assert done == [
        ("warmed up", True, False),
        ("warmed up", False, False),
        ("warmed up", True, True),
        *(("captured", False, False), ("replayed", False, False)),
        *(("captured", True, False), ("replayed", True, False)),
        ("warmed up", False, True),
        *(("replayed", True, False), ("captured", False, True), ("replayed", False, True)),
    ]
