"""The text of --version, without importing the packages that it lists."""

import platform
import tomllib
from importlib import metadata

from cgan_lightning.config.paths import CONF


def line() -> str:
    """Return the versions of this package and of those that results depend on."""
    others = {"Python": platform.python_version()} | {name: metadata.version(name) for name in ("torch", "hydra-core")}
    return f"cgan_lightning {_ours()} ({', '.join(f'{name} {version}' for name, version in others.items())})"


def _ours() -> str:
    """Return the version of the checkout, else of the installed package."""
    project = CONF.parent / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text())["project"]["version"]
    return metadata.version("cgan-lightning")
