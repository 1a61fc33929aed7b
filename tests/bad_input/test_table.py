"""Each row of the tables in docs/reliability.md and more.md: the command as it stands there, and what it answers."""

import os
import re
import shlex
from pathlib import Path

import pytest
import torch

from tests.bad_input import prepared
from tests.helpers import commands

pytestmark = pytest.mark.training

PAGES = Path(__file__).parents[2] / "docs" / "reliability.md", Path(__file__).with_name("more.md")
TABLES = [page.read_text().partition("| --- | --- | --- |\n")[2].partition("\n\n")[0].splitlines() for page in PAGES]
ROWS = [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")[1:]) for table in TABLES for line in table]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made, before = tmp_path_factory.mktemp("bad-input"), Path.cwd()
    os.chdir(made)
    prepared.prepare(made)
    os.chdir(before)
    return made


def content(folder: Path) -> dict[Path, tuple[int, int] | None]:
    """Every path in `folder`, and of files when they were written and how long they are; locks apart, which are empty."""
    paths = [path for path in folder.rglob("*") if path.name != ".lock"]
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None for path in paths}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("command", "answer"), ROWS)
def test_the_command_answers_as_the_table_says(folder, monkeypatch, command, answer):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # the table is a machine's without a GPU
    before = content(folder)
    given = commands.give(*shlex.split(command))
    assert given.said.count("\n") == 1, given.said
    assert re.fullmatch(re.escape(answer).replace("…", ".*"), given.said.removesuffix("\n")), given.said
    assert given.code == 2
    assert content(folder) == before, "nothing is made, nothing is changed"


def test_the_tables_are_found():
    """A table that isn't found would pass."""
    assert min(map(len, TABLES)) >= 25
    assert {command.split()[0] for command, _ in ROWS} == set(commands.COMMANDS)
