"""Evaluate a trained generator: `python -m cgan_lightning.evaluate checkpoint=RUN_FOLDER [key=value]`."""

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.evaluate")


def evaluate(config: DictConfig) -> dict[str, Any] | None:
    """Compute all metrics of `samples` images and of as many real ones, save them in the run's results.json, and return them.

    For a sweep's folder, evaluate each finished run that has no such evaluation yet, and return None.
    """
    with command.loading():
        from cgan_lightning.config import build_evaluation as build  # torch takes seconds to import: not for --help or errors
        from cgan_lightning.storage import memory, results, writable

    pairs = results.evaluation_paths(config.checkpoint, config.output)
    for _, path in pairs:
        writable.file(path, f"output={path}")
    alone = len(pairs) == 1
    with build.ranks(config) as ranks, memory.advice(f"lower samples={config.samples}, or take device=cpu"):
        evaluations = build.evaluations(config, pairs, rank=ranks.local_rank)
        todo = [  # also reports an invalid file early
            (each, [pair for pair in those if not each.is_kept(*pair) or alone]) for each, those in evaluations
        ]
        if not any(those for _, those in todo):
            log.info("All %s finished runs already have this evaluation", len(pairs))
            return None
        with ranks.process_group(logs=pairs[0][1].parent):
            return _measured(todo, rank=ranks.rank, alone=alone)


def _measured(todo: Sequence[tuple[Any, Sequence[tuple[Path, Path]]]], *, rank: int, alone: bool) -> dict[str, Any] | None:
    """Measure and save (generator, results) pairs by the evaluation of their data set; return the result of a single one."""
    from cgan_lightning.evaluation import table

    number, count = itertools.count(1), sum(len(those) for _, those in todo)
    for evaluation, those in todo:
        real = evaluation.real() if those else None
        for generator, path in those:
            drawn = evaluation.drawn(generator)
            if rank:
                continue
            result = evaluation.measured(drawn, real)
            nearest = evaluation.keep(result, drawn, path)
            if alone:
                log.info("%s\n", table.text(result, drawn.class_names, drawn.classes.tolist()))
                of = f"Feature extractor: {evaluation.extractor.hash}, of {evaluation.spec.title}"
                log.info("%s\nSaved to %s; nearest training images: %s", of, path, nearest)
                return result
            log.info("%s/%s  %s  %s", next(number), count, generator.name, table.line(result["samples"]))
    return None


def main() -> None:
    command.run(evaluate, "evaluate")


if __name__ == "__main__":
    main()
