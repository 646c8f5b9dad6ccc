"""A population as the history shows it: who holds its places, who came to which epoch, who is replaced.

Trials that began from nothing fill populations in the order of their numbers; a copy takes the place of the trial that
it replaced. So nothing has to be remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from dialed.search._rungs import loss_at
from dialed.search.history import History
from dialed.trial import MemberRecord, Objective, State, Trial

__all__ = ["Generation", "generations", "places", "resting_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What came of the places of a population at `epoch`.

    Args:
        epoch: Where they are compared.
        holders: Who came to it, or ended before, one for each place.
        losses: Their losses there by trial number; infinity for one that failed.
        followers: Who has taken over a place at that epoch, by the number of whom it replaced.
    """

    epoch: int
    holders: tuple[Trial, ...]
    losses: dict[int, float]
    followers: dict[int, Trial]

    @property
    def ready(self) -> bool:
        """Whether nobody is on the way to it any more."""
        return all(h.state.finished or _has(h, self.epoch) for h in self.holders)

    def quota(self, share: float) -> int:
        """How many are replaced, and how many copied: a `share` of those that compete, one at least where two do."""
        count = len(self.losses)
        return min(max(1, int(share * count + 0.5)), count // 2)

    def losers(self, share: float) -> list[Trial]:
        """Who is to be replaced: the worst, and all that failed. The worst first."""
        ranked = self._ranked()
        worst = {trial.number for trial in ranked[len(ranked) - self.quota(share) :]}
        return [t for t in reversed(ranked) if t.number in worst or t.state is State.FAILED]

    def winners(self, share: float, objective: Objective) -> list[Trial]:
        """Whose state may be copied: those of the best that rest there. The best first."""
        best = self._ranked()[: self.quota(share)]
        return [t for t in best if isfinite(self.losses[t.number]) and resting_at(t, self.epoch)]

    def _ranked(self) -> list[Trial]:
        contenders = [holder for holder in self.holders if holder.number in self.losses]
        return sorted(contenders, key=lambda t: (self.losses[t.number], t.number))


def places(history: History, founders: Sequence[Trial]) -> list[list[Trial]]:
    """For each founder the trials that held its place, one after another."""
    followers = {trial.origin.replaces: trial for trial in history.trials if trial.origin is not None}
    return [list(_line(founder, followers)) for founder in founders]


def _line(trial: Trial | None, followers: dict[int, Trial]) -> Iterator[Trial]:
    while trial is not None:
        yield trial
        trial = followers.get(trial.number)


def generations(history: History, founders: Sequence[Trial], *, interval: int, epochs: int) -> Iterator[Generation]:
    """The population at each epoch at which it is compared, the earliest first."""
    lines = places(history, founders)
    for epoch in range(interval, epochs, interval):
        holders = tuple([trial for trial in line if _begin(trial) < epoch][-1] for line in lines)
        losses = {h.number: _loss(h, epoch, history.objective) for h in holders if _competes(h, epoch)}
        arrived = [trial for line in lines for trial in line if _begin(trial) == epoch and trial.origin is not None]
        followers = {trial.origin.replaces: trial for trial in arrived if trial.origin is not None}
        yield Generation(epoch=epoch, holders=holders, losses=losses, followers=followers)


def resting_at(trial: Trial, epoch: int) -> bool:
    """Whether a trial is paused there, with its whole state."""
    return trial.state is State.PAUSED and all(m.epoch == epoch for m in _searched(trial))


def _competes(trial: Trial, epoch: int) -> bool:
    """Whether it can be copied or replaced there. What the user asked for is trained as asked; who ended, ended."""
    own = trial.source in ("enqueued", "asked")
    return not own and (_has(trial, epoch) or trial.state is State.FAILED)


def _loss(trial: Trial, epoch: int, objective: Objective) -> float:
    loss = loss_at(trial, epoch, objective) if _has(trial, epoch) else None
    return inf if loss is None else loss


def _has(trial: Trial, epoch: int) -> bool:
    return all(m.epoch >= epoch for m in _searched(trial))


def _begin(trial: Trial) -> int:
    return 0 if trial.origin is None else trial.origin.epoch


def _searched(trial: Trial) -> list[MemberRecord]:
    return [member for member in trial.members if member.purpose == "search"]
