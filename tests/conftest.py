"""Which tests are run, and where: workers load the fixtures, the process that distributes the tests does not."""

import collections
import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Tests of the CPU, and the processes that they start, are the same on a machine with a GPU: they don't see it."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    distributes = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if not distributes:  # it would import PyTorch for five seconds before the workers do
        config.pluginmanager.import_plugin("tests.helpers.fixtures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cases: collections.Counter[str] = collections.Counter()
    for item in items:
        if {"train", "trained"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.training)
        if sampled := item.get_closest_marker("sampled"):
            function = item.nodeid.partition("[")[0]
            if cases[function] % sampled.args[0]:
                item.add_marker(pytest.mark.matrix)
            cases[function] += 1
