"""Which evaluations a file has already."""

import pytest

from cgan_lightning.storage import results

PROTOCOL = {"samples": 100, "feature_extractor": "ours", "metrics": ["fid", "recall"]}


@pytest.mark.parametrize(
    ("kept", "is_there"),
    [
        (PROTOCOL, True),
        (PROTOCOL | {"metrics": ["fid", "recall", "accuracy_score"]}, True),
        (PROTOCOL | {"metrics": ["fid"]}, False),
        ({"samples": 100, "feature_extractor": "ours"}, False),
        (PROTOCOL | {"samples": 200}, False),
    ],
    ids=["the same", "with a metric more", "before a metric existed", "before metrics were named", "of more samples"],
)
def test_an_evaluation_is_there_when_it_has_all_metrics_by_the_same_protocol(tmp_path, kept, is_there):
    place = tmp_path / "results.json"
    results.keep_evaluation(place, {"protocol": kept, "samples": {}})
    assert results.is_evaluated(place, PROTOCOL) is is_there


def test_a_run_without_an_evaluation_has_none(tmp_path):
    assert not results.is_evaluated(tmp_path / "results.json", PROTOCOL)
