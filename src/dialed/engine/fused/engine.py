"""The engine for many small models: members become lanes of few compiled programs, the rest is left to another engine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from dialed.clock import Clock
from dialed.engine.data import Data
from dialed.engine.failures import MemberFailed, failure_from
from dialed.engine.fused.boarding import Boarding, Unfusable
from dialed.engine.fused.capacity import parts
from dialed.engine.fused.crew import Crew, Mistrusted
from dialed.engine.fused.division import Untraceable, divide
from dialed.engine.fused.eligibility import reason_against_program, reason_against_search
from dialed.engine.fused.family import Family
from dialed.engine.fused.lane import Lane, Setting
from dialed.engine.fused.resident import Resident
from dialed.engine.fused.tracing import shapes_of
from dialed.engine.keeping import CheckpointStore
from dialed.engine.protocol import Batch, Engine, OnReport, Progress
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import preserved
from dialed.engine.state import Unusable
from dialed.engine.watch import Run
from dialed.errors import CheckpointError
from dialed.events import Built
from dialed.trial import Member, Objective, Outcome, State

__all__ = ["FusedEngine"]

_log = logging.getLogger("dialed")


class FusedEngine:
    """Trains members as lanes of compiled programs, as exactly as `model.fit` would train each alone.

    To choose: with Keras on JAX and data in arrays, whenever many trials are to be trained. What cannot be a lane goes to
    `fallback`, with the reason.

    Args:
        recipe: How trials are made from values.
        data: What each fold trains on.
        objective: The metric to improve.
        checkpoints: Where checkpoints lie. They are those of `FitEngine`: each engine goes on from the other's.
        clock: Time.
        checkpoint_seconds: The longest time between two checkpoints of a member, while its epochs end. Defaults to 30.
        deadline: Returns when training must stop, on the clock's monotonic time, or None. Defaults to never.
        fallback: Trains the members that cannot be lanes.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Data,
        *,
        objective: Objective,
        checkpoints: CheckpointStore,
        clock: Clock,
        fallback: Engine,
        checkpoint_seconds: float = 30.0,
        deadline: Callable[[], float | None] | None = None,
    ) -> None:
        self.clock = clock
        self.deadline = deadline or _never
        self.fallback = fallback
        self.families: list[Family] = []
        self._against_all = reason_against_search(recipe, data)
        self._boarding = Boarding(
            recipe,
            data,
            Resident(data),
            objective=objective,
            checkpoints=checkpoints,
            clock=clock,
            checkpoint_seconds=checkpoint_seconds,
            deadline=self.deadline,
        )

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        """Build every model and trace what differs; compile and train nothing."""
        if self._against_all:
            return self._left_to_fallback(members, self._against_all)
        sorted_out = _Sorted(self, members, until=max((m.epoch for m in members), default=0) + 1)
        batches = [
            Batch(members=tuple(lane.member for lane in lanes), program=family.name)
            for family, lanes in sorted_out.families
        ]
        for reason, group in groupby(sorted(sorted_out.refused, key=_reason), key=_reason):
            batches += self._left_to_fallback([member for member, _ in group], reason)
        failed = {outcome.key: outcome.message for outcome in sorted_out.outcomes}
        return batches + [
            Batch(members=(member,), program="none", reason=failed[member.key])
            for member in members
            if member.key in failed
        ]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        """As the protocol says. Outcomes come as members end, not in the order of `members`."""
        if self._against_all:
            yield from self._fall_back([(member, self._against_all) for member in members], until, on_report)
            return
        due = [member for member in members if member.epoch < until and not self._is_late()]
        yield from (_paused(member) for member in members if member not in due)
        sorted_out = _Sorted(self, due, until=until, on_report=on_report)
        yield from sorted_out.outcomes
        refused = list(sorted_out.refused)
        for family, lanes in sorted_out.families:
            ended = set()
            try:
                for outcome in self._train_family(family, lanes):
                    ended.add(outcome.key)
                    yield outcome
            except Mistrusted as error:
                _log.warning("%s is not used: %s", family.name, error)
                left = [lane for lane in lanes if lane.run.key not in ended]
                refused += [(_handed_over(lane), f"its program was not trusted: {error}") for lane in left]
        yield from self._fall_back(refused, until, on_report)

    def _train_family(self, family: Family, lanes: list[Lane]) -> Iterator[Outcome]:
        witness = next((lane for lane in lanes if lane.candidate is not None and lane.candidate is family.other), None)
        for lane in lanes:
            lane.candidate = None
        for wave in sorted(_waves(lanes), key=lambda wave: witness not in wave):
            crew = Crew(family=family, lanes=wave, clock=self.clock, witness=witness, began=_announce)
            try:
                yield from crew.train()
            except BaseException as error:
                if not isinstance(error, Exception):  # Ctrl-C, or whoever asked has gone
                    _rescue(wave)
                raise

    def _fall_back(self, members: Sequence[tuple[Member, str]], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for reason, group in groupby(sorted(members, key=_reason), key=_reason):
            yield from self.fallback.train([member for member, _ in group], until, _with_reason(on_report, reason))

    def _left_to_fallback(self, members: Sequence[Member], reason: str) -> list[Batch]:
        return [replace(batch, reason=reason) for batch in self.fallback.plan(members)]

    def _is_late(self) -> bool:
        deadline = self.deadline()
        return deadline is not None and self.clock.monotonic() >= deadline

    def _family_of(self, lane: Lane) -> Family | None:
        assert lane.candidate is not None
        digest = lane.candidate.anatomy.digest
        return next((f for f in self.families if f.admits(digest, lane.numbers, lane.setting.key)), None)


class _Sorted:
    """Members sorted into families; those that cannot be lanes with their reasons, those that failed as outcomes."""

    def __init__(
        self, engine: FusedEngine, members: Sequence[Member], *, until: int, on_report: OnReport | None = None
    ) -> None:
        self.families: list[tuple[Family, list[Lane]]] = []
        self.refused: list[tuple[Member, str]] = []
        self.outcomes: list[Outcome] = []
        self._engine = engine
        self._on_report = on_report
        self._strangers: dict[Any, list[Lane]] = {}
        for lane in [lane for member in members if (lane := self._board(member, until)) is not None]:
            self._to_known(lane)
        for group in self._strangers.values():
            self._found(group)

    def _board(self, member: Member, until: int) -> Lane | None:
        try:
            lane = self._engine._boarding.lane(member, until, self._tell)
            if lane.run.epoch < lane.run.target:
                return lane
            self.outcomes.append(lane.end())  # its own number of epochs is reached
        except Unfusable as error:
            self.refused.append((member, str(error)))
        except (CheckpointError, Unusable) as error:
            self.refused.append((member, f"its checkpoint cannot be used: {error}"))
        except Exception as error:  # noqa: BLE001 - whatever building raises is the member's failure
            failure = failure_from(error)
            self.outcomes.append(_failed(member, failure))
        return None

    def _tell(self, run: Run, progress: Progress) -> None:
        if self._on_report is not None:
            with preserved():
                run.ended |= self._on_report(progress)

    def _to_known(self, lane: Lane) -> None:
        family = self._engine._family_of(lane)
        if family is None:
            assert lane.candidate is not None
            self._strangers.setdefault((lane.candidate.anatomy.digest, lane.setting.key), []).append(lane)
        elif family.refused:
            self.refused.append((lane.member, f"its program was not trusted: {family.refused}"))
        else:
            self._add(family, [lane])

    def _add(self, family: Family, lanes: list[Lane]) -> None:
        known = next((group for other, group in self.families if other is family), None)
        if known is None:
            self.families.append((family, lanes))
        else:
            known.extend(lanes)

    def _found(self, lanes: list[Lane]) -> None:
        """Found families for lanes that no family takes."""
        setting = lanes[0].setting
        candidates = [lane.candidate for lane in lanes if lane.candidate is not None]
        try:
            with preserved():
                divisions = divide(candidates, shapes_of(setting.training.data, setting.batch_size))
        except Untraceable as error:
            self.refused += [(lane.member, str(error)) for lane in lanes]
            return
        for division in divisions:
            chosen = [lanes[i] for i in division.members]
            reason = reason_against_program(division.step.program)
            if reason:
                self.refused += [(lane.member, reason) for lane in chosen]
                continue
            family = Family(
                name=f"fused-{len(self._engine.families) + 1}",
                template=candidates[division.members[0]],
                other=candidates[division.other[0]] if division.other else None,
                division=division,
                key=setting.key,
            )
            reason = _reason_against_steps(family, setting)
            if reason:
                self.refused += [(lane.member, reason) for lane in chosen]
                continue
            self._engine.families.append(family)
            self._add(family, chosen)


def _reason_against_steps(family: Family, setting: Setting) -> str:
    """Trace what an epoch needs beside the train step on a full batch; why that cannot be done."""
    try:
        family.steps(setting)
        trouble: Exception | None = family.division.sites.guards.trouble
    except Exception as error:  # noqa: BLE001 - the model's own code may raise anything on a tracer
        trouble = error
    return "" if trouble is None else f"its validation or last batch cannot be traced: {trouble!s:.300}"


def _waves(lanes: Sequence[Lane]) -> list[list[Lane]]:
    """Lanes that train together: those that draw the same order share it, which halves the cost of a batch."""
    alike: dict[Any, list[Lane]] = {}
    for lane in lanes:
        state = lane.order.state
        key = (
            lane.run.epoch,
            lane.member.key.fold,
            lane.order.shuffle,
            _order_key(state) if lane.order.shuffle else None,
        )
        alike.setdefault(key, []).append(lane)
    few = [lane for group in alike.values() if len(group) < 4 for lane in group]
    groups = [group for group in alike.values() if len(group) >= 4]
    by_epoch: dict[int, list[Lane]] = {}
    for lane in few:
        by_epoch.setdefault(lane.run.epoch, []).append(lane)
    return [part for group in [*groups, *by_epoch.values()] for part in parts(group)]


def _order_key(state: dict[str, Any]) -> tuple[Any, ...]:
    inner = state["state"]
    return (inner["key"].tobytes(), inner["pos"])


def _handed_over(lane: Lane) -> Member:
    """The member as another engine may go on with it."""
    if lane.run.epoch == lane.member.epoch:
        return lane.member
    lane.run.keeper.write()
    return replace(lane.member, epoch=lane.run.epoch, checkpoint=lane.run.keeper.last)


def _announce(family: Family, lane: Lane) -> None:
    """Tell that training begins."""
    lane.run.tell(replace(lane.built, engine=family.name))


def _rescue(lanes: Sequence[Lane]) -> None:
    """Write what is trained, on the way out of an interrupted process."""
    for lane in lanes:
        try:
            lane.run.keeper.write()
        except Exception:  # noqa: BLE001 - the others are to be saved all the same
            _log.exception("The last state of trial %d could not be saved", lane.member.key.trial)


def _with_reason(on_report: OnReport, reason: str) -> OnReport:
    def told(progress: Progress) -> bool:
        if isinstance(progress, Built):
            progress = replace(progress, engine=f"{progress.engine}: {reason}")
        return on_report(progress)

    return told


def _failed(member: Member, failure: MemberFailed) -> Outcome:
    return Outcome(
        key=member.key,
        state=State.FAILED,
        epoch=member.epoch,
        cause=failure.cause,
        message=failure.message,
        last=member.checkpoint,
    )


def _paused(member: Member) -> Outcome:
    return Outcome(key=member.key, state=State.PAUSED, epoch=member.epoch, last=member.checkpoint)


def _reason(item: tuple[Member, str]) -> str:
    return item[1]


def _never() -> None:
    return None
