"""A real bash completes groups, choices, keys and values of a command, as docs/settings.md sets it up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.needs import skip_without

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
SETUP = 'eval "$(cgan-train --shell-completion install=bash)"'
TYPED = {  # what stands before the Tab, and what bash then has to offer, in part
    "cgan-train noi": {"noise="},
    "cgan-train noise=": {"noise=randn", "noise=uniform"},
    "cgan-train model.ch": {"model.channels="},
    "cgan-train seed=3 optimizer.generator.": {"optimizer.generator.lr=", "optimizer.generator.betas."},
    "cgan-train hydra/launcher=p": {"hydra/launcher=pool"},
    "cgan-train model=residual model.generator.bl": {"model.generator.blocks="},
    "cgan-train data.root=./fold": {"data.root=./folder"},
}
# What Tab does: bash sets these, calls the function that `complete` names, and offers COMPREPLY.
TAB = """
complete -p cgan-train >&2
while read -r line; do
  COMP_LINE="$line" COMP_POINT=${#line} COMP_WORDS=($line) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  hydra_bash_completion
  echo "${COMPREPLY[*]}"
done
"""


@pytest.mark.matrix
def test_bash_completes_what_is_typed(tmp_path):
    bash = shutil.which("bash") or skip_without("bash")
    program = tmp_path / "bin" / "cgan-train"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom cgan_lightning.train import main\nmain()\n")
    program.chmod(0o755)
    (tmp_path / "folder").mkdir()
    done = subprocess.run(
        [bash, "--norc", "-c", SETUP + TAB], input="".join(f"{line}\n" for line in TYPED), cwd=tmp_path,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert "-F hydra_bash_completion cgan-train" in done.stderr
    assert SETUP in (ROOT / "docs" / "settings.md").read_text(), "what is documented is what was tried"
    offered = [{*line.split()} for line in done.stdout.splitlines()]
    assert len(offered) == len(TYPED)
    for (line, wanted), words in zip(TYPED.items(), offered, strict=True):
        assert wanted <= words, (line, words)
        assert all(word.startswith(line.split()[-1]) for word in words), (line, words)
