"""Tables of a made-up study, for the page, for Markdown and for LaTeX: the same cells in each."""

import re

import numpy as np
import pytest

from cgan_lightning.reporting import page, tables
from cgan_lightning.reporting.statistics import Effect, interval
from cgan_lightning.utils import plots
from tests.helpers import studies


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    study = studies.study(tmp_path_factory.mktemp("study"), validations=3)
    return study, page.find(study, "fid", None)


def effect(difference: float, p: float | None = 0.2) -> Effect:
    return Effect(("loss",), ("bce", "hinge"), difference, None if p is None else 0.1, p, settings=2, seeds=3)


def written(*effects: Effect, metric: str = "fid") -> list[list[str]]:
    (group,) = tables.effects({metric: list(effects)}).groups
    return [[cell.text for cell in row] for row in group.rows]


def test_difference_and_p_come_first():
    assert tables.effects({"fid": [effect(1)]}).header[:3] == ["change", "difference", "p, corrected"]
    assert written(effect(-0.25, 0.0123)) == [["loss bce → hinge", "−0.250", "0.012", "0.100", "2 × 3"]]
    assert written(effect(0.003, 0.0001), metric="class_accuracy")[0][1:3] == ["+0.3", "< 0.001"]
    assert written(effect(0.25, None))[0][1:4] == ["+0.250", "–", "–"]


@pytest.mark.parametrize("difference", [-1e-5, 1e-5, 0, -0.0])
def test_what_is_written_as_zero_has_no_sign(difference):
    assert written(effect(difference))[0][1] == "0.000"
    assert tables.settings({"recall": {"one": interval([difference])}}, ["one"], 1, []).groups[0].rows[0][1].text == "0.000"


def test_units_stand_in_the_header_and_numbers_in_the_cells(found):
    _, its = found
    costs = tables.costs(its.cost, its.threshold, its.quickest)
    assert costs.header[:5] == ["setting", "training time, min", "images/s", "parameters, millions", "peak memory, MiB"]
    for row, cost in zip(costs.groups[0].rows, its.cost.to_dict("records"), strict=True):
        numbers = (f"{cost['seconds'] / 60:.1f}", f"{cost['images_per_second']:,.0f}", f"{cost['parameters'] / 1e6:.3f}")
        assert [cell.text for cell in row[:4]] == [cost["setting"], *numbers]
    hours = tables.costs(its.cost.assign(seconds=its.cost.seconds * 100), its.threshold, its.quickest)
    assert hours.header[1] == "training time, h"


def test_what_is_not_known_of_any_setting_has_no_column(found):
    _, its = found
    costs = tables.costs(its.cost.assign(peak_memory_mib=np.nan, seconds_to_threshold=None), its.threshold, its.quickest)
    assert not [name for name in costs.header if "memory" in name or "time to" in name]
    some = its.cost.assign(peak_memory_mib=[1024.0, *[np.nan] * (len(its.cost) - 1)])
    cells = [row[4].text for row in tables.costs(some, its.threshold, its.quickest).groups[0].rows]
    assert cells == ["1,024", *["–"] * (len(its.cost) - 1)]


def test_a_table_too_wide_for_a_paper_is_split(found):
    study, its = found
    whole = tables.settings(its.settings, its.cost.setting, study.seeds, study.protocols.values())
    parts = whole.parts(5)
    assert [name for part in parts for name in part.header[1:]] == whole.header[1:]
    assert all(part.header[0] == "setting" and len(part.header) <= 5 for part in parts)
    assert [len(part.groups[0].rows) for part in parts] == [14] * len(parts)
    runs = tables.runs(study.runs, study.runs.name, "fid").parts(4)
    assert [part.words for part in runs] == [(0, 3), (0, 1)], "state; run"


def test_latex_reads_nothing_of_a_name_as_its_own():
    assert tables.latex("50 % & a_b {c} $x$ #1") == r"50 \% \& a\_b \{c\} \$x\$ \#1"
    assert tables.latex("\\d ~^") == r"\textbackslash{}d \textasciitilde{}\textasciicircum{}"
    assert tables.latex("<−2 ± 3 →") == r"\textless{}$-$2 $\pm$ 3 $\rightarrow$"
    assert tables.latex("FID within the worst class", 14) == r"\shortstack{FID within the \\ worst class}"


@pytest.mark.long
def test_latex_tables_are_whole_and_have_every_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "KINDS", {})  # figures take seconds, and have tests of their own
    study = studies.study(tmp_path, losses=2)
    its = page.find(study, "fid", None)
    page.write(study, its, tmp_path)
    latex = (tmp_path / "results.tex").read_text()
    assert len({latex.count(part) for part in (r"\begin{table}", r"\end{table}", r"\toprule", r"\bottomrule")}) == 1
    for columns, body in re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n\\toprule\n(.*?)\\bottomrule", latex, flags=re.DOTALL):
        rows = [line for line in body.splitlines() if line != r"\midrule"]
        assert all(line.endswith(r" \\") and len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1 for line in rows)
    markdown = (tmp_path / "results.md").read_text()
    for table in (
        tables.settings(its.settings, its.cost.setting, study.seeds, study.protocols.values()),
        tables.effects(its.effects),
    ):
        for cell in (cell for group in table.groups for row in group.rows for cell in row):
            assert tables.latex(cell.text) in latex
            assert cell.text.replace("<", "&lt;") in markdown
