"""Plugins: a user's own modules whose registered classes and metrics are options like ours.

Only the person who types a command names them (`plugins=[my_lab.parts]`), never a file. Their sources are parsed, like ours:
a module is imported when one of its classes is built.
"""

import ast
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from cgan_lightning import registry
from cgan_lightning.registry import FACTORIES, KINDS, Component, Metric
from cgan_lightning.utils.errors import UserError, shown

EXAMPLE = '@register("loss", "my_hinge"), imported from cgan_lightning.registry'
GIVEN_BY_A_RUN = {"logger": ("folder", "done")}  # arguments of a constructor that are no settings, by group
_in_use: dict[str, list[Component | Metric]] = {}


def load(name: str) -> list[Component]:
    """Register the components and metrics of the module or package `name`, and return the components.

    Raises UserError if there is no such module, if it registers nothing, or for a mistake in what it registers.
    """
    if name not in _in_use:
        _register(name)
    return [each for each in _in_use[name] if isinstance(each, Component)]


def _register(name: str) -> None:
    _find_in_current_folder()
    try:
        registered = [each for path, module in _sources(name) for each in _registered(path, module)]
        if not registered:
            raise UserError(f"it registers nothing: a class needs {EXAMPLE}")
        _refuse_taken(registered)
    except UserError as error:
        raise UserError(f"plugins=[{name}]: {error}") from None
    known = {each.target for each in (*registry.components().values(), *registry.metrics().values())}
    _in_use[name] = [each for each in registered if each.target not in known]  # a package may contain a plugin in use
    registry.add(_in_use[name])


def unload(name: str) -> None:
    """Undo `load`."""
    registry.remove(_in_use.pop(name))


def missing(names: Iterable[str]) -> list[str]:
    """Return those of the modules `names` that no plugin in use contains."""
    return [name for name in names if not any(f"{name}.".startswith(f"{each}.") for each in _in_use)]


def needed(spec: Any) -> list[str]:
    """Return the modules of the plugins whose classes `spec` names."""
    if isinstance(spec, dict | list):
        parts = spec.values() if isinstance(spec, dict) else spec
        return sorted({module for part in parts for module in needed(part)})
    theirs = {each.target for registered in _in_use.values() for each in registered}
    return [str(spec).rpartition(".")[0]] if spec in theirs else []


def advice(names: Sequence[str]) -> str:
    """Return what to add to a command that needs the plugins `names`."""
    return f"add plugins=[{','.join(map(shown, dict.fromkeys(names)))}], if you trust that code"


def _find_in_current_folder() -> None:
    """Search modules in the current folder too, as `python -m` does, for commands that are started as a script."""
    if not sys.flags.safe_path and not {"", os.getcwd()} & {*sys.path}:  # noqa: PTH109  sys.path has strings
        sys.path.insert(0, os.getcwd())  # noqa: PTH109


def _sources(name: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of a module or package with the names by which they are imported. Nothing is imported."""
    if not all(part.isidentifier() for part in name.split(".")):
        meant = name.removesuffix(".py").replace("/", ".").strip(".")
        raise UserError(f"give a module as `import` does, as in {meant if meant != name else 'my_lab.parts'}")
    spec = _found(name)
    if spec is None:
        raise UserError(f"there is no module {name}, neither in this folder nor installed")
    if spec.submodule_search_locations is None:
        if str(spec.origin).endswith(".py"):
            yield Path(str(spec.origin)), name
        return
    for folder in map(Path, spec.submodule_search_locations):
        for path in sorted(folder.rglob("*.py")):
            inner = path.relative_to(folder).with_suffix("").parts
            yield path, ".".join([name, *(part for part in inner if part != "__init__")])


def _found(name: str) -> ModuleSpec | None:
    """Return the specification of a module; `find_spec` of a dotted name would import the packages around it."""
    first, *others = name.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except ValueError:  # a module without a specification, such as __main__
        return None
    for part in others:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(part, [*spec.submodule_search_locations])
    return spec


def _registered(path: Path, module: str) -> list[Component | Metric]:
    """Return what a file registers. Raises UserError for the first mistake in it."""
    try:
        for cls, call in registry.decorated(path, "register", ast.ClassDef):
            _check_class(cls, call)
        for function, call in registry.decorated(path, "metric", ast.FunctionDef):
            _check_metric(function, call)
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no Python source ({shown(error)})") from None
    return [*registry.components_of(path, module), *registry.metrics_of(path, module)]


def _refuse_taken(found: Sequence[Component | Metric]) -> None:
    """Raise UserError for a name that something else has."""
    taken = {(each.group, each.name): each.target for each in registry.components().values()}
    taken |= {("metric", name): each.target for name, each in registry.metrics().items()}
    for each in found:
        group = each.group if isinstance(each, Component) else "metric"
        other = taken.setdefault((group, each.name), each.target)
        if other != each.target:
            raise UserError(f"{each.target}: there is a {group} {each.name} already, {other}; take another name")


def _check_class(cls: ast.ClassDef, call: ast.Call) -> None:
    """Raise UserError for a mistake in the decorator or in the constructor's arguments."""
    groups = sorted({"data", *(each.group for each in registry.components().values())})
    written = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if len(written) != 2 or len(call.args) != 2 or call.keywords:
        raise UserError(f"{cls.name}: @register takes a group and a name in quotes, as in {EXAMPLE}")
    group, name = map(str, written)
    if group not in groups:
        raise UserError(f"{cls.name}: there is no group {shown(group)}; the groups are {', '.join(groups)}")
    if not name.isidentifier():
        raise UserError(f"{cls.name}: the name {shown(name)} must consist of letters, digits and _")
    if (function := registry.constructor(cls)) is None:
        return
    given = function.args
    by_place = () if group in FACTORIES else [*given.posonlyargs, *given.args][1:]  # a network gives a factory its sizes
    if positional := [*by_place, *filter(None, [given.vararg, given.kwarg])]:
        raise UserError(f"{cls.name}: its argument {positional[0].arg} must be a keyword argument, after a *")
    of_a_run = GIVEN_BY_A_RUN.get(group, ())
    if lacking := [name for name in of_a_run if name not in [each.arg for each in given.kwonlyargs]]:
        raise UserError(f"{cls.name}: its constructor must have the argument {lacking[0]}, as that of its base class")
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if argument.arg not in of_a_run:
            _check_argument(f"{cls.name}: its argument {argument.arg}", argument, default)


def _check_argument(which: str, argument: ast.arg, default: ast.expr | None) -> None:
    """Raise UserError unless an argument is annotated as ours are, with a default that can be read from the source."""
    annotation: Any = argument.annotation
    example = f'{argument.arg}: Annotated[float, setting("what it does", above=0)]'
    if not registry.is_declared(annotation) or len(getattr(annotation.slice, "elts", ())) != 2:
        raise UserError(f"{which} needs a type, a description and a range: {example}")
    try:
        declared = registry.declared(annotation, None)
    except Exception:  # whatever the expression raises
        raise UserError(
            f"{which} is annotated with {ast.unparse(annotation)}, which cannot be evaluated without importing the module: "
            f"the type must be {' or '.join(KINDS)}, and the rest plain values, as in {example}"
        ) from None
    if default is None or not isinstance(declared, registry.Setting):
        return
    if type(_literal(default)) not in {declared.kind, *([int] if declared.kind is float else [])}:
        raise UserError(f"{which} has the default {ast.unparse(default)}: it must be a plain {declared.kind.__name__}")


def _literal(default: ast.expr) -> Any:
    """Return the value of a literal; None for any other expression."""
    try:
        return ast.literal_eval(default)
    except ValueError:
        return None


def _check_metric(function: ast.FunctionDef, call: ast.Call) -> None:
    """Raise UserError unless a metric's decorator has the arguments of `registry.metric`, as plain values."""
    named = {str(word.arg): word.value for word in call.keywords}
    if computed := [ast.unparse(each) for each in (*call.args, *named.values()) if not isinstance(each, ast.Constant)]:
        raise UserError(f"{function.name}: @metric takes plain values, not {computed[0]}")
    try:
        inspect.signature(registry.metric).bind(*call.args, **named)
    except TypeError as error:
        raise UserError(f"{function.name}: @metric takes a name, a title and a format ({error})") from None
