"""Which programs a search would need, found by planning the trials that it would begin with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from dialed.engine.protocol import Batch, Engine
from dialed.observe.text import first_line, format_count
from dialed.search import History, Sobol, Start, Strategy, generator
from dialed.space import Space
from dialed.study.arguments import Prepared
from dialed.trial import Member, MemberKey, Values

__all__ = ["Forecast", "Planned", "forecast"]

SAMPLE = 16
"""Trials that are planned: each is built, and each new structure traced, which takes a tenth of a second or two."""

_MOST_MEMBERS = 128
_MOST_PROGRAMS = 4  # that have a line of their own
_FAILED = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Trials of the sample that share a fate.

    Args:
        program: The program that they share; "fit" for one each, by `model.fit`; "none" where they cannot be built.
        trials: How many.
        lanes: Their members.
        reason: Why they are not lanes of a program; empty where they are, or where nobody asked for it.
        padding: Which widths are made equal for it; empty where none are.
    """

    program: str
    trials: int
    lanes: int
    reason: str = ""
    padding: str = ""

    @property
    def fused(self) -> bool:
        """Whether the trials share a program."""
        return not self.reason and self.program not in ("fit", _FAILED)

    def __str__(self) -> str:
        trials = format_count(self.trials, "trial")
        if self.program == _FAILED:
            return f"{trials} would fail: {self.reason}"
        if not self.fused:
            return f"{trials} by model.fit" + (f": {self.reason}" if self.reason else "")
        return f"{trials} as {format_count(self.lanes, 'lane')} of one" + (f"; {self.padding}" if self.padding else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The plan of the first `sampled` trials."""

    sampled: int
    planned: tuple[Planned, ...]

    @classmethod
    def of(cls, batches: Sequence[Batch], sampled: int) -> Self:
        """Gather what an engine planned by program and reason, the largest first."""
        lanes: Counter[tuple[str, str, str]] = Counter()
        trials: dict[tuple[str, str, str], set[int]] = {}
        for batch in batches:
            kind = (batch.program, first_line(batch.reason), first_line(batch.padding))
            lanes[kind] += len(batch.members)
            trials.setdefault(kind, set()).update(member.key.trial for member in batch.members)
        planned = [
            Planned(program=kind[0], trials=len(trials[kind]), lanes=count, reason=kind[1], padding=kind[2])
            for kind, count in lanes.items()
        ]
        return cls(sampled=sampled, planned=tuple(sorted(planned, key=lambda p: (not p.fused, -p.trials))))

    @property
    def fused(self) -> tuple[Planned, ...]:
        """The programs that trials share."""
        return tuple(planned for planned in self.planned if planned.fused)

    @property
    def share_alone(self) -> float:
        """The part of the members that `model.fit` trains, each with a program of its own."""
        alone = sum(p.lanes for p in self.planned if not p.fused and p.program != _FAILED)
        return alone / max(sum(p.lanes for p in self.planned), 1)

    def programs(self, trials: int) -> float:
        """How many programs `trials` trials share, as far as the sample tells.

        Where one in five trials of the sample has a program to itself, so has about one in five of those to come: Good
        and Turing's estimate of what has not been seen.
        """
        return len(self.fused) + max(trials - self.sampled, 0) * self.rate

    @property
    def rate(self) -> float:
        """Programs that another trial would add: the part of the sample that has a program to itself."""
        return sum(planned.trials == 1 for planned in self.fused) / max(self.sampled, 1)

    @property
    def lines(self) -> list[str]:
        """For people: each large program, the others together, and what cannot be a lane, by its reason."""
        shared = [planned for planned in self.fused if planned.trials > 1]
        large, others = shared[:_MOST_PROGRAMS], shared[_MOST_PROGRAMS:]
        lines = [str(planned) for planned in large]
        if others:
            lines.append(f"{sum(planned.trials for planned in others)} trials in {len(others)} other programs")
        single = len(self.fused) - len(shared)
        if single:
            lines.append(f"{format_count(single, 'trial')} in {'one' if single == 1 else 'programs'} of {_own(single)}")
        return lines + [str(planned) for planned in self.planned if planned.reason]


def _own(trials: int) -> str:
    return "its own" if trials == 1 else "their own"


def forecast(engine: Engine, prepared: Prepared, strategy: Strategy, *, trials: int) -> Forecast:
    """Plan the trials that the search would begin with; where it begins with few, a sample of the space besides.

    Args:
        engine: Plans. It builds the trials' models and compiles nothing.
        prepared: What is searched.
        strategy: Chooses.
        trials: How many trials the search is to have; 0 where nobody knows.
    """
    terms, space = prepared.terms, prepared.space
    each = len(terms.seeds) * len(terms.folds)
    count = max(min(SAMPLE, trials or SAMPLE, _MOST_MEMBERS // each), 1)
    chosen = _first(strategy, space, History(terms), count)
    members = [
        Member(key=MemberKey(number, seed, fold), values=values)
        for number, values in enumerate(chosen)
        for seed in terms.seeds
        for fold in terms.folds
    ]
    return Forecast.of(engine.plan(members), len(chosen))


def _first(strategy: Strategy, space: Space, history: History, count: int) -> list[Values]:
    """The values of the first `count` trials."""
    found: dict[object, Values] = {}
    for chooser in (strategy, Sobol()):
        if len(found) < count:
            decisions = chooser.decide(space, history, generator(history), count)
            begun = (space.restrict(d.values) for d in decisions if isinstance(d, Start))
            found |= {space.key(values): values for values in begun}
    return list(found.values())[:count]
