"""Evaluate a trained generator: `python -m cgan_lightning.evaluate checkpoint=RUN_FOLDER [key=value]`."""

import logging
from typing import Any

from omegaconf import DictConfig

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.evaluate")


def evaluate(config: DictConfig) -> dict[str, Any] | None:
    """Compute all metrics of `samples` images and of as many real ones, and save them in the run's results.json.

    Return those of a single run. For a sweep's folder, evaluate each finished run that has no such evaluation yet.
    """
    command.say_what_loads()
    from cgan_lightning.config import build_evaluation as build  # torch takes seconds to import: not for --help or errors
    from cgan_lightning.evaluation import table
    from cgan_lightning.storage import memory, results, writable

    places = results.places_of_evaluation(config.checkpoint, config.output)
    for _, place in places:
        writable.file(place, f"output={place}")
    alone = len(places) == 1
    with build.ranks(config) as ranks, memory.advice(f"lower samples={config.samples}, or take device=cpu"):
        evaluation = build.evaluation(config, rank=ranks.local_rank)
        todo = [place for place in places if not evaluation.is_kept(*place) or alone]  # reports an invalid file early
        if not todo:
            log.info("All %s finished runs already have this evaluation", len(places))
            return None
        with ranks.process_group(logs=todo[0][1].parent):
            real = evaluation.real()
            for number, (generator, kept_in) in enumerate(todo, 1):
                drawn = evaluation.drawn(generator)
                if ranks.rank == 0:
                    result = evaluation.measured(drawn, real)
                    nearest = evaluation.keep(result, drawn, kept_in)
                    line = f"{number}/{len(todo)}  {generator.name}  {table.line(result['samples'])}"
                    log.info("%s", table.text(result, drawn.class_names) if alone else line)
                    if alone:
                        log.info("\nSaved to %s; nearest training images: %s", kept_in, nearest)
                        return result
    return None


def main() -> None:
    command.run(evaluate, "evaluate")


if __name__ == "__main__":
    main()
