"""A summary of the results of `make gpu` in about ten lines."""

from collections.abc import Iterator
from typing import Any


def of(record: dict[str, Any]) -> str:
    machine, steps = record["machine"], record["steps"]
    seconds = sum(step["seconds"] for step in steps.values())
    versions = f"torch {record['versions']['torch']}, lightning {record['versions']['lightning']}"
    lines = [f"{machine['device']}, {machine['cpus']} cores, {versions}; {seconds:.0f} s in all"]
    for name, step in steps.items():
        result = LINES[name](step["found"]) if step["found"] else ["nothing found"]
        how = "" if step["ended"] == "finished" else f" ({step['ended']})"
        lines += [f"{name + how + ':' if not number else '':<10} {line}" for number, line in enumerate(result)]
    return "\n".join(lines)


def _tests(result: dict[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{result['counts'].get(outcome, 0)} {outcome}" for outcome in ("passed", "failed", "skipped"))


def _bench(result: list[dict[str, Any]]) -> Iterator[str]:
    for each in (each for each in result if "ratios" in each):
        yield (
            f"{each['recipe']}, batch {each['batch_size']}: {each['images_per_second']['train']:,.0f} images/s, "
            f"{each['seconds_an_epoch']:.2f} s an epoch; "
            + ", ".join(f"{name} {ratio:.2f}" for name, ratio in each["ratios"].items())
        )


def _profile(result: dict[str, Any]) -> Iterator[str]:
    yield "an update: " + "; ".join(
        f"{each['recipe']} {each['batch_size']}: {each['count']:.0f} {each['of']}, {each['us'] / 1e3:.2f} ms"
        for each in result["updates"]
    )


def _pool(result: list[dict[str, Any]]) -> Iterator[str]:
    yield "images/s while training: " + ", ".join(f"{each['jobs']} jobs {each['training']:,.0f}" for each in result)


def _recipe(result: list[dict[str, Any]]) -> Iterator[str]:
    for each in result:
        yield (
            f"{each['variant']}: {each['epochs']:.0f} epochs in {each['seconds']:.0f} s, FID {each['metrics']['fid']:.3f}, "
            f"class accuracy {100 * each['metrics']['class_accuracy']:.1f} %"
        )


LINES = {"tests": _tests, "bench": _bench, "profile": _profile, "pool": _pool, "recipe": _recipe}
