"""One command to train, from the side that gave it: what comes back, and what is known of each member meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dialed.engine.jax_worker.channel import Channel, Closed, Silent
from dialed.engine.jax_worker.messages import Answer, Done, Ended, HandedBack, Leave, Left, Raised, Said, Told, Train
from dialed.engine.protocol import OnReport, Progress
from dialed.events import Built, Saved
from dialed.trial import Cause, Member, MemberKey, Outcome, Report

__all__ = ["Errand", "say"]

_log = logging.getLogger("dialed")

LEAVE_SECONDS = 30.0
"""How long training that was told to leave may be silent: a compilation or an epoch cannot be interrupted."""

_BACKENDS_OWN = (Cause.BUILD, Cause.ERROR, Cause.OUT_OF_MEMORY)
"""Failures before a first epoch that another backend need not share."""


class Errand:
    """Has `members` trained until `until`.

    Args:
        channel: The line to the process with JAX.
        members, until, on_report: As for an engine.
        seconds: How many seconds are left until the deadline, asked for again with each report; `None` without one.

    Attributes:
        unfinished: The members without an outcome, each as it could be gone on with from its newest checkpoint.
        back: The members that were handed back, each with the reason.
        epochs: How many epochs were reported.
        is_lost: Whether the process did not do what it was told, and should be ended.
    """

    def __init__(
        self,
        channel: Channel,
        members: Sequence[Member],
        until: int,
        on_report: OnReport,
        *,
        seconds: Callable[[], float | None],
    ) -> None:
        self.unfinished: dict[MemberKey, Member] = {member.key: member for member in members}
        self.back: list[tuple[Member, str]] = []
        self.epochs = 0
        self.is_lost = False
        self._channel = channel
        self._until = until
        self._on_report = on_report
        self._seconds = seconds
        self._reported: set[MemberKey] = set()
        self._is_over = False

    def outcomes(self) -> Iterator[Outcome]:
        """Have the members trained; yield what ends there.

        Raises:
            Closed: The process has ended. `unfinished` says who was trained.
            BaseException: What `on_report` or an interrupt raised, once the process has written down what it has.
        """
        try:
            members = tuple(replace(member, values=dict(member.values)) for member in self.unfinished.values())
            self._channel.send(Train(members=members, until=self._until, seconds=self._seconds()))
            while not self._is_over:
                outcome = self._taken(self._channel.receive())
                if outcome is not None:
                    yield outcome
        except Closed:
            raise
        except BaseException as error:
            if not self._is_over:
                self.is_lost = True
                self.is_lost = not self._leave(tells=not isinstance(error, Exception))
            raise

    def _taken(self, message: object) -> Outcome | None:
        """Take one message in; the outcome, where it brings one."""
        match message:
            case Told():
                self._tell(message.progress)
            case Ended():
                return self._ended(message.outcome)
            case HandedBack():
                self._hand_back(message.member, message.reason)
            case Raised(error=None):
                self._is_over = True
                self._give_up(message.text)
            case Raised(error=error) if error is not None:
                self._is_over = True
                raise error
            case Left():  # somebody else interrupted it
                self._is_over = True
                self._give_up("it was interrupted")
            case Done():
                self._is_over = True
            case Said():
                say(message)
        return None

    def _tell(self, progress: Progress) -> None:
        self._note(progress)
        pause = self._on_report(_on_jax(progress))
        self._channel.send(Answer(pause=pause, seconds=self._seconds()))

    def _note(self, progress: Progress) -> None:
        match progress:
            case Report():
                self.epochs += 1
                self._reported.add(progress.key)
            case Saved(kind="last"):
                ref = progress.checkpoint
                member = self.unfinished[progress.key]
                self.unfinished[progress.key] = replace(member, epoch=ref.epoch, checkpoint=ref)

    def _ended(self, outcome: Outcome) -> Outcome | None:
        if outcome.cause in _BACKENDS_OWN and outcome.key not in self._reported:
            self._hand_back(self.unfinished[outcome.key], f"on JAX it failed: {outcome.message:.300}")
            return None
        del self.unfinished[outcome.key]
        return outcome

    def _hand_back(self, member: Member, reason: str) -> None:
        self.unfinished.pop(member.key, None)
        self.back.append((member, reason))

    def _give_up(self, text: str) -> None:
        """What the process could not deal with is trained here."""
        _log.warning("The process with JAX failed, and its members are trained without it:\n%s", text)
        last = text.strip().splitlines()[-1]
        for member in list(self.unfinished.values()):
            self._hand_back(member, f"the process with JAX failed: {last:.300}")

    def _leave(self, *, tells: bool) -> bool:
        """Have written down what is trained, and tell of it where somebody listens still; whether that was done."""
        try:
            self._channel.send(Leave())
            while not self._is_over:
                match self._channel.receive(LEAVE_SECONDS):
                    case Told(progress=Saved() as saved) if tells:
                        self._tell_quietly(saved)
                    case Said() as said:
                        say(said)
                    case Done() | Raised() | Left():
                        self._is_over = True
        except (Closed, Silent) as error:
            _log.warning("What the process with JAX had not written to the disk is lost: %s", error)
        return self._is_over

    def _tell_quietly(self, saved: Saved) -> None:
        try:
            self._on_report(saved)
        except Exception:  # noqa: BLE001 - the others are to be told all the same
            _log.exception("The last state of trial %d could not be recorded", saved.key.trial)


def say(message: Said) -> None:
    """Pass a line of the other process's log on."""
    _log.log(message.level, "%s", message.text)


def _on_jax(progress: Progress) -> Progress:
    """`progress` with the backend in the engine's name: "fused-1 on jax"."""
    if not isinstance(progress, Built):
        return progress
    name, colon, reason = progress.engine.partition(":")
    return replace(progress, engine=f"{name} on jax{colon}{reason}")
