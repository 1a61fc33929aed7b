"""Hydra sweeper that searches for the best settings with Optuna; the study is a file in the sweep's folder."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from cgan_lightning.config import search_space, sweep
from cgan_lightning.config.command_line import parse
from cgan_lightning.config.compose import refuse_wrong
from cgan_lightning.config.explain import ERRORS
from cgan_lightning.storage import study
from cgan_lightning.storage.sweep_folder import Job, SweepFolder, Trial
from cgan_lightning.utils.errors import UserError, shown

if TYPE_CHECKING:  # takes a second to import, and Hydra imports this file at every start
    import optuna


class OptunaSweeper(Sweeper):
    """Asks for `n_jobs` trials at a time, hands their jobs to the launcher as one batch, and tells the study how they ended.

    A trial that was asked for and not told, because the sweep was stopped, is in the next batch.
    """

    hydra_context: Any
    config: Any
    launcher: Any

    def __init__(
        self, n_trials: int, n_jobs: int, direction: str | None, sampler: str, seed: int, params: Mapping[str, Any] | None
    ) -> None:
        self.n_trials, self.n_jobs, self.sampler, self.seed, self.params = n_trials, n_jobs, sampler, seed, params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        self.folder = SweepFolder(Path(self.config.hydra.sweep.dir))
        self.overrides = parse([*(f"{key}={value}" for key, value in self.params.items()), *arguments])
        self.study = _Study(self.folder, self.overrides, self.sampler, self.seed)
        while batch := self.study.ask(self.n_trials, self.n_jobs):
            self._run(batch)

    def _run(self, batch: Sequence[Trial]) -> None:
        """Run the trials' jobs; one whose settings are refused fails, and one whose run is finished has its result."""
        jobs = dict[int, Job]()
        for trial in batch:
            try:
                jobs[trial.number] = self._job(trial)
            except UserError as error:
                self.study.tell(trial.number, failure=str(error))
            except ERRORS as error:  # of composing: a key that an option does not have
                self.study.tell(trial.number, failure=shown(str(error).partition("\n")[0]))
            else:
                self.study.begin(trial.number, jobs[trial.number])
        new = {job.name: job for job in jobs.values() if job.state()[0] != "finished"}  # two trials may have the same settings
        for job in jobs.values():
            self.folder.write(job)
        if new:
            self.launcher.launch([job.overrides for job in new.values()], initial_job_idx=min(jobs))
        for number, name in ((number, job.name) for number, job in jobs.items()):
            self._tell(number, next(job for job in self.folder.jobs() if job.name == name))

    def _job(self, trial: Trial) -> Job:
        words = search_space.job_of(self.overrides, trial.settings)
        config = self.hydra_context.config_loader.load_sweep_config(self.config, words)
        HydraConfig.instance().set_config(config)
        try:
            with open_dict(config):
                del config["hydra"]
            refuse_wrong(config)
            return replace(sweep.job(config, trial.number), overrides=words)
        finally:
            HydraConfig.instance().set_config(self.config)

    def _tell(self, number: int, job: Job) -> None:
        """Tell the study the objective at the end of the job's run, or why there is none."""
        metric, (state, detail) = self.config.objective_metric, job.state()
        end = job.end() if state == "finished" else None
        if end is None:
            self.study.tell(number, failure=detail if state == "failed" else f"the job ended, {state} {detail}".rstrip())
            return
        value = end.metric(metric)
        if value is None or not math.isfinite(value):
            self.study.tell(number, failure=f"{metric} is {value}")
        else:
            self.study.tell(number, value=value)


class _Study:
    """An Optuna study, and trials.json, from which it can be read without Optuna."""

    def __init__(self, folder: SweepFolder, overrides: Sequence[Override], sampler: str, seed: int) -> None:
        import optuna

        self.optuna, self.folder, self.sampler, self.seed = optuna, folder, sampler, seed
        self.space = {key: _distribution(each) for key, each in search_space.space(overrides).items()}
        self.known = {trial.number: trial for trial in folder.trials()}  # with jobs and failures
        self.study = study.opened(folder, (folder.search() or {})["direction"])

    def ask(self, n_trials: int, n_jobs: int) -> list[Trial]:
        """Return up to `n_jobs` trials, first those that a stopped sweep has left; none when `n_trials` have ended."""
        for trial in self._record():
            if trial.state == "running" and trial.settings.keys() != self.space.keys():
                self.tell(trial.number, failure="the sweep was stopped while its settings were chosen")
        trials = self._record()
        begun = [trial.number for trial in trials if trial.state == "running"]
        count = min(n_jobs, n_trials - len(trials) + len(begun))
        for number in range(len(trials), len(trials) + count - len(begun)):
            self.study.sampler = self._sampler(number)
            begun.append(self.study.ask(self.space).number)
        return [trial for trial in self._record() if trial.number in begun[:count]] if count > 0 else []

    def _sampler(self, number: int) -> "optuna.samplers.BaseSampler":
        """Return a sampler seeded by the trial's number, so that a continued study does not draw the same again."""
        import numpy as np

        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        kinds = {"tpe": self.optuna.samplers.TPESampler, "random": self.optuna.samplers.RandomSampler}
        return kinds[self.sampler](seed=seed)

    def begin(self, number: int, job: Job) -> None:
        """Record a trial's job."""
        self.known[number] = replace(self.known[number], job=job.name)
        self._record()

    def tell(self, number: int, *, value: float | None = None, failure: str | None = None) -> None:
        """Record the end of a trial: its objective, or why it failed."""
        self.known[number] = replace(self.known[number], failure=failure)
        self.study.tell(number, value, None if failure is None else self.optuna.trial.TrialState.FAIL)
        self._record()

    def _record(self) -> list[Trial]:
        """Write trials.json, and return its trials."""
        states = {"RUNNING": "running", "COMPLETE": "finished"}
        for each in self.study.get_trials(deepcopy=False):
            earlier = self.known.get(each.number, Trial(each.number, {}, "running"))
            settings = {key: str(each.params[key]) for key in self.space if key in each.params}
            state, value = states.get(each.state.name, "failed"), each.value
            self.known[each.number] = replace(earlier, settings=settings, state=state, value=value)
        trials = [self.known[number] for number in sorted(self.known)]
        self.folder.write_trials(trials)
        return trials


def _distribution(dimension: search_space.Choices | search_space.Numbers) -> "optuna.distributions.BaseDistribution":
    from optuna import distributions

    if isinstance(dimension, search_space.Choices):
        return distributions.CategoricalDistribution(dimension.values)
    low, high, step, log = dimension.low, dimension.high, dimension.step, dimension.log
    if all(isinstance(number, int) for number in (low, high, step or 1)):
        return distributions.IntDistribution(int(low), int(high), log=log, step=int(step or 1))
    return distributions.FloatDistribution(low, high, log=log, step=step)
