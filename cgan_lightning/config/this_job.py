"""The command line of this job, for starting its other ranks."""

import sys

from hydra.core.hydra_config import HydraConfig


def this_job(command: str) -> list[str]:
    """Return the command for the other ranks; in a sweep, that of the single job."""
    hydra_part = HydraConfig.get()
    folders = [source.path for source in hydra_part.runtime.config_sources if source.provider == "command-line"]
    searched = [override for override in hydra_part.overrides.hydra if override.startswith("hydra.searchpath=")]
    return [
        *(sys.executable, "-m", f"cgan_lightning.{command}", "--config-name", str(hydra_part.job.config_name)),
        *(word for folder in folders for word in ("--config-dir", folder)),
        *(*hydra_part.overrides.task, *searched, "hydra.mode=RUN"),
    ]
