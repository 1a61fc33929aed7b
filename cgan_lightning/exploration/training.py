"""mode=training: the sample grid over a run's training, the same z throughout, as one moving picture."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator, ImageEvent

from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import beside

TAG = "samples/overview"  # callbacks/sample_grid.py
WHOLE_MS, SHORTEST_MS, LONGEST_MS = 8000, 60, 500  # all frames together; one of them
END_MS = 2000  # of the last one, beside that


def explore(run: Path, output: Path) -> list[str]:
    """training.gif in `output`, a frame for each sample grid that the run's events keep; a sentence on it.

    Raises UserError for what is no run folder with such events.
    """
    events = EventAccumulator(str(run), size_guidance={"images": 0}).Reload() if run.is_dir() else None
    if events is None or TAG not in events.Tags()["images"]:
        raise UserError(f"checkpoint={run}: mode=training needs a run folder with TensorBoard's events, which keep the samples")
    kept = events.Images(TAG)
    frames = [Image.fromarray(beside([np.asarray(_sheet(event))], [_title(event.step)])) for event in kept]
    each = min(LONGEST_MS, max(SHORTEST_MS, WHOLE_MS // len(frames)))
    output.mkdir(parents=True, exist_ok=True)
    write_atomically(
        output / "training.gif",
        lambda path: frames[0].save(
            path, format="GIF", save_all=True, append_images=frames[1:], loop=0,
            duration=[*[each] * (len(frames) - 1), each + END_MS],
        ),
    )  # fmt: skip
    summary = f"{len(frames)} sample grids, from update {kept[0].step:,} to {kept[-1].step:,}"
    return [f"{output / 'training.gif'}: {summary}, the same z throughout"]


def _sheet(event: ImageEvent) -> Image.Image:
    return Image.open(io.BytesIO(event.encoded_image_string)).convert("L")


def _title(updates: int) -> str:
    return f"after {updates:,} updates"
