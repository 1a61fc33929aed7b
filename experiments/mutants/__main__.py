"""`make mutants`: mutation testing by mutmut of the numerical parts, on a random sample of mutants.

The files and tests are set in [tool.mutmut] in pyproject.toml. Results are written to `mutants/` (mutmut's own folder, not in
git) one by one, so that the same command resumes after an interruption; results.json and results.md are made from them. Mutants
recorded as killed are not tested again unless their file has changed, because tests only become stricter.
"""

import argparse
import collections
import itertools
import json
import random
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK = ROOT / "mutants"
KILLED = ("killed", "timeout", "segfault")
STATS, ALL_STATS = WORK / "mutmut-stats.json", WORK / "all-stats.json"


def mutmut(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "mutmut", *arguments], cwd=ROOT, text=True, timeout=timeout, stdout=subprocess.PIPE
    )


def result() -> dict[str, int | None]:
    """Return the exit code of the tests by mutant; None: not tested yet."""
    metas = [json.loads(path.read_text()) for path in sorted(WORK.rglob("*.meta"))]
    return {name: code for meta in metas for name, code in meta["exit_code_by_key"].items()}


def drawn(count: int, seed: int) -> list[str]:
    """Return the mutants of results.json that still exist, filled up to `count` with others drawn by `seed`."""
    names = set(result())
    known = [entry["mutant"] for entry in _earlier() if entry["mutant"] in names]
    others = sorted(names.difference(known))
    return sorted([*known, *random.Random(seed).sample(others, min(max(0, count - len(known)), len(others)))])  # noqa: S311


def still_noticed() -> dict[str, str]:
    """Return the status of mutants recorded as killed in files that have not changed since results.json was written."""
    revision = git("log", "-1", "--format=%H", "--", str(HERE / "results.json"))
    changed = set(git("diff", "--name-only", revision, "--", "cgan_lightning").splitlines()) if revision else set()
    return {
        entry["mutant"]: entry["status"]
        for entry in _earlier()
        if entry["status"] in KILLED and _file(entry["mutant"]) not in changed
    }


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout.strip()  # noqa: S603, S607


def _file(mutant: str) -> str:
    return f"{mutant.rpartition('.')[0].replace('.', '/')}.py"


def keep_the_quickest(budget_s: float) -> None:
    """Limit the tests of each function to those of its module's test file and the fastest others, up to `budget_s`."""
    if not ALL_STATS.is_file():
        ALL_STATS.write_bytes(STATS.read_bytes())
    stats = json.loads(ALL_STATS.read_text())
    seconds = stats["duration_by_test"]
    for function, tests in stats["tests_by_mangled_function_name"].items():
        file = f"test_{function.rpartition('.')[0].rpartition('.')[2]}.py"
        own = [test for test in tests if test.partition("::")[0].endswith(f"/{file}")]
        quickest = sorted({*tests}.difference(own), key=lambda test: seconds.get(test, 0))
        sums = itertools.accumulate(seconds.get(test, 0) for test in quickest)
        kept = [test for test, total in zip(quickest, sums, strict=True) if total <= budget_s]
        stats["tests_by_mangled_function_name"][function] = [*own, *kept] or quickest[:1]
    STATS.write_text(json.dumps(stats))


def record(names: list[str], seed: int) -> list[dict[str, str]]:
    """Write results.json and results.md; mutants not tested now keep their earlier result."""
    from mutmut.stats import status_by_exit_code

    codes, before = result(), {entry["difference"]: entry["why"] for entry in _earlier() if entry.get("why")}
    earlier, records = {entry["mutant"]: entry for entry in _earlier()}, []
    for name in names:
        status = status_by_exit_code[codes[name]]
        if status == "not checked" and name in earlier:
            records.append(earlier[name])
            continue
        entry = {"mutant": name, "status": status}
        if status not in (*KILLED, "not checked"):
            difference = mutmut("show", name).stdout
            entry |= {"difference": difference, "why": before.get(difference, "")}
        records.append(entry)
    (HERE / "results.json").write_text(json.dumps({"seed": seed, "mutants": records}, indent=1) + "\n")
    (HERE / "results.md").write_text(table(records))
    return records


def _earlier() -> list[dict[str, str]]:
    """Return the entries of results.json; `why`, for equivalent mutants, is filled in by hand."""
    file = HERE / "results.json"
    return json.loads(file.read_text())["mutants"] if file.is_file() else []


def table(records: list[dict[str, str]]) -> str:
    files: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for entry in records:
        files[entry["mutant"].rpartition(".")[0]][_outcome(entry)] += 1
    total = sum(files.values(), collections.Counter())
    lines = ["| module | drawn | noticed | make no difference | not noticed | not tried |", "| --- |" + " ---: |" * 5]
    for name, counts in [*sorted(files.items()), ("all", total)]:
        cells = (sum(counts.values()), *(counts[name] for name in ("noticed", "no difference", "not noticed", "not tried")))
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _outcome(entry: dict[str, str]) -> str:
    if entry["status"] in KILLED:
        return "noticed"
    return "not tried" if entry["status"] == "not checked" else "no difference" if entry["why"] else "not noticed"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=420)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=20, help="seconds of tests for each mutant, the fastest first")
    parser.add_argument("--again", action="store_true", help="test survivors again too, for a larger budget")
    parser.add_argument("--minutes", type=float, default=90, help="time limit; the same command resumes")
    options = parser.parse_args()
    if not STATS.is_file():
        made = mutmut("run", "no.such.mutant")  # makes the mutants and records which tests reach each
        if not STATS.is_file():
            sys.exit(f"mutmut could not run the tests. The end of its output:\n{made.stdout[-2000:]}")
    keep_the_quickest(options.budget)
    names, codes, noticed = drawn(options.count, options.seed), result(), still_noticed()
    todo = [name for name in names if name not in noticed and (codes[name] is None or (options.again and codes[name] == 0))]
    once = {entry["mutant"] for entry in _earlier() if entry["status"] in KILLED}
    parts = [[name for name in todo if (name in once) is noticed_once] for noticed_once in (False, True)]
    print(f"Testing {len(todo)} of {len(names)} mutants", flush=True)
    end = time.monotonic() + 60 * options.minutes
    try:
        for part in filter(None, parts):  # first those that have never been killed
            done = mutmut("run", *part, timeout=max(1, end - time.monotonic()))
            if done.returncode:
                sys.exit(
                    f"mutmut ended with {done.returncode}; the same command resumes. End of its output:\n{done.stdout[-2000:]}"
                )
    except subprocess.TimeoutExpired:
        print("Time limit reached: the same command resumes")
    record(names, options.seed)
    print((HERE / "results.md").read_text())


if __name__ == "__main__":
    main()
