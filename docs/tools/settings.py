"""A component's arguments in the API reference: what each is for, in place of the source of its annotation."""

from typing import Any

import griffe

from cgan_lightning.registry import components
from cgan_lightning.utils.limits import in_words


class Settings(griffe.Extension):
    """For griffe, which reads the sources."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        component = components().get(cls.path)
        if component is None:
            return
        told = [
            f"    {name}: {setting.about}{', ' + in_words(setting.bounds) if setting.bounds else ''}"
            for name, setting in component.settings.items()
        ]
        if told:
            text = "\n".join(["", "Parameters:", *told])
            cls["__init__"].docstring = griffe.Docstring(text, parser="google", parent=cls["__init__"])
