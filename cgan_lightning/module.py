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
from cgan_lightning.augmentation import DiffAugment
from cgan_lightning.cuda_graph import Captured
from cgan_lightning.data.batches import Batch
from cgan_lightning.ema import GeneratorEMA
from cgan_lightning.learning_rate import LearningRate
from cgan_lightning.losses.adversarial import BinaryCrossEntropy, Loss
from cgan_lightning.losses.penalties import Judged, Penalty
from cgan_lightning.networks.discriminator import Judging

Images = Float[Tensor, "batch 1 size size"]
Labels = Int[Tensor, " batch"]
Latents = Float[Tensor, "batch latent"]
Draws = Float[Tensor, "batch draws"]
Prior = Callable[[int, int, torch.Generator], Tensor]  # (count, latent_dim, generator) → z
BCE = BinaryCrossEntropy()


class ConditionalGAN(LightningModule):
    """Trains G(z, y) against D(x, y) (Mirza and Osindero 2014); one batch is one update of each, a call has one or more.

    z and the labels of update u are functions of (seed, u) over the global batch, of which each rank takes its slice. Each
    phase averages the gradients of the network that it trains over the ranks, once; nothing is wrapped.
    One tick of `trainer.global_step` is one update of D, and of G at every `discriminator_updates`-th.
    Of a network whose parameters don't all require a gradient, the others stay as they are, those of D apart: all are trained.
    `penalty`, `augmentation` and `ema` may be None; `balanced` batches have as many labels of each class as of any other.
    """

    def __init__(
        self,
        *,
        generator: nn.Module,  # (z, labels) → images in [-1, 1]; has .latent_dim
        discriminator: Judging,  # (images, labels) → logits (batch,); has .verdict
        prior: Prior,
        num_classes: int,
        generator_optimizer: Callable[..., Optimizer],  # parameters → optimizer, whose lr is a tensor
        discriminator_optimizer: Callable[..., Optimizer],
        generator_lr: LearningRate,
        discriminator_lr: LearningRate,
        discriminator_updates: int = 1,
        loss: Loss = BCE,
        penalty: Penalty | None = None,
        augmentation: DiffAugment | None = None,
        balanced: bool = False,
        ema: GeneratorEMA | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator, self.ema = generator, discriminator, ema
        self.latent_dim = cast(int, generator.latent_dim)
        self.prior, self.num_classes, self.seed = prior, num_classes, seed
        self.loss, self.penalty, self.augmentation, self.balanced = loss, penalty, augmentation, balanced
        self.draws = augmentation.draws if augmentation else 0
        self.pairs = loss.pairs or (penalty is not None and penalty.mixes)  # the i-th real and fake are of one class
        self.discriminator_updates = discriminator_updates
        self.optimizers_of = {"generator": generator_optimizer, "discriminator": discriminator_optimizer}
        self.lr_of = {"generator": generator_lr, "discriminator": discriminator_lr}
        self._captured = Captured(self.updates)

    def configure_optimizers(self) -> list[Optimizer]:
        return [make(_trained(getattr(self, network))) for network, make in self.optimizers_of.items()]

    def on_train_start(self) -> None:
        for optimizer in cast(list[Optimizer], self.optimizers(use_pl_optimizer=False)):
            for group in optimizer.param_groups:  # a checkpoint brings what held when and where it was written
                group |= optimizer.defaults
                # PyTorch's fused kernel on CUDA reads the rate as float32, whatever its dtype says (fused_adam_impl.cu).
                group["lr"] = group["lr"].to(self.device, torch.float32 if self.device.type == "cuda" else None)
                if "capturable" in group:
                    group["capturable"] = self.device.type == "cuda"

    @property
    def best_generator(self) -> nn.Module:
        """What pictures are drawn with: the average where there is one."""
        return self.generator if self.ema is None else self.ema.generator

    def draw(self, update: int, like: Tensor) -> tuple[Float[Tensor, "batch latent"], Int[Tensor, " batch"]]:
        """z and labels of one update: this rank's slice of the global batch, on the device of `like`."""
        count = len(like) * self.trainer.world_size
        z = self.prior(count, self.latent_dim, seeding.generator(self.seed, "noise", update, like.device))
        classes = seeding.generator(self.seed, "labels", update, like.device)
        if self.balanced:
            labels = torch.randperm(self.num_classes, generator=classes, device=like.device)
            labels = labels.repeat(-(-count // self.num_classes))[:count]
        else:
            labels = torch.randint(self.num_classes, (count,), generator=classes, device=like.device)
        mine = slice(self.global_rank * len(like), (self.global_rank + 1) * len(like))
        return z[mine].to(like.dtype), labels[mine]

    def draw_uniform(self, update: int, like: Tensor) -> Float[Tensor, "batch draws"]:
        """What augmentations and penalties of one update take, uniform on [0, 1): this rank's slice."""
        draws = 3 * self.draws + (self.penalty is not None and self.penalty.mixes)
        source = seeding.generator(self.seed, "uniform", update, like.device)
        uniform = torch.rand(len(like) * self.trainer.world_size, draws, generator=source, device=like.device)
        return uniform[self.global_rank * len(like) : (self.global_rank + 1) * len(like)].to(like.dtype)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """As many updates as `batch` has batches; losses, D's outputs and gradients' norms of each, (updates,)."""
        real, labels = batch
        first, count = self.trainer.global_step, real.shape[1] * self.trainer.world_size
        z, fake_labels = zip(*(self.draw(first + each, real[each]) for each in range(len(real))), strict=True)
        uniform = torch.stack([self.draw_uniform(first + each, real[each]) for each in range(len(real))])
        before = count * torch.arange(first, first + len(real), device=real.device)
        rates = torch.stack([self.lr_of[network](before) for network in self.optimizers_of], dim=1)
        weights = before if self.ema is None else self.ema.weights(before + count, batch_size=count).to(real.dtype)
        # One launch in place of hundreds, on a GPU. Ranks exchange gradients in mid-update: they go on one by one.
        run = self._captured if real.is_cuda and len(real) > 1 and not collectives.several_ranks() else self.updates
        values = run(real, labels, torch.stack(z), labels if self.pairs else torch.stack(fake_labels), uniform, rates, weights)
        ticking = cast(list[LightningOptimizer], self.optimizers())[0]
        for _ in range(len(real)):  # as its step() would: Lightning counts these, and so do all our schedules
            ticking._on_before_step()
            ticking._on_after_step()
        return values

    def updates(self, *inputs: Tensor) -> dict[str, Tensor]:
        """One update after another on the rows of `inputs`, those of `update`."""
        first = self.trainer.global_step  # a captured call begins at a multiple of its size, as penalties and G's turns do
        values = [self.update(first + each, *rows) for each, rows in enumerate(zip(*inputs, strict=True))]
        return {name: torch.stack([each[name] for each in values]) for name in values[0]}

    def update(
        self, number: int, real: Images, labels: Labels, z: Latents, fake_labels: Labels, uniform: Draws,
        rates: Float[Tensor, "2"], ema_weight: Tensor,
    ) -> dict[str, Tensor]:  # fmt: skip
        """One update of each network, from inputs on the device alone."""
        torch.clear_autocast_cache()  # weights in half precision, from before the last update
        g_optimizer, d_optimizer = self._optimizers_at(rates)
        for_real, for_fake, for_fake_again = uniform[:, : 3 * self.draws].chunk(3, dim=1)
        gs_turn = (number + 1) % self.discriminator_updates == 0
        with torch.set_grad_enabled(gs_turn):
            fake = self.generator(z, fake_labels)

        # Discriminator: real up, fake down.
        penalised = self.penalty is not None and number % self.penalty.every == 0
        real_seen = self._judged(real, labels, for_real, follow=penalised)
        fake_seen = self._judged(fake.detach(), fake_labels, for_fake, follow=penalised)
        loss_d = self._loss_d(real_seen, fake_seen)
        if self.penalty and penalised:
            loss_d = loss_d + self.penalty(self.discriminator, real_seen, fake_seen, uniform[:, -1:]).mean()
        gradient_d = self._step(loss_d, self.discriminator, d_optimizer)

        # Generator: the same fakes up, judged by the discriminator just updated.
        loss_g, gradient_g = self._loss_g(real_seen, fake_seen), torch.zeros_like(gradient_d)
        if gs_turn:
            with _frozen(self.discriminator):
                real_again = self._judged(real, labels, for_real) if self.loss.pairs else real_seen
                loss_g = self._loss_g(real_again, self._judged(fake, fake_labels, for_fake_again))
            gradient_g = self._step(loss_g, self.generator, g_optimizer)

        # Average: what samples are drawn from.
        if self.ema is not None:
            self.ema.update(self.generator, ema_weight)

        real_output, fake_output = (self.loss.output(seen.logits.detach()).mean() for seen in (real_seen, fake_seen))
        losses = {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}
        return losses | {"d_real": real_output, "d_fake": fake_output, "gradient_d": gradient_d, "gradient_g": gradient_g}

    def _optimizers_at(self, rates: Tensor) -> list[Optimizer]:
        """The generator's and the discriminator's, at the learning rates of this update."""
        optimizers = cast(list[Optimizer], self.optimizers(use_pl_optimizer=False))
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"].copy_(rate)
        return optimizers

    def _loss_d(self, real: Judged, fake: Judged) -> Tensor:
        return (self.loss.d(real.logits, fake.logits) + real.label_losses + fake.label_losses).mean()

    def _loss_g(self, real: Judged, fake: Judged) -> Tensor:
        return (self.loss.g(fake.logits, real.logits) + fake.label_losses).mean()

    def _judged(self, images: Tensor, labels: Tensor, draws: Tensor, *, follow: bool = False) -> Judged:
        """What D says of `images`, augmented; `follow` keeps what a slope there needs."""
        images = images.detach().requires_grad_() if follow else images
        seen = self.augmentation(images, draws) if self.augmentation else images
        logits, label_losses = self.discriminator.verdict(seen, labels)
        return Judged(images, labels, logits, label_losses)

    def _step(self, loss: Tensor, network: nn.Module, optimizer: Optimizer) -> Tensor:
        """One step of `network` down `loss`, along the mean of all ranks' gradients; the norm of that mean."""
        optimizer.zero_grad()
        self.manual_backward(loss)
        gradient = [cast(Tensor, parameter.grad) for parameter in _trained(network)]
        collectives.average_(gradient)
        norm = nn.utils.get_total_norm(gradient)
        optimizer.step()
        return norm


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through `network` to its input, and none is computed for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
