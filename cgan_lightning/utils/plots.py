"""Save Matplotlib figures for a paper as SVG, PDF and PNG in one font, with their origin in the metadata."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.origin import Origin

DPI = 300  # of the PNG file
KINDS = {  # file type: metadata key of the origin, and date keys to clear
    "svg": ("Description", ["Date"]),
    "pdf": ("Subject", ["CreationDate"]),
    "png": ("Description", []),
}
STYLE: Any = {
    "font.size": 12, "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],  # the font included with matplotlib
    "svg.fonttype": "none", "svg.hashsalt": "cgan_lightning", "pdf.fonttype": 42,  # text remains text
    "text.parse_math": False,  # labels come from files: a $ is literal
}  # fmt: skip

# Okabe and Ito (2008), without yellow, which is hardly visible on white, and without black.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"


def save(figure: Figure, folder: Path, name: str, title: str, origin: Origin) -> None:
    """Write NAME.svg, NAME.pdf and NAME.png to `folder`; the same figure gives the same bytes."""
    with mpl.rc_context(STYLE):
        for kind, (key, date) in KINDS.items():
            metadata = {"Title": title, key: str(origin)} | dict.fromkeys(date)
            write_atomically(
                folder / f"{name}.{kind}",
                lambda path, kind=kind, metadata=metadata: figure.savefig(path, format=kind, dpi=DPI, metadata=metadata),
            )
