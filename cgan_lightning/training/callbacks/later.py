"""Numbers that are on their way from the device while it goes on."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Later:
    """Numbers (count,) as they are now on the device; `read` waits until the device has come to where they were asked for.

    Read after the next updates have been given to a GPU, they cost it nothing.
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
