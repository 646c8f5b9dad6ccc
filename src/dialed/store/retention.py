"""Which checkpoints are kept: those that may still be needed, and the best, within a budget of bytes.

Files that the history does not name are another matter: `sweep` removes them when a later file of the same member has
taken their place, or when they are old enough that nobody can be about to record them.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from dialed.search.history import History
from dialed.store.checkpoints import Checkpoints, Kind, parse_name
from dialed.store.places import TEMPORARY
from dialed.trial import CheckpointRef, MemberKey, MemberRecord, Objective, State, Trial, best_first

__all__ = ["Swept", "sweep", "to_delete"]

ORPHAN_SECONDS: Final = 3600.0
"""A file is written and recorded within seconds; an hour later, whoever wrote it is gone."""

SETTLED_SECONDS: Final = 60.0

_NEEDED = (State.WAITING, State.RUNNING, State.PAUSED)
_GIVEN_UP = (State.FAILED, State.STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed: how many files, and how many bytes."""

    files: int
    bytes: int


def to_delete(
    trials: Sequence[Trial], objective: Objective, byte_budget: int | None, *, keep_best: int = 3
) -> list[CheckpointRef]:
    """Return the checkpoints to remove so that the rest fits into the budget, if it can.

    Members that may still be trained keep theirs, and so do the best trials: the rest may then be larger than the
    budget. The others go in this order: of failed and stopped members first, then of the worst trials; of each trial
    the states to go on from ("last") before the weights ("best").

    Args:
        trials: The trials whose checkpoints are there.
        objective: Which score is better.
        byte_budget: In bytes. `None` removes nothing.
        keep_best: How many of the best trials keep their checkpoints. Defaults to 3.

    Returns:
        Addresses, in the order in which they should go.
    """
    if byte_budget is None:
        return []
    ranked = _worst_first(trials, objective)
    best = ranked[-keep_best:] if keep_best else []
    kept = {trial.number for trial in best if trial.score is not None}
    excess = sum({ref.path: ref.bytes for _, _, _, ref in _all(trials)}.values()) - byte_budget
    wanted = {ref.path for trial, member, _, ref in _all(trials) if trial.number in kept or member.state in _NEEDED}
    chosen: dict[str, CheckpointRef] = {}  # by path: a state that was copied is named by several trials
    for ref in _candidates([trial for trial in ranked if trial.number not in kept]):
        if excess <= 0:
            break
        if ref.path not in wanted and ref.path not in chosen:
            chosen[ref.path] = ref
            excess -= ref.bytes
    return list(chosen.values())


def sweep(checkpoints: Checkpoints, history: History, *, keep_best: int = 3) -> Swept:
    """Remove checkpoint files that are not needed any more, and return how much that was.

    Those are: files of a member whose place a later one has taken in the history; files, finished or not, that the
    history does not name an hour after they were written; and what `to_delete` says of the rest.
    """
    files = _files(checkpoints)
    named = {ref.path: (member.key, kind, ref.epoch) for _, member, kind, ref in _all(history.trials)}
    recorded = {(key, kind): epoch for key, kind, epoch in named.values()}
    doomed = [name for name, file in files.items() if name not in named and _is_orphan(name, file.age, recorded)]
    there = [_only(trial, files.keys()) for trial in history.trials]
    over = to_delete(there, history.objective, checkpoints.byte_budget, keep_best=keep_best)
    doomed += [ref.path for ref in over]
    for name in doomed:
        checkpoints.place.delete(name)
    return Swept(files=len(doomed), bytes=sum(files[name].bytes for name in doomed))


class _File(NamedTuple):
    bytes: int
    age: float


def _files(checkpoints: Checkpoints) -> dict[str, _File]:
    """Return the checkpoint files that are there, finished or not; their ages in seconds."""
    now = checkpoints.clock.now()
    return {
        name: _File(file.bytes, now - file.written)
        for name, file in checkpoints.place.list().items()
        if name.endswith(TEMPORARY) or parse_name(name)
    }


def _is_orphan(name: str, age: float, recorded: Mapping[tuple[MemberKey, Kind], int]) -> bool:
    """Whether nobody can want a file that the history does not name.

    States to go on from are only ever written forwards, so an earlier one is past. Weights of an earlier best epoch may
    be written again after a kill, and recorded a moment later.
    """
    if age > ORPHAN_SECONDS:
        return True
    file = parse_name(name)
    if file is None or file.epoch >= recorded.get((file.key, file.kind), 0):
        return False
    return file.kind == "last" or age > SETTLED_SECONDS


def _only(trial: Trial, names: Container[str]) -> Trial:
    """Return the trial without the checkpoints whose files are gone already."""

    def there(ref: CheckpointRef | None) -> CheckpointRef | None:
        return ref if ref is not None and ref.path in names else None

    return replace(trial, members=tuple(replace(m, last=there(m.last), best=there(m.best)) for m in trial.members))


def _worst_first(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Trials without a score, then those with one from the worst to the best; the later first on ties."""
    return best_first(trials, objective)[::-1]


def _candidates(trials: Sequence[Trial]) -> Iterator[CheckpointRef]:
    """What may go, in the order in which it should."""
    over = [m for trial in trials for m in trial.members if m.state not in _NEEDED]
    given_up = [member for member in over if member.state in _GIVEN_UP]
    for member in (*given_up, *(member for member in over if member.state not in _GIVEN_UP)):
        yield from (ref for _, ref in _refs(member))


def _refs(member: MemberRecord) -> list[tuple[Kind, CheckpointRef]]:
    pairs: tuple[tuple[Kind, CheckpointRef | None], ...] = (("last", member.last), ("best", member.best))
    return [(kind, ref) for kind, ref in pairs if ref is not None]


def _all(trials: Sequence[Trial]) -> Iterator[tuple[Trial, MemberRecord, Kind, CheckpointRef]]:
    for trial in trials:
        for member in trial.members:
            for kind, ref in _refs(member):
                yield trial, member, kind, ref
