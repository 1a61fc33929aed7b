"""The files of a user's own folder (--config-dir) that a command line chooses: which of them an error is about."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.types import Override

from cgan_lightning.config import group_files, schema, suggestions
from cgan_lightning.config.paths import CONF
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import UserError, shown

GLOBAL = "# @package _global_"
SWEPT = "hydra.sweeper.params."  # where a sweep's file has its settings


class OwnFile:
    """A file of `group` in the user's folder; what cannot be read counts as empty."""

    def __init__(self, path: Path, group: str) -> None:
        self.path, self.group = path, group
        try:
            self.header = next(iter(path.read_text(encoding="utf-8").splitlines()), "")
            self.content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
            self.header, self.content = "", {}

    def __str__(self) -> str:
        return str(self.path)

    @property
    def lacks_header(self) -> bool:
        """Whether its settings are in a section of the group's name, where a group that only sets other keys has none."""
        return self.group in schema.BESIDE_KEYS and "/" not in self.group and self.header.strip() != GLOBAL

    def choices(self) -> Iterator[tuple[str, str]]:
        """Yield the group and the option of each entry of its defaults."""
        defaults = self.content.get("defaults") if isinstance(self.content, dict) else None
        for entry in defaults if isinstance(defaults, list) else []:
            pairs = entry.items() if isinstance(entry, dict) else [(self.group, entry)]
            for name, option in pairs:
                group = str(name).removeprefix("override ").removeprefix("optional ").partition("@")[0]
                within = isinstance(entry, dict) and not group.startswith("/")
                yield f"{self.group}/{group}" if within else group.lstrip("/"), str(option)

    def set_keys(self) -> list[str]:
        """Return the keys that it sets, and the sections that contain them."""
        package = re.match(r"#\s*@package\s+(\S+)", self.header)
        section = package[1] if package else self.group.replace("/", ".")
        return [*_keys(self.content, "" if section == "_global_" else f"{section}.")]

    def contains_settings(self, key: str) -> bool:
        """Whether it gives `key` as a section."""
        return any(each.startswith(f"{key}.") for each in self.set_keys())


def _keys(content: Any, prefix: str) -> Iterator[str]:
    for name, value in content.items() if isinstance(content, dict) else ():
        if f"{prefix}{name}" != "defaults":
            yield f"{prefix}{name}"
            yield from _keys(value, f"{prefix}{name}.")


def search_path(folder: str) -> str:
    """Return the override that adds `folder` to Hydra's search path. Raises UserError if there is no such folder."""
    if not Path(folder).is_dir():
        raise UserError(f"--config-dir={folder}: there is no such folder; give one with files such as experiment/NAME.yaml")
    return f"hydra.searchpath=[{pasteable.quoted(f'file://{Path(folder).absolute()}')}]"


def used(folder: str | None, chosen: Sequence[Override]) -> list[OwnFile]:
    """Return the files of `folder` that the options in `chosen` name, directly or through their defaults.

    Raises UserError for one that Hydra would not read, because it is not where it must be, or an option in conf/ has its name.
    """
    if folder is None:
        return []
    _refuse_misplaced(folder, chosen)
    found = dict[Path, OwnFile]()
    waiting = [(each.key_or_group, str(value)) for each in chosen for value in _values(each)]
    while waiting:
        group, option = waiting.pop(0)
        name = f"{group}/{option.removesuffix('.yaml')}"
        path = Path(folder) / f"{name}.yaml"
        if path in found or not path.is_file():
            continue
        if (CONF / f"{name}.yaml").is_file() and (CONF / f"{name}.yaml").read_bytes() != path.read_bytes():
            raise UserError(f"{path} is never read: {group}={option} is an option already; give the file another name")
        found[path] = OwnFile(path, group)
        waiting += found[path].choices()
    return list(found.values())


def _refuse_misplaced(folder: str, chosen: Iterable[Override]) -> None:
    """Raise UserError for an option that has a file, but not as `folder`/GROUP/OPTION.yaml, or whose group has no folder."""
    for group, option in ((each.key_or_group, str(value)) for each in chosen for value in _values(each)):
        options, group_folder = group_files.options(group), Path(folder) / group
        if option in options or group.startswith("hydra/") or (group_folder / f"{option}.yaml").is_file():
            continue
        if os.path.lexists(group_folder / f"{option}.yaml"):
            raise UserError(
                f"{group_folder / option}.yaml cannot be read: it is a folder, or a link to a file that does not exist"
            )
        if (group_folder / f"{option}.yml").is_file():
            raise UserError(f"{group_folder / option}.yml: its name must end in .yaml")
        if Path(folder).name == group and (Path(folder) / f"{option}.yaml").is_file():
            raise UserError(f"--config-dir={folder}: give the folder that contains {group}/, {Path(folder).parent}")
        if not group_folder.is_dir():
            raise UserError(f"{suggestions.choice(group, option, options)}; --config-dir={folder} contains no folder {group}")


def _values(override: Override) -> list[Any]:
    value = override.value()
    return value if isinstance(value, list) else [value]


def unreadable(error: Exception, own: Sequence[OwnFile]) -> str | None:
    """Return the message for an error of reading one of the files, or None for any other error."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        name, line = error.problem_mark.name, error.problem_mark.line + 1
        return f"{_as_given(name, own)}: invalid YAML in line {line}: {shown(error.problem or error.context or '')}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"{_as_given(str(error.name), own)}: invalid YAML: {shown(error.reason)}"
    if isinstance(error, UnicodeDecodeError):
        broken = next((each for each in own if not _is_utf8(each.path)), "a file in --config-dir")
        return f"{broken}: not UTF-8; save it in this encoding"
    if isinstance(error, OSError) and error.filename:
        return f"{_as_given(str(error.filename), own)}: cannot be read ({error.strerror})"
    return None


def _as_given(name: str, own: Sequence[OwnFile]) -> str:
    return next((str(each) for each in own if str(each.path.absolute()) == name), name)


def _is_utf8(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


def of_error(error: Exception, own: Sequence[OwnFile]) -> OwnFile | None:
    """Return the file that Hydra's `error` names, as in "In 'experiment/mine': ..."."""
    named = re.search(r"\bin '?([^':,]+)'?[:,]", str(error), re.IGNORECASE)
    return next((each for each in own if named and f"{each.group}/{each.path.stem}" == named[1]), None)


def naming(group: str, option: str | None, own: Sequence[OwnFile]) -> OwnFile | None:
    """Return the file whose defaults choose `option` of `group`; any option for None."""
    return next((each for each in own if any(g == group and option in (None, o) for g, o in each.choices())), None)


def located(message: str, own: Sequence[OwnFile], given: Sequence[str]) -> str:
    """Prefix a message that begins with a key by the file that sets it, unless the command line does (`given`)."""
    key = re.match(r"[\w.]*\w", message)
    for each in reversed(own):
        if key and key[0] not in given and {key[0], f"{SWEPT}{key[0]}"} & {*each.set_keys()}:
            return f"{each}: {message}"
    return message
