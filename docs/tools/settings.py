"""The arguments of registered components in the API reference, with the descriptions and ranges that their annotations give."""

from typing import Any

import griffe

from cgan_lightning.registry import components
from cgan_lightning.utils.limits import bounds_text


class Settings(griffe.Extension):
    """Gives the constructor of each component a docstring with its parameters."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        component = components().get(cls.path)
        if component is None or not component.settings:
            return
        lines = ["", "Parameters:"]
        for name, setting in component.settings.items():
            lines.append(f"    {name}: {', '.join(filter(None, (setting.about, bounds_text(setting.bounds))))}")
        constructor = cls["__init__"]
        constructor.docstring = griffe.Docstring("\n".join(lines), parser="google", parent=constructor)
