"""`python -m tests.browser.joystick GENERATOR PICTURE.png` photographs mode=page and says how long a picture takes."""

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser

from cgan_lightning.exploration import page
from cgan_lightning.models import generator_file
from tests.browser.joystick import DRAWN, served
from tests.browser.tensorboard import chromium

SIZE = {"width": 1080, "height": 870}
SHOWN = "#seed=49&class=3.4&x=0.3&y=-0.2"
COLOURS = 128  # of the picture: greys, and one more
PASSES = 200

# One image each, with z and label anew, as the page does it: in its thread, after the browser had its turn.
TIMES = """async (passes) => {
    const ort = await import("./ort.wasm.bundle.min.mjs");
    const { latent, classes } = await (await fetch("page.json")).json();
    const generator = await (await fetch("generator.onnx")).arrayBuffer();
    const session = await ort.InferenceSession.create(generator, { executionProviders: ["wasm"] });
    const times = [];
    for (let i = 0; i < passes; i++) {
        await new Promise((resolve) => setTimeout(resolve));
        const began = performance.now();
        const { images } = await session.run({
            z: new ort.Tensor("float32", Float32Array.from({ length: latent }, Math.random), [1, latent]),
            labels: new ort.Tensor("float32", Float32Array.from(classes, () => 1 / classes.length), [1, classes.length]),
        });
        images.data;
        times.push(performance.now() - began);
    }
    return times;
}"""


def photograph(browser: Browser, address: str, picture: Path) -> None:
    shown = browser.new_page(viewport=SIZE, color_scheme="light")
    shown.goto(address + SHOWN)
    shown.locator(DRAWN).wait_for(timeout=120_000)
    shown.screenshot(path=picture, full_page=True)
    with Image.open(picture) as large:
        small = large.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)


def milliseconds(browser: Browser, address: str) -> list[float]:
    """Of PASSES passes of the generator for one image, after as many that don't count."""
    shown = browser.new_page()
    shown.goto(address)
    shown.locator(DRAWN).wait_for(timeout=120_000)
    return shown.evaluate(TIMES, 2 * PASSES)[PASSES:]


if __name__ == "__main__":
    with TemporaryDirectory() as folder, chromium() as started:
        page.write(generator_file.load(Path(sys.argv[1])), Path(folder))
        with served(Path(folder)) as place:
            photograph(started, place, Path(sys.argv[2]))
            times = sorted(milliseconds(started, place))
    most = times[PASSES * 95 // 100]
    print(f"Chromium {started.version}, {PASSES} passes: median {median(times):.1f} ms, 95 % under {most:.1f} ms")
