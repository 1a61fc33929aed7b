"""All tests and measurements for this machine's GPU, in nine minutes: `python -m experiments.gpu OUT`.

Tests, speeds, kernels, a pool and the default recipe. Each step is a process with its own time limit and writes results as they
come to OUT/STEP.json and OUT/STEP.log; if one fails or exceeds its limit, the others still run. OUT/gpu.json has all results,
and a table is printed at the end. Needs Python with PyTorch, Lightning, hydra-core, omegaconf, antlr4 and beartype (for the
tests also pytest, hypothesis and jaxtyping), but no network if the data is cached, and no installation of this project.
`--device cpu` runs a smaller version to check the command itself.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cgan_lightning.storage import environment
from cgan_lightning.utils.device import device_named
from cgan_lightning.utils.files import write_json
from experiments.gpu import table

ROOT = Path(__file__).parents[2]
ON_CPU = 6  # factor of the time limits on a CPU


@dataclass(frozen=True)
class Step:
    name: str
    limit_s: float
    module: str  # run as python -m MODULE OUT/NAME.json DEVICE


STEPS = (
    Step("tests", 180, "experiments.gpu.tests"),
    Step("bench", 120, "experiments.gpu.bench"),
    Step("profile", 30, "experiments.gpu.profile"),
    Step("pool", 90, "experiments.gpu.pool"),
    Step("recipe", 90, "experiments.gpu.recipe"),
)


def run(step: Step, out: Path, device: str) -> dict[str, Any]:
    """Run a step's process; return how it ended, its duration and its results."""
    limit_s = step.limit_s * (ON_CPU if device == "cpu" else 1)
    print(f"\n== {step.name}: at most {limit_s:.0f} s", flush=True)
    begun, file = time.monotonic(), out / f"{step.name}.json"
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, "-m", step.module, str(file), device]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
    shown = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with (out / f"{step.name}.log").open("w") as log, subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, start_new_session=True, **shown
    ) as process:  # fmt: skip
        late = threading.Timer(limit_s, lambda: os.killpg(process.pid, signal.SIGKILL))
        late.start()
        for line in process.stdout or ():
            print(line, end="", flush=True)
            log.write(line)
        code = process.wait()
        late.cancel()
    seconds = time.monotonic() - begun
    ended = "finished" if code == 0 else f"exit code {code}"
    if code == -signal.SIGKILL and seconds >= limit_s:
        ended = f"not done in {limit_s:.0f} s"
    print(f"== {step.name}: {ended}, {seconds:.0f} s", flush=True)
    return {"ended": ended, "seconds": round(seconds, 1), "found": json.loads(file.read_text()) if file.is_file() else None}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the results")
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    parser.add_argument("--steps", nargs="+", choices=[step.name for step in STEPS], default=[step.name for step in STEPS])
    options = parser.parse_args()
    out = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    device = device_named(options.device, "--device")
    when = {"time": datetime.now(UTC).isoformat(timespec="seconds")}
    record: dict[str, Any] = when | environment.describe(device) | {"steps": {}}
    for step in STEPS:
        if step.name in options.steps:
            record["steps"][step.name] = run(step, out, options.device)
            write_json(out / "gpu.json", record)
    print(f"\n{table.of(record)}\n{out / 'gpu.json'}")
    return 0 if all(step["ended"] == "finished" for step in record["steps"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
