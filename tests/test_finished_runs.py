"""What becomes of a finished run: extended, asked for again, at another length, with other settings."""

import json

import pytest

from cgan_lightning.models import generator_file
from cgan_lightning.utils.errors import UserError
from tests.helpers.runs import assert_same_end


def test_more_epochs_go_on_from_a_finished_run(train, trained):
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    part = train("trainer.max_epochs=1", "run_root=part")
    ended = json.loads((part / "results.json").read_text())
    with pytest.raises(UserError, match=r"finished at 1 epoch \(4 updates\): `python -m .* resume=auto` extends.* rerun=true`"):
        train("trainer.max_epochs=3", "run_root=part")
    assert train("trainer.max_epochs=3", "run_root=part", "resume=auto") == part
    assert_same_end(part, whole)
    end = part / "ends" / "00000004"
    assert json.loads((end / "results.json").read_text()) == ended
    assert generator_file.load(end).network.state_dict().keys() == generator_file.load(part).network.state_dict().keys()


@pytest.mark.matrix
def test_an_earlier_end_is_what_a_shorter_request_gets(train, caplog):
    train("trainer.max_epochs=1")
    folder = train("trainer.max_epochs=3", "resume=auto")
    before = (folder / "results.json").read_text()
    caplog.set_level("INFO")
    train("trainer.max_epochs=1")
    assert f"Run folder: {folder}/ends/00000004" in caplog.text
    with pytest.raises(UserError, match=r"finished at 3 epochs \(12 updates\), without results at the requested 8 updates"):
        train("trainer.max_epochs=2", "resume=auto")
    assert (folder / "results.json").read_text() == before


@pytest.mark.sampled(2)
@pytest.mark.parametrize("epochs", [2, 3])
def test_a_finished_run_has_the_settings_that_it_has(train, epochs):
    folder = train("trainer.max_epochs=2")
    asked = (f"resume={folder}", "loss=hinge", "noise=uniform", f"trainer.max_epochs={epochs}")
    with pytest.raises(UserError, match=r"cannot be resumed with settings other than those it was started with: loss was "):
        train(*asked)
    if epochs == 2:
        with pytest.raises(UserError, match=r"is finished, and was trained with other settings \(loss, noise\)"):
            train(*asked, "resume.allow_changes=true")


def test_a_finished_run_is_not_done_again(train):
    folder = train("trainer.max_epochs=1")
    before = (folder / "results.json").stat().st_mtime_ns
    train("trainer.max_epochs=1")
    assert (folder / "results.json").stat().st_mtime_ns == before
    train("trainer.max_epochs=1", "rerun=true")
    assert (folder / "results.json").stat().st_mtime_ns > before
