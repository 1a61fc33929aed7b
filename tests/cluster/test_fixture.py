"""The cluster that the other tests rely on does what a real one would."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster import processes
from tests.cluster.slurm import NODES, Cluster

pytestmark = pytest.mark.cluster

LISTENS = "0A"  # in /proc/net/tcp
LOOPBACK = "0100007F"


def listening_addresses(pids: list[int]) -> set[str]:
    """Those of the sockets that the processes hold, as /proc/net/tcp writes them."""
    sockets = {str(file) for pid in pids for file in processes.open_files(pid)}
    rows = [row.split() for family in ("tcp", "tcp6") for row in Path(f"/proc/net/{family}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == LISTENS and f"socket:[{row[9]}]" in sockets}


def test_a_job_runs_on_both_nodes_and_listens_on_loopback_alone(cluster, tmp_path):
    job = cluster.submit(f"--output={tmp_path}/log", "--nodes=2", "--wrap=srun sh -c 'echo $SLURMD_NODENAME; sleep 60'")
    cluster.wait_until(lambda: (tmp_path / "log").exists() and len((tmp_path / "log").read_text().split()) == 2, "both speak")
    assert sorted((tmp_path / "log").read_text().split()) == list(NODES)
    assert cluster.job(job)["NodeList"] == "node[1-2]"
    assert listening_addresses(cluster.processes()) == {LOOPBACK}  # srun's too


def test_a_node_whose_daemon_crashed_is_up_again_after_a_reset(cluster):
    crashed = cluster._daemons["node1"]
    crashed.send_signal(signal.SIGSEGV)
    assert crashed.wait(timeout=10) == -signal.SIGSEGV
    cluster.reset()
    job = cluster.submit("--nodelist=node1", "--wrap=true", "--output=/dev/null")
    assert cluster.wait_for(job, "COMPLETED")["NodeList"] == "node1"


def test_nothing_of_a_stopped_cluster_remains_and_another_lives_on(cluster):
    with Cluster() as second:
        job = second.submit("--wrap=trap '' TERM; srun sleep 60; sleep 60")
        second.wait_for(job, "RUNNING")
        launcher = subprocess.Popen(["sleep", "60"], env=second.environment)
        crashed_too = second.job(job)["NodeList"]
        second.crash_node(crashed_too)
    assert launcher.wait(timeout=5) == -9
    assert second.processes() == []
    assert not second.folder.exists()
    assert [cluster.node_state(node) for node in NODES] == [["IDLE"], ["IDLE"]]


def test_a_cluster_that_cannot_start_leaves_nothing(monkeypatch):
    monkeypatch.setattr(Cluster, "_configuration", lambda self: "NoSuchKey=1")
    broken = Cluster()
    with pytest.raises(RuntimeError, match="NoSuchKey"):
        broken.start()
    assert broken.processes() == []
    assert not broken.folder.exists()
