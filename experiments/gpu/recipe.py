"""The default recipe for 25 epochs with validation after each; then, if time allows, without TF32 and in bfloat16."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cgan_lightning.config import identity
from cgan_lightning.config.compose import compose
from cgan_lightning.train import train
from cgan_lightning.utils.files import write_json

VARIANTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "float32 throughout": ("trainer.tf32=false",),
    "bf16-mixed": ("trainer.precision=bf16-mixed",),
}


def main() -> None:
    file, device = Path(sys.argv[1]), sys.argv[2]
    result: list[dict[str, Any]] = []
    for name, overrides in VARIANTS.items() if device == "gpu" else [("default", ())]:
        with tempfile.TemporaryDirectory() as folder:
            small = () if device == "gpu" else ("experiment=quick", "data.limit=512", "validation.samples=100")
            config = compose(*small, *overrides, f"trainer={device}", f"run_root={folder}")
            begun = time.perf_counter()
            train(config)
            seconds = time.perf_counter() - begun
            results = json.loads(identity.run_folder(config).results.read_text())
        kept = ("epochs", "images_per_second", "job_peak_memory_mib", "metrics", "validation")
        result.append({"variant": name, "seconds": seconds, **{key: results[key] for key in kept}})
        print(f"{name}: {seconds:.1f} s, FID {results['metrics']['fid']:.3f}", flush=True)
        write_json(file, result)


if __name__ == "__main__":
    main()
