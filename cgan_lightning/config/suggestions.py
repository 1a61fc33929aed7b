"""Suggest what was meant by an unknown key, flag or option, and build the error message."""

import dataclasses
import difflib
import itertools
import re
from collections.abc import Collection, Mapping, Sequence

from cgan_lightning.config import group_files
from cgan_lightning.config.paths import CONF

OTHER_NAMES = {  # other programs' names of settings: the last part of the key here
    **dict.fromkeys(("epochs", "num_epochs", "n_epochs"), "max_epochs"),
    **dict.fromkeys(("steps", "num_steps", "iterations", "updates"), "max_steps"),
    "learning_rate": "lr",
    **dict.fromkeys(("batch", "bs"), "batch_size"),
    **dict.fromkeys(("z_dim", "nz"), "latent_dim"),
    **dict.fromkeys(("data_dir", "dataroot"), "root"),
    "num_workers": "workers",
    **dict.fromkeys(("gpus", "num_gpus"), "devices"),
    "nodes": "num_nodes",
    **dict.fromkeys(("log_dir", "logdir", "output_dir"), "run_root"),
    **dict.fromkeys(("gan_loss", "loss_type"), "loss"),
    "launcher": "hydra/launcher",
    "sweeper": "hydra/sweeper",
}
OTHER_CHOICES = {
    "cuda": "gpu",
    **dict.fromkeys(("fp32", "float32", "32"), "32-true"),
    **dict.fromkeys(("fp64", "float64", "double", "64"), "64-true"),
    **dict.fromkeys(("bf16", "bfloat16"), "bf16-mixed"),
}


def in_short(key: str) -> str:
    """Shorten `resume.run` to `resume`; other keys are unchanged."""
    return "resume" if key == "resume.run" else key


def unknown_key(key: str, known: Collection[str]) -> str:
    """Return the error message for an unknown key, with those of `known` that may have been meant."""
    if key in known:
        return f"{key}: unknown setting of the option chosen for {key.split('.')[0]}"
    result = meant(key, known)
    if len(result) > 1:
        return f"{key}: unknown setting; there are {', '.join(result[:-1])} and {result[-1]}"
    return f"{key}: unknown setting; " + (f"did you mean {result[0]}?" if result else "--help lists them all")


def unknown_group(group: str, groups: Collection[str]) -> str:
    """Return the error message for an unknown group in the defaults of a file."""
    near = meant(group, groups)[:1]
    right = f"did you mean /{near[0]}?" if near else f"there are {', '.join(groups)}"
    return f"defaults: there is no group {group}; {right}"


def meant(key: str, known: Collection[str]) -> list[str]:
    """Return the keys that `key` may stand for; several if they match equally well.

    >>> meant("optimizer.lr", ["optimizer.generator.lr", "optimizer.discriminator.lr", "trainer.max_epochs"])
    ['optimizer.generator.lr', 'optimizer.discriminator.lr']
    >>> meant("epochs", ["optimizer.generator.lr", "trainer.max_epochs"])
    ['trainer.max_epochs']
    """
    known = [name for name in known if not name.rpartition(".")[2].startswith("_")]
    if exact := _by_last_part(key, known):
        return exact
    known = sorted({*known, *(name.rsplit(".", 1)[0] for name in known if "." in name)})  # also sections
    if near := difflib.get_close_matches(key, known, 1, 0.7):
        return near
    last_parts = [name.rpartition(".")[2] for name in known]
    near = difflib.get_close_matches(key.rpartition(".")[2], last_parts, 1, 0.7)
    return [name for name, part in zip(known, last_parts, strict=True) if part in near]


def _by_last_part(key: str, known: Sequence[str]) -> list[str]:
    """Return keys with the last part of `key` or its name elsewhere; if any have all its parts, only those."""
    *sections, last = key.split(".")
    for name in (last, OTHER_NAMES.get(last)):
        result = [each for each in known if each.rpartition(".")[2] == name]
        within = [each for each in result if set(sections) <= {*each.split(".")}]
        if result:
            return within or result
    return []


def flag(
    word: str,
    following: str | None,
    *,
    fields: Mapping[str, dataclasses.Field],
    groups: Collection[str],
    flags: Collection[str],
) -> str:
    """Return the error message for the unknown flag `word`, followed by `following`: it may be meant as a setting."""
    dashed, _, value = word.partition("=")
    name = dashed.lstrip("-").replace("-", "_")
    if "=" not in word and following is not None and "=" not in following and not following.startswith("-"):
        word, value = f"{word} {following}", following
    known = [*dict.fromkeys([*(in_short(key) for key in fields), *groups])]
    if result := _by_last_part(name, known):
        is_flag = all(key in fields and fields[key].type is bool for key in result)
        written = [f"{key}={value or ('true' if is_flag else '...')}" for key in result]
        both = ", or one of them" if len(written) > 1 else ""
        return f"{word}: unknown flag; write {' '.join(written)}{both}"
    near = [f"--{each}" for each in difflib.get_close_matches(name, [each.removeprefix("--") for each in flags], 1, 0.7)]
    near = near or [f"{key}=..." for key in meant(name, known)[:1]]
    return f"{word}: unknown flag; " + (f"did you mean {near[0]}?" if near else "--help lists the flags and all settings")


def choice(group: str, value: str, options: Sequence[str]) -> str:
    """Return the error message for an unknown option of `group`, with the nearest by name, else by description."""
    words = _words(group, options)
    near = near_choice(value, options) or words.get(near_choice(value, words, 0.85) or "")
    return f"{group}={value}: must be {' or '.join(options)}" + (f"; did you mean {near}?" if near else "")


def near_choice(value: str, options: Collection[str], alike: float = 0.7) -> str | None:
    """
    >>> near_choice("directoins", ["directions", "page"]), near_choice("cuda", ["cpu", "gpu"]), near_choice("tpu", ["cuda"])
    ('directions', 'gpu', None)
    """
    if (other := OTHER_CHOICES.get(value.lower())) in options:
        return other
    return next(iter(difflib.get_close_matches(value.lower(), options, 1, alike)), None)


def _words(group: str, options: Sequence[str]) -> dict[str, str]:
    """Map each word in the descriptions of `options` to its option; words of several options are left out."""
    result: dict[str, str | None] = {}
    for option in options:
        for word in {*re.findall(r"[a-z]{4,}", about(group, option).lower())}:
            result[word] = None if word in result else option
    return {word: option for word, option in result.items() if option is not None}


def about(group: str, option: str) -> str:
    """Return the description of an option: the comment at the head of its file in conf/, or a plugin's docstring; else ""."""
    if added := group_files.OF_PLUGINS.get((group, option)):
        return added.about
    file = CONF / group / f"{option}.yaml"
    lines = file.read_text().removeprefix("# @package _global_\n").splitlines() if file.is_file() else []
    return " ".join(line.removeprefix("# ") for line in itertools.takewhile(lambda line: line.startswith("#"), lines))
