"""The initial values of a Keras model's variables, without compiling anything.

Keras on JAX initialises a variable op by op, and each new shape compiles each op anew: a tenth to half a second a
layer, spent again for every width a search tries. Here the values of Keras's own initialisers come from NumPy, bit
for bit the same on a CPU. Whatever is not one of them (a user's initialiser, a subclass, a layout over devices, a rare
type) is left to the initialiser itself, so a value may be slow but never wrong.
"""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from dialed.engine.fused import distributions
from dialed.engine.fused.threefry import Key

__all__ = ["build_valueless", "initial_value", "values_from_numpy"]

_Array: TypeAlias = np.ndarray[Any, Any]
_Shape: TypeAlias = tuple[int, ...]
_Rule: TypeAlias = Callable[[Any, _Shape, str], "_Array | None"]
"""Computes an initialiser's array, or returns None where only the initialiser itself can."""

# Elements above which a compiled draw, compile included, costs less than a NumPy one (measured on an AVX-512 core).
_LARGEST = 1 << 22
_TRUNCATED_DEVIATION = 0.87962566103423978  # of a normal cut at two deviations: the constant of Keras's VarianceScaling
_FLOATING = ("bfloat16", "float16", "float32", "float64")
_WIDE = ("float64", "int64", "uint64")
_BUILDING = threading.RLock()


def initial_value(variable: Any) -> _Array:
    """The value that Keras would give `variable`.

    Args:
        variable: A Keras variable without a value, as built inside `keras.StatelessScope(initialize_variables=False)`
            or by `build_valueless`.

    Returns:
        Its initial value, of the variable's shape and type. On the JAX backend on a CPU with fused multiply-add it
        equals Keras's own bit for bit, on another device to about one unit in the last place.
    """
    return _initial_array(variable._initializer, tuple(variable.shape), variable.dtype)


def build_valueless(build: Callable[[], Any]) -> tuple[Any, list[_Array]]:
    """Build a model whose variables hold no values, and compute the values without compiling.

    Layers, seeds and the draws from Python's `random` are those of an ordinary build, in the same order: under the
    same `keras.utils.set_random_seed` the values equal those of `build()` itself. Values that `build` assigned, such
    as loaded weights, are kept.

    Args:
        build: Makes the model; may compile it.

    Returns:
        The model and the values of `model.variables`, in that order (metrics and optimizer not among them). The
        model's variables keep them as NumPy arrays only and hand them out when they are read.

    Example:
        >>> import keras
        >>> model, values = build_valueless(
        ...     lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        ... )
        >>> [value.shape for value in values]
        [(3, 2), (2,)]
    """
    with values_from_numpy():
        model = build()
    return model, [_held_value(variable) for variable in model.variables]


@contextmanager
def values_from_numpy() -> Iterator[None]:
    """While active, variables that this thread makes with a known initialiser hold no value but a NumPy array.

    They hand it out when they are read, and `initial_value` returns it; those that a symbolic call makes hold their
    value at once. One thread at a time may be inside; the variables of other threads are initialised by Keras.
    """
    from keras.src.backend.jax.core import JaxVariable

    with _BUILDING:
        stock = JaxVariable._initialize_with_initializer
        JaxVariable._initialize_with_initializer = _initialising(stock, threading.get_ident())
        try:
            yield
        finally:
            JaxVariable._initialize_with_initializer = stock


def _initialising(stock: Callable[[Any, Any], None], thread: int) -> Callable[[Any, Any], None]:
    """What gives the variables of `thread` their value; those of others get it from `stock`."""

    def initialise(variable: Any, initializer: Any) -> None:
        value = None
        if threading.get_ident() == thread:
            variable._initialize_layout()
            laid_out = variable._layout is not None  # over several devices
            value = None if laid_out else _known_array(initializer, variable._shape, variable._dtype)
        if value is None:
            stock(variable, initializer)
        elif variable._initializer is not None:  # made by a symbolic call: Keras drops the initialiser after this
            variable._direct_assign(_on_device(value))
        else:
            _hold(variable, value)

    return initialise


@dataclass(frozen=True, slots=True)
class _Held:
    """The initialiser of a variable without a value: hands out a NumPy array to whoever reads the variable."""

    array: _Array

    def __call__(self, shape: _Shape, dtype: Any = None) -> Any:
        return _on_device(self.array)


def _on_device(array: _Array) -> Any:
    import jax

    return jax.device_put(array)  # `jax.numpy.asarray` would compile a copy for each new shape


def _hold(variable: Any, array: _Array) -> None:
    variable._value = None
    variable._initializer = _Held(array)


def _held_value(variable: Any) -> _Array:
    if variable._value is not None:
        _hold(variable, np.asarray(variable._value))
    held: _Array = variable._initializer.array
    return held


def _initial_array(initializer: Any, shape: _Shape, dtype: str) -> _Array:
    if isinstance(initializer, _Held):
        return initializer.array
    value = _known_array(initializer, shape, dtype)
    return np.asarray(initializer(shape, dtype=dtype)) if value is None else value


def _known_array(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    """The array of an initialiser that is computed here, or None."""
    rule = _rules().get(type(initializer))
    if rule is not None:
        return rule(initializer, shape, dtype)
    # A recurrent cell wraps its initialiser in a function of its own (`unit_forget_bias`).
    if getattr(initializer, "__qualname__", "").endswith("LSTMCell.build.<locals>.bias_initializer"):
        return _forget_gate_bias(initializer, shape, dtype)
    return None


@cache
def _rules() -> dict[type, _Rule]:
    from keras import initializers as known

    scaled = (known.GlorotUniform, known.GlorotNormal, known.HeUniform, known.HeNormal, known.LecunUniform)
    return {
        known.Zeros: lambda _, shape, dtype: _filled(0, shape, dtype),
        known.Ones: lambda _, shape, dtype: _filled(1, shape, dtype),
        known.Constant: lambda initializer, shape, dtype: _filled(initializer.value, shape, dtype),
        known.Identity: _identity,
        known.RandomUniform: _random_uniform,
        known.RandomNormal: _random_normal,
        known.TruncatedNormal: _truncated_normal,
        known.Orthogonal: _orthogonal,
        **dict.fromkeys((*scaled, known.LecunNormal, known.VarianceScaling), _variance_scaling),
    }


def _filled(value: Any, shape: _Shape, dtype: str) -> _Array | None:
    # Other values (arrays, tensors, NumPy scalars, integers that may not fit) follow Keras's own casting.
    if type(value) not in (bool, int, float) or not (dtype in _FLOATING or value in (0, 1)) or not _kept(dtype):
        return None
    with np.errstate(over="ignore"):
        return np.full(shape, value, _numpy_type(dtype))


def _identity(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    drawn = dtype in distributions.FLOATS and _kept(dtype) and type(initializer.gain) in (int, float)
    if len(shape) != 2 or not drawn:
        return None
    scaled: _Array = np.multiply(np.eye(*shape, dtype=dtype), initializer.gain, dtype=dtype)
    return scaled


def _random_uniform(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    low, high = initializer.minval, initializer.maxval
    if not _drawn_here(shape, dtype, low, high):
        return None
    return distributions.uniform(_draw_key(initializer.seed), shape, dtype, low=low, high=high)


def _random_normal(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    mean, deviation = initializer.mean, initializer.stddev
    if not _drawn_here(shape, dtype, mean, deviation):
        return None
    return _moved(distributions.normal(_draw_key(initializer.seed), shape, dtype), mean, deviation)


def _truncated_normal(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    mean, deviation = initializer.mean, initializer.stddev
    if not _drawn_here(shape, dtype, mean, deviation):
        return None
    return _moved(distributions.truncated_normal(_draw_key(initializer.seed), shape, dtype), mean, deviation)


def _variance_scaling(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    if not _drawn_here(shape, dtype, initializer.scale):
        return None
    variance = initializer.scale / max(1.0, _fan(initializer, shape))
    key = _draw_key(initializer.seed)
    if initializer.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return distributions.uniform(key, shape, dtype, low=-limit, high=limit)
    deviation = math.sqrt(variance)
    if initializer.distribution == "untruncated_normal":
        return _moved(distributions.normal(key, shape, dtype), 0.0, deviation)
    return _moved(distributions.truncated_normal(key, shape, dtype), 0.0, deviation / _TRUNCATED_DEVIATION)


def _orthogonal(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    if len(shape) < 2 or not _drawn_here(shape, dtype, initializer.gain):
        return None
    # SciPy's factorisation and not NumPy's: JAX calls the same LAPACK.
    from scipy.linalg import qr

    rows, columns = math.prod(shape[:-1]), shape[-1]
    tall = (max(rows, columns), min(rows, columns))
    q, r = qr(distributions.normal(_draw_key(initializer.seed), tall, dtype), mode="economic")
    q = q * np.sign(np.diag(r))
    scaled: _Array = np.multiply(np.reshape(q.T if rows < columns else q, shape), initializer.gain, dtype=dtype)
    return scaled


def _forget_gate_bias(initializer: Any, shape: _Shape, dtype: str) -> _Array | None:
    """Keras's bias of an LSTM: ones at the forget gate, the second of four."""
    cell = inspect.getclosurevars(initializer).nonlocals.get("self")
    if cell is None or len(shape) != 1 or shape[0] % 4:
        return None
    units = shape[0] // 4
    parts = [_initial_array(cell.bias_initializer, (units * gates,), dtype) for gates in (1, 2)]
    return np.concatenate([parts[0], np.ones(units, parts[0].dtype), parts[1]])


def _moved(sample: _Array, mean: float, deviation: float) -> _Array:
    # Two roundings, as Keras multiplies and adds in two ops.
    number = sample.dtype.type
    sample *= number(deviation)
    sample += number(mean)
    return sample


def _fan(initializer: Any, shape: _Shape) -> float:
    from keras.src.initializers.random_initializers import compute_fans

    # Keras 3.15 may name the axes that count.
    axes = {name: getattr(initializer, name, None) for name in ("input_axes", "output_axes")}
    fan_in, fan_out = compute_fans(shape, **{name: given for name, given in axes.items() if given is not None})
    return float({"fan_in": fan_in, "fan_out": fan_out}.get(initializer.mode, (fan_in + fan_out) / 2.0))


def _drawn_here(shape: _Shape, dtype: str, *settings: Any) -> bool:
    import jax

    configuration: Any = jax.config  # its names are made at run time
    return (
        dtype in distributions.FLOATS
        and _kept(dtype)
        and math.prod(shape) <= _LARGEST
        and all(type(setting) in (int, float) for setting in settings)
        and configuration.jax_default_prng_impl == "threefry2x32"
        and bool(configuration.jax_threefry_partitionable)
    )


def _draw_key(seed: Any) -> Key:
    """The two words that Keras hands to `jax.random`; a `SeedGenerator` moves on."""
    from keras.src.random.seed_generator import draw_seed

    first, second = np.asarray(draw_seed(seed)).tolist()
    return first, second


def _kept(dtype: str) -> bool:
    """Whether JAX keeps numbers of this type; without 64-bit mode it narrows them."""
    import jax

    configuration: Any = jax.config
    return dtype not in _WIDE or bool(configuration.jax_enable_x64)


def _numpy_type(dtype: str) -> Any:
    import ml_dtypes

    return ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
