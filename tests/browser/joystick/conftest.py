"""One untrained generator and its page for all tests here."""

import pytest

from tests.browser.joystick import DRAWN, served, untrained, written
from tests.browser.report import DESKTOP


@pytest.fixture(scope="package")
def generator(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("generator"))


@pytest.fixture(scope="package")
def folder(generator, tmp_path_factory):
    return written(generator, tmp_path_factory.mktemp("page") / "new")


@pytest.fixture(scope="package")
def address(folder):
    with served(folder) as place:
        yield place


@pytest.fixture
def open_page(browser, address):
    opened = []

    def go(part="", size=DESKTOP, place=address, **of_device):
        opened.append(browser.new_page(viewport=size, **of_device))
        opened[-1].on("pageerror", lambda error: pytest.fail(str(error)))
        opened[-1].on("request", lambda request: elsewhere(request.url, place))
        opened[-1].goto(place + part)
        opened[-1].locator(DRAWN).wait_for(timeout=120_000)
        return opened[-1]

    def elsewhere(asked, place):
        assert asked.startswith((place, "data:", "blob:")), asked

    yield go
    for each in opened:
        each.close()
