"""Models of one structure, divided into those that one program can train.

Where the models' numbers differ, the number becomes an input. Where Python's code takes different ways for different
numbers, where it wants a plain number, and where the number has been worked into something else before the step, the
models are parted by it. Nothing is declared: the division is found by tracing, and proven by tracing once more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np

from dialed.engine.fused.anatomy import Anatomy, Place
from dialed.engine.fused.lifted import CannotLift, Guard, Guards, LanesDisagree, Number
from dialed.engine.fused.sites import Sites, differing, plainly
from dialed.engine.fused.tracing import Batch, Step, trace_train

__all__ = ["Candidate", "Division", "Untraceable", "divide"]

_Key = Callable[[Anatomy], Hashable]


class Untraceable(Exception):
    """The train step cannot be made a program; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A model that might share a program. `prepare` builds its loss and metrics, which only traced models need."""

    model: keras.Model
    anatomy: Anatomy
    prepare: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Division:
    """Candidates, by their positions, that one program trains.

    Args:
        members: Positions in what was divided; the first is the template.
        sites: The template's numbers that are inputs.
        step: The template's train step.
        idle: Paths of numbers that differ and that the step was shown not to depend on.
        other: The position of the candidate that differs most from the template, and its own train step with its own
            numbers, where there is one: what the program must agree with.
    """

    members: tuple[int, ...]
    sites: Sites
    step: Step
    idle: tuple[str, ...]
    other: tuple[int, Step] | None


def divide(candidates: Sequence[Candidate], batch: Batch, positions: Sequence[int] | None = None) -> list[Division]:
    """Divide candidates of one structure.

    Args:
        candidates: Models with equal digests.
        batch: What a batch looks like.
        positions: Which of them. Defaults to all.

    Raises:
        Untraceable: Even a single one of them cannot be traced.
    """
    chosen = list(range(len(candidates))) if positions is None else list(positions)
    parted = _Parted(candidates, batch)
    return parted.by_tracing(chosen)


class _Parted:
    def __init__(self, candidates: Sequence[Candidate], batch: Batch) -> None:
        self.candidates = candidates
        self.batch = batch

    def by_tracing(self, chosen: list[int]) -> list[Division]:
        template = self.candidates[chosen[0]]
        template.prepare()
        sites = self._sites(chosen)
        step, error = None, None
        try:
            step = trace_train(template.model, sites, self.batch)
        except Exception as raised:  # noqa: BLE001 - the model's own code may raise anything on a tracer
            error = raised
        match sites.guards.trouble:
            case LanesDisagree() as disagreement:
                return self._part(chosen, _by_answer(disagreement.guard))
            case CannotLift() as wanted:
                return self._part(chosen, _by_numbers([wanted.path]))
        if step is not None:
            return self._proven(chosen, sites, step)
        if not sites.places:
            raise Untraceable(f"its train step cannot be traced: {type(error).__name__}: {error!s:.300}") from error
        return self._part(chosen, _by_numbers(self._culprits(chosen)))

    def _sites(self, chosen: Sequence[int], among: Sequence[str] | None = None) -> Sites:
        anatomies = [self.candidates[i].anatomy for i in chosen]
        paths = differing(anatomies) if among is None else among
        return Sites(
            places=tuple(anatomies[0].places[path] for path in paths),
            known={path: tuple(dict.fromkeys(a.places[path].value for a in anatomies)) for path in paths},
            guards=Guards(),
        )

    def _culprits(self, chosen: list[int]) -> list[str]:
        """The numbers that cannot be lifted, found one by one; all of them where none fails on its own."""
        template = self.candidates[chosen[0]]
        paths = self._sites(chosen).paths
        found = [path for path in paths if not self._can_lift(template, self._sites(chosen, [path]))]
        return found or list(paths)

    def _can_lift(self, template: Candidate, sites: Sites) -> bool:
        try:
            trace_train(template.model, sites, self.batch)
        except Exception:  # noqa: BLE001 - the question is whether it raises, whatever it raises
            return False
        return sites.guards.trouble is None

    def _part(self, chosen: Sequence[int], key: _Key) -> list[Division]:
        parts: dict[Hashable, list[int]] = {}
        for i in chosen:
            parts.setdefault(key(self.candidates[i].anatomy), []).append(i)
        return [division for part in parts.values() for division in self.by_tracing(part)]

    def _proven(self, chosen: list[int], sites: Sites, step: Step) -> list[Division]:
        """Keep the numbers that the step reads; show that those it does not read are of no consequence."""
        read = [place.path for place, reads in zip(sites.places, step.reads, strict=True) if reads]
        unread = [path for path in sites.paths if path not in read]
        if len(chosen) == 1:
            return [Division(members=tuple(chosen), sites=sites, step=step, idle=(), other=None)]
        if unread:
            guards = sites.guards
            sites = self._sites(chosen, read)
            step = trace_train(self.candidates[chosen[0]].model, sites, self.batch)
            sites.guards.asked.update(guards.asked)
        other = self._most_unlike(chosen, [*read, *unread])
        own = self._own_step(other)
        if _same(own, self._with_numbers_of(other, sites.places, chosen[0])):
            found = Division(members=tuple(chosen), sites=sites, step=step, idle=tuple(unread), other=(other, own))
            return [found]
        if unread:
            return self._part(chosen, _by_numbers(unread))
        raise Untraceable("two builds that look the same are traced to different programs")

    def _most_unlike(self, chosen: Sequence[int], paths: Sequence[str]) -> int:
        first = self.candidates[chosen[0]].anatomy.places

        def unlike(i: int) -> int:
            places = self.candidates[i].anatomy.places
            return sum(places[path].value != first[path].value for path in paths)

        return max(chosen[1:], key=unlike)

    def _own_step(self, position: int) -> Step:
        candidate = self.candidates[position]
        candidate.prepare()
        return trace_train(candidate.model, _no_sites(), self.batch)

    def _with_numbers_of(self, position: int, places: Sequence[Place], template: int) -> Step:
        numbers: Mapping[str, Number] = self.candidates[position].anatomy.numbers
        with plainly(places, numbers):
            return trace_train(self.candidates[template].model, _no_sites(), self.batch)


def _no_sites() -> Sites:
    return Sites(places=(), known={}, guards=Guards())


def _by_answer(guard: Guard) -> _Key:
    return lambda anatomy: guard.ask(anatomy.places[guard.path].value)


def _by_numbers(paths: Sequence[str]) -> _Key:
    return lambda anatomy: tuple(anatomy.places[path].value for path in paths)


def _same(one: Step, other: Step) -> bool:
    """Whether two programs are the same, instruction by instruction and constant by constant."""
    if str(one.program.jaxpr) != str(other.program.jaxpr) or len(one.program.consts) != len(other.program.consts):
        return False
    return all(_equal(a, b) for a, b in zip(one.program.consts, other.program.consts, strict=True))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, jax.Array) and jax.numpy.issubdtype(one.dtype, jax.dtypes.prng_key):
        return bool((jax.random.key_data(one) == jax.random.key_data(other)).all())
    return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))
