"""What a worker does with the members it has leased: train them, and write down what happens as it happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from dialed.engine.protocol import Engine, Progress
from dialed.events import Event, Returned
from dialed.store.protocol import Leased, Store
from dialed.trial import Outcome

__all__ = ["train_leased"]


def train_leased(
    store: Store, engine: Engine, leased: Sequence[Leased], *, worker: str, pause: Callable[[Progress], bool]
) -> None:
    """Train `leased` and store every report, checkpoint and outcome under `worker`'s lease.

    Args:
        pause: Asked after each report; True pauses the member it came from.

    Raises:
        LeaseLostError: Another worker has taken a member over; what it does counts, this work does not.
    """

    def on_report(progress: Progress) -> bool:
        store.append([progress], worker=worker)
        return pause(progress)

    for until, group in groupby(sorted(leased, key=_until), key=_until):
        for outcome in engine.train([item.member for item in group], until, on_report):
            store.append([_event(outcome)], worker=worker)


def _until(item: Leased) -> int:
    return item.until


def _event(outcome: Outcome) -> Event:
    """A failure that another try may mend goes back into the queue; the store counts the tries."""
    if outcome.cause is not None and outcome.cause.retries:
        return Returned(key=outcome.key, cause=outcome.cause, message=outcome.message)
    return outcome
