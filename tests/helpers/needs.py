"""Requirements of tests on the machine."""

import os
from typing import NoReturn

import pytest


def skip_without(what: str) -> NoReturn:
    """Skip on a machine without `what`; fail if CI is set, where everything is installed and a skip would go unnoticed."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")
