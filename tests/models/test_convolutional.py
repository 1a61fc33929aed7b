"""The generator with convolutions at every size, and the head that goes with it."""

import torch
from torch import nn
from torch.nn import functional as F

from cgan_lightning.models.conditioning import Embedding
from cgan_lightning.models.convolutional import ConvolutionalGenerator
from cgan_lightning.models.heads import HiddenProjection
from cgan_lightning.models.layers import NearestUpsample
from cgan_lightning.models.normalization import SCALED


def generator(**changes) -> ConvolutionalGenerator:
    conditioning = Embedding(num_classes=10, width=10)
    return ConvolutionalGenerator(latent_dim=16, channels=128, conditioning=conditioning, upsampling=NearestUpsample, **changes)


def sizes(network: nn.Module) -> list[tuple[int, ...]]:
    """What each convolution gives: (maps, height, width)."""
    found = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | NearestUpsample):
            layer.register_forward_hook(lambda _layer, _inputs, output: found.append(tuple(output.shape[1:])))
    network(torch.zeros(2, 16), torch.tensor([0, 1]))
    return found


def test_two_convolutions_at_each_size_and_one_for_the_image():
    assert sizes(generator()) == [(64, 14, 14), (64, 14, 14), (32, 28, 28), (32, 28, 28), (1, 28, 28)]
    assert sizes(generator(blocks=1)) == [(64, 14, 14), (32, 28, 28), (1, 28, 28)]
    assert sizes(generator(stages=3, image_size=64))[-3:] == [(32, 64, 64), (32, 64, 64), (1, 64, 64)], "32 at least"


def test_images_are_in_range_and_of_their_class():
    network = generator().eval()
    z, labels = torch.randn(4, 16), torch.tensor([0, 1, 2, 3])
    images = network(z, labels)
    assert images.shape == (4, 1, 28, 28)
    assert images.abs().max() <= 1
    assert not torch.allclose(images, network(z, labels.roll(1)))
    torch.testing.assert_close(images, network(z, F.one_hot(labels, 10).float()), msg="a label is an index or weights")


def test_a_hidden_projection_is_what_its_equation_says():
    head = HiddenProjection(8 * 9, 10, SCALED, hidden=5)
    features, labels = torch.randn(4, 8, 3, 3), torch.tensor([3, 0, 9, 3])
    logits, label_losses = head(features, labels)
    assert label_losses is None
    flat = features.flatten(1)
    hidden = F.leaky_relu(flat @ head.hidden.weight.T + head.hidden.bias, 0.2)
    for row, label in enumerate(labels):
        expected = (
            head.logit(hidden[row]) + head.classes.weight[label] @ flat[row] + head.hidden_classes.weight[label] @ hidden[row]
        )
        torch.testing.assert_close(logits[row], expected.squeeze())


def test_a_hidden_layer_sees_what_no_sum_does():
    """XOR of two features: a sum of features can't, whatever its weights."""
    torch.manual_seed(0)
    head = HiddenProjection(2, 1, SCALED, hidden=16)
    points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])[:, :, None, None]
    wanted, labels = torch.tensor([0.0, 1.0, 1.0, 0.0]), torch.zeros(4, dtype=torch.long)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(300):
        loss = F.binary_cross_entropy_with_logits(head(points, labels)[0], wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert ((head(points, labels)[0] > 0).float() == wanted).all()
