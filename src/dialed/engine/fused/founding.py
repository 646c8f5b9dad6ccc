"""Families for lanes that no family takes: which of them share a program, and with what padding."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dialed.engine.fused.division import Candidate, Contender, Division, Untraceable, divide
from dialed.engine.fused.eligibility import is_slow_in_loops
from dialed.engine.fused.family import Family
from dialed.engine.fused.lane import Lane, Setting
from dialed.engine.fused.lifted import Guards
from dialed.engine.fused.padding.axes import Unpaddable
from dialed.engine.fused.padding.buckets import Bucket, Costs, buckets
from dialed.engine.fused.padding.fit import fit
from dialed.engine.fused.padding.stretch import differences, standing_for, widest
from dialed.engine.fused.padding.work import multiplications
from dialed.engine.fused.sites import Sites
from dialed.engine.fused.tracing import Step, shapes_of, trace_train
from dialed.engine.seeding import preserved
from dialed.space import Space
from dialed.trial import Values

if TYPE_CHECKING:
    from dialed.engine.fused.boarding import Boarding

__all__ = ["Founded", "founded"]

_log = logging.getLogger("dialed")

Founded: TypeAlias = tuple[Family, list[Lane]] | tuple[str, list[Lane]]
"""A family with its first lanes; or the reason why these cannot be lanes."""


def founded(lanes: Sequence[Lane], boarding: Boarding, costs: Costs, names: Iterator[str]) -> Iterator[Founded]:
    """Found families for lanes of one outline and one setting.

    Args:
        lanes: Who needs a family.
        boarding: Builds wider models.
        costs: What compiling and training cost.
        names: Names for families.
    """
    with preserved():
        for bucket in _buckets(lanes, boarding, costs):
            chosen = [lanes[i] for i in bucket.members]
            if bucket.wide is None:
                yield from _of_one_width(chosen, names)
            else:
                yield from _padded(chosen, bucket.wide, bucket.waste, boarding, names)


class _Wide(NamedTuple):
    """The widest model of some lanes: its values, and how it stands for the first of them."""

    values: Values
    first: Candidate


def _buckets(lanes: Sequence[Lane], boarding: Boarding, costs: Costs) -> list[Bucket[_Wide]]:
    kinds = [_candidate(lane).anatomy.digest for lane in lanes]
    if len(set(kinds)) == 1:
        return [Bucket(members=tuple(range(len(lanes))), wide=None)]
    return buckets(
        kinds,
        [multiplications(_candidate(lane).model) for lane in lanes],
        [lane.setting.training.samples * (lane.run.target - lane.run.epoch) for lane in lanes],
        costs=costs,
        widest=lambda part: _widest([lanes[i] for i in part], boarding),
    )


def _widest(lanes: Sequence[Lane], boarding: Boarding) -> tuple[_Wide, float] | None:
    """A model into which all of `lanes` fit, and its multiplications."""
    space = Space.from_json(lanes[0].built.space) if lanes[0].built.space else Space()
    values = widest([lane.built.values for lane in lanes], space)
    try:
        wide = boarding.standing_for(lanes[0], values)
        for lane in lanes:
            fit(_candidate(lane).model, wide.model)
    except Unpaddable as reason:
        _log.debug("%d models of several widths are not padded: %s", len(lanes), reason)
        return None
    return _Wide(values, wide), multiplications(wide.model)


def _of_one_width(lanes: Sequence[Lane], names: Iterator[str]) -> Iterator[Founded]:
    parts: dict[str, list[Lane]] = {}
    for lane in lanes:
        parts.setdefault(_candidate(lane).anatomy.digest, []).append(lane)
    for part in parts.values():
        candidates = [_candidate(lane) for lane in part]
        try:
            divisions = divide([Contender(candidate) for candidate in candidates], _batch(part[0].setting))
        except Untraceable as error:
            yield str(error), part
            continue
        for division in divisions:
            witness = None if division.other is None else (candidates[division.other[0]], division.other[1])
            yield _family(part, candidates[division.members[0]], division, names, witness=witness)


def _padded(
    lanes: Sequence[Lane], wide: _Wide, waste: float, boarding: Boarding, names: Iterator[str]
) -> Iterator[Founded]:
    """Families whose programs are as wide as `wide`. Whoever is left alone needs no padding."""

    def contender(lane: Lane) -> Contender:
        values = standing_for(lane.built.values, wide.values)
        first = lane is lanes[0]
        return Contender(_candidate(lane), lambda: wide.first if first else boarding.standing_for(lane, values))

    contenders = [contender(lane) for lane in lanes]
    try:
        divisions = divide(contenders, _batch(lanes[0].setting))
    except (Unpaddable, Untraceable) as reason:
        _log.info("%d models of several widths have programs of their own: %s", len(lanes), reason)
        yield from _of_one_width(lanes, names)
        return
    for division in divisions:
        chosen = [lanes[i] for i in division.members]
        if len(chosen) == 1:
            yield from _of_one_width(chosen, names)
            continue
        for lane, found in zip(chosen, division.fits, strict=True):
            lane.fit = found
        narrowest = min(chosen, key=lambda lane: multiplications(_candidate(lane).model))
        note = _note([lane.built.values for lane in chosen], wide.values, waste)
        witness = (_candidate(narrowest), _own_step(narrowest))
        template = contenders[division.members[0]].traced
        yield _family(lanes, template, division, names, witness=witness, note=note)


def _family(
    lanes: Sequence[Lane],
    template: Candidate,
    division: Division,
    names: Iterator[str],
    *,
    witness: tuple[Candidate, Step] | None,
    note: str = "",
) -> Founded:
    chosen = [lanes[i] for i in division.members]
    setting = chosen[0].setting
    slow = is_slow_in_loops(division.step.program)
    family = Family(
        name=next(names),
        template=template,
        division=division,
        key=setting.key,
        witness=witness,
        note=note,
        only_steps=slow,
        stepwise=slow,
    )
    reason = _reason_against_steps(family, setting)
    return (reason, chosen) if reason else (family, chosen)


def _reason_against_steps(family: Family, setting: Setting) -> str:
    """Trace what an epoch needs beside the train step on a full batch; why that cannot be done."""
    try:
        family.steps(setting)
        trouble: Exception | None = family.division.sites.guards.trouble
    except Exception as error:  # noqa: BLE001 - the model's own code may raise anything on a tracer
        trouble = error
    return "" if trouble is None else f"its validation or last batch cannot be traced: {trouble!s:.300}"


def _own_step(lane: Lane) -> Step:
    candidate = _candidate(lane)
    candidate.prepare()
    return trace_train(candidate.model, Sites(places=(), known={}, guards=Guards()), _batch(lane.setting))


def _note(lanes: Sequence[Values], wide: Values, waste: float) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in differences(lanes, wide).items())
    return f"padded to {shown}, {waste:.1f} x the arithmetic" if shown else ""


def _candidate(lane: Lane) -> Candidate:
    assert lane.candidate is not None
    return lane.candidate


def _batch(setting: Setting) -> tuple[object, object, object]:
    shapes: tuple[object, object, object] = shapes_of(setting.training.data, setting.batch_size)
    return shapes
