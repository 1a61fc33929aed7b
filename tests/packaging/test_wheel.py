"""A wheel is enough: its own conf/, commands from any folder, nothing read from the checkout."""

import json
import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.helpers import wheel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A virtual environment with this one's packages, without our own editable install and Hydra's plugins."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=False)
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "cgan" not in path.name and path.name != "hydra_plugins" and path.suffix != ".pth":
            (dependencies / path.name).symlink_to(path)
    (site_of(folder / "venv") / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "venv"


def site_of(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))


@pytest.fixture(scope="module")
def python(bare, tmp_path_factory) -> Path:
    """Such an environment with the wheel. The checkout is out of sight, and so is the extra `slurm`."""
    folder = tmp_path_factory.mktemp("wheel")
    venv.create(folder / "venv", with_pip=False)
    wheel.install(site_of(folder / "venv"))
    shutil.copy(site_of(bare) / "dependencies.pth", site_of(folder / "venv"))
    return folder / "venv" / "bin" / "python"


def run(python: Path, *arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | more
    return subprocess.run([python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


def test_a_checkout_that_is_not_installed_trains_to_the_end(bare, tmp_path):
    overrides = ("trainer=cpu", "data.limit=128", "trainer.max_steps=1", "validation.every_n_epochs=null")
    done = run(bare / "bin" / "python", "-m", "cgan_lightning.train", *overrides, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    (results,) = tmp_path.glob("runs/*/results.json")
    versions = json.loads(results.read_text())["versions"]
    assert versions["cgan-lightning"] is None
    assert all(version for name, version in versions.items() if name != "cgan-lightning")


def test_conf_comes_from_the_wheel(python, tmp_path):
    done = run(python, "-c", "from cgan_lightning.config.paths import CONF; print(CONF)", cwd=tmp_path)
    assert done.stdout.strip().endswith("site-packages/cgan_lightning/conf"), done.stderr
    assert not Path(done.stdout.strip()).is_relative_to(ROOT)


def test_help_and_version_come_from_the_wheel(python, tmp_path):
    done = run(python, "-m", "cgan_lightning.train", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for shown in (
        "noise=randn",
        "Uniform prior on [-1, 1].",
        "optimizer.generator.lr=0.002",
        "learning rate of Adam",
        "pool",
        "seed=0",
    ):
        assert shown in done.stdout
    assert " slurm " not in done.stdout.partition("\nSweeps: ")[2], "the extra is not there"
    done = run(python, "-m", "cgan_lightning.sample", "--version", cwd=tmp_path)
    assert done.stdout.startswith("cgan_lightning 0."), done.stderr


def test_it_trains_and_samples_from_any_folder(python, tmp_path):
    done = run(
        python, "-m", "cgan_lightning.train", "model.channels=64", "noise=uniform", "data.limit=128", "trainer.max_epochs=1",
        "trainer=cpu", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"Run folder: {folder.relative_to(tmp_path)}" in done.stderr
    done = run(python, "-m", "cgan_lightning.sample", f"checkpoint={folder}", "classes=bag", "output=bag.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bag.png").stat().st_size > 1000


def test_without_the_extra_slurm_a_sentence_says_so(python, tmp_path):
    done = run(python, "-m", "cgan_lightning.train", "-m", "hydra/launcher=slurm", "seed=0,1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "hydra/launcher=slurm needs the package hydra-submitit-launcher: pip install 'cgan-lightning[slurm]'\n"
    )


def test_what_is_no_code_comes_along(python, tmp_path):
    """The feature extractor's weights, the report's templates, the joystick page's own files."""
    script = (
        "from cgan_lightning.evaluation import feature_extractor; from cgan_lightning.reporting import page; import jinja2;"
        "print(feature_extractor.load().hash, *jinja2.PackageLoader('cgan_lightning.reporting', '.').list_templates());"
        "from cgan_lightning.exploration.page import ASSETS;"
        "print(*(path.read_bytes().hex() for path in sorted(ASSETS.iterdir())))"
    )
    done = run(python, "-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "page.html.j2" in done.stdout
    assert "table.md.j2" in done.stdout
    assets = sorted((ROOT / "cgan_lightning" / "exploration" / "assets").iterdir())
    assert done.stdout.splitlines()[1].split() == [path.read_bytes().hex() for path in assets]
    assert {path.suffix for path in assets} == {".html", ".css", ".js"}
