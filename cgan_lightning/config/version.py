"""What --version says; nothing is imported for it."""

import platform
import tomllib
from importlib import metadata

from cgan_lightning.config.paths import CONF


def line() -> str:
    """Our version and those of what results depend on."""
    others = {"Python": platform.python_version()} | {name: metadata.version(name) for name in ("torch", "hydra-core")}
    return f"cgan_lightning {_ours()} ({', '.join(f'{name} {version}' for name, version in others.items())})"


def _ours() -> str:
    """As the checkout has it, else as it was installed."""
    project = CONF.parent / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text())["project"]["version"]
    return metadata.version("cgan-lightning")
