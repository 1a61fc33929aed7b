"""Components as they are read from their sources are those that the classes themselves declare."""

import inspect
import typing

import pytest

from cgan_lightning import registry
from cgan_lightning.config import components
from cgan_lightning.config.paths import CONF
from cgan_lightning.registry import Part, Setting


def declared(cls: type) -> dict:
    """What the imported class says of its arguments."""
    found = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        for each in typing.get_args(parameter.annotation)[1:]:
            if isinstance(each, Setting | Part):
                found[name] = each
    return found


@pytest.mark.parametrize("target", registry.components())
def test_what_is_read_is_what_the_class_says(target):
    component = registry.components()[target]
    of_class = declared(component.load())
    assert component.arguments.keys() == of_class.keys()
    for name, each in component.arguments.items():
        if isinstance(each, Setting):
            assert (each.about, each.bounds, each.given) == (of_class[name].about, of_class[name].bounds, of_class[name].given)
            annotation = inspect.signature(component.load()).parameters[name].annotation
            assert each.kind is typing.get_args(annotation)[0]
        else:
            assert each == of_class[name]


def test_names_are_taken_once_in_a_group():
    names = [(each.group, each.name) for each in registry.components().values()]
    assert len(names) == len({*names})


def test_every_component_has_a_file_that_chooses_it():
    files = "".join(path.read_text() for path in CONF.rglob("*.yaml"))
    for each in registry.components().values():
        assert each.target in files or f"/base_{each.group}_{each.name}@" in files, each.target


def test_a_node_has_the_settings_and_no_size_of_the_data():
    node = components.nodes()["generator_documented"]
    assert list(node.__dataclass_fields__) == ["_target_", "bn_eps"]
    assert node._target_ == "cgan_lightning.models.generator.Generator"


def test_metrics_are_read_in_their_order_and_give_what_they_say():
    assert list(registry.metrics())[:4] == ["fid", "fid_infinity", "class_fid_mean", "class_fid_max"]
    kid = registry.metrics()["kid"]
    assert (kid.title, kid.form, kid.better, kid.scale, kid.least_samples) == ("KID × 1000", "{:.2f}", "lower", 1000, 0)
    assert kid.load().__name__ == "kid"
    assert registry.metrics()["recall"].target == registry.metrics()["precision"].target


def test_every_metric_says_which_way_is_better_if_any():
    assert {each.better for each in registry.metrics().values()} <= {"lower", "higher", ""}
