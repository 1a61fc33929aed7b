"""How many operations an update dispatches: each is a kernel or more on a GPU, where kernels take all of the time."""

import pytest
from torch.utils._python_dispatch import TorchDispatchMode

from cgan_lightning.models.convolution import convolved
from cgan_lightning.models.layers import HalvingConvolution
from cgan_lightning.training.module import Kind
from tests.helpers.training import fit

pytestmark = pytest.mark.training

FREE = {  # views, and what is on the CPU alone
    *(
        "view",
        "_unsafe_view",
        "t",
        "transpose",
        "permute",
        "expand",
        "slice",
        "select",
        "unsqueeze",
        "squeeze",
        "split",
        "unbind",
    ),
    *(
        "detach",
        "alias",
        "as_strided",
        "_reshape_alias",
        "split_with_sizes",
        "empty",
        "empty_like",
        "new_empty",
        "is_same_size",
    ),
    *("empty_strided", "new_empty_strided", "_record_function_enter_new", "_record_function_exit"),
}


class Counted(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if (name := func.overloadpacket.__name__) not in FREE:
            self.operations.append(name)
        return func(*args, **(kwargs or {}))


def operations(recipe, *, penalised=False, measured=False):
    """Of the third update, the generator's turn in it."""
    trainer, model, data = fit(recipe=recipe, max_steps=3)
    update, counts = model.update, []

    def counted(kind, *inputs):
        with Counted() as mode:
            result = update(Kind(penalised=penalised, generator=True, measured=measured), *inputs)
        counts.append(len(mode.operations))
        return result

    model.update = counted
    trainer.fit(model, datamodule=data)
    return counts[-1]


@pytest.fixture(autouse=True)
def the_first_convolution_as_on_a_gpu(monkeypatch):
    def forward(self, input):
        return convolved(input, self.weight, self.bias, stride=2, padding=1)

    monkeypatch.setattr(HalvingConvolution, "forward", forward)


DOCUMENTED, SMALL, DEFAULT = ("experiment=documented",), ("experiment=small",), ()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("recipe", "penalised", "most"),
    [(DOCUMENTED, False, 106), (SMALL, False, 108), (SMALL, True, 172), (DEFAULT, False, 140), (DEFAULT, True, 230)],
)
def test_an_update_stays_small(recipe, penalised, most):
    assert operations(recipe, penalised=penalised) <= most


def test_what_is_measured_comes_on_top():
    assert operations(DOCUMENTED, measured=True) > operations(DOCUMENTED) + 5
