"""Runs a command under Hydra: composes and checks first, so that a mistake costs one sentence and leaves nothing behind."""

import argparse
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from cgan_lightning.config import (
    checks,
    command_line,
    help_text,
    identity,
    pool,
    run_arguments,
    schema,
    slurm,
    suggestions,
    sweep,
    trust,
    version,
)
from cgan_lightning.config.command_line import parse
from cgan_lightning.config.compose import compose, in_full, refuse_wrong
from cgan_lightning.config.explain import explain, groups
from cgan_lightning.config.paths import CONF
from cgan_lightning.distributed import parent, rank_info
from cgan_lightning.utils.errors import Interrupted, RunError, UserError

log = logging.getLogger("cgan_lightning")


def run(task: Callable[[DictConfig], Any], config_name: str) -> None:
    """`task` with the config that the command line asks for; exits with 2 on a user's mistake, 1 on a failed run.

    Hydra does the rest: --cfg, --multirun, shell completion, launchers and sweepers work as in any Hydra application. --help
    and --version are ours. A sweep's jobs fail each for itself; a table at the end says what became of them.
    """

    def checked(config: DictConfig) -> Any:
        refuse_wrong(config)  # a sweeper may have chosen values that were not on the command line
        return task(config)

    def job(config: DictConfig) -> Any:
        return _answering(sweep.isolated(checked) if sweep.is_job(config) else checked)(config)

    schema.register()
    application = hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)
    with _stoppable():
        _answering(lambda name: _go(application, name))(config_name)


def say_what_loads() -> None:
    """The first thing that a command says, once all is checked that can be without PyTorch: its import takes seconds."""
    if "torch" not in sys.modules and not (rank_info.given(os.environ) or rank_info.RankInfo()).rank:  # one rank speaks for all
        log.info("Loading PyTorch ...")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Before training takes care of signals (callbacks/preemption.py), and after it, they end the command with a sentence."""

    def stop(signum: int, _frame: object) -> None:
        raise Interrupted(signum, f"Stopped by {signal.Signals(signum).name}, with nothing to save")

    earlier = {signum: signal.signal(signum, stop) for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)}
    try:
        yield
    finally:
        for signum, handler in earlier.items():
            signal.signal(signum, handler)


def _go(application: Callable[[], Any], config_name: str) -> None:
    parent.stop_with_it()
    sys.argv[1:] = [in_full(word) for word in sys.argv[1:]]
    if "--version" in sys.argv[1:]:
        return _page(version.line())
    arguments, unknown = command_line.read(sys.argv[1:])
    if unknown:
        raise UserError(_no_flag(unknown[0], config_name))
    if arguments.hydra_help or arguments.shell_completion:
        return application()
    if arguments.help or arguments.cfg or arguments.info:
        config = _compose(config_name, sweep.points(parse(arguments.overrides))[0], arguments, check=False)
        return _page(help_text.text(config, config_name)) if arguments.help else application()
    if arguments.config_path:
        raise UserError(f"--config-path={arguments.config_path}: settings stand in conf/; --config-dir adds a folder of yours")
    overrides = parse(_with_those_of_the_resumed_run(arguments.overrides))
    flags = [word for word in sys.argv[1:] if word not in arguments.overrides]
    sys.argv[1:] = flags + [override.input_line or "" for override in overrides]  # Hydra wants flags first
    config = _compose(config_name, sweep.points(overrides)[0], arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # from here on errors come to `_answering`, not to Hydra's report of them
    hydra_part = HydraConfig.get()
    if "run_root" in config and (arguments.multirun or hydra_part.mode == RunMode.MULTIRUN):
        if config.resume.run not in (None, "auto"):
            raise UserError(
                f"resume={config.resume.run} goes on with one run; in a sweep going on is the default: leave it out"
            )
        params = parse([f"{key}={value}" for key, value in (hydra_part.sweeper.get("params") or {}).items()])
        return _sweep(application, [*params, *overrides], config.run_root, lambda each: _compose(config_name, each, arguments))
    swept = [override.input_line for override in overrides if override.is_sweep_override()]
    if swept and not arguments.multirun:
        raise UserError(f"{swept[0]} has several values: add -m to run each of them, or write a list as [a,b]")
    return application()


def _sweep(
    application: Callable[[], Any], overrides: list[Override], run_root: str, composed: Callable[[list[str]], DictConfig]
) -> None:
    """All jobs are checked and written down, then run; the table of what became of them is the last word."""
    first = composed(sweep.points(overrides)[0])
    slurm.check(first, overrides)
    pool.check(first, overrides)
    jobs = [sweep.job(composed(each), number) for number, each in enumerate(sweep.points(overrides))]
    if any(override.is_sweep_override() and not override.is_discrete_sweep() for override in overrides):
        jobs = []  # the sweeper makes them up as it goes
    if not first.rerun:
        sweep.refuse_longer_runs(jobs)
    folder = sweep.folder(run_root, overrides, jobs)
    command = shlex.join(["python", "-m", "cgan_lightning.train", *sys.argv[1:]])
    watch = f"python -m cgan_lightning.status {shlex.quote(str(folder.path))} --watch"
    print(f"{len(jobs) or 'Some'} jobs; to see how far they are: {watch}", file=sys.stderr)
    quoted = str(folder.path).replace("\\", "\\\\").replace("'", "\\'")
    sys.argv.append(f"hydra.sweep.dir='{quoted}'")
    with folder.claim(command, sweep.grid(overrides), jobs):
        application()
    print(folder.table(), file=sys.stderr)
    if folder.states()["finished"]:
        print(folder.next_commands(), file=sys.stderr)
    if left := [f"{count} {state}" for state, count in folder.states().items() if state != "finished"]:
        raise RunError(f"{', '.join(left)}; the same command tries again")


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, with the errors that are for the user said in one sentence, and the exit code that says which."""

    def answer(argument: Any) -> Any:
        try:
            return function(argument)
        except UserError as error:
            code, sentence = 2, str(error)
        except RunError as error:
            code, sentence = 1, str(error)
        except Interrupted as stop:
            from cgan_lightning.distributed import requeue

            again = requeue.asked_for(stop.signum)
            code, sentence = (0, f"{stop}; SLURM starts the job again") if again else (128 + stop.signum, str(stop))
        print(sentence, file=sys.stderr)
        sys.exit(code)

    return answer


def _with_those_of_the_resumed_run(overrides: list[str]) -> list[str]:
    """`resume=FOLDER` alone means all settings of that run: what it was started with, then what is given now."""
    given = {override.key_or_group: override for override in parse(overrides)}
    folder = given["resume.run"].value() if "resume.run" in given else None
    if folder in (None, "auto") or isinstance(folder, list | dict | bool):  # these are refused by their type
        return overrides
    run_arguments.check_folder(f"resume={folder}", Path(str(folder)), ("run",))
    earlier = [override.input_line or "" for override in trust.overrides_of_run(str(folder), identity.begun(str(folder)))
               if override.key_or_group not in {*given, "resume.run", "resume.allow_changes", "rerun"}]  # fmt: skip
    return earlier + overrides


def _page(text: str) -> None:
    """On stdout, which may be a pager that ends before the text does."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python writes at its end


def _no_flag(word: str, config_name: str) -> str:
    """The sentence for a word that looks like a flag and is none."""
    fields = {key: field for key, _, field in checks.leaves(compose(command=config_name, check=False)) if field is not None}
    following = next(iter(sys.argv[sys.argv.index(word) + 1 :]), None)
    return suggestions.flag(word, following, fields=fields, groups=groups(), flags=command_line.flags())


def _compose(config_name: str, overrides: list[str], arguments: argparse.Namespace, *, check: bool = True) -> DictConfig:
    """The config, checked if so wished, Hydra's own part set; what Hydra or OmegaConf refuse is said in a sentence."""
    if arguments.config_dir:
        overrides = [*overrides, f"hydra.searchpath=[file://{Path(arguments.config_dir).absolute()}]"]
    chosen = [override for override in parse(overrides) if (CONF / override.key_or_group).is_dir()]
    for override in chosen:
        # Hydra takes these for a programmer's mistake.
        if isinstance(override.value(), int | float | dict | None) and not override.is_delete():
            files = sorted(file.stem for file in (CONF / override.key_or_group).glob("*.yaml"))
            raise UserError(suggestions.choice(override.key_or_group, (override.input_line or "").partition("=")[2], files))
    try:
        config = compose(*overrides, command=arguments.config_name or config_name, check=check)
    except (HydraException, OmegaConfBaseException) as error:
        choices = [override.input_line or "" for override in chosen]
        keys = [override.key_or_group for override in parse(overrides)]
        raise UserError(explain(error, lambda *some: compose(*some, command=config_name, check=False), choices, keys)) from None
    if check:
        run_arguments.check(config)
    return config
