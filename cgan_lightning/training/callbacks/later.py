"""Asynchronous copies of numbers from the device."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Later:
    """A copy of numbers (count,) in the device's present state; `read` waits for the copy to complete.

    A GPU does not idle if `read` is called after the next updates have been launched.
    """

    def __init__(self, numbers: Float[Tensor, " count"] | Int[Tensor, " count"]) -> None:
        self.arrived = None
        if numbers.is_cuda:
            self.numbers = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
            self.numbers.copy_(numbers, non_blocking=True)
            self.arrived = torch.cuda.Event()
            self.arrived.record()
        else:
            self.numbers = numbers.clone()

    def read(self) -> list[float] | list[int]:
        if self.arrived is not None:
            self.arrived.synchronize()
        return self.numbers.tolist()
