"""Plain Python values as JSON and arrays, and back: what a checkpoint can hold of a callback or a random generator."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Unpackable", "pack", "unpack"]

Arrays: TypeAlias = dict[str, NDArray[Any]]

_SCALARS = (bool, int, float, str, type(None))


class Unpackable(Exception):
    """A value is more than numbers, text and containers of these."""


def pack(value: object, name: str, arrays: Arrays) -> Any:
    """`value` as JSON; its arrays go into `arrays` under names that begin with `name`.

    Raises:
        Unpackable: It holds something else. `arrays` may hold parts of it then.
    """
    if type(value) in _SCALARS:
        return value
    if isinstance(value, (np.ndarray, np.generic)) and not np.asarray(value).dtype.hasobject:
        arrays[name] = np.array(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if type(value) is list:
        return [pack(item, f"{name}/{i}", arrays) for i, item in enumerate(value)]
    if type(value) is tuple:
        return {"tuple": pack(list(value), name, arrays)}
    if type(value) is set:
        return {"set": pack(sorted(value, key=repr), name, arrays)}
    if type(value) is deque:
        return {"deque": pack(list(value), name, arrays), "maxlen": value.maxlen}
    if type(value) is dict:
        pairs = enumerate(value.items())
        return {"dict": [[pack(k, f"{name}/{i}k", arrays), pack(v, f"{name}/{i}", arrays)] for i, (k, v) in pairs]}
    raise Unpackable(type(value).__name__)


def unpack(packed: Any, arrays: Arrays) -> Any:
    """The value that `pack` took."""
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict):
        return packed
    if "array" in packed:
        array = arrays[packed["array"]]
        return array[()] if packed["scalar"] else array
    if "dict" in packed:
        return {unpack(key, arrays): unpack(value, arrays) for key, value in packed["dict"]}
    if "deque" in packed:
        return deque(unpack(packed["deque"], arrays), packed["maxlen"])
    kind = tuple if "tuple" in packed else set
    return kind(unpack(packed[kind.__name__], arrays))
