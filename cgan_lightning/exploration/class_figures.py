"""Figures that compare classes: similarity matrices and dendrograms."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from cgan_lightning.utils import plots
from cgan_lightning.utils.origin import Origin

STYLE: Any = plots.STYLE | {"font.size": 9, "axes.titlesize": 11}
Matrix = Float[np.ndarray, "classes classes"]


def matrices(
    folder: Path,
    similarities: Mapping[str, Matrix],
    mistaken: Matrix,
    names: Sequence[str],
    order: Sequence[int],
    *,
    origin: Origin,
) -> None:
    """Write similarity.*: the cosines of each network and the classifier's confusion matrix, with one order of classes."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * (len(similarities) + 1), 4.4), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(similarities) + 1))
        for axis, (network, similarity) in zip(axes, similarities.items(), strict=False):
            _matrix(axis, similarity, names, order, "RdBu_r", (-1, 1), "{:z.2f}", "cosine")
            axis.set_title(f"Class vectors of the {network}: cosines")
        _matrix(axes[-1], 100 * mistaken, names, order, "Blues", (0, 100), "{:.0f}", "samples, %", least=0.5)
        axes[-1].set_title("Requested (row), predicted (column), %")
        plots.save(figure, folder, "similarity", "Which classes are alike", origin)


def dendrograms(folder: Path, similarities: Mapping[str, Matrix], names: Sequence[str], *, origin: Origin) -> None:
    """Write dendrogram.*: a dendrogram of the classes for each network."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * len(similarities), 3.4), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(similarities)))
        for axis, (network, similarity) in zip(axes, similarities.items(), strict=True):
            hierarchy.dendrogram(
                _tree(similarity),
                labels=list(names),
                orientation="left",
                color_threshold=0,
                above_threshold_color=plots.BLUE,
                ax=axis,
            )
            axis.set_title(f"Class vectors of the {network}")
            axis.set_xlabel("1 - cosine, mean over the pairs that join")
            axis.spines[["top", "right", "left"]].set_visible(False)
            axis.tick_params(axis="y", length=0, labelsize=9)
        plots.save(figure, folder, "dendrogram", "Which classes join which", origin)


def leaves(similarity: Matrix) -> list[int]:
    """Return the classes in the order of the dendrogram's leaves, so that similar ones are adjacent."""
    return hierarchy.leaves_list(_tree(similarity)).tolist()


def _tree(similarity: Matrix) -> Float[np.ndarray, "joins 4"]:
    """Return the average linkage (Sokal and Michener 1958) by 1 - cosine."""
    return hierarchy.linkage(squareform(1 - similarity, checks=False), method="average", optimal_ordering=True)


def _matrix(
    axis: Any,
    matrix: Matrix,
    names: Sequence[str],
    order: Sequence[int],
    colours: str,
    bounds: tuple[float, float],
    form: str,
    unit: str,
    *,
    least: float = 0,
) -> None:
    """Draw `matrix` with colours for `bounds` and a colour bar in `unit`; values below `least` are not written out."""
    shown, ticks = matrix[np.ix_(order, order)], range(len(order))
    drawn = axis.imshow(shown, cmap=colours, vmin=bounds[0], vmax=bounds[1])
    axis.set_xticks(ticks, [names[each] for each in order], rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(ticks, [names[each] for each in order])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.figure.colorbar(drawn, ax=axis, label=unit, shrink=0.75).outline.set_visible(False)
    for (row, column), value in np.ndenumerate(shown):
        if abs(value) >= least:
            ink = "white" if abs(value) > 0.6 * bounds[1] else "black"
            axis.text(column, row, form.format(value), ha="center", va="center", fontsize=7, color=ink)
