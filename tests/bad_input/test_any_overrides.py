"""Whatever is asked for, a training is either done or refused in one sentence, with nothing left behind.

Overrides come from the schema: values inside the bounds, on them and beyond, of the wrong type, of keys that aren't there.
"""

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgan_lightning.config import checks
from cgan_lightning.config.identity import CHOICES
from cgan_lightning.config.paths import CONF
from tests.bad_input import values
from tests.helpers import commands
from tests.helpers.runs import small

FIELDS = values.fields("train")
GROUPS = {
    **{group: sorted(file.stem for file in (CONF / group).glob("*.yaml")) for group in (*CHOICES, "callbacks")},
    "trainer": ["auto", "cpu"],
    "experiment": ["documented", "quick", "nine_classes", "transfer"],
    "data": ["fashion_mnist", "files"],
}
CHEAP = {  # the most that a test's run has time for
    "data.batch_size": 32, "data.limit": 256, "data.image_size": 64, "data.workers": 1,
    "model.channels": 128, "model.latent_dim": 256, "model.generator.maps": 64, "discriminator_label.head.hidden": 64,
    "conditioning.generator.width": 32, "conditioning.discriminator.width": 8,
    "callbacks.sample_grid.columns": 8, "validation.samples": 200, "trainer.devices": 1, "trainer.num_nodes": 1,
}  # fmt: skip
TEXT = {
    "data.dataset": ["fashion_mnist", "files"],  # others would be downloaded
    "data.root": ["null", "nowhere"],
    **{f"data.{key}": ["null", "nowhere.npz"] for key in ("images", "labels", "test_images", "test_labels")},
    "data.class_names": ["null", "[cat,dog]", "7"],
    "name": ["null", "baseline", "../elsewhere"],
    "run_root": ["there", "there/deep", "/proc/there"],
    "resume.run": ["null", "auto", "nowhere"],
    "data.classes": ["null", "7", "[Dress,Coat]", "[Drss]", "{Dress:1}"],
    "data.per_class_limit": ["null", "0", "7", "[7]", "{Dress:7}", "{Dress:7,3:7}"],
    "warm_start.checkpoint": ["null", "nowhere"],
}
LEFT_OUT = ("trainer.max_steps", *(key for key in FIELDS if key.endswith("._target_")))
BASE = ("validation.every_n_epochs=null", "validation.samples=100", "trainer.max_epochs=9")


def inside(key: str) -> st.SearchStrategy[str]:
    """Values that `key` may have, its bounds among them."""
    field = FIELDS[key]
    kind, optional = checks.type_of(field)
    bounds, null = field.metadata.get("bounds", {}), ["null"] if optional else []
    if key in TEXT:
        return st.sampled_from(TEXT[key])
    if choices := field.metadata.get("choices"):
        return st.sampled_from([choice for choice in [*choices, *null] if choice != "gpu"])
    if kind is bool:
        return st.sampled_from(["true", "false"])
    if kind is int:
        least, most = bounds["at_least"], bounds.get("at_most", bounds.get("below", 10**6) - 1)
        numbers = st.sampled_from([least, CHEAP.get(key, most)]) | st.integers(least, CHEAP.get(key, most))
        return st.sampled_from(null) | numbers.map(str) if null else numbers.map(str)
    least, most = bounds.get("at_least", bounds.get("above")), bounds.get("at_most", bounds.get("below", 1e9))
    numbers = st.floats(least, most, exclude_min="above" in bounds, exclude_max="below" in bounds)
    if count := field.metadata.get("count"):
        return st.lists(numbers, min_size=count, max_size=count).map(str)
    return st.sampled_from(null) | numbers.map(str) if null else numbers.map(str)


def right(key: str) -> st.SearchStrategy[str]:
    return st.builds(f"{key}={{}}".format, st.sampled_from(GROUPS[key]) if key in GROUPS else inside(key))


WRONG = [f"{key}={value}" for key, field in FIELDS.items() for value in values.wrong(field)]
WRONG += [f"{key[:-1]}=1" for key in FIELDS] + [f"{group}=no-such-choice" for group in GROUPS] + ["trainer=gpu", "trainer=ddp"]
RIGHT = sorted({*FIELDS, *GROUPS} - {*LEFT_OUT})
OVERRIDES = st.lists(
    st.integers(0, 9).flatmap(lambda dice: st.sampled_from(WRONG) if dice == 9 else st.sampled_from(RIGHT).flatmap(right)),
    min_size=1, max_size=4,
)  # fmt: skip


def trained(overrides: list[str]) -> bool:
    """Whether a command with these overrides trained; it must have been refused rightly if not."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        answer = commands.give("train", *small(*BASE, *overrides), "trainer.max_steps=2")
        left = sorted(str(path) for path in Path().rglob("*"))
        if answer.code == 0:
            (results,) = Path().rglob("results.json")
            assert json.loads(results.read_text())["updates"] == 2, overrides
            return True
        assert answer.code == 2, (overrides, answer)
        assert answer.said.count("\n") == 1, (overrides, answer.said)
        assert left == [], (overrides, answer.said)
        return False


@pytest.mark.training
@pytest.mark.matrix
@pytest.mark.parametrize("sets", [25])
def test_any_overrides_train_or_are_refused(sets):
    outcomes = []

    @settings(max_examples=sets, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(OVERRIDES)
    def each(overrides):
        outcomes.append(trained(overrides))

    each()
    assert sum(outcomes) >= len(outcomes) / 2, f"{sum(outcomes)} of {len(outcomes)} train"
