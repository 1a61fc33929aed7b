"""Binary cross-entropy on logits. softplus(x) = log(1 + exp(x)), so that no sigmoid saturates before its logarithm."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


def bce_d(real_logits: Float[Tensor, " batch"], fake_logits: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """-log D(x) - log(1 - D(G(z))), Goodfellow et al. 2014, equation 1; Mirza and Osindero 2014, equation 2, for labels."""
    return softplus(-real_logits) + softplus(fake_logits)


def bce_g(fake_logits: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """-log D(G(z)), the non-saturating form: Goodfellow et al. 2014, section 3."""
    return softplus(-fake_logits)
