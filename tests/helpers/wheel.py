"""The wheel of this checkout, installed into a folder: what users have."""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def install(folder: Path) -> None:
    """Build the wheel and unpack it into `folder`, as an installer does."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT],
            check=True, capture_output=True,
        )  # fmt: skip
        (wheel,) = Path(place).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of a page that are marked as `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


class Installed:
    """Commands of documentation, run by bash in a folder outside the repository with the wheel in `site`."""

    def __init__(self, site: Path, cwd: Path, **environment: str) -> None:
        assert not cwd.resolve().is_relative_to(ROOT)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.cwd, self.environment = cwd, {**os.environ, "PYTHONPATH": str(site), "PATH": path, **environment}
        used = self.run("python -c 'import cgan_lightning; print(cgan_lightning.__file__)'").stdout.strip()
        assert Path(used).is_relative_to(site)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command and assert that it succeeds."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.cwd, env=self.environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done
