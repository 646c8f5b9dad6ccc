"""Why a member failed: exceptions that training raised, as a cause and a sentence."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from dialed.space import Infeasible
from dialed.trial import Cause, Member, Outcome, State

__all__ = ["MemberFailed", "failure_from", "is_out_of_memory", "where"]

_OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")
_SAYS_OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "DefaultCPUAllocator: can't allocate memory", "CUDA out of memory")
_FOREIGN = tuple(
    str(path)
    for path in (*(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")), Path(__file__).parents[1])
)


class MemberFailed(Exception):
    """A member cannot be trained, or not further: its outcome, on the way to whoever reports it."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message

    def outcome_of(self, member: Member) -> Outcome:
        """What becomes of `member`: it failed where it stood, and its checkpoint stays."""
        return Outcome(
            key=member.key,
            state=State.FAILED,
            epoch=member.epoch,
            cause=self.cause,
            message=self.message,
            last=member.checkpoint,
        )


def failure_from(error: BaseException, *, otherwise: Cause = Cause.ERROR) -> MemberFailed:
    """What `error` means for the member that was trained, or built, when it was raised.

    Args:
        otherwise: The cause where the error is of no special kind. Defaults to `Cause.ERROR`.
    """
    if isinstance(error, MemberFailed):
        return error
    if isinstance(error, Infeasible):
        return MemberFailed(Cause.INFEASIBLE, str(error))
    if is_out_of_memory(error):
        return MemberFailed(Cause.OUT_OF_MEMORY, _short(error))
    return MemberFailed(otherwise, f"{_short(error)}{where(error)}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error`, or one that it came from, says that memory ran out, on any backend.

    Classes are told by their names, so that no backend is imported for the question.
    """
    return any(
        any(base.__name__ in _OUT_OF_MEMORY for base in type(link).__mro__)
        or any(words in str(link) for words in _SAYS_OUT_OF_MEMORY)
        for link in _chain(error)
    )


def where(error: BaseException) -> str:
    """The innermost line of the user's code, or of any code where the user's had no part, in brackets."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    frame = next((f for f in reversed(frames) if not f.filename.startswith((*_FOREIGN, "<frozen"))), frames[-1])
    code = f": {frame.line}" if frame.line else ""
    return f" (line {frame.lineno} of {frame.filename}{code})"


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


def _short(error: BaseException, limit: int = 1500) -> str:
    """Type and message. Some backends put whole graphs into a message; the beginning says what is wrong."""
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= limit else f"{text[:limit]}..."
