"""Classes and limits as a config names them: to numbers, or to one sentence; and what they do to a run's name."""

import pytest

from cgan_lightning.config import build, checks, class_selection, identity
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed


def test_classes_and_limits_are_found_by_name_and_number():
    names = FASHION_MNIST.class_names
    assert class_selection.classes(["ankle boot", 0, "Dress", 3], names) == [0, 3, 9]
    assert class_selection.classes(None, names) == list(range(10))
    assert class_selection.classes("bag", names) == [8]
    assert class_selection.classes(["5", 2], ["0", "2", "5"]) == [1, 2], "a number that is a name is that name"
    assert class_selection.limits({"Ankle boot": 100, 3: 5}, [3, 9], names) == {9: 100, 3: 5}
    assert class_selection.limits(7, [3, 9], names) == {3: 7, 9: 7}
    assert class_selection.limits(None, [3, 9], names) == class_selection.limits({}, [3, 9], names) == {}


@pytest.mark.parametrize("wanted", ["[Drss]", "[]", "{Dress: 1}", "2.5", "[[1]]", "[10]", "true"])
def test_what_is_no_class_is_named(wanted):
    with pytest.raises(UserError, match=r"^data\.classes=.*0 T-shirt/top, .*9 Ankle boot"):
        build.data(composed(f"data.classes={wanted}"))


@pytest.mark.parametrize("wanted", ["0", "-1", "2.5", "many", "true", "[100]", "{Dress: 0}", "{Dress: true}", "{Dress: [1]}"])
def test_what_is_no_limit_is_told_what_one_is(wanted):
    with pytest.raises(UserError, match=r"^data\.per_class_limit=.*: must be a whole number at least 1, or a mapping"):
        build.data(composed(f"data.per_class_limit={wanted}"))


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("{Drss: 7}", r"per_class_limit=Drss: no such class; did you mean Dress\?"),
        ("{Dress: 7, 3: 8}", r"Dress is given twice"),
        ("{Bag: 7}", r"Bag is not in data\.classes"),
    ],
)
def test_a_limit_must_be_of_a_class_that_there_is(wanted, problem):
    with pytest.raises(UserError, match=problem):
        build.data(composed("data.classes=[Dress,Coat]", f"data.per_class_limit={wanted}"))


def test_keys_that_came_later_name_a_run_only_where_they_change_it():
    plain = composed()
    for key in ("data.classes", "data.per_class_limit", "warm_start.checkpoint", "warm_start.freeze"):
        assert key in checks.keys(plain)
        assert key not in checks.result_settings(plain), "runs from before it have their names"
    others = [["data.classes=[Dress,Coat]"], ["data.per_class_limit=9"], ["data.per_class_limit={Dress: 9, 4: 9}"],
              ["warm_start.checkpoint=runs/some"], ["warm_start.checkpoint=runs/some", "warm_start.freeze=true"]]  # fmt: skip
    names = {identity.run_name(config) for config in (plain, *(composed(*other) for other in others))}
    assert len(names) == 1 + len(others)
    settings = checks.result_settings(composed("data.per_class_limit={Dress: 9, 4: 9}"))
    assert settings["data.per_class_limit"] == {"Dress": 9, "4": 9}, "as run.json has them"
