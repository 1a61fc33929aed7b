"""Run commands as a user does, but in this process, so that imports are paid for once."""

import contextlib
import importlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import torch

COMMANDS = ("train", "sample", "evaluate", "explore", "report", "feature_extractor", "status")


@dataclass(frozen=True)
class Answer:
    """The exit code of a command and its output on stderr."""

    code: int
    said: str


def give(command: str, *words: str) -> Answer:
    """Run `python -m cgan_lightning.COMMAND WORDS` and restore the state of this process."""
    module = importlib.import_module(f"cgan_lightning.{command}")
    code, said = 0, io.StringIO()
    with restored(), contextlib.redirect_stderr(said):
        sys.argv = [command, *words]
        try:
            module.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    return Answer(code, said.getvalue())


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Restore the process state that a command changes; its log handlers would write to a closed stderr in later tests."""
    argv, environment, handlers = sys.argv, dict(os.environ), logging.root.handlers[:]
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        sys.argv, logging.root.handlers[:] = argv, handlers
        os.environ.clear()
        os.environ.update(environment)
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
        torch.use_deterministic_algorithms(deterministic)
