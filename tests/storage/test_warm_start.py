"""A training that begins from another run's weights: what of them it has, what it trains, and how it goes on."""

import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.config import build, build_model
from cgan_lightning.storage import warm_start
from cgan_lightning.utils.errors import Interrupted, UserError
from tests.helpers.configs import composed
from tests.helpers.ranks import job
from tests.helpers.runs import assert_same_end, small, state, stop_at

REPOSITORY = Path(__file__).parents[2]
TWO, THREE = "data.classes=[Dress,Ankle boot]", "data.classes=[Trouser,Dress,Ankle boot]"
ROWS = ("generator.conditioning.rows", "ema.generator.conditioning.rows", "discriminator.head.classes.weight")
NAMES = ["a", "b", "c", "d"]


@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
def test_rows_are_found_by_the_names_of_classes(before, names):
    kept = {
        "generator.conditioning.rows": torch.tensor([[float(NAMES.index(name))] * 3 for name in before]),
        "discriminator.head.classes.bias": torch.tensor([float(NAMES.index(name)) for name in before]),
        "generator.project.weight": torch.ones(len(before), 3),
    }
    first = {key: -torch.ones(len(names), *tensor.shape[1:]) for key, tensor in kept.items()}
    grown = warm_start.grown(kept, first, before, names)
    expected = [float(NAMES.index(name)) if name in before else -1.0 for name in names]
    assert grown["generator.conditioning.rows"][:, 0].tolist() == expected
    assert grown["discriminator.head.classes.bias"].tolist() == expected
    assert grown["generator.project.weight"] is kept["generator.project.weight"], "its rows are no classes"


def model_of(*overrides: str):
    config = composed(*small(*overrides))
    data = build.data(config)
    return build_model.model(config, build_model.model_spec(config, data)), data.class_names


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "choices",
    [(), ("discriminator_label=plane",), ("discriminator_label=auxiliary", "discriminator_normalization=spectral"),
     ("generator_normalization=conditional_batch",), ("model=residual", "model.channels=64")],
    ids=str,
)  # fmt: skip
def test_all_is_warm_but_the_rows_of_the_new_class(train, choices):
    """Whatever has rows for classes: embeddings, in G and beside D's image, heads, also with a norm around them."""
    folder = train(TWO, *choices, "trainer.max_steps=2")
    kept = state(folder)["state_dict"]
    model, names = model_of(THREE, *choices, "seed=5", f"warm_start.checkpoint={folder}")
    first = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    warm_start.begin(model, names, str(folder), frozen=False)
    grew = {name for name, tensor in model.state_dict().items() if tensor.shape != kept[name].shape}
    assert grew >= {"generator.conditioning.rows", "ema.generator.conditioning.rows"}
    assert any(name.startswith("discriminator.") for name in grew)
    for name, tensor in model.state_dict().items():
        if name in grew:
            torch.testing.assert_close(tensor[1:], kept[name], atol=0, rtol=0)
            torch.testing.assert_close(tensor[0], first[name][0], atol=0, rtol=0)
        else:
            torch.testing.assert_close(tensor, kept[name], atol=0, rtol=0)


def test_a_class_less_or_another_one_is_a_matter_of_names_too(trained):
    folder = trained(THREE, "trainer.max_steps=2")
    kept = state(folder)["state_dict"]
    model, names = model_of("data.classes=[Dress,Bag,Ankle boot]", f"warm_start.checkpoint={folder}")
    first = model.state_dict()[ROWS[0]].clone()
    warm_start.begin(model, names, str(folder), frozen=False)
    for name in ROWS:
        torch.testing.assert_close(model.state_dict()[name][[0, 2]], kept[name][[1, 2]], atol=0, rtol=0)
    torch.testing.assert_close(model.state_dict()[ROWS[0]][1], first[1], atol=0, rtol=0)


@pytest.mark.matrix
def test_an_average_is_there_where_one_is_wanted(trained):
    without, with_one = trained(TWO, "trainer.max_steps=1", "ema.halflife_images=null"), trained(TWO, "trainer.max_steps=2")
    model, names = model_of(TWO, f"warm_start.checkpoint={without}")
    warm_start.begin(model, names, str(without), frozen=False)
    torch.testing.assert_close(model.ema.generator.state_dict(), model.generator.state_dict(), atol=0, rtol=0)
    model, names = model_of(TWO, f"warm_start.checkpoint={with_one}", "ema.halflife_images=null")
    warm_start.begin(model, names, str(with_one), frozen=False)
    kept = state(with_one)["state_dict"]
    torch.testing.assert_close(model.generator.project.weight.data, kept["generator.project.weight"], atol=0, rtol=0)


@pytest.mark.matrix
def test_frozen_all_of_the_generator_stays_but_its_rows(train, trained):
    """To the bit, statistics too, as the average that samples were drawn from; the discriminator trains."""
    folder = trained(TWO, "trainer.max_steps=3", "optimizer.generator.lr=0.01")
    kept = state(folder)["state_dict"]
    assert not torch.equal(kept["generator.project.weight"], kept["ema.generator.project.weight"])
    for call in ((), ("discriminator_label=plane", "optimizer.discriminator_updates=2")):
        source = folder if not call else train(TWO, *call, "trainer.max_steps=2")
        kept = state(source)["state_dict"]
        frozen = train(THREE, *call, f"warm_start.checkpoint={source}", "warm_start.freeze=true", "trainer.max_steps=4")
        ended = state(frozen)["state_dict"]
        for name in (name for name in ended if "generator." in name and not name.endswith(".rows")):
            average = name if name.startswith("ema.") else f"ema.{name}"
            torch.testing.assert_close(ended[name], kept[average], atol=0, rtol=0)
        for part in ("generator.", "ema.generator."):
            moved = ended[f"{part}conditioning.rows"][1:] != kept["ema.generator.conditioning.rows"]
            assert moved.any(dim=1).all(), "every row learns"
        learned = [name for name in ended if name.startswith("discriminator.blocks.") and name.endswith("weight")]
        assert not any(torch.equal(ended[name], kept[name]) for name in learned)


@pytest.mark.matrix
@pytest.mark.parametrize("freeze", ["true", "false"])
def test_a_stopped_run_goes_on_from_its_own_checkpoint_to_the_same_bits(train, trained, freeze):
    """Also where what it began from is gone by then."""
    folder = trained(TWO, "trainer.max_steps=2", "run_root=source")
    warm = (THREE, f"warm_start.checkpoint={folder}", f"warm_start.freeze={freeze}", "trainer.max_epochs=2")
    whole = train(*warm, "run_root=whole")
    with pytest.raises(Interrupted, match="after update 6"):
        train(*warm, "run_root=stopped", callbacks=[stop_at(6)])
    shutil.rmtree(folder)
    stopped = train(*warm, "run_root=stopped", "resume=auto")
    assert_same_end(stopped, whole)
    train(*warm, "run_root=stopped")  # finished: not done again
    with pytest.raises(UserError, match=r"there is no source/.*last\.ckpt; give the folder of a run"):
        train(*warm, "run_root=stopped", "rerun=true")
    assert (stopped / "results.json").exists(), "refused before the folder is cleared"


@pytest.mark.matrix
def test_what_cannot_grow_is_refused_before_a_folder_is_made(train, trained):
    onehot = trained(TWO, "conditioning=onehot", "discriminator_label=plane", "trainer.max_steps=1", "run_root=onehot")
    integer = trained(TWO, "conditioning=integer", "trainer.max_steps=1", "run_root=integer")
    usual = trained(TWO, "trainer.max_steps=1", "run_root=usual")
    stopped = pytest.raises(UserError, match=r"^warm_start\.checkpoint=.* has other classes, and only conditioning=embedding")
    for folder, choice in ((onehot, "onehot"), (integer, "integer")):
        with stopped:
            train(THREE, f"conditioning={choice}", f"warm_start.checkpoint={folder}")
    for change in ("model.latent_dim=17", "model.channels=64", "discriminator_label=auxiliary"):
        with pytest.raises(
            UserError, match=r"^warm_start\.checkpoint=usual/\S+ does not fit these settings: \S+ has shape .*, but"
        ):
            train(THREE, change, f"warm_start.checkpoint={usual}")
    assert not Path("runs").exists()
    train(TWO, "conditioning=integer", f"warm_start.checkpoint={integer}", "trainer.max_steps=1")  # the same classes
    assert Path("runs").exists()


@pytest.mark.matrix
def test_two_ranks_begin_with_the_same(trained, tmp_path):
    """Rank zero alone reads the weights, and all have them."""
    folder = trained(TWO, "trainer.max_steps=2", "run_root=source")
    warm = (THREE, f"warm_start.checkpoint={folder}")
    model, names = model_of(*warm)
    warm_start.begin(model, names, str(folder), frozen=False)
    expected = model.generator.eval()(torch.ones(10, model.latent_dim), torch.arange(10) % 3)
    done = job("nothing", *small("trainer=ddp_cpu", *warm, "trainer.max_steps=1"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for rank in (0, 1):
        drawn = torch.load(tmp_path / f"rank{rank}.pt", weights_only=True)["images"]
        torch.testing.assert_close(drawn, expected, atol=1e-5, rtol=0)
