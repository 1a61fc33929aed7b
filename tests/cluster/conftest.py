"""A real SLURM cluster, started once a session."""

import os
from collections.abc import Iterator

import pytest

from tests.cluster.slurm import PACKAGES, Cluster, missing
from tests.helpers.needs import skip_without


@pytest.fixture(scope="session")
def _started_cluster() -> Iterator[Cluster]:
    if lacking := missing():
        packages = " ".join(sorted(set(PACKAGES.values())))
        skip_without(f"SLURM: install Debian's packages {packages} (not found: {', '.join(lacking)})")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("SLURM", "SBATCH", "SRUN"))]:
            patch.delenv(name)  # of a job that runs the tests
        with Cluster() as cluster:
            yield cluster


@pytest.fixture
def cluster(_started_cluster: Cluster) -> Cluster:
    """Two idle nodes, whatever the test before left."""
    _started_cluster.reset()
    return _started_cluster
