"""`logger=`: what each of them keeps of a run, read back by its own reader, also where the run was interrupted."""

import contextlib
import csv
import importlib.util
import json
import logging
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cgan_lightning.config import identity
from cgan_lightning.config.compose import compose
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.storage.run_logger import LoggedSteps
from cgan_lightning.utils.errors import Interrupted
from tests.helpers import commands
from tests.helpers.configs import composed
from tests.helpers.needs import skip_without
from tests.helpers.runs import At, stop_at, wait_for_another_second

SHORT = ("trainer.max_epochs=3", "validation.samples=100")  # 12 updates, a checkpoint after every 4
PICTURES = ["overview", *(f"{label} {name}" for label, name in enumerate(FASHION_MNIST.class_names))]


class BrokenOffError(Exception):
    """Ends a run as a kill does: nothing is saved."""


def broken(*_: object) -> None:
    raise BrokenOffError


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def interrupted(train, *overrides: str) -> Path:
    """Train with a stop after update 6, a break after update 10, and a last sitting that repeats updates 9 and 10."""
    with pytest.raises(Interrupted):
        train(*SHORT, *overrides, callbacks=[stop_at(6)])
    wait_for_another_second()
    with pytest.raises(BrokenOffError):
        train(*SHORT, *overrides, "resume=auto", callbacks=[At(11, broken)])
    wait_for_another_second()
    return train(*SHORT, *overrides, "resume=auto")


@pytest.fixture
def needs():
    def installed(package: str) -> None:
        if importlib.util.find_spec(package) is None:
            skip_without(f"the package {package}")

    return installed


def test_a_table_has_a_row_for_each_update_and_the_values_of_tensorboard(train):
    run = interrupted(train, "logger=[tensorboard,csv]")
    table = rows(run)
    assert [int(row["update"]) for row in table] == list(range(1, 13))
    events = EventAccumulator(str(run)).Reload()
    for tag in ("loss/generator", "score/D(x)"):
        assert [float(row[tag]) for row in table] == pytest.approx([event.value for event in events.Scalars(tag)])
    assert [row["update"] for row in table if row["Val/FID to training images"]] == ["4", "8", "12"]
    metrics = json.loads((run / "results.json").read_text())["metrics"]
    assert {name: float(table[-1][f"final/{name}"]) for name in metrics} == pytest.approx(metrics)


@pytest.mark.matrix
def test_a_run_that_starts_over_has_a_table_of_its_own(train):
    short = ("trainer.max_epochs=1", "logger=csv", "validation.every_n_epochs=null")
    train(*short)
    run = train(*short, "rerun=true")
    assert [int(row["update"]) for row in rows(run)] == [1, 2, 3, 4]


def test_without_a_logger_samples_and_results_are_there(train, caplog):
    caplog.set_level(logging.INFO)
    run = train("trainer.max_epochs=1", "logger=none", "validation.every_n_epochs=null")
    assert not [*run.glob("events.*"), *run.glob("metrics.csv")]
    assert (run / "samples.png").is_file()
    assert "loss_g" in json.loads((run / "results.json").read_text())["metrics"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("logger", ["csv", "none", "[tensorboard,csv]", "[csv,none]"])
def test_a_run_has_the_same_name_with_any_logger(logger):
    assert identity.run_name(composed(f"logger={logger}")) == identity.run_name(composed())
    assert "logger" not in str(identity.record(compose(f"logger={logger}"), ranks=1, device="cpu")["settings"])


@pytest.mark.matrix
def test_a_run_with_several_loggers_is_resumed_by_its_folder(train):
    with pytest.raises(Interrupted):
        train(*SHORT, "logger=[tensorboard,csv]", callbacks=[stop_at(2)])
    (run,) = Path("runs").iterdir()
    answer = commands.give("train", f"resume={run}")
    assert answer.code == 0, answer.said
    assert len(rows(run)) == 12


@pytest.mark.parametrize("package", ["wandb", "mlflow"])
def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch, package):
    monkeypatch.chdir(tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *of: None if name == package else find(name, *of))
    said = f"logger={package} needs the package {package}: pip install 'cgan-lightning[{package}]'\n"
    assert commands.give("train", f"logger=[csv,{package}]") == commands.Answer(2, said)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_logger_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = commands.give("train", "logger=[tensorbord,csv]")
    said = "logger=tensorbord: must be csv or mlflow or none or tensorboard or wandb; did you mean tensorboard?\n"
    assert answer == commands.Answer(2, said)


def test_a_killed_run_does_not_log_a_step_again(tmp_path):
    """What is noted is in the file at once; a line that is cut off is left out."""
    file = tmp_path / "logged.jsonl"
    assert LoggedSteps(file).new(["loss", "val"], 4) == ["loss", "val"]
    assert LoggedSteps(file).new(["loss", "val"], 4) == []
    assert LoggedSteps(file).new(["loss"], 5) == ["loss"]
    file.write_text(file.read_text() + '[6, ["lo')
    assert LoggedSteps(file).new(["loss", "val", "samples"], 5) == ["val", "samples"]


@pytest.mark.matrix
def test_mlflow_has_each_update_once_in_one_run(train, needs):
    needs("mlflow")
    run = interrupted(train, "logger=mlflow", "noise=uniform")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=(run.parent / "mlruns").absolute().as_uri())
    (found,) = client.search_runs([client.get_experiment_by_name("cgan_lightning").experiment_id])
    assert (found.info.run_name, found.info.status) == (run.name, "FINISHED")
    assert found.data.params["noise"] == "uniform"
    for name, steps in {"loss/generator": list(range(1, 13)), "Val/FID to training images": [4, 8, 12]}.items():
        assert [metric.step for metric in client.get_metric_history(found.info.run_id, name)] == steps
    metrics = json.loads((run / "results.json").read_text())["metrics"]
    assert {name: found.data.metrics[f"final/{name}"] for name in metrics} == pytest.approx(metrics)
    images = [Path(image.path).name for image in client.list_artifacts(found.info.run_id, "images")]
    shown = sorted(name.split("+")[0].replace("~", "/", 1) for name in images if name.endswith(".png"))
    names = [f"samples/{name}".replace("T-shirt/top", "T-shirt~top") for name in PICTURES for _ in (0, 4, 8, 12)]
    assert shown == sorted(names)


@pytest.mark.matrix
def test_wandb_has_each_update_once_in_one_run(train, needs, tmp_path_factory):
    needs("wandb")
    with contextlib.chdir(tmp_path_factory.mktemp("elsewhere")):
        train("logger=wandb", "trainer.max_steps=1")  # starts wandb's own process, which serves the next runs too
    run = interrupted(train, "logger=wandb", "noise=uniform")
    records = [record for file in sorted(run.glob("wandb/offline-run-*/*.wandb")) for record in read_wandb(file)]
    assert len({record.run.run_id for record in records if record.run.run_id}) == 1
    assert {record.run.display_name for record in records if record.run.run_id} == {run.name}
    history = [record_items(record.history.item) for record in records if record.HasField("history")]
    for name, steps in {"loss/generator": list(range(1, 13)), "Val/FID to training images": [4, 8, 12]}.items():
        assert [row["update"] for row in history if name in row] == steps
    for name in PICTURES:
        assert [row["update"] for row in history if any(tag.startswith(f"samples/{name}") for tag in row)] == [0, 4, 8, 12]
    norms = "weights/class vector norms of the generator"
    assert [row["update"] for row in history if any(norms in tag for tag in row)] == [0, 4, 8, 12]
    summary = {}
    for record in records:
        summary |= record_items(record.summary.update)
    metrics = json.loads((run / "results.json").read_text())["metrics"]
    assert {name: summary[f"final/{name}"] for name in metrics} == pytest.approx(metrics)
    config = next(record for record in records if record.HasField("config") and record.config.update)
    assert record_items(config.config.update)["noise"] == "uniform"


def record_items(items) -> dict:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


BLOCK, HEADER, RECORD = 32768, 7, 7  # bytes of a block, of the file's header, and of a record's
LAST = (1, 4)  # types of a whole record and of the last part of one


def read_wandb(file: Path) -> list:
    """The records of a file, which has the format of LevelDB's log: W&B's own reader is no part of its interface."""
    from wandb.proto import wandb_internal_pb2

    content, at, data, result = file.read_bytes(), HEADER, b"", []
    while at + RECORD <= len(content):
        if BLOCK - at % BLOCK < RECORD:  # padding
            at += BLOCK - at % BLOCK
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        data += content[at + RECORD : at + RECORD + length]
        at += RECORD + length
        if kind in LAST:
            result.append(wandb_internal_pb2.Record())
            result[-1].ParseFromString(data)
            data = b""
    return result
