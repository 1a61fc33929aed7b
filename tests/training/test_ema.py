import math

import pytest
import torch
from torch import nn

from cgan_lightning.training.ema import GeneratorEMA


def network(value: float) -> nn.Module:
    layer = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    with torch.no_grad():
        for tensor in layer.state_dict().values():
            tensor.fill_(value)
    return layer


def follow(ema: GeneratorEMA, target: nn.Module, *, images_seen: int, batch_size: int) -> None:
    ema.update(target, ema.weights(torch.tensor([images_seen]), batch_size=batch_size)[0].float())


def test_after_one_half_life_of_images_half_of_the_old_is_left():
    ema, target = GeneratorEMA(network(0.0), halflife_images=640.0), network(1.0)
    for _ in range(10):
        follow(ema, target, images_seen=10**9, batch_size=64)
    averaged = [tensor for tensor in ema.generator.state_dict().values() if tensor.is_floating_point()]
    assert len(averaged) == 6  # weights and batch norm's statistics
    for tensor in averaged:
        assert tensor.item() == pytest.approx(0.5, abs=1e-6)


def test_the_batch_size_makes_no_difference():
    one, many = GeneratorEMA(network(0.0), halflife_images=500.0), GeneratorEMA(network(0.0), halflife_images=500.0)
    follow(one, network(1.0), images_seen=10**9, batch_size=128)
    for _ in range(4):
        follow(many, network(1.0), images_seen=10**9, batch_size=32)
    torch.testing.assert_close(list(one.generator.parameters()), list(many.generator.parameters()))


def test_the_start_is_forgotten_early():
    ema = GeneratorEMA(network(0.0), halflife_images=10_000.0)
    follow(ema, network(1.0), images_seen=64, batch_size=64)
    assert ema.generator[0].weight.item() > 0.999


def test_a_start_that_is_worth_keeping_is_not_forgotten():
    ema = GeneratorEMA(network(0.0), halflife_images=640.0)
    ema.rampup = math.inf
    follow(ema, network(1.0), images_seen=64, batch_size=64)
    assert ema.generator[0].weight.item() == pytest.approx(1 - 0.5**0.1, abs=1e-6)


def test_it_is_no_part_of_training():
    source = network(0.0)
    ema = GeneratorEMA(source, halflife_images=1.0)
    assert not any(parameter.requires_grad for parameter in ema.parameters())
    assert all(parameter.requires_grad for parameter in source.parameters())
