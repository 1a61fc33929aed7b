"""A profile of the test suite: `make test-profile` runs it with this plugin and prints a table by file.

A line of JSON for each test is appended to the file in CGAN_TEST_PROFILE: seconds of its three phases and of each fixture, CPU
seconds (of this process and its finished children), processes started, trainings run, configs composed, and the worker's memory
after it.
"""

import json
import os
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

counts: Counter[str] = Counter()


def _count(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        counts["processes"] += 1


def _wrapped(owner: object, name: str, label: str) -> None:
    original = getattr(owner, name)

    def counted(*arguments: object, **named: object) -> object:
        counts[label] += 1
        return original(*arguments, **named)

    setattr(owner, name, counted)


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(_count)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Wrap functions to count; the suite has imported everything by now."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from lightning.pytorch import Trainer

    _wrapped(Trainer, "fit", "trainings")
    _wrapped(ConfigLoaderImpl, "load_configuration", "configs")


def _cpu() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


fixtures: defaultdict[str, float] = defaultdict(float)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
    begun = time.perf_counter()
    try:
        return (yield)
    finally:
        fixtures[fixturedef.argname] += time.perf_counter() - begun


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    fixtures.clear()
    before, cpu, begun = counts.copy(), _cpu(), time.perf_counter()
    try:
        return (yield)
    finally:
        line = {
            "test": item.nodeid,
            "worker": os.environ.get("PYTEST_XDIST_WORKER", "main"),
            "seconds": round(time.perf_counter() - begun, 3),
            "cpu": round(_cpu() - cpu, 3),
            "resident_mib": _resident_mib(),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "fixtures": {name: round(seconds, 3) for name, seconds in fixtures.items() if seconds > 0.05},
        } | dict(counts - before)
        with Path(os.environ["CGAN_TEST_PROFILE"]).open("a") as out:
            out.write(json.dumps(line) + "\n")


TOTALS = ("seconds", "cpu", "processes", "trainings", "configs")


def table(lines: list[dict]) -> str:
    """Return a Markdown table of the test files that take a second or more, the most expensive first."""
    files: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        of_file = files[line["test"].partition("::")[0]]
        of_file["tests"] += 1
        of_file.update({name: line.get(name, 0) for name in TOTALS})
    rows = sorted(files.items(), key=lambda row: -row[1]["cpu"])
    kept = [row for row in rows if row[1]["cpu"] >= 1]
    others = sum((row[1] for row in rows[len(kept) :]), Counter())
    everything = sum(files.values(), Counter())
    rows = [*kept, (f"{len(rows) - len(kept)} others", others), (f"all {len(rows)} files", everything)]
    head = "| file | tests | seconds | CPU seconds | processes | trainings | configs |\n| --- | " + "---: | " * 6
    body = [
        f"| {name} | {row['tests']} | {row['seconds']:.0f} | {row['cpu']:.0f} | "
        f"{row['processes']} | {row['trainings']} | {row['configs']} |"
        for name, row in rows
    ]
    workers = {line["worker"]: line["peak_mib"] for line in lines}
    peaks = ", ".join(f"{worker} {peak:,}" for worker, peak in sorted(workers.items()))
    return "\n".join([head, *body, "", f"Peak memory, MiB: {peaks}"])


if __name__ == "__main__":
    print(table([json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]))
