"""Metrics as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

ROWS = {  # key: (name, format)
    "fid": ("FID (lower is better)", "{:.3f}"),
    "class_fid_mean": ("FID within classes, mean", "{:.3f}"),
    "fid_to_train": ("FID to training images", "{:.3f}"),
    "kid": ("KID × 1000", "{:.2f}"),
    "precision": ("precision (higher is better)", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "density": ("density", "{:.3f}"),
    "coverage": ("coverage", "{:.3f}"),
    "class_accuracy": ("class accuracy, %", "{:.1f}"),
    "accuracy_score": ("classification accuracy score, %", "{:.1f}"),
    "nearest_train_ratio": ("distance to training images (well under 1: copies)", "{:.2f}"),
}
SCALE = {"kid": 1000, "class_accuracy": 100, "accuracy_score": 100}


def text(measured: Mapping[str, Mapping[str, Any]], class_names: Sequence[str]) -> str:
    """Samples beside real images, a line a metric; then the classes, each with its FID and how often it was recognised."""
    width = max(len(name) for name, _ in ROWS.values())
    lines = [f"{'':<{width}}  {'samples':>9}  {'real':>9}"]
    for key, (name, form) in ROWS.items():
        if key in measured["samples"]:
            cells = (form.format(measured[side][key] * SCALE.get(key, 1)) for side in ("samples", "floor"))
            lines.append(f"{name:<{width}}  " + "  ".join(f"{cell:>9}" for cell in cells))
    lines.append(f"\n{'class':<{width}}  {'FID':>9}  {'right, %':>9}")
    confusion = measured["samples"]["confusion"]
    for label, (name, fid) in enumerate(zip(class_names, measured["samples"]["class_fids"], strict=True)):
        lines.append(f"{name:<{width}}  {fid:>9.3f}  {100 * confusion[label][label] / sum(confusion[label]):>9.1f}")
    return "\n".join(lines)
