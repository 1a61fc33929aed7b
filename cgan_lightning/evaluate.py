"""Evaluate a trained generator: `python -m cgan_lightning.evaluate checkpoint=RUN_FOLDER [key=value]`."""

import itertools
import logging

from omegaconf import DictConfig

from cgan_lightning.config import command

log = logging.getLogger("cgan_lightning.evaluate")


def evaluate(config: DictConfig) -> None:
    """Compute all metrics of `samples` images and of as many real ones, and save them in the run's results.json.

    For a sweep's folder, evaluate each finished run that has no such evaluation yet.
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
        evaluations = build.evaluations(config, places, rank=ranks.local_rank)
        todo = [  # also reports an invalid file early
            (each, [place for place in those if not each.is_kept(*place) or alone]) for each, those in evaluations
        ]
        number, count = itertools.count(1), sum(len(those) for _, those in todo)
        if not count:
            log.info("All %s finished runs already have this evaluation", len(places))
            return
        with ranks.process_group(logs=places[0][1].parent):
            for evaluation, those in todo:
                real = evaluation.real()
                for generator, kept_in in those:
                    drawn = evaluation.drawn(generator)
                    if ranks.rank:
                        continue
                    result = evaluation.measured(drawn, real)
                    nearest = evaluation.keep(result, drawn, kept_in)
                    line = f"{next(number)}/{count}  {generator.name}  {table.line(result['samples'])}"
                    log.info("%s", table.text(result, drawn.class_names, drawn.classes.tolist()) if alone else line)
                    if alone:
                        extractor = f"{evaluation.extractor.hash}, of {evaluation.spec.title}"
                        log.info(
                            "\nFeature extractor: %s\nSaved to %s; nearest training images: %s", extractor, kept_in, nearest
                        )


def main() -> None:
    command.run(evaluate, "evaluate")


if __name__ == "__main__":
    main()
