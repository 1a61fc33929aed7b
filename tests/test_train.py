"""Whole runs on real images: what a run folder holds, and that stopping and going on changes nothing."""

import json
import signal
import time
from pathlib import Path

import pytest
import torch

from cgan_lightning.models import generator_file
from cgan_lightning.training.callbacks.training_log import TAGS
from cgan_lightning.utils.errors import Interrupted, RunError, UserError
from tests.helpers.processes import Forked, fork_command, run_command
from tests.helpers.runs import At, assert_same_end, small, state, stop_at

RUN_FILES = {
    "config.yaml",
    "run.json",
    "progress.json",
    "results.json",
    "samples.png",
    "generator.safetensors",
    "generator_best.safetensors",
    "train.log",
    ".lock",
}


def test_a_run_folder_holds_what_it_should(train):
    folder = train("trainer.max_epochs=2", "model=convolutional")  # the default, as wide as it is
    assert {path.name for path in folder.iterdir()} - RUN_FILES == {"checkpoints", *(p.name for p in folder.glob("events.*"))}
    assert len(list(folder.glob("events.*"))) == 1
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"last.ckpt", "previous.ckpt", "best.ckpt"}
    results = json.loads((folder / "results.json").read_text())
    assert (results["updates"], results["epochs"], results["images_seen"], results["seed"]) == (8, 2, 128, 0)
    assert results["parameters"] == {"generator": 573_813, "discriminator": 941_569}
    assert results["images_per_second"] > 0
    assert results["changes"] == []
    assert results["versions"]["torch"] == torch.__version__.split("+")[0]
    assert set(results["metrics"]) == {*TAGS, "images_per_second", "fid", "best_fid", "class_accuracy"}


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("update", "signum"),
    [
        pytest.param(6, signal.SIGTERM, id="SIGTERM in mid-epoch"),
        pytest.param(8, signal.SIGINT, id="SIGINT in an epoch's last update"),
        *(
            pytest.param(update, signum, id=f"{signum.name} in update {update}", marks=pytest.mark.matrix)
            for update in (3, 6, 8, 9)
            for signum in (signal.SIGTERM, signal.SIGINT)
            if (update, signum) not in {(6, signal.SIGTERM), (8, signal.SIGINT)}
        ),
    ],
)
def test_a_stopped_run_goes_on_to_the_same_bits(train, trained, update, signum):
    """4 updates an epoch, 3 epochs; the signal is real and arrives in mid-update."""
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    with pytest.raises(Interrupted, match=f"after update {update}") as stop:
        train("trainer.max_epochs=3", "run_root=stopped", callbacks=[stop_at(update, signum)])
    assert stop.value.signum == signum
    (stopped,) = Path("stopped").iterdir()
    assert state(stopped)["global_step"] == update
    assert not (stopped / "results.json").exists()
    train("trainer.max_epochs=3", "run_root=stopped", "resume=auto")
    assert_same_end(stopped, whole)


RICH = (  # what has states, random numbers or turns of its own
    *("discriminator_normalization=spectral", "generator_normalization=conditional_batch", "discriminator_label=projection"),
    *("loss=relativistic", "regularizer=r1_r2", "regularizer.interval=2", "augmentation=diffaugment", "data.balanced=true"),
    *("optimizer.discriminator_updates=2", "optimizer.generator.decay_images=150", "model=residual", "model.channels=64"),
)


@pytest.mark.matrix
@pytest.mark.parametrize("penalty", [(), ("regularizer=gradient_penalty", "regularizer.interval=3")], ids=["r1_r2", "gradient"])
def test_a_stopped_run_of_a_richer_recipe_goes_on_to_the_same_bits(train, penalty):
    whole = train(*RICH, *penalty, "trainer.max_epochs=3", "run_root=whole")
    with pytest.raises(Interrupted, match="after update 5"):
        train(*RICH, *penalty, "trainer.max_epochs=3", "run_root=stopped", callbacks=[stop_at(5)])
    train(*RICH, *penalty, "trainer.max_epochs=3", "run_root=stopped", "resume=auto")
    (stopped,) = Path("stopped").iterdir()
    assert_same_end(stopped, whole)


@pytest.mark.matrix
@pytest.mark.parametrize("stops", [(4, 8), (3, 4, 5), (4, 7, 8, 9)], ids=str)
def test_a_run_that_is_stopped_again_and_again_is_no_longer_than_it_should_be(train, stops, trained):
    """Lightning counts an epoch less for a stop at an epoch's end; its count is not what ends a run."""
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    for update in stops:
        with pytest.raises(Interrupted, match=f"after update {update}"):
            train("trainer.max_epochs=3", "run_root=stopped", "resume=auto", callbacks=[stop_at(update)])
    assert_same_end(train("trainer.max_epochs=3", "run_root=stopped", "resume=auto"), whole)


def test_handlers_are_given_back_after_a_run(train):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    train("trainer.max_steps=1")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_what_is_stopped_says_how_it_is_resumed(train):
    with pytest.raises(Interrupted, match=r"after update 6, which is saved; to resume: python -m .* resume=runs/channels\S+$"):
        train("trainer.max_epochs=3", callbacks=[stop_at(6)])


@pytest.mark.matrix
@pytest.mark.parametrize("calls", [(), ("trainer.updates_per_call=4", "log_every_n_updates=4")], ids=["single", "calls"])
def test_max_steps_is_exact(train, trained, calls):
    folder = train("trainer.max_steps=6", *calls)  # in the middle of the second epoch, and of a call
    checkpoint = state(folder)
    assert checkpoint["global_step"] == 6
    for optimizer in checkpoint["optimizer_states"]:
        assert {int(entry["step"]) for entry in optimizer["state"].values()} == {6}
    train("trainer.max_epochs=2", "resume=auto")
    assert_same_end(folder, trained("trainer.max_epochs=2", "run_root=whole"))


def poison(_trainer, module):
    with torch.no_grad():
        module.generator.project.weight[0, 0] = float("nan")


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(train):
    with pytest.raises(RunError, match="at update 6"):
        train("trainer.max_epochs=3", "log_every_n_updates=50", callbacks=[At(6, poison)])
    (folder,) = Path("runs").iterdir()
    assert state(folder)["global_step"] == 4  # the end of the first epoch
    assert all(value.isfinite().all() for value in state(folder)["state_dict"].values())
    assert "at update 6" in (folder / "train.log").read_text()


def test_a_gradient_that_is_no_number_never_reaches_a_checkpoint(train):
    """In the very last update, whose losses are fine."""

    def spoil(_trainer, module):
        module.generator.project.weight.register_hook(lambda gradient: gradient * float("inf"))

    with pytest.raises(RunError, match="The loss or its gradient was NaN or infinite at update 8"):
        train("trainer.max_epochs=2", "validation.every_n_epochs=null", callbacks=[At(8, spoil)])
    (folder,) = Path("runs").iterdir()
    assert state(folder)["global_step"] == 4


def test_within_a_call_the_update_is_named_that_went_wrong(train):
    def poison_its_second(_trainer, module):
        update, calls = module.update, []

        def poisoned(*inputs):
            calls.append(inputs)
            if len(calls) == 2:
                poison(_trainer, module)
            return update(*inputs)

        module.update = poisoned

    with pytest.raises(RunError, match="at update 6"):
        train(
            "trainer.max_epochs=3",
            "regularizer.interval=1",
            "trainer.updates_per_call=2",
            "log_every_n_updates=2",
            callbacks=[At(5, poison_its_second)],
        )


@pytest.mark.matrix
def test_a_stop_between_calls_and_other_calls_later_change_nothing(train):
    """4 updates an epoch; the call of updates 5 to 6 is under way when the signal comes. Then three at once, where they fit."""
    often = ("trainer.max_epochs=4",)
    whole = train(*often, "run_root=whole")
    two = ("trainer.updates_per_call=2", "log_every_n_updates=2", "run_root=stopped")
    with pytest.raises(Interrupted, match="after update 6"):
        train(*often, *two, callbacks=[stop_at(5)])
    (stopped,) = Path("stopped").iterdir()
    three = ("trainer.updates_per_call=3", "log_every_n_updates=3", "run_root=stopped", "resume=auto")
    train(*often, *three)
    assert_same_end(stopped, whole)


def test_two_live_runs_never_share_a_folder(train):
    def run_it_again(*_):
        with pytest.raises(UserError, match="in use"):
            train("trainer.max_steps=2", "resume=auto")

    train("trainer.max_steps=2", callbacks=[At(1, run_it_again)])


@pytest.mark.matrix
def test_host_placement_trains_the_same(train):
    device = train("trainer.max_epochs=1", "run_root=device")
    host = train("trainer.max_epochs=1", "run_root=host", "data.placement=host", "data.workers=2")
    assert host.name == device.name
    assert_same_end(host, device)


def test_a_run_without_an_average_draws_with_its_last_weights(train):
    folder = train("trainer.max_steps=2", "ema.halflife_images=null")
    assert not any(key.startswith("ema.") for key in state(folder)["state_dict"])
    raw = {key: value for key, value in state(folder)["state_dict"].items() if key.startswith("generator.")}
    drawn_with = generator_file.load(folder, weights="ema").network.state_dict()
    torch.testing.assert_close({f"generator.{key}": value for key, value in drawn_with.items()}, raw, atol=0, rtol=0)


@pytest.mark.matrix
def test_two_processes_that_are_told_to_be_deterministic_are(tmp_path):
    """Dictionaries and sets have another order in each: nothing hangs on it."""
    for name in ("1", "2"):
        asked = small("trainer.deterministic=true", "trainer.max_epochs=2", f"run_root={name}")
        done = run_command("train", *asked, cwd=tmp_path, PYTHONHASHSEED=name, OMP_NUM_THREADS="1")
        assert done.returncode == 0, done.stderr
    assert_same_end(*(next((tmp_path / name).iterdir()) for name in ("1", "2")))


@pytest.fixture(scope="module")
def stopped_by_sigterm(tmp_path_factory):
    """A run in a process of its own, stopped by a real SIGTERM from outside once it trains."""
    here = tmp_path_factory.mktemp("elsewhere")
    given = small("model.latent_dim=16", "trainer.max_epochs=9999", "validation.every_n_epochs=null")
    process = Forked("cgan_lightning.train", *given, cwd=here)
    deadline = time.monotonic() + 120
    while not list(here.glob("runs/*/checkpoints/last.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=60)
    return here, code, process.stdout + process.stderr


@pytest.mark.process
def test_sigterm_ends_a_process_with_a_sentence_and_its_code(stopped_by_sigterm):
    _, code, output = stopped_by_sigterm
    assert code == 128 + signal.SIGTERM, output
    assert "Stopped by SIGTERM after update" in output
    assert "Traceback" not in output


BY_SHARE = [f"optimizer.{network}.decay_share=1" for network in ("generator", "discriminator")]


@pytest.mark.matrix
def test_rates_that_fall_over_the_planned_training_are_those_of_so_many_images(train):
    by_share = train(*BY_SHARE, "trainer.max_epochs=2")
    by_images = train(
        *(f"optimizer.{network}.decay_images=128" for network in ("generator", "discriminator")), "trainer.max_epochs=2"
    )
    assert by_share != by_images
    assert_same_end(by_share, by_images)


@pytest.mark.matrix
def test_a_stopped_run_whose_rates_fall_over_its_length_goes_on_to_the_same_bits(train):
    whole = train(*BY_SHARE, "trainer.max_epochs=2", "run_root=whole")
    with pytest.raises(Interrupted):
        train(*BY_SHARE, "trainer.max_epochs=2", callbacks=[stop_at(5)])
    folder = train(*BY_SHARE, "trainer.max_epochs=2", "resume=auto")
    assert folder.name == whole.name
    assert_same_end(folder, whole)
    with pytest.raises(UserError, match=r"trainer\.max_epochs was 2 and is now 3; resume\.allow_changes=true"):
        train(*BY_SHARE, "trainer.max_epochs=3", f"resume={folder}")


@pytest.mark.process
def test_a_run_folder_alone_is_enough_to_go_on(stopped_by_sigterm):
    """`resume=FOLDER` brings the run's own settings along; those given now come on top."""
    here, *_ = stopped_by_sigterm
    (folder,) = here.glob("runs/*")
    updates = state(folder)["global_step"]
    done = fork_command("train", f"resume={folder.relative_to(here)}", f"trainer.max_steps={updates + 3}", cwd=here)
    assert done.returncode == 0, done.stderr
    assert state(folder)["global_step"] == updates + 3
    refused = fork_command("train", f"resume={folder.relative_to(here)}", "model.latent_dim=17", cwd=here)
    assert refused.returncode == 2
    assert "model.latent_dim was 16 and is now 17" in refused.stderr
