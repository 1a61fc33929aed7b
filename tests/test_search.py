"""The search for a recipe: the better half goes on, and what has a line isn't done again."""

import json
import math
import time

import pytest
from omegaconf import OmegaConf

from experiments.recipe import factorial, search
from tests.helpers.configs import composed
from tests.helpers.runs import SMALL

pytestmark = pytest.mark.slow


def test_the_better_half_goes_on_and_nothing_is_done_twice(tmp_path, monkeypatch):
    written = {
        "common": ["experiment=documented", *SMALL, "validation.samples=100"],
        "candidates": {"plane": [], "projection": ["discriminator_label=projection"], "hinge": ["loss=hinge"]},
    }
    OmegaConf.save(written, tmp_path / "candidates.yaml")
    candidates = search.candidates(tmp_path / "candidates.yaml")
    common = {"extra": [f"run_root={tmp_path / 'runs'}"], "file": tmp_path / "trials.jsonl"}

    lines = search.halving(candidates, [1, 2], [0], 2, **common)
    kept = [json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert [line["epochs"] for line in kept] == [1, 1, 1, 2, 2]
    first = sorted(kept[:3], key=lambda line: line["fid"])
    assert {line["candidate"] for line in lines} == {line["candidate"] for line in first[:2]}
    for line in kept:
        assert [images for images, _, _ in line["curve"]] == [64 * (epoch + 1) for epoch in range(line["epochs"])]
        assert line["fid"] == line["curve"][-1][1]
        assert len(line["against_training"]["class_fids"]) == 10
        assert 0 <= line["against_training"]["recall"] <= 1
    assert lines[0]["curve"][0] in [line["curve"][0] for line in kept[:3]], "it went on from its first epoch"

    monkeypatch.setattr(search, "train_and_measure", lambda *_: pytest.fail("it was done already"))
    assert search.halving(candidates, [1, 2], [0], 2, **common) == lines


def test_a_trial_that_fails_or_is_late_has_no_line(tmp_path):
    file = tmp_path / "trials.jsonl"
    common = {"epochs": 1, "seed": 0, "extra": [f"run_root={tmp_path / 'runs'}"], "file": file}
    assert search.trial("refused", ["loss=none"], until=math.inf, **common) is None
    assert search.trial("late", [*SMALL], until=time.monotonic() + 1, **common) is None
    assert not file.exists()


def test_the_effects_of_a_design_are_those_that_its_results_have(monkeypatch):
    levels = factorial.design()
    assert (levels.sum(axis=0) == factorial.TRIALS / 2).all(), "each change in half of the trials"
    lines = [
        {
            "candidate": "".join(map(str, row)),
            "fid": 1 - 0.3 * row[0] + 0.1 * row[9],
            "against_training": dict.fromkeys(factorial.METRICS, 0.5),
        }
        for row in levels.tolist()
    ]
    monkeypatch.setattr(search, "trials", lambda: [{"candidate": "base"}, *lines])
    table = factorial.effects().splitlines()
    assert table[0] == "28 trials"
    assert table[3].startswith("| 256 channels | -0.3000 ± 0.0000 | ")
    assert table[-1].startswith("| eps 0.1 | +0.1000 ± 0.0000 | ")


def test_the_candidates_of_both_searches_are_accepted():
    for candidates in (
        search.candidates(search.HERE / "quality.yaml"),
        {"all": [*factorial.COMMON, *factorial.CHANGES.values()]},
    ):
        for overrides in candidates.values():
            composed(*overrides)
