"""Figures of sweeps with many settings, long names and looks at different moments."""

import re

import numpy as np
import pytest

from cgan_lightning.reporting import figures
from cgan_lightning.reporting.statistics import interval

LONG = [f"experiment with_a_rather_long_name_{number}, noise uniform" for number in range(12)]


def test_curves_of_more_settings_than_colours_are_all_there_and_differ():
    drawn = figures.curves({name: [[(1000, 1 + place), (2000, 0.5 + place)]] for place, name in enumerate(LONG)}, "FID")
    assert all(name in " ".join(re.findall(r"<text[^>]*>([^<]*)", drawn)) for name in LONG)
    styles = re.findall(r'<path d="[^"]*" clip-path="[^"]*" style="fill: none; ([^"]*)"', drawn)
    assert len({re.sub(r"stroke-opacity[^;]*", "", style) for style in styles if "#" in style}) == len(LONG)


def test_runs_that_were_looked_at_at_different_moments_have_one_mean():
    """Batches of 32 and of 64: an epoch has 60,000 or 59,968 images."""
    seen, values = figures._together([[(10, 1.0), (20, 3.0), (30, 5.0)], [(12, 2.0), (22, 4.0), (32, 6.0)]])
    assert seen.tolist() == [12, 20, 22, 30]
    assert values == pytest.approx(np.array([[1.4, 3.0, 3.4, 5.0], [2.0, 3.6, 4.0, 5.6]]))
    assert "<svg" in figures.curves({"channels 128": [[(10, 1.0), (20, 3.0)], [(12, 2.0), (22, 4.0)]]}, "FID")


def test_long_names_leave_room_for_the_values():
    """matplotlib warns, and warnings are errors here, where labels leave the axes no room."""
    drawn = figures.points({name: interval([1.0, 2.0 + place]) for place, name in enumerate(LONG)}, "FID")
    shown = "".join("".join(re.findall(r"<text[^>]*>([^<]*)", drawn)).split())
    assert all("".join(name.split()) in shown for name in LONG)
