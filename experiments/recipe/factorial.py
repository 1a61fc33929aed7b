"""Main effects of several changes at once: a two-level design of candidates for experiments.recipe.search.

    python -m experiments.recipe.factorial > design.yaml      # the candidates, each with about half of the changes
    python -m experiments.recipe.search --candidates design.yaml --epochs 6 --jobs 14 trainer=gpu
    python -m experiments.recipe.factorial --effects          # of the lines in trials.jsonl

A candidate's name has a digit for each of CHANGES, 1 where it has the change. Every trial informs about every change, so that
16 trials tell more than 16 candidates with one change each; interactions are assumed to be small.
"""

import argparse
import sys

import numpy as np
from omegaconf import OmegaConf

from experiments.recipe import search

COMMON = [
    "experiment=small", "model=convolutional", "model.channels=128", "model.generator.maps=64", "model.generator.bn_eps=1e-5",
    "discriminator_label=hidden_projection", "optimizer.generator.decay_images=360_000",
    "optimizer.discriminator.decay_images=360_000", "callbacks.sample_grid.every_n_epochs=100", "validation.every_n_epochs=6",
]  # fmt: skip
CHANGES = {
    "256 channels": "model.channels=256",
    "bilinear": "upsampling=bilinear",
    "self-modulation": "generator_normalization=self_modulated",
    "96 maps": "model.generator.maps=96",
    "z of length 24": "model.latent_dim=24",
    "linear decay": "lr_schedule=linear",
    "D's learning rate 1e-3": "optimizer.discriminator.lr=1e-3",
    "gamma 0.05": "regularizer.gamma=0.05",
    "EMA of 30,000 images": "ema.halflife_images=30_000",
    "eps 0.1": "model.generator.bn_eps=0.1",
}
TRIALS, DRAWN = 28, 3000
METRICS = ("fid", "class_fid_mean", "precision", "recall", "coverage", "class_accuracy")


def design(seed: int = 20) -> np.ndarray:
    """Return (TRIALS, changes) of 0 and 1: of DRAWN random balanced designs, the one with the largest det(XᵀX)."""
    rng = np.random.default_rng(seed)
    halves = [0, 1] * (TRIALS // 2)
    drawn = [np.stack([rng.permutation(halves) for _ in CHANGES], axis=1) for _ in range(DRAWN)]
    return max(drawn, key=lambda levels: np.linalg.slogdet(_columns(levels).T @ _columns(levels))[1])


def _columns(levels: np.ndarray) -> np.ndarray:
    return np.c_[np.ones(len(levels)), 2 * levels - 1]


def effects() -> str:
    """Return a table: the least-squares effect of each change, with its standard error."""
    lines = [line for line in search.trials() if set(line["candidate"]) <= {"0", "1"}]
    columns = _columns(np.array([[int(digit) for digit in line["candidate"]] for line in lines]))
    inverse, rows = np.linalg.inv(columns.T @ columns), [["change", *METRICS], ["---"] * (1 + len(METRICS))]
    found = []
    for metric in METRICS:
        values = np.array([(line if metric == "fid" else line["against_training"])[metric] for line in lines])
        halves = inverse @ columns.T @ values
        variance = ((values - columns @ halves) ** 2).sum() / (len(lines) - len(halves))
        found.append((2 * halves, 2 * np.sqrt(variance * np.diag(inverse))))
    for number, change in enumerate(CHANGES, start=1):
        rows.append([change, *(f"{effect[number]:+.4f} ± {error[number]:.4f}" for effect, error in found)])
    return f"{len(lines)} trials\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effects", action="store_true", help="print the effects in trials.jsonl instead of the design")
    if parser.parse_args().effects:
        sys.stdout.write(effects() + "\n")
        return
    names = {
        "".join(map(str, row)): [override for override, level in zip(CHANGES.values(), row, strict=True) if level]
        for row in design().tolist()
    }
    sys.stdout.write(OmegaConf.to_yaml({"common": COMMON, "candidates": names}))


if __name__ == "__main__":
    main()
