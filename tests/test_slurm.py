"""What a sweep over SLURM asks for, and what it refuses before anything is submitted. The real thing: tests/cluster/."""

import hydra
import pytest
from hydra import initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from cgan_lightning.config import slurm
from cgan_lightning.config.paths import CONF
from cgan_lightning.distributed import requeue
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra slurm")

from hydra_plugins.cgan_slurm._launcher import SweepLauncher

SLURM = "hydra/launcher=slurm"


def resources(*overrides: str) -> dict:
    composed(SLURM, *overrides)  # checks
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        config = hydra.compose("train", [SLURM, *overrides], return_hydra_config=True)
    launcher = SweepLauncher(**{key: value for key, value in config.hydra.launcher.items() if key != "_target_"})
    launcher.config = config
    return launcher._resources()


def test_ranks_and_gpus_follow_from_the_trainer():
    asked = resources("trainer=ddp", "trainer.devices=4", "trainer.num_nodes=2", "hydra.launcher.account=us")
    assert (asked["nodes"], asked["tasks_per_node"], asked["gpus_per_node"]) == (2, 4, 4)
    assert asked["slurm_account"] == "us"
    assert asked["slurm_srun_args"] == ["--kill-on-bad-exit=1"]


@pytest.mark.long
def test_a_sites_own_way_to_ask_for_gpus_counts():
    assert resources("trainer=gpu", "hydra.launcher.gres='gpu:a100:1'")["gpus_per_node"] is None
    assert resources("trainer=gpu")["gpus_per_node"] == 1
    assert resources("trainer=cpu")["gpus_per_node"] is None


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("trainer.devices=1,2",), "trainer.devices=1,2: all jobs of a sweep over SLURM have the same ranks"),
        (("trainer=cpu,ddp_cpu",), "trainer=cpu,ddp_cpu: all jobs of a sweep over SLURM have the same ranks"),
        (("trainer=ddp",), "trainer.devices=null: SLURM needs the number of GPUs per node"),
        (("hydra.launcher.timeout_min=3",), "hydra.launcher.timeout_min=3: at least 4 with hydra.launcher.signal_delay_s=120"),
    ],
)
def test_what_can_not_be_is_refused(overrides, sentence):
    parsed = OverridesParser.create().parse_overrides([SLURM, *overrides])
    config = composed(SLURM, *(override.input_line for override in parsed[1:] if not override.is_sweep_override()))
    with pytest.raises(UserError) as refused:
        slurm.check(config, parsed)
    assert str(refused.value).startswith(sentence)


def test_other_launchers_may_sweep_what_they_like():
    parsed = OverridesParser.create().parse_overrides(["trainer.devices=1,2"])
    slurm.check(composed(), parsed)


def test_outside_slurm_nothing_is_requeued(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert not requeue.asked_for(requeue.WARNING)


def test_a_machine_without_slurm_is_told_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    config = composed(SLURM)
    with pytest.raises(UserError, match="there is no sbatch on this machine"):
        slurm.check(config, [])
