"""The path of conf/: next to the package in a checkout, inside it when installed from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parent

CONF = _CHECKOUT / "conf" if (_CHECKOUT / "pyproject.toml").is_file() else _PACKAGE / "conf"
