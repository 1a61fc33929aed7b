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
from collections.abc import Callable, Iterator, Mapping
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
    return {each.target: each for path in _sources() for each in _of_file(path)}


@functools.cache
def metrics() -> dict[str, Metric]:
    """Return all metrics by name."""
    result = [each for path in _sources() for each in _metrics_of_file(path)]
    return {each.name: each for each in result}


def of_group(*groups: str) -> dict[str, Component]:
    """Return the components of `groups` by `target`."""
    return {target: each for target, each in components().items() if each.group in groups}


def _sources() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if path != Path(__file__)]


def _of_file(path: Path) -> list[Component]:
    result = list[Component]()
    for cls, call in _decorated(path, "register", ast.ClassDef):
        group, name = map(ast.literal_eval, call.args)
        result.append(Component(group, name, _target(path, cls), _arguments(cls)))
    return result


def _metrics_of_file(path: Path) -> list[Metric]:
    result = list[Metric]()
    for function, call in _decorated(path, "metric", ast.FunctionDef):
        marks = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        result.append(Metric(*map(ast.literal_eval, call.args), target=_target(path, function), **marks))
    return result


def _decorated(path: Path, decorator: str, kind: type[Definition]) -> Iterator[tuple[Definition, ast.Call]]:
    """Yield each definition in a file that has `decorator`, with the decorator's call."""
    source = path.read_text()
    if f"@{decorator}(" not in source:
        return
    for node in (each for each in ast.parse(source).body if isinstance(each, kind)):
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == decorator:
                yield node, call


def _target(path: Path, node: ast.ClassDef | ast.FunctionDef) -> str:
    return ".".join([*path.relative_to(ROOT.parent).with_suffix("").parts, node.name])


def _load(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _arguments(cls: ast.ClassDef) -> dict[str, Setting | Part]:
    """Return the constructor's arguments annotated `Annotated[kind, setting(...)]`, or `given` or `Part`, in order."""
    for function in cls.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            return {each.arg: _declared(each.annotation) for each in function.args.kwonlyargs if _is_declared(each.annotation)}
    return {}


def _is_declared(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated"


def _declared(annotation: Any) -> Setting | Part:
    kind, declared = annotation.slice.elts
    words = ast.Expression(declared)  # from this package's own source
    result = eval(compile(words, "annotation", "eval"), {"setting": setting, "given": given, "Part": Part, "limits": limits})  # noqa: S307
    return replace(result, kind=KINDS[ast.unparse(kind)]) if isinstance(result, Setting) else result
