"""The registry of components (by group and name, each with its settings) and of metrics.

A component is a decorated class whose annotated arguments declare their ranges:

    @register("loss", "mine")
    class Mine(Loss):
        def __init__(self, *, margin: Annotated[float, setting("where D stops", above=0)] = 1.0) -> None: ...

The config schema, the ranges of its keys, their --help text, the classes that a setting or a generator file may name, and the
sizes that such a file may request are all derived from these declarations. Source files are parsed, not imported: importing
PyTorch takes seconds, and errors in a command line should be reported sooner.
"""

import ast
import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from cgan_lightning.utils import limits

ROOT = Path(__file__).parent
FACTORIES = ("upsampling", "head")  # groups whose classes a network instantiates with its own layer sizes
KINDS = {kind.__name__: kind for kind in (int, float, bool)}

Class = TypeVar("Class", bound=type)
Function = TypeVar("Function", bound=Callable[..., Any])
Definition = TypeVar("Definition", ast.ClassDef, ast.FunctionDef)


def register(group: str, name: str) -> Callable[[Class], Class]:
    """Register a class as a component, with a name that is unique in its group."""
    return lambda cls: cls


@dataclass(frozen=True)
class Setting:
    """An argument that is a described config key, or a size that is `given` by the data or by other keys."""

    about: str
    bounds: Mapping[str, float]
    marks: Mapping[str, Any] = field(default_factory=dict)  # further metadata of the schema field
    given: bool = False
    kind: type = float  # int, float or bool
    default: Any = None  # of the constructor; None without one


@dataclass(frozen=True)
class Part:
    """An argument that is itself a component of `group`."""

    group: str


def setting(
    about: str,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    **marks: Any,
) -> Setting:
    bounds = {"at_least": at_least, "above": above, "at_most": at_most, "below": below}
    return Setting(about, {name: limit for name, limit in bounds.items() if limit is not None}, marks)


def given(**bounds: float) -> Setting:
    """Declare a size that comes from the data, or from a key that networks share."""
    return Setting("", bounds, given=True)


@dataclass(frozen=True)
class Component:
    """A registered class, its group and name, and its annotated arguments by name."""

    group: str
    name: str
    target: str  # module.Class
    arguments: Mapping[str, Setting | Part]
    about: str = ""  # the docstring

    @property
    def is_factory(self) -> bool:
        return self.group in FACTORIES

    @property
    def settings(self) -> dict[str, Setting]:
        """The arguments that are config keys."""
        return {name: each for name, each in self.arguments.items() if isinstance(each, Setting) and not each.given}

    def load(self) -> type:
        return _load(self.target)


@dataclass(frozen=True)
class Metric:
    """A metric as declared by `metric`, and the function that computes it."""

    name: str
    title: str
    form: str
    better: str = ""
    scale: float = 1
    least_samples: int = 0
    target: str = ""  # module.function

    def load(self) -> Callable[..., Any]:
        return _load(self.target)


def metric(
    name: str, title: str, form: str, *, better: str = "", scale: float = 1, least_samples: int = 0
) -> Callable[[Function], Function]:
    """Register a function of (samples, real images, seed) as a metric of `evaluate` and of reports.

    `title` is the displayed name, `form` the format of the value times `scale`, `better` "lower", "higher" or "" for neither.
    The function receives feature extractor outputs of the samples and of as many real images. With fewer than `least_samples`
    the metric is left out. A function that computes several metrics is decorated once for each and returns a dictionary.
    """
    return lambda function: function


@functools.cache
def components() -> dict[str, Component]:
    """Return all components by `target`."""
    return {each.target: each for path in _sources() for each in components_of(path, _module(path))}


@functools.cache
def metrics() -> dict[str, Metric]:
    """Return all metrics by name."""
    result = [each for path in _sources() for each in metrics_of(path, _module(path))]
    return {each.name: each for each in result}


def add(more: Iterable[Component | Metric]) -> None:
    """Add what a plugin registers (see plugins.py)."""
    for each in more:
        if isinstance(each, Metric):
            metrics()[each.name] = each
        else:
            components()[each.target] = each


def remove(added: Iterable[Component | Metric]) -> None:
    """Undo `add`."""
    for each in added:
        if isinstance(each, Metric):
            del metrics()[each.name]
        else:
            del components()[each.target]


def of_group(*groups: str) -> dict[str, Component]:
    """Return the components of `groups` by `target`."""
    return {target: each for target, each in components().items() if each.group in groups}


def _sources() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if path != Path(__file__)]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def components_of(path: Path, module: str) -> list[Component]:
    """Return the components that the file at `path` registers; it is imported as `module`."""
    result = list[Component]()
    for cls, call in decorated(path, "register", ast.ClassDef):
        group, name = map(ast.literal_eval, call.args)
        result.append(Component(group, name, f"{module}.{cls.name}", _arguments(cls), ast.get_docstring(cls) or ""))
    return result


def metrics_of(path: Path, module: str) -> list[Metric]:
    """Return the metrics that the file at `path` registers; it is imported as `module`."""
    result = list[Metric]()
    for function, call in decorated(path, "metric", ast.FunctionDef):
        marks = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        result.append(Metric(*map(ast.literal_eval, call.args), target=f"{module}.{function.name}", **marks))
    return result


def decorated(path: Path, decorator: str, kind: type[Definition]) -> Iterator[tuple[Definition, ast.Call]]:
    """Yield each definition in a file that has `decorator`, with the decorator's call."""
    source = path.read_text()
    if f"@{decorator}(" not in source:
        return
    for node in (each for each in ast.parse(source).body if isinstance(each, kind)):
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == decorator:
                yield node, call


def _load(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _arguments(cls: ast.ClassDef) -> dict[str, Setting | Part]:
    """Return the constructor's arguments annotated `Annotated[kind, setting(...)]`, or `given` or `Part`, in order."""
    if (function := constructor(cls)) is None:
        return {}
    named = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return {each.arg: declared(each.annotation, default) for each, default in named if is_declared(each.annotation)}


def constructor(cls: ast.ClassDef) -> ast.FunctionDef | None:
    """Return the class's own `__init__`."""
    return next((each for each in cls.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)


def is_declared(annotation: ast.expr | None) -> bool:
    """Return whether an argument is annotated `Annotated[...]`."""
    return isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated"


def declared(annotation: Any, default: ast.expr | None) -> Setting | Part:
    """Return what `Annotated[kind, ...]` declares."""
    kind, written = annotation.slice.elts
    words = ast.Expression(written)  # from this package's own source, or from a plugin that the user trusts
    result = eval(compile(words, "annotation", "eval"), {"setting": setting, "given": given, "Part": Part, "limits": limits})  # noqa: S307
    if isinstance(result, Part):
        return result
    return replace(result, kind=KINDS[ast.unparse(kind)], default=None if default is None else ast.literal_eval(default))
