"""How far a run says that it is: a bar on a terminal, lines elsewhere."""

import io
import json
import logging
import os
import sys
import termios
import time

import pytest
import tqdm.std

from cgan_lightning.training.callbacks.progress import Progress
from cgan_lightning.training.callbacks.validation import Validation

FIRST, LAST = "epoch 1/2  update 1/8  loss_d ", "epoch 2/2  update 8/8  loss_d "


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "cgan_lightning.training.callbacks.progress"]


def test_a_bar_counts_the_whole_runs_images_and_stays(train, monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", Terminal())
    caplog.set_level(logging.DEBUG)
    train("trainer.max_epochs=2")
    shown = sys.stderr.getvalue()
    *_, last = shown.rstrip("\n").split("\r")
    assert last.startswith("epoch 2/2: 100%|")
    for part in ("128/128", " images/s", "loss_d=", "loss_g=", "FID="):
        assert part in last
    assert shown.endswith("\n"), "it isn't taken away"
    (record,) = [record for record in caplog.records if record.getMessage().startswith(LAST)]
    assert record.levelno == logging.DEBUG, "the log file has lines too; the terminal has the bar"


def test_a_bar_is_as_wide_as_its_terminal_which_gets_narrower(train, monkeypatch):
    _, terminal = os.openpty()
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(sys.stderr, "fileno", lambda: terminal)
    termios.tcsetwinsize(terminal, (40, 150))
    measured = Validation._measured

    def in_a_narrower_terminal(*given):
        termios.tcsetwinsize(terminal, (40, 90))
        return measured(*given)

    monkeypatch.setattr(Validation, "_measured", in_a_narrower_terminal)
    train("trainer.max_epochs=2")
    widths = [len(line.strip()) for line in sys.stderr.getvalue().split("\r") if "|" in line]
    assert (max(widths), widths[-1]) == (149, 89), "the last column stays free"


@pytest.mark.matrix
def test_the_bar_says_when_it_validates_and_its_clock_stands_still(train, monkeypatch):
    """Looks of a minute each, by a clock of ours."""
    now = [0.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(tqdm.std, "time", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", Terminal())
    measured = Validation._measured

    def for_a_minute(*given):
        now[0] += 60
        return measured(*given)

    monkeypatch.setattr(Validation, "_measured", for_a_minute)
    clocks = []
    close = Progress._close
    monkeypatch.setattr(Progress, "_close", lambda self: (clocks.append(self.bar and self.bar.start_t), close(self)))
    train("trainer.max_epochs=2")
    assert clocks[0] == now[0] == 120, "no second of them is the bar's"
    shown = sys.stderr.getvalue().split("\r")
    for epoch, share in (("1/2", " 50%"), ("2/2", "100%")):
        assert any(line.startswith(f"epoch {epoch}: {share}|") and " images/s, validating]" in line for line in shown)
    assert "validating" not in shown[-1]


@pytest.mark.matrix
def test_a_run_that_goes_on_begins_its_bar_where_it_is(train, monkeypatch):
    train("trainer.max_epochs=1")
    monkeypatch.setattr(sys, "stderr", Terminal())
    train("trainer.max_epochs=2", "resume=auto")
    first = next(line for line in sys.stderr.getvalue().split("\r") if "|" in line)
    assert first.startswith("epoch 1/2:  50%|")
    assert "64.0/128 " in first


def test_elsewhere_there_are_a_few_lines(train, caplog):
    caplog.set_level(logging.INFO)
    folder = train("trainer.max_epochs=2")
    said = lines(caplog)
    assert said[-1].startswith(LAST)
    assert "FID " in said[-1]
    assert not any(line.startswith(FIRST) for line in said), "the first comes after some seconds"
    assert said[0] == "epoch 1/2  validating"
    progress, results = (json.loads((folder / f"{name}.json").read_text()) for name in ("progress", "results"))
    assert (progress["updates"], progress["planned"], progress["batch_size"]) == (8, 8, 16)
    assert progress["images_per_second"] > 0
    assert progress["fid"] == results["validation"]["curve"][-1]["fid"]
