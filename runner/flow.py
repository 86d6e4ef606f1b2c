"""Finds the user's flow: `module:function`, `file.py:function`, or `file.py` for a whole script."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType

from runner.errors import LoadError

RUNNER_FOLDER = os.path.dirname(__file__)  # noqa: PTH120 pathlib costs start-up time


BY_VALUE = "__main__"
"""Ends the name of a module that others cannot import by it. distributed pickles by name whatever it can, and only what
names `__main__` with cloudpickle, which sends functions whole when their module is registered for that."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A flow that is called."""

    call: Callable[..., object]
    """The function, or a Prefect flow object."""
    signature_of: Callable[..., object]
    """The function whose signature the parameters bind to."""
    module: ModuleType
    """The module that it was found in."""
    prefect: bool
    """Whether `call` is a Prefect flow object."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """A flow that is a whole file."""

    path: str
    code: CodeType

    def run(self, arguments: Sequence[str]) -> None:
        """Run the file as `python file.py arguments` would."""
        module = ModuleType("__main__")
        module.__file__ = self.path
        sys.modules["__main__"] = module
        sys.argv = [self.path, *arguments]
        exec(self.code, module.__dict__)  # noqa: S102 running the user's code is what this is for


def load(reference: str, *, by_value: bool = False) -> Function | Script:
    """Import the flow that a reference names.

    Args:
        reference: `module:function`, `file.py:function` or `file.py`.
        by_value: whether the functions of a file go to Dask workers that do not have the file.

    Raises:
        LoadError: it cannot be imported, or is not a function.
    """
    place, colon, name = reference.rpartition(":") if ":" in reference else (reference, "", "")
    if not colon and place.endswith(".py"):
        return _script(place)
    if not name or not place:
        missing = "function" if place else "module"
        raise LoadError(f"The flow {reference!r} names no {missing}. Write module:function or file.py:function.")
    module = _module_of_file(place, by_value=by_value) if place.endswith(".py") else _module(place)
    return _function(module, name, where=place)


def load_callback(reference: str, *, role: str) -> Callable[..., object]:
    """Import a callback, `module:function`.

    Raises:
        LoadError: it cannot be imported, or is not a function.
    """
    place, _, name = reference.partition(":")
    try:
        return _function(_module(place), name, where=place).call
    except LoadError as error:
        raise LoadError(f"The callback {role} cannot be used. {error}", detail=error.detail) from None


def _script(path: str) -> Script:
    source = _source(path)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120
    return Script(path=path, code=_compiled(path, source))


def _module_of_file(path: str, *, by_value: bool) -> ModuleType:
    code = _compiled(path, _source(path))
    folder, file = os.path.split(os.path.abspath(path))  # noqa: PTH100
    sys.path.insert(0, folder)
    plain = file.removesuffix(".py")
    # A file called json.py or runner.py must not take the place of the module that others import by that name.
    free = plain.isidentifier() and plain not in sys.modules and plain not in sys.stdlib_module_names
    marked = f"{''.join(letter if letter.isalnum() else '_' for letter in plain)}{BY_VALUE}"
    name = plain if free and not by_value else marked
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, file))  # noqa: PTH118
    if spec is None:
        raise LoadError(f"The flow file {path} cannot be imported as a module. Give it a plain name that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if free:
        sys.modules[plain] = module  # callbacks of the same file are the same module's
    _guarded(lambda: exec(code, module.__dict__), what=path)  # noqa: S102 running the user's code is what this is for
    return module


def _module(name: str) -> ModuleType:
    if "" not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        return _guarded(lambda: importlib.import_module(name), what=name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise LoadError(
                f"There is no module {missing!r} in {os.getcwd()} or among the installed packages. "  # noqa: PTH109
                "Name a module that can be imported from there, or the file as path/to/file.py:function."
            ) from None
        raise LoadError(
            f"{name} imports {missing!r}, which is not installed. Install it beside the flow.",
            detail=traceback_of(error),
        ) from None


def _source(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."  # noqa: PTH120
        names = [name for name in os.listdir(folder) if name.endswith(".py")] if os.path.isdir(folder) else []  # noqa: PTH112, PTH208
        raise LoadError(
            f"The flow file {path} does not exist in {os.getcwd()}.{suggestion(os.path.basename(path), names)} "  # noqa: PTH109, PTH119
            "Give the path from the folder in which the run starts."
        ) from None
    except (OSError, ValueError) as error:  # the latter for a path with a NUL in it
        reason = error.strerror if isinstance(error, OSError) else error
        raise LoadError(f"The flow file {path} cannot be read ({reason}). Check what it is and who may.") from None


def _compiled(path: str, source: bytes) -> CodeType:
    try:
        return compile(source, os.path.abspath(path), "exec", dont_inherit=True)  # noqa: PTH100
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f"{path}, line {line}" if line else path
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise LoadError(
            f"{place} is not valid Python {sys.version_info.major}.{sys.version_info.minor}: {message}. "
            "Correct it; `python -m py_compile` shows the same.",
            detail=traceback_of(error),
        ) from None


def _guarded(importing: Callable[[], ModuleType | None], *, what: str) -> ModuleType:
    try:
        return importing()  # type: ignore[return-value]
    except ModuleNotFoundError as error:
        if not what.endswith(".py"):
            raise
        raise LoadError(
            f"{what} imports {error.name!r}, which is not installed. Install it beside the flow.",
            detail=traceback_of(error),
        ) from None
    except (Exception, SystemExit) as error:
        raise LoadError(
            f"{what} raised {type(error).__name__} while it was imported{_place(error)}: {error}. "
            "Correct what it does at import.",
            detail=traceback_of(error),
        ) from error


def _place(error: BaseException) -> str:
    """Where in the user's code the error was raised."""
    place, step = "", error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not file.startswith((f"{RUNNER_FOLDER}{os.sep}", "<frozen")):
            place = f", in line {step.tb_lineno} of {os.path.basename(file)}"  # noqa: PTH119
        step = step.tb_next
    return place


def _function(module: ModuleType, name: str, *, where: str) -> Function:
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            raise LoadError(
                f"{where} has no function {name!r}.{suggestion(name, functions)} "
                f"It has: {', '.join(sorted(functions)[:8]) or 'no functions at all'}."
            )
        found = getattr(found, part)
    if not callable(found):
        raise LoadError(f"{where}:{name} is of type {type(found).__name__}, expected a function. Name a function.")
    prefect = any(base.__module__ == "prefect.flows" and base.__name__ == "Flow" for base in type(found).__mro__)
    return Function(
        call=found, signature_of=getattr(found, "fn", found) if prefect else found, module=module, prefect=prefect
    )


def suggestion(word: str, known: Sequence[str]) -> str:
    """A sentence that names the known word nearest to one that is not known, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def traceback_of(error: BaseException) -> str:
    """The traceback without the runner's own frames, which say nothing to the user."""
    from traceback import TracebackException

    told = TracebackException.from_exception(error)
    frames = [frame for frame in told.stack if not frame.filename.startswith((f"{RUNNER_FOLDER}{os.sep}", "<frozen"))]
    told.stack[:] = frames
    return "".join(told.format())
