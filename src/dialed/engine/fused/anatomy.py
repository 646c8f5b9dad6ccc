"""Everything of a model that its train step could read, leaf by leaf: the numbers apart from all the rest.

Two models whose rest is equal can share a program, in which the numbers that differ are inputs. So this walk must see
too much rather than too little: what it does not know how to compare makes a model incomparable, never equal.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
import itertools
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import jax
import keras
import numpy as np

from dialed.engine.fused.lifted import Number
from dialed.engine.fused.padding.activations import is_elementwise
from dialed.engine.fused.padding.table import sizes_of

__all__ = ["Anatomy", "Incomparable", "Place", "dissect", "unlike_any_other"]

# Records that Keras keeps of a model and that its train step does not read, or reads as what stands elsewhere here: lists
# of variables, connections, which variables decay.
_NOT_READ = frozenset(
    """
    _auto_config _build_shapes_dict _call_signature _callback_list _called _compile_config
    _compiled_trainable_state _distribution _eval_epoch_iterator _exclude_from_weight_decay
    _exclude_from_weight_decay_cache _exclude_from_weight_decay_pattern _inbound_nodes _initial_epoch _initial_seed
    _initializer _jax_state _jax_state_synced _lock _loss_ids _losses _losses_override _nested_layers _nodes
    _nodes_by_depth _non_trainable_variables _operations_by_depth _outbound_nodes _parent_path _path
    _saved_model_arg_spec _saved_model_inputs_spec _tracker _trainable_variables _trainable_variables_indices
    _value build built history path predict_function quantize stop_evaluating stop_predicting stop_training
    test_function train_function
    """.split()  # noqa: SIM905 - fifty names read better so
)
_ACTIVATIONS = frozenset({"activation", "recurrent_activation"})
_PLAIN = (bool, str, bytes, complex, type(None), type(Ellipsis), type(NotImplemented), range, np.dtype, enum.Enum)
_TRUSTED = ("keras.", "jax.", "jaxlib.", "numpy.", "builtins", "ml_dtypes", "optree", "math", "functools", "operator")
_HASHED_BYTES = 1 << 26
_ALONE = itertools.count(1)


class Incomparable(Exception):
    """The model holds something that cannot be compared between two builds."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(f"{path} holds a {kind}, which cannot be compared between two builds")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A number's place in the live objects of one model: `holder[key]`, or the attribute `key` of `holder`."""

    path: str
    holder: Any
    key: Any
    value: Number

    def put(self, value: Any) -> None:
        """Put `value` there, past properties, trackers and `__setattr__`."""
        if isinstance(self.holder, dict):
            dict.__setitem__(self.holder, self.key, value)
        else:
            self.holder.__dict__[self.key] = value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """A model taken apart.

    Args:
        digest: Equal for two models that differ in numbers alone.
        outline: Equal for two models that differ in widths too, or in elementwise activations, where layers have padding
            rules.
        places: The numbers, by path.
        sizes: The paths of those numbers that are widths.
    """

    digest: str
    outline: str
    places: Mapping[str, Place]
    sizes: frozenset[str]

    @property
    def numbers(self) -> dict[str, Number]:
        """The numbers by path."""
        return {path: place.value for path, place in self.places.items()}


def dissect(model: keras.Model) -> Anatomy:
    """Take a compiled model apart. Its layers and its optimizer must be built; its loss and metrics need not be.

    Names must have been given afresh (`seeding.seeded`), or equal models differ in them.

    Raises:
        Incomparable: It holds something that cannot be compared.
    """
    walk = _Walk()
    walk.number_of_graph(model)
    words = list(walk.visit(model, "model"))
    words += [("variables", _variables(model)), ("decayed", str(_decayed(model)))]
    return Anatomy(
        digest=_digest(f"{path}={word}" for path, word in words),
        outline=_digest(f"{path}={word.loose if isinstance(word, _Sized) else word}" for path, word in words),
        places={place.path: place for place in walk.places},
        sizes=frozenset(walk.sizes),
    )


def unlike_any_other() -> Anatomy:
    """The anatomy of a model that cannot be taken apart: it equals no other, not even that of the same model."""
    name = f"alone-{next(_ALONE)}"
    return Anatomy(digest=name, outline=name, places={}, sizes=frozenset())


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


class _Sized(str):
    """A word that tells a width; `loose` is the same without it."""

    loose: str

    def __new__(cls, word: str, loose: str = "sized") -> Self:
        made = super().__new__(cls, word)
        made.loose = loose
        return made


def _variables(model: keras.Model) -> _Sized:
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables if model.optimizer is not None else (),
        model.metrics_variables,
    )
    about = [(i, tuple(v.shape), str(v.dtype)) for i, group in enumerate(groups) for v in group]
    return _Sized(str(about), str([(i, len(shape), dtype) for i, shape, dtype in about]))


def _decayed(model: keras.Model) -> list[bool]:
    """Which variables decay: the optimizer keeps it in sets of identities, which differ between builds."""
    uses = getattr(model.optimizer, "_use_weight_decay", None)
    return [] if uses is None else [bool(uses(v)) for v in model.trainable_variables]


class _Walk:
    """One walk over live objects; yields (path, word) for all that is not a number, and collects the numbers."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.sizes: set[str] = set()
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # an object that lives keeps its identity
        self._operations: dict[int, int] = {}

    def number_of_graph(self, model: keras.Model) -> None:
        """Give the operations of all functional graphs their numbers, so that connections can be told by them."""
        for layer in model._flatten_layers():
            for operation in getattr(layer, "_operations", ()):
                self._operations.setdefault(id(operation), len(self._operations))

    def visit(self, value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, _PLAIN):
            yield path, f"{type(value).__name__}:{value!r}"
        elif isinstance(value, (int, float, np.integer, np.floating)):
            yield path, f"number:{value!r}"  # inside a list or tuple: it cannot be replaced there
        elif isinstance(value, (np.ndarray, jax.Array)):
            yield path, _array_word(np.asarray(value), path)
        elif isinstance(value, keras.initializers.Initializer):
            return  # what it made is state
        elif isinstance(value, type):
            yield from self._class(value, path)
        elif id(value) in self._seen:
            yield path, f"again:{self._seen[id(value)]}"
        else:
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
            yield from self._object(value, path)

    def _object(self, value: Any, path: str) -> Iterator[tuple[str, str]]:
        match value:
            case dict() | Mapping():
                yield from self._mapping(value, path)
            case list() | tuple():
                yield path, f"{type(value).__name__.removeprefix('Tracked').lower()} of {len(value)}"
                for i, item in enumerate(value):
                    yield from self.visit(item, f"{path}[{i}]")
            case set() | frozenset():
                yield path, "set:" + "|".join(sorted(word for item in value for _, word in self.visit(item, path)))
            case re.Pattern():
                yield path, f"pattern:{value.pattern!r}:{value.flags}"
            case inspect.Signature():
                yield path, f"signature:{value}"
            case functools.partial():
                yield from self.visit((value.func, value.args, value.keywords), f"{path}.partial")
            case types.FunctionType() | types.MethodType() | types.BuiltinFunctionType():
                yield from self._function(value, path)
            case keras.KerasTensor():
                about = f"{value.dtype}:{self._origin(value)}"
                yield path, _Sized(f"tensor:{tuple(value.shape)}:{about}", f"tensor:{len(value.shape)}:{about}")
            case keras.Variable():
                yield from self._variable(value, path)
            case _ if hasattr(value, "__dict__"):
                yield from self._attributes(value, path)
            case _ if callable(value) and hasattr(value, "__qualname__"):
                yield path, f"callable:{getattr(value, '__module__', '')}.{value.__qualname__}"
            case _:
                raise Incomparable(path, type(value).__qualname__)

    def _origin(self, tensor: Any) -> str:
        """Which operation of the graph made a tensor."""
        history = getattr(tensor, "_keras_history", None)
        if history is None:
            return ""
        return f"{self._operations.get(id(history.operation), -1)}/{history.node_index}/{history.tensor_index}"

    def _variable(self, variable: Any, path: str) -> Iterator[tuple[str, str]]:
        """Its value is state; what the step reads beside it is this."""
        about = f"{variable.dtype}:{variable.trainable}"
        shape = tuple(variable.shape)
        yield path, _Sized(f"variable:{shape}:{about}", f"variable:{len(shape)}:{about}")
        for key in ("_regularizer", "_constraint", "_overwrite_with_gradient", "_autocast"):
            if hasattr(variable, key):
                yield from self.visit(getattr(variable, key), f"{path}.{key}")

    def _mapping(self, mapping: Any, path: str) -> Iterator[tuple[str, str]]:
        yield path, f"dict of {len(mapping)}"
        for key in mapping:
            if not isinstance(key, (str, int, tuple, type(None))):
                raise Incomparable(path, f"dict with keys of type {type(key).__qualname__}")
            yield from self._held(mapping, key, mapping[key], f"{path}[{key!r}]", liftable=isinstance(mapping, dict))

    def _attributes(self, value: Any, path: str) -> Iterator[tuple[str, str]]:
        kind = type(value)
        yield from self._class(kind, path)
        if isinstance(value, keras.random.SeedGenerator):
            return  # its state is a variable, its seed where that began
        of_keras = kind.__module__.startswith("keras.")
        for key in sorted(value.__dict__):
            if key in _NOT_READ or (of_keras and key == "seed"):
                continue
            held = self._held(value, key, value.__dict__[key], f"{path}.{key}", liftable=True)
            if key in sizes_of(kind):
                yield from self._sized(held, f"{path}.{key}")
            elif key in _ACTIVATIONS and sizes_of(kind) and is_elementwise(value.__dict__[key]):
                yield from ((at, _Sized(word)) for at, word in held)
            else:
                yield from held
        if hasattr(value, "_nodes") and hasattr(value, "_operations"):
            yield from self._graph(value, path)

    def _sized(self, held: Iterator[tuple[str, str]], path: str) -> Iterator[tuple[str, str]]:
        """What an attribute holds that tells a width."""
        before = len(self.places)
        words = list(held)
        self.sizes |= {place.path for place in self.places[before:]}
        exact = "|".join(f"{at}={word}" for at, word in words)
        yield path, _Sized(exact)

    def _held(self, holder: Any, key: Any, value: Any, path: str, *, liftable: bool) -> Iterator[tuple[str, str]]:
        if liftable and type(value) in (int, float):
            self.places.append(Place(path=path, holder=holder, key=key, value=value))
            yield path, type(value).__name__
        else:
            yield from self.visit(value, path)

    def _graph(self, model: Any, path: str) -> Iterator[tuple[str, str]]:
        """The connections of a functional model: which tensors, and which other arguments, each operation takes."""
        kept = set(model._nodes)
        for operation in model._operations:
            for i, node in enumerate(operation._inbound_nodes):
                if f"{id(operation)}_ib-{i}" in kept:
                    yield from self.visit([list(node.arguments.args), dict(node.arguments.kwargs)], f"{path}.node")

    def _class(self, kind: type, path: str) -> Iterator[tuple[str, str]]:
        yield path, f"class:{kind.__module__}.{kind.__qualname__}"
        if kind.__module__.startswith(_TRUSTED) or id(kind) in self._seen:
            return
        self._seen[id(kind)] = len(self._seen)
        for base in kind.__mro__:
            if not base.__module__.startswith(_TRUSTED):
                yield from self._methods(base, path)

    def _methods(self, kind: type, path: str) -> Iterator[tuple[str, str]]:
        """A class may be made anew by each build, with other constants in its code."""
        for name, member in sorted(vars(kind).items()):
            found = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(found, types.FunctionType):
                yield from self._function(found, f"{path}.{name}")
            elif isinstance(found, _PLAIN + (int, float)) and not name.startswith("__"):
                yield f"{path}.{name}", f"{found!r}"

    def _function(self, function: Any, path: str) -> Iterator[tuple[str, str]]:
        yield path, f"function:{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
        if isinstance(function, types.MethodType):
            yield from self.visit(function.__self__, f"{path}.self")
            function = function.__func__
        code = getattr(function, "__code__", None)
        if code is None or (str(function.__module__).startswith(_TRUSTED) and function.__closure__ is None):
            return
        yield path, _code_word(code)
        for cell in function.__closure__ or ():
            yield from self.visit(_contents(cell), f"{path}.closure")
        yield from self.visit((function.__defaults__, function.__kwdefaults__), f"{path}.defaults")


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _code_word(code: types.CodeType) -> str:
    constants: Iterable[Any] = (_code_word(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts)
    return f"code:{hashlib.sha256(code.co_code).hexdigest()}:{code.co_names}:{list(constants)}"


def _array_word(array: np.ndarray, path: str) -> str:
    if array.dtype.hasobject or array.nbytes > _HASHED_BYTES:
        raise Incomparable(path, f"large array or array of objects ({array.dtype}, {array.shape})")
    return f"array:{array.dtype}:{array.shape}:{hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}"
