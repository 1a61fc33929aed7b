"""Run a command under Hydra; the config is composed and checked first, so that errors are short and leave no files."""

import argparse
import atexit
import gc
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString
from hydra.types import RunMode
from omegaconf import DictConfig

from cgan_lightning.config import (
    checks,
    command_line,
    group_choices,
    help_text,
    identity,
    multirun,
    own_files,
    plugin_options,
    pool,
    run_arguments,
    schema,
    search,
    suggestions,
    sweep,
    trust,
    version,
)
from cgan_lightning.config.command_line import parse
from cgan_lightning.config.compose import compose, in_full, refuse_wrong
from cgan_lightning.config.explain import ERRORS, explain, groups
from cgan_lightning.config.paths import CONF
from cgan_lightning.distributed import parent, rank_info
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import Interrupted, RunError, UserError

log = logging.getLogger("cgan_lightning")


def run(task: Callable[[DictConfig], Any], config_name: str) -> None:
    """Run `task` with the config from the command line; exit with code 2 on a user error, 1 on a failed run.

    --cfg, --multirun, shell completion, launchers and sweepers work as in any Hydra application; --help and --version are
    this project's. A failed job of a sweep does not stop the others; a table of their states is printed at the end.
    """

    def checked(config: DictConfig) -> Any:
        refuse_wrong(config)  # a sweeper may choose values that are not on the command line
        return task(config)

    def job(config: DictConfig) -> Any:
        return _reporting_errors(sweep.isolated(checked) if sweep.is_job(config) else checked)(config)

    schema.register()
    application = hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)
    with _handling_signals():
        _reporting_errors(lambda name: _dispatch(application, name))(config_name)


@contextmanager
def loading() -> Iterator[None]:
    """Log that PyTorch is being imported inside, which takes seconds; entered after all checks that do not need it."""
    if "torch" in sys.modules:
        yield
        return
    if not (rank_info.given(os.environ) or rank_info.RankInfo()).rank:  # only rank zero logs
        log.info("Loading PyTorch ...")
    gc.disable()  # it would take a sixth of the time, and what is imported stays
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # else extensions report leaks
        gc.enable()


@contextmanager
def _handling_signals() -> Iterator[None]:
    """End the command with a message on a signal while training (callbacks/preemption.py) does not handle signals."""

    def stop(signum: int, _frame: object) -> None:
        raise Interrupted(signum, f"Stopped by {signal.Signals(signum).name}, with nothing to save")

    earlier = {signum: signal.signal(signum, stop) for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)}
    try:
        yield
    finally:
        for signum, handler in earlier.items():
            signal.signal(signum, handler)


def _dispatch(application: Callable[[], Any], config_name: str) -> None:
    parent.stop_with_it()
    sys.argv[1:] = [in_full(word) for word in sys.argv[1:]]
    if "--version" in sys.argv[1:]:
        return _print(version.line())
    arguments, unknown = command_line.read(sys.argv[1:])
    if unknown:
        raise UserError(_unknown_flag(unknown[0], config_name))
    if arguments.hydra_help or arguments.shell_completion:
        return application()
    plugin_options.use(parse(arguments.overrides), arguments.config_dir)
    if arguments.help or arguments.cfg or arguments.info:
        overrides = _hand_to_hydra(arguments, parse(arguments.overrides))
        config = _compose(config_name, sweep.point(overrides, 0), arguments, check=False)
        return _print(help_text.text(config, config_name)) if arguments.help else application()
    if arguments.config_path:
        raise UserError(f"--config-path={arguments.config_path}: settings are in conf/; --config-dir adds a folder")
    overrides = _hand_to_hydra(arguments, parse(_with_those_of_the_resumed_run(arguments.overrides)))
    config = _of_first_job(config_name, overrides, arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that errors reach `_reporting_errors` instead of Hydra's handler
    hydra_part = HydraConfig.get()
    if "run_root" in config and (arguments.multirun or hydra_part.mode == RunMode.MULTIRUN):
        if config.resume.run not in (None, "auto"):
            raise UserError(f"resume={config.resume.run} resumes one run; a sweep resumes its runs by default: omit it")
        params = parse([f"{key}={value}" for key, value in (hydra_part.sweeper.get("params") or {}).items()])
        overrides = [*params, *overrides]
        first = _of_first_job(config_name, overrides, arguments) if params else config
        return multirun.run(
            application, first, overrides, lambda each, check: _compose(config_name, each, arguments, check=check)
        )
    swept = [override for override in overrides if override.is_sweep_override()]
    if swept and not arguments.multirun:
        raise UserError(_several_values(swept[0], config))
    return application()


def _of_first_job(config_name: str, overrides: list[Override], arguments: argparse.Namespace) -> DictConfig:
    """Return the config of the first job. A search may begin at refused settings: if the last ones are not, theirs."""
    try:
        return _compose(config_name, sweep.point(overrides, 0), arguments)
    except UserError as error:
        if search.is_chosen():
            with suppress(UserError):
                return _compose(config_name, sweep.point(overrides, -1), arguments)
        raise error from None


def _hand_to_hydra(arguments: argparse.Namespace, overrides: list[Override]) -> list[Override]:
    """Make `overrides` those of the command line, after the flags, where Hydra expects them; return them."""
    flags = [word for word in sys.argv[1:] if word not in arguments.overrides]
    sys.argv[1:] = flags + [override.input_line or "" for override in overrides]
    return overrides


def _several_values(override: Override, config: DictConfig) -> str:
    """Return the error message for several values without -m, which may be meant as one text with a comma."""
    texts = [key for key, _, field in checks.leaves(config) if field and checks.type_of(field)[0] is str]
    values, comma = override.value(), ""
    if override.key_or_group in texts and isinstance(values, ChoiceSweep):
        text = ",".join(value.text if isinstance(value, QuotedString) else str(value) for value in values.list)
        comma = f", or quote a text with a comma, as in {shlex.quote(f'{override.key_or_group}={pasteable.quoted(text)}')}"
    return f"{override.input_line} has several values: add -m to run each of them, or write a list as [a,b]{comma}"


def _reporting_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `function` so that user-facing errors are printed as a message and set the exit code."""

    def wrapped(argument: Any) -> Any:
        try:
            return function(argument)
        except UserError as error:
            code, message = 2, str(error)
        except RunError as error:
            code, message = 1, str(error)
        except Interrupted as stop:
            from cgan_lightning.distributed import requeue

            again = requeue.asked_for(stop.signum)
            code, message = (0, f"{stop}; SLURM will restart the job") if again else (128 + stop.signum, str(stop))
        print(message, file=sys.stderr)
        sys.exit(code)

    return wrapped


def _with_those_of_the_resumed_run(overrides: list[str]) -> list[str]:
    """For `resume=FOLDER`, prepend the overrides that the run was started with; the overrides given now win."""
    given = {override.key_or_group: override for override in parse(overrides)}
    folder = given["resume.run"].value() if "resume.run" in given else None
    if folder in (None, "auto") or isinstance(folder, list | dict | bool):  # these fail the type check
        return overrides
    run_arguments.check_folder(f"resume={folder}", Path(str(folder)), ("run",))
    earlier = [override for override in trust.overrides_of_run(str(folder), identity.begun(str(folder)))
               if override.key_or_group not in {*given, "resume.run", "resume.allow_changes", "rerun"}]  # fmt: skip
    plugin_options.refuse_those_of_a_file(f"resume={folder}", earlier)
    return [override.input_line or "" for override in earlier] + overrides


def _print(text: str) -> None:
    """Print to stdout, which may be a pager that exits early."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout at exit


def _unknown_flag(word: str, config_name: str) -> str:
    """Return the error message for an unknown flag."""
    fields = {key: field for key, _, field in checks.leaves(compose(command=config_name, check=False)) if field is not None}
    following = next(iter(sys.argv[sys.argv.index(word) + 1 :]), None)
    return suggestions.flag(word, following, fields=fields, groups=groups(), flags=command_line.flags())


def _compose(config_name: str, overrides: list[str], arguments: argparse.Namespace, *, check: bool = True) -> DictConfig:
    """Compose the config and set Hydra's part; errors of Hydra or OmegaConf become a UserError with a short message."""
    searched = [own_files.search_path(arguments.config_dir)] if arguments.config_dir else []
    given = parse(overrides)
    folders = [CONF, *([Path(arguments.config_dir)] if arguments.config_dir else [])]
    chosen = [each for each in given if any((folder / each.key_or_group).is_dir() for folder in folders)]
    group_choices.check(given, chosen)
    own = own_files.used(arguments.config_dir, chosen)

    def composed(*some: str) -> DictConfig:
        return compose(*some, *searched, command=config_name, check=False)

    try:
        config = compose(*overrides, *searched, command=arguments.config_name or config_name, check=check)
        if check:
            run_arguments.check(config)
            pool.check_settings()
            search.check_settings()
        return config
    except UserError as error:
        message = str(error)
    except ERRORS as error:
        choices, keys = [each.input_line or "" for each in chosen], [each.key_or_group for each in given]
        message = explain(error, composed, choices, keys, own)
    typed = [word.partition("=")[0].lstrip("+~") for word in arguments.overrides]
    raise UserError(own_files.located(message, own, typed))
