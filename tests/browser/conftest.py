"""One Chromium for the tests of a file."""

import pytest

from tests.browser.tensorboard import chromium, find_chromium
from tests.helpers.needs import skip_without


@pytest.fixture(scope="module")
def browser():
    if find_chromium() is None:
        skip_without("a browser: install Debian's package chromium")
    with chromium() as browser:
        yield browser
