"""A real sweep, small, and what is reported of it: all of its runs, whatever became of them."""

import contextlib
import html
import json
import logging
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from cgan_lightning import runs
from cgan_lightning.evaluate import evaluate
from cgan_lightning.report import report
from cgan_lightning.reporting import collect
from cgan_lightning.reporting.page import find
from cgan_lightning.utils import plots
from cgan_lightning.utils.errors import UserError
from tests.helpers import commands, sweeps
from tests.helpers.configs import composed
from tests.helpers.runs import small

pytestmark = [pytest.mark.training, pytest.mark.matrix]


@pytest.fixture
def sweep(swept, tmp_path) -> Path:
    """A copy that a test may change, elsewhere."""
    return sweeps.copied(swept, tmp_path)


KINDS = dict(plots.KINDS)


@pytest.fixture(autouse=True)
def _no_files_of_figures(monkeypatch):
    """They take seconds, and one test looks at them."""
    monkeypatch.setattr(plots, "KINDS", {})


def reported(folder: Path, *overrides: str) -> str:
    report(composed(f"runs={folder}", *overrides, command="report"))
    return (folder / "report.html").read_text()


def text(page: str) -> str:
    """What a reader sees, in one line."""
    return html.unescape(" ".join(re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL).split()))


def test_all_runs_of_a_sweep_are_evaluated_once(swept, caplog):
    results = [json.loads(path.read_text()) for path in swept.parents[1].glob("*/results.json")]
    assert [each["evaluation"]["protocol"]["samples"] for each in results] == [100] * 8
    caplog.set_level(logging.INFO, "cgan_lightning")
    evaluate(composed(f"checkpoint={swept}", "samples=100", "device=cpu", command="evaluate"))
    assert "All 8 finished runs already have this evaluation" in caplog.text


def test_the_page_says_what_was_swept_and_what_came_of_it(sweep):
    page = reported(sweep)
    seen = text(page)
    assert "8 of 8 runs finished, 2 seeds. Swept: channels (64, 128); noise (randn, uniform)." in seen
    assert "channels 128 instead of 64" in seen
    assert "noise uniform instead of randn" in seen
    assert "python -m cgan_lightning.train -m" in seen
    assert json.loads(next(sweep.parents[1].glob("*/results.json")).read_text())["versions"]["torch"] in seen
    assert page.count("<svg ") == 5, "FID, class accuracy, time, parameters, curves"
    assert page.count("data:image/png;base64,") == 4, "a sheet a setting"
    assert not re.search(r'(src|href)="(?!data:|#)', page), "self-contained"


def test_the_table_and_the_csv_have_every_run(sweep):
    for path in sweep.parents[1].glob("*/results.json"):  # alike, or a run that the machine slowed has no look in time
        path.write_text(json.dumps(json.loads(path.read_text()) | {"images_per_second": 100}))
    reported(sweep)
    runs = pd.read_csv(sweep / "results.csv")
    assert len(runs) == 8
    assert {"channels", "noise", "seed", "fid", "kid", "class_accuracy", "val_best_fid", "seconds", "parameters"} <= set(runs)
    results = json.loads((sweep.parents[1] / runs.name[0] / "results.json").read_text())
    assert runs.fid[0] == pytest.approx(results["evaluation"]["samples"]["fid"])
    table = (sweep / "results.md").read_text()
    assert table.count("\n| channels ") == 8, "a row a setting, of what it gives and of what it costs"
    assert "| FID\u00a0↓ | channels 64 → 128 | " in table
    assert "| channels 64, noise uniform |" in table
    assert "Mean ± half of the 95 % interval over 2 seeds." in table


def test_at_equal_seconds_a_setting_counts_by_its_last_validation_in_time(sweep):
    """Two validations a run, at half of its time and at its end: of a setting twice as slow, the first is in time."""
    names = [path.parent.name for path in sorted(sweep.parents[1].glob("*/results.json"))]
    settings = {"channels64-latent24-randn": 51, "channels64-latent24-uniform": 49}
    curves = {}
    for name in names:
        path = sweep.parents[1] / name / "results.json"
        rate = next((rate for setting, rate in settings.items() if name.startswith(setting)), 100)
        results = json.loads(path.read_text()) | {"images_per_second": rate}
        curves.setdefault(rate, []).append([point["fid"] for point in results["validation"]["curve"]])
        path.write_text(json.dumps(results))
    cost = find(collect.study(str(sweep)), "fid", None).cost.set_index("setting").at_equal_seconds
    assert cost["channels 64, noise randn"].values == pytest.approx([first for first, _ in curves[51]])
    assert cost["channels 64, noise uniform"] is None
    assert sorted(cost["channels 128, noise randn"].values + cost["channels 128, noise uniform"].values) == pytest.approx(
        sorted(last for _, last in curves[100])
    )
    assert "not validated by then" in reported(sweep)
    assert (sweep / "results.md").read_text().count("| not validated by then |") == 1


def test_what_was_measured_stays_what_it_was(sweep):
    """Another sweep extends two of the runs: the first one's report is what it was, and a message says who uses them."""

    def report_again() -> tuple[str, str]:
        reported(sweep)
        return pd.read_csv(sweep / "results.csv").drop(columns="detail").to_csv(), (sweep / "results.md").read_text()

    before, here = report_again(), sweep.parents[2]  # the detail of a finished run is where its results are
    with contextlib.chdir(here):
        done = commands.give("train", "-m", *small("model.channels=128", "loss=bce,hinge", "seed=0,1", "trainer.max_epochs=3"))
    assert done.code == 0, done.said
    assert done.said.count(f"results at that point, which runs/sweeps/{sweep.name} uses, are kept in runs/") == 2
    ends = sorted(here.glob("runs/*/ends/*/results.json"))
    assert [json.loads(end.read_text())["evaluation"]["protocol"]["samples"] for end in ends] == [100, 100]
    assert report_again() == before


def test_unequal_training_has_no_conclusion(sweep):
    path = next(sweep.parents[1].glob("*/results.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"images_seen": 999}))
    seen = text(reported(sweep))
    assert "The runs have not seen equally many images (7 with 128, 1 with 999): their metrics are not compared" in seen
    assert "p =" not in seen
    assert "instead of" not in seen


def test_times_are_compared_between_runs_that_had_the_machine_alone(sweep):
    paths = sorted(sweep.parents[1].glob("*/results.json"))

    def are_alone(*answers: bool | None) -> str:
        for path, alone in zip(paths, answers, strict=True):
            results = json.loads(path.read_text())
            path.write_text(json.dumps(results | {"machine": results["machine"] | {"alone": alone}}))
        return text(reported(sweep))

    assert "not compared" not in are_alone(*[True] * 8)
    seen = are_alone(*[True] * 5, False, False, None)
    assert "Times are not compared: 2 of 8 runs shared the machine with other work" in seen
    assert "the time" not in "".join(sentence for sentence in seen.split(".") if "instead of" in sentence)
    assert "Times are not compared: 8 of 8 runs may have shared the machine" in are_alone(*[None] * 8)


def test_numbers_say_how_they_were_measured(sweep):
    path = next(sweep.parents[1].glob("*/results.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"changes": [{"update": 4, "place": ["cpu", "cuda"]}]}))
    seen = text(reported(sweep))
    assert "100 samples against the test split, as many of each class; seed 0; EMA weights; feature extractor" in seen
    assert seen.index("Caveats") < seen.index("instead of")
    assert "1 thread, 1 rank" in seen


def test_any_runs_can_be_compared(sweep):
    """By their folders, by a pattern, and at an earlier end."""
    root = sweep.parents[1]
    one, other = sorted(root.glob("channels64*randn*"))
    report(composed(f"runs=[{one},{other}]", f"output={root}/two", command="report"))
    page = text((root / "two" / "report.html").read_text())
    assert "2 of 2 runs finished, 2 seeds. Only the seed was swept." in page
    report(composed(f"runs='{root}/*seed0*'", command="report"))
    (folder,) = (root / "reports").iterdir()
    assert folder.name.startswith("4-runs-")
    page = text((folder / "report.html").read_text())
    assert "4 of 4 runs finished, 1 seed. Swept: channels (64, 128); noise (randn, uniform)." in page
    assert "python -m cgan_lightning.report 'runs=" in page
    with pytest.raises(UserError, match=r"^runs=nowhere is no sweep's folder and no run's: give one of runs/sweeps/, or run"):
        report(composed("runs=nowhere", command="report"))


def test_runs_are_listed(sweep, monkeypatch, capsys, tmp_path):
    root = sweep.parents[1]

    def shown(*words: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["runs", *words])
        runs.main()
        return capsys.readouterr().out.splitlines()

    lines = shown(str(root), "--sort", "fid", "--csv", str(tmp_path / "runs.csv"))
    assert lines[0].split() == ["run", "tags", "seed", "channels", "noise", "state", "epochs", "FID", "val.", "FID", "ended"]
    assert len(lines) == 10
    assert lines[-1].startswith("FID: 100 samples against the test split, as many of each class, seed 0, feature extractor ")
    table = pd.read_csv(tmp_path / "runs.csv")
    assert table.FID.is_monotonic_increasing
    assert set(table.channels) == {64, 128}
    assert set(table.epochs) == {2}
    assert pd.Series([float(line.split()[-4]) for line in shown(str(root), "--sort=-FID")[1:9]]).is_monotonic_decreasing
    path = next(root.glob("*/results.json"))
    results = json.loads(path.read_text())
    results["evaluation"]["protocol"]["samples"] = 50
    path.write_text(json.dumps(results))
    assert shown(str(root))[-1].endswith("; 1 with another protocol are left out")
    for wrong, sentence in (
        (["nowhere"], "nowhere holds no runs"),
        ([str(root), "--sort", "size"], "--sort size: there is no such"),
    ):
        monkeypatch.setattr(sys, "argv", ["runs", *wrong])
        with pytest.raises(SystemExit, match="2"):
            runs.main()
        assert capsys.readouterr().err.startswith(sentence)


def test_sheets_stand_side_by_side(sweep):
    reported(sweep)
    with Image.open(sweep / "samples.png") as picture:
        assert picture.width > 3 * 300, "three in a row"
        assert picture.height > 2 * 300, "of four"


def test_figures_lie_beside_the_page_and_none_of_an_earlier_report(sweep, monkeypatch):
    monkeypatch.setattr(plots, "KINDS", KINDS)
    reported(sweep)
    names = {"points-fid", "points-class_accuracy", "pareto-seconds", "pareto-parameters", "curves-settings"}
    assert {path.name for path in (sweep / "figures").iterdir()} == {
        f"{name}.{kind}" for name in names for kind in ("svg", "pdf", "png")
    }
    with Image.open(sweep / "figures" / "curves-settings.png") as picture, Image.open(sweep / "samples.png") as sheets:
        for path in sweep.parents[1].glob("*/results.json"):
            results = json.loads(path.read_text())
            for said in (picture.info["Description"], sheets.info["Description"]):
                assert path.parent.name in said
                assert "seeds: 0, 1" in said
                assert results["git_revision"] in said
    (sweep / "figures" / "pareto-older.png").write_bytes(b"")
    (sweep / "figures" / "mine.png").write_bytes(b"")
    monkeypatch.setattr(plots, "KINDS", {})
    reported(sweep, "metric=class_accuracy")
    assert [path.name for path in (sweep / "figures").iterdir()] == ["mine.png"]


def test_failed_and_missing_runs_are_named(sweep):
    jobs = sorted((sweep / "jobs").iterdir())
    failed, missing = (json.loads(path.read_text()) for path in jobs[:2])
    shutil.rmtree(sweep.parents[1] / Path(missing["run"]).name)
    (sweep.parents[1] / Path(failed["run"]).name / "results.json").unlink()
    jobs[0].write_text(json.dumps(failed | {"failure": "The loss was NaN at update 3"}))
    seen = text(reported(sweep))
    assert "6 of 8 runs finished" in seen
    assert f"{Path(failed['run']).name} is failed: The loss was NaN at update 3" in seen
    assert f"{Path(missing['run']).name} is waiting" in seen


HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)> $\\frac{ &lt; \x1b[2J'


def test_what_comes_from_files_is_text(sweep, caplog):
    """Names, failures, settings and versions that are a page's, a table's, a spreadsheet's or a terminal's own language."""
    caplog.set_level(logging.INFO, "cgan_lightning")
    jobs = sorted((sweep / "jobs").iterdir())
    failed = json.loads(jobs[0].read_text())
    jobs[0].write_text(json.dumps(failed | {"failure": f"=1+1 {HOSTILE}", "run": "runs/@evil <img src=x onerror=alert(1)>"}))
    (sweep.parents[1] / Path(failed["run"]).name / "results.json").unlink()
    for path in sweep.parents[1].glob("*/run.json"):
        identity = json.loads(path.read_text())
        identity["choices"]["noise"] += "<script>$\x1b"
        path.write_text(json.dumps(identity))
    for path in sweep.parents[1].glob("*/results.json"):
        results = json.loads(path.read_text())
        results["versions"]["torch"] = results["git_revision"] = results["machine"]["device"] = HOSTILE
        path.write_text(json.dumps(results))
    (sweep / "sweep.json").write_text(json.dumps(json.loads((sweep / "sweep.json").read_text()) | {"command": HOSTILE}))
    page = reported(sweep)
    assert page.count("alert(1)") >= 5
    assert page.count("<script") == 1, "its own"
    for written in (page.replace("<script>", "", 1), (sweep / "results.md").read_text()):
        assert "<script" not in written
        assert not re.search(r"<img src=x", written)
    latex = (sweep / "results.tex").read_text()
    assert not re.search(r"[^\\]_", latex.replace("toprule", "")), "all escaped"
    assert page.count("&lt;script&gt;$") > 20
    assert "\x1b" not in caplog.text
    runs = pd.read_csv(sweep / "results.csv")
    assert {"'=1+1", "'@evil"} <= {str(cell).split(" ")[0] for cell in runs.to_numpy().ravel()}


def test_values_of_another_feature_extractor_are_left_out_and_it_is_said(sweep):
    path = sorted(sweep.parents[1].glob("*/results.json"))[0]
    results = json.loads(path.read_text())
    results["evaluation"]["protocol"]["feature_extractor"] = "another"
    path.write_text(json.dumps(results))
    assert "1 of 8 runs: evaluation with another feature extractor or protocol, left out" in text(reported(sweep, "metric=fid"))
    runs = pd.read_csv(sweep / "results.csv").set_index("name")
    assert pd.isna(runs.fid[path.parent.name])
    assert runs.fid.notna().sum() == 7


def test_a_run_that_went_on_otherwise_is_reported(sweep):
    path = sorted(sweep.parents[1].glob("*/results.json"))[0]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"changes": [{"update": 4, "ranks": [1, 2]}]}))
    assert "1 of 8 runs were resumed with changes, listed in results.json" in text(reported(sweep))


def test_one_seed_can_not_speak_of_significance(sweep):
    for path in (sweep / "jobs").iterdir():
        if "-seed1-" in path.name:
            path.unlink()
    seen = text(reported(sweep))
    assert "One seed: no difference here can be called significant." in seen
    assert "too few to generalise" in seen
    assert "p =" not in seen
    assert "\nOne seed." in (sweep / "results.md").read_text()


def test_runs_without_an_evaluation_go_by_what_training_saw(sweep):
    for path in sweep.parents[1].glob("*/results.json"):
        results = json.loads(path.read_text())
        del results["evaluation"]
        path.write_text(json.dumps(results))
    seen = text(reported(sweep))
    assert "no significant difference in lowest" in seen or "lowest validation FID by" in seen
    assert "8 of 8 finished runs were never evaluated on the test set" in seen


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["runs=."], "runs=. is no sweep's folder and no run's: give one of runs/sweeps/, or run folders"),
        (["metric=fidd"], "metric=fidd: no finished run has it; available: fid, class_fid_mean"),
    ],
)
def test_mistakes_get_a_sentence(sweep, overrides, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        report(composed(f"runs={sweep}", *overrides, command="report"))


def test_without_the_extra_it_says_what_to_install(sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "cgan_lightning.reporting.collect", None)
    monkeypatch.delattr("cgan_lightning.reporting.collect", raising=False)
    with pytest.raises(UserError, match=r"pip install 'cgan-lightning\[report\]'"):
        report(composed(f"runs={sweep}", command="report"))
