"""Figures of sweeps with many settings, long names and validations after different numbers of updates, and their files."""

import itertools
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from cgan_lightning.reporting import figures
from cgan_lightning.reporting.statistics import interval
from cgan_lightning.utils.origin import Origin

LONG = [f"experiment with_a_rather_long_name_{number}, noise uniform" for number in range(14)]
CURVES = {name: [[(1000, 1 + place), (2000, 0.5 + place)]] for place, name in enumerate(LONG)}
PRICED = {name: (float(place), interval([1.0 / (place + 1), 1.1 / (place + 1)])) for place, name in enumerate(LONG)}

# Linear RGB as someone without the long-wave cones sees it: Machado, Oliveira and Fernandes 2009, severity 1.
PROTANOPIA = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of an sRGB colour through the filter `seen`."""
    srgb = np.array(to_rgb(colour))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    relative = XYZ @ np.clip(seen @ linear, 0, 1) / XYZ.sum(1)
    x, y, z = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_what_is_known_of_the_filter():
    np.testing.assert_allclose(lab("white", PROTANOPIA), [100, 0, 0], atol=0.01)
    assert np.linalg.norm(lab("#e8710a", PROTANOPIA) - lab("#a8860b", PROTANOPIA)) < 3, "an orange and an olive are one"


@pytest.mark.parametrize("seen", [np.eye(3), PROTANOPIA], ids=["by all cones", "without the long-wave cones"])
def test_colours_can_be_told_apart(seen):
    for one, other in itertools.combinations(figures.COLOURS, 2):
        assert np.linalg.norm(lab(one, seen) - lab(other, seen)) > 15, (one, other)


def test_no_two_settings_look_alike():
    styles = [figures.line_style(place) for place in range(60)]
    for parts in (("color", "marker"), ("color", "linestyle", "marker")):
        assert len({tuple(each[part] for part in parts) for each in styles}) == len(styles)
    for one, other in itertools.combinations(styles[:35], 2):
        assert sum(one[part] != other[part] for part in one) >= 2
    for one, other in itertools.combinations(styles[:14], 2):
        assert (one["marker"], one["linestyle"]) != (other["marker"], other["linestyle"]), "without any colour"


@pytest.mark.long
def test_curves_of_more_settings_than_colours_are_all_there_and_differ():
    drawing = figures.curves("settings", CURVES, "FID")
    assert all(name in " ".join(re.findall(r"<text[^>]*>([^<]*)", drawing.inline())) for name in LONG)
    lines = drawing.figure.axes[0].get_lines()
    assert len({(line.get_color(), line.get_marker(), str(line._dash_pattern)) for line in lines}) == len(LONG)


def test_all_points_of_the_pareto_plot_are_in_its_legend_and_have_bars():
    drawing = figures.pareto("seconds", PRICED, "time, minutes", "FID", lower_is_better=True)
    axes = drawing.figure.axes[0]
    (legend,) = drawing.figure.legends
    assert [text.get_text().replace("\n", " ") for text in legend.get_texts()] == LONG
    assert len({(handle.get_color(), handle.get_marker()) for handle in legend.legend_handles}) == len(LONG)
    bars = [bar.get_segments()[0] for bar in axes.collections]
    assert [float(np.ptp(bar[:, 1])) / 2 for bar in bars] == pytest.approx([each.half for _, each in PRICED.values()])


@pytest.mark.parametrize("kind", ["curves", "pareto"])
def test_a_legend_of_14_long_names_covers_nothing_and_is_not_cut_off(kind):
    if kind == "curves":
        drawing = figures.curves("settings", CURVES, "FID")
    else:
        drawing = figures.pareto("seconds", PRICED, "time, minutes", "FID", lower_is_better=True)
    drawing.figure.draw_without_rendering()
    (legend,), (axes,) = drawing.figure.legends, drawing.figure.axes
    around, below = legend.get_window_extent(), axes.get_tightbbox()
    assert around.y0 >= below.y1
    assert around.x0 >= 0
    assert (around.x1, around.y1) <= tuple(drawing.figure.bbox.max)
    assert axes.get_window_extent().height > 150


@pytest.mark.parametrize(
    ("low", "high"), [(0.41, 0.44), (0.4, 0.9), (0.38, 1.9), (0.3, 7), (0.3, 300), (1e-4, 1e9), (9.9, 10.2)]
)
def test_labels_of_a_logarithmic_axis_do_not_overlap(low, high):
    drawing = figures.curves("settings", {"one": [[(1000, high), (2000, low)]]}, "FID")
    drawing.figure.draw_without_rendering()
    axis = drawing.figure.axes[0].yaxis
    shown = [label.get_window_extent() for label in axis.get_ticklabels(which="both") if label.get_text()]
    assert len(shown) >= 2
    assert all(lower.y1 < upper.y0 for lower, upper in itertools.pairwise(sorted(shown, key=lambda box: box.y0)))


def test_a_setting_looks_the_same_in_every_figure_whatever_others_lack():
    one, other = interval([0.40, 0.41]), interval([0.41, 0.45])
    learned = {"none": [], "one": [[(1000, 2.0), (2000, 1.0)]], "other": [[(1000, 3.0), (2000, 2.0)]]}
    priced = {"none": None, "one": (1.0, one), "other": (2.0, other)}
    drawings = [
        figures.points("fid", {"none": None, "one": one, "other": other}, "FID"),
        figures.curves("settings", learned, "FID"),
        figures.pareto("seconds", priced, "time", "FID", lower_is_better=True),
    ]
    for drawing in drawings:
        lines = drawing.figure.axes[0].get_lines()
        styles = {(line.get_color(), line.get_marker()) for line in lines if line.get_marker() in figures.MARKERS}
        assert styles == {(figures.line_style(place)["color"], figures.line_style(place)["marker"]) for place in (1, 2)}, (
            drawing.name
        )
    assert all("none" not in [text.get_text() for text in each.figure.legends[0].get_texts()] for each in drawings[1:])


def test_runs_validated_at_different_updates_have_one_mean():
    """Batches of 32 and of 64: an epoch has 60,000 or 59,968 images."""
    seen, values = figures._together([[(10, 1.0), (20, 3.0), (30, 5.0)], [(12, 2.0), (22, 4.0), (32, 6.0)]])
    assert seen.tolist() == [12, 20, 22, 30]
    assert values == pytest.approx(np.array([[1.4, 3.0, 3.4, 5.0], [2.0, 3.6, 4.0, 5.6]]))
    groups = {"channels 128": [[(10, 1.0), (20, 3.0)], [(12, 2.0), (22, 4.0)]]}
    assert "<svg" in figures.curves("settings", groups, "FID").inline()


def test_long_names_leave_room_for_the_values():
    """matplotlib warns, and warnings are errors here, where labels leave the axes no room."""
    drawn = figures.points("fid", {name: interval([1.0, 2.0 + place]) for place, name in enumerate(LONG)}, "FID").inline()
    shown = "".join("".join(re.findall(r"<text[^>]*>([^<]*)", drawn)).split())
    assert all("".join(name.split()) in shown for name in LONG)


def test_an_interval_of_two_seeds_does_not_squeeze_the_values_together():
    rows = {"narrow": interval([0.40, 0.41, 0.42]), "wide": interval([0.41, 0.45])}
    low, high = figures.points("fid", rows, "FID").figure.axes[0].get_xlim()
    assert low < 0.40 < 0.45 < high
    assert high - low < 4 * 0.05, "the wide one's is 0.5 long"
    low, high = figures.points("fid", {"narrow": rows["narrow"]}, "FID").figure.axes[0].get_xlim()
    assert low < rows["narrow"].mean - rows["narrow"].half, "one that fits is shown whole"


def test_files_say_what_they_show_and_where_it_comes_from(tmp_path):
    drawing = figures.points("fid", {"channels 128": interval([1.0, 2.0])}, "FID")
    drawing.save(tmp_path, Origin(["channels128-<seed0>"], [0, 1], ["481fbbb"]))
    drawing.save(tmp_path / "again", Origin(["channels128-<seed0>"], [0, 1], ["481fbbb"]))
    files = {path.suffix: path.read_bytes() for path in tmp_path.glob("points-fid.*")}
    assert set(files) == {".svg", ".pdf", ".png"}
    assert all((tmp_path / "again" / f"points-fid{kind}").read_bytes() == content for kind, content in files.items())
    origin = "runs: channels128-<seed0>; seeds: 0, 1; revisions: 481fbbb"
    with Image.open(tmp_path / "points-fid.png") as picture:
        assert picture.info["Title"] == "FID of each setting"
        assert picture.info["Description"] == origin
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert f"<dc:description>{origin}".replace("<seed0>", "&lt;seed0&gt;") in files[".svg"].decode()
    assert origin.encode() in files[".pdf"]
    assert set(re.findall(r"font(?:-family)?: ([^;\"]*)", files[".svg"].decode())) == {"'DejaVu Sans', sans-serif"}
    assert set(re.findall(rb"/BaseFont /(?:\w+\+)?([\w-]+)", files[".pdf"])) == {b"DejaVuSans"}
