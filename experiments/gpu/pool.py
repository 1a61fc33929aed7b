"""Sweeps with hydra/launcher=pool: 8, 4, 2 and 1 jobs at the same time on one device."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from cgan_lightning.utils.files import write_json
from experiments.bench.pool import images_per_second

JOBS = {"gpu": (8, 4, 2, 1), "cpu": (2,)}
UPDATES = {"gpu": 2_000, "cpu": 10}  # of each job


def main() -> None:
    file, device = Path(sys.argv[1]), sys.argv[2]
    result: list[dict[str, Any]] = []
    for jobs in JOBS[device]:
        with tempfile.TemporaryDirectory() as name:
            speeds = images_per_second(Path(name), jobs=jobs, at_a_time=jobs, updates=UPDATES[device], device=device)
        result.append({"jobs": jobs, "updates": UPDATES[device], **speeds})
        speed = f"{speeds['training']:,.0f} images/s while training, {speeds['whole']:,.0f} from start to end"
        print(f"{jobs} jobs: {speed}", flush=True)
        write_json(file, result)


if __name__ == "__main__":
    main()
