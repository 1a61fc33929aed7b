"""A folder with everything that the commands of docs/reliability.md name: real files, each spoilt in one way."""

import gzip
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from cgan_lightning.data import idx, sources
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.storage import checkpoint_io, checksum
from cgan_lightning.storage.sweep_folder import Job, SweepFolder
from tests.helpers import commands
from tests.helpers.runs import SMALL

OWN_FILES = {  # settings of a user's own, each file with one mistake
    "experiment/typo": "# @package _global_\nmodel: {chanels: 128}\n",
    "experiment/wide": "# @package _global_\nmodel: {channels: wide}\n",
    "experiment/option": "# @package _global_\ndefaults: [override /loss: hing]\n",
    "experiment/header": "model: {channels: 128}\n",
    "experiment/brace": "# @package _global_\nmodel: {channels: 128\n\n",
    "experiment/names": "# @package _global_\nname: ${nothing}\n",
}
TRAIN_LABELS, TEST_LABELS = FASHION_MNIST.train[1], FASHION_MNIST.test[1]
HEADER = len(TRAIN_LABELS.header)
SPOILT_LABELS: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[:-1],
    "magic": lambda content: content[:2] + b"\x0d" + content[3:],
    "counts": lambda content: content[:4] + (59_999).to_bytes(4, "big") + content[8:-1],
    "label-10": lambda content: content[:-1] + b"\x0a",
    "another": lambda content: content[:HEADER] + content[HEADER + 1 :] + content[HEADER : HEADER + 1],
}


def prepare(folder: Path) -> None:
    """In `folder`, which must be the current one: a sweep keeps where its runs are."""
    (folder / "notes.txt").write_text("Remember the milk.\n")
    (folder / "empty").mkdir()
    _own_files(folder / "conf")
    _data(folder / "data")
    _run(folder)
    _checkpoints(folder)
    _directions(folder)
    _stopped_runs(folder)
    job = Job(number=0, name="run", overrides=[], run="run", max_epochs=9, max_steps=1)
    with SweepFolder(folder / "sweep").claim("python -m cgan_lightning.train -m seed=0", {"seed": ["0"]}, [job]):
        pass
    (folder / "runs" / "sweeps").mkdir(parents=True)
    for name, held in {"runs/first": "run", "runs/second": "stopped", "runs/sweeps/seed": "sweep"}.items():
        (folder / name).symlink_to(folder / held)


def _own_files(folder: Path) -> None:
    for name, content in OWN_FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(content)
    (folder / "experiment" / "latin.yaml").write_bytes(b"# @package _global_\nname: \xe9t\xe9\n")


def _data(folder: Path) -> None:
    """The real files but for one: the training labels, or the test labels, which are missing."""
    real = sources.locate()
    labels = idx.read(real, TRAIN_LABELS)
    for name, spoil in SPOILT_LABELS.items():
        (_linked(real, folder / name, without=TRAIN_LABELS.name) / TRAIN_LABELS.name).write_bytes(spoil(labels))
    _linked(real, folder / "missing", without=TEST_LABELS.name)
    for name, content in {"garbage": b"garbage", "packed-garbage": gzip.compress(b"garbage")}.items():
        (_linked(real, folder / name, without=TRAIN_LABELS.name) / f"{TRAIN_LABELS.name}.gz").write_bytes(content)


def _linked(real: Path, folder: Path, *, without: str) -> Path:
    folder.mkdir(parents=True)
    for file in FASHION_MNIST.files:
        if file.name != without:
            (folder / file.name).symlink_to(real / file.name)
    return folder


def _run(folder: Path) -> None:
    answer = commands.give("train", *SMALL, "trainer.max_steps=1", "validation.every_n_epochs=null", "run_root=made")
    assert answer.code == 0, answer.said
    (made,) = (folder / "made").iterdir()
    made.rename(folder / "run")
    shutil.rmtree(folder / "made")


def _checkpoints(folder: Path) -> None:
    whole = (folder / "run" / "generator.safetensors").read_bytes()
    tensors = safetensors.torch.load(whole)
    with safetensors.safe_open(folder / "run" / "generator.safetensors", "pt") as file:
        metadata = file.metadata()
    model_spec = json.loads(metadata["model_spec"]) | {"generator": {"_target_": "os.system", "command": "true"}}
    torch.save({"state_dict": tensors, "epoch": 3}, folder / "other.pt")
    (folder / "other.safetensors").write_bytes(safetensors.torch.save(tensors, {"format": "pt"}))
    (folder / "cut.safetensors").write_bytes(whole[:-100])
    (folder / "newer.safetensors").write_bytes(safetensors.torch.save(tensors, metadata | {"format": "2"}))
    (folder / "unknown.safetensors").write_bytes(
        safetensors.torch.save(tensors, metadata | {"model_spec": json.dumps(model_spec)})
    )


def _directions(folder: Path) -> None:
    found = {"sefa1": [1.0] + [0.0] * 23, "boot_height": [0.0] * 23 + [1.0]}
    whole = {"latent_dim": 24, "directions": found}
    for name, content in {
        "directions": whole,
        "of-100": whole | {"latent_dim": 100},
        "short": whole | {"directions": found | {"sefa1": [1.0]}},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def _stopped_runs(folder: Path) -> None:
    """Copies of the run that lack its results, each with one checkpoint, spoilt in one way."""
    whole = folder / "run" / "checkpoints" / "last.ckpt"
    content, packed = torch.load(whole, weights_only=True), io.BytesIO()
    torch.save({"global_step": 1, "state_dict": folder}, packed)  # a path, where plain data must be
    spoils: dict[str, Callable[[Path], object]] = {
        "stopped": lambda path: None,
        "stopped-text": lambda path: path.write_text("Remember the milk.\n"),
        "stopped-cut": lambda path: path.write_bytes(whole.read_bytes()[:-1]),
        "stopped-other": lambda path: checkpoint_io.write({"model": {}, "epoch": 3}, path),
        "stopped-newer": lambda path: checkpoint_io.write(content | {"cgan_lightning_format": 2}, path),
        "stopped-code": lambda path: path.write_bytes(checksum.with_checksum(packed.getvalue())),
    }
    for name, spoil in spoils.items():
        shutil.copytree(folder / "run", folder / name)
        (folder / name / "results.json").unlink()
        spoil(folder / name / "checkpoints" / "last.ckpt")
