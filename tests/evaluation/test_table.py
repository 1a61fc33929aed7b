"""What `evaluate` prints."""

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.evaluation import table

SAMPLES = {"fid": 0.2124, "class_accuracy": 0.934, "nearest_train_ratio": 1.14, "class_fids": [0.5, 0.75],
           "confusion": [[0, 0, 0, 9, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 8]]}  # fmt: skip
MEASURED = {"samples": SAMPLES, "real_baseline": {"fid": 0.0261, "class_accuracy": 0.936}}


def test_samples_stand_beside_real_images():
    lines = [line.split() for line in table.text(MEASURED, ["Dress", "Ankle boot"], [3, 9]).splitlines()]
    assert lines[0] == ["samples", "real"]
    assert lines[1] == ["FID", "(lower", "is", "better)", "0.212", "0.026"]
    assert lines[2][-2:] == ["93.4", "93.6"], "in per cent"
    assert lines[3][-1] == "1.14", "real images have none"
    assert lines[-3] == ["class", "FID", "right,", "%"]
    assert lines[-2:] == [["Dress", "0.500", "90.0"], ["Ankle", "boot", "0.750", "100.0"]]
    assert len(lines) == 8


def test_a_line_has_two_metrics():
    assert table.line(SAMPLES) == "FID 0.212  class accuracy, % 93.4"


def test_every_class_has_a_column():
    assert len(SAMPLES["confusion"][0]) == len(FASHION_MNIST.class_names)
