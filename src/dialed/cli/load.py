"""What the command line is given by name: data files and Python functions."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dialed.cli.table import Table, encode
from dialed.errors import DataError, InvalidInputError

__all__ = ["Loaded", "load_builder", "load_csv", "load_data", "load_npz", "load_python"]

_REQUIRED = ("x_train", "y_train")
_TEST = ("x_test", "y_test")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """Data to search on, and a test set that no search sees.

    `x_test` and `y_test` are `None` where there is none. `classes` are the names of the labels 0, 1, 2, ... where
    they were strings. `features` are the names of the columns of `x` where they have names.
    """

    x_train: Any
    y_train: Any
    x_test: Any = None
    y_test: Any = None
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def load_data(source: str, target: str | None = None) -> Loaded:
    """Load data by the kind of its name: "mnist.npz", "wine.csv" (with `target`), or "file.py:function".

    Raises:
        DataError: The data cannot be read.
        InvalidInputError: It is none of these.
    """
    suffix = Path(source.rpartition(":")[0] or source).suffix if ".py:" in source else Path(source).suffix
    if suffix != ".csv" and target is not None:
        raise InvalidInputError(f"`target` must come with a .csv file. Got '{source}'. Leave it out.")
    match suffix:
        case ".npz":
            return load_npz(source)
        case ".csv":
            return load_csv(source, target)
        case ".py":
            return load_python(source)
    raise InvalidInputError(
        f"The data must be an .npz file, a .csv file, or a function as in 'file.py:load_data'. Got '{source}'."
    )


def load_npz(path: str | Path) -> Loaded:
    """Read the arrays `x_train`, `y_train` and, where there are, `x_test`, `y_test`. Nothing is unpickled.

    Raises:
        DataError: The file cannot be read, or lacks one of the arrays.
    """
    file = _existing(path)
    try:
        with file.open("rb") as opened:  # numpy.load leaves a broken archive open where it opens it itself
            archive = np.load(opened, allow_pickle=False)
            if not isinstance(archive, Mapping):
                raise DataError(f"'{file}' must be an .npz archive. Got a single array. Save with `numpy.savez`.")
            _check_names(file, list(archive))
            return Loaded(**{name: archive[name] for name in (*_REQUIRED, *_TEST) if name in archive})
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"'{file}' must be an .npz archive of plain numbers. Got: {error}. Save with `numpy.savez`, and turn "
            "arrays of Python objects into numbers first."
        ) from error


def load_csv(path: str | Path, target: str | None) -> Loaded:
    """Read a table with a header; the column `target` becomes `y`.

    Columns of numbers stay as they are (float32). A column of strings becomes one column of 0 and 1 for each string.
    A target of whole numbers becomes int64, of other numbers float32, of strings the labels 0, 1, 2, ... in the order
    of `classes`. Nothing is filled in, scaled or dropped.

    Raises:
        DataError: The file cannot be read as such a table, or has gaps.
        InvalidInputError: There is no such target.
    """
    table = Table.read(_existing(path))
    if target is None or target not in table.columns:
        got = "none" if target is None else f"'{target}'{_near(target, table.columns)}"
        raise InvalidInputError(
            f"`target` must be a column of '{path}': {', '.join(table.columns)}. Got {got}. Pass --target."
        )
    made = encode(table, target)
    return Loaded(x_train=made.x, y_train=made.y, classes=made.classes, features=made.features, notes=made.notes)


def load_python(spec: str) -> Loaded:
    """Call the function that `spec` names, as in "file.py:load_data".

    It returns (x, y), ((x_train, y_train), (x_test, y_test)) as `keras.datasets` do, or a dict with `x_train`,
    `y_train` and, where there are, `x_test`, `y_test`.

    Raises:
        InvalidInputError: There is no such function.
        DataError: It returns something else.
    """
    made = _function(spec)()
    match made:
        case Loaded():
            return made
        case Mapping():
            _check_names(spec, [str(name) for name in made])
            return Loaded(**{name: made[name] for name in (*_REQUIRED, *_TEST) if name in made})
        case ((x_train, y_train) as train, (x_test, y_test) as test) if _are_tuples(made, train, test):
            return Loaded(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        case (x, y) if isinstance(made, tuple):
            return Loaded(x_train=x, y_train=y)
        case tuple() | list() | None:
            raise DataError(
                f"'{spec}' must return (x, y), ((x_train, y_train), (x_test, y_test)), a dict with 'x_train' and "
                f"'y_train', or a dataset. Got {_what(made)}."
            )
    return Loaded(x_train=made, y_train=None)  # a dataset: `Data.of` says what is wrong with anything else


def _are_tuples(*made: Any) -> bool:
    """Whether all are tuples: since NumPy 2.5 an array of two rows matches the pattern of a pair, too."""
    return all(isinstance(part, tuple) for part in made)


def load_builder(spec: str) -> Callable[..., Any]:
    """The build function (or `HyperModel` class or object) that `spec` names, as in "file.py:build_model".

    Raises:
        InvalidInputError: There is no such name, or it cannot be called.
    """
    found = _named(spec)
    if isinstance(found, type):
        return found()  # type: ignore[no-any-return]
    if callable(found) or hasattr(found, "build"):
        return found  # type: ignore[no-any-return]
    raise InvalidInputError(_not_callable(spec, found))


def _function(spec: str) -> Callable[..., Any]:
    found = _named(spec)
    if not callable(found):
        raise InvalidInputError(_not_callable(spec, found))
    return found  # type: ignore[no-any-return]


def _not_callable(spec: str, found: object) -> str:
    return f"'{spec}' must name a function. Got {type(found).__name__} ({found!r:.60}). Name a function of that file."


def _named(spec: str) -> Any:
    path, colon, name = spec.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise InvalidInputError(
            f"A Python function must be named as in 'file.py:function'. Got '{spec}'. Pass the file, a colon and the "
            "function's name."
        )
    module = _imported(_existing(path))
    if not hasattr(module, name):
        own = [n for n, v in vars(module).items() if not n.startswith("_") and not isinstance(v, ModuleType)]
        raise InvalidInputError(
            f"'{path}' must define '{name}'. Got a file that defines {', '.join(sorted(own)) or 'nothing'}."
            f"{_near(name, own)}"
        )
    return getattr(module, name)


def _imported(file: Path) -> ModuleType:
    """The module in `file`, imported once for each path; files beside it can be imported by it."""
    resolved = file.resolve()
    name = f"_dialed_{resolved.stem}_{hashlib.sha256(str(resolved).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise InvalidInputError(f"'{file}' must be a Python file. Got one that Python cannot load.")
    module = importlib.util.module_from_spec(spec)
    if str(resolved.parent) not in sys.path:
        sys.path.insert(0, str(resolved.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _existing(path: str | Path) -> Path:
    file = Path(path).expanduser()
    if file.is_file():
        return file
    beside = [p.name for p in file.parent.iterdir() if p.is_file()] if file.parent.is_dir() else []
    what = "a folder" if file.is_dir() else "no such file"
    raise InvalidInputError(f"'{path}' must be a file. Got {what} (in {Path.cwd()}).{_near(file.name, beside)}")


def _check_names(source: object, names: list[str]) -> None:
    missing = [name for name in _REQUIRED if name not in names]
    missing += [name for name in _TEST if name not in names and any(other in names for other in _TEST)]
    if missing:
        raise DataError(
            f"'{source}' must hold `x_train` and `y_train`, and `x_test` and `y_test` both or not at all. Got "
            f"{', '.join(names) or 'nothing'}; {', '.join(missing)} missing. Save with "
            "`numpy.savez(path, x_train=..., y_train=...)`."
        )


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _what(made: object) -> str:
    return f"a {type(made).__name__} of {len(made)}" if isinstance(made, (tuple, list)) else repr(made)
