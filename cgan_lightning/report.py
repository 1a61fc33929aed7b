"""Compare runs: `python -m cgan_lightning.report runs=SWEEP_FOLDER|[RUN,RUN]|PATTERN [key=value]`."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from cgan_lightning.config import command
from cgan_lightning.storage import writable
from cgan_lightning.utils.errors import UserError

log = logging.getLogger("cgan_lightning.report")


def report(config: DictConfig) -> None:
    """Write report.html, results.csv, results.md and samples.png, and log the conclusions."""
    try:
        with command.loading():
            from cgan_lightning.reporting import collect, page  # pandas, scipy, matplotlib: an optional extra
    except ModuleNotFoundError as error:
        raise UserError(f"report needs {error.name}: pip install 'cgan-lightning[report]'") from None

    runs: Any = OmegaConf.to_container(config.runs) if isinstance(config.runs, ListConfig) else config.runs
    study = collect.study(runs)
    folder = Path(config.output or study.folder)
    writable.folder(folder, f"output={folder}")
    complete = "fid" in study.measured and not any(study.finished["fid"].isna())
    metric = config.metric or ("fid" if complete else "val_best_fid")
    if metric not in study.measured:
        raise UserError(f"metric={metric}: no finished run has it; available: {', '.join(study.measured) or 'none'}")
    result = page.find(study, metric, config.threshold)
    page.write(study, result, folder)
    for remark in study.remarks:
        log.warning("%s", remark)
    for sentence in page.sentences(study, result):
        log.info("%s", sentence)
    log.info("%s of %s runs: %s", len(study.finished), len(study.runs), folder / "report.html")


def main() -> None:
    command.run(report, "report")


if __name__ == "__main__":
    main()
