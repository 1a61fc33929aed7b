"""A convolution whose gradient is differentiated again: PyTorch's own numbers, and a graph without its slow kernels."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cgan_lightning.models.convolution import Convolution, differentiable_twice

SHAPES = [  # in, out, kernel, stride, padding, groups, size
    (3, 5, 3, 2, 1, 1, 8),
    (3, 5, 3, 2, 1, 1, 7),
    (4, 6, 3, 1, 1, 1, 6),
    (4, 6, 1, 1, 0, 1, 6),
    (4, 4, 5, 1, 0, 4, 5),
]


def layer(inside, outside, kernel, stride, padding, groups):
    torch.manual_seed(0)
    return Convolution(inside, outside, kernel, stride=stride, padding=padding, groups=groups).double()


def slope_and_gradients(network, maps):
    """Gradients by all weights of a loss that has the squared slope at `maps` in it."""
    maps = maps.clone().requires_grad_()
    logits = network(maps).square().sum(dim=(1, 2, 3))
    (slope,) = torch.autograd.grad(logits.sum(), maps, create_graph=True)
    loss = F.softplus(logits).sum() + slope.square().sum()
    return [loss, slope, *torch.autograd.grad(loss, [*network.parameters()])]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradients_of_a_slope_are_pytorchs(shape):
    *of_layer, size = shape
    network = nn.Sequential(layer(*of_layer), nn.LeakyReLU(0.2))
    maps = torch.randn(3, shape[0], size, size, dtype=torch.float64)
    expected = slope_and_gradients(network, maps)
    with differentiable_twice():
        computed = slope_and_gradients(network, maps)
    torch.testing.assert_close(computed, expected, atol=1e-10, rtol=1e-12)


def test_two_layers_and_spectral_normalisation():
    network = nn.Sequential(layer(2, 4, 3, 2, 1, 1), nn.LeakyReLU(0.2), spectral_norm(layer(4, 3, 3, 1, 1, 1))).eval()
    maps = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    expected = slope_and_gradients(network, maps)
    with differentiable_twice():
        computed = slope_and_gradients(network, maps)
    torch.testing.assert_close(computed, expected, atol=1e-10, rtol=1e-12)


def test_in_half_precision_it_computes_in_half_precision():
    network, maps = layer(3, 5, 3, 2, 1, 1).float(), torch.randn(2, 3, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16), differentiable_twice():
        given = network(maps)
    assert given.dtype == torch.bfloat16
    torch.testing.assert_close(given.float(), network(maps), atol=0.05, rtol=0.05)
    given.float().square().sum().backward()
    assert network.weight.grad.dtype == maps.grad.dtype == torch.float32


def test_no_weight_is_summed_by_a_forward_convolution_with_a_kernel_as_large_as_the_map():
    """PyTorch's second derivative has one of 4 × 4 for maps of 4 × 4; ours has kernels of 3 × 3 alone."""
    network, maps = layer(3, 5, 3, 2, 1, 1), torch.randn(2, 3, 8, 8, dtype=torch.float64)

    def kernels(record):
        shapes = [event.input_shapes[1] for event in record.events() if event.name == "aten::convolution"]
        return {tuple(shape[2:]) for shape in shapes}

    with torch.profiler.profile(record_shapes=True) as plain:
        slope_and_gradients(network, maps)
    with differentiable_twice(), torch.profiler.profile(record_shapes=True) as ours:
        slope_and_gradients(network, maps)
    assert (4, 4) in kernels(plain)
    assert kernels(ours) == {(3, 3)}
