"""The LightningModule of adversarial training: the order of operations in an update."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from cgan_lightning.data.batches import Batch
from cgan_lightning.distributed import collectives
from cgan_lightning.models.convolution import differentiable_twice
from cgan_lightning.models.discriminator import ConditionalDiscriminator
from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.models.normalization import batches_end_to_end
from cgan_lightning.models.prior import Prior
from cgan_lightning.training.augmentation import Augmentation
from cgan_lightning.training.cuda_graph import CUDAGraphs, Result
from cgan_lightning.training.draws import Drawn, Draws
from cgan_lightning.training.due import planned_updates
from cgan_lightning.training.ema import GeneratorEMA
from cgan_lightning.training.losses import BinaryCrossEntropy, Loss, scores
from cgan_lightning.training.lr_schedule import LearningRate, rates_of
from cgan_lightning.training.penalties import DOutput, Images, Penalty
from cgan_lightning.training.user_trainer import UserTrainerModule

Labels = Int[Tensor, " batch"]
Uniform = Float[Tensor, "batch draws"]
DInput = tuple[Images, Labels, Uniform]  # images, labels, and the draws of the augmentation
BCE = BinaryCrossEntropy()


class Kind(NamedTuple):
    """The optional parts of an update."""

    penalised: bool  # D's loss has the penalty
    generator: bool  # G is updated
    measured: bool  # D's outputs and the gradient norms are returned


class ConditionalGAN(UserTrainerModule):
    """Train G(z, y) against D(x, y) (Mirza and Osindero 2014); one batch is one update of both, a step has one or more.

    z and the labels of update u are functions of (seed, u) for the global batch, of which each rank takes its slice. The
    gradients of each network are all-reduced once per update; there is no DDP wrapper. `trainer.global_step` counts updates of
    D; G is updated at every `discriminator_updates`-th of them. Parameters that do not require a gradient are not trained. For
    `balanced` and `class_shares` see `Draws`. With `cuda_graphs` an update on one GPU is launched as one CUDA graph.
    """

    def __init__(
        self,
        *,
        generator: ConditionalGenerator,
        discriminator: ConditionalDiscriminator,
        prior: Prior,
        num_classes: int,
        generator_optimizer: Callable[..., Optimizer],  # parameters → optimizer, whose lr is a tensor
        discriminator_optimizer: Callable[..., Optimizer],
        generator_lr: LearningRate,
        discriminator_lr: LearningRate,
        discriminator_updates: int = 1,
        loss: Loss = BCE,
        penalty: Penalty | None = None,
        augmentation: Augmentation | None = None,
        balanced: bool = False,
        ema: GeneratorEMA | None = None,
        seed: int = 0,
        cuda_graphs: bool = True,
        class_shares: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator, self.ema = generator, discriminator, ema
        self.latent_dim, self.num_classes, self.prior = generator.latent_dim, num_classes, prior
        self.loss, self.penalty, self.augmentation = loss, penalty, augmentation
        mixes = penalty is not None and penalty.mixes
        self.pairs = loss.pairs or mixes  # the i-th real and the i-th fake image are of one class
        self.of_augmentation = 3 * (augmentation.draws if augmentation else 0)  # uniform numbers: real, fake, and fake for G
        self.draws = Draws(
            prior=prior, latent_dim=self.latent_dim, num_classes=num_classes, balanced=balanced, seed=seed,
            uniforms=self.of_augmentation + mixes, class_shares=class_shares,
        )  # fmt: skip
        self.discriminator_updates = discriminator_updates
        self.optimizers_of = {"generator": generator_optimizer, "discriminator": discriminator_optimizer}
        self.lr_of = {"generator": generator_lr, "discriminator": discriminator_lr}
        self.cuda_graphs = cuda_graphs
        self.last_penalty: Tensor  # its mean per update, from the last update that had one; only for the log
        self.register_buffer("last_penalty", torch.zeros(()), persistent=False)
        self._as_graphs = CUDAGraphs(self.update)

    def configure_optimizers(self) -> list[Optimizer]:
        return [make(_trained(getattr(self, network))) for network, make in self.optimizers_of.items()]

    def on_train_start(self) -> None:
        for optimizer in self._optimizers():
            for group in optimizer.param_groups:  # a checkpoint restores the values of the run that wrote it
                group |= optimizer.defaults
                # PyTorch's fused kernel on CUDA reads lr as float32, regardless of its dtype (fused_adam_impl.cu).
                group["lr"] = group["lr"].to(self.device, torch.float32 if self.device.type == "cuda" else None)
                if "capturable" in group:
                    group["capturable"] = self.device.type == "cuda"

    def teardown(self, stage: str) -> None:
        self._as_graphs = CUDAGraphs(self.update)  # frees the memory of the graphs

    @property
    def best_generator(self) -> nn.Module:
        """The generator that samples are drawn from: the EMA if there is one."""
        return self.generator if self.ema is None else self.ema.generator

    def training_step(self, batch: Batch | tuple[Images, Labels], batch_idx: int) -> dict[str, Tensor]:
        """Run an update of `batch`, or of each row of one; return their losses, (updates,), and the last one's values, (1,)."""
        real, labels = batch if batch[0].dim() == 5 else (batch[0][None], batch[1][None])
        updates = range(self.trainer.global_step, self.trainer.global_step + len(real))
        kinds = [self.kind(update, measured=update == updates[-1]) for update in updates]
        # Gradients are all-reduced within an update, so that several ranks run without graphs.
        run = self._as_graphs if self.cuda_graphs and real.is_cuda and not collectives.several_ranks() else self._one_by_one
        losses, measured = run(kinds, self.inputs(real, labels, updates))
        optimizer = cast(list[LightningOptimizer], self.optimizers())[0]
        for _ in updates:  # as its step() would: these calls make up Lightning's global_step, which the schedules use
            optimizer._on_before_step()
            optimizer._on_after_step()
        values = {"loss_d": losses[:, 0], "loss_g": losses[:, 1]} | {name: value[None] for name, value in measured.items()}
        return self.logged(values, batch_size=real.shape[1])

    def kind(self, update: int, *, measured: bool) -> Kind:
        """Return the kind of update number `update` of the run, from 0."""
        penalised = self.penalty is not None and update % self.penalty.interval == 0
        return Kind(penalised=penalised, generator=(update + 1) % self.discriminator_updates == 0, measured=measured)

    def drawn(self, updates: range, count: int, device: torch.device) -> Drawn:
        """Return this rank's share, `count` images per update, of the draws for all ranks."""
        ranks = self.trainer.world_size
        return Drawn(*(each.chunk(ranks, dim=1)[self.global_rank] for each in self.draws(updates, count * ranks, device)))

    def inputs(
        self, real: Float[Tensor, "updates batch channels size size"], labels: Int[Tensor, "updates batch"], updates: range
    ) -> tuple[Tensor, ...]:
        """Return the inputs of `update` except its kind: a row for each of `updates`, on the device of `real`."""
        z, fake_labels, uniform = self.drawn(updates, real.shape[1], real.device)
        images = real.shape[1] * self.trainer.world_size  # of an update
        images_seen = images * torch.arange(updates.start, updates.stop, device=real.device)  # before each update
        rates = rates_of(self.lr_of.values(), images_seen, planned_images=images * planned_updates(self.trainer))
        rates = rates.to(self._optimizers()[0].param_groups[0]["lr"].dtype)
        weights = images_seen if self.ema is None else self.ema.weights(images_seen + images, batch_size=images)
        z, uniform, weights = (each.to(real.dtype) for each in (z, uniform, weights))
        return real, labels, z, labels if self.pairs else fake_labels, uniform, rates, weights

    def _one_by_one(self, kinds: list[Kind], inputs: tuple[Tensor, ...]) -> Result:
        done = [self.update(kind, *rows) for kind, rows in zip(kinds, zip(*inputs, strict=True), strict=True)]
        return torch.stack([losses for losses, _ in done]), done[-1][1]

    def update(
        self, kind: Kind, real: Images, labels: Labels, z: Float[Tensor, "batch latent"], fake_labels: Labels, uniform: Uniform,
        rates: Float[Tensor, "2"], ema_weight: Tensor,
    ) -> Result:  # fmt: skip
        """Update both networks, from inputs on the device only; return the losses of D and G, and the measured values."""
        g_optimizer, d_optimizer = self._optimizers_at(rates)
        for_real, for_fake, for_fake_again = uniform[:, : self.of_augmentation].chunk(3, dim=1)
        with torch.set_grad_enabled(kind.generator):
            fake = self.generator(z, fake_labels)

        # Discriminator: raise the logits of real images, lower those of fake ones.
        penalty = self.penalty if kind.penalised else None
        with differentiable_twice() if penalty else nullcontext():
            real_output, fake_output = self._discriminate_both(
                (real, labels, for_real), (fake.detach(), fake_labels, for_fake), penalty
            )
            loss_d = self._loss_d(real_output, fake_output)
            if penalty:
                added = penalty(self.discriminator, real_output, fake_output, uniform[:, self.of_augmentation :]).mean()
                loss_d = loss_d + added
                self.last_penalty.copy_(added.detach() / penalty.interval)
        gradient_d = self._step(loss_d, self.discriminator, d_optimizer)

        # Generator: raise the logits of the same fake images, by the updated discriminator.
        if kind.generator:
            real_output_again = self._discriminate((real, labels, for_real)) if self.loss.pairs else real_output
            loss_g = self._loss_g(real_output_again, self._discriminate((fake, fake_labels, for_fake_again)))
            gradient_g = self._step(loss_g, self.generator, g_optimizer)
        else:
            loss_g, gradient_g = self._loss_g(real_output, fake_output), [torch.zeros_like(loss_d)]

        if self.ema is not None:
            self.ema.update(self.generator, ema_weight)

        losses = torch.stack([loss_d.detach(), loss_g.detach()])
        return losses, self._measured(real_output, fake_output, gradient_d, gradient_g) if kind.measured else {}

    def _measured(self, real: DOutput, fake: DOutput, gradient_d: list[Tensor], gradient_g: list[Tensor]) -> dict[str, Tensor]:
        measured = scores(self.loss, real.logits.detach(), fake.logits.detach())
        measured |= {} if self.penalty is None else {"penalty": self.last_penalty.clone()}
        norms = {name: nn.utils.get_total_norm(each) for name, each in (("gradient_d", gradient_d), ("gradient_g", gradient_g))}
        return measured | norms

    def _optimizers(self) -> list[Optimizer]:
        """The optimizers of the generator and the discriminator."""
        return cast(list[Optimizer], self.optimizers(use_pl_optimizer=False))

    def _optimizers_at(self, rates: Tensor) -> list[Optimizer]:
        """The same, with the learning rates of this update."""
        optimizers = self._optimizers()
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"].copy_(rate)
        return optimizers

    def _loss_d(self, real: DOutput, fake: DOutput) -> Tensor:
        losses = self.loss.d(real.logits, fake.logits)
        if real.label_losses is not None and fake.label_losses is not None:
            losses = losses + real.label_losses + fake.label_losses
        return losses.mean()

    def _loss_g(self, real: DOutput, fake: DOutput) -> Tensor:
        losses = self.loss.g(fake.logits, real.logits)
        return (losses if fake.label_losses is None else losses + fake.label_losses).mean()

    def _discriminate_both(self, real: DInput, fake: DInput, penalty: Penalty | None) -> tuple[DOutput, DOutput]:
        """Run D on both in one pass, with half the launches; in two passes if a penalty needs D's gradient at one of them."""
        on_real, on_fake = (penalty.on_real, penalty.on_fake) if penalty else (False, False)
        if on_real or on_fake or not self.discriminator.takes_two_batches:
            return self._discriminate(real, differentiate=on_real), self._discriminate(fake, differentiate=on_fake)
        images, labels, draws = (torch.cat(each) for each in zip(real, fake, strict=True))
        with batches_end_to_end(2):
            both, count = self._discriminate((images, labels, draws)), len(labels) // 2
        return both.rows(slice(count)), both.rows(slice(count, None))

    def _discriminate(self, inputs: DInput, *, differentiate: bool = False) -> DOutput:
        """Return D's output for augmented images; with `differentiate` the images require a gradient."""
        images, labels, draws = inputs
        images = images.detach().requires_grad_() if differentiate else images
        augmented = self.augmentation(images, draws) if self.augmentation else images
        return DOutput(images, labels, *self.discriminator.with_label_losses(augmented, labels))

    def _step(self, loss: Tensor, network: nn.Module, optimizer: Optimizer) -> list[Tensor]:
        """Take one optimizer step with the mean gradient over all ranks, and return that gradient."""
        parameters = _trained(network)
        optimizer.zero_grad()
        self.manual_backward(loss, inputs=parameters)
        gradient = [cast(Tensor, parameter.grad) for parameter in parameters]
        collectives.average_(gradient)
        optimizer.step()
        torch.clear_autocast_cache()  # the cached half-precision weights are outdated
        return gradient


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
