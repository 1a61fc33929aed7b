"""How far a run says that it is: a bar on a terminal, lines elsewhere."""

import io
import logging
import sys

FIRST, LAST = "epoch 1/2  update 1/8  loss_d ", "epoch 2/2  update 8/8  loss_d "


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "cgan_lightning.callbacks.progress"]


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


def test_elsewhere_there_are_a_few_lines(train, caplog):
    caplog.set_level(logging.INFO)
    train("trainer.max_epochs=2")
    said = lines(caplog)
    assert said[-1].startswith(LAST)
    assert "FID " in said[-1]
    assert not any(line.startswith(FIRST) for line in said), "the first comes after some seconds"
