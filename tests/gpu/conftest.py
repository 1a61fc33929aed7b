"""What runs on a GPU: `make test-gpu`. With CGAN_GPU_TESTS_ON=cpu the same is done on a CPU, to show that the tests work."""

import os

import pytest
import torch

ON = os.environ.get("CGAN_GPU_TESTS_ON", "gpu")
only_gpu = pytest.mark.skipif(ON == "cpu", reason="is of a GPU alone")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "gpu":
            item.add_marker(pytest.mark.gpu)
            if item.path.name != "test_graphs.py":  # of which each test stands for itself
                item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(autouse=True, scope="session")
def _a_gpu() -> None:
    if ON == "gpu" and not torch.cuda.is_available():
        pytest.skip("needs a GPU: PyTorch finds none on this machine")


@pytest.fixture
def deterministic():
    """For tests to the bit: kernels that sum in one order."""
    earlier = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)
    if earlier is None:
        del os.environ["CUBLAS_WORKSPACE_CONFIG"]
    else:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = earlier
