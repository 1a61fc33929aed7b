"""`python -m experiments.gpu`: a step that fails or is late stops no other, and what it had found is kept."""

import json

import pytest

from experiments.gpu import table
from experiments.gpu.__main__ import Step, run

pytestmark = pytest.mark.process

LATE = """
import json, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(json.dumps({"counts": {"passed": 3}}))
print("three done", flush=True)
time.sleep(600)
"""


@pytest.fixture
def late(tmp_path, monkeypatch):
    (tmp_path / "late.py").write_text(LATE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "late"


@pytest.mark.matrix
def test_a_step_that_is_late_is_ended_and_keeps_what_it_has_found(late, tmp_path):
    found = run(Step("tests", 5, late), tmp_path, "gpu")
    assert found["ended"] == "not done in 5 s"
    assert found["found"] == {"counts": {"passed": 3}}
    assert (tmp_path / "tests.log").read_text() == "three done\n"


def test_a_step_that_fails_says_so(tmp_path):
    found = run(Step("bench", 60, "experiments.gpu.nowhere"), tmp_path, "gpu")
    assert (found["ended"], found["found"]) == ("exit code 1", None)
    assert "No module named" in (tmp_path / "bench.log").read_text()


def test_the_table_says_what_was_found_and_what_not():
    steps = {
        "tests": {"ended": "not done in 120 s", "seconds": 120.0, "found": {"counts": {"passed": 40, "failed": 1}}},
        "bench": {"ended": "exit code 1", "seconds": 3.0, "found": None},
        "pool": {
            "ended": "finished",
            "seconds": 80.0,
            "found": [{"jobs": 1, "training": 50_000.4}, {"jobs": 2, "training": 9e4}],
        },
    }
    record = {"machine": {"device": "A GPU", "cpus": 16}, "versions": {"torch": "2.11.0", "lightning": "2.6.6"}, "steps": steps}
    assert table.of(json.loads(json.dumps(record))).splitlines() == [
        "A GPU, 16 cores, torch 2.11.0, lightning 2.6.6; 203 s in all",
        "tests (not done in 120 s): 40 passed, 1 failed, 0 skipped",
        "bench (exit code 1): nothing found",
        "pool:      images/s while training: 1 jobs 50,000, 2 jobs 90,000",
    ]
