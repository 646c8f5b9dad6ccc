"""What a search from the command line was asked to do: made of options, of a TOML file, or of a study's settings."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from dialed.cli.ranges import Counted, counted_from_text, from_json, from_toml, to_json
from dialed.errors import InvalidInputError

__all__ = ["SearchRequest", "beside", "read_config"]

_RANGES = ("epochs", "batch_size")
_BUDGETS = ("max_trials", "max_epochs", "max_time")
_ARGUMENT = "builder"  # the one field that is an argument of the command, not an option

_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("data", "target", "objective", "strategy", "name", "store", "artifacts"), (str,)),
    **dict.fromkeys(
        ("max_trials", "max_epochs", "cv", "repeats", "seed", "patience", "max_parameters", "workers"), (int,)
    ),
    "max_trial_time": (str, int, float),
    "worker_memory": (str, int),
    "max_time": (str, int, float),
    "validation_split": (float,),
    "confirm": (bool,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search: what to build, on which data, and how.

    Args:
        builder: "file.py:build_model".
        data: A file, or "file.py:load_data". Defaults to the function `load_data` in the builder's file.
        target: The column of a CSV file to predict.
        fit: Further arguments of the training, such as `shuffle`; values or domains.

    The other fields are the arguments of `Tuner` and of `Tuner.search` of the same names.
    """

    builder: str
    data: str | None = None
    target: str | None = None
    objective: str | None = None
    strategy: str = "auto"
    max_trials: int | None = None
    max_epochs: int | None = None
    max_time: str | float | None = None
    epochs: Counted = 10
    batch_size: Counted | None = None
    patience: int | None = None
    validation_split: float | None = None
    cv: int | None = None
    repeats: int = 1
    confirm: bool = True
    max_parameters: int | None = None
    workers: int = 1
    max_trial_time: str | float | None = None
    worker_memory: str | int | None = None
    seed: int | None = None
    name: str | None = None
    store: str | None = None
    artifacts: str | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, builder: str, options: Mapping[str, Any], config: Mapping[str, Any]) -> Self:
        """Join options (`None`: not given) and the entries of a TOML file; options go before.

        Raises:
            InvalidInputError: A range cannot be read.
        """
        given = {name: value for name, value in options.items() if value is not None}
        for name in _RANGES:
            if name in given:
                given[name] = counted_from_text(name, given[name])
        made = {**config, **given, "builder": _absolute(builder)}
        made["data"] = _absolute(made.get("data") or beside(builder))
        if made.get("artifacts") and "://" not in made["artifacts"]:  # a worker looks from another folder
            made["artifacts"] = str(Path(made["artifacts"]).absolute())
        return cls(**made)

    def with_budget(self, budget: Mapping[str, Any]) -> Self:
        """The same search with the limits in `budget` that are not `None`."""
        return replace(self, **{name: budget[name] for name in _BUDGETS if budget.get(name) is not None})

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types: what `resume` needs."""
        made = {f.name: to_json(getattr(self, f.name)) for f in fields(self)}
        return {**made, "fit": {name: to_json(value) for name, value in self.fit.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` was called on. Entries of a newer Dialed are left out."""
        known = {f.name for f in fields(cls)}
        made = {name: from_json(value) for name, value in data.items() if name in known}
        fit = {name: from_json(value) for name, value in data.get("fit", {}).items()}
        if _is_weights(fit.get("class_weight")):  # JSON has made texts of the labels
            fit["class_weight"] = {int(label): weight for label, weight in fit["class_weight"].items()}
        return cls(**{**made, "fit": fit})


def read_config(path: str | Path) -> dict[str, Any]:
    """Read the tables [search] and [fit] of a TOML file.

    [search] has the options of `dialed run` under their names; a path in it is relative to the file. [fit] has further
    arguments of the training. Lists and tables with `min` and `max` are tuned.

    Raises:
        InvalidInputError: It is no such file.
    """
    file = Path(path).expanduser()
    document = _parsed(file)
    _check_keys(file, "a table", document, ("search", "fit"))
    search, fit = _table(file, document, "search"), _table(file, document, "fit")
    options = [f.name for f in fields(SearchRequest) if f.name not in (_ARGUMENT, "fit")]
    search = {name.replace("-", "_"): value for name, value in search.items()}
    _check_keys(file, "an option in [search]", search, options)
    made = {name: _counted(file, name, v) if name in _RANGES else _typed(file, name, v) for name, v in search.items()}
    if "data" in made:
        made["data"] = str(file.parent / made["data"])
    return {**made, "fit": {name: _fit_value(file, name, value) for name, value in fit.items()}}


def _parsed(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise InvalidInputError(f"`--config` must be a TOML file. Got '{file}', which is no file.")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"'{file}' must be a TOML file. Got: {error}.") from error


def _table(file: Path, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise InvalidInputError(f"[{name}] in '{file}' must be a table. Got {table!r}. Write [{name}] on its own line.")
    return table


def _check_keys(file: Path, what: str, given: Mapping[str, Any], known: list[str] | tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}."
            raise InvalidInputError(f"'{file}' must name {what} that there is. Got '{name}'. {hint}")


def _typed(file: Path, name: str, value: Any) -> Any:
    """`value`, if it is of the type that the option takes; a whole number also stands for a float."""
    types = _TYPES[name]
    wrong_bool = isinstance(value, bool) and bool not in types
    if wrong_bool or not (isinstance(value, types) or (float in types and isinstance(value, int))):
        expected = " or ".join(dict.fromkeys(_SPOKEN[t] for t in types))
        raise InvalidInputError(f"`{name}` in '{file}' must be {expected}. Got {value!r}.")
    return value


_SPOKEN = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def _counted(file: Path, name: str, value: Any) -> Any:
    """A whole number, or a range of them to tune: a list, or a table."""
    entries = value if isinstance(value, list) else [value]
    if isinstance(value, Mapping) or (entries and all(type(entry) is int for entry in entries)):
        return from_toml(name, value)
    raise InvalidInputError(
        f"`{name}` in '{file}' must be a whole number, a list of them, or a table with `min` and `max`. Got {value!r}."
    )


def _fit_value(file: Path, name: str, value: Any) -> Any:
    """`class_weight` is a table of its own kind: the weight of each label."""
    if not _is_json(value):
        raise InvalidInputError(f"`{name}` in '{file}' must hold no date, no time and no nan. Got {value!r}.")
    if name != "class_weight" or not _is_weights(value):
        return from_toml(name, value)
    if not all(isinstance(weight, (int, float)) and not isinstance(weight, bool) for weight in value.values()):
        raise InvalidInputError(f"`class_weight` in '{file}' must give each label a number. Got {value!r}.")
    return {int(label): float(weight) for label, weight in value.items()}


def _is_weights(value: Any) -> bool:
    """Whether `value` is a table of labels 0, 1, 2, ..., which may be texts."""
    return isinstance(value, Mapping) and all(str(label).isdecimal() for label in value)


def _is_json(value: Any) -> bool:
    """Whether a study's settings can hold `value`."""
    if isinstance(value, Mapping):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _absolute(place: str) -> str:
    """The path in "file" or "file.py:name" made absolute, so that a study can be resumed from anywhere."""
    path, colon, name = place.rpartition(":")
    if colon and path.endswith(".py"):
        return f"{Path(path).expanduser().absolute()}:{name}"
    return str(Path(place).expanduser().absolute())


def beside(builder: str) -> str:
    """Where the data come from when nobody says: the function `load_data` in the builder's file."""
    return f"{builder.rpartition(':')[0] or builder}:load_data"
