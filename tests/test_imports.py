"""What commands import, each begun anew: Lightning and torch._dynamo take longer than all that most of them do."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "experiments" / "recipe" / "generator.safetensors"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
SLOW = ["lightning", "torch._dynamo", "sympy", "torchmetrics", "torchvision", "optuna"]
PROGRAM = f"""
import gc, runpy, sys
module, sys.argv[1:] = sys.argv[1], sys.argv[2:]
try:
    runpy.run_module(f"cgan_lightning.{{module}}", run_name="__main__", alter_sys=True)
except SystemExit as stop:
    assert stop.code in (0, 2), stop.code
assert gc.isenabled(), "garbage is not collected while a command imports, and is from then on"
print(*[name for name in {SLOW} if name in sys.modules])
"""


@pytest.mark.sampled(2)
@pytest.mark.process
@pytest.mark.parametrize(
    "arguments",
    [
        ("sample", f"checkpoint={EXAMPLE}", "count=1", "output=drawn.png"),
        pytest.param(("explore", f"checkpoint={EXAMPLE}", "rows=1", "steps=3", "output=explored"), marks=pytest.mark.matrix),
        # what feature_extractor trains with, PyTorch's optimizers, imports torch._dynamo
        pytest.param(("feature_extractor", "data.root=nowhere"), marks=pytest.mark.matrix),
        pytest.param(("report", "runs=."), marks=pytest.mark.matrix),
        ("status", "."),
        ("train", "trainer=gpu"),
    ],
    ids=["sample", "explore", "feature_extractor", "report", "status", "train"],
)
def test_a_command_that_does_not_train_imports_no_lightning(tmp_path, arguments):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "", done.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("elsewhere", "this"),
    [("sys.platform = 'win32'", f"{VERSION} on win32"), ("sys.version_info = (3, 10)", f"3.10 on {sys.platform}")],
)
def test_where_it_is_not_supported_importing_says_so(elsewhere, this):
    program = f"import sys; {elsewhere}\ntry: import cgan_lightning\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == f"cgan_lightning needs Linux or macOS, and Python 3.11 or newer: this is Python {this}\n"


@pytest.mark.process
def test_the_package_imports_nothing_until_it_is_asked():
    code = "import sys, cgan_lightning; print(sorted({'torch', 'hydra', 'lightning'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.process
def test_commands_do_not_take_the_place_of_the_functions_of_their_names():
    code = "import cgan_lightning.train, cgan_lightning; print(cgan_lightning.train.__module__)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "cgan_lightning.api\n"
    )
