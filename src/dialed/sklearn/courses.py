"""One training for candidates that differ in nothing but their number of epochs.

With the same seed, data and values, ten epochs are the beginning of twenty: the training is stopped there for a moment,
and what it is by then is the shorter candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from dialed.engine.protocol import Engine, Progress
from dialed.trial import CheckpointRef, Member, MemberKey, Outcome, Report, State, Values

__all__ = ["Arrival", "Course", "run"]

_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Generic[_Place]):
    """A training, and whom it serves.

    Args:
        key: The member that is trained.
        values: Its values: those of the candidate with the most epochs.
        stops: Who ends after how many epochs, the fewest first.
    """

    key: MemberKey
    values: Values
    stops: Mapping[int, Sequence[_Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival(Generic[_Place]):
    """A place whose training has ended: how, what was measured in each epoch, and its part of the time, in seconds."""

    place: _Place
    outcome: Outcome
    history: Mapping[str, list[float]]
    seconds: float


@dataclass(slots=True)
class _Told(Generic[_Place]):
    """What is known of a course so far. `seconds` is the part of each place that has not ended."""

    course: Course[_Place]
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    reached: int = 0

    @property
    def left(self) -> list[_Place]:
        """Places whose training goes on."""
        return [place for epochs, places in self.course.stops.items() if epochs > self.reached for place in places]

    def hear(self, report: Report) -> bool:
        """Take in an epoch. Returns whether somebody's training ends with it."""
        self.seconds += report.seconds / max(len(self.left), 1)
        for name, value in report.metrics.items():
            self.history.setdefault(name, []).append(value)
        return report.epoch in self.course.stops

    def arrivals(self, outcome: Outcome) -> Iterator[Arrival[_Place]]:
        """Those who end with `outcome`: all that are left, where it stopped early or failed."""
        goes_on = outcome.state is State.PAUSED
        places = self.course.stops.get(outcome.epoch, ()) if goes_on else self.left
        history = {name: list(values) for name, values in self.history.items()}
        self.reached = outcome.epoch if goes_on else max(self.course.stops)
        for place in places:
            yield Arrival(place=place, outcome=outcome, history=history, seconds=self.seconds)


def run(
    engine: Engine, courses: Sequence[Course[_Place]], until: int, *, forget: Callable[[CheckpointRef], None]
) -> Iterator[Arrival[_Place]]:
    """Train all courses to their last stops, together.

    Args:
        engine: Trains them.
        courses: Trainings with different keys.
        until: The most epochs of all.
        forget: Removes a checkpoint that nobody will read again: those of a stop once the next is reached.

    Yields:
        Each place as it ends, while its checkpoint is there.
    """
    told = {course.key: _Told(course) for course in courses}

    def hear(progress: Progress) -> bool:
        return isinstance(progress, Report) and told[progress.key].hear(progress)

    waiting = [Member(key=course.key, values=course.values) for course in courses]
    while waiting:
        members = {member.key: member for member in waiting}
        waiting = []
        for outcome in engine.train(list(members.values()), until, hear):
            member, known = members[outcome.key], told[outcome.key]
            yield from known.arrivals(outcome)
            if known.left:
                waiting.append(replace(member, epoch=outcome.epoch, checkpoint=outcome.last))
            read = {member.checkpoint} - {outcome.last} if known.left else {member.checkpoint, outcome.last}
            for ref in read:
                if ref is not None:
                    forget(ref)
