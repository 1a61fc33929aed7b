"""The run without a fault, and the table of what was tried."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.runs import ONE, TWO, Outcome, Training
from tests.helpers.needs import skip_without


@pytest.fixture(scope="session", autouse=True)
def _linux() -> None:
    if not Path("/proc/self/task").is_dir():
        skip_without("Linux's /proc, to find the ranks of a run")


@pytest.fixture(scope="session")
def whole_one(once) -> Path:
    return Training(once("whole one", lambda folder: Training(folder, ONE).finish()), ONE).run


@pytest.fixture(scope="session")
def whole_two(once) -> Path:
    return Training(once("whole two", lambda folder: Training(folder, TWO).finish()), TWO).run


@pytest.fixture
def outcome(record_property: Callable) -> Iterator[Callable[[str], Outcome]]:
    """Makes a row of the table; it is kept however the test ends."""
    rows: list[Outcome] = []

    def make(fault: str) -> Outcome:
        rows.append(Outcome(fault))
        return rows[-1]

    yield make
    for row in rows:
        record_property("outcome", json.dumps(asdict(row)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table, in the form in which docs/reliability.md has it."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    kept = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    rows = [json.loads(value) for name, value in kept if name == "outcome"]
    unique = {row["fault"]: row for row in rows}
    if not unique:
        return
    terminalreporter.section("faults")
    terminalreporter.line("| fault | tried | survived | bytes lost | slowest end | |")
    terminalreporter.line("| --- | --- | --- | --- | --- | --- |")
    for row in unique.values():
        slowest = "" if row["slowest_end_s"] is None else f"{row['slowest_end_s']:.1f} s"
        cells = [row["fault"], row["tried"], row["survived"], row["bytes_lost"], slowest, "; ".join(row["remarks"])]
        terminalreporter.line("| " + " | ".join(map(str, cells)) + " |")
