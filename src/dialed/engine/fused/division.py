"""Models of one structure, divided into those that one program can train.

Where the models' numbers differ, the number becomes an input. Where Python's code takes different ways for different
numbers, where it wants a plain number, and where the number has been worked into something else before the step, the
models are parted by it. Nothing is declared: the division is found by tracing, and proven by tracing once more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import keras
import numpy as np

from dialed.engine.fused.anatomy import Anatomy, Place
from dialed.engine.fused.lifted import CannotLift, Guard, Guards, LanesDisagree, Number
from dialed.engine.fused.padding.axes import Unpaddable
from dialed.engine.fused.padding.fit import Fit, fit
from dialed.engine.fused.padding.padding import NO_PADDING, Padding, padding_for
from dialed.engine.fused.sites import Sites, differing, plainly
from dialed.engine.fused.tracing import Batch, Step, trace_train

__all__ = ["Candidate", "Contender", "Division", "Untraceable", "divide"]

_Key = Callable[[Mapping[str, Number]], Hashable]


class Untraceable(Exception):
    """The train step cannot be made a program; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A model that might share a program.

    Args:
        model: The model.
        anatomy: What it is made of.
        prepare: Builds its loss and metrics, which only traced models need.
        owners: For each of its optimizer's variables the position of the weight it belongs to, where it is to be padded.
    """

    model: keras.Model
    anatomy: Anatomy
    prepare: Callable[[], None]
    owners: tuple[int | None, ...] = ()


class Contender:
    """A lane's part in a division.

    Args:
        own: The lane's own model.
        stand: Makes the wider model that stands for it, when it is to be traced. Defaults to its own.
    """

    def __init__(self, own: Candidate, stand: Callable[[], Candidate] | None = None) -> None:
        self.own = own
        self._stand = stand

    @cached_property
    def traced(self) -> Candidate:
        """The model to trace for it."""
        return self.own if self._stand is None else self._stand()

    @property
    def is_padded(self) -> bool:
        """Whether a wider model stands for it."""
        return self._stand is not None

    @property
    def numbers(self) -> Mapping[str, Number]:
        """The numbers of the lane's own model."""
        return self.own.anatomy.numbers


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
        padding: What the step does for lanes narrower than the template.
        fits: For each of the members its place in the template; none where all are as wide.
    """

    members: tuple[int, ...]
    sites: Sites
    step: Step
    idle: tuple[str, ...]
    other: tuple[int, Step] | None
    padding: Padding = NO_PADDING
    fits: tuple[Fit, ...] = ()


def divide(contenders: Sequence[Contender], batch: Batch, positions: Sequence[int] | None = None) -> list[Division]:
    """Divide lanes of one structure.

    Args:
        contenders: Lanes whose traced models have equal digests.
        batch: What a batch looks like.
        positions: Which of them. Defaults to all.

    Raises:
        Untraceable: Even a single one of them cannot be traced.
        Unpaddable: One of them does not fit into the wider model that stands for it.
    """
    chosen = list(range(len(contenders))) if positions is None else list(positions)
    parted = _Parted(contenders, batch)
    return parted.by_tracing(chosen)


class _Parted:
    def __init__(self, contenders: Sequence[Contender], batch: Batch) -> None:
        self.contenders = contenders
        self.batch = batch

    def by_tracing(self, chosen: list[int]) -> list[Division]:
        template = self.contenders[chosen[0]].traced
        _prepared(template)
        fits, padding = self._padding(chosen)
        sites = self._sites(chosen)
        step, error = None, None
        try:
            step = trace_train(template.model, sites, self.batch, padding)
        except Exception as raised:  # noqa: BLE001 - the model's own code may raise anything on a tracer
            error = raised
        match sites.guards.trouble:
            case LanesDisagree() as disagreement:
                return self._part(chosen, _by_answer(disagreement.guard))
            case CannotLift() as wanted:
                return self._part(chosen, _by_numbers([wanted.path]))
        if step is not None:
            return self._proven(chosen, sites, step, fits, padding)
        if not sites.places or len(self._parts(chosen, _by_numbers(sites.paths))) == 1:
            raise Untraceable(f"its train step cannot be traced: {type(error).__name__}: {error!s:.300}") from error
        return self._part(chosen, _by_numbers(self._culprits(chosen, padding)))

    def _padding(self, chosen: Sequence[int]) -> tuple[tuple[Fit, ...], Padding]:
        template = self.contenders[chosen[0]].traced
        narrow = [self.contenders[i].own.model for i in chosen if self.contenders[i].is_padded]
        fits = tuple(fit(model, template.model) for model in narrow)
        return fits, padding_for(fits, template.owners) if fits else NO_PADDING

    def _sites(self, chosen: Sequence[int], among: Sequence[str] | None = None) -> Sites:
        """Inputs for all numbers that differ, or those `among`. What tells a width is the template's for all lanes."""
        template, lanes = self.contenders[chosen[0]].traced.anatomy, [self.contenders[i].numbers for i in chosen]
        paths = differing([template.numbers, *lanes], template.sizes) if among is None else among
        return Sites(
            places=tuple(template.places[path] for path in paths),
            known={path: tuple(dict.fromkeys(numbers[path] for numbers in lanes)) for path in paths},
            guards=Guards(),
        )

    def _culprits(self, chosen: list[int], padding: Padding) -> list[str]:
        """The numbers that cannot be lifted, found one by one; all of them where none fails on its own."""
        template = self.contenders[chosen[0]].traced
        paths = self._sites(chosen).paths
        found = [path for path in paths if not self._can_lift(template, self._sites(chosen, [path]), padding)]
        return found or list(paths)

    def _can_lift(self, template: Candidate, sites: Sites, padding: Padding) -> bool:
        try:
            trace_train(template.model, sites, self.batch, padding)
        except Exception:  # noqa: BLE001 - the question is whether it raises, whatever it raises
            return False
        return sites.guards.trouble is None

    def _part(self, chosen: Sequence[int], key: _Key) -> list[Division]:
        parts = self._parts(chosen, key)
        if len(parts) == 1:  # the wider model's own number stands in the way
            raise Unpaddable("the wider model takes another way through its code")
        return [division for part in parts for division in self.by_tracing(part)]

    def _parts(self, chosen: Sequence[int], key: _Key) -> list[list[int]]:
        parts: dict[Hashable, list[int]] = {}
        for i in chosen:
            parts.setdefault(key(self.contenders[i].numbers), []).append(i)
        return list(parts.values())

    def _proven(
        self, chosen: list[int], sites: Sites, step: Step, fits: tuple[Fit, ...], padding: Padding
    ) -> list[Division]:
        """Keep the numbers that the step reads; show that those it does not read are of no consequence."""
        read = [place.path for place, reads in zip(sites.places, step.reads, strict=True) if reads]
        unread = [path for path in sites.paths if path not in read]
        if len(chosen) == 1:
            alone = Division(
                members=tuple(chosen), sites=sites, step=step, idle=(), other=None, padding=padding, fits=fits
            )
            return [alone]
        if unread:
            guards = sites.guards
            sites = self._sites(chosen, read)
            step = trace_train(self.contenders[chosen[0]].traced.model, sites, self.batch, padding)
            sites.guards.asked.update(guards.asked)
        other = self._most_unlike(chosen, [*read, *unread])
        own = self._own_step(other)
        if _same(own, self._with_numbers_of(other, sites.places, chosen[0])):
            proven = Division(
                members=tuple(chosen),
                sites=sites,
                step=step,
                idle=tuple(unread),
                other=(other, own),
                padding=padding,
                fits=fits,
            )
            return [proven]
        if unread:
            return self._part(chosen, _by_numbers(unread))
        raise Untraceable("two builds that look the same are traced to different programs")

    def _most_unlike(self, chosen: Sequence[int], paths: Sequence[str]) -> int:
        first = self.contenders[chosen[0]].numbers

        def unlike(i: int) -> int:
            numbers = self.contenders[i].numbers
            return sum(numbers[path] != first[path] for path in paths)

        return max(chosen[1:], key=unlike)

    def _own_step(self, position: int) -> Step:
        candidate = self.contenders[position].traced
        _prepared(candidate)
        return trace_train(candidate.model, _no_sites(), self.batch)

    def _with_numbers_of(self, position: int, places: Sequence[Place], template: int) -> Step:
        numbers: Mapping[str, Number] = self.contenders[position].traced.anatomy.numbers
        with plainly(places, numbers):
            return trace_train(self.contenders[template].traced.model, _no_sites(), self.batch)


def _prepared(candidate: Candidate) -> None:
    """Build what tracing needs of a model.

    Raises:
        Untraceable: Its own code raises.
    """
    try:
        candidate.prepare()
    except Exception as error:
        raise Untraceable(f"its loss and metrics cannot be built: {type(error).__name__}: {error!s:.300}") from error


def _no_sites() -> Sites:
    return Sites(places=(), known={}, guards=Guards())


def _by_answer(guard: Guard) -> _Key:
    return lambda numbers: guard.ask(numbers[guard.path])


def _by_numbers(paths: Sequence[str]) -> _Key:
    return lambda numbers: tuple(numbers[path] for path in paths)


def _same(one: Step, other: Step) -> bool:
    """Whether two programs are the same, instruction by instruction and constant by constant."""
    if str(one.program.jaxpr) != str(other.program.jaxpr) or len(one.program.consts) != len(other.program.consts):
        return False
    return all(_equal(a, b) for a, b in zip(one.program.consts, other.program.consts, strict=True))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, jax.Array) and jax.numpy.issubdtype(one.dtype, jax.dtypes.prng_key):
        return bool((jax.random.key_data(one) == jax.random.key_data(other)).all())
    return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))
