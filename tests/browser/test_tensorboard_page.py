"""What `make tensorboard` shows of a run, in a real browser."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from cgan_lightning.data.sets import FASHION_MNIST
from tests.browser.tensorboard import serving
from tests.helpers.processes import fork_command
from tests.helpers.runs import NARROW

pytestmark = pytest.mark.slow

CLASS_TAGS = [f"samples/{label} {name}" for label, name in enumerate(FASHION_MNIST.class_names)]


@pytest.fixture(scope="module")
def runs(once) -> Path:
    return once("tensorboard", _trained) / "runs"


def _trained(folder: Path) -> None:
    """Two short real runs, to be compared."""
    for noise in ("randn", "uniform"):
        length = ("data.limit=1024", "trainer.max_epochs=2", "log_every_n_updates=4", "validation.samples=100")
        done = fork_command("train", "trainer=cpu", *NARROW, *length, f"noise={noise}", cwd=folder, OMP_NUM_THREADS="1")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def address(runs):
    with serving(runs) as address:
        yield address


@pytest.fixture
def page(browser: Browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    yield page
    page.close()


def shown_at(card: Locator, step: str) -> str:
    """The address of the picture that a card shows once it says `step`: the card swaps it when it has loaded."""
    card.get_by_text(step, exact=True).wait_for()
    card.locator("paper-spinner-lite[hidden]").wait_for(state="attached")
    return str(card.locator("#main-image-container img").evaluate("image => image.decode().then(() => image.src)"))


def picture(page: Page, address: str) -> np.ndarray:
    answer = page.request.get(address)
    with Image.open(io.BytesIO(answer.body())) as decoded:
        return np.asarray(decoded)


def test_each_class_has_a_card_and_its_slider_shows_it_maturing(page, address):
    page.goto(f"{address}/#images")
    cards = page.locator("tf-image-loader")
    cards.first.wait_for(timeout=60_000)
    page.get_by_label("Write a regex to filter runs").fill("randn")
    expect(cards).to_have_count(len(CLASS_TAGS) + 1, timeout=20_000)
    titles = cards.evaluate_all("cards => cards.map(card => card.tag)")
    assert set(CLASS_TAGS) <= set(titles)
    for tag in CLASS_TAGS:
        card = cards.nth(titles.index(tag))
        card.scroll_into_view_if_needed()
        last = picture(page, shown_at(card, "32"))
        assert last.std() > 10, f"{tag} is constant"
        slider = card.locator("#steps")
        slider.focus()
        slider.press("Home")
        first = picture(page, shown_at(card, "0"))
        assert first.shape == last.shape
        assert not np.array_equal(first, last), f"{tag} does not change along the slider"


def test_the_hparams_tab_compares_the_runs(page, address):
    page.goto(f"{address}/#hparams")
    page.get_by_text("TABLE VIEW").wait_for(timeout=60_000)
    for shown in ("randn", "uniform", "model.channels", "noise", "seed", "Val/class accuracy", "loss/generator"):
        expect(page.get_by_text(shown, exact=True).first, shown).to_be_visible()
    expect(page.get_by_text("hp_metric")).to_have_count(0)
