"""Measures a trained generator: `python -m cgan_lightning.evaluate checkpoint=RUN_FOLDER [key=value]`."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.evaluate")


def evaluate(config: DictConfig) -> None:
    """All metrics of `samples` pictures beside those of as many real ones; kept in the run's results.json."""
    from cgan_lightning.config import build  # torch takes seconds to import: not for --help or a mistake
    from cgan_lightning.data import fashion_mnist, sources
    from cgan_lightning.generation import checkpoint, output, sampling
    from cgan_lightning.metrics import judge as judges
    from cgan_lightning.metrics import suite, table
    from cgan_lightning.runtime import environment, results

    kept_in = results.place_of_evaluation(config.checkpoint, config.output)
    with build.evaluators(config) as ranks:
        device = build.device_named(config.device, rank=ranks.local_rank)
        trained = checkpoint.load(Path(config.checkpoint), weights=config.weights, device=device)
        judge = judges.load(Path(config.judge) if config.judge else judges.OURS, device)
        folder = sources.locate(Path(config.root).expanduser() if config.root else None)
        train, test = (fashion_mnist.tensors(folder, *split) for split in (fashion_mnist.TRAIN, fashion_mnist.TEST))

        classes = len(trained.class_names)
        with ranks.joined(logs=kept_in.parent):
            drawn = sampling.balanced(trained.network, trained.prior, classes, config.samples, seed=config.seed)
            seen = [suite.look(judge, *images) for images in (drawn, train, test)]
        if ranks.rank:
            return
        measured = suite.measure(*seen, seed=config.seed)
        if config.accuracy_score:
            for side, score in suite.accuracy_scores(drawn, train, test, seed=config.seed).items():
                measured[side]["accuracy_score"] = score
        protocol = {"samples": len(drawn[1]), "seed": config.seed, "weights": config.weights, "judge": judge.hash,
                    "reference": "test split, as many of each class", "pixels": "rounded to 8 bits"}  # fmt: skip
        results.keep_evaluation(kept_in, measured | {"protocol": protocol} | environment.describe(device))
        picture = kept_in.with_name("closest_pairs.png")
        output.write_pairs(picture, drawn[0], train[0], measured["samples"]["closest_pairs"])
    log.info("%s\n", table.text(measured, trained.class_names))
    log.info("%s samples, judge %s; kept in %s, nearest training images in %s", len(drawn[1]), judge.hash, kept_in, picture)


def main() -> None:
    command.run(evaluate, "evaluate")


if __name__ == "__main__":
    main()
