"""A private SLURM cluster of two nodes on loopback, with its own daemons, key, ports and folder; /etc/slurm is not read.

`slurm.conf` beside this file is its configuration; there is no accounting database, as launchers must do without.
"""

import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.cluster import processes

PACKAGES = {
    "munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd",
    "sbatch": "slurm-client", "srun": "slurm-client", "scontrol": "slurm-client", "scancel": "slurm-client",
}  # fmt: skip
NODES = ("node1", "node2")
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))  # Debian's users lack these two
PORTS = range(25_000, 32_000, 200)  # above the MASTER_PORTs that Lightning derives, below those of outgoing connections
ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}


def missing() -> list[str]:
    """The programs that are not installed, each with its Debian package: `srun (slurm-client)`."""
    return [f"{name} ({package})" for name, package in PACKAGES.items() if shutil.which(name, path=SEARCH_PATH) is None]


class Cluster:
    """`node1` and `node2`, 4 CPUs each, in the partitions `main` (preemptible, 30 s of grace) and `high` (which preempts).

    Every command and launcher that is to see the cluster runs with `environment`.
    """

    def __init__(self) -> None:
        # Short and readable by all: a socket's path has 107 bytes, and munge's clients need not be its user.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.environment = os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": SEARCH_PATH}
        self._ports = _reserve_ports()
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when both nodes are idle; stops what it started if that fails."""
        try:
            self._write_files()
            self._start_daemons()
        except BaseException as error:
            error.add_note(self._logs())
            self.stop()
            raise

    def stop(self) -> None:
        """Ends what was started with this cluster's SLURM_CONF, a test's launchers included, and nothing else."""
        with suppress(subprocess.SubprocessError, RuntimeError, TimeoutError):
            if "slurmctld" in self._daemons and self._daemons["slurmctld"].poll() is None:
                self.cancel_all()
        for name in ("slurmctld", *NODES, "munged"):  # the controller by SIGTERM alone: it saves its state
            if daemon := self._daemons.pop(name, None):
                daemon.terminate()
                try:
                    daemon.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        processes.kill(self.processes)
        self._ports.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self) -> None:
        """No job is left, and both nodes are up and idle."""
        self.cancel_all()
        for node in NODES:
            self.revive_node(node)
        self.wait_until(self._is_idle, "both nodes are idle", 60)

    def run(self, *command: str | Path, timeout_s: float = 60) -> str:
        """A command's output, run in the cluster's environment and folder; raises if it fails."""
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=timeout_s
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} exits {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def submit(self, *sbatch_arguments: str | Path) -> int:
        return int(self.run("sbatch", "--parsable", *sbatch_arguments))

    def cancel(self, *job_ids: int | str) -> None:
        self.run("scancel", *map(str, job_ids))

    def cancel_all(self) -> None:
        """Every job, at once: what they run is killed, not asked for 10 s."""
        if alive := [job["JobId"] for job in self.jobs() if job["JobState"] not in ENDED]:
            self.cancel(*alive)
        processes.kill(lambda: [pid for pid in self.processes() if "SLURM_JOB_ID" in processes.environment(pid)])

    def jobs(self, job_id: int | str | None = None) -> list[dict[str, str]]:
        """What `scontrol show job` says of all jobs, or of one (1000, 1000_3); an array has several."""
        lines = self.run("scontrol", "show", "job", "--oneliner", *([] if job_id is None else [str(job_id)])).splitlines()
        return [dict(re.findall(r"(\S+?)=(.*?)(?=\s+\S+=|\s*$)", line)) for line in lines if line.startswith("JobId=")]

    def job(self, job_id: int | str) -> dict[str, str]:
        (job,) = self.jobs(job_id)
        return job

    def wait_for(self, job_id: int | str, *states: str, restarts: int = 0, timeout_s: float = 60) -> dict[str, str]:
        """The job, once it is in one of the states and was requeued `restarts` times or more."""
        job: dict[str, str] = {}

        def is_there() -> bool:
            job.update(self.job(job_id))
            return job["JobState"] in states and int(job["Restarts"]) >= restarts

        self.wait_until(is_there, f"job {job_id} is {' or '.join(states)} after {restarts} restarts", timeout_s)
        return job

    def wait_until(self, is_so: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
        """Looks five times a second; raises with the daemons' last words."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            ended = [name for name, daemon in self._daemons.items() if daemon.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise TimeoutError(f"Not so after {timeout_s} s: {what}; ended by themselves: {ended}\n{self._logs()}")
            time.sleep(0.2)

    def crash_node(self, node: str) -> None:
        """Its power fails: slurmd, the daemons of the job steps and all that runs there die at once, and nobody is told."""
        log = self.folder / "log" / node  # slurmd's and the step daemons'; these have no name in their environment
        daemon = self._daemons.pop(node)
        daemon.kill()
        daemon.wait()
        processes.kill(lambda: [pid for pid in self.processes() if log in processes.open_files(pid)])
        processes.kill(lambda: [pid for pid in self.processes() if processes.environment(pid).get("SLURMD_NODENAME") == node])

    def revive_node(self, node: str) -> None:
        """Returns when the node can take jobs (again)."""
        if node not in self._daemons or self._daemons[node].poll() is not None:
            self._spawn(node, "slurmd", "-D", "-N", node)
            self.wait_until(lambda: self._listens(node), f"{node} listens")  # the controller may not know that it was gone

        def is_up() -> bool:
            base, *flags = self.node_state(node)
            if "DRAIN" in flags:
                self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")
            return base in ("IDLE", "MIXED", "ALLOCATED") and not {"DRAIN", "NOT_RESPONDING"} & set(flags)

        self.wait_until(is_up, f"{node} is up", 30)

    def node_state(self, node: str) -> list[str]:
        """Such as ["IDLE"] or ["DOWN", "NOT_RESPONDING"]."""
        (state,) = re.findall(r" State=(\S+)", self.run("scontrol", "show", "node", "--oneliner", node))
        return state.split("+")

    def processes(self) -> list[int]:
        """All that were started with this cluster's SLURM_CONF, but for this one: daemons, clients, launchers, jobs."""
        return processes.started_with("SLURM_CONF", self.environment["SLURM_CONF"])

    def _write_files(self) -> None:
        for name in ("log", "munge", "spool", "state"):
            (self.folder / name).mkdir(mode=0o755)
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        (self.folder / "slurm.conf").write_text(self._configuration())

    def _start_daemons(self) -> None:
        munge = self.folder / "munge"
        files = [f"--{what}={munge / what.removesuffix('-file')}" for what in ("key-file", "socket", "pid-file", "seed-file")]
        self._spawn("munged", "munged", "--foreground", *files, f"--log-file={self.folder / 'log' / 'munge'}")
        self.wait_until((munge / "socket").exists, "munged answers", 10)
        self._spawn("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self._spawn(node, "slurmd", "-D", "-N", node)
        self.wait_until(self._is_idle, "both nodes are idle", 30)

    def _configuration(self) -> str:
        first = self._ports.getsockname()[1]
        memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        return Path(__file__).with_name("slurm.conf").read_text().format(
            folder=self.folder, host=socket.gethostname().partition(".")[0], user=getpass.getuser(),
            controller_port=first + 1, node1_port=first + 2, node2_port=first + 3,
            first_srun_port=first + 4, last_srun_port=first + PORTS.step - 1,
            first_job_id=1000 + secrets.randbelow(50_000),  # a job's MASTER_PORT is derived from its id
            memory_mib=min(8000, memory_mib),
        )  # fmt: skip

    def _is_idle(self) -> bool:
        return all(self.node_state(node) == ["IDLE"] for node in NODES)

    def _listens(self, node: str) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._ports.getsockname()[1] + 2 + NODES.index(node))) == 0

    def _spawn(self, name: str, *command: str) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as output:
            self._daemons[name] = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    def _logs(self) -> str:
        logs = sorted((self.folder / "log").glob("*.out"))
        return "\n".join(f"--- {path.name}: ...{path.read_text(errors='replace')[-1500:]}" for path in logs)


def _reserve_ports() -> socket.socket:
    """Bound to the first port of a block that is free: as long as it is, no other cluster takes the block."""
    for first in PORTS:
        reservation = socket.socket()
        try:
            reservation.bind(("127.0.0.1", first))
            for port in range(first + 1, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return reservation
        except OSError:
            reservation.close()
    raise OSError(f"no block of {PORTS.step} free ports from {PORTS.start} to {PORTS.stop}")
