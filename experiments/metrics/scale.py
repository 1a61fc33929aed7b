"""`python -m experiments.metrics.scale RUN_FOLDER`: the table of docs/metrics.md, as Markdown.

Real training images, a trained generator, its samples with shuffled labels, and noise, 10,000 each, against the test set.
"""

import sys
from pathlib import Path

import torch

from cgan_lightning.data import splits
from cgan_lightning.evaluation import feature_extractor, suite, table
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.utils import seeding

COUNT = 10_000


def main() -> None:
    trained = generator_file.load(Path(sys.argv[1]))
    train, test = splits.of_training(), splits.of_test()
    pixels, labels = sampling.balanced(trained.network, trained.prior, 10, COUNT, seed=0)
    draws = seeding.generator(0, "scale")
    noise = torch.randint(256, pixels.shape, generator=draws).to(torch.uint8)
    drawn = {
        "generator": (pixels, labels),
        "labels shuffled": (pixels, labels[torch.randperm(COUNT, generator=draws)]),
        "noise": (noise, labels),
    }
    extractor = feature_extractor.load()
    real, held_out = suite.features_of(extractor, *train), suite.features_of(extractor, *test)
    columns = {"real": suite.real_baseline(real, held_out, COUNT // 10, seed=0)}
    columns |= {
        name: suite.measure(suite.features_of(extractor, *each), real, held_out, seed=0) for name, each in drawn.items()
    }
    print("| | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for key, row in table.ROWS.items():
        if key in columns["real"]:
            cells = [row.show(column[key]) for column in columns.values()]
            print(f"| {row.title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
