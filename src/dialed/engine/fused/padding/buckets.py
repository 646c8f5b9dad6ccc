"""Which lanes of one structure share a program, by what that costs: arithmetic on padding, or another compilation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

__all__ = ["Bucket", "Costs", "buckets"]

_Wide = TypeVar("_Wide")

_PARTS = (1, 2, 3, 4, 6, 8)
_FLOPS_PER_MULTIPLICATION = 6
"""A multiplication and an addition, in the forward pass and twice in the backward one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What the decision goes by.

    Args:
        compile_seconds: Of one program, as measured so far. Defaults to 1.5, of a small model.
        flops_per_second: Of lanes in training. Defaults to 1e11, of a CPU core with AVX-512.
        sample_seconds: Of a lane and a sample beside its arithmetic. Defaults to 2e-7.
    """

    compile_seconds: float = 1.5
    flops_per_second: float = 1e11
    sample_seconds: float = 2e-7

    def training(self, multiplications: float, samples: float) -> float:
        """Seconds to train one lane on so many samples, epochs counted."""
        return samples * (self.sample_seconds + _FLOPS_PER_MULTIPLICATION * multiplications / self.flops_per_second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket(Generic[_Wide]):
    """Lanes that share a program, by their positions.

    Args:
        members: Who.
        wide: The model that all fit into; `None` where lanes are of one width, and need none.
        waste: How many times the arithmetic of its lanes the program does.
    """

    members: tuple[int, ...]
    wide: _Wide | None
    waste: float = 1.0


def buckets(
    kinds: Sequence[str],
    work: Sequence[float],
    samples: Sequence[float],
    *,
    costs: Costs,
    widest: Callable[[Sequence[int]], tuple[_Wide, float] | None],
) -> list[Bucket[_Wide]]:
    """Share lanes out to programs so that compiling and training take least.

    Tried are one program for all, a few programs each for lanes of similar size, and one for each width.

    Args:
        kinds: For each lane what is equal for lanes that need no padding to share a program.
        work: Its multiplications for a sample.
        samples: How many samples it is to be trained on, epochs counted.
        costs: What things cost.
        widest: For some lanes the model into which all fit, and its multiplications; `None` where there is none.
    """
    order = sorted(range(len(kinds)), key=lambda i: (work[i], kinds[i]))
    separate: list[Bucket[_Wide]] = _separate(kinds, order)
    best, least = separate, sum(_cost(b, [work[i] for i in b.members], samples, costs) for b in separate)
    unpadded = sum(costs.training(each, seen) for each, seen in zip(work, samples, strict=True))
    for count in _PARTS[: len(set(kinds))]:
        if count * costs.compile_seconds + unpadded >= least:
            break  # more programs cannot cost less, however little they pad
        found, cost = _shared_out(_cut(order, count), kinds, work, samples, costs, widest)
        if cost < least:
            best, least = found, cost
    return best


def _separate(kinds: Sequence[str], order: Sequence[int]) -> list[Bucket[_Wide]]:
    groups: dict[str, list[int]] = {}
    for i in order:
        groups.setdefault(kinds[i], []).append(i)
    return [Bucket(members=tuple(group), wide=None) for group in groups.values()]


def _shared_out(
    parts: Sequence[Sequence[int]],
    kinds: Sequence[str],
    work: Sequence[float],
    samples: Sequence[float],
    costs: Costs,
    widest: Callable[[Sequence[int]], tuple[_Wide, float] | None],
) -> tuple[list[Bucket[_Wide]], float]:
    found: list[Bucket[_Wide]] = []
    total = 0.0
    for part in parts:
        wide = widest(part) if len({kinds[i] for i in part}) > 1 else None
        alone: list[Bucket[_Wide]] = _separate(kinds, part)
        if wide is None:
            found += alone
            total += sum(_cost(b, [work[i] for i in b.members], samples, costs) for b in alone)
            continue
        waste = wide[1] * len(part) / sum(work[i] for i in part)
        bucket = Bucket(members=tuple(part), wide=wide[0], waste=waste)
        found.append(bucket)
        total += _cost(bucket, [wide[1]] * len(part), samples, costs)
    return found, total


def _cost(bucket: Bucket[_Wide], work: Sequence[float], samples: Sequence[float], costs: Costs) -> float:
    lanes = zip(bucket.members, work, strict=True)
    return costs.compile_seconds + sum(costs.training(each, samples[i]) for i, each in lanes)


def _cut(order: Sequence[int], count: int) -> list[Sequence[int]]:
    """`order` in about equal parts."""
    count = min(count, len(order))
    edges = [round(i * len(order) / count) for i in range(count + 1)]
    return [order[a:b] for a, b in pairwise(edges)]
