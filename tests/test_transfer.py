"""The study of a new class: what its table says, from what `evaluate` has kept."""

import json

import pytest
from PIL import Image

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.evaluate import evaluate
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils.errors import UserError
from experiments.transfer import compare
from tests.helpers.configs import composed


def kept(right: list[int], **protocol) -> dict:
    """Class FIDs 1, 2 ..., and of ten samples so many right, the others seen as T-shirts, or bags."""
    names = protocol.get("classes", FASHION_MNIST.class_names)
    confusion = [[0] * 10 for _ in names]
    for row, name, count in zip(confusion, names, right, strict=True):
        row[FASHION_MNIST.class_names.index(name)] += count
        row[0 if name != FASHION_MNIST.class_names[0] else 8] += 10 - count
    return {"protocol": protocol, "samples": {"class_fids": [1.0 + each for each in range(len(names))], "confusion": confusion}}


def test_the_new_class_stands_apart_from_the_old_ones():
    assert compare.figures(kept([9] * 9 + [4])) == ["10.00", "40.0", "5.00", "90.0"]
    assert compare.figures(kept([8, 6], classes=["Dress", "Bag"])) == ["", "", "1.50", "70.0"]
    assert compare.figures(kept([8, 6], classes=["Dress", "Ankle boot"])) == ["2.00", "60.0", "1.00", "80.0"]


@pytest.mark.matrix
def test_runs_say_what_they_were_and_are_drawn(train, tmp_path, monkeypatch, capsys):
    nine = train("experiment=nine_classes", "trainer.max_steps=1")
    begun = ("experiment=transfer", f"warm_start.checkpoint={nine}", "trainer.max_steps=2")
    warm, frozen = train(*begun), train(*begun, "warm_start.freeze=true")
    scratch = train("experiment=transfer", "data.per_class_limit={Ankle boot: 50}", "trainer.max_steps=2")
    titles = [compare.title(RunFolder(folder)) for folder in (nine, warm, frozen, scratch)]
    assert titles == ["nine classes", "initialised, 100 examples", "frozen, 100 examples", "scratch, 50 examples"]
    with pytest.raises(UserError, match="was never evaluated"):
        compare.row(RunFolder(warm))
    for folder in (nine, warm):
        evaluate(composed(f"checkpoint={folder}", "samples=100", command="evaluate"))
    monkeypatch.setattr("sys.argv", ["compare", str(nine), str(warm), "--picture", str(tmp_path / "new.png")])
    compare.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| nine classes", "| initialised, 100 examples"]
    with Image.open(tmp_path / "new.png") as picture:
        assert picture.convert("L").height < 150, "one row: the nine have no boots"
    protocol = json.loads((nine / "results.json").read_text())["evaluation"]["protocol"]
    assert protocol["classes"] == list(FASHION_MNIST.class_names[:9])
