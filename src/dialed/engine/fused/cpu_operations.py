"""Convolution and pooling in forms that XLA compiles well on a CPU, with the same values and gradients.

On a CPU a convolution inside `lax.scan` falls off XLA's fast path, and the gradient of max pooling
(`select_and_scatter`) costs as much as the rest of a small network. A convolution is a matrix product over shifted
slices of its input, and pooling a reduction over them; as such they stay fast in a scan and under `vmap`.

Measured by benchmarks/cpu_operations.py on two AVX-512 cores, in CPU time against Keras's loop of compiled steps: a
convolution of Keras in a scan takes 1.6 to 65 times as long, ours 0.7 (few channels, 1x1, depthwise) to 1.5 (64
channels; 3 for a 7x7 kernel); max pooling 0.6 in a scan and in a loop; a small network 0.4. So in a scan the forms
always pay, in a loop of steps only those of pooling do, and for wide or large kernels the loop is the faster mode.

Equal means: the same sums in another order of rounding, and the gradient of max pooling to the first of equal maxima,
where XLA's goes. What is not covered (other types, symbolic shapes, empty outputs) falls through to Keras's own op.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from dialed.engine.fused import windows

__all__ = ["cpu_operations"]

_Array: TypeAlias = Any  # a JAX array or tracer
_Sizes: TypeAlias = int | Sequence[int]
_Form: TypeAlias = Callable[..., _Array | None]

_ACTIVE = threading.local()
_INSTALLING = threading.Lock()
_installed: list[dict[str, Any]] = []  # Keras's own operations, once for each context that is active in any thread


@contextmanager
def cpu_operations(*, convolutions: bool = True) -> Iterator[None]:
    """While active, what this thread traces with Keras's convolution and pooling uses the forms of this file.

    Other threads keep Keras's own. Contexts may be nested; the inner one counts.

    Args:
        convolutions: Whether convolutions are replaced too, which pays inside a scan; pooling always is. Defaults to
            `True`.
    """
    _install()
    outer = _active()
    _ACTIVE.names = frozenset(name for name in _FORMS if convolutions or "pool" in name)
    try:
        yield
    finally:
        _ACTIVE.names = outer
        _uninstall()


def _active() -> frozenset[str]:
    """The operations that are replaced in this thread."""
    names: frozenset[str] = getattr(_ACTIVE, "names", frozenset())
    return names


def _install() -> None:
    from keras.src.backend.jax import nn

    with _INSTALLING:
        stock = _installed[0] if _installed else {name: getattr(nn, name) for name in _FORMS}
        _installed.append(stock)
        if len(_installed) == 1:
            for name in _FORMS:
                setattr(nn, name, partial(_chosen, name, stock[name]))


def _uninstall() -> None:
    from keras.src.backend.jax import nn

    with _INSTALLING:
        stock = _installed.pop()
        if not _installed:
            for name, operation in stock.items():
                setattr(nn, name, operation)


def _chosen(name: str, stock: Callable[..., _Array], *arguments: Any, **settings: Any) -> _Array:
    """The form of this file where it is active and applies, `stock` elsewhere."""
    result = _FORMS[name](*arguments, **settings) if name in _active() else None
    return stock(*arguments, **settings) if result is None else result


def _conv(
    inputs: Any,
    kernel: Any,
    strides: _Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: _Sizes = 1,
) -> _Array | None:
    weights = _tensor(kernel)
    x, restore = _channels_last(_tensor(inputs, dtype=weights.dtype), data_format)
    *size, depth, features = weights.shape
    along = _covered(x, size, strides, padding, dilation_rate)
    if not along or x.shape[-1] % depth:
        return None
    columns = _columns(windows.slices(x, along, fill=0.0))
    result = _matrix_product(columns, weights.reshape(-1, depth, features), groups=x.shape[-1] // depth)
    return restore(result.reshape(*columns.shape[:-1], features))


def _depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: _Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: _Sizes = 1,
) -> _Array | None:
    weights = _tensor(kernel)
    x, restore = _channels_last(_tensor(inputs), data_format)
    *size, channels, multiplier = weights.shape
    along = _covered(x, size, strides, padding, dilation_rate)
    if not along or x.dtype != weights.dtype or x.shape[-1] != channels:
        return None
    parts = windows.slices(x, along, fill=0.0)
    taps = weights.reshape(-1, channels, multiplier)
    result = sum(part[..., None] * tap for part, tap in zip(parts, taps, strict=True))
    return restore(result.reshape(*parts[0].shape[:-1], channels * multiplier))


def _max_pool(
    inputs: Any,
    pool_size: _Sizes,
    strides: _Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> _Array | None:
    x, restore = _channels_last(_tensor(inputs), data_format)
    along = _covered(x, pool_size, pool_size if strides is None else strides, padding, 1)
    if not along:
        return None
    if padding == "valid" and all(axis.stride == axis.taps for axis in along):
        return restore(windows.block_maximum(x, along))
    return restore(windows.first_maximum(windows.slices(x, along, fill=-math.inf)))


def _average_pool(
    inputs: Any,
    pool_size: _Sizes,
    strides: _Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> _Array | None:
    x, restore = _channels_last(_tensor(inputs), data_format)
    along = _covered(x, pool_size, pool_size if strides is None else strides, padding, 1)
    if not along:
        return None
    return restore(sum(windows.slices(x, along, fill=0.0)) / windows.counts(along).astype(x.dtype))


_FORMS: dict[str, _Form] = {
    "average_pool": _average_pool,
    "conv": _conv,
    "depthwise_conv": _depthwise_conv,
    "max_pool": _max_pool,
}


def _columns(parts: Sequence[_Array]) -> _Array:
    import jax.numpy as jnp

    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=-1)


def _matrix_product(columns: _Array, weights: _Array, *, groups: int) -> _Array:
    """Columns `(..., taps * groups * depth)` times weights `(taps, depth, features)`, group by group."""
    import jax.numpy as jnp

    taps, depth, features = weights.shape
    if groups == 1:
        return columns.reshape(-1, taps * depth) @ weights.reshape(-1, features)
    split = weights.reshape(taps, depth, groups, features // groups)
    return jnp.einsum("ntgd,tdgf->ngf", columns.reshape(-1, taps, groups, depth), split)


def _covered(x: _Array, size: _Sizes, strides: _Sizes, padding: str, dilations: _Sizes) -> tuple[windows.Axis, ...]:
    """The windows over `x`, or none where only Keras's own operation will do."""
    known = all(isinstance(length, int) for length in x.shape)
    if not known or x.dtype.name not in ("float32", "float64") or padding not in ("same", "valid"):
        return ()
    along = windows.axes(x, size, strides=strides, dilations=dilations, same=padding == "same")
    return along if all(axis.windows > 0 for axis in along) else ()


def _tensor(value: Any, dtype: Any = None) -> _Array:
    from keras.src.backend.jax.core import convert_to_tensor

    return convert_to_tensor(value, dtype=dtype)


def _channels_last(x: _Array, data_format: str | None) -> tuple[_Array, Callable[[_Array], _Array]]:
    """`x` with its channels last, and what puts a result back into the given format."""
    import jax.numpy as jnp
    from keras.src.backend import standardize_data_format

    if standardize_data_format(data_format) == "channels_last":
        return x, lambda result: result
    return jnp.moveaxis(x, 1, -1), lambda result: jnp.moveaxis(result, -1, 1)
