"""`pytest -m gpu`, with the reason of each failure printed immediately."""

import importlib.util
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cgan_lightning.utils.files import write_json


class AsItHappens:
    """A pytest plugin that counts outcomes and prints why a test failed or was skipped as soon as it ends."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.counts: Counter[str] = Counter()
        self.result: dict[str, list[dict[str, Any]]] = {"failed": [], "skipped": []}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        self.counts[report.outcome] += 1
        if not report.passed:
            crash = getattr(report.longrepr, "reprcrash", None)
            reason = crash.message if crash else str(report.longrepr)
            self.result[report.outcome].append({"test": report.nodeid, "reason": reason[:2000]})
            print(f"\n{report.outcome.upper()} {report.nodeid}: {reason}", flush=True)
        write_json(self.file, {"counts": dict(self.counts), **self.result})


def main() -> int:
    file, device = Path(sys.argv[1]), sys.argv[2]
    os.environ["CGAN_GPU_TESTS_ON"] = device
    # Warnings do not fail tests here, because versions and drivers depend on the machine.
    arguments = ["-m", "gpu", "-W", "default", "-p", "no:cacheprovider", "--tb=short", "-q", "tests/gpu"]
    if importlib.util.find_spec("xdist"):
        arguments += ["-n", "6" if device == "gpu" else "2", "--dist", "loadgroup"]
    if device == "cpu":  # fast tests that start no process, and of which the CPU has no other
        os.environ["OMP_NUM_THREADS"] = "1"
        left_out = (
            *("choice", "pool", "two_ranks", "message_about_a_gpu", "evaluate", "page", "embeddings"),
            *("plain_scripts", "15-20", "50-56"),
        )
        arguments += ["-k", " and ".join(f"not {name}" for name in left_out)]
    return pytest.main(arguments, plugins=[AsItHappens(file)])


if __name__ == "__main__":
    sys.exit(main())
