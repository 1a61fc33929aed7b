"""Images/s of a whole sweep, from start to end, with hydra/launcher=pool and k jobs at a time on each device.

`make bench-pool ARGS="--jobs 8 --at-a-time 1 2 4 8"`. Appends a line to experiments/bench/results/pool.jsonl.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cgan_lightning.storage import environment
from cgan_lightning.utils.device import device_named

RESULTS = Path(__file__).parent / "results" / "pool.jsonl"


def images_per_second(
    folder: Path, *, jobs: int, at_a_time: int, updates: int, channels: int = 128, batch_size: int = 64, device: str = "auto"
) -> dict[str, float]:
    """Return images/s of all jobs: `whole`, which includes process start and final samples, and `training`, the sum of the
    jobs' own values times the share of jobs that train at the same time.
    """
    command = [
        *(sys.executable, "-m", "cgan_lightning.train", "-m", "experiment=documented", "hydra/launcher=pool"),
        *(f"hydra.launcher.jobs_per_device={at_a_time}", f"seed=range({jobs})", f"run_root={folder}", f"trainer={device}"),
        *(f"model.channels={channels}", f"data.batch_size={batch_size}"),
        *(f"trainer.max_steps={updates}", "validation.every_n_epochs=null"),
    ]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603
    seconds = time.perf_counter() - begun
    own = [json.loads(path.read_text())["images_per_second"] for path in folder.glob("*/results.json")]
    return {"whole": jobs * updates * batch_size / seconds, "training": sum(own) * at_a_time / jobs}


def main() -> None:
    device = device_named("auto")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--at-a-time", type=int, nargs="+", default=[1, 2, 4, 8] if device.type == "cuda" else [1, 2])
    parser.add_argument("--updates", type=int, default=2000 if device.type == "cuda" else 100, help="updates of each job")
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()

    speeds: dict[int, dict[str, float]] = {}
    for at_a_time in options.at_a_time:
        size = {key: value for key, value in vars(options).items() if key != "at_a_time"}
        with tempfile.TemporaryDirectory() as name:
            speeds[at_a_time] = images_per_second(Path(name), at_a_time=at_a_time, **size)
        print(f"{at_a_time} at a time: {speeds[at_a_time]['whole']:8,.0f} images/s", flush=True)

    record = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **vars(options), "images_per_second": speeds}
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(record | environment.describe(device)) + "\n")


if __name__ == "__main__":
    main()
