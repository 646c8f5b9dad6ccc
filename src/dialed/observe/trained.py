"""How the trials of a study were trained: in how many programs, as how many lanes, and what was left to others, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dialed.observe.text import first_line, format_count
from dialed.trial import Trial

__all__ = ["Trained"]

_FUSED = "fused"
_NAMES: Mapping[str, str] = {"fit": "model.fit"}
"""Engines worth a word. A function of the user's own is called, which goes without saying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Trials by the way in which they were trained. Those that have not begun are not counted.

    Args:
        programs: Compiled programs that trials shared. Programs of different sessions have the same names, and count
            once.
        trials: Trials in them.
        lanes: Their members: each is a lane of a program.
        alone: Trials that were trained one by one because that is the engine's way, by its name.
        fallbacks: Trials that were trained one by one because they could not be lanes, by (engine, reason).
    """

    programs: int = 0
    trials: int = 0
    lanes: int = 0
    alone: Mapping[str, int] = field(default_factory=dict)
    fallbacks: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> Self:
        """Count `trials`."""
        counted, members = Counter[str](), Counter[str]()
        for trial in trials:
            counted[trial.engine] += 1
            members[trial.engine] += len(trial.members)
        return cls.counted(counted, members)

    @classmethod
    def counted(cls, trials: Mapping[str, int], members: Mapping[str, int]) -> Self:
        """Make it of how many trials, and how many members, each engine trained, by the names in `Trial.engine`."""
        known = {engine: count for engine, count in trials.items() if engine and count > 0}
        fused = [engine for engine in known if _is_fused(engine)]
        fallbacks: Counter[tuple[str, str]] = Counter()
        for engine, count in known.items():
            name, colon, reason = engine.partition(": ")
            if colon:
                fallbacks[(name, first_line(reason))] += count
        return cls(
            programs=len(fused),
            trials=sum(known[engine] for engine in fused),
            lanes=sum(members[engine] for engine in fused),
            alone={engine: count for engine, count in known.items() if ": " not in engine and engine not in fused},
            fallbacks=dict(fallbacks.most_common()),
        )

    @property
    def parts(self) -> list[str]:
        """A phrase for each way: "30 trials as 90 lanes of 2 programs", "2 trials by model.fit: it has callbacks"."""
        found = []
        if self.programs:
            lanes, programs = format_count(self.lanes, "lane"), format_count(self.programs, "program")
            found.append(f"{format_count(self.trials, 'trial')} as {lanes} of {programs}")
        found += [f"{format_count(n, 'trial')} by {_NAMES[name]}" for name, n in self.alone.items() if name in _NAMES]
        return found + [
            f"{format_count(n, 'trial')} by {_NAMES.get(name, name)}: {reason}"
            for (name, reason), n in self.fallbacks.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON types."""
        return {
            "programs": self.programs,
            "trials": self.trials,
            "lanes": self.lanes,
            "alone": dict(self.alone),
            "fallbacks": [
                {"engine": name, "reason": reason, "trials": count} for (name, reason), count in self.fallbacks.items()
            ],
        }


def _is_fused(engine: str) -> bool:
    return engine.startswith(_FUSED) and ": " not in engine
