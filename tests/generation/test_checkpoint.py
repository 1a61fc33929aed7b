"""generator.safetensors: what is kept comes back, without code; anything else is refused in one sentence."""

import json
import re

import pytest
import safetensors.torch
import torch

from cgan_lightning.config import build
from cgan_lightning.config.compose import compose
from cgan_lightning.errors import UserError
from cgan_lightning.generation import checkpoint, recipe


def make(path, *overrides: str, ema: bool = True):
    config = compose("model.channels=64", *overrides)
    described = build.recipe(config, build.data(config))
    model = build.model(config, described)
    with torch.no_grad():
        model.ema.generator.project.bias.add_(1)  # so that the average is another network
    checkpoint.save(path, described, raw=model.generator, ema=model.ema.generator if ema else None)
    return model


@pytest.mark.parametrize("overrides", [(), ("noise=uniform", "conditioning=onehot", "upsampling=transposed")])
@pytest.mark.parametrize("weights", ["ema", "raw"])
def test_a_generator_comes_back_as_it_was(tmp_path, overrides, weights):
    model = make(tmp_path / checkpoint.FILE_NAME, *overrides)
    trained = checkpoint.load(tmp_path, weights=weights)
    kept = model.ema.generator if weights == "ema" else model.generator
    torch.testing.assert_close(trained.network.state_dict(), kept.state_dict(), atol=0, rtol=0)
    assert type(trained.prior) is type(model.prior)
    assert trained.class_names[3] == "Dress"
    assert not trained.network.training


def test_a_run_without_an_average_gives_its_raw_weights(tmp_path):
    model = make(tmp_path / "g.safetensors", ema=False)
    trained = checkpoint.load(tmp_path / "g.safetensors", weights="ema")
    torch.testing.assert_close(trained.network.state_dict(), model.generator.state_dict(), atol=0, rtol=0)


def with_metadata(path, **changes):
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
    path.write_bytes(safetensors.torch.save(tensors, metadata | changes))


def test_what_is_no_generator_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "g.safetensors"

    def refusal(where=path):
        with pytest.raises(UserError) as error:
            checkpoint.load(where)
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "there is no" in refusal()
    assert re.search(r"there is no .*generator.safetensors; give a run folder", refusal(tmp_path))
    path.write_text("hello")
    assert "is no generator of cgan_lightning" in refusal()
    (tmp_path / "last.ckpt").write_text("hello")
    assert "is no generator.safetensors; give the run folder" in refusal(tmp_path / "last.ckpt")
    path.write_bytes(safetensors.torch.save({"weight": torch.zeros(3)}))
    assert "has format None, this version reads 1" in refusal()

    make(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "is no generator of cgan_lightning" in refusal()
    path.write_bytes(whole)
    with_metadata(path, format="2")
    assert "has format 2, this version reads 1" in refusal()
    path.write_bytes(whole)
    with_metadata(path, recipe=json.dumps({"generator": {"_target_": "os.system", "command": "true"}}))
    assert "os.system is none of the classes" in refusal()
    path.write_bytes(whole)
    with_metadata(path, recipe="[]")
    assert "is no generator of cgan_lightning" in refusal()


def test_a_recipe_builds_our_own_classes_alone():
    with pytest.raises(UserError, match="is none of the classes"):
        recipe.build({"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1})
    with pytest.raises(UserError, match="can't be built: got an unexpected keyword argument 'widht'"):
        recipe.build({"_target_": "cgan_lightning.networks.conditioning.Embedding", "num_classes": 2, "widht": 2})
    partial = recipe.build({"_target_": "cgan_lightning.networks.layers.NearestUpsample", "_partial_": True})
    assert partial(3, 4)(torch.zeros(1, 3, 5, 5)).shape == (1, 4, 10, 10)
