"""What a test needs of the machine that it runs on."""

import os
from typing import NoReturn

import pytest


def skip_without(what: str) -> NoReturn:
    """Skips on a machine that lacks `what`; fails where CI is set: there everything is installed, and a skip would hide."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")
