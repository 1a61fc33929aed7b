"""Metrics as text for people."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cgan_lightning import registry


class Row(NamedTuple):
    """The title, format and better direction, if any, of a metric; its value is shown multiplied by `scale`."""

    name: str
    form: str
    better: str = ""  # lower, higher
    scale: float = 1

    @property
    def title(self) -> str:
        return self.name + (f" ({self.better} is better)" if self.better else "")

    def show(self, value: float) -> str:
        return self.form.format(value * self.scale)


ROWS = {
    **{name: Row(each.title, each.form, each.better, each.scale) for name, each in registry.metrics().items()},
    "fid_to_train": Row("FID to training images", "{:.3f}"),
    "inception_fid": Row("FID by Inception-v3", "{:.2f}", "lower"),
    "inception_kid": Row("KID by Inception-v3 × 1000", "{:.2f}", "lower", 1000),
    "accuracy_score": Row("classification accuracy score, %", "{:.1f}", "higher", 100),
    "nearest_train_ratio": Row("distance to training images, ratio", "{:.2f}"),
    "path_length_along_z": Row("path length along z", "{:.1f}", "lower"),
    "largest_share_along_z": Row("largest of 16 steps along z, %", "{:.1f}", "lower", 100),
    "path_length_along_label": Row("path length along the label", "{:.1f}", "lower"),
    "largest_share_along_label": Row("largest of 16 steps along the label, %", "{:.1f}", "lower", 100),
}


def line(values: Mapping[str, Any]) -> str:
    """Return FID and class accuracy on one line."""
    return "  ".join(f"{ROWS[name].name} {ROWS[name].show(values[name])}" for name in ("fid", "class_accuracy"))


def text(measured: Mapping[str, Mapping[str, Any]], names: Sequence[str], classes: Sequence[int]) -> str:
    """Return a table of samples and real images by metric, and one of FID and accuracy by class.

    `classes` are the feature extractor's indices of the classes with these `names`.
    """
    width = max(len(row.title) for row in ROWS.values())
    lines = [f"{'':<{width}}  {'samples':>9}  {'real':>9}"]
    for key, row in ROWS.items():
        if key in measured["samples"]:
            cells = (row.show(measured[side][key]) if key in measured[side] else "" for side in ("samples", "real_baseline"))
            lines.append(f"{row.title:<{width}}  " + "  ".join(f"{cell:>9}" for cell in cells))
    lines.append(f"\n{'class':<{width}}  {'FID':>9}  {'right, %':>9}")
    columns = (measured["samples"][key] for key in ("class_fids", "confusion"))
    for name, number, fid, counts in zip(names, classes, *columns, strict=True):
        lines.append(f"{name:<{width}}  {fid:>9.3f}  {100 * counts[number] / sum(counts):>9.1f}")
    return "\n".join(lines)
