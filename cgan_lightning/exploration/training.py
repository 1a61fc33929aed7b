"""mode=training: an animation of the sample grids of a run's training, with the same z throughout."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator, ImageEvent

from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import beside

TAG = "samples/overview"  # callbacks/sample_grid.py
WHOLE_MS, SHORTEST_MS, LONGEST_MS = 8000, 60, 500  # all frames together; bounds for one frame
END_MS = 2000  # added to the last frame


def explore(run: Path, output: Path) -> list[str]:
    """Write training.gif to `output`, with a frame for each sample grid in the run's events; return a message.

    Raises UserError if `run` is not a run folder with such events.
    """
    events = EventAccumulator(str(run), size_guidance={"images": 0}).Reload() if run.is_dir() else None
    if events is None or TAG not in events.Tags()["images"]:
        raise UserError(f"checkpoint={run}: mode=training needs a run folder with TensorBoard events of sample grids")
    kept = events.Images(TAG)
    frames = [Image.fromarray(beside([np.asarray(_image(event))], [f"after {event.step:,} updates"])) for event in kept]
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


def _image(event: ImageEvent) -> Image.Image:
    return Image.open(io.BytesIO(event.encoded_image_string))
