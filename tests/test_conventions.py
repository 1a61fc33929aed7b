"""What holds for every file of the project."""

import ast
from pathlib import Path

import pytest

from cgan_lightning.config.paths import CONF

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "cgan_lightning").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_and_class_says_what_it_is(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and path.name not in ("schema.py", "components.py"):
            assert ast.get_docstring(node), node.name


def test_files_and_functions_stay_small():
    for path in SOURCES:
        assert len(path.read_text().splitlines()) <= 250, path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 40, f"{path}: {node.name}"


def test_every_choice_explains_itself():
    for path in CONF.rglob("*.yaml"):
        if "hydra" not in path.parts:
            assert path.read_text().lstrip().startswith("#"), f"{path} has no comment at its head"


def test_the_lock_file_names_exact_versions_and_no_index():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert all("==" in line for line in lines)
    assert not any("://" in line or line.startswith("--") for line in lines)
