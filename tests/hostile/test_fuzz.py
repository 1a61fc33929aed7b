"""Bytes that nobody thought of, by atheris: the readers of IDX files and of model specs answer with UserError or not at all."""

import importlib.util
import json
import resource
import subprocess
import sys

import pytest

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import IdxFile
from cgan_lightning.evaluation import feature_extractor
from tests.helpers.needs import skip_without

SECONDS = 30
READERS = {
    "idx": """
with atheris.instrument_imports(include=["cgan_lightning.data", "gzip"]):
    from cgan_lightning.data import idx
    from cgan_lightning.data.spec import IdxFile

def read(content):
    small = IdxFile("fuzzed", (4,), "0" * 64)
    for name in ("fuzzed", "fuzzed.gz"):
        path = folder / name
        path.write_bytes(content)
        try:
            idx.read(folder, small)
        except UserError:
            pass
        path.unlink()
""",
    "model_spec": """
import json
with atheris.instrument_imports(include=["cgan_lightning.models", "cgan_lightning.utils.safetensors_file", "json"]):
    from cgan_lightning.models import generator_file

def read(content):
    # In an envelope that is right, so that what is tried is the model spec; and as the whole file.
    text = content.decode("utf-8", "replace")
    header = json.dumps({"__metadata__": {"format": "1", "model_spec": text}}).encode()
    path = folder / "generator.safetensors"
    for file in (len(header).to_bytes(8, "little") + header, content):
        path.write_bytes(file)
        try:
            generator_file.load(path)
        except UserError:
            pass
""",
}
PROGRAM = """
import sys
from pathlib import Path
import atheris
from cgan_lightning.utils.errors import UserError

folder = Path(sys.argv.pop(1))
{reader}
atheris.Setup(sys.argv, read)
atheris.Fuzz()
"""


def seeds(reader):
    """What is nearly right, for mutations to begin with."""
    if reader == "idx":
        right = IdxFile("fuzzed", (4,), "").header + bytes([0, 1, 9, 10])
        return [right, right[:6], FASHION_MNIST.train[0].header]
    networks = "cgan_lightning.networks"
    model_spec = {
        "generator": {
            "_target_": f"{networks}.generator.Generator", "latent_dim": 2, "channels": 64, "bn_eps": 0.8, "stages": 2,
            "image_size": 28, "conditioning": {"_target_": f"{networks}.conditioning.OneHot", "num_classes": 2},
            "upsampling": {"_target_": f"{networks}.layers.NearestUpsample", "_partial_": True},
        },
        "prior": {"_target_": "cgan_lightning.models.prior.Uniform"},
        "class_names": ["a", "b"],
    }  # fmt: skip
    return [json.dumps(model_spec).encode(), b"[" * 2000, feature_extractor.DEFAULT.read_bytes()[:4096]]


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_answers_in_its_own_words(tmp_path, reader):
    if importlib.util.find_spec("atheris") is None:
        skip_without("atheris, which has no wheel for this Python")
    corpus, work = tmp_path / "corpus", tmp_path / "work"
    corpus.mkdir()
    work.mkdir()
    for number, content in enumerate(seeds(reader)):
        (corpus / str(number)).write_bytes(content)
    words = ["null", *(word for word in seeds(reader)[0].decode("latin-1").split('"') if word.isidentifier())]
    (tmp_path / "words").write_text("".join(f'"{word}"\n' for word in words))
    # Linux counts the largest size of the process that started a program as that program's own.
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{reader}", READERS[reader]), str(work), str(corpus),
         f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/", f"-dict={tmp_path}/words", "-max_len=8192",
             f"-rss_limit_mb={inherited + 2048}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done " in done.stderr
