"""Batch norm over two batches end to end, and without PyTorch's count of them."""

import copy

import torch
from torch import nn

from cgan_lightning.models.conditioning import Embedding
from cgan_lightning.models.discriminator import Discriminator
from cgan_lightning.models.normalization import BatchNorm, batches_end_to_end


def test_it_is_pytorchs_but_for_the_count():
    torch.manual_seed(0)
    ours, theirs = BatchNorm(3, eps=0.8).double(), nn.BatchNorm2d(3, eps=0.8).double()
    maps = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    assert torch.equal(ours(maps), theirs(maps))
    assert torch.equal(ours.eval()(maps), theirs.eval()(maps))
    state, expected = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(expected), "files have the same names"
    assert (state.pop("num_batches_tracked"), expected.pop("num_batches_tracked")) == (0, 1)
    torch.testing.assert_close(state, expected, atol=0, rtol=0)


def test_two_batches_end_to_end_give_the_output_of_one_after_the_other():
    torch.manual_seed(0)
    together = Discriminator(conditioning=Embedding(num_classes=10, width=1)).double()
    apart = copy.deepcopy(together)
    real, fake = torch.randn(2, 8, 1, 28, 28, dtype=torch.float64)
    labels = torch.arange(8)
    with batches_end_to_end(2):
        logits = together(torch.cat([real, fake]), torch.cat([labels, labels]))
    expected = torch.cat([apart(real, labels), apart(fake, labels)])
    torch.testing.assert_close(logits, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(together.state_dict(), apart.state_dict(), atol=1e-12, rtol=0)
    gradients = [torch.autograd.grad(given.square().sum(), [*network.parameters()])
                 for given, network in ((logits, together), (expected, apart))]  # fmt: skip
    torch.testing.assert_close(*gradients, atol=1e-11, rtol=0)
    together.eval()
    with batches_end_to_end(2):
        in_eval = together(torch.cat([real, fake]), torch.cat([labels, labels]))
    torch.testing.assert_close(in_eval[:8], together(real, labels), atol=1e-12, rtol=0)


def test_synchronised_batch_norm_takes_one_at_a_time():
    network = Discriminator(conditioning=Embedding(num_classes=10, width=1))
    assert network.takes_two_batches
    assert not nn.SyncBatchNorm.convert_sync_batchnorm(network).takes_two_batches
