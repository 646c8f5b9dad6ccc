"""What a traced step needs beside its inputs, at most: found by walking the program, without compiling it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["live_bytes"]


def live_bytes(jaxpr: Any) -> int:
    """The most bytes of intermediate values that are alive at once when `jaxpr` runs instruction by instruction.

    A compiler that fuses needs less. Inputs are not counted.
    """
    last = {id(v): i for i, equation in enumerate(jaxpr.eqns) for v in equation.invars}
    last.update({id(v): len(jaxpr.eqns) for v in jaxpr.outvars})
    alive: dict[int, int] = {}
    total = most = 0
    for i, equation in enumerate(jaxpr.eqns):
        made = {id(v): _bytes(v.aval) for v in equation.outvars}
        inner = max((live_bytes(body) for body in _bodies(equation.params)), default=0)
        most = max(most, total + max(sum(made.values()), inner))
        kept = {name: size for name, size in made.items() if last.get(name, -1) > i}
        alive.update(kept)
        done = {id(v) for v in equation.invars if last.get(id(v)) == i}
        total += sum(kept.values()) - sum(alive.pop(name, 0) for name in done)
    return most


def _bodies(params: Any) -> list[Any]:
    found = []
    for value in params.values():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            body = getattr(part, "jaxpr", part)
            if hasattr(body, "eqns"):
                found.append(body)
    return found


def _bytes(aval: Any) -> int:
    dtype = getattr(aval, "dtype", None)
    if dtype is None:
        return 0
    size = dtype.itemsize if isinstance(dtype, np.dtype) else 8  # a random key: two words
    return int(math.prod(aval.shape)) * size
