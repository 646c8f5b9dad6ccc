"""The engine for many small models: members become lanes of few compiled programs, the rest is left to another engine."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import count, groupby
from statistics import median
from typing import Any

from dialed.engine.assignment import Assignment
from dialed.engine.failures import failure_from
from dialed.engine.fused.ahead import Ahead
from dialed.engine.fused.boarding import Boarding, Unfusable
from dialed.engine.fused.capacity import planner
from dialed.engine.fused.compile_cache import CompileCache
from dialed.engine.fused.crew import Crew, Mistrusted
from dialed.engine.fused.eligibility import reason_against_search
from dialed.engine.fused.family import Family
from dialed.engine.fused.founding import founded
from dialed.engine.fused.lane import Lane
from dialed.engine.fused.mode import convolves, decide
from dialed.engine.fused.padding.buckets import Costs
from dialed.engine.fused.resident import Resident, reason_against_size
from dialed.engine.memory import Housekeeping
from dialed.engine.protocol import Batch, Engine, OnReport, Progress
from dialed.engine.seeding import preserved
from dialed.engine.state import Unusable
from dialed.engine.watch import Run
from dialed.errors import CheckpointError
from dialed.events import Built
from dialed.trial import Member, Outcome, State

__all__ = ["FusedEngine"]

_log = logging.getLogger("dialed")

MOST_FAMILIES = 32
"""Families that are kept for trials to come. Each holds a model, its traced steps and its programs, some 10 MB."""

_SHARED_FILE = (
    "its CSVLogger writes {}, as that of another trial does, line by line. In `callbacks`, pass a function of `hp` that "
    "names a file for each trial"
)


class FusedEngine:
    """Trains members as lanes of compiled programs, as exactly as `model.fit` would train each alone.

    To choose: with Keras on JAX and data in arrays, whenever many trials are to be trained. What cannot be a lane goes to
    `fallback`, with the reason.

    Args:
        assignment: What is trained, for what, and until when.
        fallback: Trains the members that cannot be lanes.
        compile_cache: Keeps compiled programs for the next process. Defaults to none.
    """

    def __init__(self, assignment: Assignment, *, fallback: Engine, compile_cache: CompileCache | None = None) -> None:
        self.assignment = assignment
        self.fallback = fallback
        self.families: list[Family] = []
        self._ahead = Ahead()
        self._names = (f"fused-{i}" for i in count(1))
        self._cached = compile_cache.active if compile_cache else nullcontext
        self._housekeeping = Housekeeping()
        self._founded = 0
        recipe, data = assignment.recipe, assignment.data
        self._against_all = reason_against_search(recipe, data) or reason_against_size(data)
        self._boarding = Boarding(assignment, Resident(assignment.data))

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        """Build every model and trace what differs; compile and train nothing."""
        if self._against_all:
            return self._left_to_fallback(members, self._against_all)
        sorted_out = _Sorted(self, members, until=max((m.epoch for m in members), default=0) + 1)
        batches = [
            Batch(members=tuple(lane.member for lane in lanes), program=family.name, padding=family.note)
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
        try:
            with self._cached():
                yield from self._train(members, until, on_report)
        except (KeyboardInterrupt, GeneratorExit):  # nobody waits for what is still to be compiled
            self._ahead.cancel()
            raise
        self._let_go()

    def _train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        if self._against_all:
            yield from self._fall_back([(member, self._against_all) for member in members], until, on_report)
            return
        due = [member for member in members if member.epoch < until and not self.assignment.is_late]
        yield from (_paused(member) for member in members if member not in due)
        sorted_out = _Sorted(self, due, until=until, on_report=on_report)
        yield from sorted_out.outcomes
        refused = list(sorted_out.refused)
        for i, (family, lanes) in enumerate(sorted_out.families):
            if len(sorted_out.families) > 1:
                self._compile_ahead(sorted_out.families[i : i + self._ahead.reach])
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

    def _compile_ahead(self, coming: Sequence[tuple[Family, list[Lane]]]) -> None:
        """Begin to compile for `coming` families, but where the mode of training is still to be measured."""
        for family, lanes in coming:
            if not self.assignment.is_late and not convolves(family.template.model):
                plan = planner(family, lanes[0])
                decide(family, lanes, plan, self.assignment.clock, self.costs)
                self._ahead.compile(family, lanes, plan(len(lanes)), self.assignment.clock)

    def _train_family(self, family: Family, lanes: list[Lane]) -> Iterator[Outcome]:
        model = family.witness[0] if family.witness else None
        witness = next((lane for lane in lanes if lane.candidate is not None and lane.candidate is model), None)
        for lane in lanes:
            lane.candidate = None
        plan = planner(family, lanes[0])
        decide(family, lanes, plan, self.assignment.clock, self.costs)
        crew = Crew(
            family=family,
            lanes=lanes,
            clock=self.assignment.clock,
            began=_announce,
            plan=plan,
            witness=witness,
        )
        try:
            yield from crew.train()
        except BaseException as error:
            if not isinstance(error, Exception):  # Ctrl-C, or whoever asked has gone
                _rescue(lanes)
            raise

    def _fall_back(self, members: Sequence[tuple[Member, str]], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for reason, group in groupby(sorted(members, key=_reason), key=_reason):
            yield from self.fallback.train([member for member, _ in group], until, _with_reason(on_report, reason))

    def _left_to_fallback(self, members: Sequence[Member], reason: str) -> list[Batch]:
        return [replace(batch, reason=reason) for batch in self.fallback.plan(members)]

    @property
    def costs(self) -> Costs:
        """What compiling and training cost, as measured so far."""
        taken = [seconds for family in self.families for seconds in family.compile_seconds]
        return Costs(compile_seconds=median(taken)) if taken else Costs()

    def _family_of(self, lane: Lane) -> Family | None:
        found = next((family for family in self.families if family.admits(lane)), None)
        if found is not None:  # the last one used is the last to go
            self.families.remove(found)
            self.families.append(found)
        return found

    def _let_go(self) -> None:
        """Forget the families that were not used for longest, and what JAX keeps of their tracing."""
        del self.families[:-MOST_FAMILIES]
        for _ in range(self._founded):
            self._housekeeping.after_member(0)
        self._founded = 0


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
        for lane in self._apart([lane for member in members if (lane := self._board(member, until)) is not None]):
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
            self.outcomes.append(failure_from(error).outcome_of(member))
        return None

    def _apart(self, lanes: list[Lane]) -> list[Lane]:
        """Those of `lanes` whose callbacks write no file that those of another write too: lines would be mixed."""
        counts = Counter(file for lane in lanes for file in _files(lane))
        shared = {id(lane): file for lane in lanes for file in _files(lane) if counts[file] > 1}
        self.refused += [(lane.member, _SHARED_FILE.format(shared[id(lane)])) for lane in lanes if id(lane) in shared]
        return [lane for lane in lanes if id(lane) not in shared]

    def _tell(self, run: Run, progress: Progress) -> None:
        if self._on_report is not None:
            with preserved():
                run.ended |= self._on_report(progress)

    def _to_known(self, lane: Lane) -> None:
        family = self._engine._family_of(lane)
        if family is None:
            assert lane.candidate is not None
            self._strangers.setdefault((lane.candidate.anatomy.outline, lane.setting.key), []).append(lane)
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
        engine = self._engine
        for found, chosen in founded(lanes, engine._boarding, engine.costs, engine._names):
            if isinstance(found, str):
                self.refused += [(lane.member, found) for lane in chosen]
            else:
                engine.families.append(found)
                engine._founded += 1
                self._add(found, chosen)


def _files(lane: Lane) -> Sequence[str]:
    return () if lane.company is None else lane.company.files


def _handed_over(lane: Lane) -> Member:
    """The member as another engine may go on with it."""
    lane.leave()
    if lane.run.epoch == lane.member.epoch:
        return lane.member
    lane.run.keeper.write()
    return replace(lane.member, epoch=lane.run.epoch, checkpoint=lane.run.keeper.last, before=None)


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


def _paused(member: Member) -> Outcome:
    return Outcome(key=member.key, state=State.PAUSED, epoch=member.epoch, last=member.checkpoint)


def _reason(item: tuple[Member, str]) -> str:
    return item[1]
