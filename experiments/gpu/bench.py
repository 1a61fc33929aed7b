"""Speeds of a plain script, a bare loop and `train`, in sequence in this process: batches of 64 and 512, both recipes."""

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

from cgan_lightning.utils.device import device_named
from cgan_lightning.utils.files import write_json
from experiments.bench import plain_script
from experiments.bench.speed import CONTESTANTS, measure

CHANNELS = {"documented": 128, "default": 256}
IMAGES = {"gpu": {64: 400_000, 512: 1_000_000}, "cpu": {64: 320}}  # per measurement, by batch size


def main() -> None:
    file, device = Path(sys.argv[1]), sys.argv[2]
    device_named(device, "device")
    found: list[dict[str, Any]] = []
    plain: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        plain_script.lay_out_data(Path(name))
        for (recipe, channels), (batch_size, images) in itertools.product(CHANNELS.items(), IMAGES[device].items()):
            size: dict[str, Any] = {"recipe": recipe, "channels": channels, "batch_size": batch_size}
            record = size | {"images_per_second": {}, "peak_memory_mib": {}}
            for contestant in CONTESTANTS:
                if contestant == "plain script" and batch_size in plain:  # it has one recipe only
                    record["images_per_second"][contestant] = plain[batch_size]
                    continue
                result = measure(contestant, Path(name), size, images // batch_size, device)
                for key, value in result.items():
                    record[key][contestant] = value
                print(f"{recipe}, batch {batch_size}, {contestant}: {result['images_per_second']:,.0f} images/s", flush=True)
                write_json(file, [*found, record])
            speeds = record["images_per_second"]
            plain[batch_size] = speeds["plain script"]
            record["ratios"] = {f"train / {other}": speeds["train"] / speeds[other] for other in ("plain script", "bare loop")}
            record["seconds_an_epoch"] = 60_000 / speeds["train"]
            found.append(record)
            write_json(file, found)


if __name__ == "__main__":
    main()
