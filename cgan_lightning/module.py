"""The adversarial game as a LightningModule: the order of updates, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from jaxtyping import Float, Int
from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from cgan_lightning import collectives, seeding
from cgan_lightning.cuda_graph import Captured
from cgan_lightning.data.batches import Batch
from cgan_lightning.ema import GeneratorEMA
from cgan_lightning.losses.adversarial import bce_d, bce_g

Prior = Callable[[int, int, torch.Generator], Tensor]  # (count, latent_dim, generator) → z


class ConditionalGAN(LightningModule):
    """Trains G(z, y) against D(x, y) (Mirza and Osindero 2014); one batch is one update of each, a call has one or more.

    z and the labels of update u are functions of (seed, u) over the global batch, of which each rank takes its slice. Each
    phase averages the gradients of the network that it trains over the ranks, once; nothing is wrapped.
    One tick of `trainer.global_step` is one update of both networks. `ema` may be None.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,  # (z, labels) → images in [-1, 1]; has .latent_dim
        discriminator: nn.Module,  # (images, labels) → logits (batch,)
        prior: Prior,
        num_classes: int,
        generator_optimizer: Callable[..., Optimizer],  # parameters → optimizer
        discriminator_optimizer: Callable[..., Optimizer],
        ema: GeneratorEMA | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator, self.ema = generator, discriminator, ema
        self.latent_dim = cast(int, generator.latent_dim)
        self.prior, self.num_classes, self.seed = prior, num_classes, seed
        self.optimizers_of = {"generator": generator_optimizer, "discriminator": discriminator_optimizer}
        self._captured = Captured(self.updates)

    def configure_optimizers(self) -> list[Optimizer]:
        return [make(getattr(self, network).parameters()) for network, make in self.optimizers_of.items()]

    def on_train_start(self) -> None:
        for optimizer in cast(list[Optimizer], self.optimizers(use_pl_optimizer=False)):
            for group in optimizer.param_groups:  # a checkpoint brings what held when and where it was written
                group |= optimizer.defaults
                if "capturable" in group:
                    group["capturable"] = self.device.type == "cuda"

    @property
    def best_generator(self) -> nn.Module:
        """What pictures are drawn with: the average where there is one."""
        return self.generator if self.ema is None else self.ema.generator

    def draw(self, update: int, like: Tensor) -> tuple[Float[Tensor, "batch latent"], Int[Tensor, " batch"]]:
        """z and uniform labels of one update: this rank's slice of the global batch, on the device of `like`."""
        count = len(like) * self.trainer.world_size
        noise = seeding.generator(self.seed, "noise", update, like.device)
        classes = seeding.generator(self.seed, "labels", update, like.device)
        z = self.prior(count, self.latent_dim, noise)
        labels = torch.randint(self.num_classes, (count,), generator=classes, device=like.device)
        mine = slice(self.global_rank * len(like), (self.global_rank + 1) * len(like))
        return z[mine].to(like.dtype), labels[mine]

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """As many updates as `batch` has batches; losses, probabilities and gradients' norms of each, (updates,)."""
        real, labels = batch
        first, count = self.trainer.global_step, real.shape[1] * self.trainer.world_size
        z, fake_labels = zip(*(self.draw(first + each, real[each]) for each in range(len(real))), strict=True)
        images_seen = count * torch.arange(first + 1, first + 1 + len(real), device=real.device)
        weights = images_seen if self.ema is None else self.ema.weights(images_seen, batch_size=count).to(real.dtype)
        # One launch in place of hundreds, on a GPU. Ranks exchange gradients in mid-update: they go on one by one.
        run = self._captured if real.is_cuda and len(real) > 1 and not collectives.several_ranks() else self.updates
        values = run(real, labels, torch.stack(z), torch.stack(fake_labels), weights)
        ticking = cast(list[LightningOptimizer], self.optimizers())[0]
        for _ in range(len(real)):  # as its step() would: Lightning counts these, and so do all our schedules
            ticking._on_before_step()
            ticking._on_after_step()
        return values

    def updates(self, *inputs: Tensor) -> dict[str, Tensor]:
        """One update after another on the rows of `inputs`, those of `update`."""
        values = [self.update(*each) for each in zip(*inputs, strict=True)]
        return {name: torch.stack([each[name] for each in values]) for name in values[0]}

    def update(
        self,
        real: Float[Tensor, "batch 1 size size"],
        labels: Int[Tensor, " batch"],
        z: Float[Tensor, "batch latent"],
        fake_labels: Int[Tensor, " batch"],
        ema_weight: Tensor,
    ) -> dict[str, Tensor]:
        """One update of each network, from inputs on the device alone."""
        torch.clear_autocast_cache()  # weights in half precision, from before the last update
        g_optimizer, d_optimizer = cast(list[Optimizer], self.optimizers(use_pl_optimizer=False))
        fake = self.generator(z, fake_labels)

        # Discriminator: real up, fake down.
        real_logits = self.discriminator(real, labels)
        fake_logits = self.discriminator(fake.detach(), fake_labels)
        loss_d = bce_d(real_logits, fake_logits).mean()
        gradient_d = self._step(loss_d, self.discriminator, d_optimizer)

        # Generator: the same fakes up, judged by the discriminator just updated.
        with _frozen(self.discriminator):
            loss_g = bce_g(self.discriminator(fake, fake_labels)).mean()
        gradient_g = self._step(loss_g, self.generator, g_optimizer)

        # Average: what samples are drawn from.
        if self.ema is not None:
            self.ema.update(self.generator, ema_weight)

        return {
            "loss_d": loss_d.detach(),
            "loss_g": loss_g.detach(),
            "d_real": real_logits.detach().sigmoid().mean(),  # D(x), a probability
            "d_fake": fake_logits.detach().sigmoid().mean(),  # D(G(z)), before this update
            "gradient_d": gradient_d,
            "gradient_g": gradient_g,
        }

    def _step(self, loss: Tensor, network: nn.Module, optimizer: Optimizer) -> Tensor:
        """One step of `network` down `loss`, along the mean of all ranks' gradients; the norm of that mean."""
        optimizer.zero_grad()
        self.manual_backward(loss)
        gradient = [cast(Tensor, parameter.grad) for parameter in network.parameters()]
        collectives.average_(gradient)
        norm = nn.utils.get_total_norm(gradient)
        optimizer.step()
        return norm


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through `network` to its input, and none is computed for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
