"""Training checkpoints: damage is seen and named, the one before is used, and what is no checkpoint of ours is refused."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgan_lightning.storage import checkpoint_io, checksum
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import read_json
from tests.helpers.runs import assert_same_end, state


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "last.ckpt"
    checkpoint_io.write({"global_step": 3, "weights": torch.arange(1000.0)}, path)
    return path.read_bytes()


def test_a_checkpoint_with_its_checksum_is_an_ordinary_one(whole):
    assert torch.load(io.BytesIO(whole), weights_only=True)["global_step"] == 3
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_and_no_lost_end_goes_unseen(whole, tmp_path, data):
    path = tmp_path / "damaged.ckpt"
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(data.draw(st.sampled_from([bytes(flipped), whole[:at], whole + b"\0"])))
    with pytest.raises(checksum.DamagedError, match="is damaged"):
        checksum.check(path)


def test_what_could_unfold_to_gigabytes_is_no_checkpoint(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(10**6))
    (tmp_path / "bomb.ckpt").write_bytes(checksum.with_checksum(packed.getvalue()))
    with pytest.raises(checksum.DamagedError, match="compressed"):
        checksum.check(tmp_path / "bomb.ckpt")


@pytest.fixture
def stopped(trained) -> Path:
    """A run of 2 epochs that is to have 3; 4 updates each."""
    return trained("trainer.max_epochs=2", "run_root=stopped")


def go_on(train, *overrides: str) -> Path:
    return train("trainer.max_epochs=3", "run_root=stopped", "resume=auto", *overrides)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("spoil", [damage, lambda path: path.write_bytes(path.read_bytes()[:-1000]), Path.unlink])
def test_the_one_before_is_used(train, trained, stopped, caplog, spoil):
    """Bit-flipped, truncated, or gone: between two renamings."""
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    spoil(stopped / "checkpoints" / "last.ckpt")
    (stopped / "checkpoints" / ".last.ckpt.partial").write_text("what a killed writer leaves")
    caplog.clear()
    go_on(train)
    assert "Resuming from update 4" in caplog.text
    assert ("last.ckpt is damaged" in caplog.text) is (spoil is not Path.unlink)
    assert_same_end(stopped, whole)
    assert {path.name for path in (stopped / "checkpoints").iterdir()} == {"last.ckpt", "previous.ckpt", "best.ckpt"}


def test_two_damaged_ones_are_named_and_nothing_is_lost(train, stopped):
    kept = sorted(path.name for path in stopped.rglob("*"))
    for name in ("last.ckpt", "previous.ckpt"):
        damage(stopped / "checkpoints" / name)
    with pytest.raises(
        UserError, match=r"last.ckpt is damaged[^;]*; \S+previous.ckpt is damaged[^;]*: rerun=true starts the run over$"
    ):
        go_on(train)
    assert sorted(path.name for path in stopped.rglob("*")) == kept


class Evil:
    """What a pickle can make its reader do."""

    def __reduce__(self):
        return Path.touch, (Path("executed"),)


def text(path):
    path.write_text("hello")


def another_frameworks(path):
    torch.save({"model": {"weight": torch.zeros(3)}, "epoch": 4}, path)


def another_frameworks_sealed(path):
    checkpoint_io.write({"model": {"weight": torch.zeros(3)}, "epoch": 4}, path)


def malicious(path):
    content = io.BytesIO()
    torch.save({"global_step": 8, "state_dict": Evil()}, content)
    path.write_bytes(checksum.with_checksum(content.getvalue()))


def malicious_pickle(path):
    path.write_bytes(pickle.dumps(Evil()))


def newer(path):
    checkpoint_io.write(torch.load(path, weights_only=True) | {"cgan_lightning_format": 2}, path)


def garbage_for_weights(path):
    checkpoint_io.write(torch.load(path, weights_only=True) | {"state_dict": [1, 2]}, path)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (text, "is damaged, or not a checkpoint of cgan_lightning: its SHA-256"),
        (another_frameworks, "is damaged, or not a checkpoint of cgan_lightning: its SHA-256"),
        (another_frameworks_sealed, "is not a training checkpoint of cgan_lightning: it lacks"),
        (malicious, "is not a checkpoint of cgan_lightning: it contains more than tensors and plain data"),
        (malicious_pickle, "is damaged, or not a checkpoint"),
        (newer, "has format 2, this version reads 1"),
        (garbage_for_weights, "does not fit these settings"),
    ],
)
def test_what_is_no_checkpoint_of_ours_is_refused(train, stopped, make, sentence):
    (stopped / "checkpoints" / "previous.ckpt").unlink()
    make(stopped / "checkpoints" / "last.ckpt")
    with pytest.raises(UserError) as error:
        go_on(train)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert not Path("executed").exists()


def test_changed_settings_are_listed_and_may_be_allowed(train, stopped):
    rates = ("optimizer.generator.lr=1e-3", "optimizer.generator.decay_images=null")
    resumed = (f"resume={stopped}", "trainer.max_epochs=3", *rates, "noise=uniform")
    with pytest.raises(UserError) as error:
        train(*resumed)
    assert "noise was" in str(error.value)
    assert "optimizer.generator.lr was 0.002 and is now 0.001; resume.allow_changes=true resumes it anyway" in str(error.value)
    train(*resumed, "resume.allow_changes=true")
    changes = read_json(stopped / "results.json")["changes"]
    assert [change["update"] for change in changes] == [8]
    assert changes[0]["optimizer.generator.lr"] == [0.002, 0.001]
    assert state(stopped)["global_step"] == 12
    for group in state(stopped)["optimizer_states"][0]["param_groups"]:
        assert group["lr"] == 1e-3, "what was asked for, not what the checkpoint says"


def test_changes_that_the_weights_do_not_fit_are_refused_with_their_shapes(train, stopped):
    with pytest.raises(UserError, match=r"does not fit.*: ema.* has shape .*256.*, but .*64.* is needed"):
        train(f"resume={stopped}", "trainer.max_epochs=3", "model.channels=64", "resume.allow_changes=true")


def test_another_number_of_ranks_is_said(train, stopped, caplog):
    record = stopped / "run.json"
    record.write_text(record.read_text().replace('"ranks": 1', '"ranks": 2'))
    go_on(train)
    assert "Changed since the run was started (ranks was 2 and is now 1): " in caplog.text
    assert read_json(stopped / "results.json")["changes"] == [{"update": 8, "ranks": [2, 1]}]


@pytest.mark.parametrize("content", ["hello", "[]", "{}", '{"settings": 3}', "[" * 10**5])
def test_a_damaged_record_is_named(train, stopped, content):
    (stopped / "run.json").write_text(content)
    with pytest.raises(UserError, match=r"run.json is damaged"):
        go_on(train)


@pytest.mark.matrix
def test_a_run_of_a_gpu_goes_on_where_there_is_none(train, monkeypatch):
    """Its tensors are marked with a device that isn't here, as torch.save marks them on a GPU."""
    folder = train("trainer.max_epochs=1")
    path = folder / "checkpoints" / "last.ckpt"
    content = torch.load(path, weights_only=True)
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        checkpoint_io.write(content, path)
    with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
        torch.load(path, weights_only=True)
    assert state(train("trainer.max_epochs=2", "resume=auto"))["global_step"] == 8
