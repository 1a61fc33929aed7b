"""Commands given as a user gives them, in this process: the seconds that imports take are paid once."""

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
    """How a command ended, and what it said on stderr."""

    code: int
    said: str


def give(command: str, *words: str) -> Answer:
    """`python -m cgan_lightning.COMMAND WORDS`; what a command changes in its process is as before afterwards."""
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
    """What a command changes in its process: handlers of a closed stderr would speak in the tests after it."""
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
