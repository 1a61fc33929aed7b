"""Files made to harm: each is given to the real command, which refuses it in one sentence, runs nothing and stays small."""

import gzip
import io
import json
import os
import pickle
import struct
import zlib

import pytest
import safetensors.torch
import torch

from cgan_lightning.config import build, build_model, identity
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.evaluation import feature_extractor
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import directions
from cgan_lightning.storage import checksum
from cgan_lightning.utils.files import write_json
from tests.helpers.configs import composed
from tests.hostile.processes import ALLOWED_MIB, command, run

pytestmark = pytest.mark.matrix


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def marker(tmp_path):
    """Must not be there in the end."""
    path = tmp_path / "marker"
    yield path
    assert not path.exists()


@pytest.fixture(scope="module")
def idle_mib(tmp_path_factory):
    """Of the imports of drawing, measuring and training."""
    return run(tmp_path_factory.mktemp("idle"), "tests.hostile.idle").peak_mib


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A small generator's file, as a run leaves it."""
    path = tmp_path_factory.mktemp("generator") / generator_file.FILE_NAME
    config = composed("model.channels=64")
    described = build_model.model_spec(config, build.data(config))
    generator_file.save(path, described, raw=build_model.model(config, described).generator, ema=None)
    return path


def refused(ended, idle_mib, sentence, code=2):
    assert ended.code == code, ended.said
    assert ended.said.count("\n") == 1, ended.said
    assert sentence in ended.said
    assert ended.said.strip().isprintable()
    assert ended.peak_mib < idle_mib + ALLOWED_MIB


def with_model_spec(path, source, change):
    """`source` with its model spec changed."""
    with safetensors.safe_open(source, "pt") as file:
        model_spec = json.loads(file.metadata()["model_spec"])
    metadata = {"format": "1", "model_spec": change(model_spec)}
    path.write_bytes(safetensors.torch.save(safetensors.torch.load_file(source), metadata))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"channels": 10**9}, "channels=1000000000: must be a whole number at least 64 and at most 1024"),
        ({"_target_": "os.system", "command": "mkdir marker"}, "os.system is none of the classes that a model spec may name"),
        ({"latent_dim": 4096, "channels": 1024, "image_size": 256, "stages": 1}, "it has raw.blocks"),
    ],
)
def test_a_malicious_model_spec(tmp_path, marker, generator, idle_mib, changes, sentence):
    path = tmp_path / generator_file.FILE_NAME
    with_model_spec(path, generator, lambda spec: json.dumps(spec | {"generator": spec["generator"] | changes}))
    refused(command(tmp_path, "sample", f"checkpoint={path}", "device=cpu"), idle_mib, sentence)


def header(length, content=b""):
    return struct.pack("<Q", length) + content


ENDLESS = json.dumps({"raw.a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("checkpoint", lambda: header(90 * 2**20, b" " * 90 * 2**20)),  # made when it is needed
        ("checkpoint", lambda: header(len(ENDLESS), ENDLESS)),
        ("checkpoint", None),
        ("feature_extractor", lambda: header(2**40, b"{}")),
    ],
    ids=["a header of 90 MiB", "a tensor of 4 TiB", "a pickle", "a header of 1 TiB"],
)
def test_a_file_of_weights_that_lies(tmp_path, marker, idle_mib, what, content):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(content() if content else pickle.dumps(Evil(marker)))
    if what == "checkpoint":
        ended = command(tmp_path, "sample", f"checkpoint={path}", "device=cpu")
    else:
        ended = run(tmp_path, "tests.hostile.load_feature_extractor", str(path))
    refused(ended, idle_mib, f"{what}={path}: it is no ")


def test_a_feature_extractor_with_too_many_classes(tmp_path, idle_mib):
    path = tmp_path / "evil.safetensors"
    with safetensors.safe_open(feature_extractor.DEFAULT, "pt") as file:
        metadata = file.metadata()
    path.write_bytes(safetensors.torch.save({"head.bias": torch.zeros(10**6)}, metadata))
    refused(
        run(tmp_path, "tests.hostile.load_feature_extractor", str(path)),
        idle_mib,
        "its head.bias has shape (1000000,): a number of classes at least 1",
    )


def of_directions(coordinates, name="a"):
    return f'{{"latent_dim": 24, "directions": {{"{name}": [{coordinates}]}}}}'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "has 1,099,511,627,776 bytes: up to 4,194,304 are read"),
        (lambda: "[" * directions.FILE_LIMIT, "it holds no JSON object"),
        (lambda: of_directions(",".join(["{}"] * (directions.FILE_LIMIT // 3 - 30))), "a is [{}, {}"),  # most memory a byte
        (lambda: of_directions(", ".join(["NaN"] * 24)), "a is [nan, nan"),
        (lambda: of_directions("1", name="a" * 4_000_000), "a…"),
    ],
    ids=["1 TiB, sparse", "deep", "objects for numbers", "NaN", "a name of 4 MB"],
)
def test_a_file_of_directions_that_lies(tmp_path, generator, idle_mib, content, sentence):
    path = tmp_path / "evil.json"
    if content is None:
        with path.open("wb") as file:
            file.truncate(2**40)
    else:
        path.write_text(content())
    ended = command(tmp_path, "sample", f"checkpoint={generator}", f"directions={path}", "move={a: 1}", "device=cpu")
    refused(ended, idle_mib, sentence)
    assert f"directions={path}" in ended.said
    assert sorted(left.name for left in tmp_path.iterdir()) == ["evil.json"]


@pytest.mark.parametrize("override", ["noise._target_=os.system", "hydra.launcher._target_=os.system",
                                      "+hydra.callbacks.x={_target_:os.mkdir,path:marker}"])  # fmt: skip
def test_a_malicious_target(tmp_path, marker, idle_mib, override):
    refused(command(tmp_path, "train", override), idle_mib, "_target_=os.")
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_with_malicious_settings(tmp_path, marker, idle_mib):
    record = {"settings": {}, "choices": {}, "place": {}}
    write_json(
        tmp_path / "run" / "run.json", record | {"overrides": [f"+hydra.callbacks.x={{_target_:os.mkdir,path:{marker}}}"]}
    )
    refused(command(tmp_path, "train", "resume=run"), idle_mib, "resume=run: its run.json has +hydra.callbacks.x=")


@pytest.mark.parametrize(
    ("checksummed", "sentence"),
    [(True, "last.ckpt is not a checkpoint of cgan_lightning: it contains more than tensors and plain data"),
     (False, "last.ckpt is damaged, or not a checkpoint of cgan_lightning")],
    ids=["with the right checksum", "without one"],
)  # fmt: skip
def test_a_malicious_training_checkpoint(tmp_path, marker, idle_mib, checksummed, sentence):
    run_folder, content = tmp_path / "run", io.BytesIO()
    asked = ("trainer=cpu", "data.limit=64", "data.batch_size=16")
    write_json(run_folder / "run.json", identity.record(composed(*asked), ranks=1, device="cpu"))
    torch.save({"global_step": Evil(marker)}, content)
    (run_folder / "checkpoints").mkdir()
    whole = checksum.with_checksum(content.getvalue()) if checksummed else content.getvalue()
    (run_folder / "checkpoints" / "last.ckpt").write_bytes(whole)
    refused(command(tmp_path, "train", "resume=run"), idle_mib, sentence)


MANY = bytes([0, 0, 8, 3]) + struct.pack(">III", 2**31, 28, 28)


@pytest.mark.parametrize(
    ("ending", "content", "sentence"),
    [
        ("", MANY, "its header says 2,147,483,648×28×28"),
        (".gz", gzip.compress(MANY), "its header says 2,147,483,648×28×28"),
        ("", "sparse", "is not the IDX file"),
        (".gz", "bomb", "has more than 47,040,016 bytes"),
    ],
    ids=["2^31 images", "2^31 images, packed", "1 TiB, sparse", "16 GiB of zeros, packed"],
)
def test_an_idx_file_that_lies(tmp_path, idle_mib, ending, content, sentence):
    path = tmp_path / f"{FASHION_MNIST.train[0].name}{ending}"
    if content == "sparse":
        with path.open("wb") as file:
            file.truncate(2**40)
    elif content == "bomb":
        path.write_bytes(bomb(FASHION_MNIST.train[0].header))
    else:
        path.write_bytes(content)
    refused(command(tmp_path, "train", f"data.root={tmp_path}"), idle_mib, sentence)


def bomb(beginning):
    """A gzip stream of `beginning` and 16 GiB of zeros, in a few MiB; the checksum at its end is never reached."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(beginning) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)  # of no context, so that it can be repeated
    return first + zeros * 1024
