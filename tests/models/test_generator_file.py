"""generator.safetensors: what is kept comes back, without code; anything else is refused in one sentence."""

import copy
import json
import re

import pytest
import safetensors.torch
import torch

from cgan_lightning.config import build, build_model
from cgan_lightning.models import generator_file, spec
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed

EMBEDDING = {"_target_": "cgan_lightning.models.conditioning.Embedding", "num_classes": 10, "width": 10}
NEAREST = "cgan_lightning.models.layers.NearestUpsample"


def make(path, *overrides: str, ema: bool = True):
    config = composed("model.channels=64", *overrides)
    described = build_model.model_spec(config, build.data(config))
    model = build_model.model(config, described)
    with torch.no_grad():
        model.ema.generator.project.bias.add_(1)  # so that the average is another network
    generator_file.save(path, described, raw=model.generator, ema=model.ema.generator if ema else None)
    return model


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("noise=uniform", "conditioning=onehot", "upsampling=transposed"),
        ("experiment=documented", "model.channels=128", "model.stages=1"),
    ],
)
@pytest.mark.parametrize("weights", ["ema", "raw"])
def test_a_generator_comes_back_as_it_was(tmp_path, overrides, weights):
    model = make(tmp_path / generator_file.FILE_NAME, *overrides)
    trained = generator_file.load(tmp_path, weights=weights)
    kept = model.ema.generator if weights == "ema" else model.generator
    torch.testing.assert_close(trained.network.state_dict(), kept.state_dict(), atol=0, rtol=0)
    z, label = torch.ones(1, trained.network.latent_dim), torch.tensor([3])
    torch.testing.assert_close(trained.network(z, label), kept.eval()(z, label), atol=0, rtol=0)
    assert type(trained.prior) is type(model.prior)
    assert trained.class_names[3] == "Dress"
    assert not trained.network.training


def test_a_run_without_an_average_gives_its_raw_weights(tmp_path):
    model = make(tmp_path / "g.safetensors", ema=False)
    trained = generator_file.load(tmp_path / "g.safetensors", weights="ema")
    torch.testing.assert_close(trained.network.state_dict(), model.generator.state_dict(), atol=0, rtol=0)


def with_metadata(path, **changes):
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
    path.write_bytes(safetensors.torch.save(tensors, metadata | changes))


def refusal(path):
    with pytest.raises(UserError) as error:
        generator_file.load(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1000
    return str(error.value)


def test_what_is_no_generator_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "g.safetensors"
    assert "there is no" in refusal(path)
    assert re.search(r"there is no .*generator.safetensors; give a run folder", refusal(tmp_path))
    path.write_text("hello")
    assert "is no generator of cgan_lightning" in refusal(path)
    (tmp_path / "last.ckpt").write_text("hello")
    assert "is no generator.safetensors; give the run folder" in refusal(tmp_path / "last.ckpt")
    path.write_bytes(safetensors.torch.save({"weight": torch.zeros(3)}))
    assert "has format None, this version reads 1" in refusal(path)

    make(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "is no generator of cgan_lightning" in refusal(path)
    path.write_bytes(whole)
    with_metadata(path, format="2")
    assert "has format 2, this version reads 1" in refusal(path)
    path.write_bytes(whole)
    with_metadata(path, model_spec=json.dumps({"generator": {"_target_": "os.system", "command": "true"}}))
    assert "os.system is none of the classes" in refusal(path)
    path.write_bytes(whole)
    with_metadata(path, model_spec="[]")
    assert "its model spec is []: it must have generator, prior and class_names" in refusal(path)


def test_a_model_spec_builds_our_own_classes_alone():
    with pytest.raises(UserError, match="is none of the classes"):
        spec.build({"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1})
    with pytest.raises(UserError, match=r"Embedding: widht is not one of its arguments \(num_classes, width\)"):
        spec.build(EMBEDDING | {"widht": 2})
    with pytest.raises(UserError, match=r"Uniform: low is not one of its arguments \(it takes none\)"):
        spec.build({"_target_": "cgan_lightning.models.prior.Uniform", "low": 0})
    partial = spec.build({"_target_": "cgan_lightning.models.layers.NearestUpsample", "_partial_": True})
    assert partial(3, 4)(torch.zeros(1, 3, 5, 5)).shape == (1, 4, 10, 10)


def test_plugins_that_a_file_needs_are_named_before_anything_is_built():
    described = {"plugins": {"generator": ["my_lab.parts"]}}
    generator_file.check_plugins(described, "prior")
    with pytest.raises(generator_file.PluginError, match=r"it needs a plugin: .*my_lab\.parts"):
        generator_file.check_plugins(described, "prior", "generator")


def deep(levels):
    nested = EMBEDDING
    for _ in range(levels):
        nested = {"_target_": "cgan_lightning.models.generator.Generator", "conditioning": nested}
    return nested


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"channels": 10**9}, "channels=1000000000: must be a whole number at least 64 and at most 1024"),
        ({"channels": 10**4000}, "must be a whole number at least 64 and at most 1024"),
        ({"channels": "128"}, "channels=128: must be a whole number"),
        ({"bn_eps": float("nan")}, "bn_eps=nan: must be a number above 0 and at most 10"),
        ({"channels": 128.0}, "channels=128.0: must be a whole number"),
        ({"channels": [128]}, "channels=[128]: must be a whole number"),
        ({"stages": 10**6}, "stages=1000000: must be a whole number at least 1 and at most 5"),
        ({"stages": True}, "stages=True: must be a whole number"),
        ({"stages": 3}, "28 pixels cannot be halved 3 times"),
        ({"image_size": 2**60}, "must be a whole number at least 28 and at most 256"),
        ({"latent_dim": 0}, "latent_dim=0: must be a whole number at least 1 and at most 4096"),
        ({"bn_eps": None}, "bn_eps=None: must be a number"),
        ({"conditioning": 3}, "3 is not a spec"),
        ({"conditioning": EMBEDDING | {"num_classes": 10**12}}, "num_classes=1000000000000: must be"),
        ({"conditioning": EMBEDDING | {"_partial_": True}}, "_partial_ must be false, not True"),
        ({"conditioning": {"_target_": ["os.system"]}}, "_target_: ['os.system'] is none of the classes"),
        ({"conditioning": {"_target_": "cgan_lightning.models.prior.Uniform"}}, "Uniform is none of the classes"),
        ({"conditioning": deep(300)}, "Generator is none of the classes"),
        ({"upsampling": {"_target_": NEAREST}}, "_partial_ must be true, not None"),
        (
            {"upsampling": {"_target_": NEAREST, "_partial_": True, "in_channels": 10**9}},
            "in_channels is not one of its arguments (it takes none)",
        ),
        ({"\x1b[31m": 1}, "[31m is not one of its arguments"),
    ],
)
def test_arguments_of_a_model_spec_have_types_and_ranges(tmp_path, changes, sentence):
    path = tmp_path / generator_file.FILE_NAME
    make(path)
    hostile = generator_file.load(path).model_spec
    with_metadata(path, model_spec=json.dumps(hostile | {"generator": hostile["generator"] | changes}))
    assert sentence in refusal(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"generator": EMBEDDING}, "Embedding is none of the classes"),
        ({"generator": None}, "None is not a spec"),
        (
            {"prior": EMBEDDING},
            "Embedding is none of the classes that a model spec may name (cgan_lightning.models.prior.StandardNormal",
        ),
        ({"class_names": None}, "class_names=None: must be 10 texts"),
        ({"class_names": ["a"] * 9}, "must be 10 texts"),
        ({"class_names": ["a" * 10_000] * 10}, "must be 10 texts"),
        ({"class_names": ["\x1b[2J"] * 10}, "must be 10 texts"),
        ({"class_names": [1] * 10}, "must be 10 texts"),
    ],
)
def test_parts_and_names_are_checked_too(tmp_path, changes, sentence):
    path = tmp_path / generator_file.FILE_NAME
    make(path)
    with_metadata(path, model_spec=json.dumps(generator_file.load(path).model_spec | changes))
    assert sentence in refusal(path)


def test_json_of_any_depth_is_refused(tmp_path):
    path = tmp_path / generator_file.FILE_NAME
    make(path)
    with_metadata(path, model_spec="[" * 100_000)
    assert "its model_spec is too deeply nested" in refusal(path)


@pytest.mark.parametrize(
    ("key", "change", "sentence"),
    [
        (
            "ema.project.weight",
            lambda tensor: tensor[:, :1],
            "ema.project.weight has shape (3136, 1), but its network",
        ),
        ("ema.project.weight", lambda tensor: tensor.half(), "ema.project.weight has type F16"),
        ("ema.project.weight", lambda tensor: tensor.long(), "ema.project.weight has type I64"),
        ("ema.blocks.0.num_batches_tracked", lambda tensor: tensor.float(), "has type F32"),
        ("ema.project.weight", lambda _: None, "it lacks ema.project.weight"),
        ("ema.more", lambda _: torch.zeros(1), "it has ema.more"),
    ],
)
def test_weights_must_be_those_of_the_model_spec(tmp_path, key, change, sentence):
    path = tmp_path / generator_file.FILE_NAME
    make(path)
    tensors = safetensors.torch.load_file(path)
    tensors[key] = change(tensors.get(key))
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
    kept = {name: tensor.contiguous() for name, tensor in tensors.items() if tensor is not None}
    path.write_bytes(safetensors.torch.save(kept, metadata))
    assert sentence in refusal(path)


def test_weights_of_double_precision_become_single(tmp_path):
    described = build_model.model_spec(config := composed("model.channels=64"), build.data(config))
    model = build_model.model(config, described)
    wide = copy.deepcopy(model.generator).double()
    generator_file.save(tmp_path / generator_file.FILE_NAME, described, raw=wide, ema=None)
    trained = generator_file.load(tmp_path)
    torch.testing.assert_close(trained.network.state_dict(), model.generator.state_dict(), atol=0, rtol=0)


def test_the_largest_network_costs_nothing_before_its_weights_are_there(tmp_path):
    """latent_dim=4096, channels=1024 and image_size=256 would be 256 GiB."""
    path = tmp_path / generator_file.FILE_NAME
    make(path)
    hostile = generator_file.load(path).model_spec
    largest = {"latent_dim": 4096, "channels": 1024, "image_size": 256, "stages": 1}
    with_metadata(path, model_spec=json.dumps(hostile | {"generator": hostile["generator"] | largest}))
    assert re.search(r"it (has|lacks) ema\.", refusal(path))
