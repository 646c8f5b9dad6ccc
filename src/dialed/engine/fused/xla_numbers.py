"""Elementary functions with the rounding of XLA's CPU compiler, in NumPy.

XLA contracts `a * b + c` into one rounding (fused multiply-add) and evaluates the inverse error function and the
logarithm by polynomials. NumPy does neither, and would differ in the last bits of every second number. Here the same
polynomials are evaluated in the same order, with the contraction made up for in wider arithmetic.

References:
    Giles, "Approximating the erfinv function", GPU Computing Gems, 2011 (the inverse error function).
    Moshier, the Cephes mathematical library, 1984-2000 (`logf` and `log1p`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["erf_inv", "multiply_add"]

_Array: TypeAlias = np.ndarray[Any, Any]

_ERF_INV_32 = (
    (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
     0.246640727, 1.50140941),
    (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
     1.00167406, 2.83297682),
)  # fmt: skip
_ERF_INV_64 = (
    (-3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18, 1.115787767802518096e-17,
     -1.333171662854620906e-16, 2.0972767875968561637e-17, 6.6376381343583238325e-15, -4.0545662729752068639e-14,
     -8.1519341976054721522e-14, 2.6335093153082322977e-12, -1.2975133253453532498e-11, -5.4154120542946279317e-11,
     1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08, 4.2347877827932403518e-07,
     -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352, -0.00074070253416626697512,
     -0.0060336708714301490533, 0.24015818242558961693, 1.6536545626831027356),
    (2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08,
     1.5027403968909827627e-06, -4.013867526981545969e-06, 2.9234449089955446044e-06, 1.2475304481671778723e-05,
     -4.7318229009055733981e-05, 6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
     0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066, -0.0037512085075692412107,
     0.005370914553590063617, 1.0052589676941592334, 3.0838856104922207635),
    (-2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09, -3.7894654401267369937e-09,
     7.6157012080783393804e-09, -1.4960026627149240478e-08, 2.9147953450901080826e-08, -6.7711997758452339498e-08,
     2.2900482228026654717e-07, -9.9298272942317002539e-07, 4.5260625972231537039e-06, -1.9681778105531670567e-05,
     7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026, 1.0103004648645343977,
     4.8499064014085844221),
)  # fmt: skip
_LOG1P = (
    (4.5270000862445199635215e-5, 4.9854102823193375972212e-1, 6.5787325942061044846969, 2.9911919328553073277375e1,
     6.0949667980987787057556e1, 5.7112963590585538103336e1, 2.0039553499201281259648e1),
    (1.0, 1.5062909083469192043167e1, 8.3047565967967209469434e1, 2.2176239823732856465394e2,
     3.0909872225312059774938e2, 2.1642788614495947685003e2, 6.0118660497603843919306e1),
)  # fmt: skip
_LOG1P_SMALL = 0.41421356237309504880
_LOG_32 = (
    (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1),
    (-1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1),
    (2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
_LOG_32_OF_2 = (-2.12194440e-4, 0.693359375)
_SQRT_HALF = 0.707106781186547524
_SPLIT = 134217729.0  # 2**27 + 1, which halves a 53-bit significand (Dekker)


def multiply_add(a: Any, b: Any, c: Any) -> _Array:
    """`a * b + c` with one rounding, in the type of `a`: float32 or float64."""
    if a.dtype == np.float32:
        # A product of two float32 is exact in float64.
        wide: _Array = np.multiply(a, b, dtype=np.float64)
        wide += c
        return wide.astype(np.float32)
    product = a * b
    total = product + c
    back = total - product
    lost = (product - (total - back)) + (c - back)
    return np.asarray(total + (lost + _product_error(a, b, product)))


def erf_inv(x: _Array) -> _Array:
    """The inverse error function of float32 or float64 numbers in `(-1, 1)`, of shape `(n,)`."""
    w = -_log1p(x * -x)
    return (_erf_inv_32(w) if x.dtype == np.float32 else _erf_inv_64(w)) * x


def _product_error(a: Any, b: Any, product: Any) -> Any:
    """What rounding took from `product = a * b` in float64, exactly."""
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = _SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high


def _polynomial(x: _Array, coefficients: Iterable[float]) -> _Array:
    """Horner's rule with one rounding a step, the highest power first."""
    number = x.dtype.type
    first, *rest = coefficients
    result = np.full_like(x, number(first))
    for coefficient in rest:
        result = multiply_add(result, x, number(coefficient))
    return result


def _erf_inv_32(w: _Array) -> _Array:
    result = _polynomial(w - np.float32(2.5), _ERF_INV_32[0])
    tail = w >= np.float32(5)
    result[tail] = _polynomial(np.sqrt(w[tail]) - np.float32(3), _ERF_INV_32[1])
    return result


def _erf_inv_64(w: _Array) -> _Array:
    result = _polynomial(w - 3.125, _ERF_INV_64[0])
    tail = (w >= 6.25) & (w < 16)
    result[tail] = _polynomial(np.sqrt(w[tail]) - 3.25, _ERF_INV_64[1])
    far = w >= 16
    result[far] = _polynomial(np.sqrt(w[far]) - 5, _ERF_INV_64[2])
    return result


def _log1p(x: _Array) -> _Array:
    number = x.dtype.type
    result = np.empty_like(x)
    small = np.abs(x) < number(_LOG1P_SMALL)
    result[small] = _log1p_small(x[small])
    large = number(1) + x[~small]
    result[~small] = _log_32(large) if x.dtype == np.float32 else _log_64(large)
    return result


def _log1p_small(x: _Array) -> _Array:
    squared = x * x
    ratio = _polynomial(x, _LOG1P[0]) / _polynomial(x, _LOG1P[1])
    return x + multiply_add(squared, x.dtype.type(-0.5), x * squared * ratio)


def _log_64(x: _Array) -> _Array:
    # The C library's, which XLA calls too; NumPy's vectorised one differs in the last bit of 4 numbers in 1,000.
    return np.fromiter(map(math.log, x.tolist()), np.float64, x.size)


def _log_32(x: _Array) -> _Array:
    exponent, m = _split_32(x)
    squared = m * m
    cubed = squared * m
    high, middle, low = (_polynomial(m, coefficients) for coefficients in _LOG_32)
    tail = multiply_add(multiply_add(high, cubed, middle), cubed, low)
    small_part, large_part = (np.float32(part) for part in _LOG_32_OF_2)
    tail = multiply_add(tail, cubed, small_part * exponent)
    return multiply_add(exponent, large_part, multiply_add(squared, np.float32(-0.5), m) + tail)


def _split_32(x: _Array) -> tuple[_Array, _Array]:
    """`(e, m)` with `x = 2**e * (1 + m)` and `sqrt(1/2) <= 1 + m < sqrt(2)`."""
    bits = x.view(np.uint32)
    exponent = ((bits >> np.uint32(23)).astype(np.int32) - 126).astype(np.float32)
    m = ((bits & np.uint32(0x007FFFFF)) | np.uint32(0x3F000000)).view(np.float32)
    below = m < np.float32(_SQRT_HALF)
    exponent -= below
    return exponent, (m - np.float32(1)) + np.where(below, m, np.float32(0))
