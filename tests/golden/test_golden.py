"""The documented recipe gives the numbers that it gave; a change that is meant to change them runs `make golden`."""

import json

import pytest

from tests.golden.record import GOLDEN, updates

pytestmark = pytest.mark.training


def test_twenty_updates_give_the_recorded_numbers(tmp_path):
    recorded, now = json.loads(GOLDEN.read_text()), updates(tmp_path)
    assert len(now) == 20
    for update, (expected, got) in enumerate(zip(recorded, now, strict=True), 1):
        assert {name: got[name] for name in expected} == pytest.approx(expected, abs=1e-5), f"update {update}"
